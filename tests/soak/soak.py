#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""soak.py [SECONDS [FIRST]]: servers under load with churn, and what is left.

A web server, an echo server and redis (where it is built: make port-redis)
run in a machine each, under clients that come, go, stall and break off.  After
FIRST seconds the clients stop, and once all is quiet the kernel's objects are
counted (toril.objects=) and the launcher's descriptors and memory.  Then the
load goes on, and at the end all must be as it was: not one thread, descriptor
or connection more, and no more objects and pages than ALLOWED.  Prints TAP,
with a table of what grew.
"""
import atexit
import os
import pathlib
import random
import re
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

BUILD = os.environ.get("BUILD", "build")
RUN = f"{BUILD}/bin/toril-run"
REDIS = pathlib.Path(f"{BUILD}/ports/redis/src/src/redis-server")
SECONDS = int(sys.argv[1]) if len(sys.argv) > 1 else 20
FIRST = int(sys.argv[2]) if len(sys.argv) > 2 else min(60, SECONDS // 2)
EVERY = 2       # seconds between counts
QUIET = 120     # seconds to come to rest, at most
CLIENTS = 4     # per server
EXACT = ("threads", "descriptors", "connections")


def allowed(name, before):
    """How much more of it there may be at the end."""
    if name in EXACT:
        return 0
    if name == "pages":
        return 64 + before // 50  # caches, up to their bounds; allocators
    if name == "host_memory":
        return 256 + before // 10  # KiB
    if name == "host_descriptors":
        return 0
    return 16 + before // 20


class Machine:
    """A server in a VM; `counts` is what it last said of its objects."""

    def __init__(self, name, guest_port, *command, options=()):
        self.name, self.counts, self.reports = name, {}, 0
        self.news = threading.Condition()
        self.process = subprocess.Popen(
            [RUN, "--vsock", "builtin", "-p", f"0:{guest_port}", *options,
             "--qemu-arg=-append",
             f"--qemu-arg=toril.ctl=5000 toril.objects={EVERY}", *command],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True)
        line = self.process.stderr.readline()
        found = re.match(r"127\.0\.0\.1:(\d+) -> ", line)
        if not found:
            raise AssertionError(f"{name}: {line!r}")
        self.port = int(found[1])
        self.others = []  # lines that are no counts
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        for line in self.process.stderr:
            if "toril: objects " not in line:
                self.others.append(line)
                continue
            with self.news:
                self.counts = {k: int(v) for k, v in
                               re.findall(r"(\w+)=(\d+)", line)}
                self.reports += 1
                self.news.notify_all()

    def rest(self, idle):
        """The counts once they stay the same, with no client."""
        end, last, same = time.monotonic() + QUIET, None, 0
        while time.monotonic() < end:
            with self.news:
                seen = self.reports
                if not self.news.wait_for(lambda s=seen: self.reports > s, 60):
                    raise AssertionError(f"{self.name} counts no more: "
                                         + "".join(self.others[-20:]))
                now = dict(self.counts)
            same = same + 1 if now == last else 0
            last = now
            if same >= 2 and (idle is None or
                              now["connections"] <= idle["connections"]):
                break
        return last | self.host()

    def host(self):
        """The launcher's.  Its own memory: what it has mapped of the guest's
        is the guest's, and grows with the pages that it ever used."""
        pid = self.process.pid
        status = pathlib.Path(f"/proc/{pid}/status").read_text("ascii")
        return {"host_descriptors": len(os.listdir(f"/proc/{pid}/fd")),
                "host_memory": int(
                    re.search(r"RssAnon:\s+(\d+)", status)[1])}

    def connect(self):
        s = socket.create_connection(("127.0.0.1", self.port), 120)
        s.settimeout(120)
        return s

    def end(self):
        self.process.terminate()
        self.process.wait(120)


def receive(s, n):
    data = b""
    while len(data) < n:
        piece = s.recv(min(n - len(data), 65536))
        if not piece:
            raise AssertionError(f"{len(data)} bytes instead of {n}")
        data += piece
    return data


def reset(s):
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s.close()


def use_echo(machine, rng):
    s = machine.connect()
    kind = rng.random()
    for _ in range(rng.randrange(1, 20)):
        data = rng.randbytes(rng.choice([1, 100, 4096, 50000]))
        s.sendall(data)
        if receive(s, len(data)) != data:
            raise AssertionError("echo answers something else")
    if kind < 0.2:
        s.sendall(b"x" * 5000)
        reset(s)
    else:
        s.close()


def use_web(machine, rng):
    s = machine.connect()
    for _ in range(rng.randrange(1, 10)):
        kind = rng.random()
        if kind < 0.1:
            s.sendall(b"GET /page HT")  # and no more
            break
        name, status, size = rng.choice(
            [("page", 200, 4096), ("big", 200, 300000), ("none", 404, None)])
        s.sendall(f"GET /{name} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        if name == "big" and kind < 0.3:
            s.recv(1000)
            reset(s)
            return
        head = b""
        while b"\r\n\r\n" not in head:
            head += receive(s, 1)
        length = int(re.search(rb"(?i)content-length: (\d+)", head)[1])
        receive(s, length)
        if f" {status} ".encode() not in head or size not in (None, length):
            raise AssertionError(f"{name}: {head!r}")
    s.close()


def command(*words):
    out = b"*%d\r\n" % len(words)
    for word in words:
        out += b"$%d\r\n%s\r\n" % (len(word), word)
    return out


def use_redis(machine, rng):
    s = machine.connect()
    for _ in range(rng.randrange(1, 30)):
        key, kind = b"key%d" % rng.randrange(200), rng.random()
        if kind < 0.02:
            s.sendall(command(b"SET", key, b"v" * 5000)[:2000])
            reset(s)
            return
        value = rng.randbytes(rng.choice([10, 1000, 20000]))
        s.sendall(command(b"SET", key, value) + command(b"STRLEN", key) +
                  command(b"DEL", key))
        if receive(s, 5) != b"+OK\r\n":
            raise AssertionError("redis does not take a value")
        answer = b""
        while answer.count(b"\r\n") < 2:
            answer += receive(s, 1)
    s.close()


class Load:
    """Clients of one machine, which can be stopped and started again."""

    def __init__(self, machine, use):
        self.machine, self.use, self.rounds = machine, use, 0
        self.wrong, self.threads, self.on = [], [], False

    def start(self, seed):
        self.on = True
        self.threads = [threading.Thread(target=self.loop, daemon=True,
                                         args=(random.Random(seed + i),))
                        for i in range(CLIENTS)]
        for t in self.threads:
            t.start()

    def loop(self, rng):
        while self.on and not self.wrong:
            try:
                self.use(self.machine, rng)
                self.rounds += 1
            except (OSError, AssertionError) as e:
                self.wrong.append(f"{self.machine.name}: {e!r}")

    def stop(self):
        self.on = False
        for t in self.threads:
            t.join()


def machines(work):
    for name, size in (("page", 4096), ("big", 300000)):
        pathlib.Path(work, name).write_bytes(os.urandom(size))
    yield Machine("echo", 7, f"{BUILD}/apps/echo", "7"), use_echo
    yield Machine("webserver", 80, f"{BUILD}/apps/webserver", "-p",
                  "80", "/site",
                  options=["-v", f"{work}:/site"]), use_web
    if REDIS.exists():
        yield Machine("redis", 6379, str(REDIS), "--save", "",
                      "--protected-mode", "no", options=["-m", "128M"]), \
            use_redis


def table(load, before, after):
    """Rows of what there is more of, and whether it is too much."""
    rows, good = [], True
    for name, n in before.items():
        grown = after[name] - n
        fine = grown <= allowed(name, n)
        good &= fine
        if grown or name in EXACT:
            rows.append(f"| {load.machine.name} | {name} | {n} | {after[name]}"
                        f" | {allowed(name, n)} | {'' if fine else 'LEAK'} |")
    return rows, good


def main():
    with tempfile.TemporaryDirectory() as work:
        os.chmod(work, 0o755)
        loads = []
        for machine, use in machines(work):
            atexit.register(machine.process.kill)
            loads.append(Load(machine, use))
        print(f"1..{2 * len(loads)}")
        idle = [load.machine.rest(None) for load in loads]
        snaps, seed = [], 1
        for seconds in (FIRST, SECONDS - FIRST):
            for load in loads:
                load.start(seed)
                seed += CLIENTS
            end = time.monotonic() + seconds
            while time.monotonic() < end and not any(x.wrong for x in loads):
                time.sleep(0.5)
            for load in loads:
                load.stop()
            snaps.append([load.machine.rest(i)
                          for load, i in zip(loads, idle)])
        for load in loads:
            load.machine.end()
    failed, number, rows = 0, 0, []
    for load, before, after in zip(loads, *snaps):
        more, good = table(load, before, after)
        rows += more
        checks = [(not load.wrong and load.rounds > 0,
                   f"{load.machine.name}: {load.rounds} rounds are right"),
                  (good, f"{load.machine.name}: nothing has grown")]
        for fine, name in checks:
            number += 1
            failed += not fine
            print("ok" if fine else "not ok", number, "-", name)
        for why in load.wrong:
            print("#", why)
    for row in rows:
        print("#", row)
    return 1 if failed else 0


sys.exit(main())
