#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Connections out of the guest: where --connect allows, and nowhere else.

Runs in a network namespace of its own, in which the loopback interface has
addresses that are not loopback addresses.  Prints TAP.
"""
import os
import socket
import subprocess
import sys

from reverser import serve

RUN = "build/bin/toril-run"
DIAL = "build/tests/system/dial"
DIALS = "build/tests/system/dials"
ALLOWED, FORBIDDEN, V6 = "192.0.2.7", "192.0.2.8", "2001:db8::7"
WAIT = 60


def dial(options, address, port):
    r = subprocess.run([RUN, *options, DIAL, address, port],
                       stdin=subprocess.DEVNULL, capture_output=True, timeout=WAIT)
    assert r.stderr == b"", r
    return r.stdout.decode().strip()


def main():
    port, other = serve(socket.AF_INET, ALLOWED), serve(socket.AF_INET, FORBIDDEN)
    port6 = serve(socket.AF_INET6, V6)
    with socket.socket() as s:
        s.bind((ALLOWED, 0))
        closed = str(s.getsockname()[1])
    one = ["--connect", "%s:%s" % (ALLOWED, port)]
    net = ["--connect", "192.0.2.0/29"]
    every = ["--connect", "any"]
    tests = [
        ("denied without --connect", [], ALLOWED, port, "Network unreachable"),
        ("allowed by address and port", one, ALLOWED, port, "olleh"),
        ("another port is not", one, ALLOWED, closed, "Permission denied"),
        ("another address is not", one, FORBIDDEN, other, "Permission denied"),
        ("allowed by network", net, ALLOWED, port, "olleh"),
        ("outside of the network", net, FORBIDDEN, other, "Permission denied"),
        ("allowed by any", every, FORBIDDEN, other, "olleh"),
        ("IPv6", every, V6, port6, "olleh"),
        ("nobody listens", every, ALLOWED, closed, "Connection refused"),
        ("loopback stays in the guest", every, "127.0.0.1", port,
         "Connection refused"),
    ]
    print("1..%d" % (len(tests) + 1))
    failed = 0
    for i, (name, options, address, p, want) in enumerate(tests, 1):
        got = dial(options, address, p)
        failed += got != want
        print("%s %d - %s" % ("ok" if got == want else "not ok", i, name))
        if got != want:
            print("# expected %r, got %r" % (want, got), flush=True)
    r = subprocess.run([RUN, "--max-connections", "4", *every, DIALS, ALLOWED, port, "9"],
                       stdin=subprocess.DEVNULL, capture_output=True, timeout=WAIT)
    good = r.stdout == b"4 Connection refused\none more\n"
    print("%s %d - --max-connections binds" % ("ok" if good else "not ok", len(tests) + 1))
    if not good:
        print("#", r)
    return failed != 0 or not good


if os.environ.get("TORIL_NETNS") != "1":
    os.execvpe("unshare", ["unshare", "-rn", sys.executable, *sys.argv],
               dict(os.environ, TORIL_NETNS="1"))
for command in ("link set lo up", "addr add %s/32 dev lo" % ALLOWED,
                "addr add %s/32 dev lo" % FORBIDDEN,
                "addr add %s/128 dev lo nodad" % V6):
    subprocess.run(["ip", *command.split()], check=True)
sys.exit(main())
