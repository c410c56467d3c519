#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The system as its users see it: what must hold from launcher to program.

Prints TAP.  Runs from the repository's root once everything is built.
"""
import hashlib
import os
import pathlib
import pwd
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback

RUN = "build/bin/toril-run"
ROOT = pathlib.Path.cwd()
WAIT = 120  # generous: nothing here measures time
CONNECTIONS = int(os.environ.get("CONNECTIONS", "10000"))
ECHO_MIB = int(os.environ.get("ECHO_MIB", "64"))
STALL = float(os.environ.get("STALL", "1"))
FILES = os.environ.get("FILES", "1000")


class VM:
    """A toril-run with a published port, which it names on stderr."""

    def __init__(self, options, command, port=None, **kw):
        publish = ["-p", "127.0.0.1:0:%d" % port] if port else []
        self.process = subprocess.Popen(
            [RUN, *publish, *options, *command], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, **kw)
        self.port = None
        if port:
            line = self.process.stderr.readline().decode()
            self.port = int(line.split(" ")[0].rsplit(":", 1)[1])

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), WAIT)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.process.stdout.close()
        self.process.stderr.close()


def run(*command, **kw):
    return subprocess.run([RUN, *command], stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=WAIT, **kw)


def descendants_of(pid):
    out = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True,
                         text=True).stdout
    parent = dict(map(int, line.split()) for line in out.splitlines())
    found = {pid}
    while more := {p for p in parent if parent[p] in found} - found:
        found |= more
    return found - {pid}


def command_line(pid):
    try:
        return pathlib.Path("/proc/%d/cmdline" % pid).read_bytes()
    except OSError:
        return b""


def receive_all(sock):
    data = b""
    while piece := sock.recv(1 << 16):
        data += piece
    return data


def hello_says_just_that():
    r = run("build/apps/hello")
    assert (r.returncode, r.stdout, r.stderr) == (0, b"Hello from Toril!\n", b""), r


def hello_needs_little_memory():
    r = run("-m", "2560K", "build/apps/hello")
    assert (r.returncode, r.stdout) == (0, b"Hello from Toril!\n"), r


def boots_with_much_memory():
    total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") >> 30
    for size in ("4M", "%dG" % max(1, min(64, total - 2))):
        r = run("-m", size, "build/apps/hello")
        assert (r.returncode, r.stdout) == (0, b"Hello from Toril!\n"), r


def arguments_and_environment_arrive_byte_for_byte():
    args = ["", " ", "a b", "'\"$\\", "\u00e4\u20ac\U0001f402", "-p", "--", "x" * 60000, "\n"]
    r = run("build/tests/system/show", "args", *args)
    assert (r.returncode, r.stderr) == (0, b""), r
    assert r.stdout == b"".join(a.encode() + b"\0" for a in args)
    env = {"EMPTY": "", "SPACE": " a  b ", "UTF": "\u00e4\U0001f402", "LONG": "y" * 60000}
    options = [o for k, v in env.items() for o in ("-e", k + "=" + v)]
    r = run(*options, "build/tests/system/show", "env")
    got = set(r.stdout.split(b"\0")[:-1])
    assert got == {("%s=%s" % i).encode() for i in env.items()}, len(got)


def the_working_directory_is_as_asked():
    with tempfile.TemporaryDirectory() as top:
        pathlib.Path(top, "sub").mkdir()
        r = run("-v", top + ":/deep/er/mount", "-w", "/deep/er/mount/sub",
                "build/tests/system/show", "cwd")
        assert (r.returncode, r.stdout) == (0, b"/deep/er/mount/sub\n"), r


def signals_end_a_program_that_does_not_mind_them():
    for number in (signal.SIGTERM, signal.SIGINT):
        with VM([], ["build/tests/system/show", "wait"]) as vm:
            assert vm.process.stdout.readline() == b"waiting\n"
            vm.process.send_signal(number)
            assert vm.process.wait(WAIT) == 128 + number
            assert vm.process.stderr.read() == b""


def clients_are_known_by_their_own_address():
    with VM([], ["build/tests/system/peer", "3"], port=80) as vm:
        for _ in range(3):
            with vm.connect() as s:
                mine = "%s:%d\n" % s.getsockname()
                assert receive_all(s).decode() == mine
        assert vm.process.wait(WAIT) == 0


def many_short_connections():
    """CONNECTIONS connections of one request each, 32 at a time."""
    with tempfile.TemporaryDirectory() as site:
        body = os.urandom(4096)
        pathlib.Path(site, "f").write_bytes(body)
        wrong = []
        with VM(["-v", site + ":/srv"], ["build/apps/webserver", "-p", "80", "/srv"],
                port=80) as vm:
            todo = iter(range(CONNECTIONS))
            lock = threading.Lock()

            def client():
                while True:
                    with lock:
                        if next(todo, None) is None:
                            return
                    try:
                        with vm.connect() as s:
                            s.sendall(b"GET /f HTTP/1.1\r\nHost: x\r\n"
                                      b"Connection: close\r\n\r\n")
                            reply = receive_all(s)
                        if not (reply.startswith(b"HTTP/1.1 200 ") and
                                reply.endswith(b"\r\n\r\n" + body)):
                            wrong.append(reply[:100])
                    except OSError as e:
                        wrong.append(repr(e))

            threads = [threading.Thread(target=client) for _ in range(32)]
            for t in threads:
                t.start()
            for t in threads:
                t.join()
        assert not wrong, (len(wrong), wrong[:3])


def echo_with_8_mib_and_a_lazy_client():
    """ECHO_MIB both ways at once; half-way the client stops reading."""
    with VM(["-m", "8M"], ["build/apps/echo", "-p", "7000"], port=7000) as vm:
        block, sent, got = os.urandom(1 << 20), hashlib.sha256(), hashlib.sha256()
        with vm.connect() as s:
            def send():
                for i in range(ECHO_MIB):
                    b = block[i:] + block[:i]
                    sent.update(b)
                    s.sendall(b)
                s.shutdown(socket.SHUT_WR)

            t = threading.Thread(target=send)
            t.start()
            n, lazy = 0, False
            while piece := s.recv(1 << 18):
                got.update(piece)
                n += len(piece)
                if n > ECHO_MIB << 19 and not lazy:
                    lazy = True
                    time.sleep(STALL)
            t.join()
        assert n == ECHO_MIB << 20 and sent.digest() == got.digest(), n


def a_lost_share_is_ENOTCONN_and_the_rest_goes_on():
    with tempfile.TemporaryDirectory() as lost, tempfile.TemporaryDirectory() as kept:
        with VM(["-v", lost + ":/lost", "-v", kept + ":/kept"],
                ["build/tests/system/share_gone", "/lost", "/kept"]) as vm:
            assert vm.process.stdout.readline() == b"waiting\n"
            # All that serve `lost`, whatever the server's processes are.
            victims = [pid for pid in descendants_of(vm.process.pid)
                       if lost.encode() in command_line(pid)]
            assert victims
            for pid in victims:
                os.kill(pid, signal.SIGSTOP)  # readers pile up
            time.sleep(0.3)
            for pid in victims:
                os.kill(pid, signal.SIGKILL)
            out = vm.process.stdout.read().decode().splitlines()
            gone = "Socket not connected"  # musl's words for ENOTCONN
            assert out == ["reader: " + gone] * 4 + ["open: " + gone, "kept: works"], out
            assert vm.process.wait(WAIT) == 0
            assert pathlib.Path(kept, "file").read_bytes() == b"kept"


def tree_of(top):
    """Everything about a tree that a program decides."""
    found = {}
    inodes = {}
    for path in sorted(pathlib.Path(top).rglob("*")):
        st = path.lstat()
        name = str(path.relative_to(top))
        content = None
        if path.is_symlink():
            content = os.readlink(path)
        elif path.is_file():
            content = hashlib.sha256(path.read_bytes()).hexdigest()
        first = inodes.setdefault(st.st_ino, name)
        found[name] = (st.st_mode, st.st_nlink if path.is_file() else 0,
                       st.st_size if path.is_file() else 0, content, first)
    return found


def a_share_lacks_no_etc():
    """What a share on / lacks of /etc is shown; what it has is left alone."""
    etc = "build/tests/posix/toril/libc/etc"
    with tempfile.TemporaryDirectory() as root:
        share = ["-v", root + ":/"]
        r = run(*share, etc)
        assert r.returncode == 0, r.stderr
        assert os.listdir(root) == [], "nothing is made on the host"
        folder = pathlib.Path(root, "etc")
        folder.mkdir()
        (folder / "hosts").write_text("127.0.0.1 localhost\n")
        assert run(*share, etc).returncode == 0
        r = run(*share, "build/tests/system/touch", "/etc/new")
        assert r.stdout == b"created\n" and (folder / "new").exists()
        (folder / "passwd").write_text("root:x:0:1:another:/:/bin/sh\n")
        r = run(*share, etc)
        assert r.returncode == 99 and b"pw_gid == 0" in r.stderr, r.stderr


def a_share_ends_as_it_would_on_linux():
    with tempfile.TemporaryDirectory() as a, tempfile.TemporaryDirectory() as b:
        linux = subprocess.run(["build/tests/posix/linux/fs/many_files", b, FILES],
                               capture_output=True, timeout=WAIT)
        assert linux.returncode == 0, linux
        r = run("-v", a + ":/w", "build/tests/posix/toril/fs/many_files", "/w", FILES)
        assert r.returncode == 0, r
        mine, theirs = tree_of(a), tree_of(b)
        assert mine == theirs, [(k, mine.get(k), theirs.get(k))
                                for k in sorted(set(mine) | set(theirs))
                                if mine.get(k) != theirs.get(k)][:5]
        assert theirs


def an_ordinary_user_can_serve_and_ro_is_ro():
    user = pwd.getpwnam("nobody")
    with tempfile.TemporaryDirectory() as top:
        os.chmod(top, 0o755)
        site = pathlib.Path(top, "site")
        site.mkdir()
        (site / "f").write_bytes(b"content")
        os.chown(site, user.pw_uid, user.pw_gid)
        tools = pathlib.Path(top, "tools")  # the checkout may be private
        tools.mkdir()
        for name in ("bin/toril-run", "apps/webserver", "tests/system/touch"):
            data = pathlib.Path("build", name).read_bytes()
            (tools / name.rsplit("/", 1)[1]).write_bytes(data)
            os.chmod(tools / name.rsplit("/", 1)[1], 0o755)

        def drop():
            os.setgroups([])
            os.setgid(user.pw_gid)
            os.setuid(user.pw_uid)

        process = subprocess.Popen(
            [str(tools / "toril-run"), "-p", "127.0.0.1:0:80", "-v",
             "%s:/srv:ro" % site, str(tools / "webserver"), "-p", "80", "/srv"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, preexec_fn=drop, cwd="/",
            env={"PATH": "/usr/bin:/bin:/usr/sbin:/sbin"})
        try:
            port = int(process.stderr.readline().decode().split(" ")[0].split(":")[1])
            with socket.create_connection(("127.0.0.1", port), WAIT) as s:
                s.sendall(b"GET /f HTTP/1.0\r\n\r\n")
                assert receive_all(s).endswith(b"\r\n\r\ncontent")
        finally:
            process.terminate()
            process.wait(30)
            process.stderr.close()
        r = subprocess.run(
            [str(tools / "toril-run"), "-v", "%s:/srv:ro" % site,
             str(tools / "touch"), "/srv/new"], stdin=subprocess.DEVNULL,
            capture_output=True, timeout=WAIT, preexec_fn=drop, cwd="/",
            env={"PATH": "/usr/bin:/bin:/usr/sbin:/sbin"})
        assert r.stdout == b"Read-only file system\n", r
        assert not (site / "new").exists()


TESTS = [hello_says_just_that, hello_needs_little_memory, boots_with_much_memory,
         arguments_and_environment_arrive_byte_for_byte,
         the_working_directory_is_as_asked,
         signals_end_a_program_that_does_not_mind_them,
         clients_are_known_by_their_own_address, many_short_connections,
         echo_with_8_mib_and_a_lazy_client,
         a_lost_share_is_ENOTCONN_and_the_rest_goes_on,
         a_share_ends_as_it_would_on_linux, a_share_lacks_no_etc,
         an_ordinary_user_can_serve_and_ro_is_ro]


def main():
    chosen = [t for t in TESTS if not sys.argv[1:] or t.__name__ in sys.argv[1:]]
    print("1..%d" % len(chosen))
    failed = 0
    for i, test in enumerate(chosen, 1):
        try:
            test()
            print("ok %d - %s" % (i, test.__name__), flush=True)
        except Exception:
            failed += 1
            print("not ok %d - %s" % (i, test.__name__))
            for line in traceback.format_exc().splitlines():
                print("# " + line, flush=True)
    return failed != 0


sys.exit(main())
