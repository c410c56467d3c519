#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""QEMU for toril-run's --qemu, which starts the image that it is given by
the loader: Linux's 64-bit boot protocol instead of PVH.  $BOOT64_WORDS goes
to the command line."""
import os
import sys

BUILD = os.path.abspath(os.environ.get("BUILD", "build"))
QEMU = os.environ.get("BOOT64_QEMU", "qemu-system-x86_64")

args = sys.argv[1:]
at = args.index("-kernel")
args[at:at + 2] = ["-kernel", f"{BUILD}/tests/boot64/loader",
                   "-initrd", args[at + 1]]
at = args.index("-append") + 1
args[at] = (os.environ.get("BOOT64_WORDS", "") + " " + args[at]).strip()
os.execvp(QEMU, [QEMU, *args])
