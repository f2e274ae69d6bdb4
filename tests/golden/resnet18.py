"""Outputs of torchvision's ResNet-18 (11 classes) with weights that follow from the tensors' names, as tests/data/resnet18.inc:
names, shapes and logits. Needs torch and torchvision: python tests/golden/resnet18.py > tests/data/resnet18.inc"""
import math
import numpy as np
import torch, torchvision

def fnv(name):
    h = 2166136261
    for c in name.encode():
        h = (h ^ c) * 16777619 % 2**32
    return h

def values(name, count, offset, scale):
    with np.errstate(over="ignore"):
        x = np.arange(count, dtype=np.uint32) * np.uint32(2654435761) + np.uint32(fnv(name))
        x ^= x >> np.uint32(16)
        x *= np.uint32(0x7FEB352D)
        x ^= x >> np.uint32(15)
    u = (x >> np.uint32(8)).astype(np.float64) / 2**23 - 1
    return (offset + scale * u).astype(np.float32)

def fill(name, shape):
    count = int(np.prod(shape))
    last = name.rsplit(".", 1)[1]
    if len(shape) > 1:
        offset, scale = 0.0, math.sqrt(6 / (count / shape[0]))
    elif last == "running_var" or last == "weight":
        offset, scale = 1.0, 0.5
    else:
        offset, scale = 0.0, 0.2
    return torch.from_numpy(values(name, count, offset, scale).reshape(shape))

net = torchvision.models.resnet18(num_classes=11).eval()
state = net.state_dict()
print("/* made by tests/golden/resnet18.py with torch %s, torchvision %s */" % (torch.__version__, torchvision.__version__))
print("static const struct { const char *name; int64_t shape[4]; int dims; } tensors[] = {")
for name, tensor in state.items():
    if name.endswith("num_batches_tracked"):
        continue
    shape = list(tensor.shape)
    state[name] = fill(name, shape)
    print("    {\"%s\", {%s}, %d}," % (name, ", ".join(map(str, shape)), len(shape)))
print("};")
net.load_state_dict(state)
x = torch.from_numpy(values("input", 2 * 3 * 64 * 64, 0.0, 1.5).reshape(2, 3, 64, 64))
with torch.no_grad():
    logits = net(x)
print("static const float logits[2][11] = {")
for row in logits:
    print("    {%s}," % ", ".join("%.8gf" % v for v in row))
print("};")
