"""`outwatch notify` that looks for handovers each second in place of each minute, and gathers the lines of a digest for two seconds."""

from pathlib import Path
from typing import Any, Final

from streams.notifier import digests, notifier

__all__ = ["IMPATIENT"]

IMPATIENT: Final = (str(Path(__file__)), "notify")
"""The arguments of Python that run it."""

_notifier: Any = notifier
_digests: Any = digests

if __name__ == "__main__":
    from streams.cli import main

    _notifier.HANDOVER_SECONDS = 1.0
    _digests.GATHER_MS = 2_000
    main()
