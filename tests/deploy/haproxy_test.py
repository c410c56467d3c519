#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Three machines behind HAProxy with docs/deploy/haproxy.cfg, under load.  One
is held until requests wait for it and then killed: each answer is right, and
the requests that it took with it are answered by the others; one that starts
in its place is used again."""
import collections
import contextlib
import csv
import http.client
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(1, os.path.join(sys.path[0], ".."))
from machine import BUILD, RUN, WAIT, Skip, main, qemu_of

CLIENTS = 12
PHASE = 300  # requests
HAPROXY = shutil.which("haproxy", path=os.environ["PATH"] + ":/usr/sbin")


class Machine:
    """The web server in a machine."""

    def __init__(self, site, port=0):
        self.process = subprocess.Popen(
            [RUN, "-m", "32M", "-v", f"{site}:/srv:ro",
             "-p", f"127.0.0.1:{port}:80", f"{BUILD}/apps/webserver",
             "-p", "80", "/srv"], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        if not port:  # it says which it took
            said = self.process.stderr.readline()
            port = int(re.search(r":(\d+) -> 80", said)[1])
        self.port = port

    def end(self):
        """A second SIGTERM ends it at once."""
        self.process.terminate()
        self.process.terminate()
        self.process.communicate(timeout=WAIT)


class Proxy:
    """HAProxy; what it logs becomes events."""

    def __init__(self, folder, listener, machines):
        self.admin = f"{folder}/admin"
        settings = {f"VM{n}": f"127.0.0.1:{machine.port}"
                    for n, machine in enumerate(machines, 1)}
        self.process = subprocess.Popen(
            [HAPROXY, "-db", "-f", "docs/deploy/haproxy.cfg"],
            env={**os.environ, **settings, "ADMIN": self.admin,
                 "FRONT": f"fd@{listener.fileno()}"},
            pass_fds=[listener.fileno()], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.lines = []
        self.changed = threading.Condition()
        self.ended = False
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            with self.changed:
                self.lines.append(line.rstrip())
                self.changed.notify_all()
        with self.changed:
            self.ended = True
            self.changed.notify_all()

    def wait(self, text):
        """A line that has it is logged, or was."""
        def found():
            return self.ended or any(text in line for line in self.lines)
        with self.changed:
            assert self.changed.wait_for(found, WAIT) and not self.ended, \
                "\n".join([f"no {text}", *self.lines[-20:]])

    def figures(self):
        """By server, what `show stat` says."""
        with socket.socket(socket.AF_UNIX) as admin:
            admin.settimeout(WAIT)
            admin.connect(self.admin)
            admin.sendall(b"show stat\n")
            with admin.makefile(encoding="ascii") as file:
                text = file.read().lstrip("# ")
        return {row["svname"]: row for row in csv.DictReader(
            text.strip().splitlines()) if row["pxname"] == "machines"}

    def end(self):
        self.process.terminate()
        self.process.wait(timeout=WAIT)
        self.reader.join()


class Load:
    """Clients that ask for files and compare what they get, until the end."""

    def __init__(self, port, bodies):
        self.port, self.bodies = port, bodies
        self.answered = collections.Counter()
        self.cut = 0
        self.wrong = []
        self.changed = threading.Condition()
        self.over = False
        self.threads = [threading.Thread(target=self._client, args=(n,))
                        for n in range(CLIENTS)]
        for thread in self.threads:
            thread.start()

    def _client(self, seed):
        chance = random.Random(seed)
        link = http.client.HTTPConnection("127.0.0.1", self.port, WAIT)
        while not self.over:
            name = chance.choice(sorted(self.bodies))
            server, wrong, cut = None, None, 0
            try:
                link.request("GET", "/" + name)
                reply = link.getresponse()
                server = reply.getheader("X-Served-By")
                body = reply.read()
                if reply.status != 200 or body != self.bodies[name]:
                    wrong = f"{name}: {reply.status}, {len(body)} bytes"
            except http.client.IncompleteRead:
                cut = 1
            except (OSError, http.client.HTTPException) as why:
                # Before the head nothing may be lost, behind it something.
                cut, wrong = (1, None) if server else (0, f"{name}: {why!r}")
            with self.changed:
                if cut or wrong:
                    link.close()
                else:
                    self.answered[server] += 1
                self.cut += cut
                self.wrong += [wrong] if wrong else []
                self.changed.notify_all()
        link.close()

    def wait(self, condition):
        with self.changed:
            assert self.changed.wait_for(
                lambda: self.wrong or condition(), WAIT), self.answered
            assert not self.wrong, self.wrong[:5]

    def more(self, count=PHASE):
        """So many are answered from now on; by whom."""
        before = self.answered.copy()
        aim = before.total() + count
        self.wait(lambda: self.answered.total() >= aim)
        return self.answered - before

    def end(self):
        self.over = True
        for thread in self.threads:
            thread.join()


def holds_requests(proxy, name):
    """Until the server has some to answer: nothing tells when."""
    end = time.monotonic() + WAIT
    while int(proxy.figures()[name]["scur"]) < 1:
        assert time.monotonic() < end, proxy.figures()[name]
        time.sleep(0.02)


def kill(machine):
    os.kill(qemu_of(machine.process.pid), signal.SIGKILL)
    machine.process.communicate(timeout=WAIT)
    assert machine.process.returncode == 125, machine.process.returncode


def one_killed_of_three():
    if not HAPROXY:
        raise Skip("haproxy is not here")
    with contextlib.ExitStack() as ends:
        folder = ends.enter_context(tempfile.TemporaryDirectory())
        site = pathlib.Path(folder, "site")
        site.mkdir()
        bodies = {f"f{n}": random.Random(n).randbytes(100 << n)
                  for n in range(10)}
        for name, body in {**bodies, "index.html": b"up"}.items():
            (site / name).write_bytes(body)
        machines = []
        for _ in range(3):
            machines.append(Machine(site))
            ends.callback(machines[-1].end)
        listener = ends.enter_context(
            socket.create_server(("127.0.0.1", 0), backlog=64))
        proxy = Proxy(folder, listener, machines)
        ends.callback(proxy.end)
        port = listener.getsockname()[1]
        listener.close()  # who connects when HAProxy has ended is refused
        load = Load(port, bodies)
        ends.callback(load.end)
        ends.callback(proxy.end)  # first of all, so that no client waits
        return in_turn(site, machines, proxy, load, ends)


def in_turn(site, machines, proxy, load, ends):
    started = time.monotonic()
    load.wait(lambda: min(load.answered[f"vm{n}"] for n in (1, 2, 3)) > 20)
    held = qemu_of(machines[1].process.pid)
    os.kill(held, signal.SIGSTOP)
    holds_requests(proxy, "vm2")
    kill(machines[1])
    proxy.wait("machines/vm2 is DOWN")
    load.more(CLIENTS)  # what was on its way
    without = load.more()
    assert set(without) == {"vm1", "vm3"}, without
    lost = proxy.figures()["vm2"]
    ends.callback(Machine(site, machines[1].port).end)
    proxy.wait("machines/vm2 is UP")
    was = load.answered["vm2"]
    load.wait(lambda: load.answered["vm2"] > was + 20)
    load.end()
    assert not load.wrong, load.wrong[:5]
    assert int(lost["wredis"]) >= 1, lost
    assert load.cut <= CLIENTS, load.cut
    show(proxy)
    return (f"{load.answered.total()} answers right in "
            f"{time.monotonic() - started:.1f} s; {lost['wredis']} sent to "
            f"another server, {load.cut} cut in the middle")


def show(proxy):
    """With VERBOSE=1, what HAProxy said of it."""
    if os.environ.get("VERBOSE"):
        for line in proxy.lines:
            if "Server" in line or re.search(r"/\+?[1-9] \d+/\d+ \"", line) \
                    or re.search(r"\d/\+\d+ ", line):
                print("#", line)
        for name, row in proxy.figures().items():
            print("#", name, {key: row[key] for key in (
                "status", "stot", "hrsp_2xx", "eresp", "econ", "wretr",
                "wredis", "cli_abrt", "srv_abrt")})


main([one_killed_of_three])
