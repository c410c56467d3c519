#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Check that includes follow the arrows between folders.

	apps        host            musl-glue -> posix -> kernel
	                                            \\-> drivers -> kernel

A folder may include itself and what its line below names.  EXCEPTIONS are
single files that tie the parts together, each with its reason.
"""
import pathlib
import re
import sys

CORE = ["kernel/lib", "kernel/arch/x86_64", "kernel/mm", "kernel/sched"]
ALLOWED = {
    "apps/hello": [], "apps/echo": [], "apps/webserver": [],
    "host": ["kernel/control"],  # the wire format alone, see below
    "musl-glue": ["posix"],
    "posix": CORE + ["kernel/fs", "kernel/net", "kernel/control"],
    "drivers/virtio": CORE + ["kernel/fs", "kernel/net"],
    "kernel/control": CORE + ["kernel/fs", "kernel/net"],
    "kernel/net": CORE + ["kernel/fs", "kernel/control"],
    "kernel/fs": CORE + ["kernel/control"],
    "kernel/sched": CORE + ["kernel/control"],
    "kernel/mm": CORE, "kernel/arch/x86_64": CORE, "kernel/lib": CORE,
}
EXCEPTIONS = {
    ("kernel/init.c", "*"): "starts all parts in order",
    ("kernel/arch/x86_64/kcall.S", "posix/calls.def"):
        "the syscall instruction leads to the table of calls",
    ("kernel/mm/vm.c", "kernel/fs/file.h"): "a mapping keeps its file open",
    ("kernel/fs/pipe.c", "kernel/net/byteq.h"): "pipes queue bytes too",
}
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)


def area(path):
    found = [a for a in ALLOWED if path.startswith(a + "/")]
    return max(found, key=len) if found else None


def main():
    wrong = 0
    for top in ("apps", "host", "musl-glue", "posix", "drivers", "kernel"):
        for path in sorted(pathlib.Path(top).rglob("*.[chS]")):
            name = str(path)
            here = area(name)
            if here is None and (name, "*") in EXCEPTIONS:
                continue
            for target in INCLUDE.findall(path.read_text()):
                there = area(target)
                if here == there or there in ALLOWED.get(here, []) or \
                        (name, target) in EXCEPTIONS or there is None \
                        and not pathlib.Path(target).exists():
                    continue
                print(f"{name}: may not include {target}")
                wrong += 1
    return 1 if wrong else 0


sys.exit(main())
