#!/usr/bin/env python3
"""Our loader and the customary Python loaders in turn on the same files and threads: one table of ratios.

    compare.py --bench BUILD/bench/load_bench --data DATA --peers PEERS --script load.py
               [--work rrc,keras,small] [--threads 1,2] [--rounds 3] [--seconds 8] [--batch 64] [--only NAME,NAME]

DATA holds the image folders that each work is measured on (--set WORK=FOLDER replaces one). PEERS holds one Python environment
for each family of peers (torch/, tf/, dali/, each with bin/python); --script is the program that drives a peer (`python load.py PEER
DIR --work W --threads N --batch B --seconds S`, one JSON line). A round measures everybody once, so that a busy moment of the machine
hits all alike; a figure is the median of the rounds. Prints JSON lines while it goes and a Markdown table at the end. A peer that cannot do a
work, or fails, is told on stderr and left out.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys

FOLDERS = {"rrc": "imagenet-sample", "keras": "caltech-photos", "small": "cifar10-jpg/train"}
# name: (environment, works)
PEERS = {
    "torchvision_dataloader": ("torch", ("rrc", "keras", "small")),
    "torchvision_v2": ("torch", ("rrc", "keras", "small")),
    "albumentations_cv2": ("torch", ("rrc", "keras", "small")),
    "albumentations_simplejpeg": ("torch", ("rrc", "keras", "small")),
    "opencv_by_hand": ("torch", ("rrc", "keras", "small")),
    "ffcv_jpg": ("torch", ("rrc", "small")),
    "ffcv_raw": ("torch", ("rrc", "small")),
    "dali_cpu": ("dali", ("rrc", "keras", "small")),
    "tf_data": ("tf", ("rrc", "keras", "small")),
    "keras_generator": ("tf", ("keras",)),
}
OURS = {"variegate": [], "variegate --cache ram": ["--cache", "ram"]}


def say(text):
    print(text, file=sys.stderr, flush=True)


def measured(command, limit):
    """The last JSON line that a command prints, or None."""
    environment = dict(os.environ, TF_CPP_MIN_LOG_LEVEL="3", OMP_WAIT_POLICY="passive")
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=limit, env=environment)
    except subprocess.TimeoutExpired:
        say(f"too slow, left out: {' '.join(command)}")
        return None
    for line in reversed(done.stdout.splitlines()):
        if line.startswith("{"):
            return json.loads(line)
    reason = done.stderr.strip().splitlines()[-1:] or [f"exit status {done.returncode}"]
    say(f"failed, left out: {' '.join(command)}: {reason[0][:200]}")
    return None


def contestants(a, work, folder, threads):
    common = ["--work", work, "--threads", str(threads), "--batch", str(a.batch), "--seconds", str(a.seconds)]
    for name, more in OURS.items():
        yield name, [a.bench, *common, *more, folder]
    for name, (environment, works) in PEERS.items():
        python = os.path.join(a.peers, environment, "bin", "python") if a.peers else ""
        if work not in works or (a.only and name not in a.only):
            continue
        if not os.path.exists(python):
            say(f"no {python or 'peers'}: {name} is left out")
            continue
        yield name, [python, a.script, name, folder, *common]


def compare(a, work, threads):
    folder = os.path.join(a.data, a.folders[work])
    if not os.path.isdir(folder):
        say(f"no {folder}: {work} is left out")
        return None
    commands = dict(contestants(a, work, folder, threads))
    rates = {name: [] for name in commands}
    for _ in range(a.rounds):
        for name, command in list(commands.items()):
            result = measured(command, 20 * a.seconds + 600)
            if result is None:
                del commands[name]
                continue
            rates[name].append(result["images_per_s"])
            print(json.dumps({**result, "peer": name}), flush=True)
    return {name: statistics.median(found) for name, found in rates.items() if len(found) == a.rounds}


def table(results):
    print("\n| work | threads | who | images/s | variegate is faster by | from cache by |")
    print("| --- | ---: | --- | ---: | ---: | ---: |")
    for (work, threads), medians in results.items():
        plain, cached = (medians.get(name) for name in OURS)
        for name, rate in sorted(medians.items(), key=lambda item: -item[1]):
            ratios = [f"{ours / rate:.2f}" if ours else "" for ours in (plain, cached)]
            if name in OURS:
                ratios = ["", ""]
            print(f"| {work} | {threads} | {name} | {rate:,.0f} | {ratios[0]} | {ratios[1]} |")
    print()
    for work in {work for work, _ in results}:
        counts = sorted(threads for w, threads in results if w == work)
        for name in OURS:
            one, most = (results[work, n].get(name) for n in (counts[0], counts[-1]))
            if len(counts) > 1 and one and most:
                print(f"{name}, {work}: {most / one:.2f} times as fast on {counts[-1]} threads as on {counts[0]}")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--bench", required=True)
    p.add_argument("--data", required=True)
    p.add_argument("--peers")
    p.add_argument("--script")
    p.add_argument("--work", default="rrc,keras,small")
    p.add_argument("--threads", default="1,2")
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--seconds", type=float, default=8)
    p.add_argument("--batch", type=int, default=64)
    p.add_argument("--only", type=lambda text: text.split(","))
    p.add_argument("--set", action="append", default=[], metavar="WORK=FOLDER")
    a = p.parse_args()
    if a.peers and not a.script:
        p.error("--peers needs --script")
    a.folders = {**FOLDERS, **dict(pair.split("=", 1) for pair in a.set)}
    unknown = [work for work in a.work.split(",") if work not in a.folders]
    if unknown:
        p.error(f"unknown work {unknown[0]!r}: rrc, keras, small")
    results = {}
    for work in a.work.split(","):
        for threads in map(int, a.threads.split(",")):
            medians = compare(a, work, threads)
            if medians:
                results[work, threads] = medians
    table(results)


if __name__ == "__main__":
    main()
