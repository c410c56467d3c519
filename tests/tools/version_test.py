#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""One number, in VERSION: who says which version it is says that."""
import gzip
import hashlib
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import tap

BUILD = os.environ.get("BUILD", "build")
VERSION = pathlib.Path("VERSION").read_text(encoding="ascii").strip()


def output(*command, **more):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE,
                          text=True, timeout=600, **more).stdout


def number():
    assert re.fullmatch(r"\d+\.\d+\.\d+", VERSION), VERSION
    assert "VERSION	:= $(file <VERSION)" in pathlib.Path("Makefile").read_text(
        encoding="ascii")


def changelog():
    headings = re.findall(r"^## (.*)$", pathlib.Path("CHANGELOG.md").read_text(
        encoding="utf-8"), re.M)
    assert re.fullmatch(
        re.escape(VERSION) + r", (not released|20\d\d-\d\d-\d\d)",
        headings[0]), headings


def commands():
    said = output(f"{BUILD}/bin/toril-run", "--version")
    assert said == f"toril-run {VERSION}\n", said
    said = output(f"{BUILD}/bin/toril-cc", "--version").splitlines()
    assert said[-1] == f"Toril {VERSION}", said


def guest():
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder, "uname.c")
        source.write_text(
            "#include <stdio.h>\n#include <sys/utsname.h>\nint main(void)"
            "{ struct utsname u; uname(&u); puts(u.version); return 0; }\n",
            encoding="ascii")
        image = f"{folder}/uname"
        output(f"{BUILD}/bin/toril-cc", str(source), "-o", image)
        said = output(f"{BUILD}/bin/toril-run", image)
    assert said == f"Toril {VERSION}\n", said


def package():
    said = output("dpkg-deb", "-f", f"{BUILD}/toril_amd64.deb", "Version")
    assert re.fullmatch(re.escape(VERSION) + r"(\+\d+)?", said.strip()), said


def manual():
    with tempfile.TemporaryDirectory() as folder:
        output("dpkg-deb", "-x", f"{BUILD}/toril_amd64.deb", folder)
        pages = sorted(pathlib.Path(folder, "usr/share/man").glob("*/*.gz"))
        texts = [gzip.open(page, "rt", encoding="utf-8").read()
                 for page in pages]
    texts = [text for text in texts if not text.startswith(".so ")]
    assert len(texts) > 4, pages
    for text in texts:
        head = re.search(r"^\.TH (.*)$", text, re.M)[1]
        assert f'"Toril {VERSION}"' in head, head


def archive():
    """Twice the same bytes; unpacked, it builds what says the number."""
    if subprocess.run(["git", "rev-parse", "--verify", "-q", "HEAD"],
                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                      check=False).returncode:
        print("# no git repository here: no archive is made")
        return
    sums = set()
    with tempfile.TemporaryDirectory() as folder:
        for build in (f"{folder}/a", f"{folder}/b"):
            output("make", "-s", f"BUILD={build}", "dist")
            # What is committed has the number that it has.
            file = next(pathlib.Path(build).glob("toril-*.tar.gz"))
            digest = hashlib.sha256(file.read_bytes()).hexdigest()
            listed = pathlib.Path(f"{file}.sha256").read_text(encoding="ascii")
            assert listed == f"{digest}  {file.name}\n", listed
            sums.add(digest)
        assert len(sums) == 1, sums
        output("tar", "-xzf", str(file), "-C", folder)
        tree = next(pathlib.Path(folder).glob("toril-*"))
        assert (tree / "Makefile").exists(), list(tree.iterdir())
        env = {k: v for k, v in os.environ.items() if k != "BUILD"}
        output("make", "-s", "-j2", "build/bin/toril-run", cwd=tree, env=env)
        said = output(f"{tree}/build/bin/toril-run", "--version")
        assert said.startswith("toril-run "), said


if __name__ == "__main__":
    sys.exit(tap.run([
        ("VERSION holds a number", number),
        ("CHANGELOG.md begins with it", changelog),
        ("toril-run and toril-cc say it", commands),
        ("uname says it", guest), ("the package has it", package),
        ("the manual has it", manual),
        ("make dist is reproducible, and builds", archive)]))
