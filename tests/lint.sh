#!/bin/sh
# clang-tidy (.clang-tidy) and cppcheck (tests/cppcheck-suppressions.txt) over every source that the build tree
# compiles, or over those named. Prints findings and nothing else; status 0 clean, 1 findings, 77 a checker is missing.
#   sh tests/lint.sh [BUILD [FILE...]]          BUILD: a configured tree (build)
set -u
cd "$(dirname "$0")/.." || exit 1
build=${1:-build}
[ $# -gt 0 ] && shift
commands=$build/compile_commands.json
for tool in clang-tidy cppcheck; do
    command -v $tool >/dev/null || {
        echo "tests/lint.sh: $tool is not installed (sh tests/install.sh --tests)" >&2
        exit 77
    }
done
[ -f "$commands" ] || {
    echo "tests/lint.sh: no $commands; run: cmake -S . -B $build -G Ninja" >&2
    exit 1
}
jobs=$(getconf _NPROCESSORS_ONLN)
found=$(mktemp -d) || exit 1
trap 'rm -rf "$found"' EXIT

some=$#
if [ "$some" -gt 0 ]; then
    for file in "$@"; do
        printf '%s\n' "$(cd "$(dirname "$file")" && pwd)/$(basename "$file")"
    done
else
    sed -n 's/^ *"file": "\(.*\)",*$/\1/p' "$commands" | sort -u
fi >"$found/files"
# Two sources a process: starting clang-tidy costs little, waiting for one long list at the end costs more.
# The flags are gcc's; those that clang does not know are not findings.
xargs -P "$jobs" -n 2 clang-tidy -p "$build" --quiet --extra-arg=-Wno-unknown-warning-option \
    <"$found/files" >"$found/tidy" 2>"$found/tidy-errors"
tidy=$?
if [ $tidy -ne 0 ]; then
    if [ ! -s "$found/tidy" ]; then
        cat "$found/tidy-errors"
    elif [ "$some" -gt 0 ]; then
        cat "$found/tidy"
    else # the notes tell the path to a finding and are long
        grep -E ': (error|warning):' "$found/tidy" | sort -u
        echo "the way to each finding: sh tests/lint.sh $build FILE"
    fi
fi

set -- --project="$commands"
[ "$some" -gt 0 ] &&
    set -- --file-list="$found/files" -I pipeline -I augment -I train -I tools -D_XOPEN_SOURCE=700 -D_DEFAULT_SOURCE
cppcheck "$@" --enable=warning,performance,portability,style --inline-suppr --std=c11 -j "$jobs" --quiet \
    --suppressions-list=tests/cppcheck-suppressions.txt --error-exitcode=1 \
    --template='{file}:{line}:{column}: {severity}: {message} [cppcheck {id}]' >"$found/cpp" 2>&1
cpp=$?
[ $cpp -eq 0 ] || cat "$found/cpp"
[ $tidy -eq 0 ] && [ $cpp -eq 0 ]
