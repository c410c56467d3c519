# SPDX-License-Identifier: BSD-2-Clause
"""Two machines that run the same program: Toril, and Linux as a guest.

Both are QEMU's microvm with the same CPU model and memory, the same virtiofsd
with the same options and the launcher's own vsock device.  Linux is Debian's
cloud kernel with an initramfs of bench/linux/init and the one program.  Where
KVM works both use it, unless instructions are to be counted.
"""
import glob
import importlib.util
import os
import pathlib
import re
import socket
import struct
import subprocess
import tempfile
import threading
import time

BUILD = os.environ.get("BUILD", "build")
RUN = f"{BUILD}/bin/toril-run"
LINUX = f"{BUILD}/bench/linux"
MARKS = 16  # of the plugin's; spans follow
SETS = 1 + MARKS + 64  # of counts, of 32 bytes; the CPUs' own follow
MEMORY = "256M"
MODULES = ["drivers/virtio/virtio", "drivers/virtio/virtio_ring",
           "drivers/virtio/virtio_mmio"]
SHARE = ["fs/fuse/fuse", "fs/fuse/virtiofs"]
VSOCK = ["net/vmw_vsock/vsock",
         "net/vmw_vsock/vmw_vsock_virtio_transport_common",
         "net/vmw_vsock/vmw_vsock_virtio_transport"]
FAT = ["drivers/block/virtio_blk", "fs/fat/fat", "fs/fat/vfat",
       "fs/nls/nls_cp437", "fs/nls/nls_ascii", "fs/nls/nls_utf8"]


def linux_test():
    """What tests/host/vsock_linux_test.py knows of Linux guests."""
    spec = importlib.util.spec_from_file_location(
        "vsock_linux_test", "tests/host/vsock_linux_test.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def output(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE,
                          text=True).stdout


def symbol(image, name):
    match = re.search(rf"^([0-9a-f]+) [Tt] {name}$", output("nm", image), re.M)
    return "0x" + match[1]


def executed(counts):
    data = counts.read_bytes()[32 * SETS:]
    return sum(line[0] for line in struct.iter_unpack("<8Q", data))


class Guest:
    """What the two have in common.  `share` is a folder and where the
    program sees it; `port` is what it listens on; `counted` guests run with
    the plugin."""

    def __init__(self, share, port, counted):
        self.folder = tempfile.TemporaryDirectory()
        self.share, self.guest_port, self.counted = share, port, counted
        self.port = None
        self.process = None
        self.text = []
        self.listens = threading.Event()
        self.started = time.monotonic()

    def counts(self, at=0):
        data = pathlib.Path(self.folder.name, "counts").read_bytes()
        return struct.unpack_from("<4Q", data, 32 * at)

    def executed(self):
        """Instructions of all CPUs, with the plugin's smp=on."""
        return executed(pathlib.Path(self.folder.name, "counts"))

    def idle_counts(self):
        """Once nothing moves any more, or not for long."""
        last = None
        for _ in range(5):
            if last == (last := self.counts()):
                break
            time.sleep(0.1)
        return last

    def connect(self):
        sock = socket.create_connection(("127.0.0.1", self.port), 60)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock

    def dead(self):
        return self.process.poll() is not None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()
        self.folder.cleanup()


class Toril(Guest):
    name = "toril"

    def __init__(self, image, *args, share=None, port=None, counted=False,
                 options=(), memory=MEMORY, marks=(), smp=False):
        super().__init__(share, port, counted)
        command = [RUN, "-m", memory]
        if port:
            command += ["-p", f"127.0.0.1:0:{port}"]
        if share:
            command += ["-v", f"{share[0]}:{share[1]}", "-w", share[1]]
        if counted:
            plugin = (f"{BUILD}/bench/count.so,out={self.folder.name}/counts,"
                      f"entry={symbol(image, 'pvh_start')}"
                      + (",smp=on" if smp else "")
                      + "".join(f",mark={symbol(image, m)}" for m in marks))
            command += ["--accel", "tcg", "--qemu-arg", "-plugin",
                        "--qemu-arg", plugin]
        self.process = subprocess.Popen(
            [*command, *options, image, *args], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if port:
            line = self.process.stderr.readline().decode()
            match = re.search(r":(\d+) -> ", line)
            if not match:
                self.end()
                raise RuntimeError(line + "".join(self.text))
            self.port = int(match[1])

    def wait_listening(self):
        """Clients wait in the backlog until the program listens."""

    def finish(self, seconds=600):
        out, err = self.process.communicate(timeout=seconds)
        if self.process.returncode:
            raise RuntimeError(f"{self.process.returncode}: {err!r}")
        return out.decode()

    def end(self):
        if self.process.poll() is None:
            self.process.terminate()
        self.process.communicate(timeout=60)


class Linux(Guest):
    name = "linux"

    def __init__(self, image, *args, share=None, port=None, counted=False,
                 options=(), memory=MEMORY, marks=(), disk=None):
        super().__init__(share, port, counted)
        del options, marks  # those are Toril's
        self.helpers = []
        work = self.folder.name
        linux = linux_test()
        kernel = linux.fetch_kernel()
        self.tsc = linux.tsc_khz()
        modules = MODULES + (SHARE if share else []) + \
            (VSOCK if port else []) + (FAT if disk else [])
        self._initramfs(linux, image, args, modules)
        self.started = time.monotonic()
        devices = []
        if disk:
            devices += ["-drive", f"file={disk},format=raw,if=none,id=disk,"
                        "readonly=on,cache=writeback", "-device",
                        "virtio-blk-device,drive=disk"]
        try:
            if share:
                devices += self._virtiofsd(share[0])
            if port:
                devices += self._vsock(port)
            self._start(kernel, work, memory, devices)
        except BaseException:
            self._end_helpers()
            raise

    def _initramfs(self, linux, image, args, modules):
        at = self.share[1] if self.share else ""
        entry = linux.cpio_entry
        out = entry("dev", b"", 0o40755)
        out += entry("dev/console", b"", 0o20600, (5, 1))
        out += entry("init", pathlib.Path(LINUX, "init").read_bytes(),
                     0o100755)
        out += entry("etc", b"", 0o40755)
        for name, ids in ("passwd", "65534:65534::/:/"), ("group", "65534:"):
            lines = [f"{user}:x:{ids}\n" for user in ("nobody", "nogroup")]
            out += entry(f"etc/{name}", "".join(lines).encode(), 0o100644)
        out += entry("program", pathlib.Path(image).read_bytes(), 0o100755)
        command = "\0".join([at, "/program", *args]) + "\0"
        out += entry("command", command.encode(), 0o100644)
        names = [os.path.basename(m) for m in modules]
        # virtio_ring first: virtio needs it.
        names.sort(key=lambda n: n != "virtio_ring")
        out += entry("modules", "\n".join(names).encode(), 0o100644)
        for module in modules:
            file, = glob.glob(
                f"{linux.LINUX}/root/lib/modules/*/kernel/{module}.ko")
            out += entry(os.path.basename(file),
                         pathlib.Path(file).read_bytes(), 0o100644)
        pathlib.Path(self.folder.name, "initrd").write_bytes(
            out + entry("TRAILER!!!", b"", 0))

    def _virtiofsd(self, folder):
        path = self.folder.name + "/fs"
        self.helpers.append(subprocess.Popen(
            ["/usr/lib/qemu/virtiofsd", f"--socket-path={path}", "-f", "-o",
             f"source={os.path.abspath(folder)}", "-o", "cache=auto,xattr,"
             "posix_lock,sandbox=namespace,log_level=warn"],
            stderr=subprocess.DEVNULL))
        while not os.path.exists(path):
            if self.helpers[-1].poll() is not None:
                raise RuntimeError("virtiofsd ended")
            time.sleep(0.005)
        return ["-chardev", f"socket,id=fs,path={path}", "-device",
                "vhost-user-fs-device,chardev=fs,tag=share"]

    def _vsock(self, port):
        path = self.folder.name + "/vs"
        peer = subprocess.Popen([f"{BUILD}/bench/vsock_peer", path, str(port)],
                                stdout=subprocess.PIPE, text=True)
        self.helpers.append(peer)
        self.port = int(peer.stdout.readline().split()[1])
        if peer.stdout.readline() != "ready\n":
            raise RuntimeError("vsock_peer ended")
        return ["-chardev", f"socket,id=vs,path={path}", "-device",
                "vhost-user-vsock-device,chardev=vs"]

    def _start(self, kernel, work, memory, devices):
        accel = ["-accel", "tcg,thread=multi"]
        if self.counted:
            accel += ["-plugin", f"{BUILD}/bench/count.so,out={work}/counts"]
        elif kvm_works():
            accel = ["-accel", "kvm"]
        self.process = subprocess.Popen(
            ["qemu-system-x86_64", "-M",
             "microvm,acpi=on,memory-backend=mem", *accel, "-cpu", "max",
             "-object", f"memory-backend-memfd,id=mem,size={memory},share=on",
             "-m", memory, "-nodefaults", "-no-user-config", "-display",
             "none", "-no-reboot", "-serial", "stdio", "-global",
             "virtio-mmio.force-legacy=false", *devices, "-kernel", kernel,
             "-initrd", work + "/initrd", "-append", "console=ttyS0 quiet "
             f"tsc=reliable tsc_early_khz={self.tsc}"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for raw in self.process.stdout:
            line = raw.decode(errors="replace").replace("\r", "")
            self.text.append(line)
            if line.startswith("listening on"):
                self.listens.set()
        self.listens.set()

    def wait_listening(self):
        self.listens.wait(300)
        if self.dead():
            raise RuntimeError("the Linux guest: " + "".join(self.text))

    def finish(self, seconds=600):
        self.process.wait(seconds)
        self.reader.join()
        text = "".join(self.text)
        if not re.search(r"^ended with 0$", text, re.M):
            raise RuntimeError(f"the Linux guest: {text}")
        return text

    def _end_helpers(self):
        for helper in self.helpers:
            if helper.poll() is None:
                helper.terminate()
            if helper.stdout:
                helper.stdout.close()
            helper.wait()

    def end(self):
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait()
        self.reader.join()
        self.process.stdout.close()
        self._end_helpers()


def kvm_works():
    """As toril-run decides."""
    try:
        with open("/dev/kvm", "rb"), open("/proc/cpuinfo") as cpus:
            return re.search(r"\b(vmx|svm)\b", cpus.read()) is not None
    except OSError:
        return False


def port_image(name, kind=Toril):
    """Built by ports/port.py, which may take a while."""
    folder = f"{BUILD}/ports" if kind is Toril else f"{LINUX}/ports"
    env = {**os.environ, "BUILD": BUILD}
    if kind is Linux:
        env["PORT_FOLDER"] = os.path.abspath(folder)
        env["PORT_CC"] = os.path.abspath(f"{LINUX}/musl/bin/linux-cc")
    subprocess.run(["ports/port.py", name], stdout=subprocess.DEVNULL,
                   env=env, check=True)
    recipe = pathlib.Path(f"ports/{name}/recipe").read_text()
    image = re.search(r"^run: (\S+)", recipe, re.M)[1]
    return f"{folder}/{name}/{image}"


def image_of(kind, name):
    """apps/NAME and bench/NAME are make's; ports/NAME are built."""
    if name.startswith("ports/"):
        return port_image(name[6:], kind)
    return f"{BUILD if kind is Toril else LINUX}/{name}"
