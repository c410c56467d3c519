#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Lua: check.lua beside this; Debian's package has no tests of Lua's own."""
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import harness  # noqa: E402
from harness import Machine  # noqa: E402


def a_script_finds_what_it_needs():
    with harness.folder() as data:
        with Machine("lua", ["check.lua", "/data"],
                     ["-v", data + ":/data", "-v", f"{HERE}:/lua:ro",
                      "-e", "HERD=Miura", "-w", "/lua"]) as vm:
            status = vm.wait()
            assert status == 7 and "all well" in vm.text(), (
                status, vm.text())


def standard_input_is_a_script():
    with Machine("lua", ["-"], stdin=subprocess.PIPE) as vm:
        vm.process.stdin.write(b"io.stdout:write(6 * 7, '\\n')")
        vm.process.stdin.close()
        assert vm.wait() == 0 and vm.text() == "42\n", vm.text()


def luac_and_its_output_run():
    with harness.folder() as data:
        share = ["-v", data + ":/data", "-w", "/data"]
        pathlib.Path(data, "a.lua").write_text("print(1 << 40)")
        with Machine("lua", ["-o", "a.luac", "a.lua"], share, "luac") as vm:
            assert vm.wait() == 0, vm.text()
        with Machine("lua", ["a.luac"], share) as vm:
            assert vm.wait() == 0 and vm.text() == f"{1 << 40}\n", vm.text()


harness.run("lua", [a_script_finds_what_it_needs, standard_input_is_a_script,
                    luac_and_its_output_run])
