#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""run.py SUBJECT...: programs of tests/posix/SUBJECT, on Linux and on Toril.

Each program is built for both; both runs must end as it says and print the
same on stdout.  Each gets an empty directory as its argument and as its
working directory.  The comment that opens a program may say

	expect: exit N | signal N	how it ends (exit 0)
	toril only			what Linux does differently
	needs root			Linux is only asked by root
	stdin: SIZE			SIZE deterministic bytes, all values
	args: WORDS			further arguments
	options: WORDS			of toril-run
	stderr: REGEX			must appear there, on Toril

CPUS=N in the environment: so many in each VM.

Linux is the oracle: a program that fails there is the one that is wrong.
"""
import difflib
import hashlib
import os
import pathlib
import re
import subprocess
import sys
import tempfile

BUILD = os.environ.get("BUILD", "build")
HERE = pathlib.Path("tests/posix")
CPUS = os.environ.get("CPUS", "1")
WAIT = 240
DIFFERENCES = 40  # lines of them that are shown


class Program:
    def __init__(self, source):
        self.name = str(source.relative_to(HERE).with_suffix(""))
        head = source.read_text()[:2000]

        def says(pattern, default=None):
            match = re.search(r"^[/ ]\*.*?\b" + pattern, head, re.M)
            return match[1].strip() if match else default

        end = says(r"expect: ((?:exit|signal) \d+)", "exit 0").split()
        self.status = int(end[1]) + (128 if end[0] == "signal" else 0)
        self.toril_only = says(r"(toril only)") is not None or \
            says(r"(needs root)") is not None and os.geteuid() != 0
        self.args = says(r"args: (.*?)(?: \*/|$)", "").split()
        self.options = says(r"options: (.*?)(?: \*/|$)", "").split()
        self.stderr = says(r"stderr: (.*?)(?: \*/|$)")
        self.stdin = stream(int(says(r"stdin: (\d+)", "0")))

    def on_linux(self, folder):
        path = os.path.abspath(f"{BUILD}/tests/posix/linux/{self.name}")
        return [path, folder] + self.args

    def on_toril(self, folder):
        return [os.path.abspath(f"{BUILD}/bin/toril-run"),
                "-v", f"{folder}:/tmp/w", "-w", "/tmp/w",
                "-c", CPUS] + self.options + [
                os.path.abspath(f"{BUILD}/tests/posix/toril/{self.name}"),
                "/tmp/w"] + self.args

    def run(self, where, command):
        """The end and the output, or why it is wrong."""
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run(
                command(folder), input=self.stdin, cwd=folder, timeout=WAIT,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        status = done.returncode
        status = 128 - status if status < 0 else status
        error = done.stderr.decode(errors="replace")
        if status != self.status:
            raise AssertionError(f"{where}: ended with {status}, expected "
                                 f"{self.status}\n{error[-2000:]}"
                                 f"{done.stdout[-500:].decode(errors='replace')}")
        return done.stdout, error

    def test(self):
        oracle = None
        if not self.toril_only:
            oracle, _ = self.run("Linux", self.on_linux)
        out, error = self.run("Toril", self.on_toril)
        if oracle is not None and out != oracle:
            raise AssertionError(
                f"stdout differs: Linux {len(oracle)} bytes, Toril "
                f"{len(out)} bytes\n" + difference(oracle, out))
        if self.stderr and not re.search(self.stderr, error):
            raise AssertionError(f"stderr lacks {self.stderr!r}: {error!r}")


def difference(oracle, out):
    lines = (text.decode(errors="replace").splitlines()
             for text in (oracle, out))
    found = list(difflib.unified_diff(*lines, "Linux", "Toril", n=0,
                                      lineterm=""))
    return "\n".join(line[:300] for line in found[:DIFFERENCES])


def stream(size):
    block = b"".join(hashlib.sha256(b"%d" % i).digest() for i in range(1024))
    return (block * (size // len(block) + 1))[:size]


def be_ordinary():
    """Programs ask for their nice value: whoever runs the tests may have one."""
    try:
        os.setpriority(os.PRIO_PROCESS, 0, 0)
    except PermissionError:
        pass


def main():
    be_ordinary()
    sources = [s for subject in sys.argv[1:]
               for s in sorted((HERE / subject).glob("*.c"))]
    print(f"1..{len(sources)}")
    failed = 0
    for number, source in enumerate(sources, 1):
        program = Program(source)
        try:
            program.test()
            print(f"ok {number} - {program.name}", flush=True)
        except (AssertionError, OSError, subprocess.TimeoutExpired) as why:
            failed += 1
            print(f"not ok {number} - {program.name}")
            for line in str(why).splitlines():
                print("#", line, flush=True)
    return 1 if failed or not sources else 0


sys.exit(main())
