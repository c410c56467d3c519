# SPDX-License-Identifier: BSD-2-Clause
"""What has to be reached, judged from the rows of a run.

A goal is its words, and a function from rows by name to (what was measured,
whether it will do).  Rows that were not measured raise KeyError.
"""

KIB = 1024


def at_most(limit, name, kind="instructions"):
    def judge(rows):
        value = rows[name]["toril"]
        value = value[kind] if isinstance(value, dict) else value
        return f"{value:,}", value <= limit
    return judge


def share_of_linux(limit, *names):
    """Instructions, as 1/N of Linux's, at least `limit`."""
    def judge(rows):
        parts = [rows[n]["linux"]["instructions"]
                 / rows[n]["toril"]["instructions"] for n in names]
        return ("; ".join(f"1/{p:.1f}" for p in parts),
                all(p >= limit for p in parts))
    return judge


def ratio(limit, *names):
    """Of medians of times, each at least `limit`."""
    def judge(rows):
        parts = [rows[n]["ratio"] for n in names]
        return ("; ".join(f"{p:.1f}" for p in parts),
                all(p >= limit for p in parts))
    return judge


def file_again(rows):
    text, met = share_of_linux(5, "call-file")(rows)
    kicks = rows["call-file"]["toril"]["kicks"]
    return f"{text}; {kicks:g} exits", met and kicks == 0


def exits(limit, name):
    def judge(rows):
        value = rows[name]["toril"]["kicks"] + \
            rows[name]["toril"]["interrupts"]
        return f"{value:.2f}", value < limit + 0.1  # a timer's tick or two
    return judge


def over_fat(rows):
    parts = [rows[order]["toril"]["median"]
             / rows["fat-" + order]["linux"]["median"]
             for order in ("sequential-64K", "random-64K")]
    return "; ".join(f"{p:.1f}" for p in parts), min(parts) >= 1.5


def idle_growth(rows):
    few, many = (rows[n]["toril"]["instructions"]
                 for n in ("idle-1", "idle-10000"))
    return f"{100 * (many / few - 1):+.1f} %", many <= 1.1 * few


HTTP = ("http-1", "http-64", "http-close-1", "http-close-64")
ECHO = tuple(f"echo-{size}-{n}" for size in (1, 1024, 65536) for n in (1, 64))

GOALS = [
    ("PVH entry to `main`, a share mounted: ≤ 150,000 instructions",
     at_most(150000, "boot-mounted")),
    ("PVH entry to a share's file written: ≤ 200,000",
     at_most(200000, "boot-read")),
    ("launcher's start to the first HTTP answer: ≥ 15 times faster",
     ratio(15, "start")),
    ("hello: ≤ 128 KiB", at_most(128 * KIB, "size-hello")),
    ("web server: ≤ 256 KiB", at_most(256 * KIB, "size-webserver")),
    ("nginx: ≤ 1.2 MB", at_most(1200000, "size-nginx")),
    ("hello runs in 2.5 MiB", at_most(2560, "memory-hello")),
    ("web server serves a site in 4 MiB", at_most(4096, "memory-webserver")),
    ("nginx serves it in 6 MiB", at_most(6144, "memory-nginx")),
    ("getpid: ≤ 1/20 of Linux's instructions",
     share_of_linux(20, "call-getpid")),
    ("read of /dev/zero, write to /dev/null: ≤ 1/8",
     share_of_linux(8, "call-zero", "call-null")),
    ("open, fstat, read of 4 KiB, close again: ≤ 1/5, no exit", file_again),
    ("the same uncached: ≤ 3 round trips",
     at_most(3, "call-file-cold", "kicks")),
    ("echo of 1 byte: ≤ 1/5", share_of_linux(5, "count-echo")),
    ("echo of 1 byte: ≤ 2 kicks and interrupts", exits(2, "count-echo")),
    ("HTTP 4 KiB keep-alive, web server: ≤ 10,000 instructions",
     at_most(10000, "count-http")),
    ("the same, nginx: ≤ 20,000", at_most(20000, "count-nginx")),
    ("HTTP 4 KiB, a connection each, web server: ≤ 25,000",
     at_most(25000, "count-http-close")),
    ("the same, nginx: ≤ 45,000", at_most(45000, "count-nginx-close")),
    ("HTTP requests/s: ≥ 3 times", ratio(3, *HTTP)),
    ("echo round trips/s: ≥ 2 times", ratio(2, *ECHO)),
    ("bulk in, out: ≥ 2 times", ratio(2, "bulk-in", "bulk-out")),
    ("cold reads of 1 MiB, sequential, random: ≥ 1.0 times",
     ratio(1, "sequential-1M", "random-1M")),
    ("cold reads of 64 KiB: ≥ 2 times",
     ratio(2, "sequential-64K", "random-64K")),
    ("cold reads of 64 KiB against Linux on FAT over virtio-blk: ≥ 1.5 times",
     over_fat),
    ("redis SET, GET: ≤ 1/3 of Linux's instructions",
     share_of_linux(3, "count-redis-SET", "count-redis-GET")),
    ("10,000 idle connections: ≤ 2 KiB each", at_most(2048, "idle-memory")),
    ("10,000 idle connections: an echo costs ≤ 10 % more", idle_growth),
]


def judged(rows):
    """(words, measured, met or None) of each goal."""
    by_name = {row["name"]: row for row in rows}
    for words, judge in GOALS:
        try:
            yield words, *judge(by_name)
        except KeyError:
            yield words, "not measured", None
