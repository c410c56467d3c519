#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""GNU hello, as Debian has its source, with its own build and tests.

`CC=toril-cc ./configure && make && make check`, nothing else: what configure
runs and what `make check` runs are virtual machines.
"""
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from tap import BIN, BUILD, RUN, check, main, run, write

VERSION = "2.10"
SHA256 = "31e066137a962676e89f69d1b65382de95a7ef7d914b8cb956f41ea72e0f516b"
SOURCE = f"{BUILD}/cache/hello-{VERSION}"
ENV = dict(os.environ, PATH=BIN + ":" + os.environ["PATH"], CC="toril-cc")


def fetch():
    if not os.path.exists(SOURCE):
        run("sh", "tools/fetch-source.sh", "hello", VERSION, SHA256, SOURCE)


def counted(folder):
    """The environment with a toril-run that notes each machine it starts."""
    log = folder + "/machines"
    write(folder + "/toril-run", f"#!/bin/sh\necho start >>'{log}'\n"
          f"exec {RUN} \"$@\"\n", 0o755)
    return log, dict(ENV, TORIL_RUN=folder + "/toril-run")


def lines(path):
    with open(path, encoding="utf-8") as file:
        return len(file.readlines())


def build(out, configure, *flags):
    """configure, make, make check in `out`; what they said, and how many
    machines the last two steps of it that run programs started."""
    os.makedirs(out, exist_ok=True)
    log, env = counted(os.getcwd())
    said = run(configure, *flags, cwd=out, env=env).stdout
    configured = lines(log)
    run("make", "-j2", cwd=out, env=env)
    checked = run("make", "check", cwd=out, env=env).stdout
    return said, configured, checked, lines(log) - configured


def test_hello():
    """hello: configure, make and make check, tests run in machines"""
    run("cp", "-a", SOURCE, "hello")
    said, configured, checked, machines = build("hello", "./configure")
    check("cross compiling... no" in said, said)
    check(configured >= 10, configured, "machines in configure")
    results = dict(re.findall(r"^# (\w+): +(\d+)$", checked, re.M))
    check(results["TOTAL"] == "5" and results["FAIL"] == results["ERROR"]
          == "0", checked)
    # Its own joke: it skips unless the moon is full.
    skipped = re.findall(r"^SKIP: (\S+)", checked, re.M)
    check(set(skipped) <= {"tests/greeting-2"}, skipped)
    check(machines >= 4, machines, "machines in make check")
    check(run("hello/hello", "--greeting=Toro!").stdout == "Toro!\n")
    run("make", "install", "DESTDIR=" + os.getcwd() + "/root", cwd="hello",
        env=ENV)
    check(run("root/usr/local/bin/hello").stdout == "Hello, world!\n")


if __name__ == "__main__":
    fetch()
    main(test_hello)
