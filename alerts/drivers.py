"""Drivers: which part of a partner a change of a figure came from, as exact rate and mix effects. Attribution, not cause.

A ratio over the parts of one dimension is R = sum(w_i r_i), where w_i is a part's share of the denominator and r_i its own ratio. From
a window before (0) to the one now (1) it changed by the sum over the parts of

    rate effect   w1_i (r1_i - r0_i)                its own figure became another
    mix effect    (w1_i - w0_i) (r0_i - R0)         it took more, or less, of the whole

which is exact: nothing is left over. A part that was not there before has R0 as its r0, so that it shows as a rate effect alone.
"""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from alerts.explanation import number
from models.figures import Estimate, Kind
from models.kpis import Unit
from models.records import Attribution, Driver

__all__ = ["NAMELESS", "SHARE_MIN", "Before", "Parts", "attribute", "can_be_attributed", "effects"]

SHARE_MIN: Final = 0.2
"""A dimension whose largest effect is less of all that moved names no driver."""
_TOLD: Final = 3
_EQUAL: Final = 1e-9
NAMELESS: Final = "(none)"
"""The key of what names no part of a dimension: without it the parts would not add up to the whole."""

_LINEAR: Final = frozenset({Kind.PROPORTION, Kind.MEAN, Kind.RATIO, Kind.RATE, Kind.POINTS})

Parts = Mapping[str, Estimate]
"""Of one dimension: by key (a queue's name), what the KPI is there."""


class Before(NamedTuple):
    """The equal window before the one that is judged."""

    whole: Estimate
    from_ms: int
    """Inclusive."""
    to_ms: int
    """Exclusive."""


def effects(dimension: str, before: Parts, now: Parts) -> list[Driver]:
    """The effect of every part, the largest first; empty where one of the windows holds nothing.

    The estimates must be of a kind that `can_be_attributed`.
    """
    w0, w1 = _weights(before), _weights(now)
    if not w0 or not w1:
        return []
    r0, r1 = _values(before), _values(now)
    whole0 = sum(weight * r0[key] for key, weight in w0.items())
    found = []
    for key in sorted(w0.keys() | w1.keys()):
        share0, share1, rate0 = w0.get(key, 0.0), w1.get(key, 0.0), r0.get(key, whole0)
        rate = share1 * (r1[key] - rate0) if key in r1 else 0.0
        found.append((key, rate, (share1 - share0) * (rate0 - whole0)))
    change = sum(rate + mix for _, rate, mix in found)
    moved = sum(abs(rate + mix) for _, rate, mix in found) * (1 if change >= 0 else -1)
    drivers = [
        Driver(
            dimension=dimension,
            key=key,
            effect=rate + mix,
            rate_effect=rate,
            mix_effect=mix,
            share=(rate + mix) / moved if moved else 0.0,
            n=now[key].n if key in now else 0,
        )
        for key, rate, mix in found
    ]
    return sorted(drivers, key=lambda each: (-each.share, each.key))


def can_be_attributed(estimate: Estimate) -> bool:
    """Whether its value is a numerator over a denominator that add up over parts."""
    return estimate.kind in _LINEAR


def attribute(before: Before, now: Estimate, unit: Unit, dimensions: Iterable[tuple[str, Parts, Parts]]) -> Attribution | None:
    """What the change from `before` to `now` is put down to; None where there is no change to put down to anything.

    Args:
        before: The whole in the window before.
        now: The whole in the window now.
        unit: Of the KPI.
        dimensions: What the whole may be taken apart by, as (name, parts before, parts now); of equals the first is told. One that
            has a single part explains nothing, nor does one of which most lies with what names no part of it.
    """
    value_before = before.whole.value
    if value_before is None or now.value is None or value_before == now.value:
        return None
    best: list[Driver] = []
    for name, *parts in dimensions:
        found = effects(name, *parts) if len(parts[0].keys() | parts[1].keys()) > 1 else []
        if found and found[0].key != NAMELESS and found[0].share >= max(SHARE_MIN, best[0].share + _EQUAL if best else 0):
            best = found
    told = tuple(each for each in best[:_TOLD] if each.share > 0)
    change = now.value - value_before
    text = _text(value_before, unit, told)
    return Attribution.model_validate(
        {"value_before": value_before, "change": change, "drivers": told, "from": before.from_ms, "to": before.to_ms, "text": text}
    )


def _text(value_before: float, unit: Unit, drivers: tuple[Driver, ...]) -> str:
    """`from 85 %: 72 % of what moved is queue billing, by its own figure`."""
    was = f"from {number(value_before, unit)} in the window before"
    if not drivers:
        return f"{was}: no single driver"
    first = drivers[0]
    how = "by its own figure" if abs(first.rate_effect) >= abs(first.mix_effect) else "by its share of the contacts"
    return f"{was}: {number(first.share, Unit.RATIO)} of what moved is {first.dimension} {first.key}, {how}"


def _weights(parts: Parts) -> dict[str, float]:
    """Each part's share of the denominator; parts without one have none."""
    total = sum(each.denominator for each in parts.values() if each.value is not None)
    return {key: each.denominator / total for key, each in parts.items() if each.value is not None} if total else {}


def _values(parts: Parts) -> dict[str, float]:
    return {key: each.value for key, each in parts.items() if each.value is not None}
