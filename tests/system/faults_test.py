#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What holds between a host and its guests: what QEMU may do, a disk that is
full, a machine that is stopped for a while, clocks that jump, descriptors that
run out.
KILLS=NUMBER, STOP=SECONDS for more kills and a longer stop."""
import contextlib
import os
import pathlib
import random
import resource
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(1, os.path.join(sys.path[0], ".."))
from machine import BUILD, RUN, WAIT, Skip, children_of, main, qemu_of, served

ECHO = ["-p", "127.0.0.1:0:7000", f"{BUILD}/apps/echo", "-p", "7000"]
KILLS = int(os.environ.get("KILLS", "4"))
STOP = float(os.environ.get("STOP", "3"))


def a_full_disk_is_ENOSPC_and_nothing_taken_is_lost():
    with tempfile.TemporaryDirectory() as folder:
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=3m", "toril-test", folder],
            stderr=subprocess.DEVNULL, check=False)
        if mounted.returncode:
            raise Skip("no tmpfs can be mounted here")
        try:
            done = subprocess.run(
                [RUN, "-v", f"{folder}:/data", f"{BUILD}/tests/system/fill",
                 "/data/file"], stdin=subprocess.DEVNULL, capture_output=True,
                timeout=WAIT, check=False)
            total, why = done.stdout.decode().strip().split(" ", 1)
            data = pathlib.Path(folder, "file").read_bytes()
            assert done.returncode == 0, done
            assert why == "No space left on device", done
            assert 2 << 20 < int(total) <= len(data), (total, len(data))
            pattern = bytes(range(251))
            expected = (pattern * (len(data) // 251 + 1))[:len(data)]
            assert data[:int(total)] == expected[:int(total)], "other bytes"
        finally:
            subprocess.run(["umount", folder], check=True)
    return f"{total} bytes acknowledged, 0 lost"


def share_gone(moment):
    """Four readers are under way when the server dies: ENOTCONN for them and
    for who comes later; the other share goes on."""
    with tempfile.TemporaryDirectory() as lost, \
            tempfile.TemporaryDirectory() as kept, \
            subprocess.Popen(
                [RUN, "-v", f"{lost}:/lost", "-v", f"{kept}:/kept",
                 f"{BUILD}/tests/system/share_gone", "/lost", "/kept"],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                text=True) as run:
        assert run.stdout.readline() == "waiting\n"
        time.sleep(moment)
        for child in children_of(run.pid):
            words = pathlib.Path(f"/proc/{child}/cmdline").read_bytes()
            if lost.encode() in words:
                for pid in [*children_of(child), child]:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)  # or it went along
        gone = "Socket not connected\n"  # musl's words for ENOTCONN
        out = run.stdout.read()
        assert out == (4 * f"reader: {gone}" + f"open: {gone}"
                       + "kept: works\n"), out
        assert run.wait(WAIT) == 0
        assert pathlib.Path(kept, "file").read_bytes() == b"kept"


def a_share_s_server_is_killed_under_load():
    for _ in range(KILLS):
        share_gone(random.random() / 4)
    return f"{KILLS} kills"


def exchange(connection, byte):
    connection.sendall(byte)
    return connection.recv(1)


def a_machine_that_was_stopped_goes_on():
    """An open connection, one made meanwhile, and what was sent meanwhile."""
    with served(RUN, *ECHO) as (run, where), \
            socket.create_connection(where, WAIT) as old:
        assert exchange(old, b"a") == b"a"
        machine = qemu_of(run.pid)
        assert machine
        os.kill(machine, signal.SIGSTOP)
        old.sendall(b"b")
        with socket.create_connection(where, WAIT) as new:
            new.sendall(b"c")
            time.sleep(STOP)
            os.kill(machine, signal.SIGCONT)
            assert old.recv(1) == b"b"
            assert new.recv(1) == b"c"
            assert exchange(old, b"d") == b"d"
    return f"{STOP:.0f} s"


def the_machine_has_no_privileges():
    """seccomp, no_new_privs, and of root's capabilities those for files."""
    with served(RUN, *ECHO) as (run, where):
        with socket.create_connection(where, WAIT) as connection:
            assert exchange(connection, b"a") == b"a"
        machine = qemu_of(run.pid)
        with open(f"/proc/{machine}/status", encoding="ascii") as file:
            status = dict(line.replace(":", "").split() for line in file
                          if len(line.split()) == 2)
    assert status["Seccomp"] == "2" and status["NoNewPrivs"] == "1", status
    for name in ("CapInh", "CapPrm", "CapEff"):
        assert int(status[name], 16) & ~6 == 0, status


def clocks_jump():
    """A machine whose own clock is years off: the launcher says what time it
    is; and a wall clock that is set.  (The clock that counts from the start
    jumps when a machine is stopped.)"""
    for base in ("2040-02-03T04:05:06", "1990-01-01"):
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run(
                [RUN, "-v", f"{folder}:/data", "--qemu-arg", "-rtc",
                 "--qemu-arg", f"base={base}", f"{BUILD}/tests/system/jump",
                 "/data/file"], stdin=subprocess.DEVNULL, capture_output=True,
                text=True, timeout=WAIT, check=False)
            assert (done.returncode, done.stdout, done.stderr) == (
                0, time.strftime("%Y\njumped\n", time.gmtime()), ""), done
            assert pathlib.Path(folder, "file").read_text() == "good"
    return "6 jumps"


def all_answered(where, count):
    """`count` connections at once; each is closed when it has been answered,
    so that another one finds a descriptor."""
    with selectors.DefaultSelector() as waiting:
        for _ in range(count):
            connection = socket.create_connection(where, WAIT)
            connection.sendall(b"x")
            waiting.register(connection, selectors.EVENT_READ)
        while waiting.get_map():
            ready = waiting.select(WAIT)
            assert ready, f"{len(waiting.get_map())} were never answered"
            for key, _ in ready:
                waiting.unregister(key.fileobj)
                answer = key.fileobj.recv(2)
                assert answer == b"x", answer
                key.fileobj.close()


def echoes(count, *launcher):
    with served(*launcher, RUN, "-m", "256M", *ECHO) as (_, where):
        for _ in range(2):
            all_answered(where, count)
    return f"2 x {count} connections"


def the_launcher_runs_out_of_descriptors():
    return echoes(100, "prlimit", "--nofile=64:64")


def the_guest_runs_out_of_descriptors():
    """Its program may have 1,024."""
    resource.setrlimit(resource.RLIMIT_NOFILE,
                       2 * resource.getrlimit(resource.RLIMIT_NOFILE)[1:])
    return echoes(1500)


main([a_share_s_server_is_killed_under_load, clocks_jump,
      the_launcher_runs_out_of_descriptors, the_guest_runs_out_of_descriptors,
      the_machine_has_no_privileges,
      a_full_disk_is_ENOSPC_and_nothing_taken_is_lost,
      a_machine_that_was_stopped_goes_on])
