"""Rules that raised: what they raised on, so that the other rules go on and somebody can mend the one.

Guarantee: no rule's failure stops another, nor the same rule in another scope. Its condition stays as it was, and is judged again at the
next grid point. Bound: of each rule and scope one letter an hour of stream time, so that a rule which raises everywhere floods nobody;
every failure is counted. After a restart a letter may come again.
"""

import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import orjson

from models.rules import Rule
from models.windows import HOUR_MS

__all__ = ["Failed", "Failures"]

_EVERY_MS: Final = HOUR_MS


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

    __slots__ = ("_told_ms", "count", "fresh")

    def __init__(self) -> None:
        self._told_ms: dict[tuple[str, str, str], int] = {}
        self.count = 0
        """Since this was last asked for."""
        self.fresh: list[Failed] = []

    def note(self, partner_id: str, rule: Rule, scope: str, at_ms: int, saw: Callable[[], dict[str, Any]], error: Exception) -> None:
        """Judging `rule` in `scope` at a grid point raised `error`; `saw` says on what, and may raise too."""
        self.count += 1
        key = (rule.id, rule.revision, scope)
        if at_ms - self._told_ms.get(key, -_EVERY_MS) < _EVERY_MS:
            return
        self._told_ms[key] = at_ms
        said = {"partner": partner_id, "rule": rule.id, "revision": rule.revision, "scope": scope, "at": at_ms}
        try:
            said |= saw()
        except Exception as more:  # noqa: BLE001 - what made the rule raise may make this raise
            said["unseen"] = repr(more)
        value = orjson.dumps(said, default=repr, option=orjson.OPT_NON_STR_KEYS)
        self.fresh.append(Failed(at_ms, partner_id.encode(), value, "".join(traceback.format_exception(error))))

    def take(self) -> tuple[int, list[Failed]]:
        """How many there were since the last call, and those to be told of."""
        taken = self.count, self.fresh
        self.count, self.fresh = 0, []
        return taken
