#!/usr/bin/env python3
"""Our loader and the customary Python loaders in turn on the same files and threads: one table of ratios, with the goals.

    compare.py --bench BUILD/bench --data DATA [--peers PEERS --script load.py] [--scan FOLDER] [--minutes 12]
               [--work rrc,keras,small] [--threads 1,2] [--rounds 3] [--seconds 3] [--batch 64] [--only NAME,NAME]

BUILD/bench holds load_bench, decode_bench and scan_bench. DATA holds the image folders that each work is measured on
(--set WORK=FOLDER replaces one). PEERS holds one Python environment for each family of peers (torch/, tf/, dali/, each with
bin/python); --script is the program that drives a peer (`python load.py PEER DIR --work W --threads N --batch B --seconds S`,
one JSON line). We are measured on every number of threads, peers on the largest. "libjpeg-turbo alone" decodes the same files,
or for rrc the same kind of parts of them, from memory on one thread and does nothing else: the decoder's limit.

--scan compares opening a folder of class folders with what --labels (`python labels.py count FOLDER --way WAY`; beside --script
if not named) does with it; a FOLDER that is not there is made, with a million empty files.

A round measures everybody once, so that a busy moment of the machine hits all alike; a figure is the median of the rounds. The
first round is always finished; further ones, up to --rounds, begin and go on only while the whole stays within --minutes. Prints
JSON lines while it goes, and Markdown tables at the end. A peer that cannot do a work, or fails, is told on stderr and left out.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import time

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
US, CACHED, LIMIT = "variegate", "variegate --cache ram", "libjpeg-turbo alone"
OURS = {US: [], CACHED: ["--cache", "ram"]}
DECODED = {"rrc": ("part", "JPEG part"), "keras": ("whole", "JPEG whole"), "small": ("whole", "JPEG whole")}
# work: (who, than whom, least ratio)
GOALS = {
    "rrc": ((US, "ffcv_jpg", 1.6), (US, "ffcv_raw", 1.6), (US, "tf_data", 1.6), (US, "torchvision_dataloader", 3.5), (CACHED, US, 5)),
    "keras": ((US, "opencv_by_hand", 2.2), (US, "keras_generator", 7), (CACHED, US, 5)),
    "small": ((US, "dali_cpu", 3), (CACHED, "ffcv_raw", 1.5)),
}
SHARE_OF_LIMIT, SCALING = {"rrc": 0.75}, 1.9  # on one thread; from one thread to two
SCAN, SCAN_GOALS = "vg_dataset_open", {"torchvision": 10, "walk": 2}


def say(text):
    print(text, file=sys.stderr, flush=True)


def measured(command, limit, wanted=lambda row: True, environment=None):
    """The last JSON line that a command prints and that is wanted, or None."""
    environment = environment or dict(os.environ, TF_CPP_MIN_LOG_LEVEL="3", OMP_WAIT_POLICY="passive")
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=limit, env=environment)
    except subprocess.TimeoutExpired:
        say(f"too slow, left out: {' '.join(command)}")
        return None
    for line in reversed(done.stdout.splitlines()):
        if line.startswith("{") and wanted(json.loads(line)):
            return json.loads(line)
    reason = done.stderr.strip().splitlines()[-1:] or [f"exit status {done.returncode}"]
    say(f"failed, left out: {' '.join(command)}: {reason[0][:200]}")
    return None


class Contestant:
    """A command whose runs give figures, and how long one takes."""

    def __init__(self, where, name, command, wanted=lambda row: True, figure="images_per_s", environment=None):
        self.where, self.name, self.command, self.wanted, self.figure = where, name, command, wanted, figure
        self.rows, self.takes, self.environment = [], 0, environment

    def run(self, limit):
        started = time.monotonic()
        row = measured(self.command, limit, self.wanted, self.environment)
        self.takes = max(self.takes, time.monotonic() - started)
        if row is None:
            return False
        self.rows.append(row)
        print(json.dumps({**row, "who": self.name, "of": self.where}), flush=True)
        return True

    def median(self, figure=None):
        return statistics.median(row[figure or self.figure] for row in self.rows)


def in_turn(contestants, rounds, minutes, limit):
    """Runs everybody once a round; the first round is finished whatever it takes. Returns those who did not fail."""
    started, here = time.monotonic(), list(contestants)
    for number in range(rounds):
        for c in list(here):
            left = 60 * minutes - (time.monotonic() - started)
            if number and c.takes > left:
                continue
            if not c.run(limit):
                here.remove(c)
    say(f"{(time.monotonic() - started) / 60:.1f} minutes, {min((len(c.rows) for c in here), default=0)} to "
        f"{max((len(c.rows) for c in here), default=0)} rounds")
    return here


def loaders(a, work):
    folder = os.path.join(a.data, a.folders[work])
    if not os.path.isdir(folder):
        say(f"no {folder}: {work} is left out")
        return
    common = ["--work", work, "--batch", str(a.batch), "--seconds", str(a.seconds)]
    for threads in a.threads:
        for name, more in OURS.items():
            yield Contestant((work, threads), name,
                             [f"{a.bench}/load_bench", *common, "--threads", str(threads), *more, folder])
    part, row = DECODED[work]
    yield Contestant((work, 1), LIMIT, [f"{a.bench}/decode_bench", "-r", "1", "-o", part, folder],
                     lambda found: found.get("operation") == row, "libjpeg_alone_images_per_s")
    for name, (environment, works) in PEERS.items():
        python = os.path.join(a.peers, environment, "bin", "python") if a.peers else ""
        if work not in works or (a.only and name not in a.only):
            continue
        if not os.path.exists(python):
            say(f"no {python or 'peers'}: {name} is left out")
            continue
        threads = max(a.threads)
        yield Contestant((work, threads), name, [python, a.script, name, folder, *common, "--threads", str(threads)])


def scanners(a):
    bench = f"{a.bench}/scan_bench"
    if not os.path.isdir(a.scan):
        say(f"making {a.scan} with a million files")
        if subprocess.run([bench, "-m", "1000,1000000", a.scan]).returncode:
            say("the scan is left out")
            return
    for threads in a.threads:
        yield Contestant(("scan", threads), SCAN, [bench, "-r", "1", "-t", str(threads), a.scan],
                         lambda row, t=threads: row["way"] == SCAN and row["jobs"] == t, "s")
    python = os.path.join(a.peers, "torch", "bin", "python") if a.peers else ""
    for way in SCAN_GOALS if os.path.exists(python) and os.path.exists(a.labels) else ():
        yield Contestant(("scan", 1), way, [python, a.labels, "count", a.scan, "--way", way], figure="s")


def compare(a):
    """Medians by work and threads, then by name."""
    everybody = [c for work in a.work for c in loaders(a, work)] + (list(scanners(a)) if a.scan else [])
    results = {}
    for c in in_turn(everybody, a.rounds, a.minutes, 20 * a.seconds + 600):
        results.setdefault(c.where, {})[c.name] = c.median()
    return results


def goal_of(work, who, than):
    return next((least for a, b, least in GOALS.get(work, ()) if (a, b) == (who, than)), None)


def ratio_text(work, who, name, medians):
    if not medians.get(who) or who == name:
        return ""
    ratio, goal = medians[who] / medians[name], goal_of(work, who, name)
    return f"{ratio:.2f}" + (f" (goal {goal:g})" if goal else "")


def table(results):
    print("\n| work | threads | who | images/s | us an image and thread | variegate is faster by | from cache by |")
    print("| --- | ---: | --- | ---: | ---: | ---: | ---: |")
    for (work, threads), medians in results.items():
        for name, rate in sorted(medians.items(), key=lambda item: -item[1]):
            if work == "scan":
                continue
            ratios = [ratio_text(work, US, name, medians), ratio_text(work, CACHED, name, medians) if name != LIMIT else ""]
            print(f"| {work} | {threads} | {name} | {rate:,.0f} | {1e6 * threads / rate:,.1f} | {ratios[0]} | {ratios[1]} |")


def scan_table(results):
    seconds = {(name, threads): s for (work, threads), found in results.items() if work == "scan" for name, s in found.items()}
    ours = {threads: s for (name, threads), s in seconds.items() if name == SCAN}
    if not ours:
        return
    print("\n| scan | threads | s | " + " | ".join(f"variegate with {t} is faster by" for t in ours) + " |")
    print("| --- | ---: | ---: |" + " ---: |" * len(ours))
    for (name, threads), s in sorted(seconds.items(), key=lambda item: item[1]):
        goal = f" (goal {SCAN_GOALS[name]})" if name in SCAN_GOALS else ""
        print(f"| {name} | {threads} | {s:.3f} | " + " | ".join(f"{s / t:.1f}{goal}" for t in ours.values()) + " |")


def scaling(a, results):
    print()
    for work in a.work:
        counts = sorted(threads for w, threads in results if w == work)
        first = results.get((work, 1), {})
        if first.get(US) and first.get(LIMIT):
            goal = f" (goal {SHARE_OF_LIMIT[work]:.0%})" if work in SHARE_OF_LIMIT else ""
            print(f"{work}: {first[US] / first[LIMIT]:.0%} of the decoder's limit on one thread{goal}")
        for name in OURS:
            one, most = (results.get((work, n), {}).get(name) for n in (counts[0], counts[-1])) if counts else (None, None)
            if len(counts) > 1 and one and most:
                goal = f" (goal {SCALING})" if name == US and (counts[0], counts[-1]) == (1, 2) else ""
                print(f"{name}, {work}: {most / one:.2f} times as fast on {counts[-1]} threads as on {counts[0]}{goal}")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--bench", required=True)
    p.add_argument("--data", required=True)
    p.add_argument("--peers")
    p.add_argument("--script")
    p.add_argument("--scan", metavar="FOLDER")
    p.add_argument("--labels")
    p.add_argument("--work", type=lambda text: text.split(","), default=["rrc", "keras", "small"])
    p.add_argument("--threads", type=lambda text: [int(n) for n in text.split(",")], default=[1, 2])
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--minutes", type=float, default=12)
    p.add_argument("--seconds", type=float, default=3)
    p.add_argument("--batch", type=int, default=64)
    p.add_argument("--only", type=lambda text: text.split(","))
    p.add_argument("--set", action="append", default=[], metavar="WORK=FOLDER")
    a = p.parse_args()
    if a.peers and not a.script:
        p.error("--peers needs --script")
    if not os.path.exists(f"{a.bench}/load_bench"):
        p.error(f"no load_bench in {a.bench}: build with -DVG_BENCH=ON")
    a.labels = a.labels or os.path.join(os.path.dirname(a.script or ""), "labels.py")
    a.folders = {**FOLDERS, **dict(pair.split("=", 1) for pair in a.set)}
    unknown = [work for work in a.work if work not in a.folders]
    if unknown:
        p.error(f"unknown work {unknown[0]!r}: rrc, keras, small")
    results = compare(a)
    table(results)
    scan_table(results)
    scaling(a, results)


if __name__ == "__main__":
    main()
