#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What a linked image holds.

No `syscall` in what the guest maps, nothing writable and executable, and the
part that Linux runs outside the image, in memory that the guest has free.
"""
import os
import re
import subprocess
import sys

BUILD = os.environ.get("BUILD", "build")
IMAGES = [f"{BUILD}/apps/hello", f"{BUILD}/apps/webserver"]


def output(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE,
                          text=True).stdout


def instructions_of(image, *sections):
    code = output("objdump", "-d", "--no-show-raw-insn",
                  *[f"--section={s}" for s in sections], image)
    return re.findall(r"^\s*[0-9a-f]+:\s+(\S+)", code, re.M)


def no_syscall_instruction(image):
    headers = output("readelf", "-SW", image)
    code = re.findall(r"\] (\S+) .* [WA]*X[A-Z]* ", headers)
    assert sorted(code) == [".linux", ".text"], code
    instructions = instructions_of(image, ".text")
    assert len(instructions) > 10000, "objdump saw no code"
    for bad in ("syscall", "sysenter", "sysret", "sysretq"):
        assert bad not in instructions, bad


def symbol_of(image, name):
    return int(re.search(rf"(\w+) \w {name}$", output("nm", image), re.M)[1],
               16)


def linux_part(image):
    assert "syscall" in instructions_of(image, ".linux"), "no entry for Linux"
    loads = re.findall(r"LOAD +0x\S+ 0x(\S+) 0x(\S+) 0x\S+ 0x(\S+) (R E)",
                       output("readelf", "-lW", image))
    virtual, physical, size, _ = (int(f, 16) if f != "R E" else 0
                                  for f in loads[-1])
    assert virtual >= symbol_of(image, "__image_end"), loads
    assert virtual <= symbol_of(image, "toril_linux_start") < virtual + size
    # Below where Firecracker puts the command line.
    assert physical == 0x10000 and physical + size <= 0x20000, loads


def entry_point(image):
    """One address, physical and virtual, for boot loaders and for Linux."""
    entry = int(re.search(r"Entry point address: +0x(\w+)",
                          output("readelf", "-h", image))[1], 16)
    assert entry == symbol_of(image, "toril_start"), hex(entry)
    loads = [[int(f, 16) for f in load] for load in re.findall(
        r"LOAD +0x\S+ 0x(\S+) 0x(\S+) 0x(\S+) 0x\S+ R E",
        output("readelf", "-lW", image))]
    assert [v for v, p, n in loads if v == p and v <= entry < v + n], loads


def no_segment_writable_and_executable(image):
    headers = output("readelf", "-lW", image)
    loads = re.findall(r"LOAD .*0x\S+ ([RWE ]{3}) 0x", headers)
    assert len(loads) == 5, headers
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
        linux_part, entry_point, no_text_relocation, pvh_note, nothing_undefined)]
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
