#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What must fault does, at the address where it should; what must differ from
run to run does.  The programs are in mitigations.c."""
import os
import re
import subprocess
import sys

BUILD = os.environ.get("BUILD", "build")
CPUS = os.environ.get("TORIL_CPUS", "1")
WAIT = 240
RUNS = 4  # for what is random

FAULTS = """null_read null_run low_write text_write constant_write
relocated_write idt_write data_run stack_run heap_run kernel_stack_run
direct_text_write direct_constant_write direct_data_read direct_run
beyond_ram_read kernel_stack_guard main_stack_guard
thread_stack_guard""".split()

# Bits that are to differ, at least so many of them over RUNS runs.
RANDOM = {"image": 12, "heap": 12, "heap-image": 4, "stack": 12,
          "stack-in-page": 2, "mapping": 12, "stack-mapping": 4, "thread": 12,
          "canary": 30, "kernel-canary": 30}


def run(name):
    done = subprocess.run(
        [f"{BUILD}/bin/toril-run", "-c", CPUS,
         f"{BUILD}/tests/kernel/mitigations", name],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, timeout=WAIT, check=False)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def faults(name):
    status, out, err = run(name)
    assert status == 139 and "survived" not in out, (status, out, err)
    where = int(out.split()[-1].replace("(nil)", "0"), 16)
    match = re.search(r"page fault at address (0x[0-9a-f]+)", err)
    assert match and int(match[1], 16) == where, (hex(where), err)


def canary():
    """The program's: only the function that was overrun ends it."""
    status, out, err = run("canary")
    assert status == 139 and "copied 15\n" in out, (status, out, err)
    assert "survived" not in out and "__stack_chk_fail" in err, (out, err)


def kernel_canary():
    status, out, err = run("kernel_canary")
    assert status == 125 and "a kernel stack is overwritten" in err, \
        (status, out, err)


def control():
    status, out, err = run("control")
    assert (status, out) == (0, "WP 1 NXE 1\nsurvived\n"), (status, out, err)


def addresses_differ():
    seen = {name: 0 for name in RANDOM}
    first = None
    for _ in range(RUNS):
        status, out, err = run("addresses")
        assert status == 0, (status, out, err)
        values = {name: int(value, 16) & (1 << 64) - 1 for name, value in
                  re.findall(r"^([\w-]+) (-?[0-9a-f]+)$", out, re.M)}
        first = first or values
        for name in seen:
            seen[name] |= values[name] ^ first[name]
    few = {name: f"{bits:x}" for name, bits in seen.items()
           if bin(bits).count("1") < RANDOM[name]}
    assert not few, few


def main():
    cases = [(name, lambda n=name: faults(n)) for name in FAULTS]
    cases += [(case.__name__, case) for case in (
        canary, kernel_canary, control, addresses_differ)]
    print(f"1..{len(cases)}")
    failed = 0
    for number, (name, case) in enumerate(cases, 1):
        try:
            case()
            print(f"ok {number} - {name}", flush=True)
        except (AssertionError, subprocess.TimeoutExpired) as why:
            failed += 1
            print(f"not ok {number} - {name}")
            print("#", str(why).replace("\n", "\n# "), flush=True)
    return 1 if failed else 0


sys.exit(main())
