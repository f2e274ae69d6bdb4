#!/bin/sh
# balance-report --measure: findings become paired trainings; nothing is written, what cannot be felt is not trained.
. "$(dirname "$0")/../cli_lib.sh"
begin "$@"
report=$bin/balance-report
"$bin/make-sample-dataset" --out "$work/shapes" >/dev/null || exit 1

# Two classes, 4 : 1.
mkdir -p "$work/two/circle" "$work/two/heart"
cp "$work"/shapes/circle/circle-00[0-9]*.* "$work"/shapes/circle/circle-01*.* "$work/two/circle/"
cp "$work"/shapes/heart/*.* "$work/two/heart/"
find "$work/two" | sort >"$work/before"
run "$report" "$work/two" --measure=0.02 --json --quiet
expect_status 0
expect_no_err
expect_json '"imbalance" in {f["name"] for f in r["measured"]["findings"]}'
expect_json 'all(f["seeds"] >= 6 and f["word"] and f["repair"] and f["finding"] for f in r["measured"]["findings"])'
expect_json 'all(f["measures"]["balanced_accuracy"]["low"] <= f["measures"]["balanced_accuracy"]["high"] for f in r["measured"]["findings"])'
expect_json 'r["measured"]["epochs"] == 3 and r["measured"]["width"] == r["measured"]["height"] == 48'
find "$work/two" | sort | cmp -s - "$work/before" || complain "the dataset was changed"

# Balanced, without copies: nothing that a training could feel, and so no training.
mkdir -p "$work/even/circle" "$work/even/ring"
cp "$work"/shapes/circle/circle-00[0-5]*.* "$work/even/circle/"
cp "$work"/shapes/ring/ring-00[0-5]*.* "$work/even/ring/"
run "$report" "$work/even" --measure
expect_status 0
expect_out 'nothing to measure'

# Too few held-out images to measure anything on.
mkdir -p "$work/few/a" "$work/few/b"
cp "$work"/shapes/circle/circle-001*.* "$work/few/a/"
cp "$work"/shapes/ring/ring-000[1-4]*.* "$work/few/b/"
run "$report" "$work/few" --measure
expect_status 1
expect_err 'held-out images'

run "$report" "$work/even" --measure=never
expect_status 2
expect_err 'minutes above 0'
run "$report" "$work/even" --measure --quick
expect_status 2
finish
