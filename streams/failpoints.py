"""Failpoints: places where a test ends the process, as if it had been killed there.

`OUTWATCH_FAILPOINT=commit.inside:3` ends it with SIGKILL when `commit.inside` is passed for the third time. Without the variable a
failpoint costs one comparison, and none lies on the way of an event.
"""

import os
import signal
from collections import Counter
from typing import Final

__all__ = ["NAMES", "hit"]

NAMES: Final = ("recovery.fenced", "recovery.read", "commit.before", "commit.inside", "commit.after")

_WANTED, _, _COUNT = os.environ.get("OUTWATCH_FAILPOINT", "").partition(":")
_hits: Counter[str] = Counter()


def hit(name: str) -> None:
    """Pass the failpoint `name`, one of `NAMES`."""
    if name == _WANTED:
        _hits[name] += 1
        if _hits[name] >= int(_COUNT or 1):
            os.kill(os.getpid(), signal.SIGKILL)
