#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The bar for what takes longer than two seconds: on a terminal, and only
there; when it is over it is gone."""
import contextlib
import io
import os
import pty
import re
import subprocess
import sys
import tempfile
import threading
import time

import tap

BUILD = os.path.abspath(os.environ.get("BUILD", "build"))
HELLO = f"{BUILD}/apps/hello"
WAIT = 240
SLOW = 4  # seconds, of which two pass without a bar
ERASE = "\r\x1b[K"
sys.dont_write_bytecode = True
sys.path.insert(0, "host/share")


def call(*command, terminal, **more):
    """Status, stdout and stderr, which is a terminal or a pipe."""
    if not terminal:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, text=True,
                              capture_output=True, timeout=WAIT, check=False,
                              **more)
        return done.returncode, done.stdout, done.stderr
    ours, theirs = pty.openpty()
    said = []

    def listen():
        with contextlib.suppress(OSError):  # EIO: nobody has it open
            while data := os.read(ours, 4096):
                said.append(data)

    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=theirs,
                          stdout=subprocess.PIPE, text=True, **more) as process:
        os.close(theirs)
        listener = threading.Thread(target=listen)
        listener.start()
        out, _ = process.communicate(timeout=WAIT)
        listener.join(WAIT)
    os.close(ours)
    return process.returncode, out, b"".join(said).decode()


def start():
    with tempfile.TemporaryDirectory() as folder:
        slow = f"{folder}/qemu"
        with open(slow, "w", encoding="ascii") as script:
            script.write(f"#!/bin/sh\nsleep {SLOW}\n"
                         'exec qemu-system-x86_64 "$@"\n')
        os.chmod(slow, 0o755)
        command = [f"{BUILD}/bin/toril-run", "--qemu", slow, HELLO]
        result = call(*command, terminal=False)
        assert result == (0, "Hello from Toril!\n", ""), result
        status, out, err = call(*command, terminal=True)
    assert (status, out) == (0, "Hello from Toril!\n"), (status, out, err)
    assert re.match(r"\rtoril-run: starting the machine \[ *==== *\] 2 s",
                    err), err
    assert err.endswith(ERASE) and err.count(ERASE) == 1, err


def stop():
    with tempfile.TemporaryDirectory() as folder:
        env = {**os.environ, "XDG_RUNTIME_DIR": folder}
        env.pop("TORIL_STATE", None)
        for terminal in (False, True):
            result = call(f"{BUILD}/bin/toril-run", "-d", "--name", "deaf",
                          f"{BUILD}/tests/tools/waiter", "deaf",
                          terminal=False, env=env)
            assert result[:2] == (0, "deaf\n"), result
            with subprocess.Popen(
                    [f"{BUILD}/bin/toril-logs", "-f", "deaf"], env=env,
                    stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                    text=True) as logs:
                assert any("ready" in line for line in logs.stdout)
                logs.terminate()
            status, out, err = call(
                f"{BUILD}/bin/toril-stop", "-t", str(SLOW), "deaf",
                terminal=terminal, env=env)
            assert (status, out) == (0, "deaf\n"), (status, out, err)
            if not terminal:
                assert err == "", err
                continue
            assert "toril-stop: waiting for deaf to end [=====" in err, err
            assert err.endswith(ERASE), err


def trace():
    lines = [f"1@{n}.000000:apic_local_deliver vector 5 delivery mode 0\n"
             for n in range(1, SLOW * 5)]

    def write(path):
        with open(path, "w", encoding="ascii") as file:
            for line in lines:
                file.write(line)
                file.flush()
                time.sleep(0.2)  # what is tried is a slow reading

    for terminal in (False, True):
        with tempfile.TemporaryDirectory() as folder:
            path = f"{folder}/trace"
            os.mkfifo(path)
            writer = threading.Thread(target=write, args=[path], daemon=True)
            writer.start()
            status, out, err = call(f"{BUILD}/bin/toril-trace", "print", path,
                                    terminal=terminal)
            writer.join(WAIT)
        assert status == 0 and out, (status, out, err)
        assert ("\rtoril-trace: reading " in err) == terminal, err
        assert err.endswith(ERASE if terminal else ""), err


class Terminal(io.StringIO):
    def isatty(self):
        return True


def patience():
    from toril_progress import Progress  # pylint: disable=C0415
    now, screen = 100.0, Terminal()
    with contextlib.redirect_stderr(screen):
        with Progress("x", clock=lambda: now) as bar:
            bar.at(0.1)
            now = 101.9
            bar.at(0.4)
            assert screen.getvalue() == "", screen.getvalue()
            now = 102.0
            bar.at(0.5)
            first = screen.getvalue()
            assert first == "\rx [==========          ] 50%\x1b[K", first
            bar.at(0.6)  # too soon for another
            assert screen.getvalue() == first
            now = 103.0
            bar.at(None)
            assert screen.getvalue()[len(first):] == \
                "\rx [               =    ] 3 s\x1b[K", screen.getvalue()
        assert screen.getvalue().endswith(ERASE)
    with contextlib.redirect_stderr(io.StringIO()) as plain:
        with Progress("x", clock=lambda: now) as bar:
            now = 200.0
            bar.at(0.5)
    assert plain.getvalue() == ""


if __name__ == "__main__":
    sys.exit(tap.run([
        ("a slow start of toril-run", start), ("a slow end with toril-stop",
                                               stop),
        ("much for toril-trace to read", trace),
        ("after two seconds, five times a second", patience)]))
