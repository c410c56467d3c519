#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A web server among slow clients: SLOW connections (500; 10,000 in the long
form) stand open, with half a request sent, while as many others are served;
then each slow one sends the rest, a byte at a time, and gets its answer."""
import os
import pathlib
import resource
import socket
import sys
import tempfile
import threading
import time

sys.path.insert(1, os.path.join(sys.path[0], ".."))
from machine import BUILD, RUN, main, served

WAIT = 300
SLOW = int(os.environ.get("SLOW", "500"))
FAST = int(os.environ.get("FAST", str(SLOW)))
BODY = bytes(range(256)) * 8
REQUEST = b"GET /f HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
HALF = len(REQUEST) - 6


def connect(where):
    """A full backlog makes connections wait, and some start anew."""
    return socket.create_connection(where, WAIT)


def answer(connection):
    data = b""
    while piece := connection.recv(65536):
        data += piece
    return data


def right(data):
    return data.startswith(b"HTTP/1.1 200 ") and data.endswith(BODY)


def fast(where, count, wrong):
    for _ in range(count):
        try:
            with connect(where) as connection:
                connection.sendall(REQUEST)
                if not right(answer(connection)):
                    wrong.append("another answer")
        except OSError as why:
            wrong.append(f"fast: {why}")


def crowd(where):
    wrong = []
    start = time.monotonic()
    slow = []
    for _ in range(SLOW):
        slow.append(connect(where))
        slow[-1].sendall(REQUEST[:HALF])
    opened = time.monotonic() - start
    threads = [threading.Thread(target=fast, args=(where, FAST // 16, wrong))
               for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    served = time.monotonic() - start - opened
    for at in range(HALF, len(REQUEST)):
        for connection in slow:
            connection.sendall(REQUEST[at:at + 1])
    answered = 0
    for connection in slow:
        try:
            answered += right(answer(connection))
        except OSError as why:
            wrong.append(f"slow: {why}")
        connection.close()
    if answered != SLOW:
        wrong.append(f"{SLOW - answered} slow clients without an answer")
    assert not wrong, (len(wrong), wrong[:5])
    return (f"{SLOW} slow (opened in {opened:.0f} s), "
            f"{FAST // 16 * 16} fast (in {served:.0f} s)")


def a_crowd():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with tempfile.TemporaryDirectory() as site:
        pathlib.Path(site, "f").write_bytes(BODY)
        with served(RUN, "-m", os.environ.get("MEMORY", "128M"),
                    "-v", f"{site}:/srv", "-p", "127.0.0.1:0:80",
                    f"{BUILD}/apps/webserver", "-p", "80", "-c", "20000",
                    "-t", "1000", "/srv", wait=WAIT) as (_, where):
            return crowd(where)


main([a_crowd])
