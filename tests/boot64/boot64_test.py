#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Images started by Linux's 64-bit boot protocol instead of PVH.

A loader (loader.c) brings the CPU into exactly the state that Firecracker
does; the rest of the machine is QEMU's, once as toril-run makes it, and once
without toril-run, as a VMM that knows nothing of it would."""
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                ".."))
from machine import BUILD, RUN, WAIT, main, served

HELLO = f"{BUILD}/apps/hello"
QEMU = "tests/boot64/qemu.py"
REAL_QEMU = os.environ.get("BOOT64_QEMU", "qemu-system-x86_64")


def run(*args, words=""):
    done = subprocess.run([RUN, "--qemu", QEMU, *args], check=False,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=WAIT,
                          env={**os.environ, "BOOT64_WORDS": words})
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def hello(*options, words=""):
    result = run(*options, HELLO, words=words)
    assert result == (0, "Hello from Toril!\n", ""), result


def firecrackers_state():
    hello()


def linux_selectors():
    hello(words="boot64.linux")


def least_and_much_memory():
    hello("-m", "36M")
    hello("-m", "5G")


def odd_entries_in_the_memory_map():
    hello(words="boot64.odd")


def refused(word, message):
    status, out, err = run(HELLO, words=word)
    assert status == 125 and not out and message in err, (status, out, err)


def no_magic_number():
    refused("boot64.magic", "neither PVH's start info nor Linux's")


def too_many_entries():
    refused("boot64.entries", "a memory map of too many entries")


def share_and_status():
    with tempfile.TemporaryDirectory() as folder:
        with open(f"{folder}/from", "w", encoding="ascii") as file:
            file.write("carried\n")
        result = run("-v", f"{folder}:/w", f"{BUILD}/tests/boot64/status",
                     "/w/from", "/w/to", words="boot64.linux")
        assert result == (7, "", ""), result
        with open(f"{folder}/to", encoding="ascii") as file:
            assert file.read() == "carried\n"


def site_with_two_cpus(words=""):
    os.environ["BOOT64_WORDS"] = words
    with tempfile.TemporaryDirectory() as folder:
        with open(f"{folder}/page", "wb") as file:
            file.write(b"x" * 100000)
        with served(RUN, "--qemu", QEMU, "-c", "2", "-p", "127.0.0.1:0:80",
                    "-v", f"{folder}:/srv", f"{BUILD}/apps/webserver",
                    "-p", "80", "/srv") as (_, (host, port)):
            for _ in range(50):
                with urllib.request.urlopen(f"http://{host}:{port}/page",
                                            timeout=WAIT) as answer:
                    assert answer.read() == b"x" * 100000


def lines_that_are_pulsed():
    site_with_two_cpus(words="toril.edge")


# QEMU without toril-run, and without its debug-exit device: what ends it is
# what ends Firecracker.
ALONE = [REAL_QEMU, "-M", "microvm,acpi=off,pic=off,pit=off,rtc=off,"
         "isa-serial=on", "-accel", "tcg", "-cpu", "max", "-m", "64M",
         "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none",
         "-serial", "stdio", "-device", "i8042"]


def alone(*command):
    done = subprocess.run(
        [*ALONE, *command], check=False, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=WAIT)
    return done.returncode, done.stdout.decode().replace("\r\n", "\n")


def without_toril_run():
    loader = ["-kernel", f"{BUILD}/tests/boot64/loader", "-initrd"]
    show = f"{BUILD}/tests/system/show"
    assert alone(*loader, HELLO) == (0, "Hello from Toril!\n")
    assert alone("-kernel", HELLO) == (0, "Hello from Toril!\n")
    result = alone(*loader, show, "-append",
                   "toril.edge -- show args  one two ")
    assert result == (0, "one\0two\0"), result


def firecrackers_configuration():
    """Fields that its API has, and a command line on which echo starts: it
    says where it listens if it may choose."""
    with open("docs/deploy/firecracker.json", encoding="ascii") as file:
        config = json.load(file)
    fields = {section: sorted(config[section]) for section in config}
    assert fields == {
        "boot-source": ["boot_args", "kernel_image_path"], "drives": [],
        "machine-config": ["mem_size_mib", "vcpu_count"],
        "vsock": ["guest_cid", "uds_path"]}, fields
    source = config["boot-source"]
    line, changed = re.subn(r"-- echo -p 7$", "-- echo -p 0",
                            source["boot_args"])
    assert changed == 1, source
    with subprocess.Popen(
            [*ALONE, "-kernel", f"{BUILD}/tests/boot64/loader", "-initrd",
             f"{BUILD}/apps/{source['kernel_image_path']}",
             "-append", line], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as machine:
        timer = threading.Timer(WAIT, machine.kill)
        timer.start()
        said = machine.stdout.readline().decode()
        timer.cancel()
        machine.terminate()
    assert re.fullmatch(r"0\.0\.0\.0:\d+\s+", said), said


if __name__ == "__main__":
    main([firecrackers_state, linux_selectors, least_and_much_memory,
          odd_entries_in_the_memory_map, no_magic_number, too_many_entries,
          share_and_status, site_with_two_cpus, lines_that_are_pulsed,
          without_toril_run, firecrackers_configuration])
