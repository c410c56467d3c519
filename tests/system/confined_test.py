#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What toril-run and its children may still do, and the limits per guest.

/proc says what each process has given up; ss, which ports listen; the
programs files and dials run into the limits.  Prints TAP.
"""
import os
import pathlib
import pwd
import re
import shutil
import socket
import subprocess
import tempfile

BUILD = os.environ.get("BUILD", "build")
RUN = f"{BUILD}/bin/toril-run"
ECHO = f"{BUILD}/apps/echo"
PROGRAMS = f"{BUILD}/tests/system/"
WAIT = 200
results = []


def ok(good, name, what=""):
    results.append(bool(good))
    print("ok" if good else "not ok", len(results), "-", name, flush=True)
    if not good:
        print("#", repr(what), flush=True)


def status(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return dict(re.findall(r"(\w+):\s*(.*)", text))


def children(pid):
    text = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text()
    out = {}
    for kid in text.split():
        out[status(kid)["Name"].rstrip("4_86x")] = int(kid)
        out.update(children(int(kid)))
    return out


def listeners(pids):
    """Addresses on which any of these processes takes TCP connections."""
    inodes = set()
    for pid in pids:
        for fd in os.listdir(f"/proc/{pid}/fd"):
            try:
                name = os.readlink(f"/proc/{pid}/fd/{fd}")
            except OSError:
                continue
            inodes.update(re.findall(r"^socket:\[(\d+)\]", name))
    out = []
    for table in ("tcp", "tcp6"):
        for line in open(f"/proc/net/{table}", encoding="ascii"):
            word = line.split()
            if word[3] == "0A" and word[9] in inodes:
                out.append(word[1])
    return out


class Echo:
    """The echo server in a machine, published on a port of its choice."""

    def __init__(self, *options, run=RUN, image=ECHO, **more):
        self.process = subprocess.Popen(
            [run, *options, "-p", "0:7", image, "7"],
            stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            **more)
        line = self.process.stderr.readline()
        self.port = int(re.match(r"127\.0\.0\.1:(\d+) -> 7", line)[1])

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), WAIT)

    def answers(self):
        with self.connect() as s:
            s.sendall(b"x")
            return s.recv(1) == b"x"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.communicate(timeout=WAIT)


def test_processes(share):
    for what, options in (("", []), (" with --connect", ["--connect", "any"])):
        with Echo("-v", f"{share}:/mnt", *options) as echo:
            ok(echo.answers(), f"an echo{what}")
            own = status(echo.process.pid)
            ok((own["Seccomp"], own["NoNewPrivs"]) == ("2", "1"),
               f"toril-run{what} has seccomp", own)
            ok(all(int(own[c], 16) == 0 for c in
                   ("CapEff", "CapPrm", "CapInh", "CapAmb")),
               f"toril-run{what} has no capability", own)
            kids = children(echo.process.pid)
            qemu = status(kids["qemu-system-"])
            # CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH, or nothing
            ok(qemu["Seccomp"] == "2" and int(qemu["CapPrm"], 16) & ~6 == 0,
               f"QEMU{what} has seccomp and no capability but to open", qemu)
            server = status(kids["virtiofsd"])
            space = [os.readlink(f"/proc/{p}/ns/mnt")
                     for p in (kids["virtiofsd"], echo.process.pid)]
            ok(server["Seccomp"] == "2" and space[0] != space[1],
               f"virtiofsd{what} has seccomp and mounts of its own", server)
            ports = listeners([echo.process.pid, *kids.values()])
            ok(ports == ["0100007F:%04X" % echo.port],
               f"only the published port listens{what}, on loopback", ports)


def test_ordinary_user(work):
    """Without shares nobody needs nothing: no namespace, no root."""
    for file in (RUN, ECHO):
        shutil.copy(file, work)
    user = {} if os.getuid() else dict.fromkeys(
        ("user", "group"), pwd.getpwnam("nobody").pw_uid)
    if user:
        user["extra_groups"] = []
    with Echo(run=work + "/toril-run", image=work + "/echo", cwd="/",
              env=dict(os.environ, XDG_RUNTIME_DIR="/tmp"), **user) as echo:
        answers = echo.answers()
        own = status(echo.process.pid)
        ok(answers and own["Uid"].split()[0] != "0" and
           own["Seccomp"] == "2", "an ordinary user runs a server", own)


def test_files(share):
    r = subprocess.run([RUN, "--max-files", "200", PROGRAMS + "files"],
                       stdin=subprocess.DEVNULL, capture_output=True,
                       timeout=WAIT, check=False)
    ok(r.stdout == b"200 No file descriptors available\n",
       "--max-files binds the program, root or not", r)
    with Echo("--max-files", "200", "-v", f"{share}:/mnt") as echo:
        echo.answers()  # all of it runs
        limits = pathlib.Path("/proc/%d/limits" % children(
            echo.process.pid)["virtiofsd"]).read_text(encoding="ascii")
        ok(re.search(r"Max open files\s+2248\s+2248", limits),
           "and the share's server", limits)


def test_connections_in():
    with Echo("--max-connections", "3") as echo:
        first = [echo.connect() for _ in range(3)]
        for s in first:
            s.sendall(b"a")
        ok(all(s.recv(1) == b"a" for s in first), "three of three are served")
        fourth = echo.connect()
        fourth.sendall(b"b")
        first[0].sendall(b"c")  # more has happened since
        ok(first[0].recv(1) == b"c" and not readable(fourth),
           "the fourth waits")
        first.pop().close()
        ok(fourth.recv(1) == b"b", "until another has ended")
        for s in (*first, fourth):
            s.close()


def readable(s):
    s.setblocking(False)
    try:
        return bool(s.recv(1, socket.MSG_PEEK))
    except BlockingIOError:
        return False
    finally:
        s.settimeout(WAIT)


def main():
    with tempfile.TemporaryDirectory() as work:
        os.chmod(work, 0o755)
        share = work + "/share"
        os.mkdir(share)
        test_processes(share)
        test_ordinary_user(work)
        test_files(share)
        test_connections_in()
    print(f"1..{len(results)}")
    return 0 if all(results) else 1


if __name__ == "__main__":
    raise SystemExit(main())
