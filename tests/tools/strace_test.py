#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""toril-run --strace beside strace on Linux: the same programs, options and,
but for addresses, output."""
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
import types

import tap

BUILD = os.environ.get("BUILD", "build")
WAIT = 240


def toril(program, words="", status=0, where="-c1"):
    done = subprocess.run(
        [f"{BUILD}/bin/toril-run", where, f"--strace={words}",
         f"{BUILD}/tests/tools/{program}"], stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=WAIT, check=False)
    assert done.returncode == status, done
    return done.stderr


def linux(program, *words):
    if not shutil.which("strace"):
        print("# strace is not here: not compared")
        return None
    done = subprocess.run(
        ["strace", *words, f"{BUILD}/tests/tools/{program}_linux"],
        check=False, capture_output=True, text=True, timeout=WAIT)
    return done.stderr


def plain(text):
    """Lines without what differs from run to run."""
    text = re.sub(r"^\[pid +\d+\] ", "", text, flags=re.M)
    text = re.sub(r" +(= \S)", r" \1", text.replace("|O_LARGEFILE", ""))
    return re.sub(r"0x7f[0-9a-f]{8,}", "ADDRESS", text).splitlines()


def same(a, b):
    assert a == b, "\n".join(["Linux:"] + a + ["Toril:"] + b)


def calls():
    said = toril("calls", status=7)
    assert all(line.startswith("[pid     2] ") for line in said.splitlines())
    there = linux("calls")
    if there:
        same(plain(there[there.index("open("):]), plain(said))


def decoded():
    there = linux("decode")
    said = toril("decode")
    assert len(said.splitlines()) > 40, said
    if there:
        same(plain(there[there.index("lseek(99"):]), plain(said))


def every_call_has_arguments():
    """None is printed as six addresses."""
    sys.modules["gdb"] = types.ModuleType("gdb")
    spec = importlib.util.spec_from_file_location(
        "calls", "host/share/toril-calls.py")
    known = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(known)
    with open("posix/calls.def", encoding="utf-8") as file:
        there = re.findall(r"^KCALL\(\d{1,3}, (\w+),", file.read(), re.M)
    missing = set(there) - set(known.SIGNATURES)
    assert len(there) > 200 and not missing, missing
    kinds = set("".join(known.SIGNATURES.values()))
    assert kinds <= set(known.DECODERS), kinds - set(known.DECODERS)


def filters():
    """Sets of calls: a form for each."""
    for words in ("trace=close,lseek", "close,lseek", "trace=!close",
                  "trace=%file", "trace=file", "trace=/^(read|write)$",
                  "trace=%desc", "trace=!%desc,%file", "trace=none",
                  "trace=?nosuch,read"):
        there = linux("calls", "-q", "-q", "-e", words)
        said = toril("calls", f"-q -e {words}", status=7)
        if there is None:
            assert "pid" in said or words == "trace=none"
            continue
        there = re.sub(r"^(execve|arch_prctl|set_tid_address)\(.*\n", "",
                       there, flags=re.M)
        same(plain(there), plain(said))
    there = linux("calls", "-q", "-q", "-Z")
    if there:
        same(plain(there), plain(toril("calls", "-q -Z", status=7)))
    assert toril("calls", "close,lseek", status=7).count("close(") == 3


def table(text):
    rows = re.findall(r"^ *[\d.]+ +[\d.]+ +\d+ +(\d+) +(\d+ )? *(\w+)$", text,
                      re.M)
    return sorted((name, int(calls), int(errors or 0))
                  for calls, errors, name in rows
                  if name not in ("execve", "arch_prctl", "set_tid_address"))


def summary():
    for words in (["-c"], ["-c", "-e", "trace=%file"]):
        said = toril("calls", " ".join(words), status=7)
        rows = [row for row in table(said) if row[0] != "total"]
        assert said.startswith("% time     seconds  usecs/call     calls"), \
            said
        there = linux("calls", *words)
        if there:
            same([row for row in table(there) if row[0] != "total"], rows)
        assert ("total", sum(row[1] for row in rows),
                sum(row[2] for row in rows)) in table(said), said
    both = toril("calls", "-C -S name", status=7)
    names = re.findall(r"^ *[\d.]+ +[\d.]+ .* (\w+)$", both, re.M)[:-1]
    assert "[pid     2] open(" in both and names == sorted(names), both


def prints():
    said = toril("leaves", "-f", status=143, where="-c2")
    for pattern in (
            r"^\[pid +2\] --- SIGUSR1 \{si_signo=SIGUSR1, \.\.\.\} ---$",
            r"^\[pid +3\] close\(77\) += -1 EBADF",
            r"^\[pid +2\] \+\+\+ killed by SIGTERM \+\+\+$"):
        assert re.search(pattern, said, re.M), f"{pattern}\n{said}"
    assert "getpid" not in said
    said = toril("leaves", "-e getppid,getpid,getpgid", status=143)
    for pattern in (r"getpid\(\) += \d+$", r"getppid\(\) += \d+$",
                    r"getpgid\(.*\) += -1 ESRCH"):
        assert re.search(pattern, said, re.M), f"{pattern}\n{said}"
    said = toril("calls", "-tt -T -s 5 -e write", status=7)
    assert re.match(r'\[pid +2\] \d\d:\d\d:\d\d\.\d{6} write\(3, "a \\"li"\.'
                    r"\.\., 42\) += 42 <\d+\.\d{6}>\n", said), said
    with tempfile.NamedTemporaryFile("r") as file:
        toril("calls", f"-o {file.name}", status=7)
        assert "open(" in file.read()


def mistakes():
    for words, why in (("-x", "-x"), ("-e trace=%nonsense", "%nonsense"),
                       ("-e signal=all", "signal"), ("-S nothing", "nothing"),
                       ("-o /nowhere/file", "/nowhere/file")):
        said = toril("calls", words, status=125)
        assert "toril-strace: " in said and why in said, said


sys.exit(tap.run([
    ("lines are those of strace", calls),
    ("arguments that have names", decoded),
    ("every call's arguments are known", every_call_has_arguments),
    ("-e trace=SET, -Z", filters), ("-c, -C, -S", summary),
    ("signals, threads, leaves, times, -o", prints),
    ("options that are not known", mistakes)]))
