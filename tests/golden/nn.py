"""Writes tests/data/nn.bin: a small network and three steps of SGD and AdamW as PyTorch does them.

Needs torch and numpy. Run from the root of the repository: python tests/golden/nn.py
The file is little-endian float32, in this order (shapes as in tests/test_golden.c):
x, labels (as floats), all parameters in order, logits, loss, all gradients, dx, and then, for SGD
and for AdamW, all parameters after 3 steps, each with the running statistics of both batch norms."""
import copy
import numpy
import torch
from torch import nn

torch.manual_seed(1)
torch.set_num_threads(1)
N, CLASSES = 10, 4
net = nn.Sequential(
    nn.Conv2d(2, 5, 3, padding=1, bias=False), nn.BatchNorm2d(5), nn.ReLU(), nn.MaxPool2d(2),
    nn.Conv2d(5, 7, 3, stride=2, padding=0), nn.ReLU(), nn.AvgPool2d(2, stride=1),
    nn.Conv2d(7, 6, 1, bias=False), nn.BatchNorm2d(6), nn.Flatten(), nn.Linear(24, 9), nn.ReLU(),
    nn.Linear(9, CLASSES))
with torch.no_grad():
    for p in net.parameters():
        if p.dim() == 1:
            p += 0.2 * torch.randn_like(p)
x = torch.randn(N, 2, 15, 14, requires_grad=True)
labels = torch.randint(0, CLASSES, (N,))
weights = torch.tensor([1.0, 0.5, 2.0, 3.0])
out = []


def put(t):
    out.append(t.detach().numpy().astype("<f4").ravel().copy())


put(x), put(labels.float())
for p in net.parameters():
    put(p)
start = copy.deepcopy(net.state_dict())
logits = net(x)
assert logits.shape == (N, CLASSES)
loss = nn.functional.cross_entropy(logits, labels, weight=weights)
loss.backward()
put(logits), put(loss.reshape(1))
for p in net.parameters():
    put(p.grad)
put(x.grad)
for kind in ("sgd", "adamw"):
    net.load_state_dict(start)
    decayed = [p for p in net.parameters() if p.dim() > 1]
    others = [p for p in net.parameters() if p.dim() == 1]
    groups = [{"params": decayed, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}]
    if kind == "sgd":
        optimizer = torch.optim.SGD(groups, lr=0.05, momentum=0.9, nesterov=True)
    else:
        optimizer = torch.optim.AdamW(groups, lr=0.01)
    for step in range(3):
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(x.detach()), labels, weight=weights).backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
    for p in net.parameters():
        put(p)
    for m in net:
        if isinstance(m, nn.BatchNorm2d):
            put(m.running_mean), put(m.running_var)
numpy.concatenate(out).tofile("tests/data/nn.bin")
