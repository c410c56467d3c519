#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The harness of `make bench` in short: both machines boot, count and load.

What is asked of the figures is only what no busy machine can change."""
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import traceback
import xml.etree.ElementTree

sys.path.insert(0, str(pathlib.Path(__file__).parent))
os.environ["N"] = "20"

import count  # noqa: E402
import goals  # noqa: E402
import report  # noqa: E402
import wall  # noqa: E402
from machines import BUILD, Linux, Toril, image_of  # noqa: E402

number = failed = 0


def ok(good, what):
    global number, failed
    number += 1
    failed += not good
    print(f"{'ok' if good else 'not ok'} {number} - {what}", flush=True)


def attempt(what, test):
    try:
        ok(test(), what)
    except Exception:
        print("# " + traceback.format_exc().replace("\n", "\n# "))
        ok(False, what)


def calls():
    rows = {row["name"]: row for row in count.calls()}
    print(f"# {rows}")
    return (len(rows) == len(count.CALLS) and all(
        row[kind]["instructions"] > 0 for row in rows.values()
        for kind in ("toril", "linux"))
        and rows["call-getpid"]["linux"]["instructions"]
        > rows["call-getpid"]["toril"]["instructions"])


def echo():
    row, = count.echo()
    print(f"# {row}")
    return row["toril"]["instructions"] < row["linux"]["instructions"]


def traced():
    """The launcher's own trace of its device tells of as many kicks, but that
    two may reach it as one, and that QEMU kicks, too, when it starts the
    device; and of fewer interrupts: the timer's are not among them."""
    with tempfile.TemporaryDirectory() as folder:
        file = f"{folder}/trace"
        with Toril(image_of(Toril, "apps/echo"), "-p", "80", port=80,
                   counted=True, options=("--trace", "default",
                                          "--trace-file", file)) as guest:
            with guest.connect() as sock:
                for _ in range(100):
                    sock.sendall(b"x")
                    if sock.recv(1) != b"x":
                        return False
            guest.end()
            _, kicks, interrupts, _ = guest.counts()
        said = subprocess.run(
            [f"{BUILD}/bin/toril-trace", "summary", file], check=True,
            stdout=subprocess.PIPE, text=True).stdout
    print(f"# kicks {kicks}, interrupts {interrupts}\n# "
          + said.replace("\n", "\n# "))
    raised = re.search(r"^vsock .*: (\d+) interrupts", said, re.M)
    kicked = re.search(r"^  kicks: (\d+) .*?, (\d+) ", said, re.M)
    told = int(kicked[1]) + int(kicked[2])
    return (100 <= told and abs(told - kicks) <= 10
            and 100 <= int(raised[1]) <= interrupts)


def rates():
    wall.MILLISECONDS = 50
    found = {}
    for kind in Toril, Linux:
        with kind(image_of(kind, "apps/echo"), "-p", "80",
                  port=80) as guest:
            guest.wait_listening()
            found[kind.name] = (wall.load(guest, 4, "echo", 1000),
                                wall.load(guest, 1, "setup"))
    print(f"# {found}")
    return all(rate > 0 for pair in found.values() for rate in pair)


def scale():
    row, = count.scale()
    return row["toril"] >= 1000


def judgement():
    """A goal is met, missed, or not measured, and its table says so."""
    rows = [{"name": "size-hello", "what": "", "unit": "count",
             "toril": 128 * 1024},
            {"name": "size-nginx", "what": "", "unit": "count",
             "toril": 1200001}]
    found = {words: met for words, _, met in goals.judged(rows)}
    return (list(found.values()).count(None) == len(goals.GOALS) - 2
            and found["hello: ≤ 128 KiB"] is True
            and found["nginx: ≤ 1.2 MB"] is False
            and report.goal_table(rows).count("**missed**") == 1)


def picture():
    """Bars as long as what they stand for, in order; the same as words."""
    bars = ("A & B", "ms", [("one", 100, True), ("two", 25, False)])
    root = xml.etree.ElementTree.fromstring(report.plot(*bars))
    tag = "{http://www.w3.org/2000/svg}"
    long, short = (int(r.get("width")) for r in root.iter(tag + "rect"))
    texts = [t.text for t in root.iter(tag + "text")]
    return (long == 4 * short <= int(root.get("width"))
            and texts == ["A & B, ms", "one", "100", "two", "25"]
            and report.alternative(*bars) == "A & B, ms: one 100; two 25.")


def main():
    attempt("a plot shows what was measured", picture)
    attempt("every goal is judged by what was measured", judgement)
    attempt("a `rep` is counted by its iterations", scale)
    attempt("kernel calls, counted on both", calls)
    attempt("a round trip, counted on both", echo)
    attempt("kicks and interrupts, as the device's trace tells them", traced)
    attempt("rates of both", rates)
    print(f"1..{number}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
