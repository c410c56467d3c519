#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""scale.py [NAME...]: what two threads get done with two CPUs, against one.

Host and VMs take turns in slices of a fraction of a second, so that what else
the machine does hits all alike; a round is SLICES of each, and medians of
ROUNDS count.  What the host's two threads of computing reach against one, in
the same rounds, is what its CPUs have to give: "scaled" is by that.  Two VMs
with one CPU each, side by side, show what they give to QEMU; "of two VMs" is
what the one with two CPUs reaches of that.

"by counts" is what CPUs as fast together as one alone would give: the guest's
instructions for a round of work and the share of time in which QEMU's threads
for the CPUs ran (what they waited for a CPU of the host does not count), both
against those of the VM with one CPU.
"""
import contextlib
import glob
import http.client
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import threading
import time

import machines
from machines import Toril

BUILD = os.environ.get("BUILD", "build")
ROUNDS = int(os.environ.get("ROUNDS", "7"))
SLICES = int(os.environ.get("SLICES", "5"))
MILLISECONDS = int(os.environ.get("MILLISECONDS", "100"))
COUNT_MILLISECONDS = 1000
REQUESTS = 1000
GOALS = {"compute": 1.9, "malloc": 1.7, "file": 1.7, "pipe": 1.7,
         "touch": "", "lseek": ""}
HERE = os.path.abspath(BUILD)
IMAGE = f"{HERE}/bench/scale"


def machine(folder, cpus):
    return (f"{HERE}/bin/toril-run", "-c", str(cpus),
            "-v", f"{folder}:/w", "-w", "/w")


class Scale:
    """A running bench/scale."""

    def __init__(self, stack, folder, *command):
        self.process = stack.enter_context(subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True, cwd=folder))
        stack.callback(self.process.stdin.close)

    def begin(self, name, threads, milliseconds=MILLISECONDS):
        self.process.stdin.write(f"{name} {threads} {milliseconds}\n")
        self.process.stdin.flush()

    def end(self):
        return float(self.process.stdout.readline())

    def rate(self, name, threads):
        self.begin(name, threads)
        return self.end()


class Counted(Scale):
    """One whose instructions and CPU time are known."""

    def __init__(self, stack, folder, cpus):
        self.file = pathlib.Path(folder, f"counts{cpus}")
        self.cpus = cpus
        super().__init__(
            stack, folder, *machine(folder, cpus), "--accel", "tcg",
            "--qemu-arg", "-plugin", "--qemu-arg",
            f"{HERE}/bench/count.so,out={self.file},smp=on", IMAGE)

    def tasks(self, pid):
        """Nanoseconds that each thread below pid ran, and waited to."""
        found = {}
        for task in glob.glob(f"/proc/{pid}/task/*"):
            with contextlib.suppress(OSError):
                ran, waited, _ = pathlib.Path(
                    task, "schedstat").read_text().split()
                found[task] = int(ran), int(waited)
                for child in pathlib.Path(
                        task, "children").read_text().split():
                    found |= self.tasks(child)
        return found

    def work(self, name):
        """Rounds by an instruction times the CPUs that were busy."""
        self.rate(name, 2)
        before, instructions = self.tasks(self.process.pid), machines.executed(self.file)
        start = time.monotonic()
        self.begin(name, 2, COUNT_MILLISECONDS)
        rounds = self.end() * COUNT_MILLISECONDS / 1000
        elapsed = (time.monotonic() - start) * 1e9
        after = self.tasks(self.process.pid)
        instructions = machines.executed(self.file) - instructions
        ran = sorted(((after[t][0] - before[t][0], after[t][1] - before[t][1])
                      for t in after if t in before), reverse=True)
        busy = sum(run / (elapsed - wait) for run, wait in ran[:self.cpus])
        return rounds / instructions * busy


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


def by_counts(name, one, two):
    return statistics.median(two.work(name) / one.work(name)
                             for _ in range(3))


def measure(name, guests, counted):
    rounds = [one_round(name, *guests) for _ in range(ROUNDS)]

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
          f"{by_counts(name, *counted):.2f} | {GOALS[name]} |", flush=True)


def request(guest, times):
    client = http.client.HTTPConnection("127.0.0.1", guest.port, 240)
    for _ in range(times):
        client.request("GET", "/file")
        client.getresponse().read()
    client.close()


def per_request(folder, cpus):
    """Instructions of the web server with a worker for each CPU, which two
    clients keep busy."""
    with Toril(f"{HERE}/apps/webserver", "-w", str(cpus), "-p", "80", "/srv",
               port=80, share=(folder, "/srv"), counted=True, smp=True,
               options=("-c", str(cpus))) as guest:
        request(guest, 50)
        before = guest.executed()
        clients = [threading.Thread(target=request, args=(guest, REQUESTS))
                   for _ in range(2)]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
        return (guest.executed() - before) / (2 * REQUESTS)


def web(folder):
    pathlib.Path(folder, "file").write_bytes(bytes(4096))
    one, two = (statistics.median(per_request(folder, cpus) for _ in range(3))
                for cpus in (1, 2))
    print(f"\nHTTP 4 KiB, keep-alive, two connections: {one:,.0f} "
          f"instructions with one worker on one CPU, {two:,.0f} with two on "
          f"two: were these always busy, {2 * one / two:.2f} times as many "
          f"requests")


def main():
    print("| work | 1 CPU, rounds/s | 2 CPUs | ratio | range | host | two VMs "
          "| scaled | of two VMs | by counts | goal |\n"
          "| --- |" + " ---: |" * 10)
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        guests = [Scale(stack, folder, f"{HERE}/linux/bench/scale")]
        guests += [Scale(stack, folder, *machine(folder, cpus), IMAGE)
                     for cpus in (1, 1, 2)]
        counted = [Counted(stack, folder, cpus) for cpus in (1, 2)]
        for name in sys.argv[1:] or GOALS:
            measure(name, guests, counted)
        if not sys.argv[1:]:
            web(folder)


main()
