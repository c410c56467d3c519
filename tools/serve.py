#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""serve.py PORT: the documentation site, from a VM, until Ctrl-C.

On a terminal this becomes the foreground process group of its own, so that
Ctrl-C ends it and not make, which would call it an error.
"""
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request

BUILD = os.environ.get("BUILD", "build")
PORT = sys.argv[1] if len(sys.argv) > 1 else "8080"
URL = f"http://127.0.0.1:{PORT}/"


def take_terminal():
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    try:
        with open("/dev/tty") as tty:
            if os.tcgetpgrp(tty.fileno()) == os.getpgrp():
                os.setpgid(0, 0)
                os.tcsetpgrp(tty.fileno(), os.getpid())
    except OSError:
        pass  # no terminal


def wait_until_served(server):
    """toril-run lets a client wait until the program listens."""
    while server.poll() is None:
        try:
            with urllib.request.urlopen(URL, timeout=60):
                pass
        except OSError:
            time.sleep(0.1)
            continue
        if server.poll() is None:
            print(f"Toril serves {URL} (Ctrl-C ends it)", flush=True)
        return


def main():
    asked = []
    command = [f"{BUILD}/bin/toril-run", "-p", f"{PORT}:80",
               "-v", f"{BUILD}/site:/srv:ro", f"{BUILD}/apps/webserver",
               "-p", "80", "/srv"]
    take_terminal()
    # On a terminal SIGINT reaches toril-run too.
    signal.signal(signal.SIGINT, lambda *_: asked.append(True))
    with subprocess.Popen(command, stdin=subprocess.DEVNULL) as server:
        def end(*_):
            asked.append(True)
            server.send_signal(signal.SIGTERM)
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, end)
        threading.Thread(target=wait_until_served, args=(server,),
                         daemon=True).start()
        status = server.wait()
    return 0 if asked else status


sys.exit(main())
