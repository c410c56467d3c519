#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""redis, driven by Debian's redis-cli and redis-benchmark."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import harness  # noqa: E402
from harness import LONG, Machine, output  # noqa: E402

ROUNDS = 1000 if LONG else 10
AOF = ["--appendonly", "yes", "--appendfsync", "always", "--dir", "/data",
       "--auto-aof-rewrite-percentage", "0"]


# Those with long replies take minutes.
SHORT = "ping,set,get,incr,lpush,rpop,sadd,hset,spop,zadd,zpopmin,mset"


def cli(vm, *command):
    return output("redis-cli", "-p", vm.port, *command).strip()


def start(more=(), options=()):
    """Redis listens before it has read its data."""
    vm = Machine("redis", more, options)
    harness.until(lambda: cli(vm, "ping") == "PONG", "PONG")
    return vm


def sets_and_gets():
    with start() as vm:
        assert cli(vm, "set", "bull", "Osborne") == "OK"
        assert cli(vm, "get", "bull") == "Osborne"
        assert cli(vm, "eval", "return 6*7", "0") == "42"
        assert "no such key" in cli(vm, "rename", "cow", "ox")
        assert vm.stop() == 0, "SIGTERM ends it well"


def benchmark_completes():
    with start() as vm:
        some = [] if LONG else ["-t", SHORT]
        said = output("redis-benchmark", "-p", vm.port, "-n", "100000", "-c",
                      "50", "-P", "16", "-q", *some, timeout=3000)
        assert said.count("requests per second") >= (20 if LONG else 12), said
        assert int(cli(vm, "info", "stats").split(
            "total_connections_received:")[1].split()[0]) >= 50


def acknowledged_writes_survive_kill_9():
    with harness.folder() as data:
        share = ["-v", data + ":/data"]
        for number in range(ROUNDS):
            with start(AOF, share) as vm:
                assert cli(vm, "dbsize") == str(number)
                if number:
                    assert cli(vm, "get", f"k{number - 1}") == f"v{number - 1}"
                assert cli(vm, "set", f"k{number}", f"v{number}") == "OK"
                assert vm.crash() == 125
        with start(AOF, share) as vm:
            for number in range(ROUNDS):
                assert cli(vm, "get", f"k{number}") == f"v{number}"


def snapshot_by_SAVE_is_there_after_a_restart():
    with harness.folder() as data:
        share = ["-v", data + ":/data"]
        with start(["--dir", "/data"], share) as vm:
            cli(vm, "set", "a", "b")
            assert cli(vm, "save") == "OK"
            vm.crash()
        with start(["--dir", "/data"], share) as vm:
            assert cli(vm, "get", "a") == "b"


harness.run("redis", [sets_and_gets, benchmark_completes,
                      snapshot_by_SAVE_is_there_after_a_restart,
                      acknowledged_writes_survive_kill_9])
