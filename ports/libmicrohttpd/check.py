#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""libmicrohttpd's examples: a thread per client, a pool, and select."""
import filecmp
import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import harness  # noqa: E402
from harness import Machine, output  # noqa: E402


def start(image, options=()):
    """They serve until something comes on standard input."""
    return Machine("libmicrohttpd", [], options, image, subprocess.PIPE)


def end(vm):
    vm.process.stdin.write(b"\n")
    vm.process.stdin.close()
    assert vm.wait() == 0, vm.text()


def fileserver_serves_a_share():
    with harness.folder() as site:
        pathlib.Path(site, "small.txt").write_text("Hello\n")
        pathlib.Path(site, "big").write_bytes(os.urandom(5_000_001))
        with start("fileserver_example",
                   ["-v", site + ":/srv:ro", "-w", "/srv"]) as vm:
            url = f"http://127.0.0.1:{vm.port}/"
            assert output("curl", "-sSf", url + "small.txt") == "Hello\n"
            output("curl", "-sSf", "-o", site + "/got", url + "big")
            assert filecmp.cmp(site + "/got", site + "/big", False)
            code = output("curl", "-sS", "-o", "/dev/null", "-w",
                          "%{http_code}", url + "none")
            assert code in ("200", "404"), code  # the example says 200
            harness.wrk(url + "small.txt")
            assert harness.many_requests(vm.port, "/small.txt", 2000,
                                         32) == 2000
            end(vm)


def benchmark_and_minimal_answer():
    for image in ("benchmark", "minimal_example"):
        with start(image) as vm:
            url = f"http://127.0.0.1:{vm.port}/"
            assert "<" in output("curl", "-sSf", url)
            harness.wrk(url)
            end(vm)


harness.run("libmicrohttpd", [fileserver_serves_a_share,
                              benchmark_and_minimal_answer])
