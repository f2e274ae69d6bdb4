"""Writes tests/data/layers.bin: every layer in small nets, and ten steps of a ResNet-20, by PyTorch.

Needs torch and numpy. Run from the root of the repository: python tests/golden/layers.py
Little-endian float32. For each net of CASES, in the order of tests/test_layers.c: x, all parameters,
logits, all gradients for the gradient of the logits that is `ramp`, dx. Then the losses of ten steps
of ResNet-20. Inputs, weights and labels of that come from a small generator that the test has, too.
"""
import numpy
import torch
from torch import nn
from torch.nn import functional as F

torch.manual_seed(3)
torch.set_num_threads(1)
CLASSES = 3
out = []


def put(t):
    out.append(t.detach().numpy().astype("<f4").ravel().copy())


class Residual(nn.Module):
    """The block with a projection of the README of spec.h."""

    def __init__(self):
        super().__init__()
        self.a = nn.Conv2d(2, 4, 3, padding=1)
        self.b = nn.Conv2d(4, 6, 3, 2, 1, bias=False)
        self.n1 = nn.BatchNorm2d(6)
        self.c = nn.Conv2d(6, 6, 3, 1, 1, bias=False)
        self.n2 = nn.BatchNorm2d(6)
        self.p = nn.Conv2d(4, 6, 1, 2, bias=False)
        self.n3 = nn.BatchNorm2d(6)
        self.d = nn.Linear(6 * 9, CLASSES)

    def forward(self, x):
        x = F.relu(self.a(x))
        y = self.n2(self.c(F.relu(self.n1(self.b(x)))))
        return self.d(F.relu(self.n3(self.p(x)) + y).flatten(1))


class Dense(nn.Module):
    """Concatenation, with the input and with an output read three times."""

    def __init__(self):
        super().__init__()
        self.a = nn.Conv2d(2, 3, 3, padding=1)
        self.b = nn.Conv2d(3, 4, 3, padding=1)
        self.c = nn.Conv2d(7, 3, 1)
        self.d = nn.Linear(5 * 25, CLASSES)

    def forward(self, x):
        a = torch.sigmoid(self.a(x))
        b = F.relu(self.b(a))
        c = self.c(torch.cat([b, a], 1)) + a
        return self.d(torch.cat([c, x], 1).flatten(1))


class Transposed(nn.Module):
    """The max over the map."""

    def forward(self, x):
        return x.amax((2, 3))


def after(*layers, side=6, channels=4):
    """The layers behind a convolution, then the head."""
    body = nn.Sequential(nn.Conv2d(2, channels, 3, padding=1), *layers)
    with torch.no_grad():
        size = body.eval()(torch.zeros(1, 2, side, side)).numel()
    return nn.Sequential(*body, nn.Flatten(), nn.Linear(size, CLASSES))


class Scale(nn.Module):
    def forward(self, x):
        return 0.125 * x


class Cosine(nn.Module):
    """A head whose weights and features count by their direction alone."""

    def __init__(self, inputs):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(CLASSES, inputs))

    def forward(self, x):
        return 8 * F.linear(F.normalize(x), F.normalize(self.weight))


class Exp(nn.Module):
    def forward(self, x):
        return x.exp()


# side of the input (2 channels) and net
CASES = [
    (6, Residual()), (5, Dense()),
    (7, after(nn.Conv2d(4, 6, 3, dilation=2), side=7)),
    (7, after(nn.Conv2d(4, 6, 3, padding=2, dilation=2), side=7)),
    (7, after(nn.Conv2d(4, 6, 3, stride=2, padding=3, dilation=3), side=7)),
    (6, after(nn.Conv2d(4, 6, 3, padding=1, groups=2))),
    (6, after(nn.Conv2d(16, 24, 3, padding=1, groups=2), channels=16)),
    (6, after(nn.Conv2d(4, 4, 3, padding=1, groups=4))),
    (7, after(nn.Conv2d(4, 8, 3, stride=2, padding=2, groups=4, dilation=2, bias=False), side=7)),
    (7, after(nn.MaxPool2d(3, 2, 1), side=7)), (6, after(nn.AvgPool2d(3, 2, 1))),
    (6, after(nn.AdaptiveAvgPool2d(1))), (6, after(Transposed())),
    (6, after(nn.GroupNorm(2, 4), nn.ReLU())), (6, after(nn.LayerNorm((4, 6, 6), eps=1e-3))),
    (6, after(nn.BatchNorm2d(4, eps=1e-2))),
    (6, after(nn.LeakyReLU(0.2))), (6, after(nn.PReLU())), (6, after(nn.PReLU(4))),
    (6, after(nn.ELU(0.7))), (6, after(nn.SELU())), (6, after(nn.GELU())),
    (6, after(nn.GELU(approximate="tanh"))), (6, after(nn.SiLU())), (6, after(nn.Sigmoid())),
    (6, after(nn.Tanh())), (6, after(Exp())), (6, after(nn.Softmax(1))), (6, after(Scale())),
    (6, nn.Sequential(nn.Conv2d(2, 4, 3, padding=1), nn.Flatten(), Cosine(4 * 36))),
]
N = 5
for side, net in CASES:
    net.train()
    with torch.no_grad():
        for p in net.parameters():
            if p.dim() == 1 or p.dim() == 3:
                p += 0.2 * torch.randn_like(p)
    x = torch.randn(N, 2, side, side, requires_grad=True)
    logits = net(x)
    ramp = torch.linspace(-1, 1, N * CLASSES).reshape(N, CLASSES)
    logits.backward(ramp)
    put(x)
    for p in net.parameters():
        put(p)
    put(logits)
    for p in net.parameters():
        put(p.grad)
    put(x.grad)


def generator(seed):
    state = seed
    while True:
        state = (state * 1664525 + 1013904223) % 2**32
        yield (state >> 8) / 2**24 - 0.5


def block(c, k, stride):
    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv1 = nn.Conv2d(c, k, 3, stride, 1, bias=False)
            self.bn1 = nn.BatchNorm2d(k)
            self.conv2 = nn.Conv2d(k, k, 3, 1, 1, bias=False)
            self.bn2 = nn.BatchNorm2d(k)
            self.shortcut = nn.Identity() if stride == 1 else nn.Sequential(
                nn.Conv2d(c, k, 1, stride, bias=False), nn.BatchNorm2d(k))

        def forward(self, x):
            y = F.relu(self.bn1(self.conv1(x)))
            return F.relu(self.bn2(self.conv2(y)) + self.shortcut(x))
    return Block()


def resnet20():
    layers, c = [nn.Conv2d(3, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU()], 16
    for k in (16, 32, 64):
        for i in range(3):
            layers.append(block(c, k, 2 if i == 0 and k != 16 else 1))
            c = k
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


net, noise, BATCH = resnet20(), generator(1), 16
assert sum(p.numel() for p in net.parameters()) == 272474
with torch.no_grad():
    for p in net.parameters():
        if p.dim() > 1:
            values = [next(noise) for _ in range(p.numel())]
            scale = (24 / (p.numel() / p.shape[0])) ** 0.5
            p.copy_(torch.tensor(values, dtype=torch.float64).reshape(p.shape) * scale)
        elif "bias" in [n for n, q in net.named_parameters() if q is p][0]:
            p.zero_()
x = torch.tensor([2 * next(noise) for _ in range(BATCH * 3 * 1024)], dtype=torch.float64)
x = x.float().reshape(BATCH, 3, 32, 32)
labels = torch.arange(BATCH) * 7 % 10
# in double: float32 in any order of summation is off by more than 1e-4 after a few larger steps
net, x = net.double(), x.double()
optimizer = torch.optim.SGD(net.parameters(), lr=0.0005, momentum=0.9)
for step in range(10):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x), labels)
    loss.backward()
    optimizer.step()
    put(loss.reshape(1))
    print(step, loss.item())
numpy.concatenate(out).tofile("tests/data/layers.bin")
