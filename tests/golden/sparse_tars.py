"""Writes tests/data/sparse-gnu.tar and sparse-pax.tar: a plain and a sparse member, by GNU tar 1.34.

    python3 tests/golden/sparse_tars.py tests/data
"""
import os
import subprocess
import sys
import tempfile

with tempfile.TemporaryDirectory() as root:
    os.mkdir(os.path.join(root, "cat"))
    with open(os.path.join(root, "cat", "sparse.jpg"), "wb") as file:
        file.write(b"begin")
        file.seek(1 << 20)
        file.write(b"end")
    with open(os.path.join(root, "cat", "1.jpg"), "wb") as file:
        file.write(b"one")
    for name in ("gnu", "pax"):
        out = os.path.join(sys.argv[1], f"sparse-{name}.tar")
        subprocess.run(["tar", "-S", f"--format={name}", "-b1", "--sort=name", "--mtime=@1000000000",
                        "--owner=0", "--group=0", "-cf", out, "-C", root, "cat"], check=True)
