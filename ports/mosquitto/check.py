#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""mosquitto, an MQTT broker, driven by Debian's mosquitto-clients."""
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import harness  # noqa: E402
from harness import Machine, output  # noqa: E402

COUNT = 500


def start(data):
    return Machine("mosquitto", options=["-v", f"{HERE}:/conf:ro",
                                         "-v", data + ":/data"])


def subscribe(vm, *options):
    """A subscriber, once the broker has confirmed it."""
    client = subprocess.Popen(
        ["stdbuf", "-oL", "mosquitto_sub", "-d", "-p", str(vm.port), "-W",
         str(harness.WAIT), *options], stdout=subprocess.PIPE, text=True)
    for line in client.stdout:
        if line.startswith("Subscribed"):
            return client
    raise AssertionError("no subscription")


def messages(client):
    """Until it ends, after -W seconds at most.  Not by communicate(), which
    passes over what subscribe() has read already."""
    said = list(client.stdout)
    assert client.wait(harness.WAIT) == 0, said
    return [line.strip() for line in said if line.startswith("m ")]


def publish(vm, *options, **kw):
    output("mosquitto_pub", "-p", vm.port, *options, **kw)


def messages_arrive_in_order():
    with harness.folder() as data, start(data) as vm:
        clients = [subscribe(vm, "-t", "herd/#", "-q", str(q), "-C",
                             str(COUNT)) for q in (0, 1, 2)]
        lines = [f"m {n}" for n in range(COUNT)]
        publish(vm, "-t", "herd/a", "-q", "2", "-l", input="\n".join(lines))
        for client in clients:
            assert messages(client) == lines
        assert vm.stop() == 0, vm.text()


def what_is_retained_outlives_the_broker():
    with harness.folder() as data:
        with start(data) as vm:
            publish(vm, "-t", "herd/b", "-r", "-q", "1", "-m", "m kept")
            assert vm.stop() == 0, vm.text()
        with start(data) as vm:
            client = subscribe(vm, "-t", "herd/b", "-C", "1")
            assert messages(client) == ["m kept"]
            assert vm.stop() == 0, vm.text()


harness.run("mosquitto", [messages_arrive_in_order,
                          what_is_retained_outlives_the_broker])
