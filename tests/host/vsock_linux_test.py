#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The built-in vsock device against Linux's own driver.

Boots Debian's cloud kernel, which is downloaded once into build/cache, with
tests/host/linux_init.c as its only program, and talks to it through
build/tests/host/vsock_peer."""

import fcntl
import glob
import hashlib
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading

BUILD = os.environ.get("BUILD", "build")
LINUX = os.path.join(BUILD, "cache/linux-guest")
MODULES = ["drivers/virtio/virtio", "drivers/virtio/virtio_ring",
           "drivers/virtio/virtio_mmio", "net/vmw_vsock/vsock",
           "net/vmw_vsock/vmw_vsock_virtio_transport_common",
           "net/vmw_vsock/vmw_vsock_virtio_transport"]
PORTS = [1234, 1235, 1236, 1237]
count = failed = 0


def ok(good, what):
    global count, failed
    count += 1
    failed += not good
    print(f"{'ok' if good else 'not ok'} {count} - {what}", flush=True)


def fetch_kernel():
    """The kernel's path; two tests want it, perhaps at the same time."""
    os.makedirs(LINUX, exist_ok=True)
    with open(LINUX + "/lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not glob.glob(LINUX + "/root/boot/vmlinuz*"):
            download_kernel()
    return glob.glob(LINUX + "/root/boot/vmlinuz*")[0]


def download_kernel():
    shutil.rmtree(LINUX + "/root.new", ignore_errors=True)
    out = subprocess.run(["apt-cache", "depends", "linux-image-cloud-amd64"],
                         stdout=subprocess.PIPE, text=True, check=True).stdout
    name = re.search(r"Depends: (linux-image-\S+)", out).group(1)
    subprocess.run(["apt-get", "-q", "download", name], cwd=LINUX,
                   check=True, stdout=sys.stderr)
    deb = glob.glob(LINUX + "/*.deb")[0]
    subprocess.run(["dpkg", "-x", deb, LINUX + "/root.new"], check=True)
    os.rename(LINUX + "/root.new", LINUX + "/root")
    os.unlink(deb)


def cpio_entry(name, data, mode, rdev=(0, 0)):
    head = "070701" + "".join("%08X" % v for v in (
        abs(hash(name)) & 0xffffff, mode, 0, 0, 1, 0, len(data), 0, 0,
        rdev[0], rdev[1], len(name) + 1, 0))
    out = head.encode() + name.encode() + b"\0"
    out += b"\0" * (-len(out) % 4) + data
    return out + b"\0" * (-len(out) % 4)


def initramfs(path, init=BUILD + "/tests/host/linux_init"):
    out = cpio_entry("dev", b"", 0o40755)
    out += cpio_entry("dev/console", b"", 0o20600, (5, 1))
    with open(init, "rb") as f:
        out += cpio_entry("init", f.read(), 0o100755)
    for module in MODULES:
        file = glob.glob(f"{LINUX}/root/lib/modules/*/kernel/{module}.ko")[0]
        with open(file, "rb") as f:
            out += cpio_entry(os.path.basename(file), f.read(), 0o100644)
    with open(path, "wb") as f:
        f.write(out + cpio_entry("TRAILER!!!", b"", 0))


def tsc_khz():
    # the cloud kernel cannot calibrate on this machine type
    with open("/proc/cpuinfo") as f:
        return int(float(re.search(r"cpu MHz\s*: ([\d.]+)", f.read()).group(1))
                   * 1000)


def pattern(size, seed=1):
    out = bytearray(size)
    for i in range(size):
        seed = (seed * 1664525 + 1013904223) & 0xffffffff
        out[i] = seed >> 24
    return bytes(out)


def fnv(data):
    total = 0xcbf29ce484222325
    for byte in data:
        total = ((total ^ byte) * 0x100000001b3) & 0xffffffffffffffff
    return total


def receive(sock, limit=None):
    out = bytearray()
    while limit is None or len(out) < limit:
        part = sock.recv(1 << 16)
        if not part:
            break
        out += part
    return bytes(out)


def dial(ports, guest):
    return socket.create_connection(("127.0.0.1", ports[guest]), timeout=300)


def test_echo(ports, size, what):
    data = os.urandom(size)
    with dial(ports, 1234) as s:
        def write():
            s.sendall(data)
            s.shutdown(socket.SHUT_WR)
        writer = threading.Thread(target=write)
        writer.start()
        back = receive(s)
        writer.join()
    ok(hashlib.sha256(back).digest() == hashlib.sha256(data).digest(), what)


def test_stalled_client(ports):
    data = os.urandom(8 << 20)
    with dial(ports, 1234) as s:
        writer = threading.Thread(
            target=lambda: (s.sendall(data), s.shutdown(socket.SHUT_WR)))
        writer.start()
        with dial(ports, 1234) as other:    # is not held up by it
            other.sendall(b"meanwhile")
            meanwhile = receive(other, 9)
        writer.join(3)
        back = receive(s)
        writer.join()
    ok(meanwhile == b"meanwhile", "a stalled client holds nobody up")
    ok(back == data, "and loses nothing")


def test_slow_guest(ports):
    data = os.urandom(1 << 20)
    with dial(ports, 1235) as s:
        s.sendall(data)
        s.shutdown(socket.SHUT_WR)
        answer = receive(s)
    ok(answer == struct.pack("<QQ", len(data), fnv(data)),
       "a slow guest gets every byte, and may answer after our end")


def test_source(ports):
    with dial(ports, 1236) as s:
        got = receive(s)
    ok(got == pattern(8 << 20), "what a guest sent before close arrives")


def test_many(ports):
    socks = [dial(ports, 1234) for _ in range(500)]
    for i, s in enumerate(socks):
        s.sendall(b"%06d" % i)
    good = all(receive(s, 6) == b"%06d" % i for i, s in enumerate(socks))
    for s in socks:
        s.close()
    ok(good, "500 connections at once")
    bad = 0
    for i in range(500):
        with dial(ports, 1234) as s:
            s.sendall(b"x")
            bad += receive(s, 1) != b"x"
    ok(not bad, "500 connections in a row")


def test_abort(ports):
    for _ in range(50):
        s = dial(ports, 1234)
        s.sendall(b"z" * 100000)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                     struct.pack("ii", 1, 0))
        s.close()
    with dial(ports, 1234) as s:
        s.sendall(b"still")
        ok(receive(s, 5) == b"still", "clients that reset do no harm")


def test_refused(ports):
    try: # it may come before connect() is through
        with dial(ports, 1238) as s:
            good = receive(s) is None
    except ConnectionResetError:
        good = True
    ok(good, "a port without a listener is a reset")


def test_half(ports, lines):
    data = b"h" * 1000000
    with dial(ports, 1237) as s:
        good = receive(s) == b""
        s.sendall(data)
    line = next(text for text in lines if text.startswith("HALF"))
    ok(good and line.split() == ["HALF", str(len(data)), "end"],
       "a guest may end its half first and read on")


def run_tests(ports, lines):
    test_echo(ports, 1, "1 byte comes back")
    test_echo(ports, 32 << 20, "32 MiB both ways at once")
    test_stalled_client(ports)
    test_slow_guest(ports)
    test_source(ports)
    test_many(ports)
    test_abort(ports)
    test_refused(ports)
    test_half(ports, lines)
    test_echo(ports, 1 << 20, "and all is well after that")


def guest_lines(qemu):
    for raw in qemu.stdout:
        text = raw.decode(errors="replace").strip()
        match = re.match(r"(not )?ok - (.*)", text)
        if match:
            ok(not match.group(1), match.group(2))
        elif text:
            print("# " + text, flush=True)
        yield text


def main():
    kernel = fetch_kernel()
    work = tempfile.mkdtemp()
    peer = qemu = None
    try:
        initramfs(work + "/initrd")
        peer = subprocess.Popen(
            [BUILD + "/tests/host/vsock_peer", work + "/vs"] +
            [str(p) for p in PORTS + [1238]], stdout=subprocess.PIPE, text=True)
        ports = {}
        for line in peer.stdout:
            if line == "ready\n":
                break
            guest, tcp = line.split()
            ports[int(guest)] = int(tcp)
        qemu = subprocess.Popen(
            ["qemu-system-x86_64", "-M", "microvm,acpi=on,memory-backend=mem",
             "-accel", "tcg", "-cpu", "max", "-object",
             "memory-backend-memfd,id=mem,size=256M,share=on", "-m", "256M",
             "-nodefaults", "-no-user-config", "-display", "none",
             "-no-reboot", "-serial", "stdio", "-global",
             "virtio-mmio.force-legacy=false", "-chardev",
             f"socket,id=vs,path={work}/vs", "-device",
             "vhost-user-vsock-device,chardev=vs", "-kernel", kernel,
             "-initrd", work + "/initrd", "-append",
             f"console=ttyS0 quiet tsc=reliable tsc_early_khz={tsc_khz()}"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        watchdog = threading.Timer(540, qemu.kill)
        watchdog.daemon = True
        watchdog.start()
        lines = guest_lines(qemu)
        ready = any(text == "GUEST READY" for text in lines)
        ok(ready, "the Linux guest comes up")
        if ready:
            run_tests(ports, lines)
            qemu.stdin.write(b"end\n")
            qemu.stdin.flush()
            for _ in lines:
                pass
        watchdog.cancel()
        qemu.wait(60)
        rest = peer.stdout.read()
        print("# peer: " + rest.strip().replace("\n", "; "))
        ok(peer.wait(60) == 0 and "broken" not in rest,
           "the device ends with its QEMU")
    finally:
        for process in (qemu, peer):
            if process and process.poll() is None:
                process.kill()
                process.wait()
        shutil.rmtree(work)
    print(f"1..{count}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
