#!/bin/sh
# augment --preview: the sheet, what is said about it, and wrong use.
. "$(dirname "$0")/../cli_lib.sh"
begin "$@"
augment=$bin/augment
data=$work/shapes
"$bin/make-sample-dataset" --out "$data" >/dev/null || exit 1
# Forty pictures of each class: a fourth of the draws and of the time.
for class in "$data"/*/; do (cd "$class" && ls | tail -n +41 | xargs -r rm --); done

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

# JPEG by the file's end, a page, both, and rows by operation.
is_jpeg() { [ "$(head -c 2 "$1" | od -An -tx1 | tr -d ' ')" = ffd8 ]; }
run "$augment" --preview "$data" --out "$work/a.JPG" --html "$work/a.html"
expect_status 0
expect_no_err
expect_out "^page       $work/a.html"
is_jpeg "$work/a.JPG" || complain "no JPEG"
grep -q '</html>' "$work/a.html" || complain "no page"
! grep -qE 'https?://' "$work/a.html" || complain "the page points elsewhere"
mkdir "$work/empty" && cd "$work/empty" || exit 1
run "$augment" --preview "$data" --out "$work/b.html" --json --policy 'rotate=20 one_of(invert|blur=1)@0.5'
expect_json 'r["out"] is None and r["html"].endswith("b.html")'
run "$augment" --preview "$data" --html "$work/c.html"
[ -z "$(ls)" ] || complain "a sheet nobody asked for"
cd / || exit 1
run "$augment" --preview "$data" --by operation --json --out "$work/op.png" --policy 'rotate=20 one_of(invert|blur=1)@0.5'
expect_json 'r["by"] == "operation" and r["rows"] == 4'
run "$augment" --preview "$data" --out "$work/x.png" --policy 'shift=0.9 fill=constant' --json
expect_json 'r["inspected"]["destroyed_by"]["shift"] > 0'
run "$augment" --preview "$data" --by operations
expect_status 2
expect_err 'did you mean "operation"'

# The terminal: nothing in a pipe, whatever is asked; pictures on a terminal that can, none on a dumb one.
esc=$(printf '\033')
TERM=xterm-kitty COLORTERM=truecolor run "$augment" --preview "$data" --out "$work/x.png" --show always
expect_status 0
refuse_out "$esc"
refuse_out '▀'
if command -v script >/dev/null && script --version 2>/dev/null | grep -q util-linux; then
    in_terminal() # VARIABLE=VALUE... -- options
    {
        settings=
        while [ "$1" != -- ]; do settings="$settings $1"; shift; done
        shift
        run script -qec "env -u TMUX -u STY -u KITTY_WINDOW_ID -u TERM_PROGRAM -u COLORTERM $settings '$augment' --preview '$data' --variants 2 --out '$work/x.png' $*" /dev/null </dev/null
        expect_status 0
    }
    in_terminal TERM=xterm-256color COLORTERM=truecolor --
    expect_out '▀'
    expect_out "$esc\[38;2;"
    in_terminal TERM=xterm-256color COLORTERM=truecolor -- --show never
    refuse_out "$esc"
    in_terminal TERM=xterm-256color --
    refuse_out '▀'
    in_terminal TERM=xterm-256color -- --show always
    expect_out '▀'
    in_terminal TERM=dumb COLORTERM=truecolor KITTY_WINDOW_ID=1 -- --show always
    refuse_out "$esc"
    in_terminal TERM=xterm-kitty --
    expect_out "${esc}_Ga=T,f=100"
    in_terminal TERM=xterm-256color TERM_PROGRAM=iTerm.app --
    expect_out "$esc]1337;File=inline=1"
    in_terminal TERM=xterm-kitty TMUX=/tmp/x,1,0 COLORTERM=truecolor --
    refuse_out "${esc}_G"
    expect_out '▀'
fi

run "$augment" --operations
expect_status 0
expect_out '^| `rotate` | geometry |'
run "$augment" --operations --json
expect_json 'len(r["operations"]) >= 39'

cd "$work" || exit 1
run "$augment" --preview "$data"
expect_status 0
is_png preview.png || complain "no preview.png where it was called"

# --check: what a policy does, before anything is trained.
run "$augment" --check "$data" --policy 'shear=0.2'
expect_status 0
expect_out 'shear=0.2 changes nothing'
expect_out 'instead: it is in degrees; for radians write shear=11'
run "$augment" --check "$data" --policy 'shear=0.2' --json --fail-on warning
expect_status 3
expect_json 'r["warnings"] == 1 and r["findings"][0]["kind"] == "no-effect"'
run "$augment" --check "$data" --policy none --fail-on warning
expect_status 0
expect_out '0 warnings'
run "$augment" --check --preview "$data"
expect_status 2
run "$augment" --preview "$data" --fail-on warning
expect_status 2

run "$augment" "$data" --save-stats "$work/s.stats" --normalize robust --exact
expect_status 0
expect_out 'robust of [0-9]* training images'
run "$bin/train-pipeline" "$data" --out "$work/from" --epochs 1 --set "normalize_from=$work/s.stats"
expect_status 0
run "$augment" "$data" --save-stats "$work/s.stats" --json
expect_status 0
expect_json 'r["normalize"] == "zscore" and len(r["mean"]) == 3 and r["images"] > 100'
run "$augment" --preview "$data" --save-stats "$work/p.stats" --out "$work/p.png"
expect_status 0
cmp "$work/s.stats" "$work/p.stats" || exit 1
run "$augment" "$data" --save-stats "$work/s.stats" --out "$work/folder"
expect_status 2
run "$augment" --check "$data" --save-stats "$work/s.stats"
expect_status 2
run "$augment" "$data" --save-stats "$work/s.stats" --normalize unit
expect_status 1
expect_err 'no statistics to save'

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
