#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Record locks on a share, seen from both sides."""
import fcntl
import os
import subprocess
import sys
import tempfile

BUILD = os.environ.get("BUILD", "build")


def held(file, start, length):
    """Somebody else has a lock there."""
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, length, start)
    except OSError:
        return True
    fcntl.lockf(file, fcntl.LOCK_UN, length, start)
    return False


def both_sides(folder):
    path = os.path.join(folder, "file")
    with open(path, "wb+") as file:
        fcntl.lockf(file, fcntl.LOCK_EX, 10, 10)
        guest = subprocess.Popen(
            [f"{BUILD}/bin/toril-run", "-v", f"{folder}:/data",
             f"{BUILD}/tests/system/locks", "/data/file"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            for expected in ("type 1", "start 10", "len 10", "try 1",
                             "beside 0"):
                said = guest.stdout.readline().strip()
                assert said == expected, (said, expected)
            assert held(file, 50, 10), "the guest's lock is not seen"
            assert not held(file, 70, 10), "the guest has locked too much"
            fcntl.lockf(file, fcntl.LOCK_UN, 10, 10)
            assert guest.stdout.readline().strip() == "wait 0"
            assert held(file, 0, 10), "the lock waited for is not seen"
            guest.stdin.write("close\n")
            guest.stdin.flush()
            assert guest.stdout.readline().strip() == "closed 0"
            assert not held(file, 0, 100), "close has kept a lock"
            guest.stdin.write("end\n")
            guest.stdin.flush()
            assert guest.wait(timeout=60) == 0
        finally:
            if guest.poll() is None:
                guest.terminate()
                guest.wait(timeout=60)


def main():
    print("1..1")
    try:
        with tempfile.TemporaryDirectory() as folder:
            both_sides(folder)
    except Exception as error:  # pylint: disable=broad-except
        print(f"not ok 1 - record locks on a share\n# {error!r}")
        return 1
    print("ok 1 - record locks on a share")
    return 0


sys.exit(main())
