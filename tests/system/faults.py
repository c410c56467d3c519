#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""faults.py: every fault, in its long form, and a table at the end.

For `make faults`.  Each row is a test of its own, which `make test` runs in a
shorter form; what the test says it has tried is the table's second column.
"""
import os
import re
import subprocess
import sys

# a test and what makes it long; what its cases are called in the table
TESTS = [
    (["tests/system/faults_test.py"], {"KILLS": "100", "STOP": "150"}, {
        "a_share_s_server_is_killed_under_load":
            "virtiofsd killed under load",
        "clocks_jump": "clocks that jump",
        "the_launcher_runs_out_of_descriptors":
            "the launcher out of descriptors",
        "the_guest_runs_out_of_descriptors": "the guest out of descriptors",
        "a_full_disk_is_ENOSPC_and_nothing_taken_is_lost": "disk full",
        "a_machine_that_was_stopped_goes_on": "QEMU stopped and continued"}),
    (["tests/system/cuts_test.py"], {}, {
        "http_cut_at_every_byte": "clients cut at every byte",
        "out_cut_at_every_byte": "connections out cut at every byte"}),
    (["tests/hostile/hostile_net.py", "600"], {"ONLY": "cut"}, {
        "cut": "SOCKS cut at every byte"}),
    (["tests/sweep/sweep.py", "1"], {}, {
        "every allocation may fail": "out of memory, each allocation"}),
    (["tests/system/crowd_test.py"], {"SLOW": "10000"}, {
        "a_crowd": "20,000 connections, half of them slow"}),
]
RESULT = re.compile(r"(not ok|ok) \d+ - ([\w ]+?)(?:: (.*)| # skip (.*))?")


def rows_of(command, more, names):
    """(what, tried, result) for each case; one that says nothing failed."""
    done = subprocess.run(command, env={**os.environ, **more}, check=False,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          text=True)
    print(done.stdout, end="", flush=True)
    found = {m[2]: m for line in done.stdout.splitlines()
             if (m := RESULT.fullmatch(line))}
    for name, what in names.items():
        m = found.get(name)
        good = m and m[1] == "ok"
        tried = (m[3] or m[4] or "") if m else "nothing was said"
        yield what, tried, \
            "failed" if not good else "not tried" if m[4] else "survived"
    for name in found.keys() - names.keys():
        if found[name][1] != "ok":
            yield name, found[name][3] or "", "failed"


def main():
    rows = [row for test in TESTS for row in rows_of(*test)]
    print("| fault | tried | result |\n| --- | --- | --- |")
    for row in rows:
        print("|", " | ".join(row), "|")
    return 1 if any(row[2] == "failed" for row in rows) else 0


sys.exit(main())
