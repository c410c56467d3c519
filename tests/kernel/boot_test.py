#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Machines of all shapes boot: little and much memory, more CPUs, the
commands of --dry-run, repeated starts."""
import os
import subprocess
import sys
import tempfile

BUILD = os.environ.get("BUILD", "build")
RUN = f"{BUILD}/bin/toril-run"
HELLO = f"{BUILD}/apps/hello"
WAIT = 240


def run(*args, env=None):
    done = subprocess.run(args, stdin=subprocess.DEVNULL, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=WAIT, env=env)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def hello(*options):
    status, out, err = run(RUN, *options, HELLO)
    assert (status, out, err) == (0, linux_says(), ""), (status, out, err)


def linux_says():
    return run(f"{BUILD}/linux/apps/hello")[1]


def least_memory():
    hello("-m", "4M")


def odd_memory():
    hello("-m", "5124K")


def much_memory():
    hello("-m", "8G")


def as_much_memory_as_there_is():
    with open("/proc/meminfo", encoding="ascii") as info:
        kib = int(info.readline().split()[1])
    hello("-m", f"{min(kib // 1024, 65536)}M")


def two_cpus():
    hello("-c", "2")


def four_cpus():
    hello("-c", "4", "-m", "16M")


def twenty_in_a_row():
    for _ in range(20):
        hello()


def kernel_messages_only_when_asked():
    status, out, err = run(RUN, "--verbose", HELLO)
    assert status == 0 and out == linux_says() and err, (status, out, err)


def dry_run_works_when_pasted():
    with tempfile.TemporaryDirectory() as folder:
        status, script, err = run(RUN, "--dry-run", "-v", f"{folder}:/w",
                                  "-e", "A=b c", HELLO)
        assert status == 0 and "qemu-system-x86_64" in script, (status, err)
        status, out, err = run("sh", "-c", script)
        assert (status, out) == (0, linux_says()), (status, out, err)


def seven_shares():
    with tempfile.TemporaryDirectory() as folder:
        shares = [word for n in range(7)
                  for word in ("-v", f"{folder}:/share{n}")]
        hello(*shares)


def main():
    cases = [least_memory, odd_memory, much_memory,
             as_much_memory_as_there_is, two_cpus, four_cpus,
             twenty_in_a_row, kernel_messages_only_when_asked,
             dry_run_works_when_pasted, seven_shares]
    print(f"1..{len(cases)}")
    failed = 0
    for number, case in enumerate(cases, 1):
        try:
            case()
            print(f"ok {number} - {case.__name__}", flush=True)
        except (AssertionError, subprocess.TimeoutExpired) as why:
            failed += 1
            print(f"not ok {number} - {case.__name__}")
            print("#", str(why).replace("\n", "\n# "), flush=True)
    return 1 if failed else 0


sys.exit(main())
