#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The debug build finds the mistakes that it is asked to make, and runs a
sample of the programs of tests/posix without finding one of its own."""
import os
import re
import subprocess
import sys
import tempfile

BUILD = os.environ.get("BUILD", "build/debug")
WAIT = 240
MISTAKES = {
    "order": "lock checker: the order is reversed",
    "mutex_order": "lock checker: the order is reversed",
    "twice": "lock checker: taken twice",
    "not_held": "lock checker: this CPU does not hold it",
    "sleeping": "lock checker: a spin lock is held",
    "irq": "lock checker: interrupts on",
    "freed": "written after it was freed, byte 50 is 0x1",
    "freed_twice": "freed twice",
    "freed_page": "written after it was freed, byte 5 is 0x1",
    "stack": "a kernel stack had",
}


def mistake(name, says):
    done = subprocess.run(
        [f"{BUILD}/bin/toril-run", "--qemu-arg", "-append", "--qemu-arg",
         f"toril.mistake={name}", f"{BUILD}/apps/hello"],
        stdin=subprocess.DEVNULL, capture_output=True, timeout=WAIT,
        check=False)
    text = done.stderr.decode(errors="replace")
    assert done.returncode == 125 and f"toril: panic: {says}" in text or \
        "toril: panic: 0x" in text and says in text or \
        "toril: panic: page 0x" in text and says in text, text


def absent_cpu():
    """One that does not start is named, and the rest run."""
    done = subprocess.run(
        [f"{BUILD}/bin/toril-run", "-c", "3", "--qemu-arg", "-append",
         "--qemu-arg", "toril.verbose toril.absent_cpu=1",
         f"{BUILD}/apps/hello"], stdin=subprocess.DEVNULL,
        capture_output=True, timeout=WAIT, check=False)
    text = done.stderr.decode(errors="replace")
    for line in ("CPU 1 does not start", "2 of 3 CPUs run", "Hello"):
        assert line in text, text


def panic_events():
    """What the kernel did before it panicked."""
    done = subprocess.run(
        [f"{BUILD}/bin/toril-run", "--qemu-arg", "-append", "--qemu-arg",
         "toril.mistake=twice", f"{BUILD}/apps/hello"],
        stdin=subprocess.DEVNULL, capture_output=True, timeout=WAIT,
        check=False)
    text = done.stderr.decode(errors="replace")
    assert re.search(r"^\d+ us CPU 0 runs thread 0$", text, re.M), text


def crash_events():
    """And before a program crashed: it ran, and met a page fault."""
    done = subprocess.run(
        [f"{BUILD}/bin/toril-run", f"{BUILD}/tests/tools/debuggee", "crash"],
        stdin=subprocess.DEVNULL, capture_output=True, timeout=WAIT,
        check=False)
    text = done.stderr.decode(errors="replace")
    assert done.returncode == 139 and re.search(
        r"^Last kernel events:$.* ms  CPU 0  runs thread 2$.*"
        r" ms  CPU 0  fault 14$", text, re.M | re.S), text


def look(*words):
    """toril-trace as it lies in the sources: a debug build installs none."""
    return subprocess.run(
        ["host/bin/toril-trace", *words], text=True, capture_output=True,
        timeout=WAIT, check=True,
        env=dict(os.environ, PYTHONPATH="host/share")).stdout


def traced():
    """The kernel's events among the devices' in --trace."""
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/trace"
        subprocess.run(
            [f"{BUILD}/bin/toril-run", "--trace", "default", "--trace-file",
             path, f"{BUILD}/apps/hello"], stdin=subprocess.DEVNULL,
            capture_output=True, timeout=WAIT, check=True)
        text, total = look("print", path), look("summary", path)
    # an interrupt of vsock, its end, and whom it woke, who then runs
    assert re.search(
        r"vsock +ioapic_set_irq +line up$.* guest +interrupt \d+$.*"
        r" guest +wakes a kernel thread$.*vsock +ioapic_clear_remote_irr +end "
        r"of interrupt$.* guest +runs a kernel thread$", text,
        re.M | re.S), text
    assert re.search(r" guest +runs thread 2$", text, re.M), text
    assert re.search(r"^the guest: \d+ switches, \d+ wake-ups$", total,
                     re.M), total


def sample():
    """A TAP test itself: its results are counted here as one."""
    done = subprocess.run(
        ["tests/posix/run.py"] + sys.argv[1:], check=False,
        stdout=subprocess.PIPE, env=dict(os.environ, BUILD=BUILD))
    text = done.stdout.decode()
    assert done.returncode == 0 and "\nok " in text, text


def hostile(script, rounds):
    """Hosts that lie to a kernel that checks itself; one result, too."""
    done = subprocess.run(
        [f"tests/hostile/{script}", rounds], check=False, text=True,
        stdout=subprocess.PIPE, env=dict(os.environ, BUILD=BUILD))
    assert done.returncode == 0 and "\nok " in done.stdout, done.stdout


def main():
    cases = [(name, lambda n=name, s=says: mistake(n, s))
             for name, says in MISTAKES.items()]
    cases.append(("absent_cpu", absent_cpu))
    cases.append(("events before a panic", panic_events))
    cases.append(("events before a crash", crash_events))
    cases.append(("events in a trace", traced))
    cases.append(("hosts that lie about files",
                  lambda: hostile("hostile.py", "300")))
    cases.append(("hosts that lie about sockets",
                  lambda: hostile("hostile_net.py", "100")))
    cases.append(("programs of " + " ".join(sys.argv[1:]), sample))
    print(f"1..{len(cases)}")
    failed = 0
    for number, (name, case) in enumerate(cases, 1):
        try:
            case()
            print(f"ok {number} - {name}", flush=True)
        except (AssertionError, OSError, subprocess.SubprocessError) as why:
            failed += 1
            print(f"not ok {number} - {name}")
            for line in str(why).splitlines():
                print("#", line, flush=True)
    return 1 if failed else 0


sys.exit(main())
