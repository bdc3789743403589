"""Rules that raised, and what tells, suppresses or escalates their alerts: on what, so that all others go on and somebody can mend it.

Guarantee: no rule's failure stops another, nor the same rule in another scope. Its condition stays as it was, and is judged again at the
next grid point. An alert goes out all the same: with a plain sentence, as one that weighs nothing, with what stood beside it before, or
without a change of its incidents. Bound: of each rule and scope one letter an hour of stream time, so that a rule which raises
everywhere floods nobody; every failure is counted. After a restart a letter may come again.
"""

import traceback
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, NamedTuple

import orjson

from alerts.condition import Condition
from models.rules import Rule
from models.windows import HOUR_MS

__all__ = ["Failed", "Failures", "Place", "Stage", "Tally"]

_EVERY_MS: Final = HOUR_MS
_SAID_MAX: Final = 200


class Stage(StrEnum):
    """What was done when it raised."""

    JUDGE = "judge"
    WEIGH = "weigh"
    """How much its scope matters."""
    EXPLAIN = "explain"
    BESIDE = "beside"
    """What stands beside an alert, such as why its page waits."""
    INCIDENT = "incident"


class Place(NamedTuple):
    """Where something raised."""

    step: Stage
    rule: str
    """Empty where it was an escalation's doing."""
    revision: str
    scope: str
    """Empty before it came to any."""
    escalation: str = ""


@dataclass(slots=True)
class Tally:
    """How often a rule raised, or an escalation."""

    times: int
    error: str
    """The last one, on one line."""


@dataclass(slots=True)
class Failed:
    """One of them, as the record that a letter is of."""

    timestamp: int
    """The grid point."""
    key: bytes | None
    """The partner."""
    value: bytes | None
    """What it was judged on, as JSON."""
    error: str
    """The traceback."""
    offset: int = 0
    """Its rule came from a policy, of which nobody knows which record that was."""
    headers: Any = ()


class Failures:
    """Of one partner."""

    __slots__ = ("_told_ms", "count", "fresh", "tallies")

    def __init__(self) -> None:
        self._told_ms: dict[Place, int] = {}
        self.count = 0
        """Since this was last asked for."""
        self.fresh: list[Failed] = []
        self.tallies: dict[str, Tally] = {}
        """By `rule sl` or `escalation ops`, since the process began."""

    def note(self, partner_id: str, place: Place, at_ms: int, saw: Callable[[], dict[str, Any]], error: Exception) -> None:
        """Something raised `error` at a grid point; `saw` says on what, and may raise too."""
        self.count += 1
        name = f"rule {place.rule}" if place.rule else f"escalation {place.escalation}"
        before = self.tallies.get(name)
        self.tallies[name] = Tally(1 + (before.times if before else 0), repr(error)[:_SAID_MAX])
        if at_ms - self._told_ms.get(place, -_EVERY_MS) < _EVERY_MS:
            return
        self._told_ms = {each: told_ms for each, told_ms in self._told_ms.items() if at_ms - told_ms < _EVERY_MS} | {place: at_ms}
        said = {"partner": partner_id, **place._asdict(), "at": at_ms}
        try:
            said |= saw()
        except Exception as more:  # noqa: BLE001 - what made the rule raise may make this raise
            said["unseen"] = repr(more)
        value = orjson.dumps(said, default=repr, option=orjson.OPT_NON_STR_KEYS)
        self.fresh.append(Failed(at_ms, partner_id.encode(), value, "".join(traceback.format_exception(error))))

    def raised(self, step: str, rule: Rule | None, condition: Condition, at_ms: int, error: Exception) -> None:
        """As `note`, of what was done with a condition once it was judged, a `Stage`; `rule` is None where it is gone."""
        place = Place(Stage(step), condition.rule_id, condition.revision if rule is None else rule.revision, condition.scope)
        self.note(condition.partner, place, at_ms, lambda: {"condition": condition.to_row()}, error)

    def take(self) -> tuple[int, list[Failed]]:
        """How many there were since the last call, and those to be told of."""
        taken = self.count, self.fresh
        self.count, self.fresh = 0, []
        return taken
