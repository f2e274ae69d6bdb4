#!/bin/sh
# balance-report --label-errors: planted wrong labels are named in every form of the report; what cannot be judged says so.
. "$(dirname "$0")/../cli_lib.sh"
begin "$@"
report=$bin/balance-report
"$bin/make-sample-dataset" --out "$work/shapes" >/dev/null || exit 1

# Three classes of 100; of two some are called like the next one, and one class is too small to be judged.
for class in circle ring square; do
    mkdir -p "$work/three/$class"
    find "$work/shapes/$class" -name '*.*' | sort | head -100 | while read -r file; do
        cp "$file" "$work/three/$class/"
    done
done
mkdir -p "$work/three/few"
cp "$work"/shapes/star/star-001*.* "$work/three/few/"
move()
{
    for file in $(find "$work/three/$1" -name "$1-000[1-6]*" | sort); do
        mv "$file" "$work/three/$2/moved-$(basename "$file")"
    done
}
move circle ring
move square circle

run "$report" "$work/three" --label-errors --json --quiet --html "$work/page.html"
expect_status 0
expect_no_err
expect_json 'r["label_errors"]["judged"] + r["label_errors"]["unreadable"] == 300'
expect_json 'sum("moved" in l["path"] for l in r["label_errors"]["suspicious"]) >= 9'
expect_json 'all(l["label"] != l["suggested"] and 0.5 <= l["doubt"] <= 1 for l in r["label_errors"]["suspicious"])'
expect_json 'all(l["suggested"] == {"r": "circle", "c": "square"}[l["path"][0]] for l in r["label_errors"]["suspicious"][:8] if "moved" in l["path"])'
expect_json 'r["label_errors"]["wrong_low"] <= r["label_errors"]["wrong"] <= r["label_errors"]["wrong_high"]'
expect_json 'r["label_errors"]["kind"] in ("none", "scattered", "pairs", "mixed")'
expect_json 'r["label_errors"]["classes_left_out"] == ["few"] and r["label_errors"]["refusal"] is None'
grep -q 'Labels that may be wrong' "$work/page.html" || complain "the page has no such section"
grep -q 'looks like' "$work/page.html" || complain "the page shows no pictures of it"

run "$report" "$work/three" --label-errors --csv "$work/table.csv"
expect_status 0
head -1 "$work/table.csv" | grep -q label-error || complain "the table does not know of them"
expect_out '^doubtful '
expect_out 'look at [a-z]*/moved-'
expect_out 'not judged, too few images: "few"'

run "$report" "$work/three" --list label-error
expect_status 0
expect_out '^label-error	[a-z]*/moved-.*	looks like [a-z]*, [0-9]* %	[a-z]*	[a-z]*$'

# Too few images of all but one class.
mkdir -p "$work/none/a" "$work/none/b"
cp "$work"/shapes/circle/circle-001*.* "$work/none/a/"
cp "$work"/shapes/ring/ring-001*.* "$work/none/b/"
run "$report" "$work/none" --label-errors
expect_status 0
expect_out 'labels were not judged: .*0 of 2 classes'
run "$report" "$work/none" --label-errors --json
expect_json 'r["label_errors"]["wrong"] is None and "0 of 2 classes" in r["label_errors"]["refusal"]'
run "$report" "$work/none" --json
expect_json 'r["label_errors"] is None'

run "$report" "$work/none" --fail-on 'label-errors>0'
expect_status 2
run "$report" "$work/none" --label-errors --fail-on 'label-errors>0'
expect_status 0

run "$report" "$work/none" --label-errors --quick
expect_status 2
expect_err '--quick opens no picture'
finish
