#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A whole site through the server: python3.11-doc, more than 1,000 files of
HTML, mirrored with wget and compared byte for byte.

The package is fetched once, into build/cache/site.  TORIL_RUN chooses a VM.
"""
import filecmp
import os
import pathlib
import shutil
import subprocess
import tempfile

import server

CACHE = pathlib.Path("build/cache/site")
PACKAGE = "python3.11-doc"


def fetch():
    """The package's files, unpacked; symlinks that leave it are dropped."""
    tree = CACHE / "tree"
    if not tree.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        if not list(CACHE.glob("*.deb")):
            subprocess.run(["apt-get", "-q", "download", PACKAGE], cwd=CACHE,
                           check=True, stdout=subprocess.DEVNULL)
        part = CACHE / "part"
        shutil.rmtree(part, ignore_errors=True)
        deb = next(CACHE.glob("*.deb")).name
        subprocess.run(["dpkg", "-x", deb, "part"], cwd=CACHE, check=True)
        part.rename(tree)
    for html in sorted(tree.rglob("html")):
        if html.is_dir() and not html.is_symlink():
            return html
    raise AssertionError("no html folder in " + PACKAGE)


def files_of(root):
    """Relative paths of the files that a walk finds inside `root`."""
    found = set()
    for folder, _, names in os.walk(root):
        for name in names:
            path = pathlib.Path(folder, name)
            real = path.resolve()
            if real.is_file() and real.is_relative_to(root.resolve()):
                found.add(str(path.relative_to(root)))
    return found


def mirror(root, options=()):
    wanted = files_of(root)
    assert len(wanted) > 1000, "only %d files" % len(wanted)
    with tempfile.TemporaryDirectory() as copy, \
            server.Server("webserver", options, str(root)) as web:
        base = "http://127.0.0.1:%d/" % web.port
        urls = "".join(base + server_path(name) + "\n" for name in sorted(wanted))
        # Recursively from the front page, then what no page links to.
        for how in (["-r", "-l", "inf", base], ["-x", "-nc", "-i", "-"]):
            subprocess.run(
                ["wget", "-q", "-nH", "-e", "robots=off", "--no-proxy",
                 "--restrict-file-names=nocontrol", "-P", copy] + how,
                input=urls.encode(), check=False, timeout=3600)
        got = files_of(pathlib.Path(copy))
        missing = wanted - got
        assert not missing, "missing: %s" % sorted(missing)[:10]
        for name in sorted(wanted):
            assert filecmp.cmp(root / name, pathlib.Path(copy, name),
                               shallow=False), name
        return len(wanted)


def server_path(name):
    from urllib.parse import quote
    return quote(name)


def mirror_is_the_same_byte_for_byte():
    print("# %d files" % mirror(fetch().resolve()))


def mirror_without_a_cache():
    mirror(fetch().resolve(), ("-m", "0"))


server.run([mirror_is_the_same_byte_for_byte, mirror_without_a_cache])
