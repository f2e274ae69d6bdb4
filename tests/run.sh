#!/bin/sh
# The one command for tests: installs what is missing, builds Release and a tree with ASan and UBSan, runs every
# test of both through ctest, and builds once with make alone.
#   sh tests/run.sh [ctest arguments]          e.g.  sh tests/run.sh -L unit
# VG_DATA=FOLDER names real image data for the tests that want it; without it they are shown as skipped.
set -eu
cd "$(dirname "$0")/.."
sh tests/install.sh --tests
jobs=$(nproc)
export ASAN_OPTIONS="${ASAN_OPTIONS:-detect_leaks=1:allocator_may_return_null=1}"
export UBSAN_OPTIONS="${UBSAN_OPTIONS:-print_stacktrace=1}"

# The tree is free of warnings and findings under Debian 12's compiler and checkers. What other versions say is shown,
# but does not stop the tests of somebody who has them.
werror=OFF
case $(cc -dumpversion) in 12 | 12.*) werror=ON ;; esac
known_checkers=no
clang-tidy --version 2>/dev/null | grep -q 'version 14\.' && known_checkers=yes

cmake -S . -B build -G Ninja -DCMAKE_BUILD_TYPE=Release -DVG_WERROR=$werror >/dev/null
cmake --build build
cmake -S . -B build-sanitize -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo -DVG_SANITIZE=ON -DVG_WERROR=$werror >/dev/null
cmake --build build-sanitize
make -s -f Makefile.inc -j "$jobs"

echo "== clang-tidy, cppcheck"
sh tests/lint.sh build || [ $? = 77 ] || [ $known_checkers = no ]
# What was skipped inside a test program is told too: ctest counts such a program as passed.
run() {
    tree=$1
    shift
    ctest --test-dir "$tree" --output-on-failure -j "$jobs" "$@"
    skipped=$(sed -n 's/^\[  SKIPPED \] \([a-z_0-9]*\)$/\1/p' "$tree/Testing/Temporary/LastTest.log" | sort -u | tr '\n' ' ')
    [ -z "$skipped" ] || echo "skipped (no VG_DATA, or not possible here): $skipped"
}
echo "== Release"
run build "$@"
echo "== AddressSanitizer, UndefinedBehaviorSanitizer"
run build-sanitize -LE slow "$@"
