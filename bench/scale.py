#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""scale.py [NAME...]: what two threads get done with two CPUs, against one.

Host and VMs take turns, ROUNDS times; medians count.  What the host's two
threads of the same computing reach against one is what there was to have: the
last column is scaled by it.
"""
import os
import statistics
import subprocess
import sys
import tempfile

BUILD = os.environ.get("BUILD", "build")
ROUNDS = int(os.environ.get("ROUNDS", "7"))
MILLISECONDS = os.environ.get("MILLISECONDS", "500")
GOALS = {"compute": 1.9, "malloc": 1.7, "file": 1.7, "pipe": 1.7}


def rates(command, folder):
    out = subprocess.run(command, check=True, stdout=subprocess.PIPE,
                         text=True, timeout=300, cwd=folder).stdout
    return {line.split()[0]: float(line.split()[1])
            for line in out.splitlines()}


def main():
    names = sys.argv[1:]
    here = os.path.abspath(BUILD)
    seen = {key: [] for key in ("host1", "host2", "vm1", "vm2")}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(ROUNDS):
            for n in "1", "2":
                seen["host" + n].append(rates(
                    [f"{here}/linux/bench/scale", n, MILLISECONDS,
                     "compute"], folder))
                seen["vm" + n].append(rates(
                    [f"{here}/bin/toril-run", "-c", n, "-v", f"{folder}:/w",
                     "-w", "/w", f"{here}/bench/scale", "2", MILLISECONDS,
                     *names], folder))

    def median(key, name):
        return statistics.median(r[name] for r in seen[key])

    host = median("host2", "compute") / median("host1", "compute")
    print(f"Two threads on the host: {host:.2f} times one.\n")
    print("| work | 1 CPU, rounds/s | 2 CPUs | ratio | range | scaled | goal |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for name in seen["vm1"][0]:
        ratio = median("vm2", name) / median("vm1", name)
        each = [b[name] / a[name] for a, b in zip(seen["vm1"], seen["vm2"])]
        print(f"| {name} | {median('vm1', name):,.0f} | "
              f"{median('vm2', name):,.0f} | {ratio:.2f} | "
              f"{min(each):.2f}–{max(each):.2f} | {ratio * 2 / host:.2f} | "
              f"{GOALS.get(name, '')} |")


main()
