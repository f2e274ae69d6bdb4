#!/bin/sh
# Installs what building and testing need and is not there yet (Debian 12, Ubuntu 24.04), saying so.
#   sh tests/install.sh [--tests]     --tests: also cmocka and the checkers
set -eu
packages="gcc make cmake ninja-build pkg-config libjpeg-dev libpng-dev zlib1g-dev libdeflate-dev libxxhash-dev libarchive-dev libjansson-dev
libyaml-dev libopenblas-dev libwebp-dev"
[ "${1:-}" = --tests ] && packages="$packages libcmocka-dev clang-tidy clang-format cppcheck libomp-dev"

missing=""
for package in $packages; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
echo "installing:$missing" >&2
as_root=""
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || {
        echo "tests/install.sh: not root and no sudo; install these packages and run again:$missing" >&2
        exit 1
    }
    as_root=sudo
fi
export DEBIAN_FRONTEND=noninteractive
$as_root apt-get update -q >&2
# shellcheck disable=SC2086 # a list of names
$as_root apt-get install -y -q --no-install-recommends $missing >&2
