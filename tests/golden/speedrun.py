"""Writes tests/data/speedrun.bin: the whitening layer and ten steps of the CIFAR speedrun's recipe, by PyTorch.

Needs torch and numpy. Run from the root of the repository: python tests/golden/speedrun.py
Little-endian float32: the weights of the whitening layer fitted to the pictures below (rows sorted and signed as
train/patches.h says), the losses of ten steps, the logits of the averaged network after them in evaluation mode.

The recipe is that of Jordan, "94% on CIFAR-10 in 3.29 seconds" (arXiv:2404.00498), with a narrower net and few steps:
SGD with Nesterov momentum 0.85 on the mean loss with label smoothing 0.2; the rate 0.5 rises from 0.2 to 1 of itself in the
first 30 % of the steps and falls to 0.07 in a straight line; decay 0.01 on all parameters, with 64 times the rate and a 64th of
the decay for the biases of batch norm; Lookahead every 2 steps, decay 0.95^5 (t / T)^3. Pictures, weights and
labels come from formulas and the small generator that the test has, too."""
import numpy
import torch
from torch import nn
from torch.nn import functional as F

torch.set_num_threads(1)
N, SIDE, STEPS, CLASSES = 12, 32, 10, 10
WIDTHS = (8, 16, 16)
out = []


def put(t):
    out.append(t.detach().double().numpy().astype("<f4").ravel().copy())


def generator(seed):
    state = seed
    while True:
        state = (state * 1664525 + 1013904223) % 2**32
        yield (state >> 8) / 2**24 - 0.5


noise = generator(5)


def fill(t, scale):
    with torch.no_grad():
        t.copy_(torch.tensor([next(noise) * scale for _ in range(t.numel())]).reshape(t.shape))


i, c, h, w = numpy.meshgrid(*(numpy.arange(n) for n in (N, 3, SIDE, SIDE)), indexing="ij")
x = numpy.sin(0.31 * h * (1 + 0.1 * i) + 0.5 * c) + 0.6 * numpy.cos(0.17 * w * (1 + c) + i) + 0.3 * numpy.sin(1.3 * (h + w) + c * i)
x = torch.tensor(x.astype(numpy.float32))
labels = torch.arange(N) * 7 % CLASSES

patches = x.double().unfold(2, 2, 1).unfold(3, 2, 1).permute(0, 2, 3, 1, 4, 5).reshape(-1, 12)
values, vectors = torch.linalg.eigh(patches.T @ patches / len(patches))
rows = (vectors / torch.sqrt(values + 5e-4)).T.flip(0)
rows = rows * torch.sign(rows.gather(1, rows.abs().argmax(1, keepdim=True)))
whitening = torch.cat([rows, -rows]).reshape(24, 3, 2, 2)
put(whitening)


class BatchNorm(nn.BatchNorm2d):
    def __init__(self, k):
        super().__init__(k, eps=1e-12, momentum=0.4)
        self.weight.requires_grad = False


class Scale(nn.Module):
    def forward(self, x):
        return x / 9


layers = [nn.Conv2d(3, 24, 2), nn.GELU()]
channels = 24
for k in WIDTHS:
    layers += [nn.Conv2d(channels, k, 3, padding=1, bias=False), nn.MaxPool2d(2), BatchNorm(k), nn.GELU(),
               nn.Conv2d(k, k, 3, padding=1, bias=False), BatchNorm(k), nn.GELU()]
    channels = k
head = nn.Linear(channels, CLASSES, bias=False)
net = nn.Sequential(*layers, nn.MaxPool2d(3), nn.Flatten(), head, Scale())
net[0].weight.requires_grad = False
with torch.no_grad():
    net[0].weight.copy_(whitening.float())
    net[0].bias.zero_()
for m in net[1:]:
    if isinstance(m, (nn.Conv2d, nn.Linear)):
        fill(m.weight, (24 / m.weight[0].numel()) ** 0.5)

RATE, DECAY = 0.5, 0.01
biases = [m.bias for m in net if isinstance(m, BatchNorm)]
others = [net[0].bias] + [m.weight for m in net[1:] if isinstance(m, (nn.Conv2d, nn.Linear))]
optimizer = torch.optim.SGD([dict(params=biases, lr=64 * RATE, weight_decay=DECAY / 64),
                             dict(params=others, lr=RATE, weight_decay=DECAY)], momentum=0.85, nesterov=True)


def factor(step):
    rise = int(STEPS * 0.3)
    if step < rise:
        return 0.2 + 0.8 * step / rise
    return 1 + (0.07 - 1) * (step - rise) / (STEPS - rise)


scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
slow = {k: v.clone() for k, v in net.state_dict().items()}


def lookahead(decay):
    for ours, theirs in zip(slow.values(), net.state_dict().values()):
        if theirs.is_floating_point():
            ours.lerp_(theirs, 1 - decay)
            theirs.copy_(ours)


net.train()
for step in range(STEPS):
    loss = F.cross_entropy(net(x), labels, label_smoothing=0.2)
    put(loss)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    scheduler.step()
    if (step + 1) % 2 == 0:
        lookahead(0.95**5 * ((step + 1) / STEPS) ** 3)
lookahead(1.0)
with torch.no_grad():
    put(net.eval()(x))
numpy.concatenate(out).tofile("tests/data/speedrun.bin")
print("eigenvalues", values.numpy())
print("losses", [float(v[0]) for v in out[1:1 + STEPS]])
