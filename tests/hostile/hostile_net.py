#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""hostile_net.py [ROUNDS [SEED]]: a vsock device that lies, ROUNDS times.

Each machine has an echo server whose packets are lies of one kind (liar.c)
and one whose packets are honest, connections out that hear lies, an honest
share, and a program that checks itself (victim.c).  Lies about the receive
ring end the device, and with it the machine.  Prints what came of them, by
kind, and TAP.  ONLY=KIND: no other.
"""
import collections
import concurrent.futures
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading

from host import BIN, WAIT, Server, said

ROUNDS = int(sys.argv[1]) if len(sys.argv) > 1 else 300
SEED = int(sys.argv[2]) if len(sys.argv) > 2 else 1
LASTING = ["type", "op", "cid", "port", "flags", "credit", "reset", "request",
           "response", "shutdown", "short", "bits", "replay", "reorder",
           "overrun", "cut"]
RING = ["length", "used-len", "used-id", "used-index"]
BROKEN = "broke the protocol"
PATIENCE = 0.3  # seconds that a connection which may be dead is given


class Machine:
    def __init__(self, kind, seed, rounds):
        self.kind, self.rng, self.rounds = kind, random.Random(seed), rounds
        self.count = collections.Counter()
        self.wrong = []
        self.over = threading.Event()

    def good_client(self, where):
        """Exchanges that must all come true."""
        try:
            while not self.over.is_set():
                with socket.create_connection(where, WAIT) as connection:
                    for size in (1, 100, 20000):
                        data = self.rng.randbytes(size)
                        connection.sendall(data)
                        got = b""
                        while len(got) < size:
                            piece = connection.recv(size)
                            if not piece:
                                raise OSError("end of file")
                            got += piece
                        if got != data:
                            raise OSError("other bytes")
                        self.count["good"] += 1
        except OSError as why:
            if self.kind not in RING:
                self.wrong.append(f"an honest connection: {why}")

    def bad_client(self, where):
        for _ in range(self.rounds):
            try:
                with socket.create_connection(where, WAIT) as connection:
                    connection.settimeout(PATIENCE)
                    data = self.rng.randbytes(self.rng.choice([1, 99, 9999]))
                    for _ in range(3):
                        connection.sendall(data)
                        got = connection.recv(65536)
                        self.count["bytes" if got else "end"] += 1
            except socket.timeout:
                self.count["nothing"] += 1
            except OSError:
                self.count["error"] += 1

    def talk(self, run, ports):
        good = threading.Thread(target=self.good_client, args=(ports[7002],))
        bad = [threading.Thread(target=self.bad_client, args=(ports[7001],))
               for _ in range(3)]
        for thread in [good, *bad]:
            thread.start()
        for thread in bad:
            thread.join(WAIT * 2)
            if thread.is_alive():
                self.wrong.append("a client hangs")
        self.over.set()
        good.join(WAIT)
        if good.is_alive():
            self.wrong.append("an honest connection hangs")
        if self.kind not in RING:
            if not self.count["good"]:
                self.wrong.append("no honest exchange")
            run.send_signal(signal.SIGUSR1)
            return
        for _ in range(2):  # the second ends the machine
            if run.poll() is None:
                run.send_signal(signal.SIGTERM)

    def run(self, seed):
        with Server() as good, tempfile.NamedTemporaryFile() as report:
            rate = 50 if self.kind in RING else 20
            with subprocess.Popen(
                    [f"{BIN}/liar", "--vsock", "builtin",
                     "--fs-socket", f"{good.socket}:/good",
                     "-p", "127.0.0.1:0:7001", "-p", "127.0.0.1:0:7002",
                     f"{BIN}/victim", "-e", "7001", "-e", "7002", "/good"],
                    env={**os.environ, "LIAR": f"{self.kind} {seed} {rate}",
                         "LIAR_REPORT": report.name},
                    stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE, bufsize=0) as run:
                # Unbuffered: communicate() passes over what has been read.
                ports = {}
                while len(ports) < 2:
                    line = run.stderr.readline().decode()
                    if said(line) or not line:
                        here, _, there = line.split()[:3]
                        ports[int(there)] = ("127.0.0.1",
                                             int(here.rsplit(":", 1)[1]))
                self.talk(run, ports)
                try:
                    out, err = (part.decode(errors="replace")
                                for part in run.communicate(timeout=WAIT))
                except subprocess.TimeoutExpired:
                    run.kill()
                    self.wrong.append(f"hung; seed {seed}")
                    return self
            good.end()
            self.count["lies"] = int(report.read() or 0)
            self.judge(run.returncode, out, err)
        self.wrong = [f"{line} (seed {seed})" for line in self.wrong]
        return self

    def judge(self, status, out, err):
        broken = err.count(BROKEN)
        self.count["broken"] = broken
        self.count["machines"] = 1
        if self.kind in RING:
            if not broken:
                self.wrong.append("the device was not given up: " + err)
            self.wrong += [line for line in err.splitlines()
                           if "toril: panic" in line]
            return
        if status or said(err):
            self.wrong.append(f"status {status} {err}")
        self.wrong += [line for line in out.splitlines()
                       if line.startswith("wrong")]
        if " wrong 0\n" not in out or "net accepted" not in out:
            self.wrong.append("it said " + out)


def main():
    total = {kind: collections.Counter() for kind in LASTING + RING
             if kind == os.environ.get("ONLY", kind)}
    wrong = {kind: [] for kind in total}
    jobs = []
    per_client = 8  # brings some twenty lies
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for i, kind in enumerate(total):
            rounds = max(per_client, ROUNDS // len(LASTING) // 3 + 1)
            machines = 1 if kind in LASTING else max(1, ROUNDS // 1000)
            for j in range(machines):
                seed = SEED + 100 * i + j
                jobs.append(pool.submit(
                    Machine(kind, seed, rounds if kind in LASTING
                            else per_client).run, seed))
        for job in jobs:
            machine = job.result()
            total[machine.kind].update(machine.count)
            wrong[machine.kind] += machine.wrong
    print(f"1..{len(total)}")
    failed = 0
    for number, (kind, count) in enumerate(total.items(), 1):
        good = not wrong[kind] and count["lies"] > 0
        failed += not good
        print("ok" if good else "not ok", number, "-",
              f"{kind}: {count['lies']} lies")
        for line in wrong[kind][:10]:
            print("#", line.replace("\n", "\n# "))
    print("| lie | machines | lies | answered | closed | reset | silent "
          "| devices given up | honest exchanges | wrong |")
    print("| --- |" + " ---: |" * 9)
    for kind, c in total.items():
        print(f"| {kind} | {c['machines']} | {c['lies']} | {c['bytes']} "
              f"| {c['end']} | {c['error']} | {c['nothing']} "
              f"| {c['broken']} | {c['good']} | {len(wrong[kind])} |")
    print(f"{sum(c['lies'] for c in total.values())} lies")
    return 1 if failed else 0


sys.exit(main())
