# SPDX-License-Identifier: BSD-2-Clause
"""What the ports' checks share: a port as a running machine, and TAP.

A check calls run(NAME, TESTS); its first result is that the port builds.
With PORTS_LONG set in the environment the checks take their long form.
"""
import concurrent.futures
import os
import pathlib
import re
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback

import port

RUN = str(port.BUILD / "bin/toril-run")
LONG = bool(os.environ.get("PORTS_LONG"))
WAIT = 120  # seconds; generous, only to end a hung check


class Machine:
    """A port in a VM, started as its recipe says, `more` appended."""

    def __init__(self, name, more=(), options=(), image=None, stdin=None):
        recipe = port.read_recipe(name)
        command = shlex.split(recipe["run"])
        publish = []
        if "publish" in recipe:
            publish = ["-p", "127.0.0.1:0:" + recipe["publish"]]
        self.command = [RUN, *publish,
                        *shlex.split(recipe.get("options", "")), *options,
                        str(port.PORTS / name / (image or command[0])),
                        *command[1:], *more]
        self.process = subprocess.Popen(
            self.command, stdin=stdin or subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.said = []
        self.port = None
        if publish:
            line = self.process.stderr.readline().decode()
            if "->" not in line:
                raise AssertionError(f"{self.command} says {line!r} and ends "
                                     f"with {self.process.wait()}")
            self.port = int(line.split(" ")[0].rsplit(":", 1)[1])
        self.pumps = [threading.Thread(target=self._pump, args=(s,))
                      for s in (self.process.stdout, self.process.stderr)]
        for pump in self.pumps:
            pump.start()

    def _pump(self, stream):
        for line in stream:
            self.said.append(line.decode(errors="replace"))

    def text(self):
        return "".join(self.said)

    def wait(self):
        """Its exit status, once it ends."""
        status = self.process.wait(WAIT)
        for pump in self.pumps:
            pump.join()
        self.process.stdout.close()
        self.process.stderr.close()
        return status

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def crash(self):
        """The machine is gone from one instruction to the next."""
        os.kill(qemu_of(self.process.pid), signal.SIGKILL)
        return self.wait()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
        if self.pumps[0].is_alive() or not self.process.stdout.closed:
            self.wait()
        if kind:
            print("# it said: " + self.text()[-2000:].replace("\n", "\n# "))


def qemu_of(pid):
    """The pid of QEMU below the toril-run that is `pid`."""
    out = subprocess.run(["ps", "-eo", "pid=,ppid=,comm="], text=True,
                         capture_output=True, check=True).stdout
    parent, name = {}, {}
    for line in out.splitlines():
        child, above, comm = line.split(None, 2)
        parent[int(child)], name[int(child)] = int(above), comm
    for child in parent:
        above = child
        while above in parent and above != pid:
            above = parent[above]
        if above == pid and name[child].startswith("qemu-system"):
            return child
    raise AssertionError("no QEMU below toril-run")


def output(*command, **kw):
    """What a client prints; its failure is ours."""
    done = subprocess.run([str(c) for c in command], capture_output=True,
                          text=True, timeout=kw.pop("timeout", WAIT),
                          check=False, **kw)
    if done.returncode:
        raise AssertionError(f"{command[0]} ended with {done.returncode}: "
                             f"{done.stdout[-1500:]}{done.stderr[-1500:]}")
    return done.stdout


def wrk(url, *options):
    """Some load; no answer may be an error."""
    said = output("wrk", "-c", "32", "-t", "2", "-d", "3", "--timeout", "60",
                  *options, url)
    assert "Socket errors" not in said and "Non-2xx" not in said, said
    assert int(re.search(r"(\d+) requests in", said)[1]) > 100, said


def one_request(port, path):
    with socket.create_connection(("127.0.0.1", port), WAIT) as s:
        s.sendall(f"GET {path} HTTP/1.0\r\nHost: toril\r\n"
                  "Connection: close\r\n\r\n".encode())
        answer = b""
        while more := s.recv(65536):
            answer += more
    assert answer.startswith(b"HTTP/1."), answer[:100]
    assert answer.split(None, 2)[1] == b"200", answer[:100]


def many_requests(port, path, total, at_a_time):
    """One connection each, at_a_time at once; how many were answered."""
    with concurrent.futures.ThreadPoolExecutor(at_a_time) as pool:
        jobs = [pool.submit(one_request, port, path) for _ in range(total)]
        for job in jobs:
            job.result()
    return len(jobs)


def until(condition, what):
    """Waits for something that will come, however slow the machine."""
    end = time.monotonic() + WAIT
    while not (result := condition()):
        if time.monotonic() > end:
            raise AssertionError("never came: " + what)
        time.sleep(0.02)
    return result


def folder():
    """A directory to share, gone afterwards: use with `with`."""
    return tempfile.TemporaryDirectory(prefix="toril-port-")


def builds(name):
    done = subprocess.run(
        [sys.executable, pathlib.Path(port.__file__), name], text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        raise AssertionError(done.stdout[-3000:])


def run(name, tests):
    """Builds the port, runs functions in order, prints TAP and exits."""
    only = sys.argv[1:]
    tests = [t for t in tests if not only or t.__name__ in only]
    print(f"1..{len(tests) + 1}")
    failed = 0
    steps = [(name + " builds", lambda: builds(name))]
    steps += [(f"{name}: {t.__name__.replace('_', ' ')}", t) for t in tests]
    for number, (title, step) in enumerate(steps, 1):
        try:
            step()
            print(f"ok {number} - {title}", flush=True)
        except Exception:  # pylint: disable=broad-except
            failed += 1
            print(f"not ok {number} - {title}")
            for line in traceback.format_exc().splitlines():
                print("# " + line, flush=True)
    sys.exit(1 if failed else 0)
