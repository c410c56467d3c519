#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""--stats and --metrics: figures of a machine that serves and connects."""
import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading

import tap

BUILD = os.path.abspath(os.environ.get("BUILD", "build"))
WAIT = 240
BODY = os.urandom(100000)


class Machine:
    """A web server with metrics; its standard error is read to the end."""

    def __init__(self, *options):
        self.folder = tempfile.mkdtemp()
        with open(f"{self.folder}/body", "wb") as file:
            file.write(BODY)
        self.process = subprocess.Popen(
            [f"{BUILD}/bin/toril-run", "--metrics", "0", "-p", "0:80",
             "-v", f"{self.folder}:/srv:ro", *options,
             f"{BUILD}/apps/webserver", "/srv"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True)
        self.ports = {}
        for _ in range(2):
            line = self.process.stderr.readline()
            match = re.fullmatch(r"127\.0\.0\.1:(\d+) -> (\w+)\n", line)
            assert match, line
            self.ports[match[2]] = int(match[1])
        self.lines = []
        self.seen = threading.Condition()
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        for line in self.process.stderr:
            with self.seen:
                self.lines.append(line.rstrip("\n"))
                self.seen.notify_all()

    def ask(self, port, path, method="GET"):
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=WAIT)
        client.request(method, path)
        answer = client.getresponse()
        answer.text = answer.read()
        client.close()
        return answer

    def metrics(self):
        answer = self.ask(self.ports["metrics"], "/metrics")
        assert answer.status == 200, answer.status
        kind = answer.getheader("Content-Type")
        assert kind == "text/plain; version=0.0.4; charset=utf-8", kind
        return answer.text.decode()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(WAIT) in (0, 143)
        self.process.stderr.close()
        shutil.rmtree(self.folder)


def check(text):
    """What promtool checks, of the little that is used here."""
    values, kinds, helped = {}, {}, set()
    for line in text.splitlines():
        if match := re.fullmatch(r"# HELP (\w+) (\S.*\.)", line):
            assert match[1] not in helped, line
            helped.add(match[1])
        elif match := re.fullmatch(r"# TYPE (\w+) (counter|gauge)", line):
            kinds[match[1]] = match[2]
        else:
            match = re.fullmatch(
                r'(\w+)(\{(?:\w+="[^"\\\n]*",?)+\})? (\d+(?:\.\d+)?)', line)
            assert match and match[1] in helped & set(kinds), line
            assert match[1] + (match[2] or "") not in values, line
            assert (kinds[match[1]] == "counter") == \
                match[1].endswith("_total"), line
            values[match[1] + (match[2] or "")] = float(match[3])
    assert all(name.startswith("toril_") for name in kinds)
    return values


def serves():
    with Machine("-c", "2", "-m", "48M") as machine:
        for _ in range(10):
            answer = machine.ask(machine.ports["80"], "/body")
            assert answer.text == BODY, answer.status
        text = machine.metrics()
        values = check(text)
        while not values["toril_filesystem_requests_total"]:
            values = check(machine.metrics())  # the guest is asked each second
        # INIT, the root's attributes; LOOKUP, OPEN and READ at least
        assert 5 <= values["toril_filesystem_requests_total"] < 50, values
        assert 1 << 18 < values["toril_memory_used_bytes"] < 48 << 20, values
        assert re.search(r'^toril_info\{image="webserver",version="[\d.]+"\} 1$',
                         text, re.M), text
        assert values["toril_up"] == 1 and values["toril_cpus"] == 2
        assert values["toril_memory_limit_bytes"] == 48 << 20
        assert values['toril_connections_opened_total{direction="in"}'] == 10
        sent = values["toril_network_transmit_bytes_total"]
        assert 10 * len(BODY) < sent < 10 * len(BODY) + 10000, sent
        assert 0 < values["toril_network_receive_bytes_total"] < 10000
        assert values['toril_process_resident_memory_bytes{process="qemu"}'] \
            > 1 << 20
        assert values['toril_process_cpu_seconds_total{process="qemu"}'] > 0
        assert values['toril_vsock_interrupts_total{queue="rx"}'] > 0
        with socket.create_connection(("127.0.0.1", machine.ports["80"])):
            machine.ask(machine.ports["80"], "/body")  # let in after it
            now = check(machine.metrics())
            assert now['toril_connections{direction="in"}'] >= 1, now
        for name, value in values.items():
            assert "_total" not in name or now[name] >= value, name
        if promtool := shutil.which("promtool"):
            subprocess.run([promtool, "check", "metrics"], input=text,
                           text=True, check=True, timeout=WAIT,
                           capture_output=True)
        else:
            print("# promtool is not here")


def answers():
    with Machine() as machine:
        port = machine.ports["metrics"]
        assert machine.ask(port, "/").status == 404
        assert machine.ask(port, "/metricsx").status == 404
        answer = machine.ask(port, "/metrics", "HEAD")
        assert (answer.status, answer.text) == (200, b"")
        assert int(answer.getheader("Content-Length")) > 500
        answer = machine.ask(port, "/metrics", "POST")
        assert (answer.status, answer.getheader("Allow")) == (405, "GET, HEAD")
        # clients that say nothing, or never end: others are served
        idle = [socket.create_connection(("127.0.0.1", port))
                for _ in range(12)]
        idle[0].sendall(b"GET /metrics HTTP/1.1\r\n" + b"x: y\r\n" * 1000)
        assert "toril_up 1" in machine.metrics()
        for one in idle:
            one.close()
        assert "toril_up 1" in machine.metrics()


def prints():
    with Machine("--stats") as machine:
        def busy():
            return [line for line in machine.lines if re.fullmatch(
                r"toril-run: cpu \d+% memory [\d.]+M connections \d+ of "
                r"[1-9]\d* in [\d.]+[BK]/s out [\d.]+[BKM]/s "
                r"files \d+/s", line)]
        machine.ask(machine.ports["80"], "/body")
        with machine.seen:
            assert machine.seen.wait_for(lambda: len(busy()) > 1, WAIT), \
                machine.lines


def taken():
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        for words, status in ((["--metrics", str(port)], 125),
                              (["--metrics", "nonsense"], 125)):
            done = subprocess.run(
                [f"{BUILD}/bin/toril-run", *words, f"{BUILD}/apps/hello"],
                stdin=subprocess.DEVNULL, capture_output=True, text=True,
                timeout=WAIT, check=False)
            assert done.returncode == status and "metrics" in done.stderr, done


sys.exit(tap.run([("figures of a web server", serves),
                  ("what the page's server answers", answers),
                  ("--stats", prints), ("a port that is taken", taken)]))
