#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""nginx, driven by curl, wrk and many short connections."""
import filecmp
import os
import pathlib
import shutil
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import harness  # noqa: E402
from harness import Machine, output  # noqa: E402

WAYS = ["", "sendfile/", "threads/", "proxy/"]
BIG = 5_000_001
TEXT = "Hello\n" * 100


class Nginx(Machine):
    def __init__(self, site):
        super().__init__("nginx", options=["-v", f"{site}:/srv"])
        self.site = site

    def url(self, path):
        return f"http://127.0.0.1:{self.port}/{path}"


def with_site(test):
    def run():
        with harness.folder() as site:
            root = pathlib.Path(site, "site")
            root.mkdir()
            (root / "small.txt").write_text(TEXT)
            (root / "big").write_bytes(os.urandom(BIG))
            shutil.copy(HERE / "nginx.conf", site)
            with Nginx(site) as vm:
                test(vm)
                assert vm.stop() == 0, vm.text()
    run.__name__ = test.__name__
    return run


@with_site
def files_arrive_whole_each_way(vm):
    """Read, sendfile, thread pool, proxied over loopback."""
    for way in WAYS:
        got = os.path.join(vm.site, "got")
        output("curl", "-sSf", "-o", got, vm.url(way + "big"))
        assert filecmp.cmp(got, vm.site + "/site/big", False), way
        part = output("curl", "-sSf", "-r", "6-17", vm.url(way + "small.txt"))
        assert part == "Hello\nHello\n", (way, part)


@with_site
def answers_as_a_web_server_should(vm):
    code = output("curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}",
                  vm.url("none"))
    assert code == "404", code
    assert output("curl", "-sSf", vm.url("who")) == "127.0.0.1\n"
    assert output("curl", "-sSf", vm.url("old/small.html")) == TEXT
    head = output("curl", "-sSf", "-D", "-", "-o", "/dev/null",
                  "-H", "Accept-Encoding: gzip", vm.url("small.txt"))
    assert "Content-Encoding: gzip" in head, head
    assert output("curl", "-sSf", "--compressed",
                  vm.url("small.txt")) == TEXT
    assert 'href="small.txt"' in output("curl", "-sSf", vm.url("list/"))
    pathlib.Path(vm.site, "site/new.txt").write_text("fresh")
    assert output("curl", "-sSf", vm.url("new.txt")) == "fresh"
    output("curl", "-sSf", "-o", "/dev/null", "-A", "Torero", vm.url("log"))
    harness.until(lambda: '127.0.0.1 - - [' in vm.text() and
                  '"Torero"' in vm.text(), "a line in the access log")


@with_site
def ten_thousand_connections_none_refused(vm):
    """64 at a time, a request each, none stalls."""
    assert harness.many_requests(vm.port, "/small.txt", 10000, 64) == 10000


@with_site
def keep_alive_under_load(vm):
    for way in WAYS:
        harness.wrk(vm.url(way + "small.txt"))


harness.run("nginx", [files_arrive_whole_each_way,
                      answers_as_a_web_server_should,
                      ten_thousand_connections_none_refused,
                      keep_alive_under_load])
