# SPDX-License-Identifier: BSD-2-Clause
"""File servers of our own, and machines that use them."""
import os
import re
import subprocess
import sys
import tempfile

BUILD = os.environ.get("BUILD", "build")
BIN = f"{BUILD}/tests/hostile"
RUN = f"{BUILD}/bin/toril-run"
WAIT = 120  # generous: only to end what hangs


class Server:
    """fsd, honest or not; `lines` is what it has said once it has ended."""

    def __init__(self, *options):
        self.folder = tempfile.TemporaryDirectory()
        self.socket = self.folder.name + "/fs"
        self.process = subprocess.Popen(
            [f"{BIN}/fsd", *options, self.socket], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if self.process.stdout.readline() != "ready\n":
            raise AssertionError(self.process.stderr.read())
        self.lines = []

    def end(self):
        """What it counted: {"queue 1": requests, "mutated bits": lies}"""
        try:
            out, err = self.process.communicate(timeout=WAIT)
        except subprocess.TimeoutExpired as why:
            raise AssertionError("fsd did not end") from why
        if err or self.process.returncode:
            raise AssertionError(f"fsd: {self.process.returncode} {err}")
        return {match[1]: int(match[2]) for line in out.splitlines()
                if (match := re.fullmatch(r"(.+) (\d+)", line))}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()
        self.folder.cleanup()


def main(cases):
    """Run functions as TAP; what one returns is said behind its name."""
    print(f"1..{len(cases)}", flush=True)
    failed = 0
    for number, case in enumerate(cases, 1):
        try:
            said = case()
            print(f"ok {number} - {case.__name__}"
                  + (f": {said}" if said else ""), flush=True)
        except (AssertionError, OSError, ValueError,
                subprocess.SubprocessError) as why:
            failed += 1
            print(f"not ok {number} - {case.__name__}")
            print("#", (str(why) or repr(why)).replace("\n", "\n# "),
                  flush=True)
    sys.exit(1 if failed else 0)
