# SPDX-License-Identifier: BSD-2-Clause
"""gdb -x toril-gdb.py IMAGE [CORE]: threads, files, mappings and locks of Toril.

toril-attach SOCKET connects to what `toril-run --gdb` waits at, and goes on to
main() if the machine has not started yet.  gdb's own threads are the CPUs; a
Toril thread that is on no CPU is shown by an unwinder that lets gdb go on
from the registers that thread_switch left on its kernel stack: nothing in
the machine is written.

An image is a PIE at a random address.  At the reset vector that is not chosen
yet: boot_jump, still at its link address, is told.  Later the boot CPU's GS
base is the address of cpu_boot.  A core has the entry point's address.  In a
core gdb's threads are the program's.
"""
import os
import re
import struct
import time

import gdb
import gdb.unwinder

MASK = (1 << 64) - 1
GENERIC = ("rbp", "rbx", "r12", "r13", "r14", "r15")
FD_FLAGS = 15  # in the low bits of an entry of fd_table


def number(value):
    return int(value) & MASK


def evaluate(text):
    return gdb.parse_and_eval(text)


def static(name):
    """The kernel's variable of that name, which only one file may have.

Where the kernel was compiled as a whole each has a second symbol, as part of
its file, that does not say where it is."""
    for symbol in gdb.lookup_static_symbols(name):
        value = symbol.value()
        if not value.is_optimized_out and value.address is not None:
            return value
    raise gdb.error(f"the image does not have it: {name}")


def pointer(address, name):
    return gdb.Value(address).cast(gdb.lookup_type(name).pointer())


def offset_of(name, field):
    for f in gdb.lookup_type(name).fields():
        if f.name == field:
            return f.bitpos // 8
    raise gdb.GdbError(f"struct without {field}: {name}")


def container(address, name, field):
    return pointer(address - offset_of(name, field), name).dereference()


def read_words(address, count):
    data = gdb.selected_inferior().read_memory(address, 8 * count)
    return [int.from_bytes(data[i:i + 8].tobytes(), "little")
            for i in range(0, 8 * count, 8)]


# --- finding the image ---------------------------------------------------

class Image:
    bias = None
    entry = 0  # its link address

    @classmethod
    def link_address(cls, symbol):
        """Before the symbols have been moved."""
        text = gdb.execute(f"info address {symbol}", to_string=True)
        match = re.search(r"0x[0-9a-f]+", text)
        if not match:
            raise gdb.GdbError(f"no symbol {symbol}: is the image stripped?")
        return int(match[0], 16)

    @classmethod
    def move(cls, bias):
        name = gdb.current_progspace().filename
        cls.entry = cls.link_address("toril_start")
        gdb.execute("symbol-file", to_string=True)
        gdb.execute(f'add-symbol-file "{name}" -o {bias:#x}', to_string=True)
        cls.bias = bias


def core_entry():
    """Where a core says that the image's entry point is, or None."""
    try:
        match = re.search(r"AT_ENTRY .*(0x[0-9a-f]+)",
                          gdb.execute("info auxv", to_string=True))
    except gdb.error:
        return None
    return int(match[1], 16) if match else None


def core_open():
    entry = core_entry()
    if entry is not None and Image.bias is None:
        Image.move(entry - Image.link_address("toril_start"))


class Attach(gdb.Command):
    """toril-attach SOCKET [now]: connect to a machine, with its symbols.

One that has not started runs up to main(), or, with `now`, to where the
image has been moved to its address, before the kernel starts."""

    def __init__(self):
        super().__init__("toril-attach", gdb.COMMAND_RUNNING)

    def invoke(self, argument, from_tty):
        words = gdb.string_to_argv(argument)
        if not words:
            raise gdb.GdbError("toril-attach SOCKET [now]")
        gdb.execute("set pagination off", to_string=True)
        gdb.execute("set confirm off", to_string=True)
        gdb.execute("set architecture i386:x86-64", to_string=True)
        deadline = time.monotonic() + 60
        while not os.path.exists(words[0]) and time.monotonic() < deadline:
            time.sleep(0.02)
        boot = Image.link_address("boot_jump")
        cpu_boot = Image.link_address("cpu_boot")
        gdb.execute(f"target remote {words[0]}", to_string=True)
        gdb.execute("thread 1", to_string=True)
        gs_base = number(evaluate("$gs_base"))
        if gs_base:
            Image.move(gs_base - cpu_boot)
            print(f"image base {Image.bias:#x}; it runs already")
            return
        gdb.execute(f"thbreak *{boot:#x}", to_string=True)
        gdb.execute("continue", to_string=True)
        Image.move(number(evaluate("$rdi")))
        print(f"image base {Image.bias:#x}")
        if "now" not in words[1:]:
            gdb.execute("tbreak main", to_string=True)
            gdb.execute("continue")


# --- threads -------------------------------------------------------------

def threads():
    head = number(evaluate("&threads_all"))
    node = number(evaluate("threads_all.next"))
    while node != head:
        thread = container(node, "struct thread", "all_node")
        yield thread
        node = number(thread["all_node"]["next"])


def name_of(thread):
    return thread["name"].string(errors="replace")


def is_current(thread):
    """Whether a CPU runs it: the CPU's number, or None."""
    cpu = thread["cpu"].dereference()
    if number(cpu["current"]) == number(thread.address):
        return int(cpu["id"])
    return None


def cpu_select(cpu):
    gdb.execute(f"thread {cpu + 1}", to_string=True)


class Sleeper(gdb.unwinder.Unwinder):
    """Goes on, below the innermost frame, with a thread that sleeps."""

    def __init__(self):
        super().__init__("toril")
        self.thread = None  # its registers
        self.at = None      # the innermost frame's pc and sp

    def show(self, thread):
        self.thread = None
        gdb.invalidate_cached_frames()
        if thread is None:
            return
        frame = gdb.newest_frame()
        self.at = [number(frame.read_register(r)) for r in ("rip", "rsp")]
        sp = number(thread["ksp"])
        saved = read_words(sp, 8)  # mxcsr, r15 r14 r13 r12 rbx rbp, rip
        self.thread = {
            "r15": saved[1], "r14": saved[2], "r13": saved[3],
            "r12": saved[4], "rbx": saved[5], "rbp": saved[6],
            "rip": saved[7], "rsp": sp + 64}
        gdb.invalidate_cached_frames()

    def __call__(self, pending):
        if self.thread is None:
            return None
        pc, sp = (pending.read_register(r) for r in ("rip", "rsp"))
        if [number(pc), number(sp)] != self.at:
            return None
        info = pending.create_unwind_info(FrameId(sp, pc))
        for name, value in self.thread.items():
            info.add_saved_register(name, gdb.Value(value).cast(sp.type))
        return info


class FrameId:
    def __init__(self, sp, pc):
        self.sp = sp
        self.pc = pc


sleeper = Sleeper()
gdb.unwinder.register_unwinder(None, sleeper, replace=True)
gdb.events.cont.connect(lambda event: sleeper.show(None))


def select(thread):
    """Make gdb's frames those of a thread; how many to leave out."""
    cpu = is_current(thread)
    if cpu is not None:
        sleeper.show(None)
        cpu_select(cpu)
        return 0
    if "NEW" in str(thread["state"]) or "DEAD" in str(thread["state"]):
        raise gdb.GdbError(f"thread {thread['tid']} does not run")
    sleeper.show(thread)
    return 1


def backtrace(thread):
    skip = select(thread)
    for line in gdb.execute("bt 64", to_string=True).splitlines():
        if not (match := re.match(r"#(\d+)(\s+)(.*)", line)):
            print("      " + line)
        elif int(match[1]) >= skip:
            text = match[3].replace("<signal handler called>",
                                    "<kernel entry>")
            print(f"  #{int(match[1]) - skip:<2} {text}")


def restore(cpu):
    sleeper.show(None)
    gdb.execute(f"thread {cpu}", to_string=True)


def title(thread):
    cpu = is_current(thread)
    state = str(thread["state"]).replace("THREAD_", "").lower()
    where = f"on CPU {cpu}" if cpu is not None else \
        f"{'running' if state == 'running' else state}"
    tid = int(thread["tid"])
    return f"{tid if tid else '-':>4}  {name_of(thread):<15}  {where}"


def find(word):
    for thread in threads():
        if word in (str(int(thread["tid"])), name_of(thread)):
            return thread
    raise gdb.GdbError(f"no thread {word}")


class InfoThreads(gdb.Command):
    """info toril-threads: Toril's threads, the kernel's own too."""

    def __init__(self):
        super().__init__("info toril-threads", gdb.COMMAND_STATUS)

    def invoke(self, argument, from_tty):
        print(" TID  NAME             STATE")
        for thread in threads():
            print(title(thread))


class Thread(gdb.Command):
    """toril-thread TID|NAME: gdb's frames become that thread's; without an
argument they are the CPU's again.  The innermost frame stays the CPU's: use
`up`."""

    def __init__(self):
        super().__init__("toril-thread", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        if not argument:
            sleeper.show(None)
        elif select(find(argument)):
            gdb.execute("frame 1")


class Backtrace(gdb.Command):
    """toril-bt [all|TID|NAME]...: backtraces, through the kernel into the
program."""

    def __init__(self):
        super().__init__("toril-bt", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        words = gdb.string_to_argv(argument) or ["all"]
        chosen = list(threads()) if words == ["all"] else map(find, words)
        here = gdb.selected_thread().num
        try:
            for thread in chosen:
                print(title(thread))
                try:
                    backtrace(thread)
                except gdb.error as why:
                    print(f"  {why}")
        finally:
            restore(here)


# --- files, mappings, locks ------------------------------------------------

def symbol_at(address):
    text = gdb.execute(f"info symbol {address:#x}", to_string=True)
    return text.split(" in section")[0].split(" + ")[0].strip()


def path_of(dentry):
    names = []
    while number(dentry):
        entry = dentry.dereference()
        if number(entry["parent"]):
            names.append(entry["name"].string(errors="replace"))
        dentry = entry["parent"]
        if not number(dentry) and number(entry["fs"]):
            fs = entry["fs"].dereference()
            if "covers" in [f.name for f in fs.type.fields()]:
                dentry = fs["covers"]
    return "/" + "/".join(reversed(names))


def file_text(address):
    f = pointer(address, "struct file").dereference()
    kind = symbol_at(number(f["ops"])).replace("_ops", "")
    name = path_of(f["dentry"]) if number(f["dentry"]) else ""
    where = f"at {int(f['pos'])}" if f["seekable"] else ""
    return f"{kind:<14} flags {int(f['flags']):#o} {where:<10} {name}"


class Files(gdb.Command):
    """toril-fds: the open descriptors."""

    def __init__(self):
        super().__init__("toril-fds", gdb.COMMAND_DATA)

    def invoke(self, argument, from_tty):
        table = evaluate("fd_table")
        for fd in range(int(evaluate("fd_table_size"))):
            entry = number(table[fd])
            if entry & ~FD_FLAGS:
                print(f"{fd:4}  {file_text(entry & ~FD_FLAGS)}".rstrip())


def in_order(node):
    """Of a treap; it may be deep."""
    path = []
    while number(node) or path:
        while number(node):
            path.append(node)
            node = node["left"]
        node = path.pop()
        yield node
        node = node["right"]


class Maps(gdb.Command):
    """toril-maps: the program's mappings, as /proc/self/maps has them."""

    def __init__(self):
        super().__init__("toril-maps", gdb.COMMAND_DATA)

    def invoke(self, argument, from_tty):
        tree = static("regions")
        for node in in_order(tree["root"]):
            r = container(number(node), "struct vm_region", "node")
            flags = int(r["flags"])
            print(f"{number(r['start']):012x}-{number(r['end']):012x} "
                  + "".join(c if flags & bit else "-" for bit, c in
                            ((1, "r"), (2, "w"), (4, "x")))
                  + ("s" if flags & 8 else "p")
                  + (" [stack]" if flags & 32 else "")
                  + (" file" if number(r["object"]) else ""))


def variables(kind):
    """Of that type, with a fixed address and a name of their own."""
    text = gdb.execute(f"info variables -q -t '{kind}'", to_string=True)
    for name in dict.fromkeys(re.findall(rf"{kind} (\w+);", text)):
        try:
            value = static(name)
            value.fetch_lazy()
        except gdb.error:
            continue  # it was not needed: the image does not have it
        yield name, value


class Locks(gdb.Command):
    """toril-locks: the kernel's locks that are held, and by whom."""

    def __init__(self):
        super().__init__("toril-locks", gdb.COMMAND_DATA)

    def invoke(self, argument, from_tty):
        held = 0
        for name, lock in variables("struct mutex"):
            owner = number(lock["owner"])
            if owner:
                thread = pointer(owner, "struct thread").dereference()
                waits = ", others wait" if int(lock["contended"]) else ""
                print(f"mutex {name}: thread {int(thread['tid'])} "
                      f"\"{name_of(thread)}\"{waits}")
                held += 1
        for name, lock in variables("struct spinlock"):
            if int(lock["locked"]):
                print(f"spin lock {name}")
                held += 1
        for i in range(int(evaluate("cpus_online"))):
            cpu = evaluate(f"cpus[{i}]").dereference()
            for field in ("rq_lock", "timer_lock"):
                if int(cpu[field]["locked"]):
                    print(f"spin lock {field} of CPU {i}")
                    held += 1
        print(f"{held} held")


# --- crashes, cores ----------------------------------------------------------

DIRECT_BASE = 0xffff800000000000  # kernel/arch/x86_64/layout.h
PAGE = 4096
REGISTERS = ("r15", "r14", "r13", "r12", "rbp", "rbx", "r11", "r10", "r9",
             "r8", "rax", "rcx", "rdx", "rsi", "rdi", "", "rip", "", "eflags",
             "rsp", "")  # as in struct pt_regs
ENDS = ("process_exit_signal", "signal_fault")


def program_threads():
    return [t for t in threads() if int(t["tid"])
            and "NEW" not in str(t["state"]) and "DEAD" not in str(t["state"])]


def program_frame(thread):
    """The innermost frame of program code, and the kernel's above it."""
    skip = select(thread)
    frame, level, names = gdb.newest_frame(), 0, []
    chosen, at = None, 0
    while frame is not None and level < 64:
        if level == skip and chosen is None:
            chosen, at = frame, level
        if frame.type() == gdb.SIGTRAMP_FRAME and frame.older():
            chosen, at = frame.older(), level + 1
        names.append(frame.name())
        frame, level = frame.older(), level + 1
    return chosen, at, names


def registers(frame, thread):
    values = []
    for name in REGISTERS:
        try:
            value = number(frame.read_register(name)) if name else 0
        except (gdb.error, ValueError):
            value = 0
        values.append(value)
    values[17], values[20] = 0x33, 0x2b
    return values + [number(thread["fs_base"])] + [0] * 5


def regions():
    tree = static("regions")
    for node in in_order(tree["root"]):
        yield container(number(node), "struct vm_region", "node")


def region_text(r):
    flags = int(r["flags"])
    return (f"{number(r['start']):x}-{number(r['end']):x} "
            + "".join(c if flags & bit else "-"
                      for bit, c in ((1, "r"), (2, "w"), (4, "x")))
            + ("s" if flags & 8 else "p")
            + (", the first stack" if flags & 32 else
               ", a file" if number(r["object"]) else ", memory"))


def print_mapping(address):
    below = None
    for r in regions():
        if number(r["start"]) <= address < number(r["end"]):
            print(f"{address:#x} is in the mapping {region_text(r)}")
            if symbol := symbol_at(address):
                if not symbol.startswith("No symbol"):
                    print(f"  which is in {symbol}")
            return
        if number(r["start"]) > address:
            print(f"{address:#x} is in no mapping")
            if below is not None:
                print(f"  below is {region_text(below)}")
            print(f"  above is {region_text(r)}")
            return
        below = r
    print(f"{address:#x} is in no mapping, above all of them")


def last_call(thread, inside):
    """The kernel call that a thread is in, or was in last: its frame stays at
    the top of the kernel stack, unless an interrupt has come since."""
    frame = read_words(number(thread["kstack_top"]) - 64, 8)
    name = symbol_at(frame[0])
    if not name.startswith("kcall_"):
        return ""
    args = list(reversed(frame[1:7]))
    return ("\n    in " if inside else "\n    last call: ") \
        + call_text(name.replace("kcall_", ""), args, None)


def thread_text(thread, inside):
    """What the scheduler knows of it."""
    switches = int(thread["switches"][0]) + int(thread["switches"][1])
    cpu = is_current(thread)
    return (f"Thread {int(thread['tid'])} \"{name_of(thread)}\":\n    "
            + (f"on CPU {cpu}" if cpu is not None else
               str(thread["state"]).replace("THREAD_", "").lower())
            + f", ran {int(thread['run_ns']) / 1e9:.3f} s, left the CPU "
            f"{switches} times ({int(thread['switches'][0])} forced)"
            + last_call(thread, inside))


def print_cpus():
    """The last that each did."""
    print()
    for i in range(int(evaluate("cpus_online"))):
        cpu = evaluate(f"cpus[{i}]").dereference()
        thread = cpu["current"].dereference()
        tid = int(thread["tid"])
        print(f"CPU {i}: " + (f"thread {tid}" if tid else name_of(thread))
              + f", {int(cpu['rq_len'])} more to run, "
              f"{int(cpu['switches'])} switches")


EVENTS = {1: "runs thread", 2: "wakes thread", 3: "interrupt", 4: "fault"}


def print_events():
    """The last ones, of a debug build: kernel/sched/events.h."""
    if not gdb.lookup_static_symbol("events_ring"):
        return
    ring, count = evaluate("events_ring"), int(evaluate("events_count"))
    kept = ring.type.range()[1] + 1
    print("\nLast kernel events:")
    for n in range(max(0, count - min(32, kept)), count):
        e = ring[n % kept]
        print(f"{int(e['time']) / 1e6:12.3f} ms  CPU {int(e['cpu'])}  "
              f"{EVENTS.get(int(e['kind']), '?')} {int(e['value'])}")


def print_program(thread, level, inside):
    print("\n" + thread_text(thread, inside))
    text = gdb.execute(f"bt {level + 40}", to_string=True)
    for line in text.splitlines():
        if not (match := re.match(r"#(\d+)(\s+)(.*)", line)):
            continue
        if int(match[1]) >= level:
            print(f"#{int(match[1]) - level:<2} {match[3]}")


def present(start, end):
    """Pieces of [start, end) that have pages, by the page tables."""
    cache = {}

    def table(pa):
        if pa not in cache:
            cache[pa] = read_words(DIRECT_BASE + pa, 512)
        return cache[pa]

    def walk(pa, level, base, first, last):
        size = PAGE << (9 * level)
        entries = table(pa)
        for i in range(512):
            va = base + i * size
            if va + size <= first or va >= last or not entries[i] & 1:
                continue
            if level == 0 or entries[i] & 0x80:
                yield max(va, first), min(va + size, last)
            else:
                yield from walk(entries[i] & 0xffffffffff000, level - 1, va,
                                first, last)

    yield from walk(number(evaluate("boot_info.pml4")), 3, 0, start, end)


class Core:
    """An ELF core as Linux writes it."""

    def __init__(self, path):
        self.file = open(path, "wb", opener=lambda name, flags:
                         os.open(name, flags, 0o600))
        self.at = PAGE
        self.segments = []  # address, offset, size
        self.notes = b""

    def memory(self, start, end):
        while start < end:
            n = min(end - start, 1 << 16)
            try:
                data = gdb.selected_inferior().read_memory(start, n).tobytes()
            except gdb.MemoryError:
                start += n
                continue
            self.file.seek(self.at)
            self.file.write(data)
            last = self.segments[-1] if self.segments else None
            if last and last[0] + last[2] == start:
                last[2] += n
            elif len(self.segments) < 60000:
                self.segments.append([start, self.at, n])
            self.at += n
            start += n

    def object(self, value):
        self.memory(number(value.address),
                    number(value.address) + value.type.sizeof)

    def note(self, kind, data):
        self.notes += struct.pack("<III8s", 5, len(data), kind, b"CORE")
        self.notes += data + bytes(-len(data) % 4)

    def thread(self, tid, signal, values):
        head = struct.pack("<iiih", signal, 0, 0, signal).ljust(32, b"\0")
        head += struct.pack("<i", tid)
        self.note(1, head.ljust(112, b"\0") + struct.pack("<27Q", *values)
                  + bytes(8))  # NT_PRSTATUS

    def process(self, tid, name):
        name = name.encode()[:15]
        self.note(3, bytes(24) + struct.pack("<4i", tid, 0, 0, 0)
                  + name.ljust(16, b"\0") + name.ljust(80, b"\0"))
        entry = Image.bias + Image.entry
        self.note(6, struct.pack("<6Q", 6, PAGE, 9, entry, 0, 0))  # NT_AUXV

    def finish(self):
        notes_at = -(-self.at // 8) * 8
        headers_at = -(-(notes_at + len(self.notes)) // 8) * 8
        self.file.seek(notes_at)
        self.file.write(self.notes)
        self.file.seek(headers_at)
        self.file.write(struct.pack("<IIQQQQQQ", 4, 4, notes_at, 0, 0,
                                    len(self.notes), 0, 4))
        for address, offset, size in self.segments:
            self.file.write(struct.pack("<IIQQQQQQ", 1, 6, offset, address, 0,
                                        size, size, 1))
        self.file.seek(0)
        self.file.write(struct.pack(
            "<16sHHIQQQIHHHHHH", b"\x7fELF\2\1\1", 4, 62, 1, 0, headers_at,
            0, 0, 64, 56, len(self.segments) + 1, 0, 0, 0))
        self.file.close()


def core_write(path, signal, found):
    """`found`: threads and their frames' registers, the dead one first."""
    core = Core(path)
    for i, (thread, values) in enumerate(found):
        core.thread(int(thread["tid"]), signal, values)
        if i == 0:
            core.process(int(thread["tid"]), name_of(thread))
    for region in regions():
        core.object(region)
        for start, end in present(number(region["start"]),
                                  number(region["end"])):
            core.memory(start, end)
    for thread in threads():
        core.object(thread)
        core.memory(number(thread["ksp"]), number(thread["kstack_top"]))
    for i in range(1, int(evaluate("cpus_online"))):
        core.object(evaluate(f"cpus[{i}]").dereference())
    core.finish()


class Crash(gdb.Command):
    """toril-crash [-a ADDRESS] [-s SIGNAL] [-c CORE]: where the program's
threads are, what lies at an address, and a core of all that."""

    def __init__(self):
        super().__init__("toril-crash", gdb.COMMAND_DATA)

    def invoke(self, argument, from_tty):
        words = gdb.string_to_argv(argument)
        options = dict(zip(words[::2], words[1::2]))
        here = gdb.selected_thread().num
        found = []
        for thread in program_threads():
            frame, level, names = program_frame(thread)
            dead = any(name in ENDS for name in names)
            inside = level > 0 and is_current(thread) is None
            found.append([not dead, thread, level, registers(frame, thread),
                          inside])
        found.sort(key=lambda row: row[0])
        try:
            if "-a" in options:
                print_mapping(int(options["-a"], 0))
            for _, thread, level, _, inside in found:
                select(thread)
                print_program(thread, level, inside)
            print_cpus()
            print_events()
        finally:
            restore(here)
        if "-c" in options:
            try:
                core_write(options["-c"], int(options.get("-s", "0")),
                           [(row[1], row[3]) for row in found])
                print(f"\nThe core is in {options['-c']}")
            except OSError as why:
                print(f"\n{options['-c']}: {why.strerror}: there is no core")


for command in (Attach, InfoThreads, Thread, Backtrace, Files, Maps, Locks,
                Crash):
    command()
# They use what is here.
for other in ("toril-calls.py", "toril-strace.py"):
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), other),
              encoding="utf-8") as source:
        exec(compile(source.read(), source.name, "exec"))
core_open()
