# SPDX-License-Identifier: BSD-2-Clause
"""The server that the tests of connections out talk to."""
import socket
import threading


def serve(family, address):
    """Answer each client with its line, reversed."""
    s = socket.socket(family)
    s.bind((address, 0))
    s.listen()

    def loop():
        while True:
            c, _ = s.accept()
            with c:
                data = b""
                while piece := c.recv(1000):
                    data += piece
                c.sendall(data.strip()[::-1] + b"\n")

    threading.Thread(target=loop, daemon=True).start()
    return str(s.getsockname()[1])
