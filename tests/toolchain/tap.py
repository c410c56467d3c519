# SPDX-License-Identifier: BSD-2-Clause
"""Results as TAP, commands, and a folder to work in, for the tests here."""
import contextlib
import os
import subprocess
import sys
import tempfile
import traceback

BUILD = os.path.abspath(os.environ.get("BUILD", "build"))
BIN = BUILD + "/bin"
CC = BIN + "/toril-cc"
RUN = BIN + "/toril-run"
WAIT = 600

# The make that runs the tests is not the one of what they build: its
# variables (TESTS=...) and job server are none of theirs.
for name in ("MAKEFLAGS", "MFLAGS", "MAKEOVERRIDES", "MAKELEVEL", "TESTS"):
    os.environ.pop(name, None)


class Failure(Exception):
    """A check that did not hold."""


class Skip(Exception):
    """What this machine cannot do, and why."""


def check(condition, *why):
    if not condition:
        raise Failure(*why)


def run(*command, status=0, wait=WAIT, **more):
    """Run a command; its standard output and error, if it ends with `status`
    (None: with any)."""
    more.setdefault("stdin", subprocess.DEVNULL)
    if "input" in more:
        del more["stdin"]
    done = subprocess.run(command, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, check=False,
                          errors="surrogateescape", timeout=wait, **more)
    if status is not None and done.returncode != status:
        raise Failure(f"{command}: status {done.returncode}, expected "
                      f"{status}\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return done


def write(path, text, mode=None):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    if mode is not None:
        os.chmod(path, mode)
    return path


@contextlib.contextmanager
def folder(**more):
    """An empty folder, which is the current one meanwhile."""
    before = os.getcwd()
    with tempfile.TemporaryDirectory(**more) as path:
        path = os.path.realpath(path)
        os.chdir(path)
        try:
            yield path
        finally:
            os.chdir(before)


def main(*tests):
    """Run functions, each in a folder of its own; the docstring names one."""
    print(f"1..{len(tests)}", flush=True)
    failed = 0
    for number, test in enumerate(tests, 1):
        name = (test.__doc__ or test.__name__).splitlines()[0]
        try:
            with folder():
                test()
            print(f"ok {number} - {name}", flush=True)
        except Skip as why:
            print(f"ok {number} - {name} # SKIP {why}", flush=True)
        except Exception:  # pylint: disable=broad-except
            failed += 1
            print(f"not ok {number} - {name}")
            for line in traceback.format_exc().splitlines():
                print("#", line, flush=True)
    sys.exit(1 if failed else 0)
