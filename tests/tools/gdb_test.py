#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""toril-run --gdb, with gdb in batch mode: it stops at main() with symbols,
break points hold on every CPU, and the helpers show threads, files, mappings
and locks."""
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

import tap

BUILD = os.environ.get("BUILD", "build")
IMAGE = f"{BUILD}/tests/tools/debuggee"
WAIT = 240


def debug(cpus, commands, image=IMAGE):
    """What gdb says, and what the program and toril-run do."""
    with tempfile.TemporaryDirectory() as folder:
        socket = os.path.join(folder, "gdb")
        with subprocess.Popen(
                [f"{BUILD}/bin/toril-run", "-c", str(cpus), f"--gdb={socket}",
                 "--timeout", str(WAIT), image], stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                text=True) as machine:
            try:
                deadline = time.monotonic() + WAIT
                while not os.path.exists(socket):
                    assert machine.poll() is None, machine.stderr.read()
                    assert time.monotonic() < deadline, "no socket"
                    time.sleep(0.05)
                arguments = ["gdb", "-q", "-nx", "-batch", "-x",
                             f"{BUILD}/share/toril/toril-gdb.py", "-ex",
                             f"toril-attach {socket}"]
                for command in commands:
                    arguments += ["-ex", command]
                done = subprocess.run(
                    arguments + [image], stdin=subprocess.DEVNULL, text=True,
                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                    timeout=WAIT, check=False)
                out, err = machine.communicate(timeout=WAIT)
            finally:
                machine.kill()
        left = os.listdir(folder)
    assert not left, f"left behind: {left}"
    return done.stdout, out, err, machine.returncode


def expect(text, *patterns):
    for pattern in patterns:
        assert re.search(pattern, text, re.M | re.S), f"{pattern}:\n{text}"


def stops_at_main():
    said, out, err, status = debug(1, ["bt", "detach"])
    expect(said, r"breakpoint 2, main \(argc=1.*debuggee\.c:",
           r"#1 .*libc_start_main_stage2", r"thread_enter_program \(\)\n")
    expect(err, "waiting for gdb -x .*toril-gdb.py -ex 'toril-attach ")
    assert (out, status) == ("ready\n", 0), (said, out, err, status)


def shows_all(cpus):
    said, out, err, status = debug(cpus, [
        "break everybody_runs", "continue", "info toril-threads",
        "toril-bt all", "toril-fds", "toril-maps", "toril-locks",
        "toril-thread 3", "toril-thread", "finish", "detach"])
    expect(said,
           r"TID +NAME +STATE",
           r"Breakpoint \d+, everybody_runs",
           r"2  debuggee +on CPU \d",
           r"3  debuggee +sleeping",
           # a sleeping thread, through the kernel into the program
           r"pipe_read .*<kernel entry>.* read \(.*reader_thread \(",
           r"#0 +(0x\w+ in )?everybody_runs .*#1 [^\n]* main \(",
           r"spinner_thread \(",
           r"   3  pipe .*   4  pipe .*   5  tmp_file .*/tmp/notes",
           r"rw-p \[stack\]",
           r"\d+ held",
           r"0 held.*main \(argc=1")
    assert "Python Exception" not in said, said
    assert (out, status) == ("ready\n", 0), (said, out, err, status)


def steps():
    """In the kernel, on another CPU than the first."""
    said, out, err, status = debug(2, [
        "break pipe_read", "continue", "bt 4", "next", "next", "info symbol "
        "$pc", "delete", "detach"])
    expect(said, r"Breakpoint \d+, pipe_read", "pipe_read .* in section")
    assert (out, status) == ("ready\n", 0), (said, out, err, status)


def traces():
    """Calls with their arguments and results, in strace's form."""
    said, out, err, status = debug(1, ["toril-strace"])
    expect(said,
           r"^\[pid     2\] pipe\(\[3, 4\]\) +   = 0$",
           r'^\[pid     2\] open\("/tmp/notes", O_RDWR\|O_CREAT\|O_LARGEFILE, '
           r"0600\) = 5$",
           r"^\[pid     2\] exit_group\(0\) +   = \?$")
    assert "Python Exception" not in said, said
    assert (out, status) == ("ready\n", 0), (said, out, err, status)


def main():
    assert pathlib.Path(IMAGE).exists(), IMAGE
    return tap.run([
        ("stops at main", stops_at_main),
        ("threads, files, mappings, locks; 1 CPU", lambda: shows_all(1)),
        ("the same on 2 CPUs", lambda: shows_all(2)),
        ("break points and steps in the kernel", steps),
        ("kernel calls, as strace prints them", traces)])


sys.exit(main())
