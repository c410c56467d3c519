#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""run.py [-t SECONDS] [-c CPUS]... [-s SEED] [PROGRAM...]: stress programs.

Each runs on Linux for a second (its checks must hold there too) and then in
a VM with each number of CPUs.  Prints TAP; a failure says how to repeat it.
"""
import argparse
import os
import re
import subprocess
import sys
import tempfile

BUILD = os.environ.get("BUILD", "build")


def run(command, seconds):
    with tempfile.TemporaryDirectory() as folder:
        command = [folder if word == "@" else
                   f"{folder}:/tmp/w" if word == "@:" else word
                   for word in command]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, cwd=folder,
                              capture_output=True, check=False,
                              timeout=seconds * 3 + 400)
    out = done.stdout.decode(errors="replace")
    found = re.search(r"(\d+) rounds", out)
    if done.returncode or not found or int(found[1]) < 1:
        raise AssertionError(f"ended with {done.returncode}\n{out[-500:]}"
                             + done.stderr.decode(errors="replace")[-3000:])
    return int(found[1])


def linux(name, seed):
    path = os.path.abspath(f"{BUILD}/tests/stress/linux/{name}")
    return [path, str(seed), "1"], 1


def toril(name, seed, seconds, cpus):
    path = os.path.abspath(f"{BUILD}/tests/stress/toril/{name}")
    return [os.path.abspath(f"{BUILD}/bin/toril-run"), "-m", "128M",
            "-c", str(cpus), "-v", "@:", "-w", "/tmp/w", path,
            str(seed), str(seconds)], seconds


def main():
    p = argparse.ArgumentParser()
    p.add_argument("-t", type=int, default=2)
    p.add_argument("-c", type=int, action="append")
    p.add_argument("-s", type=int, default=1)
    p.add_argument("--no-linux", action="store_true")
    p.add_argument("program", nargs="*")
    a = p.parse_args()
    cases = []
    for name in a.program:
        if not a.no_linux:
            cases.append((f"{name} on Linux", linux(name, a.s)))
        for cpus in a.c or [1, 2, 4]:
            cases.append((f"{name}, {cpus} CPUs", toril(name, a.s, a.t, cpus)))
    print(f"1..{len(cases)}")
    failed = 0
    for number, (what, (command, seconds)) in enumerate(cases, 1):
        try:
            rounds = run(command, seconds)
            print(f"ok {number} - {what}: {rounds} rounds", flush=True)
        except (AssertionError, OSError, subprocess.TimeoutExpired) as why:
            failed += 1
            print(f"not ok {number} - {what}")
            again = f"{why}\nagain: {' '.join(command)}"
            for line in again.splitlines():
                print("#", line, flush=True)
    return 1 if failed or not cases else 0


sys.exit(main())
