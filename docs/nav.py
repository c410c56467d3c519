#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""nav.py: the site's navigation, as JSON for pandoc, from docs/index.md.

Each heading of that page is a group, each item of the list below it a page.
Every other page of docs/, every port and every page of the manual that is
not an alias must be there, so that none is forgotten.
"""
import json
import pathlib
import re
import sys

INDEX = pathlib.Path("docs/index.md")
ITEM = re.compile(r"- \[(.*?)\]\((\S+?)\)")
# Reached from the page that it belongs to.
ELSEWHERE = {"index.html", "conformance-output.html"}


def file_of(target):
    """As docs/page.lua has it."""
    path = pathlib.PurePath(target)
    if path.name == "README.md":
        return f"port-{path.parent.name}.html"
    if path.suffix == ".md":
        return path.stem.lower() + ".html"
    return path.name + ".html"


def groups():
    found = []
    for line in INDEX.read_text().splitlines():
        if line.startswith("## "):
            found.append({"name": line[3:], "pages": []})
        elif match := ITEM.match(line):
            found[-1]["pages"].append(
                {"name": match[1], "file": file_of(match[2])})
    found = [g for g in found if g["pages"]]
    found[0]["first"] = True
    return found


def expected():
    for path in [*pathlib.Path("docs").glob("*.md"),
                 *pathlib.Path("ports").glob("*/README.md")]:
        yield file_of(path)
    for path in pathlib.Path("docs/man").iterdir():
        if not path.read_text().startswith(".so "):
            yield file_of(path)


def main():
    found = groups()
    listed = {page["file"] for group in found for page in group["pages"]}
    missing = set(expected()) - listed - ELSEWHERE
    if missing:
        sys.exit(f"{INDEX} does not list {', '.join(sorted(missing))}")
    json.dump({"groups": found}, sys.stdout, indent=1)


if __name__ == "__main__":
    main()
