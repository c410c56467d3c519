#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""bench.py [--quick] [--out FILE] [PART...]: Toril against a Linux guest.

Counts first (count.py), then how they grow (growth.py), then times (wall.py),
in turns.  Prints tables and which goals (goals.py) are met, and writes
build/bench/results.json, or quick.json.  With $RECORD set the run also goes
into bench/history.tsv and docs/performance.md (report.py).

The exit status says whether everything could be measured, not what came out.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import time

import count
import goals
import growth
import report
import wall
from machines import BUILD

QUICK_FILES, QUICK_CONNECTIONS, QUICK_MEMORY = (1000,), 1000, ("1G",)


def parts(quick):
    """(name, function that yields rows)"""
    if quick:
        count.ROUNDS = 3
        wall.MILLISECONDS = 100
    for part in count.PARTS:
        yield part.__name__, part
    yield "memory", lambda: growth.memory(*([QUICK_MEMORY] if quick else []))
    yield "files", lambda: growth.files(*([QUICK_FILES] if quick else []))
    yield "connections", lambda: growth.connections(
        *([QUICK_CONNECTIONS] if quick else []))
    yield "memories", lambda: growth.memories(quick)
    rounds = int(os.environ.get("ROUNDS", "3" if quick else "7"))
    yield "times", lambda: wall.rows(rounds)


def commit():
    done = subprocess.run(["git", "describe", "--always", "--dirty"],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          text=True, check=False)
    return done.stdout.strip() or "unknown"


def machine():
    text = pathlib.Path("/proc/cpuinfo").read_text()
    model = next((line.split(":")[1].strip() for line in text.splitlines()
                  if line.startswith("model name")), "unknown CPU")
    qemu = subprocess.run(["qemu-system-x86_64", "--version"],
                          stdout=subprocess.PIPE, text=True, check=True).stdout
    return {"cpu": model, "cpus": os.cpu_count(),
            "load": os.getloadavg()[0], "qemu": qemu.split()[3]}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--out")
    parser.add_argument("part", nargs="*")
    options = parser.parse_args()
    out = options.out or (f"{BUILD}/bench/"
                          f"{'quick' if options.quick else 'results'}.json")
    run = {"commit": commit(), "date": time.strftime("%Y-%m-%d"),
           "quick": options.quick, "machine": machine(), "rows": []}
    started, failed = time.monotonic(), 0
    for name, part in parts(options.quick):
        if options.part and name not in options.part:
            continue
        print(f"{time.monotonic() - started:.0f} s: {name}", file=sys.stderr)
        try:
            for row in part():
                run["rows"].append(row)
                print(report.line(row), flush=True)
        except Exception as why:  # the others are still worth having
            failed += 1
            print(f"bench: {name}: {why!r}", file=sys.stderr)
        pathlib.Path(out).write_text(json.dumps(run, indent=1))
    print()
    for words, measured, met in goals.judged(run["rows"]):
        word = {True: "met", False: "NOT MET", None: "-"}[met]
        print(f"{word:8} {words}: {measured}")
    if os.environ.get("RECORD") and not failed and not options.part:
        report.record(run)
    print(f"\n{out}, {time.monotonic() - started:.0f} s, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
