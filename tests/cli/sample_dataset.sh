#!/bin/sh
# make-sample-dataset: the same files every time, more with --scale without changing one, never into a full folder.
. "$(dirname "$0")/../cli_lib.sh"
begin "$@"
make=$bin/make-sample-dataset

run "$make" --out "$work/a"
expect_status 0
expect_no_err
expect_out '1270 pictures in 8 classes'
[ "$(find "$work/a/heart" -type f | wc -l)" -eq 40 ] || complain "expected 40 hearts"
[ "$(find "$work/a/circle" -type f | wc -l)" -eq 400 ] || complain "expected 400 circles"
run "$make" --out "$work/b" --json
expect_json 'r == {"classes": 8, "images": 1270, "seed": 1}'
diff -r "$work/a" "$work/b" >/dev/null || complain "two runs differ"
run "$make" --out "$work/c" --scale 2
[ "$(find "$work/c/heart" -type f | wc -l)" -eq 80 ] || complain "expected 80 hearts"
for file in "$work"/a/heart/*; do
    cmp -s "$file" "$work/c/heart/$(basename "$file")" || complain "--scale changes $file"
done
run "$make" --out "$work/d" --seed 2
! cmp -s "$work/a/ring/ring-0001.jpg" "$work/d/ring/ring-0001.jpg" || complain "the seed changes nothing"

run "$make" --out "$work/a"
expect_status 1
expect_err "$work/a: not empty"
run "$make"
expect_status 2
expect_err '--out'
run "$make" --out "$work/e" --scale 0
expect_status 2
finish
