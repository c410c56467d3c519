#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""count.py [NAME...]: what Toril costs, counted, as a Markdown table.

Counts come from a TCG plugin (plugin/count.c) that maps its counters into a
file, so they are read while the machine idles, before and after a number of
operations; costs per operation are the difference between N and 2N.
"""
import concurrent.futures
import http.client
import importlib.util
import os
import pathlib
import re
import socket
import struct
import subprocess
import sys
import tempfile
import time

BUILD = os.environ.get("BUILD", "build")
RUN = f"{BUILD}/bin/toril-run"
N = int(os.environ.get("N", "1000"))
MARKS = 16  # of the plugin's; spans follow


def output(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE,
                          text=True).stdout


def symbol(image, name):
    match = re.search(rf"^([0-9a-f]+) [Tt] {name}$", output("nm", image), re.M)
    return "0x" + match[1]


class Machine:
    """A counted run; `marks` are functions of the image."""

    def __init__(self, image, *args, options=(), marks=(), port=None):
        self.file = tempfile.NamedTemporaryFile()
        entry = symbol(image, "pvh_start")
        plugin = (f"{BUILD}/bench/count.so,out={self.file.name},entry={entry}"
                  + "".join(f",mark={symbol(image, m)}" for m in marks))
        publish = ("-p", f"127.0.0.1:0:{port}") if port else ()
        self.process = subprocess.Popen(
            [RUN, *publish, "--accel", "tcg", *options,
             "--qemu-arg", "-plugin", "--qemu-arg", plugin, image, *args],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE)
        self.port = None
        if port:
            line = self.process.stderr.readline().decode()
            self.port = int(re.search(r":(\d+) -> ", line)[1])

    def counts(self, at=0):
        with open(self.file.name, "rb") as file:
            return struct.unpack_from("<3Q", file.read(), 24 * at)

    def idle_counts(self):
        """Once nothing moves any more."""
        last = None
        while last != (last := self.counts()):
            time.sleep(0.3)
        return last

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), 60)

    def finish(self):
        out, err = self.process.communicate(timeout=120)
        if self.process.returncode:
            raise RuntimeError(f"{self.process.returncode}: {err!r}")
        return out

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
        self.process.communicate(timeout=60)


def per_operation(machine, operate, busy=False):
    """Instructions, kicks and interrupts of one operation.  A program that
    is `busy` has something to do every second: it is never seen idle."""
    counts = machine.counts if busy else machine.idle_counts
    operate(50)  # whatever happens only at first
    seen = [counts()]
    for times in (N, 2 * N):
        operate(times)
        seen.append(counts())
    return tuple(((c - b) - (b - a)) / N for a, b, c in zip(*seen))


def scale():
    with Machine(f"{BUILD}/bench/rep", marks=("before", "after")) as machine:
        machine.finish()
        n = machine.counts(2)[0] - machine.counts(1)[0]
    if not 1000 <= n < 1020:
        raise RuntimeError(f"a rep of 1000 counts as {n}")
    return [("check: `rep movsb` of 1,000 bytes", n)]


def boot():
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "file").write_bytes(b"first bytes\n")
        share = ("-v", f"{folder}:/data")
        with Machine(f"{BUILD}/apps/hello", marks=("main",)) as machine:
            machine.finish()
            hello = machine.counts(1)[0]
        with Machine(f"{BUILD}/apps/hello", options=share,
                     marks=("main",)) as machine:
            machine.finish()
            mounted = machine.counts(1)[0]
        with Machine(f"{BUILD}/bench/read_file", "/data/file", options=share,
                     marks=("written",)) as machine:
            if machine.finish() != b"first bytes\n":
                raise RuntimeError("not what the file holds")
            read = machine.counts(1)[0]
    return [("instructions from PVH entry to `main`, hello", hello),
            ("the same with a share mounted", mounted),
            ("instructions to the first bytes of a share's file written",
             read)]


def show(name, counts):
    return [(f"{name}: instructions", round(counts[0])),
            (f"{name}: kicks", round(counts[1], 2)),
            (f"{name}: interrupts", round(counts[2], 2))]


def echo():
    with Machine(f"{BUILD}/apps/echo", "-p", "80", port=80) as machine, \
            machine.connect() as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def operate(times):
            for _ in range(times):
                sock.sendall(b"x")
                if sock.recv(1) != b"x":
                    raise RuntimeError("no echo")
        return show("echo of 1 byte", per_operation(machine, operate))


def until_served(machine):
    while True:
        try:
            client = http.client.HTTPConnection("127.0.0.1", machine.port, 60)
            client.request("GET", "/")
            return client.getresponse().read()
        except (ConnectionError, http.client.HTTPException):
            if machine.process.poll() is not None:
                raise RuntimeError(machine.process.stderr.read()) from None
            time.sleep(0.2)


def requests(machine, body, prefix=""):
    until_served(machine)
    client = http.client.HTTPConnection("127.0.0.1", machine.port, 60)

    def operate(close):
        def times(n):
            for _ in range(n):
                client.request("GET", "/file", headers=close)
                if client.getresponse().read() != body:
                    raise RuntimeError("other bytes")
                if close:
                    client.close()
        return times
    yield from show(f"{prefix}4 KiB keep-alive request",
                    per_operation(machine, operate({})))
    yield from show(f"{prefix}4 KiB request on its own connection",
                    per_operation(machine, operate({"Connection": "close"})))


def web():
    body = os.urandom(4096)
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "file").write_bytes(body)
        with Machine(f"{BUILD}/apps/webserver", "-p", "80", "/srv", port=80,
                     options=("-v", f"{folder}:/srv:ro")) as machine:
            yield from requests(machine, body)


NGINX = """daemon off;
master_process off;
pid /tmp/nginx.pid;
error_log stderr warn;
events {}
http {
	access_log off;
	sendfile on;
	tcp_nopush on;
	open_file_cache max=100;
	client_body_temp_path /tmp/body;
	proxy_temp_path /tmp/proxy;
	fastcgi_temp_path /tmp/fastcgi;
	uwsgi_temp_path /tmp/uwsgi;
	scgi_temp_path /tmp/scgi;
	server {
		listen 80 reuseport;
		root /srv/site;
	}
}
"""


def port_image(name):
    """Built by ports/port.py; None where its source can't be had."""
    done = subprocess.run(["ports/port.py", name], stdout=sys.stderr,
                          env={**os.environ, "BUILD": BUILD}, check=False)
    if done.returncode:
        print(f"no {name}", file=sys.stderr)
        return None
    recipe = pathlib.Path(f"ports/{name}/recipe").read_text()
    image = re.search(r"^run: (\S+)", recipe, re.M)[1]
    return f"{BUILD}/ports/{name}/{image}"


def nginx():
    image = port_image("nginx")
    if not image:
        return
    body = os.urandom(4096)
    with tempfile.TemporaryDirectory() as folder:
        os.mkdir(folder + "/site")
        pathlib.Path(folder, "site/file").write_bytes(body)
        pathlib.Path(folder, "nginx.conf").write_text(NGINX)
        with Machine(image, "-e", "stderr", "-c", "/srv/nginx.conf", port=80,
                     options=("-v", f"{folder}:/srv:ro")) as machine:
            yield from requests(machine, body, "nginx, ")


def redis():
    image = port_image("redis")
    if not image:
        return
    with Machine(image, "--save", "", "--protected-mode", "no", "--hz", "1",
                 port=6379) as machine, machine.connect() as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def ask(command, answer):
            def operate(times):
                for _ in range(times):
                    sock.sendall(command)
                    if sock.recv(100) != answer:
                        raise RuntimeError("redis: another answer")
            return operate
        ask(b"PING\r\n", b"+PONG\r\n")(1)
        yield from show("redis SET", per_operation(
            machine, ask(b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$3\r\nabc\r\n",
                         b"+OK\r\n"), busy=True))
        yield from show("redis GET", per_operation(
            machine, ask(b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n",
                         b"$3\r\nabc\r\n"), busy=True))


def share_for_calls(folder):
    for name in ["file", *map(str, range(50))]:
        pathlib.Path(folder, name).write_bytes(os.urandom(4096))


def spans(counts, text):
    """What a run of bench/calls.c printed, with the counts of one call each:
    what the loop itself takes is not the call's."""
    found = {}
    line = re.compile(r"^(\d+) (\d+) (.+?)\r?$", re.M)
    for number, times, name in line.findall(text):
        found[name] = [c / int(times) for c in counts(1 + MARKS + int(number))]
    loop = found.pop("(loop)")
    return {name: (c[0] - loop[0], *c[1:]) for name, c in found.items()}


def calls_on_toril():
    with tempfile.TemporaryDirectory() as folder:
        share_for_calls(folder)
        with Machine(f"{BUILD}/bench/calls", "/data",
                     options=("-v", f"{folder}:/data")) as machine:
            text = machine.finish().decode()
            return spans(machine.counts, text)


def linux_module():
    spec = importlib.util.spec_from_file_location(
        "vsock_linux_test", "tests/host/vsock_linux_test.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.MODULES = module.MODULES[:3] + ["fs/fuse/fuse", "fs/fuse/virtiofs"]
    return module


def calls_on_linux():
    """None where Linux's kernel can't be had."""
    linux = linux_module()
    try:
        kernel = linux.fetch_kernel()
    except (OSError, subprocess.CalledProcessError) as why:
        print(f"no Linux guest: {why}", file=sys.stderr)
        return None
    with tempfile.TemporaryDirectory() as work:
        os.mkdir(work + "/share")
        share_for_calls(work + "/share")
        linux.initramfs(work + "/initrd", f"{BUILD}/bench/calls_init")
        daemon = subprocess.Popen(
            ["/usr/lib/qemu/virtiofsd", f"--socket-path={work}/fs", "-o",
             f"source={work}/share,cache=auto"], stderr=subprocess.DEVNULL)
        while not os.path.exists(work + "/fs") and daemon.poll() is None:
            time.sleep(0.05)
        try:
            text = subprocess.run(
                ["qemu-system-x86_64", "-M",
                 "microvm,acpi=on,memory-backend=mem", "-accel", "tcg",
                 "-cpu", "max", "-object",
                 "memory-backend-memfd,id=mem,size=256M,share=on", "-m",
                 "256M", "-nodefaults", "-no-user-config", "-display", "none",
                 "-no-reboot", "-serial", "stdio", "-global",
                 "virtio-mmio.force-legacy=false", "-chardev",
                 f"socket,id=fs,path={work}/fs", "-device",
                 "vhost-user-fs-device,chardev=fs,tag=share", "-kernel",
                 kernel, "-initrd", work + "/initrd", "-append",
                 "console=ttyS0 quiet tsc=reliable "
                 f"tsc_early_khz={linux.tsc_khz()}", "-plugin",
                 f"{BUILD}/bench/count.so,out={work}/counts"],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                timeout=600, check=True).stdout
        finally:
            daemon.terminate()
            daemon.wait()
        if not re.search(r"^done\r?$", text, re.M):
            raise RuntimeError(f"the Linux guest: {text}")
        data = pathlib.Path(work, "counts").read_bytes()
        return spans(lambda at: struct.unpack_from("<3Q", data, 24 * at), text)


def calls():
    """Rows with a third column, Linux's count."""
    ours, theirs = calls_on_toril(), calls_on_linux()
    for name, counts in ours.items():
        other = theirs[name] if theirs else None
        yield (f"{name}: instructions", round(counts[0]),
               round(other[0]) if other else None)
        if "file" in name or "open" in name or "seen" in name:
            yield (f"{name}: kicks", round(counts[1], 2),
                   round(other[1], 2) if other else None)


def sizes():
    rows = []
    for app in ("hello", "webserver"):
        with tempfile.NamedTemporaryFile() as file:
            subprocess.run(["strip", "-o", file.name, f"{BUILD}/apps/{app}"],
                           check=True)
            rows.append((f"image bytes of {app}, stripped",
                         os.path.getsize(file.name)))
    return rows


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


def fetch(port, root, files):
    client = http.client.HTTPConnection("127.0.0.1", port, 60)
    for path in files:
        client.request("GET", "/" + str(path.relative_to(root)))
        if client.getresponse().read() != path.read_bytes():
            return False
    client.close()
    return True


def webserver_serves(kib):
    root, files = site_files()
    command = [RUN, "-m", f"{kib}K", "-p", "127.0.0.1:0:80", "--timeout", "120",
               "-v", f"{root}:/srv:ro", f"{BUILD}/apps/webserver", "-p", "80",
               "/srv"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE) as server:
        try:
            match = re.search(rb":(\d+) -> ", server.stderr.readline())
            if not match:
                return False
            port = int(match[1])
            with concurrent.futures.ThreadPoolExecutor(64) as pool:
                return all(pool.map(
                    lambda n: fetch(port, root, files[n::64]), range(64)))
        except (OSError, http.client.HTTPException) as why:
            print(f"{kib} KiB: {why!r}", file=sys.stderr)
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


def memory():
    _, files = site_files()
    return [("least memory for hello, KiB",
             least(hello_runs, 2040, 8192, 8)),
            (f"least memory for {len(files)} files on 64 connections, KiB",
             least(webserver_serves, 2040, 32768, 8))]


def main():
    parts = [scale, boot, echo, web, nginx, redis, calls, sizes, memory]
    print("| what | count | Linux |\n| --- | ---: | ---: |")
    for part in parts:
        if len(sys.argv) > 1 and part.__name__ not in sys.argv[1:]:
            continue
        for name, value, *other in part():
            linux = f"{other[0]:,}" if other and other[0] is not None else ""
            print(f"| {name} | {value:,} | {linux} |", flush=True)


main()
