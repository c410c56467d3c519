#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""lighttpd: files, listings, a proxy over loopback, many connections."""
import filecmp
import os
import pathlib
import shutil
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import harness  # noqa: E402
from harness import Machine, output  # noqa: E402


def serves():
    with harness.folder() as site:
        root = pathlib.Path(site, "site")
        root.mkdir()
        (root / "small.txt").write_text("Hello\n")
        (root / "big").write_bytes(os.urandom(3_000_001))
        shutil.copy(HERE / "lighttpd.conf", site)
        with Machine("lighttpd", options=["-v", site + ":/srv"]) as vm:
            url = f"http://127.0.0.1:{vm.port}/"
            for way in ("", "proxy/"):
                output("curl", "-sSf", "-o", site + "/got", url + way + "big")
                assert filecmp.cmp(site + "/got", root / "big", False), way
                harness.wrk(url + way + "small.txt")
            assert 'href="small.txt"' in output("curl", "-sSf", url)
            assert "uptime" in output("curl", "-sSf", url + "status").lower()
            assert harness.many_requests(vm.port, "/small.txt", 2000,
                                         32) == 2000
            # 1: it had not yet seen the end of the last connections.
            assert vm.stop() in (0, 1), vm.text()
            log = pathlib.Path(site, "access.log").read_text()
            assert log.count('"GET /small.txt HTTP/1.0" 200 6') == 2000


harness.run("lighttpd", [serves])
