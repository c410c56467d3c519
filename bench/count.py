# SPDX-License-Identifier: BSD-2-Clause
"""Counts: instructions, notifications of a device (kicks), interrupts, bytes.

They come from a TCG plugin (plugin/count.c) that maps its counters into a
file, so they are read while the machine idles, before and after N operations
of a round.  Each part yields rows: a dict with `name`, `what`, and for `toril` and perhaps `linux`
either a number or a set of counts.
"""
import http.client
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

from machines import BUILD, MARKS, Linux, Toril, image_of, port_image

N = int(os.environ.get("N", "200"))
ROUNDS = 7
COUNTS = ("instructions", "kicks", "interrupts", "copied")


def row(name, what, toril, linux=None):
    found = {"name": name, "what": what, "unit": "count"}
    for kind, value in ("toril", toril), ("linux", linux):
        if value is None:
            continue
        if isinstance(value, (tuple, list)):
            value = dict(zip(COUNTS, (round(value[0]), round(value[1], 2),
                                      round(value[2], 2), round(value[3]))))
        found[kind] = value
    return found


def per_operation(guest, operate):
    """The counts of one operation: of the cheapest of ROUNDS rounds, since timers tick while a busy host runs something else."""
    operate(50)  # whatever happens only at first
    before, rounds = guest.idle_counts(), []
    for _ in range(ROUNDS):
        operate(N)
        after = guest.idle_counts()
        rounds.append([(b - a) / N for a, b in zip(before, after)])
        before = after
    return min(rounds)


def scale():
    """The counting itself: a `rep` counts by its iterations."""
    with Toril(f"{BUILD}/bench/rep", counted=True,
               marks=("before", "after")) as guest:
        guest.finish()
        n, _, _, copied = (after - before for before, after in
                           zip(guest.counts(1), guest.counts(2)))
    if not 1000 <= n < 1020 or copied != 1000:
        raise RuntimeError(f"a rep of 1000 counts as {n}, {copied} bytes")
    yield row("check-rep", "check: `rep movsb` of 1,000 bytes", n)


def boot():
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "file").write_bytes(b"first bytes\n")
        share = (folder, "/data")
        with Toril(f"{BUILD}/apps/hello", counted=True, memory="64M",
                   marks=("main",)) as guest:
            guest.finish()
            yield row("boot-main", "PVH entry to `main`, hello",
                      guest.counts(1)[0])
        with Toril(f"{BUILD}/apps/hello", counted=True, share=share,
                   memory="64M", marks=("main",)) as guest:
            guest.finish()
            yield row("boot-mounted", "the same, a share mounted",
                      guest.counts(1)[0])
        with Toril(f"{BUILD}/bench/read_file", "/data/file", share=share,
                   memory="64M", counted=True, marks=("written",)) as guest:
            if guest.finish() != "first bytes\n":
                raise RuntimeError("not what the file holds")
            yield row("boot-read", "PVH entry to a share's file written",
                      guest.counts(1)[0])


def both(name, what, counts):
    """`counts(kind)` is a dict of counts by suffix and words for the row."""
    ours, theirs = counts(Toril), counts(Linux)
    for suffix, values in ours.items():
        yield row(name + suffix, what[suffix], values, theirs[suffix])


def echo():
    def count(kind):
        with kind(image_of(kind, "apps/echo"), "-p", "80", port=80,
                  counted=True) as guest:
            guest.wait_listening()
            with guest.connect() as sock:
                def operate(times):
                    for _ in range(times):
                        sock.sendall(b"x")
                        if sock.recv(1) != b"x":
                            raise RuntimeError("no echo")
                return {"": per_operation(guest, operate)}
    yield from both("count-echo", {"": "echo of 1 byte"}, count)


def until_served(guest):
    while True:
        try:
            client = http.client.HTTPConnection("127.0.0.1", guest.port, 60)
            client.request("GET", "/")
            return client.getresponse().read()
        except (ConnectionError, http.client.HTTPException):
            if guest.dead():
                raise RuntimeError("the machine ended") from None
            time.sleep(0.2)


def requests(guest, body):
    guest.wait_listening()
    until_served(guest)
    client = http.client.HTTPConnection("127.0.0.1", guest.port, 60)

    def operate(close):
        def times(n):
            for _ in range(n):
                client.request("GET", "/file", headers=close)
                if client.getresponse().read() != body:
                    raise RuntimeError("other bytes")
                if close:
                    client.close()
        return times
    return {"": per_operation(guest, operate({})),
            "-close": per_operation(guest, operate({"Connection": "close"}))}


def web():
    body = os.urandom(4096)

    def count(kind):
        with tempfile.TemporaryDirectory() as folder:
            pathlib.Path(folder, "file").write_bytes(body)
            with kind(image_of(kind, "apps/webserver"), "-p", "80", "/srv",
                      port=80, counted=True, share=(folder, "/srv")) as guest:
                return requests(guest, body)
    yield from both("count-http", {
        "": "4 KiB keep-alive request",
        "-close": "4 KiB request on its own connection"}, count)


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
NGINX_ARGS = ("-e", "stderr", "-c", "/srv/nginx.conf")


def nginx():
    body = os.urandom(4096)

    def count(kind):
        with tempfile.TemporaryDirectory() as folder:
            os.mkdir(folder + "/site")
            pathlib.Path(folder, "site/file").write_bytes(body)
            pathlib.Path(folder, "nginx.conf").write_text(NGINX)
            with kind(port_image("nginx", kind), *NGINX_ARGS, port=80,
                      counted=True, share=(folder, "/srv")) as guest:
                return requests(guest, body)
    yield from both("count-nginx", {
        "": "nginx, 4 KiB keep-alive request",
        "-close": "nginx, 4 KiB request on its own connection"}, count)


def redis():
    def count(kind):
        with kind(port_image("redis", kind), "--save", "", "--hz", "1",
                  "--protected-mode", "no", port=6379, counted=True) as guest:
            guest.wait_listening()
            with guest.connect() as sock:
                def ask(command, answer):
                    def operate(times):
                        for _ in range(times):
                            sock.sendall(command)
                            if sock.recv(100) != answer:
                                raise RuntimeError("redis: another answer")
                    return operate
                ask(b"PING\r\n", b"+PONG\r\n")(1)
                return {
                    "-SET": per_operation(guest, ask(
                        b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$3\r\nabc\r\n",
                        b"+OK\r\n")),
                    "-GET": per_operation(guest, ask(
                        b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n",
                        b"$3\r\nabc\r\n"))}
    yield from both("count-redis", {"-SET": "redis SET", "-GET": "redis GET"},
                    count)


CALLS = {"getpid": "getpid", "read of 1 byte of /dev/zero": "zero",
         "write of 1 byte to /dev/null": "null", "stat of a file": "stat",
         "open, fstat, read of 4 KiB, close, cached": "file",
         "the same, never seen before": "file-cold",
         "pipe there and back between threads": "pipe",
         "semaphore there and back between threads": "futex",
         "thread create and join": "thread",
         "mmap of 64 KiB, touch, munmap": "mapping",
         "malloc and free, mixed sizes": "malloc"}


def calls():
    """Counted by spans that bench/calls.c marks: the cheapest of its rounds,
    without what its loop takes."""
    def count(kind):
        with tempfile.TemporaryDirectory() as folder:
            for name in ["file", *map(str, range(50))]:
                pathlib.Path(folder, name).write_bytes(os.urandom(4096))
            with kind(image_of(kind, "bench/calls"), "/data", counted=True,
                      share=(folder, "/data")) as guest:
                text = guest.finish()
                found = {}
                for number, times, name in re.findall(
                        r"^(\d+) (\d+) (.+)$", text, re.M):
                    found[name] = [c / int(times) for c in
                                   guest.counts(1 + MARKS + int(number))]
        loop = found.pop("(loop)")[0]
        return {"-" + CALLS[name]: (c[0] - loop, *c[1:])
                for name, c in found.items()}
    yield from both("call", {"-" + v: k for k, v in CALLS.items()}, count)


def stripped(image):
    with tempfile.NamedTemporaryFile() as file:
        subprocess.run(["strip", "-o", file.name, image], check=True)
        return os.path.getsize(file.name)


def sizes():
    for name in "apps/hello", "apps/webserver", "ports/nginx", "ports/redis":
        short = name.split("/")[1]
        yield row("size-" + short, f"image of {short}, stripped, bytes",
                  stripped(image_of(Toril, name)))


PARTS = [scale, boot, echo, web, nginx, redis, calls, sizes]


if __name__ == "__main__":
    for part in PARTS:
        if part.__name__ in sys.argv[1:] or len(sys.argv) == 1:
            for found_row in part():
                print(found_row, flush=True)
