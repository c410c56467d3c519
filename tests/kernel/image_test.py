#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What a linked image holds: no `syscall`, nothing writable and executable."""
import os
import re
import subprocess
import sys

BUILD = os.environ.get("BUILD", "build")
IMAGES = [f"{BUILD}/apps/hello", f"{BUILD}/apps/webserver"]


def output(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE,
                          text=True).stdout


def no_syscall_instruction(image):
    code = output("objdump", "-d", "--no-show-raw-insn", image)
    instructions = re.findall(r"^\s*[0-9a-f]+:\s+(\S+)", code, re.M)
    assert len(instructions) > 10000, "objdump saw no code"
    for bad in ("syscall", "sysenter", "sysret", "sysretq"):
        assert bad not in instructions, bad


def no_segment_writable_and_executable(image):
    headers = output("readelf", "-lW", image)
    loads = re.findall(r"LOAD .*0x\S+ ([RWE ]{3}) 0x", headers)
    assert len(loads) == 3, headers
    assert not any("W" in flags and "E" in flags for flags in loads), loads


def no_text_relocation(image):
    dynamic = output("readelf", "-dW", image)
    assert "TEXTREL" not in dynamic and "NEEDED" not in dynamic, dynamic


def pvh_note(image):
    notes = output("readelf", "-nW", image)
    assert "Xen" in notes and "0x00000012" in notes, notes


def nothing_undefined(image):
    undefined = [line for line in output("nm", "-u", image).splitlines()
                 if " w " not in line and " v " not in line]
    assert not undefined, undefined


def main():
    cases = [(image, check) for image in IMAGES for check in (
        no_syscall_instruction, no_segment_writable_and_executable,
        no_text_relocation, pvh_note, nothing_undefined)]
    print(f"1..{len(cases)}")
    failed = 0
    for number, (image, check) in enumerate(cases, 1):
        name = f"{number} - {os.path.basename(image)}: {check.__name__}"
        try:
            check(image)
            print("ok", name)
        except AssertionError as why:
            failed += 1
            print("not ok", name)
            print("#", str(why).replace("\n", "\n# "))
    return 1 if failed else 0


sys.exit(main())
