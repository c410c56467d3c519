#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""make compile_commands.json: clang's tools find a file of each kind in it, and
can compile that."""
import json
import os
import subprocess
import sys

import tap

WAIT = 240
FILES = ["kernel/lib/cmdline.c", "posix/timer.c", "drivers/virtio/virtqueue.c",
         "host/loop.c", "apps/webserver/uri.c"]


def written():
    build = os.environ.get("BUILD", "build")
    subprocess.run(["make", "-s", f"BUILD={build}", "compile_commands.json"],
                   check=True, timeout=WAIT, stdout=subprocess.DEVNULL)
    with open("compile_commands.json", encoding="utf-8") as file:
        entries = {entry["file"]: entry for entry in json.load(file)}
    assert all(os.path.exists(name) for name in entries)
    for name in FILES:
        entry = entries[name]
        subprocess.run([*entry["arguments"], "-fsyntax-only"], check=True,
                       cwd=entry["directory"], timeout=WAIT)


def believed():
    done = subprocess.run(
        ["clang-tidy", "-p", ".", "--checks=-*,clang-analyzer-core.*",
         "apps/webserver/uri.c", "host/loop.c"],
        capture_output=True, text=True, timeout=WAIT, check=False)
    assert done.returncode == 0 and "error:" not in done.stdout, done


if __name__ == "__main__":
    sys.exit(tap.run([("a command for each file", written),
                      ("which clang-tidy takes", believed)]))
