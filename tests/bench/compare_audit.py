#!/usr/bin/env python3
"""balance-report and the customary Python auditors in turn on the same files and threads: rates, memory, copies found.

    compare_audit.py --tool BUILD/balance-report --data DATA [--bench BUILD/bench] [--planted DIR] [--threads 2] [--rounds 3]
                     [--python PEERS/bin/python --script audit.py] [--work photos,large,small,pairs,planted]

DATA holds caltech-photos, imagenet-sample and cifar10-jpg. --bench adds libjpeg-turbo alone (decode_bench). --script is the
program that drives the peers (`python audit.py full DIR --jobs N` runs cleanvision and imagededup over a folder, `hash` times
imagededup's pairs, `planted` judges a folder of planted duplicates; one JSON line each), --python an interpreter that has them.
--planted is a folder with images/ and truth.tsv (file, source, transform). Peers that take minutes run in the first round only.

Times of ours are of the whole process, start and printing of the report included; cpu_per_s is images for a second of processor
time of all threads together, which a busy machine disturbs least. Prints JSON lines while it goes and a table at the end.
"""
import argparse
import csv
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict

# work: (folder in DATA, goal: images a second over the peers', peak MiB)
FULL = {"photos": ("caltech-photos", 20, 100), "large": ("imagenet-sample", 12, None), "small": ("cifar10-jpg/test", 60, None)}
PAIRS = ("cifar10-jpg", 3.0)  # seconds
RECALL = {"crop90": 0.95, "crop80": 0.8}  # and 0.98 of all others
PRECISION = 0.99


def say(text):
    print(text, file=sys.stderr, flush=True)


def ours(tool, folder, threads):
    """The report of one run, with what it cost."""
    with tempfile.TemporaryFile() as out:
        started = time.perf_counter()
        child = subprocess.Popen([tool, folder, "--json", "--quiet", "--threads", str(threads)], stdout=out)
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - started
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            say(f"failed: {tool} {folder}: exit status {child.returncode}")
            return None
        out.seek(0)
        report = json.load(out)
    found, cpu = report["files"]["found"], usage.ru_utime + usage.ru_stime
    return report, {"who": "variegate", "n": found, "s": wall, "cpu_s": cpu, "per_s": found / wall, "cpu_per_s": found / cpu,
                    "peak_mib": usage.ru_maxrss / 1024, "copies_s": report["copies"]["seconds"]}


def peer(a, *words):
    if not a.python or not a.script:
        return None
    done = subprocess.run([a.python, a.script, *words, "--jobs", str(a.threads)], capture_output=True, text=True)
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if not lines:
        say(f"failed, left out: {' '.join(words)}: {done.stderr.strip().splitlines()[-1:]}")
        return None
    return json.loads(lines[-1])


def limit(a, folder):
    """libjpeg-turbo alone on one thread, images a second."""
    if not a.bench:
        return None
    done = subprocess.run([f"{a.bench}/decode_bench", "-r", "1", "-o", "whole", folder], capture_output=True, text=True)
    for line in done.stdout.splitlines():
        if line.startswith("{") and json.loads(line).get("operation") == "JPEG whole":
            return {"who": "libjpeg-turbo alone, one thread", "per_s": json.loads(line)["libjpeg_alone_images_per_s"]}
    return None


def score(report, truth):
    """The keys of audit.py's planted: recall of (original, changed copy), precision over all pairs within a group."""
    pairs = set()
    for group in report["copies"]["groups"]:
        names = [os.path.basename(m["path"]) for m in group["members"]]
        pairs |= {tuple(sorted(pair)) for pair in itertools.combinations(names, 2)}
    by_source, hit, of = defaultdict(dict), Counter(), Counter()
    for name, (source, transform) in truth.items():
        by_source[source][transform] = name
    for names in by_source.values():
        for transform, name in names.items():
            if transform != "original":
                of[transform] += 1
                hit[transform] += tuple(sorted((names["original"], name))) in pairs
    right = sum(truth[x][0] == truth[y][0] for x, y in pairs)
    sources = {tuple(sorted((truth[x][0], truth[y][0]))) for x, y in pairs if truth[x][0] != truth[y][0]}
    return {"recall": {t: round(hit[t] / of[t], 4) for t in of}, "pairs": len(pairs), "right": right,
            "precision": round(right / len(pairs), 4) if pairs else None,
            "wrong_source_pairs": len(sources), "wrong_examples": sorted(sources)[:40]}


def planted(a):
    with open(os.path.join(a.planted, "truth.tsv"), newline="") as file:
        truth = {r["file"]: (r["source"], r["transform"]) for r in csv.DictReader(file, delimiter="\t")}
    made = ours(a.tool, os.path.join(a.planted, "images"), a.threads)
    if not made:
        return
    row = {"tool": "planted-variegate", "threshold": None, "n": len(truth), "s": made[1]["s"], **score(made[0], truth)}
    print(json.dumps(row), flush=True)
    rows = [row] + [r for t in ("phash", "cleanvision") if (r := peer(a, "planted", a.planted, "--tool", t))]
    for r in rows[1:]:
        print(json.dumps(r), flush=True)
    names = list(row["recall"])
    print("\n| planted | " + " | ".join(names) + " | precision | pairs of sources that differ |")
    print("| --- |" + " ---: |" * (len(names) + 2))
    for r in rows:
        print(f"| {r['tool'].removeprefix('planted-')} | " + " | ".join(f"{r['recall'][t]:.3f}" for t in names) +
              f" | {r['precision']:.3f} | {r['wrong_source_pairs']} |")
    print("| goal | " + " | ".join(f"{RECALL.get(t, 0.98):.2f}" for t in names) + f" | {PRECISION} | look at them |")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--tool", required=True)
    p.add_argument("--data", required=True)
    p.add_argument("--bench")
    p.add_argument("--planted")
    p.add_argument("--python")
    p.add_argument("--script")
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--work", type=lambda text: text.split(","), default=["photos", "large", "small", "pairs", "planted"])
    a = p.parse_args()
    rows = defaultdict(list)
    for number in range(a.rounds):
        for work in a.work:
            if work == "planted":
                continue
            folder = os.path.join(a.data, PAIRS[0] if work == "pairs" else FULL[work][0])
            made = ours(a.tool, folder, a.threads)
            others = [made[1] if made else None]
            if work != "pairs":
                others.append(limit(a, folder))
            if number == 0:
                others.append(peer(a, "hash" if work == "pairs" else "full", folder))
            for row in filter(None, others):
                row.setdefault("who", row.get("tool", "peer"))
                rows[work, row["who"]].append(row)
                print(json.dumps({"of": work, **row}), flush=True)

    def median(work, who, key):
        values = [r[key] for r in rows.get((work, who), []) if r.get(key) is not None]
        return statistics.median(values) if values else None

    print("\n| work | who | images/s | of ours, processor time alone: images/s | ours is faster by | peak MiB | pairs, s |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: |")
    for work, who in rows:
        mine, rate = median(work, "variegate", "per_s"), median(work, who, "per_s")
        ratio = f"{mine / rate:.1f}" if mine and rate and who != "variegate" else ""
        if ratio and who == "full":
            ratio += f" (goal {FULL[work][1]})"
        peak = median(work, who, "peak_mib") or median(work, who, "peak_tree_pss_mib")
        pairs = median(work, who, "copies_s") or median(work, who, "find_s")
        cpu = median(work, who, "cpu_per_s")
        text = [f"{x:,.{d}f}" if x is not None else "" for x, d in ((rate, 0), (cpu, 0))]
        print(f"| {work} | {who} | {text[0]} | {text[1]} | {ratio} | {f'{peak:,.0f}' if peak else ''} | "
              f"{f'{pairs:.2f}' if pairs else ''} |")
    print(f"\ngoals: pairs among 60,000 in {PAIRS[1]} s, every candidate confirmed; photos within {FULL['photos'][2]} MiB")
    if "planted" in a.work and a.planted:
        planted(a)


if __name__ == "__main__":
    main()
