#!/usr/bin/env python3
"""The recipe of samples/speedrun.yaml in PyTorch on the CPU: from JPEG files on disk to an accuracy, for compare_accuracy.py.

    speedrun.py FOLDER [--epochs 7] [--seed 1] [--threads 2] [--train N] [--test N]

FOLDER has train/ and test/ with a folder of JPEG files for each class. Settings are those that made PyTorch fastest: channels_last, fused SGD,
denormals flushed; preload tcmalloc. Images are decoded into memory once. Needs torch, numpy and opencv.
Recipe: Jordan, "94% on CIFAR-10 in 3.29 seconds" (arXiv:2404.00498), and the same author's Muon in place of SGD with Lookahead. One JSON line for each epoch, one at the end; `seconds` counts from
the start of the process's work (after the imports) to the last accuracy, decoding included."""
import argparse
import json
import math
import os
import pathlib
import platform
import time

import cv2
import numpy
import torch
from torch import nn
from torch.nn import functional as F

BATCH, RATE, BIAS_RATE, HEAD_RATE, MOMENTUM, SHRINK = 500, 0.12, 72, 1.08, 0.6, 0.00648


def read(root, most):
    images, labels = [], []
    for k, folder in enumerate(sorted(p for p in root.iterdir() if p.is_dir())):
        paths = sorted(folder.glob("*.jpg"))
        for path in paths[:most // 10 if most else None]:
            images.append(cv2.imread(str(path), cv2.IMREAD_COLOR_RGB))
            labels.append(k)
    x = torch.from_numpy(numpy.stack(images)).permute(0, 3, 1, 2).float() / 255
    return x, torch.tensor(labels)


def conv(inputs, outputs):
    layer = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
    nn.init.dirac_(layer.weight.data[:inputs])
    return layer


def norm(channels):
    layer = nn.BatchNorm2d(channels, eps=1e-12, momentum=0.4)
    layer.weight.requires_grad = False
    return layer


class Scaled(nn.Linear):
    def forward(self, x):
        return super().forward(x) / 9


def make(pictures):
    first = nn.Conv2d(3, 24, 2)
    patches = pictures.unfold(2, 2, 1).unfold(3, 2, 1).permute(0, 2, 3, 1, 4, 5).reshape(-1, 12).double()
    values, vectors = torch.linalg.eigh(patches.T @ patches / len(patches))
    rows = (vectors / torch.sqrt(values + 5e-4)).T.flip(0).float().reshape(12, 3, 2, 2)
    first.weight.data = torch.cat([rows, -rows])
    first.weight.requires_grad = False
    first.bias.data.zero_()
    layers, channels = [first, nn.GELU()], 24
    for outputs in (64, 256, 256):
        layers += [conv(channels, outputs), nn.MaxPool2d(2), norm(outputs), nn.GELU(),
                   conv(outputs, outputs), norm(outputs), nn.GELU()]
        channels = outputs
    return nn.Sequential(*layers, nn.MaxPool2d(3), nn.Flatten(), Scaled(channels, 10, bias=False))


def crops(padded, size):
    """Shifted by up to two pixels, each picture by its own."""
    n = len(padded)
    at = torch.randint(5, (n, 2))
    rows = (at[:, :1] + torch.arange(size)).view(n, 1, size, 1)
    columns = (at[:, 1:] + torch.arange(size)).view(n, 1, 1, size)
    return padded[torch.arange(n).view(n, 1, 1, 1), torch.arange(3).view(1, 3, 1, 1), rows, columns]


def views(model, x):
    def mirrored(y):
        return 0.5 * model(y) + 0.5 * model(y.flip(3))
    padded = F.pad(x, (1, 1, 1, 1), "reflect")
    return 0.5 * mirrored(x) + 0.25 * mirrored(padded[:, :, :-2, :-2]) + 0.25 * mirrored(padded[:, :, 2:, 2:])


def orthogonal(g, steps=3):
    """Newton-Schulz: towards the nearest orthogonal matrix, with Jordan's coefficients."""
    x = g / (g.norm() + 1e-7)
    wide = x if len(x) <= x.shape[1] else x.T
    for _ in range(steps):
        a = wide @ wide.T
        wide = 3.4445 * wide + (2.0315 * a @ a - 4.7750 * a) @ wide
    return wide if len(x) <= x.shape[1] else wide.T


class Muon:
    """On weights of fixed norm; outputs x all else."""

    def __init__(self, weights):
        self.weights = [(w, torch.zeros_like(w)) for w in weights]

    @torch.no_grad()
    def step(self, rate):
        for w, sums in self.weights:
            sums.mul_(MOMENTUM).add_(w.grad)
            direction = orthogonal(w.grad.add(sums, alpha=MOMENTUM).reshape(len(w), -1))
            w.mul_(math.sqrt(len(w)) / w.norm()).sub_(rate * direction.view_as(w))


def accuracy(model, x, y, views_of):
    model.eval()
    with torch.inference_mode():
        right = sum((views_of(model, a.contiguous(memory_format=torch.channels_last)).argmax(1) == b).sum().item()
                    for a, b in zip(x.split(500), y.split(500)))
    return right / len(x)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("folder", type=pathlib.Path)
    p.add_argument("--epochs", type=int, default=7)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--batch", type=int, default=BATCH)
    p.add_argument("--train", type=int, help="only so many training images")
    p.add_argument("--test", type=int)
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    torch.set_flush_denormal(True)
    torch.manual_seed(a.seed)
    start = time.perf_counter()
    (x, y), (test_x, test_y) = read(a.folder / "train", a.train), read(a.folder / "test", a.test)
    mean, std = x.mean((0, 2, 3), keepdim=True), x.std((0, 2, 3), keepdim=True)
    x, test_x = (x - mean) / std, (test_x - mean) / std
    load_s = time.perf_counter() - start
    model = make(x[torch.randperm(len(x))[:5000]]).to(memory_format=torch.channels_last)
    biases = [v for v in model.parameters() if v.requires_grad and v.dim() == 1]
    head = [v for v in model.parameters() if v.dim() == 2]
    muon = Muon([v for v in model.parameters() if v.requires_grad and v.dim() == 4])
    optimizer = torch.optim.SGD([dict(params=biases, lr=BIAS_RATE), dict(params=head, lr=HEAD_RATE)], momentum=MOMENTUM,
                                nesterov=True, fused=True)
    each = len(x) // a.batch
    steps = each * a.epochs
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda s: 1 - s / steps)
    loss, step = nn.CrossEntropyLoss(label_smoothing=0.2), 0
    x = torch.where((torch.rand(len(x)) < 0.5)[:, None, None, None], x.flip(3), x)
    padded = F.pad(x, (2, 2, 2, 2), "reflect")
    common = dict(peer="pytorch", variant="tuned", net="speedrun", threads=a.threads, seed=a.seed)
    for epoch in range(a.epochs):
        model.train()
        model[0].bias.requires_grad = epoch < 3
        for pick in torch.randperm(len(x)).split(a.batch)[:each]:
            batch = crops(padded[pick], 32)
            batch = (batch.flip(3) if epoch % 2 else batch).contiguous(memory_format=torch.channels_last)
            loss(model(batch), y[pick]).backward()
            muon.step(RATE * (1 - step / steps))
            with torch.no_grad():
                for v in biases + head:
                    if v.grad is not None:  # the whitening layer's bias is frozen after three epochs
                        v.mul_(1 - SHRINK * (1 - step / steps))
            optimizer.step()
            schedule.step()
            model.zero_grad(set_to_none=True)
            step += 1
        print(json.dumps(dict(common, epoch=epoch + 1, seconds=round(time.perf_counter() - start, 2),
                              accuracy=accuracy(model, test_x[:2000], test_y[:2000], lambda m, v: m(v)))), flush=True)
    found = accuracy(model, test_x, test_y, views)
    print(json.dumps(dict(common, epochs=a.epochs, seconds=round(time.perf_counter() - start, 2), load_s=round(load_s, 2),
                          accuracy=found, versions={"torch": torch.__version__, "python": platform.python_version()},
                          preload=os.path.basename(os.environ.get("LD_PRELOAD", "")))), flush=True)


if __name__ == "__main__":
    main()
