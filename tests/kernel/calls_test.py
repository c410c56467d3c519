#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Every call number, tried in a VM.

Those that docs/compatibility.md calls absent return ENOSYS; the others take
nonsense for arguments and come back, or end the program as they should.
"""
import os
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, "tools")
import compat  # noqa: E402

BUILD = os.environ.get("BUILD", "build")
WAIT = 240
LAST = 600  # a good way beyond Linux's last
# They end or stop the caller, whatever their arguments.
ENDS = {"exit", "exit_group", "pause", "rt_sigreturn", "select", "pselect6",
        "ppoll"}

ABSENT = """#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <unistd.h>
static const long numbers[] = {%s};
int main(void)
{
	unsigned wrong = 0;
	for (unsigned i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		errno = 0;
		if (syscall(numbers[i], 0, 0, 0, 0, 0, 0) != -1 ||
		    errno != ENOSYS) {
			printf("%%ld: errno %%d\\n", numbers[i], errno);
			wrong++;
		}
	}
	return wrong != 0;
}
"""
NONSENSE = """#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <unistd.h>
static const long numbers[] = {%s};
int main(void)
{
	sigset_t all;
	sigfillset(&all);
	for (unsigned i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		sigprocmask(SIG_BLOCK, &all, NULL);
		syscall(numbers[i], %s, %s, %s, %s, %s, %s);
	}
	_exit(42);
}
"""


def run(source):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "calls.c")
        path.write_text(source)
        image = os.path.join(folder, "calls")
        subprocess.run([f"{BUILD}/bin/toril-cc", "-O1", "-o", image, path],
                       check=True)
        done = subprocess.run([f"{BUILD}/bin/toril-run", image],
                              stdin=subprocess.DEVNULL, timeout=WAIT,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, check=False)
    return done.returncode, done.stdout


def joined(numbers):
    return ", ".join(str(n) for n in numbers)


def absent(calls):
    missing = [n for n in range(LAST) if n not in calls]
    status, output = run(ABSENT % joined(missing))
    assert (status, output) == (0, ""), (status, output)


def nonsense(calls, value):
    numbers = [n for n, name in calls.items() if name not in ENDS]
    status, output = run(NONSENSE % ((joined(numbers),) + (value,) * 6))
    assert (status, output) == (42, ""), (status, output)


def main():
    calls = compat.implemented()
    tests = [("what is absent is ENOSYS", lambda: absent(calls))]
    for value in ("-1L", "0L", "0x10L", "0x7fffffffffffL",
                  "0x8000000000000000L"):
        tests.append((f"every call takes {value} six times",
                      lambda v=value: nonsense(calls, v)))
    print(f"1..{len(tests)}")
    failed = 0
    for number, (name, test) in enumerate(tests, 1):
        try:
            test()
            print(f"ok {number} - {name}")
        except Exception as error:  # pylint: disable=broad-except
            failed += 1
            print(f"not ok {number} - {name}\n# {error}")
    return failed != 0


sys.exit(main())
