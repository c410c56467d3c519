# SPDX-License-Identifier: BSD-2-Clause
"""A bar on stderr for what takes longer than two seconds, where that is a
terminal and only there."""
import sys
import time

PATIENCE, STEP, WIDTH = 2, 0.2, 20


class Progress:
    """To be entered with `with`: the bar is gone behind it."""

    def __init__(self, what, clock=time.monotonic):
        self.what, self.clock = what, clock
        self.begin = self.last = clock()
        self.wanted = sys.stderr is not None and sys.stderr.isatty()
        self.shown = False

    def at(self, fraction):
        """So much is done, of 1; None: nobody knows."""
        if not self.wanted:
            return
        now = self.clock()
        if now - self.begin < PATIENCE or \
                (self.shown and now - self.last < STEP):
            return
        if fraction is None:
            steps = int((now - self.begin) / STEP) % WIDTH
            text = f"{'=':>{steps + 1}}"
            said = f"{now - self.begin:.0f} s"
        else:
            fraction = min(max(fraction, 0), 1)
            text, said = "=" * int(fraction * WIDTH), f"{fraction:.0%}"
        sys.stderr.write(f"\r{self.what} [{text:<{WIDTH}}] {said}\x1b[K")
        sys.stderr.flush()
        self.shown, self.last = True, now

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self.shown = False
