#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Debian trixie's QEMU, 10.0, in place of this release's: a short form of
what the other tests try with 7.2."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                ".."))
from machine import BUILD, RUN, main

FOLDER = f"{BUILD}/trixie/qemu"
QEMU = os.path.abspath(f"{FOLDER}/qemu-system-x86_64")
WAIT = 800  # less than the time of a test


def checked(command, **env):
    done = subprocess.run(command, check=False, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, timeout=WAIT,
                          env={**os.environ, "TORIL_QEMU": QEMU, **env})
    assert done.returncode == 0, done.stdout[-3000:]
    return done.stdout


def it_is_there():
    checked(["tools/trixie.sh", FOLDER, "/usr/bin/qemu-system-x86_64",
             "qemu-system-x86", "-L", "ROOT/usr/share/qemu",
             "-L", "ROOT/usr/share/seabios"])
    said = checked([QEMU, "--version"]).splitlines()[0]
    assert " version 10." in said, said
    # And toril-run takes it.
    plan = checked([RUN, "--dry-run", f"{BUILD}/apps/hello"])
    assert QEMU in plan, plan
    return said


def machines_of_all_shapes():
    checked(["tests/kernel/boot_test.py"])


def boot_protocol_of_linux():
    checked(["tests/boot64/boot64_test.py"], BOOT64_QEMU=QEMU)


def cpus():
    checked(["tests/kernel/smp_test.py", "threads_on_every_one_of_64",
             "cpus_of_acpi"])


def streams():
    checked(["tests/apps/echo_test.py"], TORIL_RUN=RUN)
    checked(["tests/system/acceptance_test.py",
             "clients_are_known_by_their_own_address",
             "many_short_connections"])


def a_web_server():
    checked(["tests/apps/webserver_test.py", "a_file_with_its_headers",
             "ranges", "pipelining", "changes_show", "churn",
             "several_workers", "signals_end_it_gracefully"], TORIL_RUN=RUN)


def shares():
    checked(["tests/system/acceptance_test.py",
             "a_lost_share_is_ENOTCONN_and_the_rest_goes_on",
             "a_share_ends_as_it_would_on_linux"])


if __name__ == "__main__":
    main([it_is_there, machines_of_all_shapes, boot_protocol_of_linux, cpus,
          streams, a_web_server, shares])
