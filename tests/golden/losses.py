"""Writes tests/data/losses.bin: values and gradients of every loss as PyTorch computes them, in double.

Needs torch and numpy. Run from the root of the repository: python tests/golden/losses.py
Little-endian float64: logits z [7][5], labels, second labels, class weights, class counts, and then for
each line of CASES, in its order, without and with class weights: loss, gradient by z [7][5], the loss of
pairs of labels with share 0.7 and its gradient. "Probabilities" cases have the gradient by p, where p is
softmax(z) or sigmoid(z) rounded to float32.

What PyTorch has is taken from it (cross_entropy with its weight and label_smoothing,
binary_cross_entropy, mse_loss); focal, logit adjustment and LDAM are written from their papers' formulas;
a pair is share x the loss with one label + the rest x the loss with the other, over the sum of all
weights."""
import numpy
import torch
from torch.nn import functional as F

torch.manual_seed(11)
torch.set_default_dtype(torch.float64)
N, K, SHARE = 7, 5, 0.7
z0 = (2 * torch.randn(N, K)).float().double()
first, second = torch.randint(0, K, (N,)), torch.randint(0, K, (N,))
weights = torch.tensor([0.5, 2.0, 1.25, 0.75, 3.0])
counts = torch.tensor([1000.0, 200.0, 50.0, 10.0, 3.0])
margins = counts ** -0.25
margins = margins * 0.4 / margins.max()


def soft(y, e):
    return (1 - e) * F.one_hot(y, K) + e / K


def smooth_cross_entropy(z, y, w, e):
    """Each sample's part of the sum that cross_entropy(weight=w, label_smoothing=e) divides by sum w_y."""
    log_p = F.log_softmax(z, 1)
    w = torch.ones(K) if w is None else w
    own = -w[y] * log_p.gather(1, y[:, None])[:, 0]
    return (1 - e) * own + e / K * -(log_p * w).sum(1)


def weighed(row, y, w):
    return row * (1 if w is None else w[y])


def focal(z, y, w):
    log_p = F.log_softmax(z, 1).gather(1, y[:, None])[:, 0]
    return weighed(-(1 - log_p.exp()) ** 1.5 * log_p, y, w)


def sigmoid(z, y, w, e):
    return weighed(F.binary_cross_entropy_with_logits(z, soft(y, e), reduction="none").sum(1), y, w)


def sigmoid_focal(z, y, w):  # as torchvision.ops.sigmoid_focal_loss without alpha
    t, p = F.one_hot(y, K).double(), torch.sigmoid(z)
    rows = F.binary_cross_entropy_with_logits(z, t, reduction="none") * (1 - (p * t + (1 - p) * (1 - t))) ** 1.5
    return weighed(rows.sum(1), y, w)


def mse(p, y, w, e):
    return weighed(F.mse_loss(p, soft(y, e), reduction="none").sum(1), y, w)


CASES = [
    ("z", lambda z, y, w: smooth_cross_entropy(z, y, w, 0)),
    ("z", lambda z, y, w: smooth_cross_entropy(z, y, w, 0.2)),
    ("z", lambda z, y, w: sigmoid(z, y, w, 0)),
    ("z", lambda z, y, w: sigmoid(z, y, w, 0.2)),
    ("z", lambda z, y, w: mse(F.softmax(z, 1), y, w, 0)),
    ("z", lambda z, y, w: mse(F.softmax(z, 1), y, w, 0.2)),
    ("z", focal),
    ("z", sigmoid_focal),
    ("z", lambda z, y, w: smooth_cross_entropy(z + 1.5 * (counts / counts.sum()).log(), y, w, 0.1)),
    ("z", lambda z, y, w: smooth_cross_entropy(4 * (z / 4 - margins * F.one_hot(y, K)), y, w, 0)),
    ("softmax", lambda p, y, w: smooth_cross_entropy(p.log(), y, w, 0)),
    ("softmax", lambda p, y, w: focal(p.log(), y, w)),
    ("sigmoid", lambda p, y, w: weighed(F.binary_cross_entropy(p, soft(y, 0.2), reduction="none").sum(1), y, w)),
    ("sigmoid", lambda p, y, w: sigmoid_focal(p.logit(), y, w)),
    ("softmax", lambda p, y, w: mse(p, y, w, 0)),
]
out = [z0, first, second, weights, counts]
for form, loss in CASES:
    for w in (None, weights):
        x = {"z": z0, "softmax": F.softmax(z0, 1), "sigmoid": torch.sigmoid(z0)}[form]
        x = x.float().double().requires_grad_()
        every = torch.ones(K) if w is None else w
        value = loss(x, first, w).sum() / every[first].sum()
        out += [value.detach().reshape(1), torch.autograd.grad(value, x)[0]]
        total = (SHARE * every[first] + (1 - SHARE) * every[second]).sum()
        value = (SHARE * loss(x, first, w) + (1 - SHARE) * loss(x, second, w)).sum() / total
        out += [value.detach().reshape(1), torch.autograd.grad(value, x)[0]]
for w in (None, weights):  # the parts above against PyTorch's own reduction
    mine = smooth_cross_entropy(z0, first, w, 0.2).sum() / (torch.ones(K) if w is None else w)[first].sum()
    assert torch.allclose(mine, F.cross_entropy(z0, first, weight=w, label_smoothing=0.2))
numpy.concatenate([t.detach().numpy().astype("<f8").ravel() for t in out]).tofile("tests/data/losses.bin")
