"""Closed stretches as the view keeps them: their measures packed small, and the figures that they come to. Pure.

```python
value = pack(record)                                # of outwatch.rollups.1m, .15m or .1d; 30 to 300 bytes
stretch = unpack(value)
figures_of([stretch, ...], definition, customs)     # a figure of several stretches is that of the sum of their measures
```

The view keeps minutes and quarter hours of whole partners, and days of every scope; the topics have all of them.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple

import msgspec

from models.bins import Distributions, of_records
from models.custom import NO_CUSTOMS, Customs
from models.definitions import Definition
from models.kpis import Kpi, figures, percentile
from models.measures import FAMILIES, OFFSETS, flat_zero
from models.topics import MINUTES_KEPT_MS, QUARTERS_KEPT_MS
from models.windows import DAY_MS, HOUR_MS, MINUTE_MS, QUARTER_MS

__all__ = [
    "BLOCK_MS",
    "KEPT_MS",
    "Place",
    "Stretch",
    "Tier",
    "blocks",
    "fields",
    "figures_of",
    "pack",
    "place_of",
    "summed",
    "unpack",
    "value_of",
]


class Tier(StrEnum):
    """How long a stretch is."""

    MINUTE = "1m"
    QUARTER = "15m"
    DAY = "1d"
    """A calendar day in the partner's zone."""


KEPT_MS: Final = {Tier.MINUTE: MINUTES_KEPT_MS, Tier.QUARTER: QUARTERS_KEPT_MS, Tier.DAY: 760 * DAY_MS}
"""How far back the view reaches, at least; as far as the topics."""

LENGTH_MS: Final = {Tier.MINUTE: MINUTE_MS, Tier.QUARTER: QUARTER_MS, Tier.DAY: DAY_MS}

BLOCK_MS: Final = {Tier.MINUTE: HOUR_MS, Tier.QUARTER: DAY_MS, Tier.DAY: 31 * DAY_MS}
"""What stands under one key, at most: it expires as a whole."""

_FINAL: Final = 1
_MIXED: Final = 2

# A position is (family, place in it), as stored rows name measures, so that a release that appends one reads what an older one packed.
_FAMILY_BITS: Final = 7
_POSITIONS: Final = {name: family << _FAMILY_BITS | at for family, names in enumerate(FAMILIES[:-1]) for at, name in enumerate(names)}
_FLAT: Final = {position: OFFSETS[position >> _FAMILY_BITS] + (position & (1 << _FAMILY_BITS) - 1) for position in _POSITIONS.values()}

_encode: Final = msgspec.msgpack.Encoder().encode
_Packed = tuple[int, int, int, list[int], list[int], dict[str, int]]
_decode: Final = msgspec.msgpack.Decoder(_Packed).decode


class Stretch(NamedTuple):
    """What was counted in a closed stretch."""

    from_ms: int
    """Inclusive."""
    to_ms: int
    """Exclusive."""
    final: bool
    """Whether only a correction changes it now."""
    mixed: bool
    """Whether something in it was counted under other limits than those of its policy."""
    measures: Sequence[int]
    """Positions and values in turn."""
    bins: Sequence[int]
    """Of durations: steps from key to key and counts in turn."""
    customs: dict[str, int]
    """Measures of the policy's own KPIs, by name."""


class Place(NamedTuple):
    """Where a stretch stands in the view."""

    tier: Tier
    block: str
    field: str


_TIERS: Final = ((Tier.MINUTE, 11, 11), (Tier.QUARTER, 8, 9), (Tier.DAY, 7, 8))
_CUTS: Final = {tier: (block, field) for tier, block, field in _TIERS}
_FORMATS: Final = {Tier.MINUTE: "%Y%m%dT%H", Tier.QUARTER: "%Y%m%d", Tier.DAY: "%Y-%m"}


def place_of(tier: Tier, last: str) -> Place:
    """Where the record of that key stands: `last` is its start, such as `20261122T2345Z`, or its date."""
    block, field = _CUTS[tier]
    return Place(tier, last[:block], last[field:].removesuffix("Z"))


def blocks(tier: Tier, from_ms: int, to_ms: int) -> list[str]:
    """The blocks in which stretches from `from_ms` up to `to_ms` stand, in order; of days, those of any zone."""
    margin_ms, step_ms = (DAY_MS, DAY_MS) if tier is Tier.DAY else (0, BLOCK_MS[tier])
    begin_ms, end_ms = from_ms - margin_ms, to_ms + margin_ms
    starts = range(begin_ms - begin_ms % step_ms, end_ms, step_ms)
    return list(dict.fromkeys(datetime.fromtimestamp(at_ms / 1000, UTC).strftime(_FORMATS[tier]) for at_ms in starts))


def pack(record: dict[str, Any]) -> bytes:
    """A record of a rollup, as JSON gives it; measures of a newer release are left out.

    Raises:
        KeyError, TypeError, ValueError: if it is none.
    """
    measures: dict[str, Any] = record["measures"]
    mixed = record.get("mixed_basis") or any("holds_from" in figure for figure in record.get("kpis", {}).values())
    flat: list[int] = []
    customs: dict[str, int] = {}
    for name, value in measures.items():
        position = _POSITIONS.get(name)
        if position is not None:
            flat += (position, value)
        elif "@" in name:
            customs[name] = value
    bins, before = list[int](), 0
    for key, count in sorted(of_records([measures]).items()):
        bins += (key - before, count)
        before = key
    start, end = record["from"], record["to"]
    flags = _FINAL * bool(record["final"]) | _MIXED * bool(mixed)
    return _encode((flags, start // MINUTE_MS, (end - start) // MINUTE_MS, flat, bins, customs))


def unpack(value: bytes) -> Stretch:
    """The inverse of `pack`.

    Raises:
        msgspec.DecodeError: if it is none.
    """
    flags, start, minutes, flat, bins, customs = _decode(value)
    from_ms = start * MINUTE_MS
    return Stretch(from_ms, from_ms + minutes * MINUTE_MS, bool(flags & _FINAL), bool(flags & _MIXED), flat, bins, customs)


def fields(tier: Tier, from_ms: int, to_ms: int) -> list[Place]:
    """Where the stretches in [from, to) stand, in order; of minutes and quarter hours, which lie on the edges of their length."""
    assert tier is not Tier.DAY, "a day begins where its partner's zone says"
    starts = (datetime.fromtimestamp(at_ms / 1000, UTC) for at_ms in range(from_ms, to_ms, LENGTH_MS[tier]))
    return [place_of(tier, start.strftime("%Y%m%dT%H%MZ")) for start in starts]


class Sum(NamedTuple):
    """What stretches come to."""

    flat: list[int]
    """Shape (SIZE,)."""
    bins: dict[int, int]
    customs: list[dict[str, int]]
    """Of each stretch."""
    mixed: bool


def summed(found: Iterable[Stretch]) -> Sum:
    """Add stretches up."""
    flat, bins, customs, mixed = flat_zero(), dict[int, int](), list[dict[str, int]](), False
    for each in found:
        for position, value in zip(each.measures[::2], each.measures[1::2], strict=True):
            at = _FLAT.get(position)
            if at is not None:
                flat[at] += value
        key = 0
        for step, count in zip(each.bins[::2], each.bins[1::2], strict=True):
            key += step
            bins[key] = bins.get(key, 0) + count
        customs.append(each.customs)
        mixed |= each.mixed
    return Sum(flat, bins, customs, mixed)


def figures_of(found: Iterable[Stretch], definition: Definition, customs: Customs = NO_CUSTOMS) -> dict[str, dict[str, Any]]:
    """The KPIs of these stretches together, by id, each with the fields of `models.records.KpiFigure`; none without stretches."""
    flat, bins, own, mixed = summed(found)
    return figures(
        [*flat, *customs.total(own)],
        None,
        definition,
        mixed_basis=-mixed,  # Of every family, since a stretch does not tell of which.
        durations=Distributions(bins),
        customs=customs.kpis,
    )


def value_of(found: Iterable[Stretch], kpi: Kpi, definition: Definition, customs: Customs = NO_CUSTOMS) -> float | None:
    """The value of one KPI alone, a twentieth of the work of `figures_of`; None where it has none, or nothing of its family was counted."""
    flat, bins, own, _ = summed(found)
    whole = [*flat, *customs.total(own)]
    if not any(whole[kpi.family]):
        return None
    if kpi.quantile is not None:
        return percentile(Distributions(bins), kpi.quantile).value
    return kpi.estimate(whole, None, definition).value
