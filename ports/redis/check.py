#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""redis, driven by Debian's redis-cli and redis-benchmark."""
import pathlib
import random
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import harness  # noqa: E402
from harness import LONG, Machine, output  # noqa: E402

ROUNDS = 1000 if LONG else 10
AOF = ["--appendonly", "yes", "--appendfsync", "always", "--dir", "/data",
       "--auto-aof-rewrite-percentage", "0"]


HERE = pathlib.Path(__file__).resolve().parent
SUITE = harness.port.PORTS / "redis/src"
FEW = ["unit/protocol", "unit/keyspace", "unit/type/incr", "unit/type/list",
       "unit/type/stream-cgroups", "unit/multi", "unit/pubsub",
       "unit/functions", "unit/quit"]

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


def skipped():
    """Names of tests that are not run, by reason."""
    by_reason, reason = {}, None
    for line in (HERE / "skipped.txt").read_text().splitlines():
        if line.startswith(": "):
            reason = line[2:]
        elif line and not line.startswith("#"):
            by_reason.setdefault(reason, []).append(line)
    return by_reason


def run_unit(unit, skip_file):
    """One file of redis's own tests; what it printed, and its status."""
    config = ["--appendonly", "yes", "--dir", "/data",
              "--enable-debug-command", "yes",
              "--enable-protected-configs", "yes"]
    with harness.folder() as data, \
            start(config, ["-m", "512M", "-v", data + ":/data"]) as vm:
        done = subprocess.run(
            ["./runtest", "--host", "127.0.0.1", "--port", str(vm.port),
             "--baseport", str(random.randrange(22000, 32000)), "--clients",
             "1", "--tags", "-needs:repl", "--skipfile", skip_file,
             "--single", unit], capture_output=True, check=False,
            cwd=SUITE, timeout=1200)
        vm.process.kill()
        vm.wait()
    text = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout.decode(errors="replace"))
    return text, done.returncode


def units():
    if not LONG:
        return FEW
    listed = (SUITE / "tests/test_helper.tcl").read_text()
    return re.findall(r"^    (unit/\S+)", listed, re.M)


def own_unit_tests_pass():
    """Each file of its suite; what is left out is said, and why."""
    passed, left_out, failures = 0, [], []
    with tempfile.NamedTemporaryFile("w") as skip:
        for reason, names in skipped().items():
            left_out += [f"{name}: {reason}" for name in names]
            skip.write("".join(name + "\n" for name in names))
        skip.flush()
        for unit in units():
            text, status = run_unit(unit, skip.name)
            passed += text.count("\n[ok]: ")
            left_out += [f"{unit}: {why}" for why in
                         re.findall(r"^\[ignore\]: (.*)", text, re.M)]
            if status:
                failures.append(f"{unit}: {text[-1500:]}")
    for line in left_out:
        print("# not run:", line.replace("Tag: needs:repl denied",
                                         "a replica's snapshot forks"))
    print(f"# {passed} passed, {len(left_out)} not run, "
          f"{len(failures)} files failed", flush=True)
    assert not failures and passed > 100, "\n".join(failures)


harness.run("redis", [sets_and_gets, benchmark_completes,
                      snapshot_by_SAVE_is_there_after_a_restart,
                      acknowledged_writes_survive_kill_9,
                      own_unit_tests_pass])
