#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""planted.py [SECONDS [TARGET...]]: do the fuzzers find anything?

Each row takes one check out of a copy of the sources; the fuzzer, built from
that copy, must stop at it.  For `make fuzz-planted`, not for `make test`.
"""
import concurrent.futures
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

BUILD = os.environ.get("BUILD", "build")
SECONDS = int(sys.argv[1]) if len(sys.argv) > 1 else 60
ONLY = sys.argv[2:]  # targets
COPIED = ["Makefile", "VERSION", "apps", "bench", "docs", "drivers", "host", "kernel",
          "musl-glue", "ports", "posix", "tests", "tools"]

# target, file, what is there, what takes its place
PLANTED = [
    ("start_info", "kernel/arch/x86_64/start_info.c",
     "r.start = max(r.start, end);", ""),
    ("start_info", "kernel/arch/x86_64/start_info.c",
     "start >= end || i == BOOT_RANGES", "start >= end"),
    ("start_info", "kernel/arch/x86_64/start_info.c",
     "end < start ||", ""),
    ("start_info", "kernel/arch/x86_64/start_info.c",
     "p->e820_entries > ARRAY_LEN(p->e820_table)", "0"),
    ("tables", "kernel/arch/x86_64/mptable.c", "|| size > n - at", ""),
    ("tables", "kernel/arch/x86_64/acpi.c",
     "p[at + 1] > n - at", "0"),
    ("tables", "kernel/arch/x86_64/acpi.c",
     "e[0] == MADT_X2APIC && size >= 16", "e[0] == MADT_X2APIC"),
    ("virtqueue", "drivers/virtio/virtqueue.c",
     "||\n\t    len > vq->chains[id].in_bytes", ""),
    ("virtqueue", "drivers/virtio/virtqueue.c", "id >= vq->size ||", ""),
    ("virtqueue", "drivers/virtio/virtqueue.c",
     "|| !vq->chains[id].token", ""),
    ("cmdline", "kernel/lib/cmdline.c", "irq > 255", "irq > 255000"),
    ("cmdline", "kernel/lib/cmdline.c",
     "if (digit(*s, base) < 0)\n\t\treturn false;", ""),
    ("cmdline", "kernel/lib/cmdline.c",
     "while (*p && !is_blank(*p))", "while (!is_blank(*p))"),
    ("dirents", "kernel/fs/fuse_dir.c", "memchr(d->name, '/', d->namelen) ||",
     ""),
    ("dirents", "kernel/fs/fuse_dir.c", "|| memchr(d->name, 0, d->namelen)",
     ""),
    ("dirents", "kernel/fs/fuse_dir.c", "!d->namelen ||", ""),
    ("front", "kernel/net/proxy.c", "len < address_len(h) ||", ""),
    ("front", "kernel/net/socks.c",
     "if (byteq_bytes(&c->rx) < len)", "if (byteq_bytes(&c->rx) < 5)"),
    ("front", "kernel/net/socks.c", "kfree(c->owner);\n\tc->owner = NULL;\n"
     "\tvsock_kill", "c->owner = NULL;\n\tvsock_kill"),
    ("vsock", "kernel/net/vsock_input.c",
     "rx_overrun_locked(c, h->len) ||", ""),
    ("vsock", "kernel/net/vsock_input.c",
     "vsock_conn_put(c); /* the user's reference: nobody took it */", ""),
    ("vsock", "kernel/net/vsock_input.c",
     "c->refs++; /* ours: the listener may go and take it along */", ""),
    ("fuse_reply", "kernel/fs/fuse_req.c", "|| h.error < -ERROR_MAX", ""),
    ("fuse_reply", "kernel/fs/fuse_io.c", "out.size > len ||", ""),
    ("fuse_reply", "kernel/fs/fuse_name.c",
     "n > 0 && memchr(buf, 0, (size_t)n)", "n > PATH_MAX"),
    ("path", "kernel/fs/path.c",
     "w->last.len > NAME_MAX", "w->last.len > PATH_MAX"),
    ("path", "kernel/fs/dcache.c",
     "d->parent = dir;\n\tref_locked(dir);\n\tif (gen",
     "d->parent = dir;\n\tif (gen"),
    ("path", "kernel/fs/path.c", "kfree(w->buf);\n\tw->dir", "w->dir"),
    ("http_parser", "apps/webserver/uri.c", "i + 2 < s.len", "i < s.len"),
    ("http_parser", "apps/webserver/uri.c",
     "if (n < 0)\n\t\t\t\treturn -400;", ""),
    ("http_parser", "apps/webserver/range.c",
     "if (r->last >= size)\n\t\tr->last = size - 1;", ""),
    ("host_device", "host/vq.c",
     "len <= r->size - (gpa - r->gpa)", "len <= r->size"),
    ("host_device", "host/vq.c", "|| at == VQ_CHAIN_MAX", ""),
    ("host_device", "host/vhost_user.c", "index < vu->dev.vq_count",
     "index < 4096"),
    ("host_parse", "host/dns.c", "at + n > len ||", ""),
    ("host_parse", "host/dns.c", "put + n + 1 >= 255 ||", ""),
    ("host_parse", "host/image.c", "len > im->size - offset", "len > im->size"),
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
        suffix = "" if target.startswith("host_") else "_fuzz"
        binary = f"build/tests/fuzz/{target}{suffix}"
        made = subprocess.run(
            ["make", "-s", "MUSL=build/none", binary], cwd=folder,
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
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        jobs = [pool.submit(found, *row) for row in rows]
        for number, (row, job) in enumerate(zip(rows, jobs), 1):
            target, path, old, _ = row
            why = f"not found within {SECONDS} s"
            try:
                good = job.result()
            except AssertionError as error:
                good, why = False, str(error)
            failed += not good
            print("ok" if good else "not ok", number, "-", target + ":", path,
                  "without", repr(old.splitlines()[0]), flush=True)
            if not good:
                print("#", why.replace("\n", "\n# "), flush=True)
    return 1 if failed else 0


sys.exit(main())
