#!/usr/bin/env python3
"""Wrong labels planted into Fashion-MNIST and found again, beside a small CNN in PyTorch with cleanlab on the same labels.

    label_errors.py --bench BUILD/bench/label_errors_bench --data FASHION_MNIST [--noise pair,similar] [--rates 0,0.05,0.1,0.2]
                    [--seeds 1] [--threads 2] [--peer PYTHON --script LABELS_PY]

The labels are drawn as labels.py draws them (numpy's default_rng(seed)), so that both sides see the same wrong ones:
symmetric (any other class), pair (the next class), similar (the class that it is mistaken for). Prints one line of JSON for
each case; a peer's line has "peer": true. Needs numpy."""
import argparse
import gzip
import json
import os
import subprocess
import sys
import tempfile

import numpy as np

SIMILAR = [6, 3, 4, 0, 2, 7, 0, 5, 0, 7]  # the class that a picture of class i is mistaken for


def plant(truth, noise, rate, seed):
    rng = np.random.default_rng(seed)
    wrong = np.zeros(len(truth), bool)
    wrong[rng.choice(len(truth), round(rate * len(truth)), replace=False)] = True
    labels = truth.astype(np.int64).copy()
    if noise == "symmetric":
        labels[wrong] = (labels[wrong] + rng.integers(1, 10, wrong.sum())) % 10
    elif noise == "pair":
        labels[wrong] = (labels[wrong] + 1) % 10
    else:
        labels[wrong] = np.array(SIMILAR)[labels[wrong]]
    return labels.astype(np.uint8)


def ours(args, folder, truth, noise, rate, seed):
    raw = gzip.open(os.path.join(args.data, "train-labels-idx1-ubyte.gz")).read()
    with open(os.path.join(folder, "train-labels-idx1-ubyte"), "wb") as f:
        f.write(raw[:8] + plant(truth, noise, rate, seed).tobytes())
    answer = subprocess.run([args.bench, folder, os.path.join(folder, "truth"), "--threads", str(args.threads)],
                            capture_output=True, text=True, check=True, env={**os.environ, "OMP_WAIT_POLICY": "passive"})
    return json.loads(answer.stdout)


def peer(args, noise, rate, seed):
    answer = subprocess.run([args.peer, args.script, "errors", args.data, "--noise", noise, "--rate", str(rate),
                             "--seed", str(seed), "--jobs", str(args.threads), "--epochs", "1"],
                            capture_output=True, text=True, check=True)
    return {"peer": True, **json.loads(answer.stdout.splitlines()[-1])}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", required=True)
    parser.add_argument("--data", required=True)
    parser.add_argument("--noise", default="symmetric,pair,similar")
    parser.add_argument("--rates", default="0.05,0.1,0.2")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--peer")
    parser.add_argument("--script")
    args = parser.parse_args()
    truth = np.frombuffer(gzip.open(os.path.join(args.data, "train-labels-idx1-ubyte.gz")).read(), np.uint8, offset=8)
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "train-images-idx3-ubyte"), "wb") as f:
            f.write(gzip.open(os.path.join(args.data, "train-images-idx3-ubyte.gz")).read())
        truth.tofile(os.path.join(folder, "truth"))
        for noise in args.noise.split(","):
            for rate in map(float, args.rates.split(",")):
                for seed in range(1, args.seeds + 1):
                    case = {"noise": noise, "rate": rate, "seed": seed}
                    print(json.dumps({**case, **ours(args, folder, truth, noise, rate, seed)}), flush=True)
                    if args.peer:
                        print(json.dumps({**case, **peer(args, noise, rate, seed)}), flush=True)


if __name__ == "__main__":
    sys.exit(main())
