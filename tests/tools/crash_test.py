#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A program that crashes: the report with the backtraces of all threads and
the mapping that was hit; --core, opened by gdb."""
import os
import re
import subprocess
import sys
import tempfile

import tap

BUILD = os.environ.get("BUILD", "build")
IMAGE = f"{BUILD}/tests/tools/debuggee"
WAIT = 240


def crash(*arguments, how="crash", env=None):
    done = subprocess.run(
        [f"{BUILD}/bin/toril-run", *arguments, IMAGE, how],
        stdin=subprocess.DEVNULL, capture_output=True, timeout=WAIT,
        env=env, check=False, text=True)
    assert done.stdout == "ready\n", done
    return done.returncode, done.stderr


def expect(text, *patterns):
    for pattern in patterns:
        assert re.search(pattern, text, re.M | re.S), f"{pattern}:\n{text}"


RAN = r"\n    sleeping, ran \d+\.\d{3} s, left the CPU \d+ times \(\d+ forced\)\n"
THREADS = (r'Thread 2 "debuggee":' + RAN + r'#0 +crash_here .*debuggee\.c:\d+\n'
           r"#1 .* main \(argc=.*"
           r'Thread 3 "debuggee":' + RAN + r"    in read\(3, 0x\w+, 1\)\n"
           r"#0 +read \(\).* reader_thread \(.*debuggee\.c:\d+.*"
           r"Thread 4 .*#0 .*spinner_thread \(.*debuggee\.c:\d+")


def reports(cpus):
    status, text = crash("-c", str(cpus))
    assert status == 139, (status, text)
    expect(text, "^toril: page fault at address 0x1234$",
           "^0x1234 is in no mapping\n  above is ",
           r"crash_here\+0x", THREADS, r"^CPU 0: .*, \d+ more to run, \d+ switch",
           f"^CPU {cpus - 1}: ")


def reports_mapping():
    status, text = crash(how="constant")
    assert status == 139, (status, text)
    expect(text, r"^0x\w+ is in the mapping .*which is in constant", "#0 .*main ")


def without_gdb():
    """The report is there, the backtraces of the others are not."""
    with tempfile.TemporaryDirectory() as folder:
        for tool in ("qemu-system-x86_64",):
            path = subprocess.run(["which", tool], check=True, text=True,
                                  stdout=subprocess.PIPE).stdout.strip()
            os.symlink(path, os.path.join(folder, tool))
        status, text = crash(env=dict(os.environ, PATH=folder))
    assert status == 139, (status, text)
    expect(text, r"crash_here\+0x")
    assert "Thread 3" not in text, text


def core(how, status, pattern):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "core")
        ended, text = crash("--core", path, "-c", "2", how=how)
        assert ended == status, (ended, text)
        expect(text, f"The core is in {path}$")
        done = subprocess.run(
            ["gdb", "-q", "-nx", "-batch", "-x",
             f"{BUILD}/share/toril/toril-gdb.py", IMAGE, path,
             "-ex", "info threads", "-ex", "thread apply all bt",
             "-ex", "print progress", "-ex", "info toril-threads"],
            stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=WAIT, check=False)
    assert "Python Exception" not in done.stderr, done.stderr
    expect(done.stdout, pattern, "reader_thread", "spinner_thread",
           r"^\$1 = \{7, 8, 9\}$", r"2  debuggee +sleeping",
           r"4  debuggee +sleeping")


def no_place():
    status, text = crash("--core", "/nowhere/core")
    assert status == 139, (status, text)
    expect(text, "/nowhere/core: No such file or directory: there is no core")


def main():
    return tap.run([
        ("report, 1 CPU", lambda: reports(1)),
        ("report, 2 CPUs", lambda: reports(2)),
        ("the mapping that was hit", reports_mapping),
        ("without gdb", without_gdb),
        ("core of a fault", lambda: core(
            "crash", 139, r"signal SIGSEGV.*#0 +crash_here .*#1 .*main")),
        ("core of abort", lambda: core(
            "abort", 134, r"signal SIGABRT.* abort \(.*main \(argc=")),
        ("nowhere to put a core", no_place)])


sys.exit(main())
