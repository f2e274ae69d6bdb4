#!/usr/bin/env python3
"""The recipe of samples/fashion.yaml in PyTorch on the CPU: from the IDX files on disk to an accuracy, for compare_accuracy.py.

    fashion.py FOLDER [--epochs 2] [--seed 1] [--threads 2]

Settings are those that made PyTorch fastest: channels_last, fused AdamW, denormals flushed; preload tcmalloc. Needs torch and numpy.
`seconds` counts from the start of the process's work (after the imports) to the last accuracy, reading included."""
import argparse
import gzip
import json
import os
import pathlib
import platform
import time

import numpy
import torch
from torch import nn

BATCH, RATE, DECAY = 128, 0.004, 0.01


def read(path):
    raw = gzip.open(path, "rb").read()
    shape = numpy.frombuffer(raw, ">i4", raw[3], 4)
    return torch.from_numpy(numpy.frombuffer(raw, numpy.uint8, offset=4 + 4 * raw[3]).reshape(shape).copy())


def part(folder, stem):
    return (read(folder / f"{stem}-images-idx3-ubyte.gz")[:, None].float() / 255, read(folder / f"{stem}-labels-idx1-ubyte.gz").long())


def block(inputs, outputs):
    return [nn.Conv2d(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU(), nn.MaxPool2d(2)]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("folder", type=pathlib.Path)
    p.add_argument("--epochs", type=int, default=2)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--threads", type=int, default=2)
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    torch.set_flush_denormal(True)
    torch.manual_seed(a.seed)
    start = time.perf_counter()
    (x, y), (test_x, test_y) = part(a.folder, "train"), part(a.folder, "t10k")
    mean, std = x.mean(), x.std()
    x, test_x = (x - mean) / std, (test_x - mean) / std
    load_s = time.perf_counter() - start
    model = nn.Sequential(*block(1, 24), *block(24, 48), nn.Flatten(), nn.Linear(48 * 49, 96), nn.BatchNorm1d(96), nn.ReLU(), nn.Linear(96, 10))
    for layer in model:
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)
    model = model.to(memory_format=torch.channels_last)
    weights = [v for v in model.parameters() if v.dim() > 1]
    others = [v for v in model.parameters() if v.dim() == 1]
    optimizer = torch.optim.AdamW([dict(params=weights, weight_decay=DECAY), dict(params=others, weight_decay=0)], lr=RATE, fused=True)
    steps = a.epochs * (len(x) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps + 1, cycle_momentum=False, final_div_factor=4)
    loss = nn.CrossEntropyLoss(label_smoothing=0.05)
    for _ in range(a.epochs):
        for pick in torch.randperm(len(x)).split(BATCH)[:len(x) // BATCH]:
            optimizer.zero_grad(set_to_none=True)
            loss(model(x[pick].contiguous(memory_format=torch.channels_last)), y[pick]).backward()
            optimizer.step()
            schedule.step()
    model.eval()
    with torch.inference_mode():
        right = sum((model(u).argmax(1) == v).sum().item() for u, v in zip(test_x.split(500), test_y.split(500)))
    print(json.dumps(dict(peer="pytorch", variant="tuned", net="fashion", threads=a.threads, seed=a.seed, epochs=a.epochs,
                          seconds=round(time.perf_counter() - start, 2), load_s=round(load_s, 2), accuracy=right / len(test_x),
                          versions={"torch": torch.__version__, "python": platform.python_version()},
                          preload=os.path.basename(os.environ.get("LD_PRELOAD", "")))), flush=True)


if __name__ == "__main__":
    main()
