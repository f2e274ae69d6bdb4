"""Layer by layer what PyTorch makes of the networks that others are compared on: kind, output C H W, parameters,
multiply-adds of a forward pass. Layers without either (activations, dropout, flatten, identity) are left out.

    python nets.py FOLDER_OF_NETS_PY > ../data/nets.txt

FOLDER_OF_NETS_PY holds nets.py, the definitions of the networks in PyTorch (torch, torchvision). The sixth of them is
torchvision's ResNet-18."""
import sys

from torch import nn

sys.path.insert(0, sys.argv[1])
import nets  # noqa: E402

PRESETS = {"lenet-mnist": "lenet", "small-cifar": "small-cifar", "book-150": "book", "resnet20-cifar": "resnet20",
           "vgg-small": "vgg-small", "resnet18-224": "resnet18"}
KINDS = {nn.Conv2d: "conv", nn.BatchNorm2d: "bn", nn.Linear: "dense", nn.MaxPool2d: "maxpool",
         nn.AdaptiveAvgPool2d: "globalpool"}

for name, (make, shape, classes, batch) in nets.NETS.items():
    model = make()
    rows = [(KINDS[type(module)], (*out, 1, 1)[:3], parameters, macs)
            for module, out, parameters, macs in nets.layers(model, shape) if type(module) in KINDS]
    total = sum(p.numel() for p in model.parameters())
    print("net", PRESETS[name], *shape, classes, len(rows), total)
    for kind, out, parameters, macs in rows:
        print(kind, *out, parameters, macs)
