# What the tests of the commands share; sourced, not run.
#   . "$(dirname "$0")/../cli_lib.sh"; begin "$@"
# `run` keeps stdout, stderr and the status of a command; the checks after it look at them.
set -u

begin()
{
    bin=$(cd "$1" && pwd) || exit 1
    work=$(mktemp -d "${TMPDIR:-/tmp}/vg-cli-XXXXXX") || exit 1
    trap 'rm -rf "$work"' EXIT
    failed=0
}

run()
{
    command_line=$*
    "$@" >"$work/stdout" 2>"$work/stderr"
    status=$?
}

complain()
{
    failed=1
    {
        echo "FAILED: $1"
        echo "  command: $command_line (status $status)"
        sed 's/^/  stdout: /' "$work/stdout" | head -20
        sed 's/^/  stderr: /' "$work/stderr" | head -20
    } >&2
}

expect_status() { [ "$status" -eq "$1" ] || complain "status $status, expected $1"; }
expect_out() { grep -qe "$1" "$work/stdout" || complain "stdout lacks: $1"; }
expect_err() { grep -qe "$1" "$work/stderr" || complain "stderr lacks: $1"; }
refuse_out() { ! grep -qe "$1" "$work/stdout" || complain "stdout has: $1"; }
expect_no_out() { [ ! -s "$work/stdout" ] || complain "stdout is not empty"; }
expect_no_err() { [ ! -s "$work/stderr" ] || complain "stderr is not empty"; }

# expect_json PYTHON: stdout is one JSON object `r` for which the expression is true; passed over without python3.
expect_json()
{
    command -v python3 >/dev/null || return 0
    python3 -c 'import json, sys
r = json.load(open(sys.argv[1]))
assert isinstance(r, dict)
sys.exit(0 if eval(sys.argv[2]) else 1)' "$work/stdout" "$1" 2>>"$work/stderr" ||
        complain "JSON does not hold: $1"
}

finish() { exit "$failed"; }
