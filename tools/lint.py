#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""lint.py STAMP FILE FLAGS...: gcc -fanalyzer and clang-tidy of one file.

Any finding is an error, but those of tools/lint.txt; an entry there that finds
nothing is one, too.  STAMP is written when
there is none, and STAMP.d says what else it depends on.
"""
import pathlib
import re
import subprocess
import sys

GCC = ["-fanalyzer", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Wvla"]
# what only gcc knows
NOT_CLANG = re.compile(r"-(MM?D|MP|mstack-protector.*|fno-tree-.*|Oz|include)$")
FINDING = re.compile(r"(\S+?):(\d+):\d+: (?:warning|error): (.*?) ?\[([^\]]*)\]$")


def known():
    """(check, file, function) of each line of tools/lint.txt."""
    with open("tools/lint.txt", encoding="utf-8") as file:
        return {tuple(line.split(":")) for line in file.read().splitlines()
                if line and not line.startswith("//")}


def function_at(path, number):
    """The function around that line, by the house style's own columns."""
    lines = pathlib.Path(path).read_text(encoding="utf-8").splitlines()[:number]
    start = max((i for i, x in enumerate(lines) if x == "{"), default=0)
    while start and not re.match(r"\w", lines[start]):
        start -= 1
    names = re.findall(r"(\w+)\(", lines[start]) if lines else []
    names = [n for n in names if n not in ("__attribute__", "__asm__")]
    return names[0] if names else ""


def clang_flags(flags):
    """gcc's flags as clang takes them, with clang's own headers."""
    where = subprocess.run(["clang", "-print-resource-dir"], check=True,
                           capture_output=True, text=True).stdout.strip()
    return [where + "/include" if "/gcc/" in f else f for f in flags
            if not NOT_CLANG.match(f)]


def findings(path, flags, stamp):
    """Lines of both, and whether the tools ran at all."""
    gcc = subprocess.run(
        ["gcc", *GCC, *flags, "-MMD", "-MF", stamp + ".d", "-MT", stamp, "-c",
         "-o", "/dev/null", path], capture_output=True, text=True, check=False)
    tidy = subprocess.run(
        ["clang-tidy", "--quiet", path, "--", *clang_flags(flags)],
        capture_output=True, text=True, check=False)
    good = gcc.returncode == 0 and tidy.returncode == 0
    return gcc.stderr + tidy.stdout, good, gcc.stderr + tidy.stdout + tidy.stderr


def main():
    stamp, path, *flags = sys.argv[1:]
    allowed, used, bad = known(), set(), []
    text, good, said = findings(path, flags, stamp)
    for line in text.splitlines():
        found = FINDING.match(line)
        if not found:
            continue
        file = found[1].removeprefix(str(pathlib.Path.cwd()) + "/")
        checks = [c for c in re.split(r"[ ,]", found[4])
                  if c.startswith(("-W", "clang-", "bugprone-", "cert-"))]
        where = function_at(file, int(found[2]))
        excused = {(c, file, where) for c in checks} & allowed
        used |= excused
        if not excused:
            bad.append(f"{file}:{found[2]}: {where}: {found[3]} [{found[4]}]")
    bad += [f"tools/lint.txt: {':'.join(x)}: no longer found"
            for x in sorted(allowed - used) if x[1] == path]
    if not good and not bad:
        bad.append(said)
    print("\n".join(dict.fromkeys(bad)), end="\n" if bad else "")
    if bad:
        return 1
    pathlib.Path(stamp).touch()
    return 0


sys.exit(main())
