# SPDX-License-Identifier: BSD-2-Clause
"""toril-run --perf: where the CPUs of a machine are, sampled.

toril-perf.py SOCKET IMAGE OUT PIPE: speaks gdb's remote protocol to QEMU at
SOCKET, lets the machine go, stops it some times each second, and walks the
stack of each CPU by the unwind information of IMAGE, through the kernel into
the program.  Stacks are written to OUT, outermost function first and folded,
as FlameGraph and toril-flame read them, each second and when PIPE is closed
or the machine ends.

Stopping is what the debugger does, so that code with interrupts off is seen
too.  A CPU that waits is one frame, [idle].  Inlined functions are part of
what they are in.
"""
import bisect
import collections
import os
import random
import re
import select
import socket
import struct
import sys
import time

RATE = 50  # stops per second
DEPTH = 100
BLOCK = 512
REGISTERS = (0, 3, 2, 1, 4, 5, 6, 7, *range(8, 16), 16)  # DWARF's, as in `g`
RSP, RIP = 7, 16
GS_BASE = 17 * 8 + 7 * 4 + 8


# --- the image -------------------------------------------------------------------

class Image:
    def __init__(self, path):
        with open(path, "rb") as file:
            self.data = file.read()
        at, = struct.unpack_from("<Q", self.data, 40)
        count, names = struct.unpack_from("<HH", self.data, 60)
        headers = [struct.unpack_from("<IIQQQQIIQQ", self.data, at + 64 * i)
                   for i in range(count)]
        base = headers[names][4]
        self.sections = {self.string(base + h[0]): h for h in headers}
        self.symbols = self.read_symbols()
        self.starts = [start for start, _, _ in self.symbols]
        self.frames = sorted(self.read_frames(), key=lambda f: f[0])
        self.frame_starts = [frame[0] for frame in self.frames]
        self.rows = {}

    def string(self, at):
        return self.data[at:self.data.index(b"\0", at)].decode()

    def read_symbols(self):
        if ".symtab" not in self.sections:
            sys.exit("the image is stripped: it has no names")
        table = self.sections[".symtab"]
        strings = self.sections[".strtab"][4]
        text = self.sections[".text"]
        self.low, self.high = text[3], text[3] + text[5]
        self.named, found = {}, {}
        for at in range(table[4], table[4] + table[5], 24):
            name, info, _, _, value, size = struct.unpack_from(
                "<IBBHQQ", self.data, at)
            if not name:
                continue
            self.named[self.string(strings + name)] = value
            if info & 15 in (0, 2) and self.low <= value < self.high:
                # a function before a label, a global before a local
                rank = (info & 15, info >> 4)
                if value not in found or rank > found[value][0]:
                    found[value] = rank, size, self.string(strings + name)
        return sorted((value, size, name)
                      for value, (_, size, name) in found.items())

    def function(self, pc):
        i = bisect.bisect_right(self.starts, pc) - 1
        if not self.low <= pc < self.high or i < 0:
            return None
        # a constant-propagated copy is its function
        return re.sub(r"\.(constprop|isra|part|cold|lto_priv)\.?\d*", "",
                      self.symbols[i][2])

    # DWARF 5, 6.4; of .debug_frame, since .eh_frame is nearly empty here
    def read_frames(self):
        section = self.sections.get(".debug_frame")
        if not section:
            return
        at, end, start = section[4], section[4] + section[5], section[4]
        cies = {}
        while at + 8 < end:
            length, head = struct.unpack_from("<II", self.data, at)
            after = at + 4 + length
            if head == 0xffffffff:
                cies[at - start] = self.read_cie(at + 8, after)
            else:
                first, size = struct.unpack_from("<QQ", self.data, at + 8)
                yield first, first + size, head, cies, at + 24, after
            at = after

    def read_cie(self, at, end):
        version = self.data[at]
        augmentation = self.string(at + 1)
        at += 2 + len(augmentation)
        if version >= 4:
            at += 2
        code, at = uleb(self.data, at)
        scale, at = sleb(self.data, at)
        _, at = (self.data[at], at + 1) if version == 1 else \
            uleb(self.data, at)
        return code, scale, "S" in augmentation, at, end

    def row(self, pc):
        """How to leave the function at `pc`: (cfa, registers, signal)."""
        if pc not in self.rows:
            self.rows[pc] = self.find_row(pc)
        return self.rows[pc]

    def find_row(self, pc):
        i = bisect.bisect_right(self.frame_starts, pc) - 1
        if i < 0 or pc >= self.frames[i][1]:
            return None
        first, _, head, cies, at, end = self.frames[i]
        code, scale, signal, cie_at, cie_end = cies[head]
        program = Program(self.data, code, scale)
        program.run(cie_at, cie_end, 0, pc)
        program.initial = dict(program.rules)
        program.run(at, end, first, pc)
        return program.cfa, program.rules, signal


def uleb(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if not byte & 128:
            return value, at


def sleb(data, at):
    start = at
    value, at = uleb(data, at)
    bits = 7 * (at - start)
    return value - (1 << bits) if value >> (bits - 1) & 1 else value, at


class Program:
    """The call frame instructions that the compiler and our assembly use."""

    def __init__(self, data, code, scale):
        self.data, self.code, self.scale = data, code, scale
        self.cfa = (RSP, 8)
        self.rules = {}  # register: offset from the CFA, or None
        self.initial = {}
        self.stack = []

    def run(self, at, end, here, pc):
        data = self.data
        while at < end:
            op = data[at]
            at += 1
            low = op & 63
            step = None
            if op >> 6 == 1:
                step = low
            elif op >> 6 == 2:  # offset
                value, at = uleb(data, at)
                self.rules[low] = value * self.scale
            elif op >> 6 == 3:
                self.restore(low)
            elif op == 1:
                here, at = struct.unpack_from("<Q", data, at)[0], at + 8
                if here > pc:
                    return
            elif op in (2, 3, 4):
                size = 1 << (op - 2)
                step = int.from_bytes(data[at:at + size], "little")
                at += size
            elif op == 6:
                register, at = uleb(data, at)
                self.restore(register)
            elif op in (7, 8):  # undefined, same value
                register, at = uleb(data, at)
                if op == 7:
                    self.rules[register] = None
                else:
                    self.rules.pop(register, None)
            elif op == 10:
                self.stack.append((self.cfa, dict(self.rules)))
            elif op == 11:
                self.cfa, self.rules = self.stack.pop()
            elif op == 12:
                register, at = uleb(data, at)
                value, at = uleb(data, at)
                self.cfa = register, value
            elif op == 13:
                register, at = uleb(data, at)
                self.cfa = register, self.cfa[1]
            elif op == 14:
                value, at = uleb(data, at)
                self.cfa = self.cfa[0], value
            elif op == 15:
                size, at = uleb(data, at)
                self.cfa = None, data[at:at + size]
                at += size
            elif op:
                raise ValueError(f"DW_CFA {op:#x}")
            if step is not None:
                here += step * self.code
                if here > pc:
                    return

    def restore(self, register):
        if register in self.initial:
            self.rules[register] = self.initial[register]
        else:
            self.rules.pop(register, None)


# --- the machine -------------------------------------------------------------------

class Gone(Exception):
    pass


class Machine:
    """QEMU's side of gdb's remote protocol."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        deadline = time.monotonic() + 60
        while True:
            try:
                self.socket.connect(path)
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
        self.buffer = b""
        self.acks = True
        self.command("QStartNoAckMode")
        self.acks = False
        self.command("?")
        self.runs = False

    def receive(self):
        try:
            data = self.socket.recv(65536)
        except ConnectionError as why:
            raise Gone from why
        if not data:
            raise Gone
        self.buffer += data

    def packet(self):
        while not (match := re.search(rb"\$([^#]*)#..", self.buffer, re.S)):
            self.receive()
        self.buffer = self.buffer[match.end():]
        if self.acks:
            self.send(b"+")
        text = match[1].decode("latin-1")
        return re.sub(r"(.)\*(.)", lambda m: m[1] * (ord(m[2]) - 28), text)

    def send(self, data):
        try:
            self.socket.sendall(data)
        except OSError as why:
            raise Gone from why

    def put(self, text):
        data = text.encode()
        self.send(b"$%s#%02x" % (data, sum(data) & 255))

    def command(self, text):
        self.put(text)
        return self.packet()

    def go(self):
        self.put("vCont;c")

    def stop(self):
        """Whether it stopped, and has not ended."""
        self.send(b"\x03")
        reply = self.packet()
        if reply[0] in "WX":
            raise Gone
        self.blocks = {}

    def cpus(self):
        found = []
        reply = self.command("qfThreadInfo")
        while reply.startswith("m"):
            found += reply[1:].split(",")
            reply = self.command("qsThreadInfo")
        return found

    def registers(self, cpu):
        self.command("Hg" + cpu)
        return bytes.fromhex(self.command("g"))

    def word(self, address):
        """Eight bytes of memory, or None."""
        block = address & -BLOCK
        if block not in self.blocks:
            reply = self.command(f"m{block:x},{BLOCK:x}")
            self.blocks[block] = bytes.fromhex(reply) \
                if len(reply) == 2 * BLOCK else None
        data = self.blocks[block]
        if data is None or address - block > BLOCK - 8:
            return None
        return int.from_bytes(data[address - block:address - block + 8],
                              "little")


class Sampler:
    def __init__(self, image, machine):
        self.image = image
        self.machine = machine
        self.bias = None
        self.stacks = collections.Counter()
        self.boot = image.named["cpu_boot"]
        self.count = 0

    def cfa_of(self, cfa, registers):
        register, value = cfa
        if register is not None:
            base = registers.get(register)
            return None if base is None else base + value
        # our assembly's: breg N, deref, plus_uconst
        register = value[0] - 0x70
        offset, at = sleb(value, 1)
        where = registers.get(register)
        word = None if where is None else self.machine.word(where + offset)
        if word is None or value[at] != 6 or value[at + 1] != 0x23:
            return None
        return word + uleb(value, at + 2)[0]

    def walk(self, registers):
        names, exact = [], True
        for _ in range(DEPTH):
            pc = registers[RIP] - self.bias
            name = self.image.function(pc if exact else pc - 1)
            if name is None:
                break
            names.append(name)
            row = self.image.row(pc if exact else pc - 1)
            if row is None and len(names) == 1:
                row = (RSP, 8), {}, False  # assembly that calls nothing
            cfa = row and self.cfa_of(row[0], registers)
            if not cfa:
                break
            older = dict(registers)
            older[RSP] = cfa
            for register, offset in {RIP: -8, **row[1]}.items():
                older[register] = None if offset is None else \
                    self.machine.word(cfa + offset)
            if not older[RIP]:
                break
            registers, exact = older, row[2]
        return names

    def sample(self):
        cpus = self.machine.cpus()
        for i, cpu in enumerate(cpus):
            data = self.machine.registers(cpu)
            gs_base, = struct.unpack_from("<Q", data, GS_BASE)
            if not i and self.bias is None and gs_base:
                self.bias = gs_base - self.boot
            if self.bias is None:
                self.stacks["[boot]"] += 1
                break
            if i and not gs_base:
                continue  # not started yet
            registers = dict(zip(REGISTERS, struct.unpack_from("<17Q", data)))
            names = self.walk(registers)
            if names and names[0] == "sched_idle":
                names = ["[idle]"]
            self.stacks[";".join(reversed(names)) or "[unknown]"] += 1
        self.count += 1

    def write(self, path):
        with open(path + ".new", "w", encoding="utf-8") as out:
            for stack, count in sorted(self.stacks.items()):
                out.write(f"{stack} {count}\n")
        os.rename(path + ".new", path)


def run(machine, sampler, path, pipe):
    written = time.monotonic()
    machine.go()
    while True:
        # not in step with what the machine does at a fixed rate
        wait = random.uniform(0.5, 1.5) / RATE
        ready, _, _ = select.select([pipe, machine.socket], [], [], wait)
        if pipe in ready:
            return
        if machine.socket in ready:
            machine.receive()
            continue
        machine.stop()
        sampler.sample()
        machine.go()
        if time.monotonic() - written > 1:
            sampler.write(path)
            written = time.monotonic()


def main():
    path, name, out, pipe = sys.argv[1:5]
    image = Image(name)
    if not image.frames:
        print("toril-run: the image has no .debug_frame: stacks are short",
              file=sys.stderr)
    with open(out, "w", encoding="utf-8"):
        pass  # or the reason why not, before anything runs
    machine = Machine(path)
    sampler = Sampler(image, machine)
    try:
        run(machine, sampler, out, int(pipe))
    except Gone:
        pass
    sampler.write(out)
    return 0


try:
    sys.exit(main())
except OSError as failure:
    sys.exit(f"{failure.filename or 'gdb'}: {failure.strerror}")
