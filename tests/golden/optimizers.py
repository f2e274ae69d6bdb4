"""Writes tests/data/optimizers.bin: six steps of each optimizer as PyTorch does them.

Needs torch >= 2.9 (torch.optim.Muon) and numpy. Run from the root of the repository:
python tests/golden/optimizers.py
The network is two dense layers without activation between them, 6 -> 10 -> 8, then the head 8 -> 9, on
a fixed batch of 24 (so that gradients have full rank: Muon lifts what is only rounding, too). Little-endian float32, in this order: x, labels, all
parameters before, and for each case below all parameters after six steps.

Muon is written here from its published definition (https://kellerjordan.github.io/posts/muon/ and
Jordan et al. 2024) in float32, as the original's bfloat16 cannot be compared with; the script
holds it against torch.optim.Muon (which is bfloat16 inside) to 5 %. Lookahead follows Zhang et al.
2019, with the ramp of the CIFAR-10 speedrun (arXiv:2404.00498) where `ramp` says so; ema is
torch.optim.swa_utils.AveragedModel with decay min(ema, (1 + t) / (10 + t))."""
import copy
import numpy
import torch
from torch import nn

torch.manual_seed(3)
torch.set_num_threads(1)
STEPS = 6
net = nn.Sequential(nn.Linear(6, 10), nn.Linear(10, 8), nn.Linear(8, 9))
x, labels = torch.randn(24, 6), torch.randint(0, 9, (24,))
start = copy.deepcopy(net.state_dict())
out = [x.numpy(), labels.float().numpy()] + [p.detach().numpy().copy() for p in net.parameters()]


def orthogonal(g, steps=5):
    a, b, c = 3.4445, -4.7750, 2.0315
    m = g.T if g.shape[0] > g.shape[1] else g
    m = m / (m.norm() + 1e-7)
    for _ in range(steps):
        gram = m @ m.T
        m = a * m + (b * gram + c * gram @ gram) @ m
    return m.T if g.shape[0] > g.shape[1] else m


class Muon:
    def __init__(self, params, lr, momentum=0.95, nesterov=True, weight_decay=0.0, scale="shape"):
        self.params, self.lr, self.momentum, self.nesterov = list(params), lr, momentum, nesterov
        self.decay, self.scale = weight_decay, scale
        self.buffers = [torch.zeros_like(p) for p in self.params]

    @torch.no_grad()
    def step(self):
        for p, m in zip(self.params, self.buffers):
            m.lerp_(p.grad, 1 - self.momentum)
            update = orthogonal(p.grad.lerp(m, self.momentum) if self.nesterov else m)
            rows, columns = p.shape
            factor = {"shape": max(1, rows / columns) ** 0.5,
                      "rms": 0.2 * max(rows, columns) ** 0.5, "sphere": 1}[self.scale]
            if self.scale == "sphere":
                p.mul_(rows ** 0.5 / p.norm())
            p.mul_(1 - self.lr * self.decay).add_(update, alpha=-self.lr * factor)


def groups(decay, everything=False, factors=None):
    result = []
    for name, p in net.named_parameters():
        rate = (factors or {}).get(name, 1)
        result.append({"params": [p], "lr": RATE * rate,
                       "weight_decay": decay if p.dim() > 1 or everything else 0.0})
    return result


def train(optimizers, l1=0.0, after=lambda step: None):
    net.load_state_dict(start)
    for step in range(1, STEPS + 1):
        net.zero_grad()
        loss = nn.functional.cross_entropy(net(x), labels)
        loss = loss + l1 * sum(p.abs().sum() for p in net.parameters() if p.dim() > 1)
        loss.backward()
        for o in optimizers:
            o.step()
        after(step)


def put():
    out.extend(p.detach().numpy().copy() for p in net.parameters())


RATE = 0.05
# 1: SGDW; 2: L1; 3: decay of everything, first weight frozen, a bias 8 times as fast
net.load_state_dict(start)
o = torch.optim.SGD(groups(0), momentum=0.9)
for step in range(STEPS):  # Loshchilov, Hutter, algorithm 1: w <- w - rate decay w - step
    net.zero_grad()
    nn.functional.cross_entropy(net(x), labels).backward()
    with torch.no_grad():
        for p in net.parameters():
            if p.dim() > 1:
                p.mul_(1 - RATE * 0.3)
    o.step()
put()
train([torch.optim.SGD(groups(0), momentum=0.9)], l1=0.02)
put()
train([torch.optim.SGD(groups(0.1, True, {"0.weight": 0, "1.bias": 8}), momentum=0.9, nesterov=True)])
put()
# 4 to 6: Muon on the first two weights, the rest by AdamW, or by Nesterov SGD with the scale sphere
hidden, rest = [net[0].weight, net[1].weight], [net[0].bias, net[1].bias]
RATE = 0.02
for scale in ("shape", "rms", "sphere"):
    net.load_state_dict(start)
    other = [{"params": [p], "weight_decay": 0.1 if p.dim() > 1 else 0.0}
             for p in net.parameters() if p is not hidden[0] and p is not hidden[1]]
    if scale == "sphere":
        others = torch.optim.SGD(other, lr=RATE * 0.5, momentum=0.95, nesterov=True)
        for g in others.param_groups:
            g["weight_decay"] = 0.0
        muon = Muon(hidden, RATE, scale=scale)
    else:
        others = torch.optim.AdamW(other, lr=RATE * 0.05)
        muon = Muon(hidden, RATE, weight_decay=0.1, scale=scale)
    train([muon, others])
    put()
    if scale != "sphere":
        mine = [p.detach().clone() for p in hidden]
        adjust = {"shape": "original", "rms": "match_rms_adamw"}[scale]
        torchs = torch.optim.Muon(hidden, lr=RATE, weight_decay=0.1, momentum=0.95, nesterov=True,
                                  adjust_lr_fn=adjust)
        train([torchs, torch.optim.AdamW(other, lr=RATE * 0.05)])
        for a, b, name in zip(mine, hidden, ("0.weight", "1.weight")):
            moved = (a - start[name]).norm()
            assert (a - b).norm() < 0.05 * moved, (scale, (a - b).norm() / moved)
# 7, 8: Lookahead every 2 steps, fixed and with the ramp; 9: ema. What is measured (slow, ema)
RATE = 0.05
for ramp in (0, 3):
    slow = {k: v.clone() for k, v in start.items()}

    def look(step):
        if step % 2:
            return
        part = 0.4 if ramp == 0 else 1 - 0.6 * (step / STEPS) ** ramp
        for name, p in net.named_parameters():
            slow[name].lerp_(p.detach(), part)
            p.data.copy_(slow[name])

    train([torch.optim.SGD(groups(0), momentum=0.9)], after=look)
    put()
net.load_state_dict(start)


def blend(average, current, count):
    return average.lerp(current, 1 - min(0.3, (1 + STEP[0]) / (10 + STEP[0])))


STEP = [0]
averaged = torch.optim.swa_utils.AveragedModel(net, avg_fn=blend)
averaged.n_averaged.fill_(1)  # it begins with the weights before the first step


def follow(step):
    STEP[0] = step
    averaged.update_parameters(net)


train([torch.optim.SGD(groups(0), momentum=0.9)], after=follow)
out.extend(p.detach().numpy().copy() for p in averaged.module.parameters())
numpy.concatenate([a.astype("<f4").ravel() for a in out]).tofile("tests/data/optimizers.bin")
