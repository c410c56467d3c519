# SPDX-License-Identifier: BSD-2-Clause
"""Times: what Toril and the Linux guest get done, in turns.

Each group is one boot of one machine, and gives a dict of row name to value;
all are rates but `start`.  Rows that only one of the two can give are compared
by whoever asks (the FAT image of bench.py's goals).
"""
import http.client
import json
import os
import pathlib
import random
import shutil
import statistics
import struct
import subprocess
import sys
import time

import machines
from machines import BUILD, Linux, Toril, image_of

DATA = f"{BUILD}/bench/data"
MILLISECONDS = int(os.environ.get("MILLISECONDS", "300"))
READS = [f"{order}-{size}" for size in ("4K", "64K", "1M")
         for order in ("sequential", "random")]
READ_SIZE = 16 << 20


def make_data():
    """Files that the groups use: made once, the same for everybody."""
    ready = pathlib.Path(DATA, "ready")
    if ready.exists():
        return
    shutil.rmtree(DATA, ignore_errors=True)
    source = random.Random(1)
    os.makedirs(DATA + "/site")
    os.makedirs(DATA + "/share/many")
    pathlib.Path(DATA, "site/4k").write_bytes(source.randbytes(4096))
    pathlib.Path(DATA, "site/1m").write_bytes(source.randbytes(1 << 20))
    reads = [source.randbytes(READ_SIZE) for _ in READS]
    for i, data in enumerate(reads):
        pathlib.Path(DATA, f"share/r{i}").write_bytes(data)
    pathlib.Path(DATA, "share/small").write_bytes(source.randbytes(4096))
    for i in range(10000):
        pathlib.Path(DATA, f"share/many/file{i:05}").touch()
    pathlib.Path(DATA, "fat").write_bytes(fat_image(
        {f"R{i}": data for i, data in enumerate(reads)}))
    ready.touch()


def fat_image(files):
    """A FAT16 file system (Microsoft's specification 1.03) whose files lie
    one after the other, in clusters of 4 KiB."""
    cluster, reserved, root = 4096, 8, 512
    count = sum(-(-len(f) // cluster) for f in files.values()) + 64
    sectors_per_fat = -(-(count + 2) * 2 // 512)
    total = reserved + sectors_per_fat + root * 32 // 512 + count * 8
    boot = struct.pack("<3s8sHBHBHHBHHHII", b"\xeb\x3c\x90", b"TORIL   ", 512,
                       8, reserved, 1, root, 0, 0xf8, sectors_per_fat, 32, 2,
                       0, total)
    boot += struct.pack("<BBBI11s8s", 0x80, 0, 0x29, 1, b"BENCH      ",
                        b"FAT16   ")
    boot = boot.ljust(510, b"\0") + b"\x55\xaa"
    fat, entries, data, at = [0xfff8, 0xffff], b"", b"", 2
    for name, content in files.items():
        n = -(-len(content) // cluster)
        fat += [*range(at + 1, at + n), 0xffff]
        entries += struct.pack("<11sB10xHHHI", name.encode().ljust(11), 0x20,
                               0, 0x21, at, len(content))
        data += content.ljust(n * cluster, b"\0")
        at += n
    return (boot.ljust(reserved * 512, b"\0")
            + struct.pack(f"<{len(fat)}H", *fat).ljust(sectors_per_fat * 512,
                                                       b"\0")
            + entries.ljust(root * 32, b"\0") + data
            + bytes(total * 512 - (reserved + sectors_per_fat) * 512
                    - root * 32 - len(data)))


def load(guest, connections, *what):
    return float(machines.output(
        f"{BUILD}/bench/load", str(guest.port), str(MILLISECONDS),
        str(connections), *map(str, what)))


def first_answer(guest, path):
    """Seconds from the launcher's start."""
    while True:
        try:
            client = http.client.HTTPConnection("127.0.0.1", guest.port, 60)
            client.request("GET", path)
            client.getresponse().read()
            return time.monotonic() - guest.started
        except (ConnectionError, http.client.HTTPException):
            if guest.dead():
                raise RuntimeError("the machine ended") from None
            time.sleep(0.01)


def web(kind):
    with kind(image_of(kind, "apps/webserver"), "-p", "80", "/srv", port=80,
              share=(DATA + "/site", "/srv")) as guest:
        guest.wait_listening()
        yield "start", first_answer(guest, "/4k")
        yield "http-1", load(guest, 1, "http", "/4k")
        yield "http-64", load(guest, 64, "http", "/4k")
        yield "http-close-1", load(guest, 1, "close", "/4k")
        yield "http-close-64", load(guest, 64, "close", "/4k")
        yield "http-1M", load(guest, 1, "http", "/1m")


def echo(kind):
    with kind(image_of(kind, "apps/echo"), "-p", "80", port=80) as guest:
        guest.wait_listening()
        for size in 1, 1024, 65536:
            for connections in 1, 64:
                yield (f"echo-{size}-{connections}",
                       load(guest, connections, "echo", size))
        yield "connections", load(guest, 1, "setup")


def bulk(kind):
    with kind(image_of(kind, "bench/serve"), port=80) as guest:
        guest.wait_listening()
        for name, what in ("bulk-in", "sink"), ("bulk-out", "source"):
            yield name, load(guest, 1, what, 32 << 20) * 32


def rates(guest):
    """What bench/rates printed; its clock is checked against ours."""
    text = guest.finish()
    found = {}
    for line in text.splitlines():
        words = line.split()
        if len(words) == 2 and words[0] in ROWS:
            found[words[0]] = float(words[1])
    return found


def calls(kind):
    with kind(image_of(kind, "bench/rates"), str(MILLISECONDS), "/",
              "pipe", "futex", "thread", "mapping", "malloc") as guest:
        yield from rates(guest).items()


def files(kind):
    with kind(image_of(kind, "bench/rates"), str(MILLISECONDS), "/data",
              "reads", "file", "create", "readdir", "write-4K", "write-64K",
              "write-1M", share=(DATA + "/share", "/data")) as guest:
        yield from rates(guest).items()


def fat(kind):
    """The same reads of a disk's file system: Linux alone has one."""
    if kind is Linux:
        with Linux(image_of(kind, "bench/rates"), str(MILLISECONDS), "/fat",
                   "reads", disk=DATA + "/fat") as guest:
            for name, value in rates(guest).items():
                yield "fat-" + name, value


def redis(kind):
    with kind(image_of(kind, "ports/redis"), "--save", "",
              "--protected-mode", "no", port=6379) as guest:
        guest.wait_listening()
        for pipelined in 1, 16:
            out = machines.output(
                "redis-benchmark", "-p", str(guest.port), "-c", "16", "-n",
                str(8 * MILLISECONDS * pipelined), "-P", str(pipelined), "-t",
                "set,get", "--csv")
            for line in out.splitlines()[1:]:
                name, value = line.replace('"', "").split(",")[:2]
                yield f"redis-{name}-{pipelined}", float(value)


SQL = """.timer on
CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT);
BEGIN; WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c
 WHERE x<20000) INSERT INTO t SELECT x, 'text ' || x FROM c; COMMIT;
SELECT count(*) FROM t WHERE b LIKE '%77%';
"""


def sqlite(kind):
    """Rows a second, by the shell's own timer: one transaction, one look at
    each."""
    folder = DATA + "/sqlite"
    shutil.rmtree(folder, ignore_errors=True)
    os.mkdir(folder)
    pathlib.Path(folder, "sql").write_text(SQL)
    with kind(image_of(kind, "ports/sqlite3"), "/data/db", ".read /data/sql",
              share=(folder, "/data")) as guest:
        times = [float(line.split()[3]) for line in guest.finish().splitlines()
                 if line.startswith("Run Time:")]
    _, insert, select = times
    yield "sqlite-insert", 20000 / insert
    yield "sqlite-select", 20000 / select


# Row: (what it says, unit).
ROWS = {
    "start": ("start of the launcher to the first HTTP answer", "s"),
    "http-1": ("HTTP 4 KiB, keep-alive, 1 connection", "requests/s"),
    "http-64": ("HTTP 4 KiB, keep-alive, 64 connections", "requests/s"),
    "http-close-1": ("HTTP 4 KiB, a connection each, 1 at a time",
                     "requests/s"),
    "http-close-64": ("HTTP 4 KiB, a connection each, 64 at a time",
                      "requests/s"),
    "http-1M": ("HTTP 1 MiB, keep-alive", "requests/s"),
    "connections": ("connect, echo of 1 byte, close", "connections/s"),
    "bulk-in": ("32 MiB into the guest", "MiB/s"),
    "bulk-out": ("32 MiB out of the guest", "MiB/s"),
    "pipe": ("pipe there and back between threads", "rounds/s"),
    "futex": ("semaphore there and back between threads", "rounds/s"),
    "thread": ("thread create and join", "threads/s"),
    "mapping": ("mmap of 64 KiB, touch all, munmap", "rounds/s"),
    "malloc": ("malloc and free, mixed sizes", "pairs/s"),
    "file": ("open, fstat, read of 4 KiB, close", "rounds/s"),
    "create": ("create, close, unlink", "rounds/s"),
    "readdir": ("readdir of 10,000 entries", "entries/s"),
    "sqlite-insert": ("sqlite: insert of 20,000 rows", "rows/s"),
    "sqlite-select": ("sqlite: select from 20,000 rows", "rows/s"),
}
for _size in 1, 1024, 65536:
    for _n in 1, 64:
        ROWS[f"echo-{_size}-{_n}"] = (
            f"echo of {_size:,} bytes, {_n} connection{'s' * (_n > 1)}",
            "rounds/s")
for _name in READS:
    _order, _size = _name.split("-")
    ROWS[_name] = (f"{_order} cold reads of {_size}iB", "MiB/s")
    ROWS["fat-" + _name] = (f"{_order} cold reads of {_size}iB, "
                            "FAT over virtio-blk", "MiB/s")
for _size in "4K", "64K", "1M":
    ROWS["write-" + _size] = (f"writes of {_size}iB", "MiB/s")
for _what in "SET", "GET":
    for _n in 1, 16:
        ROWS[f"redis-{_what}-{_n}"] = (
            f"redis {_what}, 16 connections, {_n} at a time", "requests/s")

GROUPS = [web, echo, bulk, calls, files, fat, redis, sqlite]


def measure(rounds, groups=None):
    """{row: {"toril": [values], "linux": [values]}}"""
    make_data()
    seen = {}
    for turn in range(rounds):
        for group in groups or GROUPS:
            for kind in (Toril, Linux):
                print(f"round {turn + 1} of {rounds}: {group.__name__}, "
                      f"{kind.name}", file=sys.stderr, flush=True)
                for name, value in group(kind):
                    seen.setdefault(name, {}).setdefault(
                        kind.name, []).append(value)
    return seen


def summary(values):
    return {"median": statistics.median(values), "least": min(values),
            "most": max(values)}


def rows(rounds, groups=None):
    """As bench.py's JSON has them."""
    for name, kinds in measure(rounds, groups).items():
        what, unit = ROWS[name]
        row = {"name": name, "what": what, "unit": unit, "rounds": rounds}
        for kind, values in kinds.items():
            row[kind] = summary(values)
        if len(kinds) == 2:
            ratio = row["toril"]["median"] / row["linux"]["median"]
            row["ratio"] = 1 / ratio if name == "start" else ratio
        yield row


if __name__ == "__main__":
    chosen = [g for g in GROUPS if g.__name__ in sys.argv[1:]] or None
    for found in rows(int(os.environ.get("ROUNDS", "7")), chosen):
        print(json.dumps(found))
