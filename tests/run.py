#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""run.py [-j N] [-t SECONDS] TEST...: run test programs that print TAP.

Each test is an executable without arguments.  It must print a plan that its
results fulfil, and exit with 0; everything else is a failure, silence first of all.
A test that runs too long is ended with all that it started.  The last line is
`N passed, N failed`, in single results.
"""
import argparse
import concurrent.futures
import os
import re
import signal
import subprocess
import sys
import threading
import time

RESULT = re.compile(r"(not )?ok\b *(\d+)?(?: *-? *(.*))?$")
PLAN = re.compile(r"1\.\.(\d+)")
print_lock = threading.Lock()


class Report:
    """What one test said, judged."""

    def __init__(self, text, status, timed_out, seconds):
        self.passed = self.skipped = 0
        self.failures = []
        self.seconds = seconds
        self.text = text
        plan = None
        for line in text.splitlines():
            if match := PLAN.match(line):
                plan = int(match[1])
            elif match := RESULT.match(line):
                self._result(match)
        seen = self.passed + self.skipped + len(self.failures)
        if timed_out:
            self.failures.append(f"timed out after {seconds:.0f} s")
        if plan is None:
            self.failures.append("no plan")
        elif seen != plan:
            self.failures.append(f"{seen} results, {plan} planned")
        elif plan == 0:
            self.failures.append("an empty plan")
        if status and not self.failures:
            self.failures.append(f"exit status {status}")

    def _result(self, match):
        name = match[3] or f"number {match[2]}"
        if match[1]:
            self.failures.append(name)
        elif re.search(r"# *skip", name, re.I):
            self.skipped += 1
        else:
            self.passed += 1


def run(path, limit):
    start = time.monotonic()
    timed_out = False
    with subprocess.Popen([path], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          start_new_session=True) as process:
        try:
            out, _ = process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            timed_out = True
            os.killpg(process.pid, signal.SIGTERM)
            try:
                out, _ = process.communicate(timeout=20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                out, _ = process.communicate()
    return Report(out.decode(errors="replace"), process.returncode, timed_out,
                  time.monotonic() - start)


def show(path, report):
    bad = len(report.failures)
    with print_lock:
        print(f"{'FAIL' if bad else 'ok  '} {path}: {report.passed} passed"
              + (f", {bad} failed" if bad else "")
              + (f", {report.skipped} skipped" if report.skipped else "")
              + f" ({report.seconds:.1f} s)", flush=True)
        if bad:
            for failure in report.failures:
                print("     not ok:", failure)
            for line in report.text.splitlines()[-40:]:
                print("     |", line)
            sys.stdout.flush()


def one(path, limit):
    try:
        report = run(path, limit)
    except OSError as error:
        report = Report("", 1, False, 0)
        report.failures = [str(error)]
    show(path, report)
    return report


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("-j", type=int, default=2)
    parser.add_argument("-t", type=float, default=900)
    parser.add_argument("tests", nargs="+")
    args = parser.parse_args()
    with concurrent.futures.ThreadPoolExecutor(args.j) as pool:
        reports = list(pool.map(lambda t: one(t, args.t), args.tests))
    failed = sum(len(r.failures) for r in reports)
    skipped = sum(r.skipped for r in reports)
    if skipped:
        print(f"{skipped} skipped")
    print(f"{sum(r.passed for r in reports)} passed, {failed} failed")
    return 1 if failed or not reports else 0


sys.exit(main())
