#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Names from within the guest: those that --connect allows, and no others.

Runs in network and mount namespaces of its own, whose /etc/hosts knows the
names below.  A name that is refused must be said not to exist at once: a
look-up that ran into its time-out would be "Try again".  Prints TAP.
"""
import os
import socket
import subprocess
import sys
import tempfile

from reverser import serve

RUN = "build/bin/toril-run"
RESOLVE = "build/tests/system/resolve"
REBIND = "build/tests/system/rebind"
HOSTS = """127.0.0.1 localhost
192.0.2.7 allowed.test
192.0.2.8 other.test
2001:db8::7 six.test
127.0.0.1 inside.test
169.254.169.254 cloud.test
192.0.2.7 moves.test
"""
NONE = "Name does not resolve"
WAIT = 60


def resolve(options, name, port):
    r = subprocess.run([RUN, *options, RESOLVE, name, port], check=False,
                       stdin=subprocess.DEVNULL, capture_output=True,
                       timeout=WAIT)
    assert r.stderr == b"", r
    return r.stdout.decode().strip()


def rebind():
    """What a name is before and after its owner has moved it."""
    with subprocess.Popen([RUN, "--connect", "moves.test", REBIND, "moves.test"],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE) as p:
        first = p.stdout.readline()
        with open("/etc/hosts", "w", encoding="ascii") as f:
            f.write(HOSTS.replace("192.0.2.7 moves", "192.0.2.8 moves"))
        p.stdin.write(b"again\n")
        p.stdin.flush()
        second = p.stdout.readline()
        p.stdin.close()
    return [first, second]


def main():
    port = serve(socket.AF_INET, "192.0.2.7")
    local = serve(socket.AF_INET, "127.0.0.1")
    # the guest's own loopback, where nobody listens
    loopback = "Connection refused"
    port6 = serve(socket.AF_INET6, "2001:db8::7")
    one = ["--connect", "allowed.test:" + port]
    with tempfile.TemporaryDirectory() as etc:
        with open(etc + "/resolv.conf", "w", encoding="ascii") as f:
            f.write("nameserver 198.51.100.1\n")
        tests = [
            ("an allowed name", one, "allowed.test", port, "olleh"),
            ("another port of it", one, "allowed.test", "9",
             "Permission denied"),
            ("another name", one, "other.test", port, NONE),
            ("no name without --connect", [], "allowed.test", port, NONE),
            ("any", ["--connect", "any"], "allowed.test", port, "olleh"),
            ("IPv6", ["--connect", "any"], "six.test", port6, "olleh"),
            ("a name that is none", ["--connect", "any"], "none.test", port,
             NONE),
            ("a name server of one's own", [*one, "-v", etc + ":/etc:ro"],
             "allowed.test", port, "olleh"),
            ("an allowed name that is the host's loopback",
             ["--connect", "inside.test"], "inside.test", local, NONE),
            ("an allowed name that is link-local",
             ["--connect", "cloud.test"], "cloud.test", "80", NONE),
            ("unless the network is allowed, too",
             ["--connect", "inside.test", "--connect", "127.0.0.0/8"],
             "inside.test", local, loopback),
            ("and no way out", ["-v", etc + ":/etc:ro"], "allowed.test", port,
             NONE),
        ]
        print("1..%d" % (len(tests) + 1))
        failed = 0
        for i, (name, options, host, p, want) in enumerate(tests, 1):
            got = resolve(options, host, p)
            failed += got != want
            print("%s %d - %s" % ("ok" if got == want else "not ok", i, name))
            if got != want:
                print("# expected %r, got %r" % (want, got), flush=True)
    got = rebind()
    good = got == [b"192.0.2.7\n", b"192.0.2.7\n"]
    print("%s %d - a name that moves stays what it was at first" %
          ("ok" if good else "not ok", len(tests) + 1))
    if not good:
        print("#", got)
    return failed != 0 or not good


def isolate():
    for command in ("link set lo up", "addr add 192.0.2.7/32 dev lo",
                    "addr add 192.0.2.8/32 dev lo",
                    "addr add 2001:db8::7/128 dev lo nodad"):
        subprocess.run(["ip", *command.split()], check=True)
    for name, text in (("hosts", HOSTS), ("nsswitch.conf", "hosts: files\n")):
        with tempfile.NamedTemporaryFile("w") as f:
            f.write(text)
            f.flush()
            subprocess.run(["mount", "--bind", f.name, "/etc/" + name],
                           check=True)


if os.environ.get("TORIL_NETNS") != "1":
    os.execvpe("unshare", ["unshare", "-rnm", sys.executable, *sys.argv],
               dict(os.environ, TORIL_NETNS="1"))
isolate()
sys.exit(main())
