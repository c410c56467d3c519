#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The unit for systemd passes its verifier; bash completes options."""
import os
import re
import shutil
import subprocess
import sys
import tempfile

import tap

BUILD = os.environ.get("BUILD", "build")
RUN = os.path.abspath(f"{BUILD}/bin/toril-run")


def unit():
    if not shutil.which("systemd-analyze"):
        print("# systemd-analyze is not here: not verified")
        return
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "toril@.service")
        with open("tools/toril@.service", encoding="ascii") as source:
            text = source.read().replace("@PREFIX@/bin/toril-run", RUN)
        text = text.replace("Documentation=man:toril-run(1)\n", "")
        for good in (True, False):
            with open(path, "w", encoding="ascii") as out:
                out.write(text if good else text.replace(
                    "KillMode=mixed", "KillMode=nonsense"))
            done = subprocess.run(
                ["systemd-analyze", "verify", path], timeout=100, check=False,
                capture_output=True, text=True)
            said = [line for line in (done.stdout + done.stderr).splitlines()
                    if "toril@" in line]
            assert bool(said) != good, (good, said, done)


def complete(*words):
    script = ('source tools/toril-run.bash; COMP_WORDS=("$@"); '
              "COMP_CWORD=$(($# - 1)); _toril_run; "
              'printf "%s\\n" "${COMPREPLY[@]}"')
    done = subprocess.run(
        ["bash", "-c", script, "bash", *words], timeout=100, check=True,
        stdout=subprocess.PIPE, text=True)
    return done.stdout.split()


def options():
    usage = subprocess.run([RUN, "--help"], check=True, timeout=100, text=True,
                           stdout=subprocess.PIPE).stdout
    listed = set(re.findall(r"^ {2,6}(?:-\w, )?(--[a-z-]+)", usage, re.M))
    found = set(complete(RUN, "--"))
    assert {"--publish", "--gdb", "--core"} < listed <= found, (listed, found)
    assert complete(RUN, "--vsock", "b") == ["builtin"]
    assert complete(RUN, "Makef") == ["Makefile"]
    assert complete(RUN, "--memory", "") == []


sys.exit(tap.run([("systemd takes the unit", unit),
                  ("bash completes", options)]))
