#!/bin/sh
# augment --check: drawings on transparent ground, policies of classes, mixing, repeats, and wrong use; and that
# train-pipeline and balance-report say the same.
. "$(dirname "$0")/../cli_lib.sh"
begin "$@"
augment=$bin/augment

# Black drawings, a square and a disc, on nothing.
icons=$work/icons
mkdir -p "$icons/square" "$icons/disc"
square=iVBORw0KGgoAAAANSUhEUgAAAAwAAAAMCAYAAABWdVznAAAAG0lEQVR42mNgGHSAEY3/n5A6JlJtGA4aBiEAALh4AQwoOvj3AAAAAElFTkSuQmCC
disc=iVBORw0KGgoAAAANSUhEUgAAAAwAAAAMCAYAAABWdVznAAAAJElEQVR42mNgGHSAEYvYf3zqmIhQjCLORKqThoAGRhJCk0YAAIvlAw5Go85JAAAAAElFTkSuQmCC
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24; do
    echo "$square" | base64 -d >"$icons/square/$i.png"
    echo "$disc" | base64 -d >"$icons/disc/$i.png"
done
run "$augment" --check "$icons" --policy standard --fail-on warning
expect_status 3
expect_out '^warning    100 % of the images are one flat colour'
expect_out 'instead: --background white'
refuse_out 'saturation=0.2 changes'
run "$augment" --check "$icons" --policy standard --json
expect_json 'r["findings"][0]["kind"] == "flat" and r["findings"][0]["remedy"] == "--background white"'
expect_json 'r["images"] == 0 and r["warnings"] == 1'
run "$augment" --check "$icons" --policy rotate=10 --background white --json
expect_status 0
expect_json 'all(f["kind"] != "flat" for f in r["findings"]) and r["images"] > 20'
run "$augment" --check "$icons" --background whit
expect_status 2
expect_err 'did you mean "white"'
run "$augment" --preview "$icons" --policy rotate=10 --background '#ffeedd' --out "$work/a.png"
expect_status 0
expect_out "background '#ffeedd'"
run "$bin/balance-report" "$icons"
expect_out '^flat  *100 % of the images'
expect_out 'background white$'
run "$bin/balance-report" "$icons" --background white --json
expect_json 'r["files"]["flat"]["images"] == 0'

# What the report of a training says of it, before the first epoch and in the end.
run "$bin/train-pipeline" "$icons" --epochs 1 --set augment=rotate=10 --out "$work/run"
expect_status 0
expect_err 'one flat colour'
expect_out '^warning  *100 % of the images'
grep -q 'one flat colour' "$work/run/report.html" || complain "the page does not say it"
cp "$work/run/report.json" "$work/stdout"
expect_json 'r["policy_check"]["warnings"] == 1 and r["policy_check"]["findings"][0]["kind"] == "flat"'

# Policies of classes are checked as what they are.
data=$work/shapes
"$bin/make-sample-dataset" --out "$data" >/dev/null || exit 1
class=$(cd "$data" && find . -mindepth 1 -maxdepth 1 -type d | sed 's|./||' | sort | head -1)
run "$augment" --check "$data" --policy 'light' --policy-for "$class=blur=20:20@1"
expect_out "^blur=20:20 for $class"
expect_out "^policy for $class"
expect_out '^warning    blur=20:20 for '
run "$augment" --preview "$data" --policy light --policy-for "$class=flip=h" --policy-for 'rare=noise=5' \
    --html "$work/p.html"
expect_out "^class  *$class"
expect_out "augment_classes=$class=flip=h; rare=noise=5"
grep -q "augment_classes=$class=flip=h; rare=noise=5" "$work/p.html" || complain "the page leaves policies of classes out"
run "$augment" --preview "$data" --policy-for nothere=flip=h --out "$work/b.png"
expect_status 1
expect_err 'nothere'
run "$augment" --check "$data" --policy-for flip=h
expect_err 'flip'
[ "$status" -ne 0 ] || complain "a class that is not there"

# Few outcomes for many epochs.
run "$augment" --check "$data" --policy flip=h --epochs 100
expect_out 'in 2 different'
run "$augment" --check "$data" --policy flip=h --epochs 1
refuse_out 'different views'
run "$augment" --check "$data" --policy flip=h --epochs 0
expect_status 2

# Mixing.
run "$augment" --check "$data" --policy light --mixup 0.0001 --json
expect_json 'any(f["kind"] == "mixing" for f in r["findings"]) and r["mixed"] > 0'
run "$augment" --check "$data" --policy light --mixup 0.2 --mix-chance 0.5 --json
expect_json 'all(f["kind"] != "mixing" for f in r["findings"])'
run "$augment" --check "$data" --mixup 1000
expect_status 2
expect_err 'from 0 to 100'
run "$augment" --preview "$data" --cutmix 1 --out "$work/c.png"
expect_status 2
expect_err 'only with --check'
finish
