#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""crash.py [ROUNDS [SEED]]: is anything lost that was acknowledged?

A program in a machine (agent.c) does to a share what it is told here, and
acknowledges each operation when its call has returned.  At a random moment
QEMU, or virtiofsd, is killed.  What is then on the host must be what the
acknowledged operations made of it; of the one under way at that moment, for
each client, all, nothing, or a part of its bytes may be there.

LIE=1: the agent acknowledges first and acts later, which must be found.
Without arguments: a few rounds, and the same with lies.
"""
import concurrent.futures
import contextlib
import os
import pathlib
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading

BUILD = os.environ.get("BUILD", "build")
RUN = f"{BUILD}/bin/toril-run"
AGENT = f"{BUILD}/tests/crash/agent"
WAIT = 120
CLIENTS = 3
JOBS = int(os.environ.get("JOBS", "2"))
OUT_OF_TIME = 1.0  # seconds: the latest moment of a kill


class Link(str):
    """Where a symbolic link leads."""


class Model:
    """A client's folder: path -> bytes, None (a folder) or Link."""

    def __init__(self, folder, rng):
        self.folder, self.rng = folder, rng
        self.tree = {}
        self.count = 0

    def path(self, name):
        return f"{self.folder}/{name}"

    def files(self):
        return [name for name, what in self.tree.items()
                if isinstance(what, bytes)]

    def fresh(self):
        self.count += 1
        top = [n for n, what in self.tree.items() if what is None] + [""]
        where = self.rng.choice(top)
        return f"{where}/n{self.count}" if where else f"n{self.count}"

    def choose(self):
        """The next operation, which is one that can be done."""
        files, byte = self.files(), self.rng.randrange(1, 256)
        if len(files) < 3:
            return ("create", self.fresh())
        name = self.rng.choice(files)
        size = len(self.tree[name])
        verb = self.rng.choice(
            ["create", "write", "write", "append", "append", "map", "fsync",
             "truncate", "rename", "rename", "link", "symlink", "unlink",
             "mkdir"])
        length = self.rng.choice([1, 100, 4096, 20000, 70000])
        if verb == "write":
            return (verb, name, self.rng.randrange(0, size + 1), length, byte)
        if verb == "append":
            return (verb, name, length, byte)
        if verb == "map":
            if not size:
                return ("fsync", name)
            at = self.rng.randrange(0, size)
            return (verb, name, at, min(length, size - at), byte)
        if verb == "truncate":
            return (verb, name, self.rng.randrange(0, size + 5000))
        if verb in ("rename", "link"):
            return (verb, name, self.fresh())
        if verb == "symlink":
            return (verb, "target", self.fresh())
        if verb in ("create", "mkdir"):
            return (verb, self.fresh())
        return (verb, name)

    def line(self, operation):
        verb, name, *rest = operation
        if verb != "symlink":
            name = self.path(name)
        if verb in ("rename", "link", "symlink"):
            rest = [self.path(rest[0])]
        return " ".join([verb, name, *map(str, rest)]) + "\n"

    def apply(self, operation):
        """The tree as it is afterwards.  (Links to a file are not followed
        up: what is linked is not written again.)"""
        tree = dict(self.tree)
        verb, name, *rest = operation
        if verb == "create":
            tree[name] = b""
        elif verb in ("write", "map"):
            at, length, byte = rest
            old = tree[name]
            tree[name] = (old[:at] + bytes([byte]) * length
                          + old[at + length:])
        elif verb == "append":
            tree[name] += bytes([rest[1]]) * rest[0]
        elif verb == "truncate":
            tree[name] = tree[name][:rest[0]].ljust(rest[0], b"\0")
        elif verb == "rename":
            tree[rest[0]] = tree.pop(name)
        elif verb == "link":
            # both names from now on are only read
            tree[rest[0]] = Frozen(tree[name])
            tree[name] = Frozen(tree[name])
        elif verb == "symlink":
            tree[rest[0]] = Link(name)
        elif verb == "unlink":
            del tree[name]
        elif verb == "mkdir":
            tree[name] = None
        return tree


class Frozen:
    """A file with two names."""

    def __init__(self, data):
        self.data = data

    def __eq__(self, other):
        return self.data == other


def read_tree(top):
    found = {}
    for path in pathlib.Path(top).rglob("*"):
        name = str(path.relative_to(top))
        if path.is_symlink():
            found[name] = Link(os.readlink(path))
        else:
            found[name] = None if path.is_dir() else path.read_bytes()
    return found


def between(found, before, after):
    """Whether each byte is that of one or the other."""
    if not (min(len(before), len(after)) <= len(found)
            <= max(len(before), len(after))):
        return False
    for at in range(0, len(found), 4096):
        there, old, new = (x[at:at + 4096] for x in (found, before, after))
        if there not in (old[:len(there)], new[:len(there)]) and any(
                there[i:i + 1] not in (old[i:i + 1], new[i:i + 1])
                for i in range(len(there))):
            return False
    return True


def lost(found, model, pending):
    """Names of which something acknowledged is not there."""
    before = model.tree
    after = model.apply(pending) if pending else before
    wrong = []
    for name in sorted({*found, *before, *after}):
        there = found.get(name, KeyError)
        old, new = before.get(name, KeyError), after.get(name, KeyError)
        if old == there or new == there:
            continue
        if (all(isinstance(x, bytes) for x in (there, old, new))
                and between(there, old, new)):
            continue
        wrong.append(name)
    return wrong


def descendants(pid):
    found = []
    for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            found += [int(child)] + descendants(child)
    return found


def named(pids, what):
    for pid in pids:
        try:
            if what in pathlib.Path(f"/proc/{pid}/comm").read_text():
                yield pid
        except OSError:
            pass


class Client(threading.Thread):
    """Gives orders until something fails."""

    def __init__(self, where, model):
        super().__init__(daemon=True)
        self.where, self.model = where, model
        self.pending, self.acknowledged, self.why = None, 0, None

    def run(self):
        try:
            with socket.create_connection(self.where, WAIT) as connection:
                answers = connection.makefile("r")
                while self.why is None:
                    self.pending = self.model.choose()
                    connection.sendall(self.model.line(self.pending).encode())
                    self.check(answers.readline())
        except OSError as why:
            self.why = str(why)

    def check(self, answer):
        if not answer.endswith("\n"):
            self.why = "end"
        elif answer != "0\n":
            self.why = f"{self.pending}: {os.strerror(int(answer))}"
        else:
            self.model.tree = self.model.apply(self.pending)
            self.acknowledged += 1
            self.pending = None


def one(seed, lie):
    """One machine, one kill: (operations acknowledged, what was lost)."""
    rng = random.Random(seed)
    what = "qemu" if seed % 2 or lie else "virtiofsd"
    with tempfile.TemporaryDirectory() as top:
        clients = []
        for i in range(CLIENTS):
            os.mkdir(f"{top}/{i}")
        with subprocess.Popen(
                [RUN, "-v", f"{top}:/data", "-w", "/data", "-p",
                 "127.0.0.1:0:7000", AGENT, *(["-l"] if lie else []), "7000"],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE, text=True) as run:
            words = next(x for x in run.stderr if " -> 7000" in x).split(" ")[0]
            where = ("127.0.0.1", int(words.rsplit(":", 1)[1]))
            for i in range(CLIENTS):
                clients.append(Client(where, Model(
                    str(i), random.Random(rng.random()))))
                clients[-1].start()
            moment = rng.random() ** 2 * OUT_OF_TIME
            clients[0].join(moment)
            victims = []
            while not victims and run.poll() is None:
                victims = list(named(descendants(run.pid), what))
            for pid in victims:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)  # or it went along
            if what != "qemu":
                for client in clients:
                    client.join(WAIT)
                run.terminate()
            try:
                run.communicate(timeout=WAIT)
            except subprocess.TimeoutExpired:
                run.kill()
                victims = []
            for client in clients:
                client.join(WAIT)
        wrong = [] if victims else [f"no end, seed {seed}"]
        for client in clients:
            if client.is_alive():
                wrong.append("a client hangs")
            if (what != "qemu" and client.acknowledged
                    and "not connected" not in str(client.why)):
                wrong.append(f"virtiofsd was killed: {client.why}")
            wrong += [f"{client.model.folder}/{name}, seed {seed}"
                      for name in lost(read_tree(
                          f"{top}/{client.model.folder}"), client.model,
                          client.pending)]
        return sum(c.acknowledged for c in clients), wrong


def crash(rounds, seed, lie):
    kills = operations = 0
    wrong = []
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        for count, bad in pool.map(lambda i: one(seed + i, lie),
                                   range(rounds)):
            kills += 1
            if kills % 100 == 0:
                print(f"# kills {kills} acknowledged {operations} lost "
                      f"{len(wrong)}", flush=True)
            operations += count
            wrong += bad
    for line in wrong[:20]:
        print("# lost:", line)
    print(f"# kills {kills} acknowledged {operations} lost {len(wrong)}",
          flush=True)
    return kills, operations, len(wrong)


def main():
    if len(sys.argv) > 1:
        seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
        _, operations, bad = crash(int(sys.argv[1]), seed,
                                   "LIE" in os.environ)
        return 1 if bad or not operations else 0
    print("1..2")
    _, operations, bad = crash(16, 1, False)
    good = operations > 0 and not bad
    print("ok" if good else "not ok", "1 - nothing acknowledged is lost")
    _, _, bad = crash(6, 101, True)
    print("ok" if bad else "not ok", "2 - an agent that lies is found")
    return 0 if good and bad else 1


if __name__ == "__main__":
    sys.exit(main())
