# SPDX-License-Identifier: BSD-2-Clause
"""gdb -x toril-gdb.py IMAGE: Toril's threads, files, mappings and locks.

toril-attach SOCKET connects to what `toril-run --gdb` waits at, and goes on to
main() if the machine has not started yet.  gdb's own threads are the CPUs; a
Toril thread that is on no CPU is shown by an unwinder that lets gdb go on
from the registers that thread_switch left on its kernel stack: nothing in
the machine is written.

An image is a PIE at a random address.  At the reset vector that is not chosen
yet: boot_jump, still at its link address, is told.  Later the boot CPU's GS
base is the address of cpu_boot.
"""
import re

import gdb
import gdb.unwinder

MASK = (1 << 64) - 1
GENERIC = ("rbp", "rbx", "r12", "r13", "r14", "r15")
FD_FLAGS = 15  # in the low bits of an entry of fd_table


def number(value):
    return int(value) & MASK


def evaluate(text):
    return gdb.parse_and_eval(text)


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
        gdb.execute("symbol-file", to_string=True)
        gdb.execute(f'add-symbol-file "{name}" -o {bias:#x}', to_string=True)
        cls.bias = bias


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
        tree = evaluate("&'kernel/mm/vm.c'::regions").dereference()
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
    """Of that type, with a fixed address."""
    text = gdb.execute(f"info variables -q -t '{kind}'", to_string=True)
    here = None
    for line in text.splitlines():
        if match := re.match(r"File (.*):", line):
            here = match[1]
        elif match := re.search(rf"{kind} (\w+);", line):
            try:
                value = evaluate(f"'{here}'::{match[1]}")
                value.fetch_lazy()
            except gdb.error:
                continue  # the image has no such file: it was not needed
            yield match[1], value


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


for command in (Attach, InfoThreads, Thread, Backtrace, Files, Maps, Locks):
    command()
