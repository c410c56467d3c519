# SPDX-License-Identifier: BSD-2-Clause
"""Starts a program under test, on Linux or in a Toril VM, and speaks TAP.

TORIL_RUN=build/bin/toril-run runs build/apps/NAME in a VM; without it
build/linux/apps/NAME (or APPS=DIR) runs as a process.  Either way the port is
read from the program's first line on stderr that shows one.
"""
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback

TORIL_RUN = os.environ.get("TORIL_RUN")
WAIT = 120  # seconds; generous, only to end a hung test


class Server:
    """`guest_port` and `root` become options of toril-run in a VM."""

    def __init__(self, name, options=(), root=None, flags=()):
        env = None
        if TORIL_RUN:
            command = [TORIL_RUN, "-p", "127.0.0.1:0:80", *flags]
            if root:
                command += ["-v", root + ":/srv"]
            command += [os.environ.get("APPS", "build/apps") + "/" + name,
                        "-p", "80"]
        else:
            command = [os.environ.get("APPS", "build/linux/apps") + "/" + name,
                       "-p", "0"]
        command += options
        if root:
            command.append("/srv" if TORIL_RUN else root)
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, env=env)
        self.port = self._read_port()
        # Whatever else it says must not fill the pipe and stop it.
        self.errors = []
        self.output = []
        self._pumps = [
            threading.Thread(target=self._pump, args=pair, daemon=True)
            for pair in ((self.process.stderr, self.errors),
                         (self.process.stdout, self.output))]
        for pump in self._pumps:
            pump.start()

    def _read_port(self):
        pattern = rb"127\.0\.0\.1:(\d+) -> 80" if TORIL_RUN else rb":(\d+)$"
        said = b""
        for line in self.process.stderr:
            said += line
            match = re.search(pattern, line.strip())
            if match:
                return int(match.group(1))
        raise RuntimeError("no port, the server said: %r" % said)

    @staticmethod
    def _pump(stream, into):
        for line in stream:
            into.append(line)

    def connect(self, timeout=WAIT):
        return socket.create_connection(("127.0.0.1", self.port), timeout)

    def stop(self, signal_number=signal.SIGTERM):
        """Returns the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal_number)
        try:
            status = self.process.wait(WAIT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        for pump in self._pumps:
            pump.join(WAIT)
        return status

    def __enter__(self):
        return self

    def __exit__(self, *error):
        if self.process.poll() is None:
            self.stop()


def until(condition, what):
    """Waits for something that will come, however slow the machine."""
    end = time.monotonic() + WAIT
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > end:
            raise AssertionError("never came: " + what)
        time.sleep(0.05)


def run(tests):
    """Runs functions in order, prints TAP, and exits."""
    only = sys.argv[1:]
    tests = [t for t in tests if not only or t.__name__ in only]
    print("1..%d" % len(tests))
    failed = 0
    for number, test in enumerate(tests, 1):
        try:
            test()
            print("ok %d - %s" % (number, test.__name__), flush=True)
        except Exception:  # pylint: disable=broad-except
            failed += 1
            print("not ok %d - %s" % (number, test.__name__))
            for line in traceback.format_exc().splitlines():
                print("# " + line, flush=True)
    sys.exit(1 if failed or not tests else 0)
