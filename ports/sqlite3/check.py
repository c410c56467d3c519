#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""SQLite: its shell on both sides of a share, its benchmark, and crashes.

Some transactions after the shell starts, QEMU is killed.  Debian's own shell
then must find the database whole on the host, every transaction in it that
was acknowledged, and none in part.
"""
import os
import pathlib
import random
import re
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import harness  # noqa: E402
from harness import LONG, Machine, output  # noqa: E402

ROUNDS = 200 if LONG else 6
ROWS = 5  # of a transaction
MODES = ["delete", "wal"]


def share(data):
    return ["-v", data + ":/data", "-w", "/data"]


def in_guest(data, database, sql):
    with Machine("sqlite3", ["-batch", database, sql], share(data)) as vm:
        status = vm.wait()
        assert status == 0, (status, vm.text())
        return vm.text()


def shell_on_both_sides():
    with harness.folder() as data:
        for mode in MODES:
            here, there = f"{data}/{mode}.db", f"/data/{mode}.db"
            said = in_guest(data, there, f"PRAGMA journal_mode={mode};"
                            "CREATE TABLE t(a, b); CREATE INDEX i ON t(b);"
                            "INSERT INTO t VALUES (1, 'toro'), (2, 'vaca');")
            assert mode in said, said
            assert output("sqlite3", here, "SELECT b FROM t WHERE a=2;"
                          "INSERT INTO t VALUES (3, 'becerro');") == "vaca\n"
            assert in_guest(data, there, "SELECT max(b), count(*) FROM t;"
                            "PRAGMA integrity_check;") == "vaca|3\nok\n"


def speedtest1_completes():
    size = "100" if LONG else "10"
    with harness.folder() as data:
        for options in (["/data/a.db"], ["--journal", "wal", "/data/b.db"],
                        ["--memdb"]):
            with Machine("sqlite3", ["--size", size, "--verify", *options],
                         share(data), image="speedtest1") as vm:
                status = vm.process.wait(3600)
                vm.wait()
                assert status == 0 and "TOTAL" in vm.text(), vm.text()
        for name in ("a.db", "b.db"):
            said = output("sqlite3", f"{data}/{name}", "PRAGMA integrity_check")
            assert said == "ok\n", said


def transaction(number):
    rows = ",".join(f"({number},{k},randomblob({random.randint(1, 3000)}))"
                    for k in range(ROWS))
    return (f"BEGIN;\nINSERT INTO t VALUES {rows};\n"
            f"UPDATE last SET txn={number};\nCOMMIT;\n"
            f"SELECT 'ack={number};';\n")


def feed(vm, first):
    """Transactions until the machine is gone."""
    number = first
    try:
        while True:
            vm.process.stdin.write(transaction(number).encode())
            vm.process.stdin.flush()
            number += 1
    except (BrokenPipeError, ValueError):
        pass


def crash_amid(data, name, first):
    """The last transaction that was acknowledged before the crash."""
    with Machine("sqlite3", ["-interactive", f"/data/{name}"], share(data),
                 stdin=subprocess.PIPE) as vm:
        vm.process.stdin.write(b"PRAGMA synchronous=FULL;\n")
        feeder = threading.Thread(target=feed, args=(vm, first))
        feeder.start()
        harness.until(lambda: f"ack={first};" in vm.text() or
                      vm.process.poll() is not None, "an acknowledgement")
        time.sleep(random.uniform(0, 0.3))
        assert vm.crash() == 125
        feeder.join()
        try:
            vm.process.stdin.close()
        except BrokenPipeError:
            pass
        assert "rror" not in vm.text(), vm.text()[-2000:]
        return int(re.findall(r"ack=(\d+);", vm.text())[-1])


def check_database(path, acknowledged):
    whole = output("sqlite3", path, "PRAGMA integrity_check")
    assert whole == "ok\n", whole
    rows = output("sqlite3", path, "SELECT count(*), max(txn), "
                  "(SELECT txn FROM last) FROM t").split("|")
    total, newest, last = map(int, rows)
    assert newest == last and newest >= acknowledged, (rows, acknowledged)
    assert total == newest * ROWS, "a transaction in part: " + str(rows)
    return newest


def committed_rows_survive_kill_9():
    with harness.folder() as data:
        at = {}
        for mode in MODES:
            output("sqlite3", f"{data}/{mode}.db", f"PRAGMA journal_mode={mode};"
                   "CREATE TABLE t(txn, k, b, PRIMARY KEY(txn, k));"
                   "CREATE INDEX i ON t(b);"
                   "CREATE TABLE last(txn); INSERT INTO last VALUES(0);")
            at[mode] = 0
        for number in range(ROUNDS):
            mode = MODES[number % 2]
            done = crash_amid(data, f"{mode}.db", at[mode] + 1)
            at[mode] = check_database(f"{data}/{mode}.db", done)
        print(f"# {ROUNDS} crashes, transactions: {at}, "
              f"bytes: {[os.stat(f'{data}/{m}.db').st_size for m in MODES]}")


harness.run("sqlite3", [shell_on_both_sides, speedtest1_completes,
                        committed_rows_survive_kill_9])
