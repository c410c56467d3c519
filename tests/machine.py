# SPDX-License-Identifier: BSD-2-Clause
"""What tests share that start machines: where things are, a server in a
machine, the processes of one, TAP."""
import contextlib
import os
import subprocess
import sys

BUILD = os.environ.get("BUILD", "build")
RUN = f"{BUILD}/bin/toril-run"
WAIT = 120  # generous: only to end what hangs


class Skip(Exception):
    """Says why a case can't be tried here."""


@contextlib.contextmanager
def served(*command, wait=WAIT):
    """Start toril-run, whose arguments publish one port at 127.0.0.1:0; the
    process and the port's address.  Ended by SIGTERM."""
    with subprocess.Popen(command, stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                          text=True) as run:
        try:
            words = run.stderr.readline().split()
            yield run, ("127.0.0.1", int(words[0].rsplit(":", 1)[1]))
        finally:
            run.terminate()
            run.communicate(timeout=wait)
    assert run.returncode in (0, 143), run.returncode


def children_of(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        return [int(word) for word in file.read().split()]


def qemu_of(pid):
    """The machine's own process below toril-run's."""
    for child in children_of(pid):
        with open(f"/proc/{child}/comm", encoding="ascii") as file:
            if file.read().startswith("qemu"):
                return child
        found = qemu_of(child)
        if found:
            return found
    return None


def main(cases):
    """Run functions as TAP; what one returns is said behind its name."""
    print(f"1..{len(cases)}", flush=True)
    failed = 0
    for number, case in enumerate(cases, 1):
        try:
            said = case()
            print(f"ok {number} - {case.__name__}"
                  + (f": {said}" if said else ""), flush=True)
        except Skip as why:
            print(f"ok {number} - {case.__name__} # skip {why}", flush=True)
        except (AssertionError, OSError, ValueError, IndexError,
                subprocess.SubprocessError) as why:
            failed += 1
            print(f"not ok {number} - {case.__name__}")
            print("#", (str(why) or repr(why)).replace("\n", "\n# "),
                  flush=True)
    sys.exit(1 if failed else 0)
