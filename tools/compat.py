#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""compat.py [--write | --check]: the table of calls in docs/compatibility.md.

posix/compat.tsv says of each call that posix/calls.def has whether it is all
there ("yes") or partly, what is missing, and which program of tests/posix
covers it (under the word by which that program calls it); of others ("no")
why they are not there.  The numbers come from Linux's own header.  --check
fails when any of these disagree, or the page is not what they give.
"""
import pathlib
import re
import sys

HEADER = pathlib.Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h")
CALLS = pathlib.Path("posix/calls.def")
STATES = pathlib.Path("posix/compat.tsv")
PAGE = pathlib.Path("docs/compatibility.md")
TESTS = pathlib.Path("tests/posix")
BEGIN, END = "<!-- calls: generated -->", "<!-- calls: end -->"
OWN = 1000  # numbers from here on are not Linux's


def linux_numbers():
    found = re.findall(r"#define __NR_(\w+)\s+(\d+)", HEADER.read_text())
    return {int(n): name for name, n in found}


def implemented():
    found = re.findall(r"^KCALL\((\d+), (\w+),", CALLS.read_text(), re.M)
    return {int(n): name for n, name in found if int(n) < OWN}


def states():
    """name -> [state, note, word, test]"""
    rows = (line.split("\t") for line in STATES.read_text().splitlines())
    return {r[0]: (r[1:] + ["", "", ""])[:4] for r in rows}


def problems(linux, calls, says):
    for n, name in calls.items():
        if linux.get(n) != name:
            yield f"{CALLS}: {n} is {linux.get(n)}, not {name}"
        if says.get(name, ["no"])[0] == "no":
            yield f"{STATES}: says nothing of {name}, which is there"
    for name, (state, _, word, test) in says.items():
        there = name in calls.values()
        if state not in ("yes", "partly", "no"):
            yield f"{STATES}: {name}: what is {state!r}?"
        if name not in linux.values() or (state != "no") != there:
            yield f"{STATES}: {name} is {'' if there else 'not '}there"
        if state == "no":
            continue
        source = TESTS / f"{test}.c"
        if not source.exists():
            yield f"{STATES}: {name}: there is no {source}"
        elif not re.search(rf"\b(SYS_)?{word}\(|\bSYS_{word}\b",
                           source.read_text()):
            yield f"{STATES}: {name}: {source} does not call {word}"


def table(linux, calls, says):
    yield "| number | call | there | remarks | test |"
    yield "| ---: | --- | --- | --- | --- |"
    for n in sorted(linux):
        state, note, _, test = says.get(linux[n], ["no", "", "", ""])
        if n not in calls:
            note = f"ENOSYS: {note}" if note else "ENOSYS"
        yield f"| {n} | {linux[n]} | {state} | {note} | {test} |"


def page(linux, calls, says):
    head, rest = PAGE.read_text().split(BEGIN)
    tail = rest.split(END)[1]
    lines = "\n".join(table(linux, calls, says))
    return f"{head}{BEGIN}\n{lines}\n{END}{tail}"


def main():
    linux, calls, says = linux_numbers(), implemented(), states()
    wrong = list(problems(linux, calls, says))
    new = page(linux, calls, says)
    if sys.argv[1:] == ["--write"]:
        PAGE.write_text(new)
    elif new != PAGE.read_text():
        wrong.append(f"{PAGE}: not up to date: run make compat")
    print("\n".join(wrong), end="\n" if wrong else "")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
