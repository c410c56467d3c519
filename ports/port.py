#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""port.py NAME...: fetch and build foreign programs with toril-cc.

ports/NAME/recipe says all about a port, a `key: value` a line; a line that
begins with a space continues the one before:

	package, version, sha256	Debian source package, upstream tarball
	needs		ports to be built before, found as $PORTS/NAME/out
	configure	shell commands for a fresh tree (may be missing)
	build		shell commands, which must also relink a missing image
	image		files to keep as build/ports/NAME/FILE
	publish		the TCP port that it serves
	options		more options of toril-run
	run		the command line, the image first

Commands run in the source tree, with CC, SYSROOT, PORTS, OUT (to install) and
the tools on PATH.  A port is built anew when its recipe or the compiler has
changed; when only libc or the kernel has, it is linked anew.  $PORT_CC and
$PORT_FOLDER, both absolute, say another compiler, whose sysroot is the folder
above its own, and another folder for the results.
"""
import fcntl
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys

BUILD = pathlib.Path(os.environ.get("BUILD", "build")).resolve()
PORTS = pathlib.Path(os.environ.get("PORT_FOLDER", BUILD / "ports")).resolve()
CC = os.environ.get("PORT_CC", str(BUILD / "bin/toril-cc"))
SYSROOT = (pathlib.Path(CC).parent.parent if "PORT_CC" in os.environ
           else BUILD / "sysroot")
HERE = pathlib.Path(__file__).resolve().parent
LINKED = ("libc.a", "toril.o", "crt1.o", "image.ld")


def read_recipe(name):
    recipe = {"name": name}
    key = None
    for line in (HERE / name / "recipe").read_text().splitlines():
        if line.startswith((" ", "\t")):
            recipe[key] += " " + line.strip()
        elif line and not line.startswith("#"):
            key, value = line.split(":", 1)
            recipe[key] = value.strip()
    return recipe


def digest(paths):
    total = hashlib.sha256()
    for path in sorted(paths):
        total.update(str(path).encode())
        total.update(path.read_bytes())
    return total.hexdigest()


def digests(recipe):
    """What a build depends on, and what a link does in addition."""
    files = [p for p in SYSROOT.rglob("*")
             if p.is_file() and "obj" not in p.parts]
    link = [p for p in files if p.name in LINKED]
    rest = [p for p in files if p.name not in LINKED and
            p.suffix not in (".d", ".stamp")]
    needs = [PORTS / n / "stamp" for n in recipe.get("needs", "").split()]
    whole = digest(rest + [HERE / recipe["name"] / "recipe",
                           pathlib.Path(shutil.which(CC))])
    return whole, digest(link + needs)


def shell(recipe, commands, log):
    """Runs a recipe's commands; exits with the log's end if they fail."""
    env = {k: v for k, v in os.environ.items()
           if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES")}
    env.update(CC=CC, PORTS=str(PORTS),
               OUT=str(PORTS / recipe["name"] / "out"), LC_ALL="C",
               SYSROOT=str(SYSROOT),
               PATH=f"{BUILD}/bin:{env['PATH']}")
    done = subprocess.run(["sh", "-ec", commands], env=env, stdout=log,
                          cwd=PORTS / recipe["name"] / "src", check=False,
                          stdin=subprocess.DEVNULL, stderr=subprocess.STDOUT)
    if done.returncode:
        log.flush()
        tail = pathlib.Path(log.name).read_text(errors="replace")
        sys.exit(f"{tail[-3000:]}\nport.py: {recipe['name']}: "
                 f"build failed, see {log.name}")


def keep_images(recipe, folder):
    for image in recipe.get("image", "").split():
        built = folder / "src" / image
        if not built.exists():
            sys.exit(f"port.py: {recipe['name']}: no {image} was built")
        # Not over the old one: it may be running.
        new = folder / (built.name + ".new")
        shutil.copy(built, new)
        new.rename(folder / built.name)


def make_port(recipe, folder, fresh):
    with open(folder / "log", "w", encoding="utf-8") as log:
        if fresh:
            subprocess.run(
                ["sh", str(HERE.parent / "tools/fetch-source.sh"),
                 recipe["package"], recipe["version"], recipe["sha256"],
                 str(folder / "src"), str(BUILD / "cache")], check=True)
            shell(recipe, recipe.get("configure", ":"), log)
        else:
            for image in recipe.get("image", "").split():
                (folder / "src" / image).unlink(missing_ok=True)
        shell(recipe, recipe["build"], log)
    keep_images(recipe, folder)


def build(name):
    recipe = read_recipe(name)
    for needed in recipe.get("needs", "").split():
        build(needed)
    folder = PORTS / name
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        stamp = folder / "stamp"
        was = stamp.read_text().split() if stamp.exists() else ["", ""]
        now = list(digests(recipe))
        if was != now:
            stamp.unlink(missing_ok=True)
            make_port(recipe, folder, was[0] != now[0])
            stamp.write_text("\n".join(now))


if __name__ == "__main__":
    try:
        for port in sys.argv[1:]:
            build(port)
    except subprocess.CalledProcessError:
        sys.exit(1)
