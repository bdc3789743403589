"""What happens in the demo, and whether it came as it should. Pure but for the time that it is given."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from streams.simulate import Script

__all__ = ["DEGRADES_AFTER_SECONDS", "RECOVERS_AFTER_SECONDS", "Story"]

DEGRADES_AFTER_SECONDS: Final = 10.0
RECOVERS_AFTER_SECONDS: Final = 60.0
PARTNER: Final = "delta"

_SILENT: Final = frozenset({"pending", "cleared"})
"""Kinds of transition that nobody would be told of."""

Json = Mapping[str, Any]


class Story:
    """One partner degrades 10 s after the first figures and recovers at 60 s; its alert fires, and resolves.

    Args:
        script: of the simulation, told when.
    """

    def __init__(self, script: Script) -> None:
        self._script = script
        self._first_at: float | None = None
        self._told: set[str] = set()
        self._alert: str | None = None
        self._begun = False
        self._ended = False
        self.fired_after: float | None = None
        """Seconds from the first figures until the first alert of the partner that degraded fired."""
        self.resolved_after: float | None = None
        """Seconds from the first figures until that alert resolved."""

    def seconds(self, at: float) -> float | None:
        """Seconds since the first figures; None before."""
        return None if self._first_at is None else at - self._first_at

    def go_on(self, at: float, *, figures: bool) -> list[str]:
        """Do what is due at `at` (seconds), and say it; `figures` is whether the view shows any."""
        if self._first_at is None and figures:
            self._first_at = at
        since = self.seconds(at)
        said = []
        if since is not None and not self._begun and since >= DEGRADES_AFTER_SECONDS:
            self._begun = True
            self._script.begin(PARTNER)
            said.append(f"{since:.0f} s after the first figures: {PARTNER} degrades")
        if since is not None and not self._ended and since >= RECOVERS_AFTER_SECONDS:
            self._ended = True
            self._script.end(PARTNER)
            said.append(f"{since:.0f} s after the first figures: {PARTNER} recovers")
        return said

    def news(self, transitions: Iterable[Json], at: float) -> list[Json]:
        """Those that were not told yet and that somebody would be told of."""
        fresh = [event for event in transitions if event["id"] not in self._told]
        self._told.update(event["id"] for event in fresh)
        for event in fresh:
            if event["partner"] == PARTNER and self._begun:
                self._follow(event, at)
        return [event for event in fresh if event["transition"]["kind"] not in _SILENT]

    def _follow(self, event: Json, at: float) -> None:
        kind = event["transition"]["kind"]
        if kind == "fired" and self._alert is None:
            self._alert = event["fingerprint"]
            self.fired_after = self.seconds(at)
        elif kind == "resolved" and self._alert == event["fingerprint"]:
            self.resolved_after = self.seconds(at)

    @property
    def over(self) -> bool:
        """Whether the partner recovered and its alert has resolved."""
        return self._ended and self.resolved_after is not None
