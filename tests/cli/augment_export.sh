#!/bin/sh
# augment DATASET --out FOLDER: the dataset that it writes, one that was cut off, and wrong use.
. "$(dirname "$0")/../cli_lib.sh"
begin "$@"
augment=$bin/augment
data=$work/shapes
"$bin/make-sample-dataset" --out "$data" >/dev/null || exit 1

run "$augment" "$data" --out "$work/a" --policy standard --copies 2 --size 24
expect_status 0
expect_no_err
expect_out '^written '
expect_out 'pictures   24x24x3, resize stretch, JPEG quality 95; not normalized; seed 1'
expect_out '^left out   4 samples'
[ -d "$work/a/train/circle" ] || complain "no folder of a class"
[ "$(wc -l <"$work/a/manifest.csv")" -gt 2000 ] || complain "no manifest of all pictures"

# Another tool of ours reads it, splits and all, with nothing broken.
run "$bin/balance-report" "$work/a" --json
expect_status 0
expect_json 'r["splits"] if "splits" in r else True'
run "$bin/train-pipeline" "$work/a" --set augment=none --epochs 1 --set input.size=12 --json --quiet --out "$work/run"
expect_status 0

# Balanced, only variants, PNG, told as JSON.
run "$augment" "$data" --out "$work/b" --policy 'rotate=20 blur=1@0.5' --balance --no-originals --format png --size 16 --json
expect_status 0
expect_no_err
expect_json 'r["training"] % 8 == 0 and r["balance"] and not r["originals"] and r["format"] == "png"'
expect_json 'r["policy"] == "rotate=20 blur=1@0.5" and r["pictures"] == {"channels": 3, "height": 16, "width": 16}'
expect_json 'r["unreadable"] == 4 and r["first_problem"] and r["found"] == 0'

# Nothing is written over: neither a complete export nor anything else.
run "$augment" "$data" --out "$work/a" --policy standard --copies 2 --size 24
expect_status 1
expect_err 'complete'
run "$augment" "$data" --out "$work/a" --policy heavy --copies 2 --size 24
expect_status 1
mkdir "$work/full" && echo mine >"$work/full/notes.txt"
run "$augment" "$data" --out "$work/full"
expect_status 1
expect_err "$work/full"
[ "$(cat "$work/full/notes.txt")" = mine ] || complain "a file of the user's is gone"
[ "$(ls "$work/full")" = notes.txt ] || complain "something was written beside it"

# Killed, and run again: the same files as without.
"$augment" "$data" --out "$work/c" --policy standard --copies 2 --size 24 --quiet >/dev/null 2>&1 &
pid=$!
tries=0
while [ "$(find "$work/c" -name '*.jpg' 2>/dev/null | head -50 | wc -l)" -lt 50 ] && [ $tries -lt 500 ]; do
    tries=$((tries + 1))
    sleep 0.01
done
kill -9 $pid 2>/dev/null
wait $pid 2>/dev/null
run "$augment" "$data" --out "$work/c" --policy standard --copies 2 --size 24
if grep -q complete "$work/stderr"; then
    : # it was quicker than the kill
else
    expect_status 0
    expect_out 'were there from before'
fi
diff -r "$work/a" "$work/c" >/dev/null || complain "an export that was cut off and completed differs"

run "$augment" "$data" --preview --copies 3
expect_status 2
expect_err 'copies'
run "$augment" "$data" --out "$work/x.png"
expect_status 2
expect_err 'needs --preview'
run "$augment" "$data" --out "$work/d" --format gif
expect_status 2
run "$augment" "$data" --out "$work/d" --format png --quality 80
expect_status 2
run "$augment" "$data" --out "$work/d" --copies -1
expect_status 2
run "$augment" "$work/nowhere" --out "$work/d"
expect_status 1
[ ! -e "$work/d" ] || complain "a folder was made for nothing"
finish
