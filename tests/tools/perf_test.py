#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""toril-run --perf: what is sampled is where the time goes, with stacks from
the program into the kernel; toril-flame."""
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as tree

import tap

BUILD = os.path.abspath(os.environ.get("BUILD", "build"))
FOLDER = tempfile.mkdtemp()
OUT = f"{FOLDER}/folded"
WAIT = 240
SVG = "{http://www.w3.org/2000/svg}"


def run(*words, status, out=OUT):
    done = subprocess.run(
        [f"{BUILD}/bin/toril-run", "--perf", out, *words],
        stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=WAIT, check=False)
    assert done.returncode == status, done
    return done.stderr


def folded():
    with open(OUT, encoding="utf-8") as file:
        text = file.read()
    return {stack: int(count) for stack, count in
            re.findall(r"^(\S+) (\d+)$", text, re.M)}


def share(stacks, pattern):
    return sum(n for stack, n in stacks.items() if re.search(pattern, stack))


def finds():
    """On 2 CPUs, one for each thread."""
    assert not run("-c", "2", f"{BUILD}/tests/tools/busy", "8", status=3)
    stacks = folded()
    much = share(stacks, r";main;much;burn$")
    little = share(stacks, r";main;little;burn$")
    calls = share(stacks, r";start;caller;read;kcall_enter;\w+")
    assert little >= 5 and 1.5 < much / little < 6, stacks
    assert calls >= 5, stacks
    whole = share(stacks, r"^(thread_enter_program;|\[idle\]$)")
    assert whole >= 0.8 * sum(stacks.values()), stacks


def idles():
    """A machine that is stopped, by a signal; the file is written before."""
    with subprocess.Popen(
            [f"{BUILD}/bin/toril-run", "--perf", OUT,
             f"{BUILD}/tests/tools/waiter"], text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as machine:
        assert machine.stdout.readline() == "ready\n"
        deadline = time.monotonic() + WAIT
        while not os.path.exists(OUT) or folded().get("[idle]", 0) < 10:
            assert time.monotonic() < deadline, folded()
            time.sleep(0.1)
        machine.send_signal(signal.SIGTERM)
        assert machine.wait(WAIT) == 143
    stacks = folded()
    assert stacks["[idle]"] > 0.5 * sum(stacks.values()), stacks


def draws():
    run(f"{BUILD}/tests/tools/busy", "2", status=3)
    stacks = folded()
    done = subprocess.run(
        [f"{BUILD}/bin/toril-flame", "--title", "a<b", OUT], check=True,
        capture_output=True, text=True, timeout=WAIT)
    image = tree.fromstring(done.stdout)
    titles = [t.text for t in image.iter(SVG + "title")]
    total = sum(stacks.values())
    assert f"all: {total} samples, 100.00 %" in titles, titles
    assert any(t.startswith("much: ") for t in titles), titles
    by_row = {}
    for rect in list(image.iter(SVG + "rect"))[1:]:
        by_row.setdefault(rect.get("y"), []).append(
            (float(rect.get("x")), float(rect.get("width"))))
    for row in by_row.values():  # nothing covers anything
        row.sort()
        for (x, width), (after, _) in zip(row, row[1:]):
            assert x + width < after + 0.2, row
    for text in ("nonsense\n", ""):
        done = subprocess.run([f"{BUILD}/bin/toril-flame"], input=text,
                              capture_output=True, text=True, check=False,
                              timeout=WAIT)
        assert done.returncode == 1 and "toril-flame: " in done.stderr, done


def refuses():
    hello = f"{BUILD}/apps/hello"
    assert "/nowhere/out: No such file" in run(hello, status=125,
                                               out="/nowhere/out")
    assert "no --gdb" in run("--strace", hello, status=125)
    stripped = f"{FOLDER}/stripped"
    subprocess.run(["strip", "-o", stripped, hello], check=True, timeout=WAIT)
    assert "stripped" in run(stripped, status=125)


try:
    result = tap.run([
        ("where the time goes, on 2 CPUs", finds),
        ("a machine that waits", idles),
        ("toril-flame", draws), ("what cannot be sampled", refuses)])
finally:
    shutil.rmtree(FOLDER)
sys.exit(result)
