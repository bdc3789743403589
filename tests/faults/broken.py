"""`outwatch run` or `outwatch notify` with a bug that is known, the first argument: what an ordeal that is worth anything must find."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from streams.engine.incidents import Incidents
from streams.notifier import delivery, lanes
from streams.notifier.progress import Progress
from streams.notifier.verdicts import Course

__all__ = ["BUGS", "broken"]

_incidents: Any = Incidents
_lanes: Any = lanes.Lanes
_delivery: Any = delivery
_drain, _load, _course = _incidents.drain, _incidents.load, _delivery.course


def _commits_before_it_sends() -> None:
    """The notifier says that it is done with what it only read."""
    _lanes._progress = lambda _, __, end: Progress(end, end)


def _sends_out_of_order() -> None:
    """Each notification has a lane of its own, and a trigger that failed is sent although its incident is over."""
    vars(lanes)["lane_of"] = lambda each: (each.id, each.receiver.type, each.receiver.id)
    _delivery.course = lambda *said: Course.SEND if _course(*said) is Course.STALE else _course(*said)


def _drops_what_fails() -> None:
    """What a receiver does not take is given up, as if it had been sent."""
    _delivery.Delivery._again = lambda self, intent, *_: self._lanes.finish(intent)


def _forgets_incidents() -> None:
    """Rows of incidents are not written, so that who takes over does not know of them."""
    _incidents.drain = lambda *said: _drain(*said)._replace(rows=[])


def _forgets_deadlines() -> None:
    """Whoever takes over owes nothing."""

    def load(self: Incidents, row: Any) -> None:
        _load(self, row)
        last = [*self.held.values()][-1]
        object.__setattr__(last, "due_ms", None)

    _incidents.load = load


BUGS: Final[dict[str, tuple[str, Callable[[], None]]]] = {
    "commits before it sends": ("notify", _commits_before_it_sends),
    "sends out of order": ("notify", _sends_out_of_order),
    "drops what fails": ("notify", _drops_what_fails),
    "forgets incidents": ("run", _forgets_incidents),
    "forgets deadlines": ("run", _forgets_deadlines),
}
"""By name, the command and what breaks it."""


def broken(bug: str) -> tuple[str, ...]:
    """The arguments of Python that run the command with this bug."""
    return str(Path(__file__)), bug, BUGS[bug][0]


if __name__ == "__main__":
    from streams.cli import main

    BUGS[sys.argv.pop(1)][1]()
    main()
