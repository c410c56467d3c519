#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""commands.py <LINES: a JSON compilation database of lines of shell words, the
first of which is a source file and the rest how it is compiled."""
import json
import os
import shlex
import sys

json.dump([{"directory": os.getcwd(), "file": file,
            "arguments": [*command, "-c", file]}
           for file, *command in map(shlex.split, sys.stdin)],
          sys.stdout, indent=1)
