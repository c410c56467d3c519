#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""apps/echo: every byte comes back, in both directions at once.

ECHO_MIB sets how much (64); TORIL_RUN chooses a VM, which gets 8 MiB.
"""
import hashlib
import os
import random
import socket
import threading

import server

SIZE = int(os.environ.get("ECHO_MIB", "64")) << 20
CHUNK = 1 << 18
FLAGS = ("-m", "8M")


def feed(sock, size, digest):
    source = random.Random(size)
    left = size
    while left:
        data = source.randbytes(min(CHUNK, left))
        digest.update(data)
        sock.sendall(data)
        left -= len(data)
    sock.shutdown(socket.SHUT_WR)


def drain(sock, digest):
    total = 0
    while True:
        data = sock.recv(CHUNK)
        if not data:
            return total
        digest.update(data)
        total += len(data)


def transfer(echo, size, meanwhile=lambda: None):
    """Sends and receives at the same time and compares the hashes."""
    sent, got = hashlib.sha256(), hashlib.sha256()
    with echo.connect() as sock:
        feeder = threading.Thread(target=feed, args=(sock, size, sent))
        feeder.start()
        meanwhile()
        total = drain(sock, got)
        feeder.join()
    assert total == size, (total, size)
    assert sent.digest() == got.digest()


def both_directions_at_once():
    with server.Server("echo", flags=FLAGS) as echo:
        transfer(echo, SIZE)


def a_client_that_stops_reading_holds_up_nobody():
    with server.Server("echo", flags=FLAGS) as echo:
        with echo.connect() as stuck:
            stuck.setblocking(False)
            # Fill every buffer on the way, until nothing more is taken for
            # a whole transfer of another client.
            stuck.settimeout(2)
            sent, got = hashlib.sha256(), hashlib.sha256()
            total = 0
            block = random.Random(1).randbytes(CHUNK)
            try:
                while total < 1 << 30:
                    n = stuck.send(block)
                    sent.update(block[:n])
                    total += n
            except TimeoutError:
                pass
            assert total < 1 << 30, "an endless buffer?"
            transfer(echo, min(SIZE, 8 << 20))
            # And when it reads again, nothing has been lost.
            stuck.settimeout(server.WAIT)
            stuck.shutdown(socket.SHUT_WR)
            assert drain(stuck, got) == total
            assert sent.digest() == got.digest()


def many_small_round_trips():
    with server.Server("echo", flags=FLAGS) as echo, echo.connect() as sock:
        for i in range(1000):
            message = b"%d" % i
            sock.sendall(message)
            back = b""
            while len(back) < len(message):
                data = sock.recv(64)
                assert data
                back += data
            assert back == message


def twenty_clients():
    with server.Server("echo", flags=FLAGS) as echo:
        socks = [echo.connect() for _ in range(20)]
        for i, sock in enumerate(socks):
            sock.sendall(b"client %d" % i)
            sock.shutdown(socket.SHUT_WR)
        for i, sock in enumerate(socks):
            got = b""
            while data := sock.recv(100):
                got += data
            assert got == b"client %d" % i
            sock.close()


server.run([many_small_round_trips, twenty_clients, both_directions_at_once,
            a_client_that_stops_reading_holds_up_nobody])
