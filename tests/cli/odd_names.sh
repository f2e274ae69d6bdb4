#!/bin/sh
# Names that are no text, classes that are nearly one, and entries that are no files: what balance-report says of them.
. "$(dirname "$0")/../cli_lib.sh"
begin "$@"
report=$bin/balance-report
"$bin/make-sample-dataset" --out "$work/shapes" >/dev/null || exit 1
pictures=$(ls "$work"/shapes/circle/*.png | grep -v circle-0006 | head -8) # whole ones; paths without blanks
others=$(ls "$work"/shapes/square/*.png | head -8) # copies of the first with another label would come before everything
picture=${pictures%%
*}

data=$work/odd
escape=$(printf 'a\033[31mb')
bytes=$(printf 'caf\351')
for class in Cat cat 'cat ' big_cat 'big cat' "$escape" "$bytes"; do
    mkdir -p "$data/$class"
    cp "$picture" "$data/$class/$class.png"
done
printf 'no picture' >"$data/$bytes/broken$escape.png"
mkdir "$data/cat/.ipynb_checkpoints"
cp "$picture" "$data/cat/.ipynb_checkpoints/"
mkfifo "$data/cat/pipe.jpg"
ln -s nowhere "$data/cat/gone.jpg"
ln -s self.jpg "$data/cat/self.jpg"
ln -s ../cat "$data/cat/circle"

run "$report" "$data"
expect_status 0
expect_out '^caf\\xE9 '
expect_out '^a\\x1B\[31mb '
expect_out '"Cat" (1 image) and "cat" (3 images) are two classes whose names differ only in upper and'
expect_out '"big cat" (1 image) and "big_cat" (1 image) are two classes'
expect_out '1 hidden'
expect_out '1 no picture by name'
expect_out 'cat/circle/: a link in a circle'
refuse_out "$(printf '\033')"
refuse_out "$(printf '\351')"

run "$report" "$data" --json
expect_status 0
refuse_out "$(printf '\351')"
expect_json '"caf\\xE9" in [c["name"] for c in r["classes"]] and "a\x1b[31mb" in [c["name"] for c in r["classes"]]'
expect_json '[(a["classes"], a["differ_in"]) for a in r["names_alike"]] == [(["Cat", "cat"], "case"), (["Cat", "cat "], "signs"), (["big cat", "big_cat"], "signs")]'
expect_json '[(f["path"], f["reason"].split()[0]) for f in r["files"]["broken"]] == [("caf\\xE9/brokena\x1b[31mb.png", "content"), ("cat/gone.jpg", "No"), ("cat/self.jpg", "Too")]'
expect_json 'r["files"]["ignored"]["hidden"] == 1 and r["files"]["ignored"]["not_images"] == 1 and r["files"]["ignored"]["unreadable"] == 1'
expect_json 'any("cat/circle/: a link in a circle" in line for line in r["files"]["noticed"])'

run "$report" "$data" --list files
expect_out '^broken	caf\\xE9/brokena\\x1B\[31mb.png	'
[ "$(wc -l <"$work/stdout")" -eq 3 ] || complain "expected 3 files"

run "$report" "$data" --html "$work/page.html" --quiet
expect_status 0
grep -q 'caf\\xE9' "$work/page.html" || complain "the page does not show the bytes"
! grep -q "$(printf '\351')" "$work/page.html" || complain "the page is not UTF-8"

run "$report" "$data/$escape.nowhere"
expect_status 1
expect_err 'a\\x1B\[31mb.nowhere'

# Two names for one thing come first, once there is nothing broken.
two=$work/two
for class in Cat cat; do
    mkdir -p "$two/$class"
done
cp $pictures "$two/Cat/"
cp $others "$two/cat/"
printf 'path,label,split\n' >"$work/two.csv"
for class in Cat cat; do
    split=test
    for file in "$two/$class"/*; do
        printf '%s/%s/%s,%s,%s\n' "$two" "$class" "${file##*/}" "$class" "$split" >>"$work/two.csv"
        split=train
    done
done
run "$report" "$work/two.csv" --json
expect_status 0
expect_json 'r["kind"] == "manifest" and "differ only in upper and lower case" in r["do_first"]["finding"]'
printf '%s/Cat/%s,Cat,train\n' "$two" "${picture##*/}" >>"$work/two.csv"
run "$report" "$work/two.csv" --json
expect_status 1
expect_err 'is in train here and in test in line 2'

# Classes called by numbers are in the order of their letters, and that is said.
for class in 9 10; do
    mkdir -p "$work/numbers/$class"
    cp "$picture" "$work/numbers/$class/"
done
run "$report" "$work/numbers"
expect_out 'label 0 is "10", label 1 is "9"'
run "$report" "$work/numbers" --json
expect_json 'r["numbers_out_of_order"] and [c["name"] for c in r["classes"]] == ["10", "9"]'

# Too little to judge is not the same as nothing to repair.
mkdir -p "$work/few/a" "$work/few/b"
cp $pictures "$work/few/a/"
cp $others "$work/few/b/"
run "$report" "$work/few"
expect_out 'Too few images to tell'
refuse_out 'Nothing here needs repair'

if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null; then # root may read everything: be somebody else
    chmod 755 "$work" "$work/few" && chmod 000 "$work/few/b"
    if setpriv --reuid=65534 --regid=65534 --clear-groups test -x "$report"; then
        run setpriv --reuid=65534 --regid=65534 --clear-groups "$report" "$work/few" --json
        expect_status 0
        expect_json 'r["files"]["ignored"]["unreadable"] == 1 and r["files"]["ignored"]["empty_classes"] == 0'
        expect_json 'r["files"]["noticed"] == ["b/: Permission denied"]'
    fi
fi
finish
