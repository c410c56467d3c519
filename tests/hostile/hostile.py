#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""hostile.py [ROUNDS [SEED]]: a file server that lies, ROUNDS times.

Each machine has two shares, one of a server that tells one kind of lie
(mutate.h) and one of an honest server, and a program that uses both and
checks all that must hold (ops.h, victim.c).  A lie about a used ring, or an
answer that never comes, is the last of its machine.  Prints what came of the
lies, by kind, and TAP.  ONLY=KIND: no other.
"""
import collections
import concurrent.futures
import os
import signal
import subprocess
import sys
import threading

from host import BIN, RUN, WAIT, Server, said

ROUNDS = int(sys.argv[1]) if len(sys.argv) > 1 else 600
SEED = int(sys.argv[2]) if len(sys.argv) > 2 else 1
HEADER = ["unique", "error", "length", "cut", "replay", "late"]
CONTENT = ["errno", "bits", "fill", "values", "short", "long", "swap",
           "dirents", "scribble", "any"]
RING = ["used-id", "used-free", "used-len", "used-index"]
KINDS = [kind for kind in HEADER + CONTENT + RING + ["silent"]
         if kind == os.environ.get("ONLY", kind)]
BROKEN = "broke the protocol"


class Result(collections.Counter):
    """One machine's, or the sum of several."""

    def __init__(self, kind):
        super().__init__()
        self.kind = kind
        self.wrong = []


def read_words(result, text):
    """`good operations 3 data 2 wrong 0 errno-5 1`"""
    seen = []
    for line in text.splitlines():
        words = line.split()
        if words[:1] not in (["good"], ["bad"]):
            result.wrong.append(line)
            continue
        seen.append(words[0])
        for name, value in zip(words[1::2], words[2::2]):
            if name.startswith("errno"):
                result[f"{words[0]} errors"] += int(value)
            else:
                result[f"{words[0]} {name}"] += int(value)
    return seen


def judge(result, status, seen, errors, expected):
    lines = [line for line in said(errors) if BROKEN not in line]
    result["broken"] = len(said(errors)) - len(lines)
    result.wrong += lines
    if status != expected:
        result.wrong.append(f"status {status}, not {expected}")
    if expected < 128 and seen != ["good", "bad"]:
        result.wrong.append(f"it said {seen}")
    if result["broken"] != (result.kind in RING and result["lies"] > 0):
        result.wrong.append(f"{result['broken']} devices given up")


def wait_silent(server, process, number):
    """Once the server has fallen silent, tell the program to end."""
    for line in server.process.stdout:
        server.lines.append(line)
        if line == "silent\n":
            process.send_signal(number)
            return


def machine(kind, seed, operations):
    result = Result(kind)
    rate = "50" if kind in HEADER + CONTENT else "3"
    number = signal.SIGTERM if seed & 1 else signal.SIGUSR1
    strict = ["-s"] if kind not in CONTENT else []
    with Server() as good, Server("--mutate", kind, "--seed", str(seed),
                                  "--rate", rate) as bad:
        with subprocess.Popen(
                [RUN, "--fs-socket", f"{good.socket}:/good",
                 "--fs-socket", f"{bad.socket}:/bad", f"{BIN}/victim",
                 *strict, "-n", str(operations), "-b", "/bad", "/good"],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE, text=True) as run:
            if kind == "silent":
                threading.Thread(target=wait_silent,
                                 args=(bad, run, number)).start()
            try:
                out, err = run.communicate(timeout=WAIT)
            except subprocess.TimeoutExpired:
                run.kill()
                result["hung"] = 1
                result.wrong.append(f"hung; seed {seed}")
                return result
        good.end()
        counts = bad.end()
    result["lies"] = sum(n for name, n in counts.items()
                         if name.startswith("mutated"))
    ended = kind == "silent" and result["lies"] and number == signal.SIGTERM
    seen = read_words(result, out)
    judge(result, run.returncode, seen, err, 128 + number if ended else 0)
    result.wrong = [f"{line} (seed {seed})" for line in result.wrong]
    result["machines"] = 1
    return result


def plan():
    """Kinds and numbers of operations: ROUNDS lies in all, give or take."""
    lasting = len(HEADER + CONTENT)
    last = max(1, ROUNDS // 500)  # machines for each kind of last lie
    left = ROUNDS - last * (len(RING) + 1)
    each = max(20, left // lasting)
    for kind in RING + ["silent"]:
        yield from [(kind, 200)] * last
    for kind in HEADER + CONTENT:
        for at in range(0, each, 500):
            yield kind, int(min(500, each - at) / 1.1) + 1


def show(total):
    print("| lie | machines | lies | operations | data | error "
          "| devices given up | wrong |")
    print("| --- |" + " ---: |" * 7)
    for row in total.values():
        print(f"| {row.kind} | {row['machines']} | {row['lies']} "
              f"| {row['bad operations']} | {row['bad data']} "
              f"| {row['bad errors']} | {row['broken']} "
              f"| {len(row.wrong)} |")


def main():
    total = {kind: Result(kind) for kind in KINDS}
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        jobs = [pool.submit(machine, kind, SEED + i, n)
                for i, (kind, n) in enumerate(plan()) if kind in total]
        for job in jobs:
            result = job.result()
            total[result.kind].update(result)
            total[result.kind].wrong += result.wrong
    print(f"1..{len(KINDS)}")
    failed = 0
    for number, (kind, row) in enumerate(total.items(), 1):
        good = not row.wrong and row["lies"] > 0
        failed += not good
        print("ok" if good else "not ok", number, "-", kind)
        for line in row.wrong[:10]:
            print("#", line)
    show(total)
    print(f"{sum(row['lies'] for row in total.values())} lies, "
          f"{sum(row['machines'] for row in total.values())} machines, "
          f"{sum(row['good operations'] for row in total.values())} "
          "operations on honest shares")
    return 1 if failed else 0


sys.exit(main())
