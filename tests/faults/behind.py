"""`outwatch run` as it was a while ago: the wall clock of this process is so many seconds behind, the first argument.

What it reads of the broker is of now, so its records bear times of their own (CreateTime).
"""

import sys
import time

BEHIND_NS = int(sys.argv.pop(1)) * 1_000_000_000
# ruff: noqa: TID251 - the clock is replaced, for this process
_now_ns = time.time_ns
time.time_ns = lambda: _now_ns() - BEHIND_NS
time.time = lambda: time.time_ns() / 1e9

if __name__ == "__main__":
    from streams.cli import main

    main()
