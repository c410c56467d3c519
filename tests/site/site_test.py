#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The documentation's site, served by a machine, in headless Chromium.

visit.js goes to every page, use.js reads as a reader does.  Whether visit.js
finds what it is there to find is tried on a folder of faulty pages.
Chromium is Debian's; playwright-core and axe-core come from npm, into
build/site-test.
"""
import contextlib
import functools
import http.server
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from machine import BUILD, RUN, main, served  # noqa: E402

SITE = pathlib.Path(BUILD, "site")
MODULES = pathlib.Path(BUILD, "site-test").resolve()
LOCK = "package-lock.json"
LIMIT = 600  # seconds; only to end what hangs

# Faulty pages: what is in them, and the kinds of problem that it makes.
PAGES = {
    "clean": ("<p>All is well.</p>", set()),
    "dead-link": ('<a href="none.html">x</a>', {"link"}),
    "dead-fragment": ('<a href="clean.html#none">x</a>', {"link"}),
    "dead-own-fragment": ('<a href="#none">x</a>', {"link"}),
    "dead-file": ('<a href="none.pdf">x</a>', {"link"}),
    "no-picture": ('<img src="none.png" alt="x">',
                   {"console", "request", "link"}),
    "foreign": ('<img src="http://example.invalid/x.png" alt="x">',
                {"console", "foreign", "request"}),
    "foreign-style": ('<style>p { background: '
                      'url(http://example.invalid/) }</style><p>x</p>',
                      {"console", "foreign", "request"}),
    "contrast": ('<p style="color: #aaa">So pale.</p>', {"axe"}),
    "contrast-dark": ("<style>@media (prefers-color-scheme: dark) "
                      "{ p { color: #bbb } }</style><p>So pale.</p>", {"axe"}),
    "no-text": ('<img src="x.svg">', {"axe"}),
    "said": ("<script>console.error('x')</script>", {"console"}),
    "thrown": ("<script>setTimeout(() => { throw Error('x') })</script>",
               {"console"}),
    "wide": ('<div style="width: 500px">x</div>', {"wide"}),
}
FRAME = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{0}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="x.svg"></head>
<body style="background: #fff"><main><h1>{0}</h1>{1}</main></body></html>
"""


def fetch_modules():
    """What package-lock.json names, unless it is there already."""
    if (MODULES / LOCK).exists() and \
            (MODULES / LOCK).read_bytes() == (HERE / LOCK).read_bytes():
        return
    part = MODULES.with_suffix(".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    for name in ("package.json", LOCK):
        shutil.copy(HERE / name, part)
    done = subprocess.run(
        ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund",
         "--fetch-retries=5"],
        cwd=part, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, timeout=LIMIT, check=False)
    assert done.returncode == 0, "npm ci: " + done.stdout[-2000:]
    shutil.rmtree(MODULES, ignore_errors=True)
    part.rename(MODULES)


def in_browser(script, url):
    """What tests/site/SCRIPT prints about `url`."""
    fetch_modules()
    done = subprocess.run(
        ["node", HERE / script, url], capture_output=True, text=True,
        timeout=LIMIT, check=False,
        env=dict(os.environ, NODE_PATH=str(MODULES / "node_modules")))
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


@contextlib.contextmanager
def site():
    """As `make run` serves it; its address."""
    with served(RUN, "-p", "127.0.0.1:0:80", "-v", f"{SITE}:/srv:ro",
                f"{BUILD}/apps/webserver", "-p", "80", "/srv") as (_, at):
        yield f"http://{at[0]}:{at[1]}/"


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@contextlib.contextmanager
def folder(pages):
    """Pages, by an ordinary server; its address."""
    with tempfile.TemporaryDirectory() as root:
        for name, text in pages.items():
            pathlib.Path(root, name).write_text(text)
        with http.server.ThreadingHTTPServer(
                ("127.0.0.1", 0),
                functools.partial(Quiet, directory=root)) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            try:
                yield f"http://127.0.0.1:{server.server_port}/"
            finally:
                server.shutdown()


def every_page_is_without_fault():
    with site() as url:
        found = in_browser("visit.js", url)
    problems = [f"{p['page'].removeprefix(url)}: {p['kind']}: {p['what']}"
                for p in found["problems"]]
    assert not problems, "\n".join(problems[:40])
    seen = {page.removeprefix(url) for page in found["pages"]}
    missed = {p.name for p in SITE.glob("*.html")} - seen
    assert not missed, f"no link leads to {missed}"
    return f"{len(seen)} pages, {found['links']} links"


def tables_are_searched_and_menus_open():
    with site() as url:
        problems = in_browser("use.js", url)
    assert not problems, "\n".join(problems)


def faults_are_found():
    """Each faulty page has its own kinds of problem, the others none."""
    pages = {f"{name}.html": FRAME.format(name, body)
             for name, (body, _) in PAGES.items()}
    pages["index.html"] = FRAME.format("all", " ".join(
        f'<a href="{name}">{name}</a>' for name in pages))
    pages["x.svg"] = '<svg xmlns="http://www.w3.org/2000/svg"/>'
    with folder(pages) as url:
        found = in_browser("visit.js", url)
        kinds = {url: set(), url + "none.html": {"request"}}
        kinds.update((f"{url}{name}.html", set()) for name in PAGES)
        wanted = {f"{url}{name}.html": kinds for name, (_, kinds)
                  in PAGES.items()}
    for problem in found["problems"]:
        kinds[problem["page"]].add(problem["kind"])
    wrong = [f"{page}: {kinds[page] or 'nothing'}, not {want or 'nothing'}"
             for page, want in wanted.items() if kinds[page] != want]
    assert not wrong and not kinds[url], "\n".join(wrong) or kinds[url]
    return f"{len(PAGES)} pages"


main([every_page_is_without_fault, tables_are_searched_and_menus_open,
      faults_are_found])
