#!/bin/sh
# train-pipeline --resume: killed without a word again and again, it ends in the same bytes as a run that was not; a signal
# says how to go on; another job, other data and damaged files are refused.
#   sh tests/cli/resume.sh BUILD_FOLDER
# shellcheck source=tests/cli_lib.sh
. "$(dirname "$0")/../cli_lib.sh"
begin "$@"
tool=$bin/train-pipeline
cd "$work" || exit 1
"$bin/make-sample-dataset" --out shapes >/dev/null || exit 1

cat >job.yaml <<Y
dataset: $work/shapes
net: [conv 8 k3, bn, relu, maxpool 2, conv 12 k3, relu, maxpool 2, dropout 0.2, dense 24, relu]
input.size: 32
epochs: 5
batch: 16
mixup: 0.3
schedule: plateau
plateau: {patience: 0, threshold: 0.05}
accumulate: 2
checkpoint_every: 5 steps
Y

same()
{
    for file in weights.safetensors best.safetensors; do
        cmp -s "whole/$file" "$1/$file" || complain "$1/$file differs from the run that was not cut off"
    done
    [ ! -e "$1/resume.safetensors" ] || complain "a finished run leaves resume.safetensors"
    command -v python3 >/dev/null || return 0
    python3 - whole/report.json "$1/report.json" 2>>"$work/stderr" <<'P' || complain "the reports differ"
import json, sys
times = {"seconds", "images_per_s", "load_share", "limited_by", "date", "folder", "loading", "resumed_step", "files", "hint",
         "comparison_seconds"}
def clean(v):
    if isinstance(v, dict):
        return {k: clean(w) for k, w in v.items() if k not in times}
    return [clean(w) for w in v] if isinstance(v, list) else v
a, b = (clean(json.load(open(p))) for p in sys.argv[1:3])
for k in a:
    assert a[k] == b[k], (k, a[k], b[k])
P
}

run "$tool" --job job.yaml --out whole --quiet
expect_status 0

# Two at once would spoil the run for both: the second one is refused, and the first one ends as it would have.
"$tool" --job job.yaml --set epochs=60 --out shared --quiet >/dev/null 2>&1 &
child=$!
for _ in 1 2 3 4 5 6 7 8 9 10; do
    [ ! -e shared/resume.safetensors ] || break
    sleep 0.2
done
run "$tool" --resume shared --quiet
expect_status 1
expect_err 'another train-pipeline is writing this run'
run "$tool" --job job.yaml --out shared --quiet
expect_status 1
expect_err 'another train-pipeline is writing this run'
[ -e shared/resume.safetensors ] || complain "a refused run removed what the running one needs"
kill -9 $child 2>/dev/null
wait $child 2>/dev/null

# Killed at moments that nobody chose: the times follow from a seed, what they hit does not.
kills=0 last=0
seed=${RESUME_SEED:-7}
while [ $kills -lt 60 ]; do
    if [ -d cut ]; then set -- --resume cut; else set -- --job job.yaml --out cut; fi
    "$tool" "$@" --quiet >"$work/stdout" 2>"$work/stderr" &
    child=$!
    seed=$(((seed * 1103515245 + 12345) % 2147483648))
    sleep "0.$(printf %03d $((50 + seed / 65536 % 600)))"
    kill -9 $child 2>/dev/null
    wait $child 2>/dev/null
    last=$?
    [ $last -eq 137 ] || break
    kills=$((kills + 1))
done
command_line="(killed $kills times) --resume cut"
if [ $last -eq 137 ]; then
    run "$tool" --resume cut --quiet
    last=$status
fi
status=$last
expect_status 0
[ $kills -gt 0 ] || complain "the run was never killed"
same cut

# A signal: the step is finished, everything kept, and it says how to go on; the same command again goes on, too.
"$tool" --job job.yaml --out asked >"$work/stdout" 2>"$work/stderr" &
child=$!
tries=0
while [ ! -s asked/resume.safetensors ] && [ $tries -lt 200 ]; do
    sleep 0.05
    tries=$((tries + 1))
done
kill -TERM $child
wait $child
status=$? command_line="kill -TERM"
expect_status 1
expect_err "everything is kept"
expect_err "go on: train-pipeline --resume asked"
run "$tool" --job job.yaml --out asked --set epochs=6
expect_status 1
expect_err 'asked holds a run that was cut off .*there "epochs: 5", here "epochs: 6"'
sed 's/^batch: .*/batch: 8/' asked/job.yaml >other.yaml
cp asked/job.yaml kept.yaml
cp other.yaml asked/job.yaml
run "$tool" --resume asked
expect_status 1
expect_err 'there "batch: 16", here "batch: 8"'
cp kept.yaml asked/job.yaml
cp asked/resume.safetensors kept.safetensors
head -c 3000 kept.safetensors >asked/resume.safetensors
run "$tool" --resume asked
expect_status 1
expect_err "asked/resume.safetensors: cut off"
cp kept.safetensors asked/resume.safetensors
run "$tool" --job job.yaml --out asked
expect_status 0
expect_err "goes on with the run in asked"
same asked
run "$tool" --resume asked
expect_status 0
expect_err "asked is finished"
run "$tool" --resume asked --json
expect_json "r['tool'] == 'train-pipeline' and r['resumed_step'] is not None"
run "$tool" --job job.yaml --out asked
expect_status 0
expect_err "the run that is in asked is replaced"
same asked

# Between the job and its first state: from the start.
mkdir early && cp whole/job.yaml early/
run "$tool" --resume early --quiet
expect_status 0
same early

# A comparison, whose trainings are kept one by one.
comparison="--job job.yaml --compare=normalize,augment --seeds 2 --epochs 2 --quiet"
# shellcheck disable=SC2086 # words
run "$tool" $comparison --out whole
expect_status 0
# shellcheck disable=SC2086
"$tool" $comparison --out pairs >"$work/stdout" 2>"$work/stderr" &
child=$!
tries=0
while [ ! -s pairs/trainings/training-1-0.safetensors ] && [ $tries -lt 400 ]; do
    sleep 0.05
    tries=$((tries + 1))
done
kill -9 $child
wait $child 2>/dev/null
run "$tool" --job job.yaml --out pairs
expect_status 1
expect_err "pairs holds a comparison that was cut off"
echo half >pairs/resume.safetensors.tmp-abcdef # as of a program that was killed while it wrote
echo half >pairs/trainings/resume.safetensors.tmp-abcdef
run "$tool" --resume pairs
expect_status 0
expect_err "goes on with the comparison in pairs"
[ ! -e pairs/resume.safetensors.tmp-abcdef ] || complain "a finished run leaves what was half-written"
[ ! -e pairs/trainings ] || complain "a finished comparison leaves its trainings"
same pairs

run "$tool" --resume nowhere
expect_status 1
run "$tool" --resume shapes
expect_status 1
expect_err "shapes: not the folder of a run"
for more in "--epochs 3" "--out x" "--seed 3" "--job job.yaml" "shapes" "--evaluate w" "--compare"; do
    # shellcheck disable=SC2086
    run "$tool" --resume cut $more
    expect_status 2
    expect_err "leave ${more% *} out"
done
run "$tool" --resume ""
expect_status 2
finish
