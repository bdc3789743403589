"""What the policy that holds now says of whom alerts page, and of who is on call."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import unquote

from pydantic import TypeAdapter

from models.notices import OverrideState
from models.oncall import Gap, Rotation, compile_rotation, coverage
from models.policy_record import CURRENT
from models.policy_spec import Rotations
from models.topics import BROADCAST
from models.windows import HOUR_MS

__all__ = ["ADOPTED_MS", "Book"]

ADOPTED_MS: Final = 120_000
"""After it was applied a policy is one that all workers hold to."""
_GAPS_MAX: Final = 100
_ROTATIONS: Final = TypeAdapter[Rotations](Rotations)

Json = Mapping[str, Any]
"""A record as JSON gives it: a newer release may have put more into it."""


class Book:
    """Takes the current parts of a policy, whatever else they say."""

    def __init__(self) -> None:
        self._shared: Json = {}
        self._applied_ms: dict[str, int] = {}
        self._own: dict[str, str | None] = {}
        """By partner, the escalation of rules that name none."""
        self._rotations: list[Rotation] = []
        self._gaps: tuple[int, tuple[Gap, ...]] | None = None
        """The hour in which they were looked for, and what was found."""

    def put(self, key: bytes, body: Json | None) -> None:
        """Take a record of `outwatch.policies`; None is a tombstone.

        Raises:
            ValueError: if its rotations do not read; what was known of them stays.
        """
        named, _, last = key.decode().partition("/")
        if last != CURRENT:
            return
        partner, part = unquote(named), {} if body is None else body["part"]
        self._applied_ms[partner] = 0 if body is None else body["applied_at"]
        if partner != BROADCAST:
            self._own[partner] = part.get("escalation")
            if body is None:
                del self._own[partner], self._applied_ms[partner]
            return
        names = {each["id"] for each in part.get("escalations", ())}
        rules = {each["id"]: (each.get("escalation"), each.get("partners")) for each in part.get("rules", ())}
        self._shared = {"escalations": names, "rules": rules, "escalation": part.get("escalation")}
        people = {each["id"]: each.get("partner") for each in part.get("people", ())}
        self._rotations = [compile_rotation(each, people) for each in _ROTATIONS.validate_python(part.get("rotations", ()))]
        self._gaps = None

    @property
    def escalates(self) -> bool:
        """Whether alerts may page at all."""
        return bool(self._shared.get("escalations"))

    def pages(self, partner: str, rule: str, fired_ms: int) -> bool:
        """Whether an alert that fired then has an escalation, by a policy that held already when it did."""
        if partner not in self._own or rule not in self._shared.get("rules", {}):
            return False
        applied_ms = max(self._applied_ms.get(BROADCAST, 0), self._applied_ms[partner])
        named, partners = self._shared["rules"][rule]
        escalation = named or self._own[partner] or self._shared["escalation"]
        meant = partners is None or partner in partners
        return meant and escalation in self._shared["escalations"] and fired_ms >= applied_ms + ADOPTED_MS

    def changed(self) -> None:
        """Overrides are others: look for gaps anew."""
        self._gaps = None

    def gaps(self, at_ms: int, overrides: Sequence[OverrideState]) -> tuple[Gap, ...]:
        """When nobody will be on call in the next 14 days, looked for once an hour; the first hundred."""
        hour = at_ms // HOUR_MS
        if self._gaps is None or self._gaps[0] != hour:
            found = sorted(coverage(self._rotations, at_ms, overrides), key=lambda each: each.begin_ms)
            self._gaps = hour, tuple(found[:_GAPS_MAX])
        return self._gaps[1]
