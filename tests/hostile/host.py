# SPDX-License-Identifier: BSD-2-Clause
"""File servers of our own, and machines that use them."""
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(1, os.path.join(sys.path[0], ".."))
from machine import BUILD, RUN, WAIT, main  # noqa: re-exported

__all__ = ["BIN", "BUILD", "RUN", "WAIT", "Server", "main", "said"]
BIN = f"{BUILD}/tests/hostile"
NOTE = "toril: a kernel stack used "  # of a debug build


def said(text):
    """The lines of a launcher's stderr that are none of a debug build's."""
    return [x for x in text.splitlines() if not x.startswith(NOTE)]


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
