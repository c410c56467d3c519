#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""sweep.py [STEP [FIRST [LAST]]]: every STEP-th allocation of the kernel fails, one a run.

The debug build makes the N-th allocation after the program's start fail
(toril.fail_alloc=N), for N from 1 until none is left to fail.  Each run must
end: with right results, with an error that says that there is no memory, or,
where the program's own memory was wanted, as by SIGKILL.  No panic, no hang,
nothing wrong afterwards, and nothing left behind.  Prints TAP.
"""
import collections
import concurrent.futures
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading

BUILD = os.environ.get("DEBUG_BUILD", "build/debug")
STEP = int(sys.argv[1]) if len(sys.argv) > 1 else 7
FIRST = int(sys.argv[2]) if len(sys.argv) > 2 else 1
LAST = int(sys.argv[3]) if len(sys.argv) > 3 else 1 << 30
SLACK = 12  # objects: what is kept for later differs from run to run
WAIT = 300
Ended = collections.namedtuple("Ended", "returncode stdout stderr left")
HIT = "toril: an allocation fails"


def client(where, over):
    """Echoes are wanted until the machine is gone; any may be broken off."""
    while not over.is_set():
        try:
            with socket.create_connection(where, 10) as connection:
                connection.sendall(bytes(3000))
                connection.recv(3000)
        except OSError:
            over.wait(0.05)


def run(n):
    """With a share of its own, which must be empty in the end."""
    over = threading.Event()
    with tempfile.TemporaryDirectory() as share, subprocess.Popen(
            [f"{BUILD}/bin/toril-run", "--vsock", "builtin", "-m", "32M",
             "--timeout", "150", "-v", f"{share}:/mnt", "-p",
             "127.0.0.1:0:7000", "--qemu-arg=-append",
             f"--qemu-arg=toril.ctl=5000 toril.fail_alloc={n}",
             f"{BUILD}/tests/sweep/victim", "/mnt"], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            bufsize=0) as done:  # communicate() passes over what is buffered
        line = done.stderr.readline().decode()
        where = ("127.0.0.1", int(line.split()[0].rsplit(":", 1)[1]))
        thread = threading.Thread(target=client, args=(where, over))
        thread.start()
        try:
            out, err = (part.decode(errors="replace")
                        for part in done.communicate(timeout=WAIT))
        finally:
            done.kill()
            over.set()
            thread.join()
        return Ended(done.returncode, out, err, os.listdir(share))


def counts(text):
    found = {k: int(v) for k, v in re.findall(r"^= (\w+) (\d+)", text, re.M)}
    found["objects"] = sum(v for k, v in found.items() if k[:8] == "objects_")
    return found


def verdict(done, usual):
    """How it ended, and what was wrong with that or None."""
    text = [x for x in done.stdout.splitlines() if x[:2] != "= "]
    said = f"status {done.returncode}: {text} {done.stderr[-1500:]}"
    if "toril: panic" in done.stderr:
        return "bad", said
    if done.returncode == 137:
        return "killed", None  # a page of the program's own
    if done.returncode == 139 and "__copy_tls" in done.stderr:
        return "killed", None  # libc does not look whether mmap() worked
    if done.returncode == 3:
        return "an error", None  # of the write of its report
    if done.returncode:
        return "bad", said
    now = counts(done.stdout)
    for name, slack in (("threads", 0), ("descriptors", 0), ("connections", 0),
                        ("objects", SLACK)):
        if now.get(name, 1 << 30) > usual[name] + slack:
            return "bad", f"{name}: {now.get(name)}, usually {usual[name]}"
    if done.left:
        return "bad", f"left behind: {done.left}"
    errors = [x for x in done.stdout.splitlines() if x[:2] != "= "]
    return ("an error" if errors else "unnoticed"), None


def sweep(usual):
    """Counts by outcome, what was bad, how many allocations there are."""
    outcomes, bad, n = collections.Counter(), [], FIRST
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        while n <= LAST:
            tried = [n, n + STEP]
            for at, done in zip(tried, pool.map(run, tried)):
                if HIT not in done.stderr:
                    return outcomes, bad, at - STEP
                how, why = verdict(done, usual)
                outcomes[how] += 1
                if why:
                    bad.append(at)
                    print(f"# toril.fail_alloc={at}:",
                          why.replace("\n", "\n# "), flush=True)
            n += 2 * STEP
    return outcomes, bad, n


def main():
    plain = run(0)
    usual = counts(plain.stdout)
    if plain.returncode or not usual["objects"]:
        print("Bail out!", plain)
        return 1
    print("1..2", flush=True)
    outcomes, bad, last = sweep(usual)
    kinds = ", ".join(f"{v} {k}" for k, v in sorted(outcomes.items()))
    print("not ok" if bad else "ok", "1 - every allocation may fail:",
          f"{last}, every {STEP}th: {kinds}")
    told = outcomes["an error"] > 0
    print("ok" if told else "not ok", "2 - and the program is told")
    return 1 if bad or not told else 0


sys.exit(main())
