#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The Debian package: its fields, its files, and that these work unpacked."""
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from tap import BUILD, check, main, run, write

DEB = BUILD + "/toril_amd64.deb"
HELLO = '#include <stdio.h>\nint main(void) { puts("hello"); return 5; }\n'


def field(name):
    return run("dpkg-deb", "-f", DEB, name).stdout.strip()


def test_control():
    """control: name, version, what it depends on"""
    check(field("Package") == "toril" and field("Architecture") == "amd64")
    run("dpkg", "--validate-version", field("Version"))
    needs = re.sub(r"\s+", " ", field("Depends"))
    for package in ("libc6 (>= 2.", "gcc (>= 4:12)", "binutils",
                    "qemu-system-x86", "qemu-system-common (<< 1:8) | virtiofsd"):
        check(package in needs, package, needs)


def test_contents():
    """the files: all there, root's, nothing odd"""
    listing = run("dpkg-deb", "-c", DEB).stdout.splitlines()
    files = {}
    for line in listing:
        mode, owner, _, _, _, name = line.split(None, 5)
        check(owner == "root/root", line)
        check(mode[8] == "-" or mode[0] == "l", "writable to all", line)
        files[name.split(" -> ")[0][2:]] = mode
    for name in ("bin/toril-cc", "bin/toril-run", "bin/toril-ar",
                 "bin/x86_64-toril-linux-musl-gcc", "lib/toril/lib/libc.a",
                 "lib/toril/lib/toril.o", "lib/toril/lib/image.ld",
                 "lib/toril/lib/toril.specs", "lib/toril/lib/libm.a",
                 "lib/toril/include/stdio.h", "lib/toril/include/sys/queue.h",
                 "lib/toril/include/linux/fuse.h",
                 "lib/toril/include/asm/unistd.h", "share/toril/toril.cmake",
                 "share/toril/toril.meson", "share/meson/cross/toril",
                 "share/man/man1/toril-cc.1.gz", "share/man/man7/toril.7.gz",
                 "share/man/man1/toril-run.1.gz",
                 "share/doc/toril/copyright", "share/doc/toril/changelog.gz"):
        check("usr/" + name in files, name)
    check(all(n.startswith("usr/") or n in ("", "usr") for n in files))
    check("x" in files["usr/bin/toril-cc"] and
          "x" not in files["usr/lib/toril/lib/libc.a"])
    check(not [n for n in files if ".stamp" in n or "/obj/" in n])


def test_unpacked():
    """unpacked anywhere, it compiles, and what it compiles runs"""
    run("dpkg-deb", "-x", DEB, "root")
    sums = run("dpkg-deb", "-I", DEB, "md5sums").stdout
    run("md5sum", "--quiet", "-c", "-", input=sums, cwd="root")
    build = [BUILD] if BUILD not in os.getcwd() else []
    for place in build:
        out = run("grep", "-rlF", place, "root/usr/bin", "root/usr/share",
                  "root/usr/lib/toril/include", status=None).stdout
        check(not out, "the build's path is in", out)
    write("hello.c", HELLO)
    run("root/usr/bin/toril-cc", "-O2", "hello.c", "-o", "hello")
    check(run("./hello", status=5).stdout == "hello\n")
    check(run("root/usr/bin/toril-run", "hello", status=5).stdout == "hello\n")
    check(os.getcwd() + "/root/usr/bin" in run("readelf", "-d", "hello").stdout)


def test_manual():
    """the manual pages are right, and name every option of toril-run"""
    run("dpkg-deb", "-x", DEB, "root")
    for page in "man1/toril-cc.1", "man1/toril-run.1", "man7/toril.7":
        text = run("zcat", f"root/usr/share/man/{page}.gz").stdout
        check(text.splitlines()[1].startswith(".TH TORIL"), page)
    page = run("zcat", "root/usr/share/man/man1/toril-run.1.gz").stdout
    page = page.replace("\\-", "-")
    said = run("root/usr/bin/toril-run", "--help").stdout
    options = set(re.findall(r"--[a-z][a-z-]+", said))
    missing = [o for o in options if o not in page]
    check(len(options) > 15 and not missing, missing)


if __name__ == "__main__":
    main(test_control, test_contents, test_unpacked, test_manual)
