#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Connections that are cut after every byte of an exchange, in both
directions: a web server's clients, by FIN and by RST, and the connections
that a guest makes to the outside.  The server goes on, whole answers are
whole, and what has been cut leaves nothing behind."""
import os
import pathlib
import socket
import struct
import subprocess
import sys
import tempfile
import threading

sys.path.insert(1, os.path.join(sys.path[0], ".."))
from machine import BUILD, RUN, WAIT, main, served

BODY = bytes(range(32, 127)) * 2
REQUEST = b"GET /f HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close() sends RST


def receive_all(connection):
    data = b""
    while piece := connection.recv(65536):
        data += piece
    return data


def cut(connection, reset):
    if reset:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    connection.close()


def whole(where):
    with socket.create_connection(where, WAIT) as connection:
        connection.sendall(REQUEST)
        answer = receive_all(connection)
    assert answer.startswith(b"HTTP/1.1 200 ") and answer.endswith(BODY), \
        answer
    return len(answer)


def launcher_descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def http_cut_at_every_byte():
    with tempfile.TemporaryDirectory() as site:
        pathlib.Path(site, "f").write_bytes(BODY)
        with served(RUN, "-v", f"{site}:/srv", "-p", "127.0.0.1:0:80",
                    f"{BUILD}/apps/webserver", "-p", "80",
                    "/srv") as (run, where):
            size = whole(where)
            before = launcher_descriptors(run.pid)
            cuts = 0
            for reset in (False, True):
                for sent in range(len(REQUEST)):
                    connection = socket.create_connection(where, WAIT)
                    connection.sendall(REQUEST[:sent])
                    cut(connection, reset)
                for taken in range(size):
                    connection = socket.create_connection(where, WAIT)
                    connection.sendall(REQUEST)
                    got = connection.recv(taken, socket.MSG_WAITALL) \
                        if taken else b""
                    assert len(got) == taken, (len(got), taken)
                    cut(connection, reset)
                cuts += len(REQUEST) + size
                assert whole(where) == size
            # a connection's end is noticed after its client's
            for _ in range(600):
                now = launcher_descriptors(run.pid)
                if now <= before:
                    break
                whole(where)
            assert now <= before, (before, now)
    return f"{cuts} cuts"


def serve_pieces(listener, answer, cuts):
    """Connection after connection: i bytes of the question are read, or the
    whole of it, and i bytes of the answer sent; then it is cut."""
    for reset, read, sent in cuts:
        connection, _ = listener.accept()
        if read:
            connection.recv(read, socket.MSG_WAITALL)
        connection.sendall(answer[:sent])
        cut(connection, reset)


def out_cut_at_every_byte():
    """The program connects through SOCKS, asks, and reads to the end."""
    question, answer = 20, bytes(range(64, 124))
    cuts = [(reset, read, 0) for reset in (0, 1) for read in range(question)]
    cuts += [(0, question, sent) for sent in range(len(answer) + 1)]
    cuts += [(1, question, sent) for sent in range(len(answer) + 1)]
    with socket.create_server(("192.0.2.7", 0)) as listener:
        port = listener.getsockname()[1]
        thread = threading.Thread(target=serve_pieces,
                                  args=(listener, answer, cuts), daemon=True)
        thread.start()
        done = subprocess.run(
            [RUN, "--connect", "192.0.2.7", f"{BUILD}/tests/system/ask",
             "192.0.2.7", str(port), str(len(cuts)), str(question)],
            stdin=subprocess.DEVNULL, capture_output=True, timeout=WAIT,
            check=False)
        thread.join(WAIT)
    assert not thread.is_alive()
    assert (done.returncode, done.stderr) == (0, b""), done
    lines = done.stdout.split(b"\n")[:-1]
    assert len(lines) == len(cuts), len(lines)
    for (reset, read, sent), line in zip(cuts, lines):
        got, _, end = line.rpartition(b" ")
        if end == b"refused":
            got = b""
        assert answer.startswith(got), (got, sent)
        if not reset and read == question:
            assert got == answer[:sent] and end == b"end", (line, sent)
        if (reset, read) == (1, 0) and end == b"refused":
            continue  # before the launcher had seen it open
        assert end in (b"end", b"reset", b"pipe"), line
    return f"{len(cuts)} cuts"


# In a network namespace of its own, where an address is not the guest's.
if os.environ.get("TORIL_NETNS") != "1":
    os.execvpe("unshare", ["unshare", "-rn", sys.executable, *sys.argv],
               dict(os.environ, TORIL_NETNS="1"))
for command in ("link set lo up", "addr add 192.0.2.7/32 dev lo"):
    subprocess.run(["ip", *command.split()], check=True)
main([http_cut_at_every_byte, out_cut_at_every_byte])
