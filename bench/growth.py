# SPDX-License-Identifier: BSD-2-Clause
"""How costs grow: with connections, with files and with memory; and the least
memory with which programs do their work.  Rows as in count.py."""
import concurrent.futures
import http.client
import os
import pathlib
import re
import resource
import struct
import subprocess
import sys
import tempfile

import count
from count import row
from machines import BUILD, MARKS, RUN, Linux, Toril, image_of, port_image


def connections(most=10000):
    """One connection echoes while others idle."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    open_ones = []
    with Toril(image_of(Toril, "bench/idle"), port=80, counted=True) as guest:
        try:
            sock = guest.connect()

            def echo(times, byte=b"x", size=1):
                for _ in range(times):
                    sock.sendall(byte)
                    got = sock.recv(size)
                    if len(got) != size:
                        raise RuntimeError("no echo")
                return got

            def free():
                return struct.unpack("<Q", echo(1, b"m", 8))[0]
            echo(50)
            first = free()
            for n in (1, 64, 1000, 10000):
                if n > most:
                    break
                while len(open_ones) < n - 1:
                    other = guest.connect()
                    other.sendall(b"y")
                    if other.recv(1) != b"y":
                        raise RuntimeError("no echo")
                    open_ones.append(other)
                yield row(f"idle-{n}", f"echo of 1 byte, {n:,} connections",
                          count.per_operation(guest, echo))
            yield row("idle-memory",
                      "guest memory of an idle connection, bytes",
                      round((first - free()) / len(open_ones)))
        finally:
            for other in open_ones:
                other.close()
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def files(sizes=(10, 1000, 10000, 100000)):
    for n in sizes:
        with tempfile.TemporaryDirectory(dir=f"{BUILD}/bench") as folder:
            for i in range(n):
                pathlib.Path(folder, str(i)).touch()
            seen = {}
            for kind in Toril, Linux:
                with kind(image_of(kind, "bench/folder"), "/data", str(n),
                          share=(folder, "/data"), counted=True) as guest:
                    guest.finish()
                    seen[kind] = (
                        [c / 10 for c in guest.counts(1 + MARKS)],
                        [c / n for c in guest.counts(2 + MARKS)])
        yield row(f"files-read-{n}", f"a new file's open, fstat, read, close, "
                  f"of {n:,}", seen[Toril][0], seen[Linux][0])
        yield row(f"files-list-{n}", f"readdir, each of {n:,} entries",
                  seen[Toril][1], seen[Linux][1])


def memory(sizes=("16M", "64M", "256M", "1G", "8G")):
    for size in sizes:
        with Toril(f"{BUILD}/apps/hello", counted=True, memory=size,
                   marks=("main",)) as guest:
            guest.finish()
            yield row(f"boot-{size}", f"PVH entry to `main`, {size}iB",
                      guest.counts(1)[0])


def hello_runs(kib):
    done = subprocess.run([RUN, "-m", f"{kib}K", "--timeout", "30",
                           f"{BUILD}/apps/hello"], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, check=False)
    return done.returncode == 0 and done.stdout == b"Hello from Toril!\n"


def site_files():
    tree = pathlib.Path(f"{BUILD}/cache/site/tree")
    roots = [p for p in sorted(tree.rglob("html")) if p.is_dir()
             and not p.is_symlink()] or [pathlib.Path(f"{BUILD}/site")]
    root = roots[0]
    return root, [p for p in sorted(root.rglob("*"))
                  if p.is_file() and not p.is_symlink()]


def fetch(port, root, files_of_one):
    client = http.client.HTTPConnection("127.0.0.1", port, 60)
    for path in files_of_one:
        client.request("GET", "/" + str(path.relative_to(root)))
        if client.getresponse().read() != path.read_bytes():
            return False
    client.close()
    return True


def serves(kib, options, *program):
    """The whole site, each of 64 connections a part of it."""
    root, listed = site_files()
    command = [RUN, "-m", f"{kib}K", "-p", "127.0.0.1:0:80", "--timeout",
               "120", "-v", f"{root}:/srv:ro", *options, *program]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE) as server:
        try:
            match = re.search(rb":(\d+) -> ", server.stderr.readline())
            if not match:
                return False
            port = int(match[1])
            with concurrent.futures.ThreadPoolExecutor(64) as pool:
                return all(pool.map(
                    lambda n: fetch(port, root, listed[n::64]
                                    or listed[n % len(listed):][:1]),
                    range(64)))
        except (OSError, http.client.HTTPException):
            return False
        finally:
            server.terminate()
            server.communicate()


def least(works, low, high, step):
    """KiB: the least that works, given that more works too."""
    if not works(high):
        raise RuntimeError(f"not even with {high} KiB")
    while high - low > step:
        middle = (low + high) // 2 // step * step
        if works(middle):
            high = middle
        else:
            low = middle
    return high


def memories(quick=False):
    """KiB; when it has to be quick, only whether the goal does."""
    _, listed = site_files()
    site = f"{len(listed)} files on 64 connections"
    with tempfile.TemporaryDirectory() as conf:
        pathlib.Path(conf, "nginx.conf").write_text(
            count.NGINX.replace("/srv/site", "/srv"))
        image = port_image("nginx")
        programs = [
            ("hello", "hello", 2560, hello_runs),
            ("webserver", f"web server, {site}", 4096, lambda kib: serves(
                kib, (), f"{BUILD}/apps/webserver", "-p", "80", "/srv")),
            ("nginx", f"nginx, {site}", 6144, lambda kib: serves(
                kib, ("-v", f"{conf}:/conf:ro"), image, "-e", "stderr", "-c",
                "/conf/nginx.conf"))]
        for name, what, goal, works in programs:
            if quick and works(goal):
                kib = goal
            else:
                kib = least(works, 2040, 32768, 8)
            yield row("memory-" + name, f"least memory, {what}, KiB", kib)


PARTS = [memory, files, connections, memories]


if __name__ == "__main__":
    for part in PARTS:
        if part.__name__ in sys.argv[1:] or len(sys.argv) == 1:
            for found_row in part():
                print(found_row, flush=True)
