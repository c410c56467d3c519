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

BUILD = os.environ.get("BUILD", "build")
PORT = sys.argv[1] if len(sys.argv) > 1 else "8080"


def take_terminal():
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    try:
        with open("/dev/tty") as tty:
            if os.tcgetpgrp(tty.fileno()) == os.getpgrp():
                os.setpgid(0, 0)
                os.tcsetpgrp(tty.fileno(), os.getpid())
    except OSError:
        pass  # no terminal


def main():
    asked = []
    signal.signal(signal.SIGINT, lambda *_: asked.append(True))
    take_terminal()
    command = [f"{BUILD}/bin/toril-run", "-p", f"{PORT}:80",
               "-v", f"{BUILD}/site:/srv:ro", f"{BUILD}/apps/webserver",
               "-p", "80", "/srv"]
    # SIGINT reaches toril-run from the terminal as it reaches us.
    with subprocess.Popen(command, stdin=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, text=True) as server:
        signal.signal(signal.SIGTERM, lambda *_: (
            asked.append(True), server.send_signal(signal.SIGTERM)))
        for line in server.stderr:
            if f":{PORT} -> 80" in line:
                print(f"Toril: http://127.0.0.1:{PORT}/ (Ctrl-C ends it)",
                      flush=True)
            else:
                sys.stderr.write(line)
        status = server.wait()
    return 0 if asked else status


sys.exit(main())
