#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""--detach and --name; toril-ps, toril-logs, toril-stop."""
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import tap

BUILD = os.path.abspath(os.environ.get("BUILD", "build"))
IMAGE = f"{BUILD}/tests/tools/waiter"
FOLDER = tempfile.mkdtemp()
STATE = f"{FOLDER}/toril"
ENV = dict(os.environ, XDG_RUNTIME_DIR=FOLDER)
ENV.pop("TORIL_STATE", None)
WAIT = 240


def call(tool, *words, status=0, **more):
    done = subprocess.run(
        [f"{BUILD}/bin/{tool}", *words], stdin=subprocess.DEVNULL, text=True,
        capture_output=True, timeout=WAIT, check=False,
        **{"env": ENV, **more})
    assert done.returncode == status, done
    return done


def start(*words, **more):
    return call("toril-run", "-d", *words, **more)


def entries(*words):
    rows = json.loads(call("toril-ps", "--json", *words).stdout)
    return {row["name"]: row for row in rows}


def until(what):
    deadline = time.monotonic() + WAIT
    while not (found := what()):
        assert time.monotonic() < deadline, what
        time.sleep(0.05)
    return found


def ends(name, status):
    row = until(lambda: (r := entries("-a")[name])["state"] == "exited" and r)
    assert row["exit_status"] == status, row


def runs_and_stops():
    done = start("-p", "0:80", "--name", "one", IMAGE, "wait", "first line")
    assert done.stdout == "one\n", done
    port = re.fullmatch(r"(127\.0\.0\.1:\d+) -> 80\n", done.stderr)
    assert port, done
    row = entries()["one"]
    assert row["state"] == "running" and row["memory"] > 1 << 20, row
    assert row["ports"] == [f"{port[1]}->80"], row
    assert row["image"] == os.path.realpath(IMAGE), row
    assert os.stat(STATE).st_mode & 0o777 == 0o700
    assert os.getsid(row["pid"]) == row["pid"], "a session of its own"
    kids = children(row["pid"])
    assert kids, row
    until(lambda: "first line\n" in call("toril-logs", "one").stdout)
    text = call("toril-ps").stdout
    assert re.search(r"^one +\d+ +Up \d+ seconds? +[\d.]+s +\d+M +127", text,
                     re.M), text
    assert call("toril-ps", "-q").stdout == "one\n"
    assert call("toril-stop", "one").stdout == "one\n"
    ends("one", 143)
    until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in kids))
    assert not entries(), entries()
    assert call("toril-logs", "one").stdout == \
        done.stderr + "ready\nfirst line\n"
    assert call("toril-stop", "one").stdout == "one\n"


def children(pid):
    path = pathlib.Path(f"/proc/{pid}/task/{pid}/children")
    return path.read_text(encoding="ascii").split()


def refuses_to_end():
    start("--name", "deaf", IMAGE, "deaf")
    until(lambda: "ready" in call("toril-logs", "deaf").stdout)
    assert call("toril-stop", "-t", "0.5", "deaf").stdout == "deaf\n"
    ends("deaf", 143)


def ends_itself():
    start("--name", "seven", IMAGE, "7", "text")
    ends("seven", 7)
    followed = call("toril-logs", "-f", "seven").stdout
    assert followed == "ready\ntext\n", followed
    assert call("toril-logs", "-n", "1", "seven").stdout == "text\n"
    assert call("toril-logs", "-n", "0", "seven").stdout == ""
    assert call("toril-logs", "-n", "9", "seven").stdout == followed


def follows():
    start("--name", "followed", IMAGE)
    with subprocess.Popen([f"{BUILD}/bin/toril-logs", "-f", "followed"],
                          env=ENV, stdout=subprocess.PIPE, text=True) as logs:
        assert logs.stdout.readline() == "ready\n"
        assert logs.poll() is None
        call("toril-stop", "followed")
        assert logs.wait(WAIT) == 0


def fails_to_start():
    """As without --detach, and nothing is left."""
    assert "No such file" in start("/nowhere/image", status=127).stderr
    assert start("/bin/true", status=126).stderr
    done = start("--name", "x", "-v", "/nowhere:/x", IMAGE, status=125)
    assert "/nowhere: No such file" in done.stderr and not done.stdout, done
    done = start("--name", "x", "--qemu", "/nowhere/qemu", IMAGE, status=125)
    assert "cannot start QEMU" in done.stderr, done
    done = start("--name", "x", "--qemu-arg", "-nonsense", IMAGE, status=125)
    assert "-nonsense" in done.stderr, done
    assert "x" not in entries("-a") and not os.path.exists(f"{STATE}/x")
    assert "expected letters" in start("--name", "../x", IMAGE,
                                       status=125).stderr


def names():
    assert start(IMAGE).stdout == "waiter\n"
    assert start(IMAGE).stdout == "waiter-2\n"
    taken = start("--name", "waiter", IMAGE, status=125).stderr
    assert "a machine with the name waiter runs" in taken, taken
    assert call("toril-stop", "waiter", "waiter-2", "nobody", status=1
                ).stdout == "waiter\nwaiter-2\n"
    start("--name", "waiter", IMAGE, "3")
    ends("waiter", 3)
    assert "no machine" in call("toril-logs", "nobody", status=1).stderr


def killed():
    """Stale entries: the process is gone, or its number is another's."""
    start("--name", "stale", IMAGE)
    row = entries()["stale"]
    os.kill(row["pid"], signal.SIGKILL)
    until(lambda: "stale" not in entries())
    assert entries("-a")["stale"]["status"] == "Killed"
    with subprocess.Popen(["sleep", "1000"]) as other:
        path = pathlib.Path(STATE, "stale", "state")
        path.write_text(re.sub(r"pid \d+", f"pid {other.pid}",
                               path.read_text()))
        assert entries("-a")["stale"]["state"] == "lost"
        assert call("toril-stop", "stale").stdout == "stale\n"
        assert other.poll() is None, "another process was hit"
        other.kill()
    start("--name", "stale", IMAGE, "0")
    ends("stale", 0)
    call("toril-ps", "--clear")
    assert not entries("-a") and not os.listdir(STATE), os.listdir(STATE)


def foreground():
    with subprocess.Popen(
            [f"{BUILD}/bin/toril-run", "--name", "front", IMAGE], env=ENV,
            stdout=subprocess.PIPE, text=True) as machine:
        assert machine.stdout.readline() == "ready\n"
        assert entries()["front"]["pid"] == machine.pid
        assert "no log" in call("toril-logs", "front", status=1).stderr
        call("toril-stop", "front")
        assert machine.wait(WAIT) == 143


def log_time():
    start("--log-time", "--verbose", "--timeout", "2", "--name", "timed",
          IMAGE)
    ends("timed", 124)
    text = call("toril-logs", "timed").stdout
    when = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z "
    for line in ("error toril-run: the program did not end within 2 seconds$",
                 "info toril-run: the program starts$"):
        assert re.search(when + line, text, re.M), text
    assert "ready\n" in text


def unsafe_place():
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o777)
        done = start(IMAGE, status=125, env=dict(ENV, TORIL_STATE=folder))
        assert "others may write there" in done.stderr, done


try:
    result = tap.run([
        ("a machine runs, is listed, and is stopped", runs_and_stops),
        ("one that ignores SIGTERM", refuses_to_end),
        ("its exit status and log remain", ends_itself),
        ("toril-logs -f", follows),
        ("what does not start", fails_to_start),
        ("names", names),
        ("killed machines; numbers that are used again", killed),
        ("--name alone", foreground),
        ("--log-time", log_time),
        ("a place that is not safe", unsafe_place)])
finally:
    for one in entries().values():
        os.kill(one["pid"], signal.SIGKILL)
    shutil.rmtree(FOLDER)
sys.exit(result)
