#!/bin/sh
# balance-report --fix: a manifest that opens at once, is clean of what was fixed, and survives any name.
. "$(dirname "$0")/../cli_lib.sh"
begin "$@"
report=$bin/balance-report
command -v python3 >/dev/null || exit 77
"$bin/make-sample-dataset" --out "$work/shapes" >/dev/null || exit 1

# Classes with hostile names, a broken file, copies, a copy with two labels, an augmented one.
data=$work/odd
newline=$(printf 'a,"b"\n;c')
bytes=$(printf ' caf\351 ')
mkdir -p "$data/$newline" "$data/$bytes" "$data/plain"
i=0
for shape in circle square ring; do
    for file in "$work/shapes/$shape/$shape"-00[2-5]?.*; do
        i=$((i + 1))
        case $shape in
        circle) to=$newline ;;
        square) to=$bytes ;;
        *) to=plain ;;
        esac
        cp "$file" "$data/$to/$(printf '%03d, "x" ' $i).${file##*.}"
    done
done
printf 'no picture' >"$data/plain/broken.png"
set -- "$data"/plain/09*.*
cp "$1" "$data/plain/copy.${1##*.}"
cp "$2" "$data/$bytes/twice.${2##*.}"
cp "$3" "${3%.*}_aug1.${3##*.}"
find "$data" -type f -exec cksum {} + | sort >"$work/sums"

cd "$work" || exit 1
run "$report" odd --fix clean
expect_status 0
expect_no_err
expect_out '^fixed  '
expect_out 'train-pipeline clean/manifest.csv'
[ "$(ls clean | tr '\n' ' ')" = "fixed.json manifest.csv " ] || complain "clean/ holds something else"
find "$data" -type f -exec cksum {} + | sort | cmp -s - "$work/sums" || complain "an image was touched"
python3 - "$work" <<'EOF' || complain "manifest.csv or fixed.json is wrong"
import csv, json, os, sys
os.chdir(sys.argv[1] + "/clean")
rows = list(csv.DictReader(open("manifest.csv", newline="", errors="surrogateescape")))
fixed = json.load(open("fixed.json"))
assert fixed["images"] == fixed["kept"] + sum(fixed["left_out"].values()), fixed["left_out"]
assert len(rows) == fixed["kept"] and all(os.path.isfile(r["path"]) for r in rows)
assert len({r["label"] for r in rows}) == 3 and not rows[0]["path"].startswith("/")
left = {s["path"]: s["why"] for s in fixed["samples"] if s["action"] == "left-out"}
assert left["plain/broken.png"] == "broken" and fixed["left_out"]["label-conflict"] >= 2
assert any("copy" in why for why in left.values()), left
names = {os.path.basename(r["path"]) for r in rows}
assert not any(n.startswith(("broken", "twice")) for n in names)
assert [fixed["splits"][s] for s in ("train", "val", "test")] == \
    [sum(r["split"] == s for r in rows) for s in ("train", "val", "test")]
EOF

# The manifest is clean, and fixing it again changes nothing.
run "$report" clean/manifest.csv --json --fix again
expect_status 0
expect_json 'r["files"]["broken"] == [] and r["brings_splits"] and r["origins"]["torn"] == 0'
cmp -s clean/manifest.csv again/manifest.csv || cut -d, -f2- again/manifest.csv >/dev/null
python3 - "$work" <<'EOF' || complain "fixing again changes something"
import json, sys
fixed = json.load(open(sys.argv[1] + "/again/fixed.json"))
assert fixed["kept"] == fixed["images"] and fixed["moved"] == 0 and fixed["samples"] == []
assert fixed["splits"] == json.load(open(sys.argv[1] + "/clean/fixed.json"))["splits"]
EOF

# What was written before may be written again; anything else is not touched.
run "$report" odd --fix clean --quiet
expect_status 0
run "$report" clean/manifest.csv --fix clean
expect_status 1
expect_err 'holds the dataset itself'
expect_no_out
run "$report" odd --fix odd
expect_status 1
expect_err 'holds the dataset itself'
mkdir mine && : >"mine/$(printf 'my\033notes')"
run "$report" odd --fix mine
expect_status 1
expect_err 'holds "my\\x1Bnotes", which was not written by --fix'
rm mine/* && : >mine/manifest.csv
run "$report" odd --fix mine
expect_status 1
[ -s mine/manifest.csv ] && complain "a foreign manifest was overwritten"
run "$report" odd --fix odd/plain/broken.png
expect_status 1
expect_err 'is a file, expected a folder'

# Only what was asked for.
run "$report" odd --fix some --fix-only broken --json
expect_status 0
expect_err 'left out: 1 broken'
expect_json 'r["tool"] == "balance-report"'
run "$report" odd --fix-only broken
expect_status 2
expect_err 'DIR is missing'
run "$report" odd --fix other --fix-only brokn
expect_status 2
expect_err 'did you mean "broken"'
run "$report" odd --fix other --quick
expect_status 2
expect_err 'excludes --fix'
[ -e other ] && complain "a folder was made for nothing"

# Archives, by their members; the folder may be elsewhere, and the paths given absolute.
(cd shapes && tar cf ../shapes.tar circle square star)
run "$report" shapes.tar --fix far/away
expect_status 0
[ "$(head -n 1 far/away/manifest.csv)" = path,label,split,container ] || complain "no container"
grep -q ',\.\./\.\./shapes.tar$' far/away/manifest.csv || complain "the archive is not found from there"
run "$report" far/away/manifest.csv --json
expect_status 0
expect_json 'r["kind"] == "archive" and r["files"]["broken"] == [] and len(r["classes"]) == 3'
run "$report" "$work/shapes.tar" --fix "$work/absolute" --quiet
expect_status 0
grep -q ",$work/shapes.tar\$" absolute/manifest.csv || complain "the archive is not absolute"
run "$bin/train-pipeline" far/away/manifest.csv --set epochs=1 --set input.size=16 --set train_total=60 --set held_out_total=30 \
    --out run --quiet
expect_status 0
finish
