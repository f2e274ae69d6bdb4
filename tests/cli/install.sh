#!/bin/sh
# The installed library, as another program finds it: install under a prefix chosen late, build the sample program with
# what pkg-config says, and run it.
#   sh tests/cli/install.sh BUILD
set -eu
build=$1
root=$(cd "$(dirname "$0")/../.." && pwd)
if grep -q '^VG_SANITIZE:BOOL=ON' "$build/CMakeCache.txt"; then
    echo "a sanitized library does not link into a plain program"
    exit 77
fi
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cmake --install "$build" --prefix "$dir/prefix" >/dev/null
PKG_CONFIG_PATH=$(dirname "$(find "$dir/prefix" -name variegate.pc)")
export PKG_CONFIG_PATH
# shellcheck disable=SC2046 # lists of flags
cc -std=c11 $(pkg-config --cflags variegate) "$root/samples/load-batches.c" -o "$dir/load" \
    $(pkg-config --libs --static variegate)
"$build/make-sample-dataset" --out "$dir/shapes" >/dev/null
"$dir/load" "$dir/shapes" >"$dir/out"
grep -q '^batch at 0: 32 samples' "$dir/out"
grep -q '^heart ' "$dir/out"
for tool in augment balance-report train-pipeline; do
    "$dir/prefix/bin/$tool" --version >/dev/null
done
