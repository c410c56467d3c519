#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""memcached, driven by a small loader of our own."""
import concurrent.futures
import pathlib
import random
import socket
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import harness  # noqa: E402
from harness import LONG, Machine  # noqa: E402

ROUNDS = 2000 if LONG else 200


class Client:
    """The text protocol."""

    def __init__(self, port):
        self.sock = socket.create_connection(("127.0.0.1", port), harness.WAIT)
        self.file = self.sock.makefile("rwb")

    def ask(self, line, data=None):
        self.file.write(line.encode() + b"\r\n")
        if data is not None:
            self.file.write(data + b"\r\n")
        self.file.flush()
        return self.line()

    def line(self):
        return self.file.readline().rstrip(b"\r\n").decode()

    def store(self, verb, key, data, more=""):
        return self.ask(f"{verb} {key} 0 0 {len(data)}{more}", data)

    def get(self, key):
        """The value and its cas number, or None."""
        head = self.ask(f"gets {key}").split()
        if head == ["END"]:
            return None
        assert head[:2] == ["VALUE", key], head
        data = self.file.read(int(head[3]) + 2)[:-2]
        assert self.line() == "END"
        return data, int(head[4])

    def stats(self):
        self.file.write(b"stats\r\n")
        self.file.flush()
        found = {}
        while (line := self.line()) != "END":
            _, key, value = line.split(" ", 2)
            found[key] = value
        return found

    def close(self):
        self.file.close()
        self.sock.close()


def commands():
    with Machine("memcached") as vm:
        c = Client(vm.port)
        assert c.get("a") is None
        assert c.store("set", "a", b"1") == "STORED"
        assert c.store("add", "a", b"2") == "NOT_STORED"
        assert c.store("append", "a", b"0") == "STORED"
        assert c.ask("incr a 5") == "15"
        value, cas = c.get("a")
        assert value == b"15"
        assert c.store("cas", "a", b"new", f" {cas}") == "STORED"
        assert c.store("cas", "a", b"newer", f" {cas}") == "EXISTS"
        assert c.get("a")[0] == b"new"
        assert c.ask("delete a") == "DELETED" and c.get("a") is None
        assert c.ask("nonsense") == "ERROR"
        big = random.randbytes(900_000)
        assert c.store("set", "big", big) == "STORED"
        assert c.get("big")[0] == big
        assert c.store("set", "huge", bytes(1 << 21)).startswith(
            "SERVER_ERROR object too large")
        c.close()
        assert vm.stop() == 0, vm.text()


def load(port, who):
    c, rng, kept = Client(port), random.Random(who), {}
    for _ in range(ROUNDS):
        key = f"{who}-{rng.randrange(40)}"
        act = rng.choice(["set", "get", "get", "delete"])
        if act == "set":
            kept[key] = rng.randbytes(rng.randrange(5000))
            assert c.store("set", key, kept[key]) == "STORED"
        elif act == "delete":
            said = c.ask("delete " + key)
            assert said == ("DELETED" if key in kept else "NOT_FOUND"), said
            kept.pop(key, None)
        else:
            value = c.get(key)
            assert (value and value[0]) == kept.get(key)
    c.close()


def contended_counter(port):
    """cas by many at once loses no increment."""
    c, done = Client(port), 0
    while done < ROUNDS // 10:
        value, cas = c.get("sum")
        more = b"%d" % (int(value) + 1)
        done += c.store("cas", "sum", more, f" {cas}") == "STORED"
    c.close()


def many_clients_at_once():
    with Machine("memcached") as vm, \
            concurrent.futures.ThreadPoolExecutor(32) as pool:
        for job in [pool.submit(load, vm.port, n) for n in range(32)]:
            job.result()
        c = Client(vm.port)
        assert c.store("set", "sum", b"0") == "STORED"
        for job in [pool.submit(contended_counter, vm.port)
                    for _ in range(8)]:
            job.result()
        assert c.get("sum")[0] == b"%d" % (8 * (ROUNDS // 10))
        assert int(c.stats()["total_connections"]) > 40
        c.close()


def many_connections():
    with Machine("memcached") as vm:
        clients = [Client(vm.port) for _ in range(900)]
        for n, c in enumerate(clients):
            assert c.store("set", f"k{n}", b"%d" % n) == "STORED"
        for n, c in enumerate(clients):
            assert c.get(f"k{899 - n}")[0] == b"%d" % (899 - n)
        assert int(clients[0].stats()["curr_connections"]) > 900
        for c in clients:
            c.close()


harness.run("memcached", [commands, many_clients_at_once, many_connections])
