"""From when on the definitions hold that a partner's figures are counted under.

What is computed from stored measures alone holds for all that is stored, also under a new definition: targets, directions, variants of
the service level, boxes. What was decided when an event was counted holds from the change on: the limits X and S, the repeat window W,
the scale that ratings are read on, the formula of a KPI of the policy's own. Time here is that of events: everything from then on was
counted so.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from models.definitions import DEFAULT, Definition
from models.kpis import CATALOGUE, Kpi
from models.measures import Family
from models.policy import PartnerPolicy
from models.windows import QUARTER_MS, Scope

__all__ = ["Since", "aspects_of"]

_BASES: Final = {"basis": Family.INTERACTIONS, "repeats": Family.HISTORY}
"""What the cells of a family are counted under: of these it is known whether a window holds any of before."""
_BY_QUARTERS: Final = "repeats"
"""A visit counts at the end of its quarter hour, and so a while after it was told of."""
_SCALES: Final = ("csat", "ces")
_FORMULA: Final = "kpi"


def _values(definition: Definition) -> dict[str, Any]:
    """What counting depends on."""
    return {
        "basis": [*definition.basis],
        "repeats": definition.repeat_window_ms,
        "csat": definition.csat.scale_max,
        "ces": definition.ces.scale_max,
    }


_USUAL: Final = _values(DEFAULT)


def aspects_of(policy: PartnerPolicy) -> dict[str, Any]:
    """What events are counted under: what differs from the default, of channels and queues what differs from the partner's."""
    base = _values(policy.base)
    found = {name: value for name, value in base.items() if value != _USUAL[name]}
    places = [(Scope("channel", name), policy.definition(None, name)) for name in policy.channels]
    places += [(Scope("queue", name), policy.definition(name, None)) for name in policy.queues]
    for scope, definition in places:
        found |= {f"{name} {scope}": value for name, value in _values(definition).items() if value != base[name]}
    return found | {f"{_FORMULA} {formula:012x}": True for formula in policy.customs.shifts}


def _value(aspects: Mapping[str, Any], key: str) -> Any:
    """What holds for a key, whether it is said of it or of the whole partner."""
    name = key.partition(" ")[0]
    return aspects.get(key, aspects.get(name, _USUAL.get(name)))


def _depends(kpi: Kpi, name: str, definition: Definition) -> bool:
    if name in _BASES:
        return kpi.counted_under is _BASES[name] and kpi.needs_basis(definition)
    return kpi.scale == name


class Since:
    """Of one partner."""

    __slots__ = ("aspects", "at_ms")

    def __init__(self, policy: PartnerPolicy) -> None:
        self.aspects = aspects_of(policy)
        self.at_ms: dict[str, int] = {}
        """Of what changed while something was stored: from when on it holds."""

    def __bool__(self) -> bool:
        """Whether anything ever changed."""
        return bool(self.at_ms)

    def change(self, policy: PartnerPolicy, at_ms: int, ledger_ms: int) -> None:
        """From `at_ms` on all is counted under a policy; nothing before `ledger_ms` is stored."""
        before, self.aspects = self.aspects, aspects_of(policy)
        for key in before.keys() | self.aspects.keys():
            if _value(before, key) != _value(self.aspects, key):
                self.at_ms[key] = at_ms + -at_ms % QUARTER_MS if key.partition(" ")[0] == _BY_QUARTERS else at_ms
        gone = [key for key, at in self.at_ms.items() if at < ledger_ms or (key.startswith(f"{_FORMULA} ") and key not in self.aspects)]
        for key in gone:
            del self.at_ms[key]

    def holds_from(self, name: str, scope: Scope) -> int:
        """From when on all that a scope counts was counted as now, by `basis`, `repeats`, or a scale (`csat`, `ces`); 0 if always."""
        return max((self.at_ms[key] for key in self._bearing_on(name, scope)), default=0)

    def _bearing_on(self, name: str, scope: Scope) -> Iterator[str]:
        for key in self.at_ms:
            of, _, place = key.partition(" ")
            if of != name:
                continue
            if not place:
                if f"{name} {scope}" not in self.aspects:
                    yield key
            elif scope.dimension == "all" or place == str(scope) or not place.startswith(f"{scope.dimension}="):
                yield key

    def later(self, policy: PartnerPolicy, scope: Scope, start_ms: int, mixed: int) -> tuple[tuple[str, int], ...]:
        """The KPIs, each with when its definition began to hold, that have a past under another one in a window from `start_ms` on.

        `mixed` has a bit for each family of which something in the window was counted under another basis.
        """
        definition, found = policy.scope_definition(scope), list[tuple[str, int]]()
        for name in (*_SCALES, *(name for name, family in _BASES.items() if mixed >> family & 1)):
            at_ms = self.holds_from(name, scope)
            if at_ms > start_ms:
                found += [(kpi.id, at_ms) for kpi in CATALOGUE.values() if _depends(kpi, name, definition)]
        for kpi, formula in zip(policy.customs.kpis, policy.customs.shifts, strict=True):
            at_ms = self.at_ms.get(f"{_FORMULA} {formula:012x}", 0)
            if at_ms > start_ms:
                found.append((kpi.id, at_ms))
        return tuple(found)

    def to_row(self) -> list[Any]:
        """What the partner's row keeps."""
        return [self.aspects, self.at_ms] if self.aspects or self.at_ms else []

    def load(self, row: list[Any]) -> None:
        """The opposite of `to_row`, before `loaded`."""
        self.aspects, self.at_ms = row or ({}, {})

    def loaded(self, policy: PartnerPolicy, at_ms: int, ledger_ms: int) -> None:
        """All rows were taken: where the policy became another since they were written, that holds from `at_ms` on."""
        if self.aspects != aspects_of(policy):
            self.change(policy, at_ms, ledger_ms)
