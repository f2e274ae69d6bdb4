#!/bin/sh
# Planted faults, their healthy twin and two controls: what train-pipeline says about them. Prints a table, a line a training.
#   VG_DATA=FOLDER sh tests/collapse/run.sh BUILD [SEEDS [CASE...]]      e.g.  VG_DATA=data sh tests/collapse/run.sh build 3 F03 F16
# FOLDER holds fashion-mnist/ (four IDX files, .gz). Needs python3. About 3 s a training on two cores. Exit status 1 when a
# verdict is not the expected one. cases.txt says what every case changes in clean.yaml, and what is expected.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
bin=$(cd "${1:?usage: run.sh BUILD [SEEDS [CASE...]]}" && pwd)
seeds=${2:-3}
shift
[ $# -eq 0 ] || shift
wanted=" $* "
[ -d "${VG_DATA:-}/fashion-mnist" ] || {
    echo "run.sh: VG_DATA must name a folder with fashion-mnist/ in it" >&2
    exit 77
}
work=$(mktemp -d "${TMPDIR:-/tmp}/vg-collapse-XXXXXX")
trap 'rm -rf "$work"' EXIT

printf '%-5s %4s %-17s %-9s %8s %7s %7s %7s %7s %5s %7s  %s\n' \
    case seed verdict expected accuracy top D1 D2 missing D4 'least D5' flat
failed=0
while IFS='|' read -r name expected changes; do
    name=$(echo "$name" | tr -d ' ')
    case $name in '' | '#'*) continue ;; esac
    case $wanted in '  ' | *" $name "*) ;; *) continue ;; esac
    data=$VG_DATA/fashion-mnist
    case $changes in
        *@sorted*)
            data=$work/sorted
            changes=$(echo "$changes" | sed 's/@sorted//')
            [ -d "$data" ] || python3 "$here/sort_idx.py" "$VG_DATA/fashion-mnist" "$data"
            ;;
    esac
    for seed in $(seq 1 "$seeds"); do
        set --
        for change in $changes; do set -- "$@" --set "$change"; done
        "$bin/train-pipeline" "$data" --job "$here/clean.yaml" --set seed="$seed" "$@" \
            --out "$work/run" --json --quiet >"$work/report.json" 2>"$work/errors" </dev/null ||
            { cat "$work/errors" >&2; exit 1; }
        python3 - "$work/report.json" "$name" "$seed" "$(echo "$expected" | tr -d " ")" <<'PYTHON' || failed=1
import json, sys
r = json.load(open(sys.argv[1]))
name, seed, expected = sys.argv[2:]
d = r["diversity"]
healthy = r["verdict"] == "healthy"
bad = r["verdict"] in ("constant", "one-class", "partial", "diverse-but-wrong")
right = healthy if expected == "healthy" else bad
spread = [l["spread"] for l in d["layers"] if l["spread"] is not None]
number = lambda x, f: "-" if x is None else format(x, f)
print("%-5s %4s %-17s %-9s %8s %7s %7s %7s %7d %5s %7s  %s%s" % (
    name, seed, r["verdict"], expected, number(r["balanced_accuracy"], ".3f"), number(d["top_share"], ".2f"),
    number(d["input_information"], ".4f"), number(d["effective_classes"], ".2f"), len(d["missing_classes"]),
    number(d["label_information"], ".2f"), number(min(spread, default=None), ".4f"), d["collapsed_layer"] or "-",
    "" if right else "  <- NOT AS EXPECTED: " + r["verdict_reason"]))
sys.exit(not right)
PYTHON
    done
done <"$here/cases.txt"
exit $failed
