#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""toril-run alone, with a Linux guest (linux_guest.c) in the image's place.

Each case is one machine.  What the image does is put in place by a wrapper
around QEMU, which this script is too, when it is called with QEMU's options.
"""

import importlib.util
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
spec = importlib.util.spec_from_file_location(
    "vsock_linux_test", HERE + "/vsock_linux_test.py")
linux = importlib.util.module_from_spec(spec)
spec.loader.exec_module(linux)

BUILD = os.path.abspath(linux.BUILD)
RUN = BUILD + "/bin/toril-run"
MODULES = linux.MODULES[:3] + ["fs/fuse/fuse", "fs/fuse/virtiofs"] + \
    linux.MODULES[3:]
ok = linux.ok
WORK = None


def be_qemu(args):
    work = os.path.dirname(args[args.index("-kernel") + 1])
    args[args.index("-M") + 1] = "microvm,acpi=on,memory-backend=mem"
    args[args.index("-kernel") + 1] = work + "/vmlinuz"
    at = args.index("-append") + 1
    args[at] += " console=ttyS0 quiet loglevel=0 tsc=reliable " \
        f"tsc_early_khz={linux.tsc_khz()}"
    os.execvp("qemu-system-x86_64",
              ["qemu-system-x86_64"] + args + ["-initrd", work + "/initrd"])


def fake_image():
    """An ELF file with a PVH note and one function, sinner, at 0x100."""
    note = struct.pack("<III4sI", 4, 4, 18, b"Xen\0", 0x100000)
    names = b"\0sinner\0"
    syms = bytes(24) + struct.pack("<IBBHQQ", 1, 2, 0, 1, 0x100, 0x40)
    at_note, at_syms = 64 + 56, 64 + 56 + len(note) + 4  # of 8, all
    at_names = at_syms + len(syms)
    at_sections = at_names + len(names)
    elf = b"\x7fELF\2\1\1" + bytes(9) + struct.pack(
        "<HHIQQQIHHHHHH", 3, 62, 1, 0, 64, at_sections, 0, 64, 56, 1, 64, 3, 0)
    elf += struct.pack("<IIQQQQQQ", 4, 4, at_note, 0, 0, len(note), len(note), 4)
    elf += note + bytes(4) + syms + names + bytes(64)
    elf += struct.pack("<IIQQQQIIQQ", 0, 2, 0, 0, at_syms, len(syms), 2, 1, 8, 24)
    elf += struct.pack("<IIQQQQIIQQ", 0, 3, 0, 0, at_names, len(names), 0, 0, 1, 0)
    return elf


def command(*args, options=(), run=RUN, here=HERE):
    return [run, "--qemu", here + "/toril_run_test.py", "-m", "160M",
            "--timeout", "120", *options, WORK + "/image", *args]


def run(*args, options=(), **more):
    return subprocess.run(command(*args, options=options), timeout=200,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          **more)


def children_of(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as f:
        return [int(p) for p in f.read().split()]


def gone(pids):
    for _ in range(300):
        if not any(os.path.exists(f"/proc/{p}") for p in pids):
            return True
        threading.Event().wait(0.1)
    return False


def test_arguments():
    args = ["args", "", "two words", "quo'te\"s", "ünï", "x" * 65536]
    r = run(*args, options=["-e", "A=b c", "-e", "E=", "-w", "/some where"],
            stdin=subprocess.DEVNULL)
    want = [WORK + "/image"] + args + ["A=b c", "E=", "/some where", ""]
    ok(r.returncode == 0 and r.stdout.decode().split("\0") == want,
       "arguments, environment and directory arrive byte for byte")
    ok(r.stderr == b"", "quiet by default")


def test_stdio():
    r = run("both")
    ok((r.returncode, r.stdout, r.stderr) ==
       (200, b"to stdout\n", b"to stderr\n"),
       "stdout and stderr are apart, exit(200) is 200")
    data = os.urandom(8 << 20)
    r = run("cat", input=data)
    ok(r.returncode == 0 and r.stdout == data, "8 MiB through stdin to stdout")
    with open(WORK + "/file", "wb") as f:
        f.write(data)
    with open(WORK + "/file", "rb") as i, open(WORK + "/copy", "wb") as o:
        status = subprocess.run(command("cat"), stdin=i, stdout=o).returncode
    with open(WORK + "/copy", "rb") as f:
        ok(status == 0 and f.read() == data, "and from file to file")
    p = subprocess.Popen(command("yes"), stdout=subprocess.PIPE)
    p.stdout.read(100000)
    p.stdout.close()
    ok(p.wait(200) == 141, "a reader that leaves is EPIPE in the guest")


def test_signals():
    p = subprocess.Popen(command("signal"), stdout=subprocess.PIPE)
    p.stdout.readline()
    p.send_signal(signal.SIGTERM)
    ok(p.wait(200) == 128 + 15, "SIGTERM reaches the program")
    p = subprocess.Popen(command("signal", "ignore"), stdout=subprocess.PIPE)
    p.stdout.readline()
    kids = children_of(p.pid)
    p.send_signal(signal.SIGINT)
    p.stdout.readline()
    p.send_signal(signal.SIGINT)
    ok(p.wait(200) == 128 + 2 and gone(kids), "a second SIGINT ends it")
    p = subprocess.Popen(command("signal"), stdout=subprocess.PIPE)
    p.stdout.readline()
    kids = children_of(p.pid)
    p.kill()
    p.wait()
    ok(kids and gone(kids), "SIGKILL of toril-run leaves no child")


def test_ends():
    r = run("crash")
    ok(r.returncode == 139 and b"[<0x10000110>] sinner+0x10" in r.stderr,
       "the console is shown with names")
    r = run("die")
    ok(r.returncode == 125 and b"without an exit status" in r.stderr,
       "a machine that ends by itself is a failure")
    r = run("hang", options=["--timeout", "5"])
    ok(r.returncode == 124, "--timeout ends it with 124")


def test_publish():
    p = subprocess.Popen(command("serve", options=["-p", "0:80"]),
                         stderr=subprocess.PIPE, text=True)
    line = p.stderr.readline()
    port = int(re.fullmatch(r"127\.0\.0\.1:(\d+) -> 80\n", line).group(1))
    with socket.create_connection(("127.0.0.1", port), timeout=200) as s:
        us = s.getsockname()
        s.sendall(b"hello")
        s.shutdown(socket.SHUT_WR)
        back = linux.receive(s)
    head = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" + bytes([127, 0, 0, 1] * 2) + \
        struct.pack(">HH", us[1], port)
    ok(back == head + b"hello", "a published port carries PROXY v2 and data")
    r = run("serve", options=["-p", f"{port}:80"])
    ok(r.returncode == 125 and b"in use" in r.stderr, "a port in use is said")
    p.send_signal(signal.SIGINT)    # which this server ignores
    p.send_signal(signal.SIGTERM)
    ok(p.wait(200) in (130, 143), "and signals end a server")


def shares(names):
    out = []
    for name in names:
        path = os.path.join(WORK, name)
        os.makedirs(path, exist_ok=True)
        open(path + "/given", "w").close()
        os.chmod(path, 0o777)
        out.append(path)
    return out


def test_shares():
    rw, odd, ro = shares(["rw", "o,d\\d: dir", "ro"])
    r = run("share", options=["-v", rw + ":/rw", "-v", odd + ":/odd",
                              "-v", ro + ":/ro:ro"])
    ok(r.returncode == 0, f"shares, one read-only {r.stderr.decode()}")
    ok(os.path.exists(odd + "/made") and os.path.exists(rw + "/made") and
       not os.path.exists(ro + "/made"), "and what they then hold")
    p = subprocess.Popen(command("share", "wait", options=["-v", rw + ":/rw"]),
                         stdout=subprocess.PIPE)
    p.stdout.readline()
    for kid in children_of(p.pid):
        with open(f"/proc/{kid}/comm") as f:
            if "virtiofsd" in f.read():
                os.kill(kid, signal.SIGKILL)
    ok(p.stdout.read() == b"fs0" and p.wait(200) == 0,
       "the death of virtiofsd is told")
    r = run("share", options=sum([["-v", f"/:/{i}"] for i in range(8)], []))
    ok(r.returncode == 125 and b"at most 7" in r.stderr, "an eighth share")


def test_ordinary_user():
    # Root becomes one; whoever is one already stays so.
    uid = os.getuid() or 65534
    become = {} if os.getuid() else {
        "user": uid, "group": uid, "extra_groups": [uid]}
    rw, ro = shares(["rw2", "ro2"])
    os.chmod(WORK, 0o755)
    # The checkout may be private.
    for file in (RUN, HERE + "/toril_run_test.py", HERE + "/vsock_linux_test.py"):
        shutil.copy(file, WORK)
    env = dict(os.environ, XDG_RUNTIME_DIR="/tmp")
    r = subprocess.run(
        command("share", options=["-v", rw + ":/rw", "-v", ro + ":/ro:ro"],
                run=WORK + "/toril-run", here=WORK),
        timeout=200, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd="/",
        env=env, **become)
    made = os.path.exists(rw + "/made") and os.stat(rw + "/made").st_uid
    ok(r.returncode == 0 and made == uid and
       not os.path.exists(ro + "/made"),
       f"an ordinary user shares directories {r.stderr.decode()}")


def test_outbound():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        request = b"\5\1\0\1" + bytes([127, 0, 0, 1]) + struct.pack(">H", port)
        got = []

        def serve():
            s, _ = server.accept()
            got.append(linux.receive(s))
            s.sendall(b"answer")
            s.close()
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        r = run("socks", request.hex(), "question",
                options=["--connect", f"127.0.0.0/8:{port}"])
        ok(r.stdout[:4] == b"\5\0\5\0" and r.stdout[-6:] == b"answer" and
           got == [b"question"], "SOCKS to an allowed network")
        r = run("socks", request.hex(), options=["--connect", "10.0.0.0/8"])
        ok(r.stdout[:4] == b"\5\0\5\2", "and not to another")
        r = run("socks", request.hex())
        ok(r.returncode == 7, "none without --connect")
    ask = b"\x12\x34\1\0\0\1\0\0\0\0\0\0\x09localhost\0\0\1\0\1"
    r = run("dns", ask.hex(), options=["--connect", "localhost:80"])
    ok(r.stdout[:2] == b"\x12\x34" and r.stdout[3] & 15 == 0 and
       r.stdout.endswith(bytes([127, 0, 0, 1])), "an allowed name resolves")
    r = run("dns", ask.hex(), options=["--connect", "example.org"])
    ok(r.stdout[3] & 15 == 5, "another is refused")


def test_errors():
    def fails(status, words, *args):
        r = subprocess.run([RUN, *args], stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE)
        ok(r.returncode == status and words in r.stderr.decode(),
           f"toril-run {' '.join(args)}: {words}")
    image = WORK + "/image"
    fails(127, "No such file", "/no/such")
    fails(126, "not a Toril image", "/bin/true")
    fails(126, "not an ELF file", "/etc/passwd")
    fails(126, "not a regular file", "/tmp")
    fails(125, "not a directory", "-v", "/etc/passwd:/x", image)
    fails(125, "No such file", "-v", "/no/dir:/x", image)
    fails(125, "cannot start QEMU", "--qemu", "/no/qemu", image)
    fails(125, "not an option", "--nonsense", image)
    fails(125, "no IMAGE", "-m", "64M")


def test_dry_run():
    (rw,) = shares(["dry"])
    r = run("both", "a b", options=["--dry-run", "-v", rw + ":/rw"])
    sh = subprocess.run(["sh", "-c", r.stdout.decode()], timeout=200,
                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    ok(r.returncode == 0 and (sh.returncode, sh.stdout) ==
       (200, b"to stdout\n") and b"to stderr\n" in sh.stderr,
       f"--dry-run prints what works {sh.stderr.decode()}")


def left_behind():
    return os.listdir(os.environ["XDG_RUNTIME_DIR"])


def main():
    global WORK
    WORK = tempfile.mkdtemp()
    # a place of our own, since other launchers run at the same time
    os.environ["XDG_RUNTIME_DIR"] = WORK + "/runtime"
    os.mkdir(WORK + "/runtime")
    try:
        shutil.copy(linux.fetch_kernel(), WORK + "/vmlinuz")
        linux.MODULES = MODULES
        linux.initramfs(WORK + "/initrd", BUILD + "/tests/host/linux_guest")
        with open(WORK + "/image", "wb") as f:
            f.write(fake_image())
        tests = [test_errors, test_arguments, test_stdio, test_signals,
                 test_ends, test_publish, test_shares, test_ordinary_user,
                 test_outbound, test_dry_run]
        for test in tests:
            if len(sys.argv) < 2 or test.__name__ in sys.argv[1:]:
                test()
        ok(left_behind() == [], "no temporary file is left")
    finally:
        shutil.rmtree(WORK)
    print(f"1..{linux.count}")
    return 1 if linux.failed else 0


if __name__ == "__main__":
    if "-kernel" in sys.argv:
        be_qemu(sys.argv[1:])
    sys.exit(main())
