"""Writes the training images of a folder of IDX files sorted by class, the test images as they are: sort_idx.py FROM TO"""
import gzip
import os
import shutil
import sys

source, target = sys.argv[1:]
os.makedirs(target, exist_ok=True)


def read(name):
    with gzip.open(os.path.join(source, name + ".gz")) as f:
        return f.read()


images, labels = read("train-images-idx3-ubyte"), read("train-labels-idx1-ubyte")
pixels = (len(images) - 16) // (len(labels) - 8)
order = sorted(range(len(labels) - 8), key=lambda i: labels[8 + i])
with open(os.path.join(target, "train-images-idx3-ubyte"), "wb") as f:
    f.write(images[:16] + b"".join(images[16 + i * pixels : 16 + (i + 1) * pixels] for i in order))
with open(os.path.join(target, "train-labels-idx1-ubyte"), "wb") as f:
    f.write(labels[:8] + bytes(labels[8 + i] for i in order))
for name in ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"):
    shutil.copy(os.path.join(source, name), target)
