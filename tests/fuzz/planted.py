#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""planted.py [SECONDS [TARGET...]]: do the fuzzers find anything?

Each row takes one check out of a copy of the sources; the fuzzer, built from
that copy, must stop at it.  For `make fuzz-planted`, not for `make test`.
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

BUILD = os.environ.get("BUILD", "build")
SECONDS = int(sys.argv[1]) if len(sys.argv) > 1 else 60
ONLY = sys.argv[2:]  # targets
COPIED = ["Makefile", "apps", "bench", "docs", "drivers", "host", "kernel",
          "musl-glue", "ports", "posix", "tests", "tools"]

# target, file, what is there, what takes its place
PLANTED = [
    ("start_info", "kernel/arch/x86_64/start_info.c",
     "r.start = max(r.start, end);", ""),
    ("start_info", "kernel/arch/x86_64/start_info.c",
     "start >= end || i == BOOT_RANGES", "start >= end"),
    ("start_info", "kernel/arch/x86_64/start_info.c",
     "end < m[i].addr ||", ""),
    ("tables", "kernel/arch/x86_64/mptable.c", "|| size > n - at", ""),
    ("tables", "kernel/arch/x86_64/acpi.c",
     "p[at + 1] > n - at", "0"),
    ("tables", "kernel/arch/x86_64/acpi.c",
     "e[0] == MADT_X2APIC && size >= 16", "e[0] == MADT_X2APIC"),
    ("virtqueue", "drivers/virtio/virtqueue.c",
     "||\n\t    len > vq->chains[id].in_bytes", ""),
    ("virtqueue", "drivers/virtio/virtqueue.c", "id >= vq->size ||", ""),
    ("cmdline", "kernel/lib/cmdline.c", "irq > 255", "irq > 255000"),
    ("dirents", "kernel/fs/fuse_dir.c", "memchr(d->name, '/', d->namelen) ||",
     ""),
    ("dirents", "kernel/fs/fuse_dir.c", "|| memchr(d->name, 0, d->namelen)",
     ""),
    ("front", "kernel/net/proxy.c", "len < address_len(h) ||", ""),
    ("front", "kernel/net/socks.c",
     "if (byteq_bytes(&c->rx) < len)", "if (byteq_bytes(&c->rx) < 5)"),
    ("front", "kernel/net/socks.c", "kfree(c->owner);\n\tc->owner = NULL;\n"
     "\tvsock_kill", "c->owner = NULL;\n\tvsock_kill"),
]


def copy_to(folder):
    for name in COPIED:
        source = pathlib.Path(name)
        if source.is_dir():
            shutil.copytree(source, folder / name, symlinks=True)
        else:
            shutil.copy(source, folder / name)
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)


def found(target, path, old, new):
    """The number of seconds is the fuzzer's own limit."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        copy_to(folder)
        file = folder / path
        text = file.read_text()
        if text.count(old) < 1:
            raise AssertionError(f"{path} no longer has {old!r}")
        file.write_text(text.replace(old, new, 1))
        binary = f"build/tests/fuzz/{target}_fuzz"
        made = subprocess.run(
            ["make", "-s", "-j2", "MUSL=build/none", binary], cwd=folder,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        if made.returncode:
            raise AssertionError(made.stdout.decode()[-2000:])
        ran = subprocess.run(
            ["tests/fuzz/run.sh", binary, str(SECONDS)], cwd=folder,
            stdout=subprocess.PIPE, check=False)
        return ran.returncode != 0 and (
            b"SUMMARY" in ran.stdout or b"deadly signal" in ran.stdout)


def main():
    rows = [r for r in PLANTED if not ONLY or r[0] in ONLY]
    print(f"1..{len(rows)}")
    failed = 0
    for number, (target, path, old, new) in enumerate(rows, 1):
        name = f"{number} - {target}: {path} without {old.splitlines()[0]!r}"
        try:
            good = found(target, path, old, new)
            why = f"not found within {SECONDS} s"
        except AssertionError as error:
            good, why = False, str(error)
        failed += not good
        print("ok" if good else "not ok", name, flush=True)
        if not good:
            print("#", why.replace("\n", "\n# "), flush=True)
    return 1 if failed else 0


sys.exit(main())
