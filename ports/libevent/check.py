#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""libevent's own regression tests, each in a machine of its own.

In one process together, as --no-fork alone would run them, they disturb one
another on Linux too.
"""
import collections
import concurrent.futures
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import harness  # noqa: E402
from harness import Machine  # noqa: E402

YOUNG = ("libevent takes the wall clock's offset only when the monotonic clock "
         "is past 5 s; this machine is younger")
SKIPPED = {
    "main/fork": "forks",
    "thread/forking": "forks",
    "util/log": "forks, to see exit statuses",
    "main/mm_functions": "frees what another allocator made, on Linux too",
    "main/event_pending": YOUNG,
    "main/gettimeofday_cached": YOUNG,
    "main/gettimeofday_cached_sleep": YOUNG,
}


def names():
    with Machine("libevent", ["--list-tests"]) as vm:
        vm.wait()
        found = [line.split()[0] for line in vm.text().splitlines()
                 if line.startswith("    ") and "/" in line]
    assert len(found) > 300, vm.text()
    return found


def one(name):
    """None, or what went wrong."""
    # Some of them give 10 ms to what takes one: they may try again.
    for _ in range(10):
        with Machine("libevent", [name]) as vm:
            if vm.wait() == 0:
                return None
    return f"{name}: {vm.text()[-1000:]}"


def regress_passes():
    counts = collections.Counter()
    todo = []
    for name in names():
        if name in SKIPPED:
            counts["skipped"] += 1
        else:
            todo.append(name)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        bad = [b for b in pool.map(one, todo) if b]
    for name, why in SKIPPED.items():
        print(f"# not run: {name}: {why}")
    print(f"# {len(todo) - len(bad)} passed, {len(bad)} failed, "
          f"{counts['skipped']} not run")
    assert not bad, "\n".join(bad)


harness.run("libevent", [regress_passes])
