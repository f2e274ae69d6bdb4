#!/bin/sh
# train-pipeline as a user meets it: exit statuses, what goes to stdout and what to stderr, the run folder, a rerun.
#   sh tests/cli/train_pipeline.sh BUILD_FOLDER
set -u
build=$(cd "$1" && pwd)
tool=$build/train-pipeline
work=$(mktemp -d "${TMPDIR:-/tmp}/vg-cli-XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
failures=0

# expect STATUS NAME COMMAND...: runs it into out and err
expect()
{
    status=$1 name=$2
    shift 2
    "$@" >out 2>err
    found=$?
    if [ "$found" != "$status" ]; then
        echo "FAIL $name: exit status $found, expected $status"
        sed 's/^/    /' err | tail -5
        failures=$((failures + 1))
    fi
}
# has FILE TEXT
has()
{
    grep -qF -- "$2" "$1" || {
        echo "FAIL $name: $1 does not hold: $2"
        sed 's/^/    /' "$1" | head -20
        failures=$((failures + 1))
    }
}
empty()
{
    [ ! -s "$1" ] || {
        echo "FAIL $name: $1 is not empty"
        head -5 "$1"
        failures=$((failures + 1))
    }
}
json()
{
    python3 -c "import json,sys; d=json.load(open('$1')); sys.exit(0 if ($2) else 1)" || {
        echo "FAIL $name: $1: not so: $2"
        failures=$((failures + 1))
    }
}

expect 0 help "$tool" --help
has out "usage: train-pipeline DATASET|JOB.yaml"
empty err
expect 2 "no dataset" "$tool"
has err "train-pipeline: no dataset given"
empty out
expect 2 "unknown option" "$tool" pets/ --epoch5 3
has err 'did you mean "--epochs"?'
expect 2 "unknown key" "$tool" pets/ --set learing_rate=1
has err 'unknown key "learing_rate"; did you mean "learning_rate"?'
expect 2 "bad word" "$tool" pets/ --fail-on sunshine
expect 2 "seeds alone" "$tool" pets/ --seeds 3
has err "only with --compare"
expect 2 "epochs 0" "$tool" pets/ --epochs 0
has err 'train-pipeline: --epochs: epochs: found "0", allowed: whole number from 1 to 1000000'
expect 2 "no list to compare" "$tool" pets/ --compare=
has err '--compare: found ""'
expect 2 "split without evaluate" "$tool" pets/ --split val
has err "only with --evaluate"
expect 2 "evaluate and compare" "$tool" pets/ --evaluate w --compare
has err "leave --compare out"
expect 2 "evaluate and out" "$tool" pets/ --evaluate w --out folder
has err "leave --out out"
expect 2 "no file to evaluate" "$tool" pets/ --evaluate ""
has err '--evaluate: found ""'
expect 2 "no job file" "$tool" pets/ --job ""
has err '--job: found ""'
expect 2 "an empty operand" "$tool" ""
has err "expected a path"
expect 2 "no YAML in a setting" "$tool" pets/ --set "net=[conv"
has err "not YAML"
if [ -w /dev/full ]; then
    for word in --help --version --keys; do
        # shellcheck disable=SC2016 # for the inner shell
        expect 1 "$word on a full disk" sh -c '"$1" "$2" >/dev/full' sh "$tool" "$word"
        has err "writing the result failed"
    done
fi
expect 1 "no such folder" "$tool" nowhere/
has err "train-pipeline: "
printf 'epochs: [1\n' >bad.yaml
expect 1 "not YAML" "$tool" bad.yaml
has err "bad.yaml:"

# A dataset of two classes, light and dark, in the plainest format there is.
python3 - <<'PY' || exit 77
import os, struct, zlib, random
def png(path, level):
    random.seed(path)
    rows = b"".join(b"\0" + bytes(min(255, max(0, level + random.randrange(-40, 40))) for _ in range(8)) for _ in range(8))
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    with open(path, "wb") as f:
        f.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 0, 0, 0, 0)) +
                chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
for name, level in (("dark <1>", 70), ("light", 190)):
    os.makedirs("set/" + name)
    for i in range(120):
        png("set/%s/%03d.png" % (name, i), level)
for i in range(10):
    open("set/light/broken%d.png" % i, "wb").write(b"\x89PNG\r\n\x1a\nnot one")
PY
quick="--set net=conv~4~k3,relu,globalpool --set learning_rate=0.2 --set batch=16 --set augment=none --epochs 8"
run()
{
    # shellcheck disable=SC2086 # words
    set -- $quick "$@"
    for word; do
        shift
        set -- "$@" "$(printf %s "$word" | tr '~' ' ')"
    done
    "$tool" "$@"
}

# What was fitted, as a file: of some images, of all, taken again, refused.
expect 0 "saved statistics" run set --out some --epochs 1 --set normalize_images=50 --save-stats some.stats
grep -q "zscore of [45][0-9] training images" err || { echo "FAIL $name: not said"; failures=$((failures + 1)); }
has some.stats '"set"'
has some.stats '"xxh64"'
expect 0 "statistics taken" run set --out again --epochs 1 --set normalize_from=some.stats
grep -q "normalize_from: .*some.stats" again/job.yaml || { echo "FAIL $name"; failures=$((failures + 1)); }
expect 0 "of all" run set --out all --epochs 1 --exact --save-stats all.stats
has all/job.yaml "normalize_images: 0"
cmp -s some.stats all.stats && { echo "FAIL 50 images and all of them give one file"; failures=$((failures + 1)); }
expect 2 "nothing fitted" run set --out unit --epochs 1 --set normalize=unit --save-stats unit.stats
has err "no statistics to save"

# What was fitted over one background does not go with another; weights are measured over their own, and it is said.
expect 0 "fitted over white" run set --out white --epochs 1 --background white --save-stats white.stats
expect 1 "taken over black" run set --out over --epochs 1 --set normalize_from=white.stats
has err "white.stats: normalization zscore was fitted on pictures over white, here transparent pixels are over black"
expect 1 "taken over white" run set --out over --epochs 1 --background white --set normalize_from=some.stats
has err "input.background=black would fit"
expect 0 "weights over white" "$tool" set --evaluate white/weights.safetensors
has err "transparent pixels are over white, as white/weights.safetensors was trained, not over black"
expect 0 "in JSON" "$tool" set --evaluate white/weights.safetensors --background white --quiet --json
json out 'd["background"] == "white"'
empty err
expect 2 "statistics of an evaluation" "$tool" set --evaluate w --save-stats x
has err "leave --save-stats out"
expect 2 "a policy for nobody" run set --quiet --set "augment_classes=drak=rotate=5"
has err 'a policy for class "drak", which set does not have'
expect 0 "policies of classes and mixing" run set --out mixed --epochs 1 \
    --set "augment_classes=light=heavy~shear=0.2;~rare=none" --set mixup=0.2 --set cutmix=1
has err "class light: rotate=30"
has err "class light: shear=0.2 is in degrees"
has mixed/job.yaml "augment_classes: {light: heavy shear=0.2, rare: none}"
has mixed/job.yaml "mixup: 0.2"
expect 0 "a training" run set --out one
has out "VERDICT   HEALTHY"
has out "report    one/report.html"
has out "light/broken"
has err "learning_rate=0.2"
for file in job.yaml report.json report.html weights.safetensors; do
    [ -s "one/$file" ] || { echo "FAIL: one/$file is missing"; failures=$((failures + 1)); }
done
json one/report.json "d['verdict'] == 'healthy' and 0 < d['diversity']['input_information'] <= 1"
json one/report.json "len(d['epochs']) == 9 and d['epochs'][0]['train_loss'] is None"
json one/report.json "[c['name'] for c in d['classes']] == ['dark <1>', 'light'] and all('broken' in b['path'] for b in d['data']['broken']) and d['data']['broken']"
has one/report.html "dark &lt;1&gt;"

expect 0 "json and quiet" run set --json --quiet --out two
empty err
json out "d['tool'] == 'train-pipeline' and d['accuracy'] > 0.5"
cmp -s one/weights.safetensors two/weights.safetensors || {
    echo "FAIL: the same job gave other weights"
    failures=$((failures + 1))
}
expect 0 "rerun of the stored job" "$tool" --job one/job.yaml --quiet --threads 1 --out three
cmp -s one/weights.safetensors three/weights.safetensors || {
    echo "FAIL: the stored job gave other weights"
    failures=$((failures + 1))
}
for cache in ram pictures.cache pictures.cache; do
    expect 0 "cache $cache" run set --json --cache $cache --out cached
    cmp -s one/weights.safetensors cached/weights.safetensors || {
        echo "FAIL: with --cache $cache the same job gave other weights"
        failures=$((failures + 1))
    }
    json out "d['loading']['from_cache'] > d['loading']['decoded']"
    json out "d['data']['broken'] == json.load(open('one/report.json'))['data']['broken']"
done
json out "d['loading']['decoded'] == 0" # the second run that finds the file
has err '{"event":"epoch","epoch":8,"epochs":8'
[ "$(grep -c 'skipped.foreign\|skipped.damaged' one/bad-files.tsv)" -ge 5 ] || {
    echo "FAIL: one/bad-files.tsv does not list the skipped files"
    failures=$((failures + 1))
}
expect 1 "too many bad files" run set --quiet --max-bad 0 --out bad
has err "samples cannot be used"
has err "listed in bad/bad-files.tsv"
has bad/bad-files.tsv "light/broken"
expect 0 "repair" run set --quiet --on-error repair --out repaired
expect 2 "a cache of no size" run set --quiet --cache ram:much
expect 0 "evaluate" "$tool" set --evaluate one/weights.safetensors --json --quiet
json out "d['split'] == 'val' and abs(d['accuracy'] - json.load(open('one/report.json'))['accuracy']) < 1e-9"
expect 0 "evaluate six views" "$tool" set --evaluate one/weights.safetensors --set test_views=shifted --json --quiet
json out "d['samples'] > 0 and d['loss'] != json.load(open('one/report.json'))['loss']"
expect 2 "views that there are not" "$tool" set --evaluate one/weights.safetensors --set test_views=many
mkdir alone && cp -r set/light alone/light
expect 1 "a dataset of one class is no wrong usage" run alone --quiet
has err "alone: one class, \"light\""
expect 1 "nothing held out is no wrong usage" run set --quiet --set split.train=1 --set split.val=0
has err "no samples in the"
expect 2 "a class that is not there is" run set --quiet --set classes=[drak,light]
expect 1 "evaluate something else" "$tool" set --evaluate one/job.yaml
expect 1 "fail on bad files" run set --on-error fail --quiet
has err "light/broken"
expect 3 "collapse" run set --set learning_rate=1e-12 --set init=zero --fail-on collapse --quiet
has out "CONSTANT"
expect 0 "one held-out image" run set --set held_out_total=1 --epochs 1 --quiet --out 'it is single'
has out "train-pipeline --job 'it is single'/job.yaml"
has out "not measurable"
if grep -w nan out; then
    echo "FAIL: nan in the report"
    failures=$((failures + 1))
fi
expect 0 "a folder of its own" run set --quiet --epochs 1
ls -d runs/*-1 runs/*-2 >/dev/null || failures=$((failures + 1))

expect 0 "a comparison" run set --quiet --compare=normalize,nothing --seeds 2 --epochs 2 --out four
has out "without changes:"
has out "normalize"
json four/report.json "[c['name'] for c in d['changes']] == ['normalize', 'nothing'] and d['changes'][0]['seeds'] == 2"
json four/report.json "set(d['changes'][0]['measures']['balanced_accuracy']) >= {'difference', 'low', 'high', 'p'}"
[ -s four/weights.safetensors ] || { echo "FAIL: a comparison leaves no weights"; failures=$((failures + 1)); }
has four/report.html "What each data change did"

expect 0 "explain speed" run set --explain-speed --quiet
has out "LIMIT  "
has out "waiting for images"
has out "0.conv "
has out "from registers on"
expect 0 "explain the speed of a run as JSON" "$tool" one --explain-speed --json --quiet
json out "d['layers'][0]['share'] > 0 and d['machine']['peak_gflop_per_s'] > 0 and d['sentence']"
json out "abs(sum(d['parts'].values()) - d['step_s']) < 0.05 * d['step_s']"
expect 2 "explain speed trains nothing" run set --explain-speed --out five --quiet
has err "leave --out out"
expect 2 "nor compares" run set --explain-speed --compare --quiet
[ ! -e five ] || { echo "FAIL: --explain-speed made a folder"; failures=$((failures + 1)); }

[ "$failures" = 0 ] || exit 1
echo ok
