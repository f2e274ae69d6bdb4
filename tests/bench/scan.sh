#!/bin/sh
# How much faster class folders are listed than by others, in turn on the same files.
#   scan.sh SCAN_BENCH FOLDER LABELS_PY [WAY...]
# LABELS_PY measures a peer with "count FOLDER --way WAY" and prints a line of JSON; $PYTHON runs it (python3).
# Ways: torchvision walk (the default), scandir, find, ... Prints all lines, then a table of ratios.
set -eu
bench=$1 folder=$2 labels=$3
shift 3
[ $# -gt 0 ] || set -- torchvision walk
lines=$(mktemp)
trap 'rm -f "$lines"' EXIT
for round in 1 2 3; do
    "$bench" -r 1 "$folder" >>"$lines"
    for way in "$@"; do
        "${PYTHON:-python3}" "$labels" count "$folder" --way "$way" >>"$lines" || echo "scan.sh: no $way" >&2
    done
done
cat "$lines"
python3 - "$lines" <<'END'
import json, statistics, sys
rows = {}
for line in open(sys.argv[1]):
    r = json.loads(line)
    key = (r["way"], r["jobs"] if r["way"] == "vg_dataset_open" else 1)
    rows.setdefault(key, []).append(r["s"])
median = {k: statistics.median(v) for k, v in rows.items()}
ours = sorted(k for k in median if k[0] == "vg_dataset_open")
print("| way | s | " + " | ".join(f"vg_dataset_open, {t} threads" if t > 1 else "vg_dataset_open" for _, t in ours) + " |")
print("| --- | --- |" + " --- |" * len(ours))
for k, s in median.items():
    print(f"| {k[0]}{', %d threads' % k[1] if k[1] > 1 else ''} | {s:.3f} | " + " | ".join(f"{s / median[o]:.2f}x" for o in ours) + " |")
END
