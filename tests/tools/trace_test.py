#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""--trace and toril-trace: the figures of a known run, and an interrupt whose
end the guest loses, which gdb sees to."""
import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import tap

BUILD = os.path.abspath(os.environ.get("BUILD", "build"))
IMAGE = f"{BUILD}/tests/tools/asker"
FOLDER = tempfile.mkdtemp()
OUT = f"{FOLDER}/trace"
WAIT = 240


def command(number, *words, trace="default", out=OUT):
    return [f"{BUILD}/bin/toril-run", "--trace", trace, "--trace-file", out,
            "-v", f"{FOLDER}:/srv:ro", *words, IMAGE, "/srv", str(number)]


def run(*words, status=0, **more):
    done = subprocess.run(command(*words, **more), text=True,
                          stdin=subprocess.DEVNULL, capture_output=True,
                          timeout=WAIT, check=False)
    assert done.returncode == status, done
    return done


def look(*words, status=0):
    done = subprocess.run([f"{BUILD}/bin/toril-trace", *words], text=True,
                          capture_output=True, timeout=WAIT, check=False)
    assert done.returncode == status, done
    return done.stdout


def summarises():
    """100 names that the share has not: a request and an interrupt each."""
    assert run(100).stdout == "0 found\n"
    said = look("summary", OUT)
    found = re.search(
        r"^fs0 /srv \(line 11\): (\d+) interrupts, (\d+) acknowledged, "
        r"(\d+) ended$", said, re.M)
    assert found, said
    raised, acknowledged, ended = map(int, found.groups())
    assert 100 <= raised <= 150 and raised == acknowledged, said
    assert raised - 1 <= ended <= raised, said
    found = re.search(
        r"^vsock \(line 12\): (\d+) interrupts.*\n  kicks: (\d+) .*, (\d+) .*;"
        r" packets: (\d+) and (\d+)$", said, re.M)
    assert found and all(int(n) > 0 for n in found.groups()), said
    rows = re.findall(r"^  (raised to acknowledged|acknowledged to ended)"
                      r" +(\d+) +(\d+) +(\d+) +(\d+)$", said, re.M)
    assert len(rows) == 4, said
    for row in rows:
        assert sorted(map(int, row[1:])) == list(map(int, row[1:])), said
    assert re.match(r"none of \d+ interrupts was lost\n", look("check", OUT))


def prints():
    text = look("print", OUT)
    times = [float(t) for t in re.findall(r"^ *([\d.]+) ms", text, re.M)]
    assert len(times) > 500 and times == sorted(times)
    for pattern in (r"CPU 0 +fs0 +memory_region_ops_write +interrupt "
                    r"acknowledge = 0x1$",
                    r"fs0 +ioapic_clear_remote_irr +end of interrupt$",
                    r"toril-run +vsock +toril_vsock_kick +the guest notifies$",
                    r"toril-run +vsock +toril_vsock_from_guest +op request len "
                    r"0 guest \d+ host \d+$"):
        assert re.search(pattern, text, re.M), f"{pattern}\n{text[-3000:]}"
    only = look("print", "-d", "fs0", OUT).splitlines()
    assert only and all(" fs0 " in line for line in only)


def converts():
    events = json.loads(look("json", OUT))["traceEvents"]
    slices = [e for e in events if e["ph"] == "X"]
    tracks = {e["tid"]: e["args"]["name"] for e in events
              if e["ph"] == "M" and e["name"] == "thread_name"
              and e["pid"] == 1}
    assert tracks[11] == "fs0 /srv" and tracks[12] == "vsock", tracks
    assert len([e for e in slices if e["tid"] == 11]) >= 100
    assert all(e["dur"] > 0 and e["ts"] >= 0 for e in slices)
    assert {"CPU 0", "toril-run"} <= {
        e["args"]["name"] for e in events if e["ph"] == "M"}


def stands_still():
    """Nothing happens any more, for longer than an interrupt may take."""
    size, since = -1, time.monotonic()
    end = since + WAIT
    while time.monotonic() < since + 4:
        now = os.stat(OUT).st_size
        if now != size:
            size, since = now, time.monotonic()
        assert time.monotonic() < end, "it goes on"
        time.sleep(0.1)


def finds_lost():
    """gdb returns from apic_eoi() before it is done, once, for the share."""
    socket = f"{FOLDER}/gdb"
    with subprocess.Popen(
            command(500, f"--gdb={socket}"), text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE) as machine:
        words = ["gdb", "-q", "-nx", "-batch", "-x",
                 f"{BUILD}/share/toril/toril-gdb.py"]
        for one in (f"toril-attach {socket}",
                    "break drivers/virtio/virtio.c:interrupt", "continue",
                    "break apic_eoi", "continue", "return", "delete",
                    "detach"):
            words += ["-ex", one]
        done = subprocess.run(words + [IMAGE], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=WAIT,
                              check=False)
        stands_still()
        while machine.poll() is None:  # the first one the program would get
            machine.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                machine.wait(0.1)
        out, err = machine.communicate(timeout=WAIT)
    assert machine.returncode == 143 and not out, (done, err)
    said = look("check", OUT, status=1)
    handled = re.search(
        r"^fs0 /srv \(line 11\): the interrupt of ([\d.]+) ms was handled, but "
        r"has no end-of-interrupt, [\d.]+ ms to the end$", said, re.M)
    assert handled, said
    assert re.search(
        r"^fs0 /srv .* was not delivered, .*\n  the line waits for the end of "
        rf"that of {handled[1]} ms, vector \d+$", said, re.M), said


def patterns():
    run(1, trace="virtio_set_status,apic_deliver_irq")
    with open(OUT, encoding="utf-8") as file:
        names = set(re.findall(r"^\d+@[\d.]+:(\w+)", file.read(), re.M))
    assert names == {"virtio_set_status", "apic_deliver_irq"}, names
    done = run(1, out="/nowhere/trace", status=125)
    assert "/nowhere/trace.toril: No such file" in done.stderr, done
    look("print", "/nowhere/trace", status=1)


try:
    result = tap.run([
        ("summary of a known run", summarises), ("print", prints),
        ("json", converts), ("a lost interrupt", finds_lost),
        ("patterns, places", patterns)])
finally:
    shutil.rmtree(FOLDER)
sys.exit(result)
