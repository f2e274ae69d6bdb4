#!/usr/bin/env python3
"""From files on disk to an accuracy: our job files and the same recipes in PyTorch in turn, several seeds, medians.

    compare_accuracy.py --tool BUILD/train-pipeline --data DATA [--peers PEERS --scripts FOLDER] [--work fashion,cifar]
                        [--seeds 3] [--threads 2] [--preload libtcmalloc_minimal.so.4] [--set KEY=VALUE ...]

fashion  samples/fashion.yaml on DATA/fashion-mnist, to 91 %, and the same recipe in tuned PyTorch (fashion.py); beside them the customary
         small-cifar, ours (small_cifar.yaml) and PyTorch's (fit.py, which stops after the epoch that reached it)
cifar    samples/speedrun.yaml on DATA/cifar10-jpg, to 90 %; the peer is speedrun.py (the same recipe); and fit.py with ResNet-20 for one
         epoch, of which a training to 90 % needs many

Our time is that of the whole process: reading, training, measuring, the report. Peers' times are theirs from the first file to the last accuracy,
without starting Python. PEERS holds torch/bin/python, FOLDER holds fit.py. A disturbed machine is told (share that others used)."""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SAMPLES = os.path.join(HERE, "..", "..", "samples")
WORKS = {"fashion": ("fashion-mnist", "fashion.yaml", 0.91), "cifar": ("cifar10-jpg", "speedrun.yaml", 0.90)}


def say(text):
    print(text, file=sys.stderr, flush=True)


def busy():
    with open("/proc/stat") as f:
        v = [int(x) for x in f.readline().split()[1:9]]
    return (sum(v) - v[3] - v[4]) / os.sysconf("SC_CLK_TCK")


def timed(command, environment):
    """Wall seconds, what others used of the machine, and the last JSON object on stdout."""
    before, start, own = busy(), time.monotonic(), os.times()
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    wall, after, own2 = time.monotonic() - start, busy(), os.times()
    used = own2.children_user + own2.children_system - own.children_user - own.children_system
    others = max(0, after - before - used) / (wall * os.cpu_count())
    if done.returncode:
        say(f"failed: {' '.join(command)}: {(done.stderr.strip().splitlines() or ['?'])[-1][:300]}")
        return None
    try:
        row = json.loads(done.stdout)
    except ValueError:
        row = json.loads(done.stdout.strip().splitlines()[-1])
    return wall, others, row


def plain():
    return {k: v for k, v in os.environ.items() if not k.startswith(("OMP_", "GOMP_", "OPENBLAS_", "KMP_", "LD_PRELOAD"))}


def ours(a, work, seed, job=None):
    folder, sample, _ = WORKS[work]
    job = job or os.path.join(SAMPLES, sample)
    with tempfile.TemporaryDirectory() as out:
        command = [a.tool, os.path.join(a.data, folder), "--job", job, "--seed", str(seed), "--threads", str(a.threads),
                   "--json", "--quiet", "--out", out]
        for pair in a.set:
            command += ["--set", pair]
        found = timed(command, plain())
    return found and dict(seconds=found[0], others=found[1], accuracy=found[2]["diversity"]["accuracy"]
                          if "accuracy" in found[2].get("diversity", {}) else found[2]["accuracy"])


def peer(a, script, more, seed):
    environment = dict(plain(), LD_PRELOAD=a.preload, VG_DATA=a.data)
    found = timed([os.path.join(a.peers, "torch", "bin", "python"), script, *more, "--seed", str(seed), "--threads", str(a.threads)], environment)
    if not found:
        return None
    wall, others, row = found
    seconds = row["seconds"] + (row.get("load_s", 0) if "reached" in row else 0)  # fit.py counts epochs alone
    return dict(seconds=seconds, others=others, accuracy=row["accuracy"])


def contestants(a, work):
    yield "variegate", lambda seed: ours(a, work, seed)
    if not a.peers:
        return
    fit = os.path.join(a.scripts, "fit.py")
    if work == "fashion":
        yield "variegate, small-cifar", lambda seed: ours(a, work, seed, os.path.join(HERE, "small_cifar.yaml"))
        yield "PyTorch, the same recipe", lambda seed: peer(
            a, os.path.join(HERE, "fashion.py"), [os.path.join(a.data, "fashion-mnist")], seed)
        yield "PyTorch, small-cifar", lambda seed: peer(a, fit, ["--data", "fashion-mnist", "--target", "0.91"], seed)
    else:
        cifar = os.path.join(a.data, "cifar10-jpg")
        yield "PyTorch, the same recipe", lambda seed: peer(a, os.path.join(HERE, "speedrun.py"), [cifar], seed)
        yield "PyTorch, one epoch of ResNet-20", lambda seed: peer(
            a, fit, ["--data", "cifar10-jpg", "--net", "resnet20-cifar", "--batch", "128", "--augment", "--epochs", "1"], seed)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--tool", required=True)
    p.add_argument("--data", required=True)
    p.add_argument("--peers")
    p.add_argument("--scripts")
    p.add_argument("--work", type=lambda text: text.split(","), default=list(WORKS))
    p.add_argument("--seeds", type=int, default=3)
    p.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    p.add_argument("--preload", default="libtcmalloc_minimal.so.4")
    p.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="of our jobs")
    a = p.parse_args()
    if a.peers and not a.scripts:
        p.error("--peers needs --scripts")
    table = []
    for work in a.work:
        found = {}
        for seed in range(1, a.seeds + 1):
            for name, run in contestants(a, work):
                row = run(seed)
                if row:
                    print(json.dumps(dict(row, who=name, work=work, seed=seed)), flush=True)
                    found.setdefault(name, []).append(row)
        for name, rows in found.items():
            table.append((work, name, rows, found.get("variegate")))
    print("\n| work | who | seconds | accuracy | seeds that reached it | others used | variegate is faster by |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: |")
    for work, name, rows, mine in table:
        seconds, accuracy = (statistics.median(r[k] for r in rows) for k in ("seconds", "accuracy"))
        faster = f"{seconds / statistics.median(r['seconds'] for r in mine):.2f}" if mine and name != "variegate" else ""
        reached = sum(r["accuracy"] >= WORKS[work][2] for r in rows)
        print(f"| {work} | {name} | {seconds:.1f} | {accuracy:.4f} | {reached} of {len(rows)} | {max(r['others'] for r in rows):.0%} | {faster} |")


if __name__ == "__main__":
    main()
