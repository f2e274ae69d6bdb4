#!/bin/sh
# The walk through the house on a dataset that needs no download: from a fresh clone to a diversity report.
#   sh samples/run.sh
# Installs what is missing (and says so), builds Release in build-samples/, draws the sample dataset and runs
# balance-report, augment --preview and train-pipeline --compare on it. Everything it makes lies in samples/out/.
set -eu
cd "$(dirname "$0")/.."
sh tests/install.sh

build=build-samples
out=samples/out
step() { printf '\n== %s\n' "$*"; }

step "build ($build/)"
cmake -S . -B $build -G Ninja -DCMAKE_BUILD_TYPE=Release -DBUILD_TESTING=OFF >/dev/null
cmake --build $build
start=$(date +%s)

step "make-sample-dataset --out $out/shapes"
rm -rf $out
mkdir -p $out
$build/make-sample-dataset --out $out/shapes

step "balance-report $out/shapes --html $out/balance.html"
$build/balance-report $out/shapes --html $out/balance.html

step "augment --preview $out/shapes --policy 'light flip=h' --size 32 --out $out/preview.png"
$build/augment --preview $out/shapes --policy 'light flip=h' --size 32 --out $out/preview.png

step "train-pipeline samples/job.yaml --out $out/run"
$build/train-pipeline samples/job.yaml --out $out/run

step "done in $(($(date +%s) - start)) s"
echo "what is skewed           $PWD/$out/balance.html"
echo "what the network sees    $PWD/$out/preview.png"
echo "what each change does    $PWD/$out/run/report.html"
