#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""planted.py [NUMBER...]: do the hostile hosts find anything?

Each row takes one of the kernel's checks out of a copy of the tree, builds
the victim from it, and plays the lie that the check is for; some of SEEDS
machines must show it.  For `make hostile-planted`, not for `make test`.
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

BUILD = os.environ.get("BUILD", "build")
SEEDS = 6
ROUNDS = "3000"
LEFT = shutil.ignore_patterns("cache", "ports", "warnings", ".git", "debug")

# which hostile host, its lie, file, what is there, what takes its place
PLANTED = [
    ("hostile.py", "unique", "kernel/fs/fuse_req.c",
     "h.unique != r->unique || ", ""),
    ("hostile.py", "error", "kernel/fs/fuse_req.c", "h.error > 0 || ", ""),
    ("hostile.py", "error", "kernel/fs/fuse_req.c",
     "h.error < -ERROR_MAX", "0"),
    ("hostile.py", "cut", "kernel/fs/fuse_req.c",
     "|| h.len > r->written", ""),
    ("hostile.py", "dirents", "kernel/fs/fuse_dir.c",
     "memchr(d->name, '/', d->namelen) ||", ""),
    ("hostile.py", "dirents", "kernel/fs/fuse_dir.c",
     "!d->namelen || d->namelen > NAME_MAX ||", ""),
    ("hostile.py", "swap", "kernel/fs/fuse_name.c",
     "if (n > 0 && memchr(buf, 0, (size_t)n))\n\t\treturn -EIO;\n", ""),
    ("hostile.py", "values", "kernel/fs/fuse_io.c", "out.size > len || ", ""),
    ("hostile.py", "values", "kernel/fs/fuse_name.c",
     "length.size > XATTR_LONGEST ? -EIO : ", ""),
    ("hostile.py", "used-len", "drivers/virtio/virtqueue.c",
     "||\n\t    len > vq->chains[id].in_bytes", ""),
    ("hostile_net.py", "length", "drivers/virtio/virtio_vsock.c",
     " || hdr.len > len - HEADER", ""),
    ("hostile_net.py", "overrun", "kernel/net/vsock_input.c",
     "rx_overrun_locked(c, h->len) ||", ""),
    ("hostile_net.py", "used-len", "drivers/virtio/virtqueue.c",
     "||\n\t    len > vq->chains[id].in_bytes", ""),
]


def copy_to(folder):
    for name in ["Makefile", "VERSION", "apps", "bench", "docs", "drivers", "host",
                 "kernel", "musl-glue", "posix", "tests", "tools", "ports",
                 BUILD]:
        if pathlib.Path(name).is_dir():
            shutil.copytree(name, folder / name, symlinks=True, ignore=LEFT)
        else:
            shutil.copy2(name, folder / name)


def make(folder):
    built = subprocess.run(
        ["make", "-s", "-j2", f"{BUILD}/tests/hostile/victim"], cwd=folder,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if built.returncode:
        raise AssertionError(built.stdout.decode()[-2000:])


def found(folder, script, kind):
    """What showed it, or None."""
    for seed in range(1, SEEDS + 1):
        ran = subprocess.run(
            [f"tests/hostile/{script}",
             ROUNDS if script == "hostile.py" else "100", str(seed)], cwd=folder,
            env={**os.environ, "ONLY": kind}, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, check=False, text=True)
        if ran.returncode:
            said = [line for line in ran.stdout.splitlines()
                    if line.startswith("# ")]
            return said[0][2:] if said else ran.stdout[-300:]
    return None


def main():
    numbers = [int(n) for n in sys.argv[1:]] or range(1, len(PLANTED) + 1)
    print(f"1..{len(numbers)}", flush=True)
    failed = 0
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        copy_to(folder)
        for at, number in enumerate(numbers, 1):
            script, kind, path, old, new = PLANTED[number - 1]
            file = folder / path
            text = file.read_text()
            try:
                if old not in text:
                    raise AssertionError(f"{path} no longer has {old!r}")
                file.write_text(text.replace(old, new, 1))
                make(folder)
                why = found(folder, script, kind)
            except AssertionError as error:
                why = None
                print("#", str(error).replace("\n", "\n# "))
            file.write_text(text)
            failed += not why
            print("ok" if why else "not ok", f"{at} - {number}: {path} without "
                  f"{old.strip().splitlines()[0]!r}, lie {kind}: {why}",
                  flush=True)
    return 1 if failed else 0


sys.exit(main())
