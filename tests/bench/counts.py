#!/usr/bin/env python3
"""How fast `balance-report --quick` counts the classes of a folder, beside others, in turn on the same files.

  counts.py BALANCE_REPORT FOLDER LABELS_PY [--way W ...] [--dents COUNT_DENTS] [--rounds N] [--threads N]

LABELS_PY measures a peer with "count FOLDER --way W" and prints a line of JSON (it leaves out the import of its libraries);
COUNT_DENTS FOLDER THREADS does the same with getdents64 alone, the least that any program can do. Ours is the
whole command, from its start to its end, report included. $PYTHON runs LABELS_PY (python3).
Every round runs all of them; printed are medians, what others used of the machine meanwhile, and ratios. Counts must
agree, or the script fails."""
import argparse
import json
import os
import statistics
import subprocess
import sys
import time


def busy():
    with open("/proc/stat") as f:
        v = [int(x) for x in f.readline().split()[1:9]]
    return (sum(v) - v[3] - v[4]) / os.sysconf("SC_CLK_TCK")


def ours(tool, folder, threads):
    start = time.perf_counter()
    out = subprocess.run([tool, folder, "--quick", "--json", "--quiet", "--threads", str(threads)],
                         capture_output=True, check=True).stdout
    seconds = time.perf_counter() - start
    counts = [c["count"] for c in json.loads(out)["classes"]]
    return {"way": f"balance-report --quick, {threads} threads", "n": sum(counts), "classes": len(counts),
            "least": min(counts), "most": max(counts), "s": seconds}


def line_of(command, way):
    r = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    return {**r, "way": way}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tool")
    parser.add_argument("folder")
    parser.add_argument("labels")
    parser.add_argument("--way", nargs="+", default=["torchvision", "walk", "scandir"])
    parser.add_argument("--dents")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    python = os.environ.get("PYTHON", "python3")
    rows, foreign = {}, {}
    for turn in range(-1, args.rounds):  # the first fills the system's caches
        work = [lambda t=t: ours(args.tool, args.folder, t) for t in sorted({1, args.threads})]
        work += [lambda w=w: line_of([python, args.labels, "count", args.folder, "--way", w], w) for w in args.way]
        if args.dents:
            work += [lambda t=t: line_of([args.dents, args.folder, str(t)], f"getdents64, {t} threads")
                     for t in sorted({1, args.threads})]
        for one in work:
            before, used, start = busy(), os.times(), time.perf_counter()
            r = one()
            wall, after = time.perf_counter() - start, os.times()
            own = sum(after[:4]) - sum(used[:4])
            if turn < 0:
                continue
            rows.setdefault(r["way"], []).append(r)
            foreign.setdefault(r["way"], []).append(max(0, busy() - before - own) / wall / os.cpu_count())
    seen = {(r[0]["n"], r[0]["classes"], r[0]["least"], r[0]["most"]) for way, r in rows.items() if way != "find"}
    if len(seen) != 1:
        sys.exit(f"counts.py: counts differ: {seen}")
    best = statistics.median(r["s"] for r in rows[f"balance-report --quick, {args.threads} threads"])
    print("files, classes, smallest, largest:", *seen)
    print("| way | median s | fastest s | times ours | others on the machine |\n| --- | ---: | ---: | ---: | ---: |")
    for way, r in rows.items():
        s = statistics.median(x["s"] for x in r)
        print(f"| {way} | {s:.3f} | {min(x['s'] for x in r):.3f} | {s / best:.2f} | "
              f"{100 * statistics.median(foreign[way]):.0f} % |")


if __name__ == "__main__":
    main()
