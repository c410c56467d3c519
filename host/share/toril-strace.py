# SPDX-License-Identifier: BSD-2-Clause
"""Kernel calls in strace's form; toril-gdb.py loads this.

gdb stops the machine at the end of each call that is no leaf: the frame that
the entry made is still at the top of the kernel stack, arguments and all.  For
times it is stopped at the entry too; what gdb itself takes is left out as far
as it is known.  Leaves, which never leave the program's stack, are seen where
they begin, and only if they are asked for by name.
"""
import argparse
import os
import re
import struct
import time

import gdb


# --- which calls -----------------------------------------------------------------

class Chosen:
    """What -e trace= says: calls, %classes, /patterns, all, none, and !."""

    def __init__(self, text):
        text = re.sub(r"^(trace|t)=", "", text)
        if re.match(r"[a-z]+=", text):
            raise gdb.GdbError(f"-e {text}: only trace= is known")
        self.inverse = text.startswith("!")
        self.names, self.patterns = set(), []
        for word in text.lstrip("!").split(","):
            word = word.lstrip("?")
            if word in ("all", "none"):
                self.patterns.append(re.compile(
                    "" if word == "all" else "$^"))
            elif word.startswith("/"):
                self.patterns.append(re.compile(word[1:]))
            elif word.lstrip("%") in CLASSES:
                self.names |= CLASSES[word.lstrip("%")]
            elif word.startswith("%"):
                raise gdb.GdbError(f"{word}: no such class of calls")
            elif word:
                self.names.add(word)

    def __contains__(self, name):
        found = name in self.names or any(
            pattern.search(name) for pattern in self.patterns)
        return found != self.inverse

    def leaves(self):
        return set() if self.inverse else self.names & LEAVES


# --- the tracer --------------------------------------------------------------------

class Tracer:
    def __init__(self, options):
        self.options = options
        self.chosen = Chosen(options.e or "all")
        self.out = open(options.o or 1, "w", closefd=bool(options.o),
                        encoding="utf-8")
        self.table = {}    # name: [seconds, calls, errors]
        self.begun = {}    # thread: when its call began
        self.stopped = 0   # seconds that gdb kept the machine
        self.stop_began = None
        self.last = None   # of -r

    def enter_stop(self):
        self.stop_began = time.monotonic()

    def leave_stop(self):
        self.stopped += time.monotonic() - self.stop_began

    def clock(self):
        """Seconds, but for those when gdb kept the machine."""
        return self.stop_began - self.stopped

    def line(self, tid, text):
        head = f"[pid {tid:5}] "
        if self.options.r:
            now = self.clock()
            head += f"{now - (self.last or now):>12.6f} "
            self.last = now
        elif self.options.t:
            now = time.time()
            head += time.strftime("%H:%M:%S" if self.options.t < 3 else "%s",
                                  time.localtime(now))
            head += f".{int(now % 1 * 1e6):06} " if self.options.t > 1 else " "
        self.out.write(head + text + "\n")
        self.out.flush()

    def call(self, tid, name, args, result):
        seconds = self.clock() - self.begun.pop(tid, self.clock())
        failed = result is not None and -4096 < result < 0 \
            and name not in NO_ERROR
        if name not in self.chosen or (self.options.z and failed) or \
                (self.options.Z and not failed):
            return
        row = self.table.setdefault(name, [0.0, 0, 0])
        if result is not None:
            row[0] += seconds
            row[1] += 1
            row[2] += failed
        if self.options.c:
            return
        text = call_text(name, args, result, self.options.s)
        text = f"{text:<39} = {result_text(name, args, result)}"
        if self.options.T and result is not None:
            text += f" <{seconds:.6f}>"
        self.line(tid, text)

    def summary(self):
        if not (self.options.c or self.options.C):
            return
        rows = {name: row for name, row in self.table.items() if row[1]}
        key = {"time": lambda name: (-rows[name][0], name),
               "calls": lambda name: (-rows[name][1], name),
               "errors": lambda name: (-rows[name][2], name),
               "name": lambda name: name}[self.options.S]
        total = sum(row[0] for row in rows.values())
        bar = "------ ----------- ----------- --------- --------- " + "-" * 16
        put = self.out.write
        put("% time     seconds  usecs/call     calls    errors syscall\n")
        put(bar + "\n")
        for name in sorted(rows, key=key):
            put(self.row(100 * rows[name][0] / total if total else 0,
                         *rows[name], name))
        put(bar + "\n")
        put(self.row(100, total, sum(row[1] for row in rows.values()),
                     sum(row[2] for row in rows.values()), "total"))
        self.out.flush()

    @staticmethod
    def row(percent, seconds, calls, errors, name):
        each = int(seconds * 1e6 / calls) if calls else 0
        return (f"{percent:6.2f} {seconds:11.6f} {each:11} {calls:9} "
                f"{errors or '':9} {name}\n")


def here():
    return pointer(number(evaluate("$gs_base")), "struct cpu").dereference()


def frame_of(cpu):
    """Name and arguments of the call that this CPU is in."""
    frame = read_words(number(cpu["kstack_top"]) - 64, 8)
    return (symbol_at(frame[0]).replace("kcall_", ""),
            list(reversed(frame[1:7])))


class Point(gdb.Breakpoint):
    """A place where something is to be seen; the machine goes on."""

    def __init__(self, where, tracer):
        super().__init__(where, internal=True)
        self.tracer = tracer
        self.silent = True

    def stop(self):
        self.tracer.enter_stop()
        try:
            cpu = here()
            self.see(cpu, int(cpu["current"]["tid"]))
        except gdb.error as why:
            self.tracer.out.write(f"toril-strace: {why}\n")
        finally:
            self.tracer.leave_stop()
        return False


class Enters(Point):
    def see(self, cpu, tid):
        self.tracer.begun[tid] = self.tracer.clock()


class Returns(Point):
    """The last instruction of every kernel call that is no leaf."""

    def see(self, cpu, tid):
        name, args = frame_of(cpu)
        self.tracer.call(tid, name, args,
                         signed(number(evaluate("$rax")), 64))


class Ends(Point):
    """exit() and exit_group() do not return."""

    def see(self, cpu, tid):
        name, args = frame_of(cpu)
        self.tracer.call(tid, name, args, None)
        quiet = self.tracer.options.c or self.tracer.options.q
        if not quiet:
            self.tracer.line(tid, f"+++ exited with {args[0] & 255} +++")
        if name == "exit_group":
            self.tracer.summary()


class Killed(Point):
    def see(self, cpu, tid):
        if not (self.tracer.options.c or self.tracer.options.q):
            name = signal_name(None, number(evaluate("$rdi")))
            self.tracer.line(tid, f"+++ killed by {name} +++")
        self.tracer.summary()


class Delivers(Point):
    """A signal that has a handler."""

    def see(self, cpu, tid):
        if self.tracer.options.c or self.tracer.options.q:
            return
        signo = struct.unpack("<i", memory(number(evaluate("$rsi")), 4))[0]
        name = signal_name(None, signo)
        self.tracer.line(tid, f"--- {name} {{si_signo={name}, ...}} ---")


class Leaf(Point):
    """Its end is where it returns to, which is watched from then on."""

    def see(self, cpu, tid):
        name = self.location.replace("*&kcall_", "")
        args = [number(evaluate("$" + r))
                for r in ("rdi", "rsi", "rdx", "rcx", "r8", "r9")]
        where = read_words(number(evaluate("$rsp")), 1)[0]
        point = LeafEnd.known.get(where)
        if point is None:
            point = LeafEnd.known[where] = LeafEnd(
                f"*{where:#x}", self.tracer)
            point.begun = {}
        point.begun[tid] = name, args


class LeafEnd(Point):
    known = {}

    def see(self, cpu, tid):
        if tid in self.begun:
            self.tracer.call(tid, *self.begun.pop(tid),
                             signed(number(evaluate("$rax")), 64))


class Words(argparse.ArgumentParser):
    def error(self, message):
        raise gdb.GdbError(message)


def options_parse(argument):
    """Options as strace's, or, as before there were any, only calls."""
    parser = Words(add_help=False)
    for letter in "cCfTrzZqw":
        parser.add_argument("-" + letter, action="store_true")
    parser.add_argument("-t", action="count", default=0)
    parser.add_argument("-e", "--trace")
    parser.add_argument("-s", type=int, default=32)
    parser.add_argument("-S", default="time",
                        choices=("time", "calls", "errors", "name"))
    parser.add_argument("-o")
    parser.add_argument("--mark")
    parser.add_argument("calls", nargs="?")
    options = parser.parse_args(gdb.string_to_argv(argument))
    options.e = options.trace or options.calls
    return options


class Strace(gdb.Command):
    """toril-strace [OPTION...] [CALL,...]: print kernel calls from here on, as
strace -f does, and go on to the program's end.  -e trace=SET, -c, -C, -S, -s, -o,
-t, -tt, -r, -T, -z, -Z and -q are strace's.  Each call stops the machine: it is
slow.  Calls without a stack of their own (getpid and the like) are seen only if
-e names them."""

    def __init__(self):
        super().__init__("toril-strace", gdb.COMMAND_RUNNING)

    def invoke(self, argument, from_tty):
        try:
            tracer = Tracer(options_parse(argument))
        except (OSError, re.error, gdb.GdbError) as why:
            if "--mark" in argument:  # nobody is there to go on
                os.write(2, f"toril-strace: {why}\n".encode())
                os._exit(1)
            raise gdb.GdbError(f"toril-strace: {why}")
        options = tracer.options
        Returns("*&kcall_exit_end", tracer)
        Ends("*&kcall_exit_group", tracer)
        Killed("*&process_exit_signal", tracer)
        for name in sorted(tracer.chosen.leaves()):
            if gdb.lookup_global_symbol("kcall_" + name):
                Leaf(f"*&kcall_{name}", tracer)
        for name, point in (("kcall_exit", Ends),
                            ("signal_frame_push", Delivers)):
            if gdb.lookup_global_symbol(name):
                point(f"*&{name}", tracer)
        gdb.flush()
        if options.mark and not options.o:
            tracer.out.write(options.mark + "\n")
            tracer.out.flush()
        if options.c or options.C or options.T:
            Enters("*&kcall_enter", tracer)
        try:
            gdb.execute("continue", to_string=True)
        except gdb.error as why:
            if "closed" not in str(why):  # the machine has ended
                raise


Strace()
