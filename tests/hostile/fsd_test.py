#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The honest file server: a program finds all as it should be, with one
request queue and with four."""
import subprocess

from host import BIN, RUN, WAIT, Server, main

QUEUES = ["--qemu-arg", "-global", "--qemu-arg"]


def works(queues, cpus):
    """Each CPU sends through a queue of its own."""
    with Server("--queues", str(queues)) as server:
        done = subprocess.run(
            [RUN, "-c", str(cpus), "--fs-socket", f"{server.socket}:/good", *QUEUES,
             f"vhost-user-fs-device.num-request-queues={queues}",
             f"{BIN}/victim", "-n", "150", "-t", "4", "/good"],
            stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=WAIT, check=False)
        assert (done.returncode, done.stderr) == (0, ""), done
        assert done.stdout == 4 * (
            "good operations 150 data 150 wrong 0\n"), done
        counts = server.end()
        served = [counts[f"queue {i}"] for i in range(1, queues + 1)]
        assert sum(served) > 600, counts
        assert all(served[:cpus]) and not any(served[cpus:]), counts
        return f"requests {served}"


def one_queue():
    return works(1, 1)


def four_queues():
    return works(4, 2)


main([one_queue, four_queues])
