#!/bin/sh
# train-pipeline --sweep: trials, a winner that can be trained again, a search that was killed and gone on with, and what cannot be
# searched.
#   sh tests/cli/sweep.sh BUILD_FOLDER
# shellcheck source=tests/cli_lib.sh
. "$(dirname "$0")/../cli_lib.sh"
begin "$@"
tool=$bin/train-pipeline
cd "$work" || exit 1
"$bin/make-sample-dataset" --out shapes >/dev/null || exit 1
cat >base.yaml <<Y
dataset: $work/shapes
net: [conv 6 k3, relu, maxpool 2, conv 8 k3, relu, maxpool 2, dense 16, relu]
input.size: 16
augment: none
epochs: 3
batch: 32
Y
cat >sweep.yaml <<Y
sweep:
  keys: {learning_rate: 0.0001 .. 1 log, optimizer: [sgd, adam], augment: [none, "shift=0.1"]}
  trials: 7
  confirm: 2
  seeds: 2
Y

run "$tool" --job base.yaml --sweep sweep.yaml --out whole --quiet
expect_status 0
expect_out 'WINNER    trial [0-9]*: balanced_accuracy 0'
expect_out '(mean of 2 other seeds), .* ahead of trial'
expect_out 'noise of seeds'
for file in job.yaml sweep.json sweep.html winner.yaml trials/0007/result.safetensors; do
    [ -s "whole/$file" ] || complain "whole/$file is missing"
done
run "$tool" --resume whole --json
expect_status 0
expect_json "len(r['trials']) == 7 and r['winner'] == r['trials'][[len(t['other_seeds']) for t in r['trials']].index(2)]['trial'] or r['winner']"
expect_json "all(set(t['settings']) == {'learning_rate', 'optimizer', 'augment'} for t in r['trials'])"
expect_json "sum(len(t['other_seeds']) for t in r['trials']) == 4 and (r['lead'] > r['margin']) != r['within_noise']"

# The winner's job is its trial again.
run "$tool" --job whole/winner.yaml --out again --quiet
expect_status 0
winner=$(sed -n 's/^ *"winner": \([0-9]*\),*$/\1/p' whole/sweep.json)
cmp -s again/weights.safetensors "whole/trials/$(printf %04d "$winner")/weights.safetensors" ||
    complain "winner.yaml gives other weights than its trial"

# Killed now and then, it finds the same.
kills=0 last=137 seed=5
while [ $kills -lt 25 ] && [ $last -eq 137 ]; do
    if [ -d cut/trials ]; then set -- --resume cut; else set -- --job base.yaml --sweep sweep.yaml --out cut; fi
    "$tool" "$@" --quiet >"$work/stdout" 2>"$work/stderr" &
    child=$!
    seed=$(((seed * 1103515245 + 12345) % 2147483648))
    sleep "$((seed / 65536 % 2)).$(printf %03d $((200 + seed / 65536 % 800)))"
    kill -9 $child 2>/dev/null
    wait $child 2>/dev/null
    last=$?
    [ $last -ne 137 ] || kills=$((kills + 1))
done
command_line="(killed $kills times) --resume cut" status=$last
if [ $last -eq 137 ]; then
    run "$tool" --resume cut --quiet
fi
expect_status 0
[ $kills -gt 0 ] || complain "the search was never killed"
cmp -s whole/winner.yaml cut/winner.yaml || complain "a search that was killed has another winner"
if command -v python3 >/dev/null; then
    python3 -c 'import json
a, b = (json.load(open(f + "/sweep.json")) for f in ("whole", "cut"))
def clean(v):
    if isinstance(v, dict): return {k: clean(w) for k, w in v.items() if k not in ("seconds", "folder")}
    return [clean(w) for w in v] if isinstance(v, list) else v
assert clean(a) == clean(b)' || complain "a search that was killed found something else"
fi

# A grid, on the command line; one seed tells nothing about noise. A setting that makes no network is a trial that failed.
run "$tool" --job base.yaml --sweep 'batch=16 | 32; net=small-cnn | conv 4 k3,maxpool 2,maxpool 2,maxpool 2,maxpool 2,maxpool 2' \
    --set sweep.method=grid --set sweep.give_up=none --set sweep.seeds=0 --epochs 1 --out grid --quiet
expect_status 0
expect_out 'nobody can tell its lead from chance'
[ "$(grep -c '^ *[0-9]*  failed' "$work/stdout")" -eq 2 ] || complain "expected two failed trials"
[ "$(grep -c '^ *[0-9]*  done' "$work/stdout")" -eq 2 ] || complain "expected two trials that were done"

run "$tool" --job base.yaml --sweep sweep.yaml --out whole
expect_status 1
expect_err 'whole holds what a finished run has found'
refuse()
{
    run "$tool" --job base.yaml --sweep "$1"
    expect_status 2
    expect_err "$2"
}
refuse 'learning_rate=1 .. 0.1' 'the first bound must be below the second'
refuse 'learing_rate=0.1 .. 1' 'unknown key "learing_rate"'
refuse 'learning_rate' 'expected key=LOW .. HIGH'
refuse 'optimizer=sgd | adma' 'found "adma"'
refuse 'batch=0 .. 10 whole' 'allowed: whole number'
refuse 'batch=8 .. 10' 'searched: batch' # 8.5 is no batch
refuse 'seed=1 .. 5 whole' '"seed" cannot be searched'
refuse 'base.yaml' 'names no sweep.keys'
run "$tool" --job base.yaml --sweep 'batch=16 | 32' --compare
expect_status 2
expect_err 'a comparison and a search at once'
run "$tool" --job base.yaml --lr-range=1e-5:5 --out range --quiet
expect_status 0
expect_out 'SUGGESTED'
[ -s range/lr-range.html ] || complain "range/lr-range.html is missing"
run "$tool" --job base.yaml --lr-range --out range --json --quiet
expect_json "r['points'] and r['points'][0][0] == 1e-06 and (r['suggested'] is None or abs(r['suggested'] * 10 / r['lowest'] - 1) < 1e-9)"
for bad in 1e-3 1:0.1 0:1 a:b 1:2:3; do
    run "$tool" --job base.yaml --lr-range=$bad
    expect_status 2
    expect_err 'allowed: LOW:HIGH'
done
run "$tool" --job base.yaml --lr-range --compare
expect_status 2
run "$tool" --resume whole --sweep 'batch=16 | 32'
expect_status 2
finish
