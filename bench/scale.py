#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""scale.py [NAME...]: what two threads get done with two CPUs, against one.

Host and VMs take turns in slices of a fraction of a second, so that what else
the machine does hits all alike; a round is SLICES of each, and medians of
ROUNDS count.  What the host's two threads of computing reach against one, in
the same rounds, is what its CPUs have to give: "scaled" is by that.  Two VMs
with one CPU each, side by side, show what they give to QEMU; "of two VMs" is
what the one with two CPUs reaches of that.
"""
import contextlib
import os
import statistics
import subprocess
import sys
import tempfile

BUILD = os.environ.get("BUILD", "build")
ROUNDS = int(os.environ.get("ROUNDS", "7"))
SLICES = int(os.environ.get("SLICES", "5"))
MILLISECONDS = int(os.environ.get("MILLISECONDS", "100"))
GOALS = {"compute": 1.9, "malloc": 1.7, "file": 1.7, "pipe": 1.7,
         "touch": "", "lseek": ""}


class Scale:
    """A running bench/scale."""

    def __init__(self, stack, folder, *command):
        self.process = stack.enter_context(subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True, cwd=folder))
        stack.callback(self.process.stdin.close)

    def begin(self, name, threads):
        self.process.stdin.write(f"{name} {threads} {MILLISECONDS}\n")
        self.process.stdin.flush()

    def end(self):
        return float(self.process.stdout.readline())

    def rate(self, name, threads):
        self.begin(name, threads)
        return self.end()


def side_by_side(name, *machines):
    for machine in machines:
        machine.begin(name, 1)
    return sum(machine.end() for machine in machines)


def one_round(name, host, one, other, two):
    """Mean rates: of the host's one and two threads, one CPU, two VMs, two
    CPUs."""
    slices = [(host.rate("compute", 1), host.rate("compute", 2),
               one.rate(name, 2), side_by_side(name, one, other),
               two.rate(name, 2)) for _ in range(SLICES)]
    return [statistics.mean(column) for column in zip(*slices)]


def measure(name, machines):
    rounds = [one_round(name, *machines) for _ in range(ROUNDS)]

    def median(ratio):
        return statistics.median(ratio(*r) for r in rounds)

    each = [two / one for _, _, one, _, two in rounds]
    print(f"| {name} | {median(lambda h1, h2, one, apart, two: one):,.0f} | "
          f"{median(lambda h1, h2, one, apart, two: two):,.0f} | "
          f"{statistics.median(each):.2f} | {min(each):.2f}–{max(each):.2f} | "
          f"{median(lambda h1, h2, one, apart, two: h2 / h1):.2f} | "
          f"{median(lambda h1, h2, one, apart, two: apart / one):.2f} | "
          f"{median(lambda h1, h2, one, apart, two: two/one*2*h1/h2):.2f} | "
          f"{median(lambda h1, h2, one, apart, two: two / apart):.2f} | "
          f"{GOALS[name]} |", flush=True)


def main():
    here = os.path.abspath(BUILD)
    print("| work | 1 CPU, rounds/s | 2 CPUs | ratio | range | host | two VMs "
          "| scaled | of two VMs | goal |\n"
          "| --- |" + " ---: |" * 9)
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        machines = [Scale(stack, folder, f"{here}/linux/bench/scale")]
        machines += [
            Scale(stack, folder, f"{here}/bin/toril-run", "-c", cpus, "-v",
                  f"{folder}:/w", "-w", "/w", f"{here}/bench/scale")
            for cpus in ("1", "1", "2")]
        for name in sys.argv[1:] or GOALS:
            measure(name, machines)


main()
