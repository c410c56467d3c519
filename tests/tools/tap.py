# SPDX-License-Identifier: BSD-2-Clause
"""Cases as functions, their results as TAP."""
import subprocess


def run(cases):
    """Each is (name, function); one that raises has failed."""
    print(f"1..{len(cases)}", flush=True)
    failed = 0
    for n, (name, case) in enumerate(cases, 1):
        try:
            case()
            print(f"ok {n} - {name}", flush=True)
        except (AssertionError, OSError, subprocess.SubprocessError) as why:
            failed += 1
            print(f"not ok {n} - {name}")
            for line in str(why).splitlines():
                print("#", line, flush=True)
    return 1 if failed else 0
