#!/bin/sh
# augment --preview: the sheet, what is said about it, and wrong use.
. "$(dirname "$0")/../cli_lib.sh"
begin "$@"
augment=$bin/augment
data=$work/shapes
"$bin/make-sample-dataset" --out "$data" >/dev/null || exit 1

is_png() { [ "$(head -c 8 "$1" | od -An -tx1 | tr -d ' ')" = 89504e470d0a1a0a ]; }

run "$augment" --preview "$data" --out "$work/a.png"
expect_status 0
expect_no_err
expect_out "preview    $work/a.png"
expect_out 'use it     train-pipeline'
is_png "$work/a.png" || complain "no PNG"

# The same seed gives the same bytes, another seed others.
run "$augment" "$data" --seed 1 --out "$work/b.png" --preview
cmp -s "$work/a.png" "$work/b.png" || complain "the sheet is not the same the second time"
run "$augment" "$data" --seed 2 --out "$work/b.png" --preview
! cmp -s "$work/a.png" "$work/b.png" || complain "the seed changes nothing"

run "$augment" --preview "$data" --json --out "$work/c.png" --policy 'rotate=20 flip=h' --variants 3 --size 32x48 \
    --normalize unit
expect_status 0
expect_no_err
expect_json 'r["input"] == {"channels": 3, "height": 32, "width": 48} and r["variants"] == 3 and r["rows"] == 8'
expect_json 'r["policy"] == "rotate=20 flip=h" and r["normalize"] == "unit" and r["out"].endswith("c.png")'
expect_json 'r["inspected"]["draws"] > 0'

run "$augment" --preview "$data" --policy none --json --out "$work/d.png"
expect_json 'r["inspected"]["unchanged"] == r["inspected"]["draws"]'

run "$augment" --preview "$data" --policy 'crop=0.5:1 pad_crop=2 flip=alternating' --resize crop:0.875 --json --out "$work/e.png"
expect_status 0
expect_json 'r["policy"] == "crop=0.5:1 pad_crop=2 flip=alternating" and r["resize"] == "crop:0.875"'
run "$augment" --preview "$data" --resize pad --out "$work/e.png"
expect_out '--set input.resize=pad'
run "$augment" --preview "$data" --resize padd
expect_status 2
expect_err 'did you mean "pad"'

cd "$work" || exit 1
run "$augment" --preview "$data"
expect_status 0
is_png preview.png || complain "no preview.png where it was called"

run "$augment" "$data"
expect_status 2
expect_err '--preview'
expect_no_out
run "$augment" --preview
expect_status 2
expect_err 'DATASET'
run "$augment" --preview "$data" --policy 'rotat=20'
expect_status 2
expect_err 'rotate'
run "$augment" --preview "$data" --size 3
expect_status 2
run "$augment" --preview "$data" --size 32x
expect_status 2
run "$augment" --preview "$data" --variants 0
expect_status 2
run "$augment" --preview "$data" --normalize zscor
expect_status 2
expect_err 'zscore'
run "$augment" --preview "$work/nowhere"
expect_status 1
expect_err "$work/nowhere"
expect_no_out
run "$augment" --preview "$data" --out "$work/no/such/folder/x.png"
expect_status 1
expect_err 'no/such/folder'
run "$augment" --help
expect_status 0
expect_out '^usage: augment'
finish
