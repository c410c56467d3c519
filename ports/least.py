#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""least.py [NAME...]: the ports' stripped sizes and least memory.

Least is the smallest `toril-run -m`, in steps of 256 KiB, with which a port
answers one request of a client (or runs one line, and ends well).
"""
import pathlib
import shlex
import shutil
import subprocess
import sys
import tempfile

import harness
import port

HERE = pathlib.Path(__file__).resolve().parent
STEP = 256
HTTP = ("curl", "-sSf", "-m", "20", "http://127.0.0.1:{port}/small.txt")
# Port: more arguments, and the client (or none: it must end well).
PROBES = {
    "redis": ([], ("redis-cli", "-p", "{port}", "set", "a", "b")),
    "nginx": ([], HTTP),
    "memcached": ([], ("bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/{port};"
                       "echo version >&3; read -t 20 -u 3 answer")),
    "sqlite3": (["/srv/db", "CREATE TABLE IF NOT EXISTS t(a);"
                 "INSERT INTO t VALUES(1); SELECT count(*) FROM t"], None),
    "lua": (["-e", "print(6 * 7)"], None),
    "libmicrohttpd": ([], HTTP),
    "lighttpd": ([], HTTP),
    "mosquitto": ([], ("mosquitto_pub", "-p", "{port}", "-t", "a", "-m", "b")),
    "civetweb": ([], HTTP),
}


def works(name, image, site, kib):
    recipe = port.read_recipe(name)
    more, client = PROBES[name]
    command = [harness.RUN, "--timeout", "30", "-m", f"{kib}K"]
    if client:
        command += ["-p", "127.0.0.1:0:" + recipe["publish"]]
    command += ["-v", f"{site}:/srv", "-v", f"{site}:/conf", "-v",
                f"{site}:/data", "-w", "/srv", image,
                *shlex.split(recipe["run"])[1:], *more]
    with subprocess.Popen(command, stdin=subprocess.PIPE,
                          stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE) as vm:
        try:
            if not client:
                return vm.wait(40) == 0
            line = vm.stderr.readline().decode()
            if "->" not in line:
                return False
            number = line.split(" ")[0].rsplit(":", 1)[1]
            done = subprocess.run([c.replace("{port}", number)
                                   for c in client], capture_output=True,
                                  timeout=30, check=False)
            return done.returncode == 0
        except subprocess.TimeoutExpired:
            return False
        finally:
            vm.kill()


def least(name, image, site):
    low, high = 4, 64 * 1024 // STEP  # fails, works
    while high - low > 1:
        middle = (low + high) // 2
        if works(name, image, site, middle * STEP):
            high = middle
        else:
            low = middle
    return high * STEP


def main():
    for name in sys.argv[1:] or PROBES:
        harness.builds(name)
        program = shlex.split(port.read_recipe(name)["run"])[0]
        with tempfile.TemporaryDirectory() as site:
            image = site + "/image"
            subprocess.run(["strip", "-o", image, port.PORTS / name / program],
                           check=True)
            pathlib.Path(site, "site").mkdir()
            for folder in (site, site + "/site"):
                pathlib.Path(folder, "small.txt").write_text("Hello\n")
            for conf in (HERE / name).glob("*.conf"):
                shutil.copy(conf, site)
            size = pathlib.Path(image).stat().st_size
            print(f"{name}: {size / 1024:.0f} KiB, least memory "
                  f"{least(name, image, site) / 1024:.2f} MiB", flush=True)


main()
