#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""apps/webserver, over raw sockets: every status, header and limit.

TORIL_RUN chooses a VM, see server.py.
"""
import email.utils
import gzip
import os
import pathlib
import random
import re
import resource
import shutil
import signal
import socket
import tempfile
import time

import server

TEMP = pathlib.Path(tempfile.mkdtemp(prefix="webserver-test-"))
ROOT = TEMP / "site"
TEXT = b"".join(b"line %d\n" % i for i in range(100))
BIG = random.Random(7).randbytes(3_000_000)
PAGE = random.Random(8).randbytes(4096)
STAMP = 1_600_000_000


def make_site():
    ROOT.mkdir()
    (TEMP / "secret").write_bytes(b"secret")
    files = {"index.html": b"<p>front", "a.txt": TEXT, "big.bin": BIG,
             "page.html": PAGE, "empty.txt": b"", "sub/index.html": b"<p>sub",
             "list/one.txt": b"1", "list/<b>&.txt": b"2", "list/deep/x": b"x",
             "space and \u00e4.txt": b"umlaut", "packed.css": b"css " * 500,
             "packed.css.gz": gzip.compress(b"css " * 500),
             "packed.css.br": b"not really brotli",
             "only.js": b"js " * 500, "only.js.gz": gzip.compress(b"js " * 500)}
    for name, content in files.items():
        path = ROOT / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_bytes(content)
        os.utime(path, (STAMP, STAMP))
    links = {"inside": "a.txt", "outside": "../secret", "sub/up": "../a.txt",
             "sub/out": "../../secret", "absolute": "/etc/passwd",
             "dirlink": "sub", "dirout": "..", "loop": "loop",
             "around": "sub/../dirlink/up", "dangling": "nothing"}
    for name, target in links.items():
        (ROOT / name).symlink_to(target)
    os.mkfifo(ROOT / "fifo")


class Response:
    """One response, read off a socket."""

    def __init__(self, sock, rest=b"", body=True):
        data = rest
        while b"\r\n\r\n" not in data:
            data += self._recv(sock, data)
        head, data = data.split(b"\r\n\r\n", 1)
        lines = head.decode("latin-1").split("\r\n")
        self.version, status, self.reason = lines[0].split(" ", 2)
        self.status = int(status)
        self.headers = {}
        for line in lines[1:]:
            name, value = line.split(": ", 1)
            assert name.lower() not in self.headers, "twice: " + name
            self.headers[name.lower()] = value
        length = int(self.headers.get("content-length", 0))
        if not body or self.status == 304:
            length = 0
        while len(data) < length:
            data += self._recv(sock, data)
        self.body, self.rest = data[:length], data[length:]

    @staticmethod
    def _recv(sock, so_far):
        data = sock.recv(1 << 18)
        assert data, "closed after %r" % so_far[:200]
        return data

    def __getitem__(self, name):
        return self.headers.get(name.lower())


WEB = None


def exchange(data, web=None, body=True):
    with (web or WEB).connect() as sock:
        sock.sendall(data)
        return Response(sock, body=body)


def request(path, *fields, method="GET", version="1.1", host=True):
    lines = ["%s %s HTTP/%s" % (method, path, version)]
    if host:
        lines.append("Host: localhost")
    return ("\r\n".join([*lines, *fields]) + "\r\n\r\n").encode("utf-8")


def get(path, *fields, web=None, method="GET", **more):
    return exchange(request(path, *fields, method=method, **more), web,
                    body=method != "HEAD")


def closed(sock):
    """True once the server has ended the connection."""
    try:
        return sock.recv(1) == b""
    except ConnectionResetError:
        return True


def same(got, wanted):
    assert got == wanted, "got %r, wanted %r" % (got, wanted)


def statuses(cases):
    wrong = ["%r: %d, not %d" % (data[:80], status, wanted)
             for data, wanted in cases
             if (status := exchange(data).status) != wanted]
    assert not wrong, "; ".join(wrong)


def a_file_with_its_headers():
    r = get("/a.txt")
    same((r.status, r.body, r.version), (200, TEXT, "HTTP/1.1"))
    same(r["Content-Type"], "text/plain; charset=utf-8")
    same(r["Last-Modified"], email.utils.formatdate(STAMP, usegmt=True))
    same(r["Accept-Ranges"], "bytes")
    assert re.fullmatch(r'"[0-9a-f-]+"', r["ETag"]), r["ETag"]
    date = email.utils.parsedate_to_datetime(r["Date"]).timestamp()
    assert abs(date - time.time()) < 100, r["Date"]
    same(get("/big.bin").body, BIG)
    same(get("/big.bin")["Content-Type"], "application/octet-stream")
    same((get("/empty.txt").status, get("/empty.txt").body), (200, b""))


def head_is_get_without_body():
    for path in ("/a.txt", "/big.bin", "/sub/", "/nothing", "/sub"):
        with WEB.connect() as sock:
            sock.sendall(request(path, method="HEAD") +
                         request("/a.txt", "Connection: close"))
            head = Response(sock, body=False)
            after = Response(sock, head.rest)
        full = get(path)
        same(head.status, full.status)
        for name in ("Content-Length", "Content-Type", "ETag", "Location"):
            same(head[name], full[name])
        same(after.body, TEXT)


def directory_index_and_redirect():
    same(get("/").body, b"<p>front")
    same(get("/sub/").body, b"<p>sub")
    same(get("/sub/")["Content-Type"], "text/html; charset=utf-8")
    r = get("/sub")
    same((r.status, r["Location"]), (301, "/sub/"))
    same(get("/sub?a=b")["Location"], "/sub/?a=b")
    same(get("//sub")["Location"], "/sub/")
    same(get("//sub").status, 301)
    same(get("/list/").status, 403)
    same(get("/list/one.txt/").status, 404)


def listing_when_wanted():
    with server.Server("webserver", ["-l"], str(ROOT)) as web:
        r = get("/list/", web=web)
        same(r.status, 200)
        assert b"<a href=\"./one.txt\">one.txt</a>" in r.body, r.body
        assert b"./%3Cb%3E%26.txt\">&lt;b&gt;&amp;.txt</a>" in r.body, r.body
        assert r.body.index(b"./deep/") < r.body.index(b"./one.txt"), r.body
        same(get("/list/%3Cb%3E%26.txt", web=web).body, b"2")
        same(get("/", web=web).body, b"<p>front")
        same(get("/list/", web=web, method="HEAD")["Content-Length"],
             str(len(r.body)))


def versions_and_keep_alive():
    def ends(data):
        with WEB.connect() as sock:
            sock.sendall(data)
            r = Response(sock)
            same(r.status, 200)
            if r["Connection"] == "close":
                assert closed(sock)
                return True
            sock.sendall(request("/a.txt", "Connection: close"))
            same(Response(sock).body, TEXT)
            assert closed(sock)
            return False
    assert not ends(request("/a.txt"))
    assert ends(request("/a.txt", "Connection: close"))
    assert ends(request("/a.txt", "Connection: x, Close"))
    assert ends(request("/a.txt", version="1.0", host=False))
    assert not ends(request("/a.txt", "Connection: Keep-Alive", version="1.0"))
    same(get("/a.txt", "Connection: keep-alive", version="1.0")["Connection"],
         "keep-alive")


def pipelining():
    paths = ["/a.txt", "/page.html", "/nothing", "/big.bin", "/sub", "/"] * 20
    data = b"".join(request(p) for p in paths)
    want = {"/a.txt": TEXT, "/page.html": PAGE, "/big.bin": BIG,
            "/": b"<p>front"}
    with WEB.connect() as sock:
        sock.sendall(data)
        rest = b""
        for path in paths:
            r = Response(sock, rest)
            rest = r.rest
            if path in want:
                same((path, r.body == want[path]), (path, True))
        same(rest, b"")


def a_request_in_single_bytes():
    with WEB.connect() as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in request("/a.txt") + request("/page.html"):
            sock.sendall(bytes([byte]))
        r = Response(sock)
        same(r.body, TEXT)
        same(Response(sock, r.rest).body, PAGE)


def bodies_are_skipped():
    chunked = b"5;ext=1\r\nhello\r\n0\r\nTrailer: x\r\n\r\n"
    posts = [request("/a.txt", "Content-Length: 5") + b"hello",
             request("/a.txt", "Transfer-Encoding: chunked") + chunked,
             request("/a.txt", "Content-Length: 0")]
    for post in posts:
        for split in range(len(post) - 12, len(post)):
            with WEB.connect() as sock:
                sock.sendall(post[:split])
                sock.sendall(post[split:] + request("/page.html"))
                r = Response(sock)
                same((r.status, r.body), (200, TEXT))
                same(Response(sock, r.rest).body, PAGE)
    with WEB.connect() as sock:
        sock.sendall(request("/a.txt", "Content-Length: 9",
                             "Expect: 100-continue", method="POST"))
        same(Response(sock).status, 405)
    statuses([(request("/", "Expect: magic"), 417)])


def ranges():
    size = len(TEXT)
    for spec, first, last in [
            ("0-0", 0, 0), ("0-9", 0, 9), ("10-", 10, size - 1),
            ("-5", size - 5, size - 1), ("5-999999", 5, size - 1),
            ("-999999", 0, size - 1), ("0-5,9999-", 0, 5), (" 1-2 ", 1, 2)]:
        r = get("/a.txt", "Range: bytes=" + spec)
        same((spec, r.status), (spec, 206))
        same(r["Content-Range"], "bytes %d-%d/%d" % (first, last, size))
        same(r.body, TEXT[first:last + 1])
    for spec in ("bytes=9-5", "bytes=", "bytes=a-b", "lines=0-1", "bytes=-",
                 "bytes=0-5,1-2,0-" + str(size), "bytes=1-2,x",
                 "bytes=" + ",".join(["0-0"] * 17), "bytes=1-2-3",
                 "bytes=99999999999999999999-"):
        r = get("/a.txt", "Range: " + spec)
        same((spec, r.status, r.body), (spec, 200, TEXT))
    for spec in (str(size) + "-", "-0", "99999-999999"):
        r = get("/a.txt", "Range: bytes=" + spec)
        same((r.status, r["Content-Range"]), (416, "bytes */%d" % size))
    same(get("/empty.txt", "Range: bytes=0-").status, 416)
    r = get("/big.bin", "Range: bytes=1000000-2999998")
    same((r.status, r.body == BIG[1000000:2999999]), (206, True))
    same(get("/a.txt", "Range: bytes=0-1", method="HEAD").status, 200)


def multipart(response, content):
    kind, boundary = response["Content-Type"].split("; boundary=")
    same(kind, "multipart/byteranges")
    pieces = response.body.split(b"\r\n--" + boundary.encode())
    same((pieces[0], pieces[-1]), (b"", b"--\r\n"))
    found = []
    for piece in pieces[1:-1]:
        head, data = piece.split(b"\r\n\r\n", 1)
        match = re.search(rb"Content-Range: bytes (\d+)-(\d+)/(\d+)", head)
        first, last, size = map(int, match.groups())
        same(size, len(content))
        assert data == content[first:last + 1], (first, last)
        assert b"Content-Type: " in head, head
        found.append((first, last))
    return found


def many_ranges():
    r = get("/a.txt", "Range: bytes=0-1,5-9, -3")
    same(r.status, 206)
    same(multipart(r, TEXT), [(0, 1), (5, 9), (len(TEXT) - 3, len(TEXT) - 1)])
    spec = ",".join("%d-%d" % (i * 150000, i * 150000 + 99999)
                    for i in range(16))
    with WEB.connect() as sock:
        sock.sendall(request("/big.bin", "Range: bytes=" + spec) +
                     request("/a.txt"))
        r = Response(sock)
        same(len(multipart(r, BIG)), 16)
        same(Response(sock, r.rest).body, TEXT)


def conditions():
    r = get("/a.txt")
    etag, date = r["ETag"], r["Last-Modified"]
    earlier = email.utils.formatdate(STAMP - 1, usegmt=True)
    later = email.utils.formatdate(STAMP + 99, usegmt=True)
    rfc850 = time.strftime("%A, %d-%b-%y %H:%M:%S GMT", time.gmtime(STAMP))
    asctime = time.asctime(time.gmtime(STAMP))
    cases = [
        (["If-None-Match: " + etag], 304), (["If-None-Match: *"], 304),
        (["If-None-Match: W/" + etag], 304),
        (['If-None-Match: "x", ' + etag], 304), (['If-None-Match: "x"'], 200),
        (["If-Modified-Since: " + date], 304),
        (["If-Modified-Since: " + later], 304),
        (["If-Modified-Since: " + earlier], 200),
        (["If-Modified-Since: " + rfc850], 304),
        (["If-Modified-Since: " + asctime], 304),
        (["If-Modified-Since: yesterday"], 200),
        (['If-None-Match: "x"', "If-Modified-Since: " + date], 200),
        (["If-Match: " + etag], 200), (["If-Match: *"], 200),
        (['If-Match: "x"'], 412), (["If-Match: W/" + etag], 412),
        (["If-Unmodified-Since: " + date], 200),
        (["If-Unmodified-Since: " + earlier], 412),
        (["If-Match: " + etag, "If-Unmodified-Since: " + earlier], 200),
        (["Range: bytes=0-1", "If-Range: " + etag], 206),
        (["Range: bytes=0-1", 'If-Range: "x"'], 200),
        (["Range: bytes=0-1", "If-Range: W/" + etag], 200),
        (["Range: bytes=0-1", "If-Range: " + date], 206),
        (["Range: bytes=0-1", "If-Range: " + later], 200),
        (["Range: bytes=0-1", "If-None-Match: " + etag], 304)]
    statuses([(request("/a.txt", *f), s) for f, s in cases])
    r = get("/a.txt", "If-None-Match: " + etag)
    same((r["ETag"], r.body, r.rest), (etag, b"", b""))
    with WEB.connect() as sock:
        sock.sendall(request("/a.txt", "If-None-Match: *") +
                     request("/page.html"))
        r = Response(sock)
        same(Response(sock, r.rest).body, PAGE)


def precompressed_siblings():
    plain = b"css " * 500
    for accept, coding in [
            ("gzip", "gzip"), ("br", "br"), ("gzip, br", "br"),
            ("br;q=0.5, gzip;q=0.9", "gzip"), ("*", "br"),
            ("br;q=0, *", "gzip"), ("gzip;q=0", None), ("deflate", None),
            ("identity, gzip;q=0.5", None), ("gzip;q=0.001", "gzip"),
            ("", None), ("GZIP", "gzip")]:
        r = get("/packed.css", "Accept-Encoding: " + accept)
        same((accept, r["Content-Encoding"]), (accept, coding))
        same(r["Vary"], "Accept-Encoding")
        same(r["Content-Type"], "text/css; charset=utf-8")
        if coding == "gzip":
            same(gzip.decompress(r.body), plain)
        elif coding is None:
            same(r.body, plain)
    r = get("/packed.css")
    same((r["Vary"], r.body), ("Accept-Encoding", plain))
    tags = {get("/packed.css", "Accept-Encoding: " + a)["ETag"]
            for a in ("gzip", "br", "x")}
    same(len(tags), 3)
    same(get("/only.js", "Accept-Encoding: br, gzip;q=0.1")
         ["Content-Encoding"], "gzip")
    r = get("/a.txt", "Accept-Encoding: gzip")
    same((r["Vary"], r["Content-Encoding"]), (None, None))
    same(get("/packed.css.gz")["Content-Type"], "application/gzip")


def percent_decoding():
    same(get("/space%20and%20%C3%A4.txt").body, b"umlaut")
    same(get("/%61.txt?query=%zz").body, TEXT)
    same(get("/sub/../a.txt").body, TEXT)
    same(get("/./sub/./%2e%2e//a.txt").body, TEXT)
    same(get("http://example.org/a.txt").body, TEXT)
    same(get("http://example.org").status, 200)
    statuses([(request(p), s) for p, s in [
        ("/a%", 400), ("/a%2", 400), ("/a%zz", 400), ("/a.txt%00", 400),
        ("/%00", 400), ("/sub%2Fup", 404), ("/..%2fsecret", 404),
        ("/a.txt%20", 404)]])


def no_way_out_of_the_root():
    for path in ("/../secret", "/..", "/sub/../../secret", "/%2e%2e/secret",
                 "/sub/%2E%2E/%2e%2e/secret", "/../../../../etc/passwd"):
        same((path, get(path).status), (path, 400))
    for path in ("/outside", "/sub/out", "/absolute", "/dirout/secret",
                 "/dirout/", "/loop", "/fifo", "/dirlink/out"):
        r = get(path)
        same((path, r.status), (path, 403))
        assert b"secret" not in r.body and b"root:" not in r.body
    for path in ("/inside", "/sub/up", "/dirlink/up", "/around"):
        same((path, get(path).body), (path, TEXT))
    same(get("/dirlink/").body, b"<p>sub")
    same(get("/dangling").status, 404)


def bad_requests():
    host = b"Host: x\r\n"
    statuses([(data, 400) for data in [
        b"GET /\r\n\r\n", b"GET  / HTTP/1.1\r\n" + host + b"\r\n",
        b"GET / HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\n" + host + b"\r\n",
        b"GET / HTTP/1.1\r\n" + host + host + b"\r\n",
        b"GET / HTTP/1.1\r\nHost: x\n\n", b"GET / http/1.1\r\n" + host + b"\r\n",
        b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + host + b" folded: x\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + host + b"Name : x\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + host + b"no colon\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + host + b": x\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + host + b"N: a\x00b\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + host + b"N: a\rb\r\n\r\n",
        b"GET /\x01 HTTP/1.1\r\n" + host + b"\r\n",
        b"G@T / HTTP/1.1\r\n" + host + b"\r\n",
        b"GET a.txt HTTP/1.1\r\n" + host + b"\r\n",
        b"GET / HTTP/1.1\r\n" + host + b"Content-Length: -1\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + host + b"Content-Length: 1, 1\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + host +
        b"Content-Length: 0\r\nContent-Length: 0\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + host +
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET / HTTP/1.0\r\n" + host +
        b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        request("/", "Transfer-Encoding: chunked") + b"x\r\n",
        request("/", "Transfer-Encoding: chunked") + b"1\r\nab\r\n",
        request("/", "Transfer-Encoding: chunked") + b"1\nab\r\n",
        b"\x16\x03\x01\x02\x00\x01\n\n"]])
    same(get("/", version="1.0", host=False).status, 200)
    same(exchange(b"\r\n\r\n" + request("/a.txt")).body, TEXT)


def other_refusals():
    r = get("/a.txt", method="POST")
    same((r.status, r["Allow"]), (405, "GET, HEAD"))
    statuses([(request("/a.txt", method=m), 405)
              for m in ("PUT", "DELETE", "OPTIONS", "TRACE", "PATCH")])
    statuses([
        (request("*", method="OPTIONS"), 405),
        (request("x:443", method="CONNECT"), 405),
        (request("/", method="BREW"), 501), (request("/", method="get"), 501),
        (request("/", "Transfer-Encoding: gzip, chunked"), 501),
        (request("/", version="2.0"), 505), (request("/", version="0.9"), 505),
        (request("/nothing"), 404), (request("/sub/nothing/x"), 404),
        (request("/" + "a" * 300), 404), (request("/" + "a/" * 3000), 414),
        (request("/" + "a" * 9000), 414), (b"GET /" + b"a" * 20000, 414),
        (request("/", "X: " + "a" * 17000), 431),
        (request("/", *["X: a"] * 101), 431),
        (request("/", "Content-Length: 65537"), 413),
        (request("/", "Content-Length: 99999999999999999999"), 400),
        (request("/", "Transfer-Encoding: chunked") + b"10001\r\n", 413),
        (request("/", "Transfer-Encoding: chunked") + b"ffffffffffffffffff",
         413)])
    same(get("/a.txt", "X: " + "a" * 15000).body, TEXT)


def slow_clients_time_out():
    options = ["-t", "1", "-k", "1", "-s", "1", "-a", "-"]
    with server.Server("webserver", options, str(ROOT)) as web:
        with web.connect() as silent, web.connect() as half, \
                web.connect() as body, web.connect() as idle, \
                web.connect() as deaf:
            half.sendall(b"GET / HTTP/1.1\r\nHost")
            body.sendall(request("/", "Content-Length: 5") + b"x")
            idle.sendall(request("/a.txt"))
            same(Response(idle).body, TEXT)
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            deaf.sendall(request("/big.bin") * 50)
            # Nobody is held up by them.
            same(get("/page.html", web=web).body, PAGE)
            assert closed(silent) and closed(idle)
            for sock in (half, body):
                r = Response(sock)
                same((r.status, r["Connection"]), (408, "close"))
                assert closed(sock)
            total = 0
            try:
                while data := deaf.recv(65536):
                    total += len(data)
                    time.sleep(0)
                    if total < 65537:
                        # Slow only at first: long enough to be given up.
                        server.until(lambda: any(
                            b"/big.bin" in line for line in web.output),
                            "the end of the deaf client")
            except ConnectionResetError:
                pass
            assert total < 50 * len(BIG), total
        same(web.stop(), 0)
        log = b"".join(web.output)
        same(log.count(b'"-" 408 '), 2)


def a_trickle_does_not_extend_the_limit():
    with server.Server("webserver", ["-t", "1"], str(ROOT)) as web:
        with web.connect() as sock:
            sock.sendall(b"GET / HTTP/1.1\r\nX: ")
            sock.settimeout(0.1)
            end = time.monotonic() + server.WAIT
            got = b""
            while not got and time.monotonic() < end:
                try:
                    sock.sendall(b"a")
                    got = sock.recv(100)
                except TimeoutError:
                    pass
            assert got.startswith(b"HTTP/1.1 408 "), got


def changes_show():
    path = ROOT / "changing.txt"
    try:
        path.write_bytes(b"one")
        first = get("/changing.txt")
        same(first.body, b"one")
        path.write_bytes(b"second")
        server.until(lambda: get("/changing.txt").body == b"second", "second")
        assert get("/changing.txt")["ETag"] != first["ETag"]
        new = ROOT / "new"
        new.write_bytes(b"third")
        new.rename(path)
        server.until(lambda: get("/changing.txt").body == b"third", "third")
        path.unlink()
        path.symlink_to("../secret")
        server.until(lambda: get("/changing.txt").status == 403, "403")
    finally:
        path.unlink()
    server.until(lambda: get("/changing.txt").status == 404, "404")


def a_file_cut_short_ends_the_connection():
    path = ROOT / "cut.bin"
    path.write_bytes(bytes(30_000_000))
    try:
        with WEB.connect() as sock:
            sock.sendall(request("/cut.bin"))
            assert sock.recv(1000).startswith(b"HTTP/1.1 200 ")
            os.truncate(path, 1000)
            total = 0
            try:
                while data := sock.recv(1 << 20):
                    total += len(data)
            except ConnectionResetError:
                pass
            assert total < 30_000_000, total
    finally:
        path.unlink()
    same(get("/a.txt").body, TEXT)


def thousands_of_connections():
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    count = min(int(os.environ.get("CONNECTIONS", "3000")), most - 100)
    assert count >= 1000, "the limit of open files is too low"
    with server.Server("webserver", [], str(ROOT)) as web:
        socks = [web.connect() for _ in range(count)]
        for sock in socks:
            sock.sendall(request("/a.txt"))
        for sock in socks:
            same(Response(sock).body, TEXT)
        for sock in reversed(socks):
            sock.sendall(request("/page.html"))
        for sock in socks:
            same(Response(sock).body, PAGE)
            sock.close()


def a_full_server_drops_the_longest_idle():
    with server.Server("webserver", ["-c", "4"], str(ROOT)) as web:
        socks = []
        for _ in range(4):
            socks.append(web.connect())
            socks[-1].sendall(request("/a.txt"))
            same(Response(socks[-1]).body, TEXT)
        with web.connect() as fifth:
            fifth.sendall(request("/a.txt"))
            same(Response(fifth).body, TEXT)
            assert closed(socks[0])
            socks[1].sendall(request("/page.html"))
            same(Response(socks[1]).body, PAGE)
        for sock in socks:
            sock.close()


def busy_connections_make_others_wait():
    with server.Server("webserver", ["-c", "2"], str(ROOT)) as web:
        busy = [web.connect() for _ in range(2)]
        for sock in busy:
            sock.sendall(b"GET /a.txt HTTP/1.1\r\n")
        with web.connect() as third:
            third.sendall(request("/a.txt"))
            for sock in busy:
                sock.sendall(b"Host: x\r\nConnection: close\r\n\r\n")
                same(Response(sock).body, TEXT)
            same(Response(third).body, TEXT)
        for sock in busy:
            sock.close()


def churn():
    for _ in range(2000):
        same(get("/page.html", "Connection: close").body, PAGE)


def several_workers():
    with server.Server("webserver", ["-w", "4"], str(ROOT)) as web:
        socks = [web.connect() for _ in range(64)]
        for _ in range(5):
            for sock in socks:
                sock.sendall(request("/page.html"))
            for sock in socks:
                same(Response(sock).body, PAGE)
        for sock in socks:
            sock.close()
        same(web.stop(), 0)


def combined_log():
    with server.Server("webserver", ["-a", "-"], str(ROOT)) as web:
        with web.connect() as sock:
            mine = sock.getsockname()[0]
            sock.sendall(
                request("/a.txt", "Referer: http://x/", "User-Agent: a\"b\\c") +
                request("/a.txt", "Range: bytes=0-9") +
                request("/nothing\u00e4", method="HEAD") +
                request("/big.bin", "User-Agent: u"))
            r = Response(sock)
            r = Response(sock, r.rest)
            r = Response(sock, r.rest, body=False)
            same(Response(sock, r.rest).body, BIG)
        # Written without being asked to, and what is left at the end.
        server.until(lambda: len(web.output) >= 4, "the log")
        get("/a.txt", web=web)
        same(web.stop(), 0)
        lines = [line.decode() for line in web.output]
    when = r"\[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d \+0000\]"
    patterns = [
        r'"GET /a\.txt HTTP/1\.1" 200 %d "http://x/" "a\\"b\\\\c"' % len(TEXT),
        r'"GET /a\.txt HTTP/1\.1" 206 10 "-" "-"',
        r'"HEAD /nothing\\xc3\\xa4 HTTP/1\.1" 404 - "-" "-"',
        r'"GET /big\.bin HTTP/1\.1" 200 %d "-" "u"' % len(BIG),
        r'"GET /a\.txt HTTP/1\.1" 200 %d "-" "-"' % len(TEXT)]
    same(len(lines), len(patterns))
    for line, pattern in zip(lines, patterns):
        full = re.escape(mine) + " - - " + when + " " + pattern + "\n"
        assert re.fullmatch(full, line), (line, full)


def log_to_a_file():
    name = "/srv/access.log" if server.TORIL_RUN else str(ROOT / "access.log")
    with server.Server("webserver", ["-a", name], str(ROOT)) as web:
        get("/a.txt", web=web)
        same(web.stop(), 0)
    log = ROOT / "access.log"
    assert b'"GET /a.txt HTTP/1.1" 200' in log.read_bytes()
    log.unlink()


def signals_end_it_gracefully():
    for number in (signal.SIGTERM, signal.SIGINT):
        with server.Server("webserver", [], str(ROOT)) as web:
            with web.connect() as idle, web.connect() as busy:
                idle.sendall(request("/a.txt"))
                Response(idle)
                busy.sendall(request("/big.bin") + b"GET /page")
                first = busy.recv(1000)
                web.process.send_signal(number)
                assert closed(idle)
                same(Response(busy, first).body, BIG)
            same(web.process.wait(server.WAIT), 0)


def nothing_is_said_unasked():
    with server.Server("webserver", [], str(ROOT)) as web:
        get("/a.txt", web=web)
        get("/nothing", web=web)
        exchange(b"rubbish\r\n\r\n", web)
        same(web.stop(), 0)
        same((web.output, web.errors), ([], []))


def random_bytes_never_crash_it():
    source = random.Random(42)
    pieces = [b"GET ", b"/a.txt", b" HTTP/1.1", b"\r\n", b"Host: x", b"\r\n\r\n",
              b"Range: bytes=", b"0-1", b",", b"-", b"Content-Length: 3",
              b"Transfer-Encoding: chunked", b"5\r\n", b"\n", b"\x00", b"%",
              b"/../", b"HEAD ", b"If-Range: ", b"Accept-Encoding: gzip;q="]
    for _ in range(500):
        data = b"".join(source.choice(pieces)
                        for _ in range(source.randrange(1, 40)))
        with WEB.connect() as sock:
            try:
                sock.sendall(data)
                sock.shutdown(socket.SHUT_WR)
                while sock.recv(65536):
                    pass
            except (ConnectionResetError, BrokenPipeError):
                pass
    same(get("/a.txt").body, TEXT)


TESTS = [a_file_with_its_headers, head_is_get_without_body,
         directory_index_and_redirect, listing_when_wanted,
         versions_and_keep_alive, pipelining, a_request_in_single_bytes,
         bodies_are_skipped, ranges, many_ranges, conditions,
         precompressed_siblings, percent_decoding, no_way_out_of_the_root,
         bad_requests, other_refusals, slow_clients_time_out,
         a_trickle_does_not_extend_the_limit, changes_show,
         a_file_cut_short_ends_the_connection, thousands_of_connections,
         a_full_server_drops_the_longest_idle,
         busy_connections_make_others_wait, churn, several_workers,
         combined_log, log_to_a_file, signals_end_it_gracefully,
         nothing_is_said_unasked, random_bytes_never_crash_it]

if __name__ == "__main__":
    try:
        make_site()
        with server.Server("webserver", [], str(ROOT)) as WEB:
            server.run(TESTS)
    finally:
        shutil.rmtree(TEMP)
