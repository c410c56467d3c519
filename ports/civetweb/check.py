#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""CivetWeb: a pool of threads that serves files, and takes them by PUT."""
import filecmp
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import harness  # noqa: E402
from harness import Machine, output  # noqa: E402


def serves():
    with harness.folder() as site:
        pathlib.Path(site, "small.txt").write_text("Hello\n")
        pathlib.Path(site, "big").write_bytes(os.urandom(3_000_001))
        with Machine("civetweb", options=["-v", site + ":/srv"]) as vm:
            url = f"http://127.0.0.1:{vm.port}/"
            output("curl", "-sSf", "-o", site + "/got", url + "big")
            assert filecmp.cmp(site + "/got", site + "/big", False)
            part = output("curl", "-sSf", "-r", "1-3", url + "small.txt")
            assert part == "ell", part
            assert "small.txt" in output("curl", "-sSf", url)
            harness.wrk(url + "small.txt")
            assert harness.many_requests(vm.port, "/small.txt", 2000,
                                         32) == 2000
            assert vm.stop() == 0, vm.text()


harness.run("civetweb", [serves])
