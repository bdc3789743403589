"""The last values of a KPI for all partners at once, made once for everybody who looks.

A line of 30 points for 200 partners is 6,000 stretches read and as many values computed, a fifth of a second: so it is made at most every
`_KEPT_SECONDS`, by one at a time, in a thread beside the streams, and of the lines that were asked for last only so many are remembered.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from time import monotonic
from typing import Final, Literal, NamedTuple

from desk.errors import UnavailableError
from desk.policies import Policies
from desk.view import Look, ViewReader
from models.history import Stretch, Tier, unpack, value_of
from models.policy import PartnerPolicy
from models.windows import HOUR_MS, MINUTE_MS, QUARTER_MS, Scope

__all__ = ["POINTS_MAX", "Lines", "Sparks", "Width", "lines"]

Width = Literal["1m", "5m", "15m", "1h"]
"""Of a point. Days begin at another moment for every partner, and so have no common line."""

POINTS_MAX: Final = 60
_WIDTH_MS: Final[dict[Width, int]] = {"1m": MINUTE_MS, "5m": 5 * MINUTE_MS, "15m": QUARTER_MS, "1h": HOUR_MS}
_KEPT_SECONDS: Final = 15.0
_REMEMBERED: Final = 16
_DIGITS: Final = 4
"""Of a value: a line of 20 pixels shows no more."""
_ALL: Final = Scope("all")


class Lines(NamedTuple):
    """Of one KPI."""

    from_ms: int
    step_ms: int
    values: Mapping[str, Sequence[float | None]]
    """By partner; None where nothing was counted."""


class Sparks:
    """Makes lines of what the view holds.

    Args:
        reader: of the view.
        policies: of the partners.
    """

    def __init__(self, reader: ViewReader, policies: Policies) -> None:
        self._reader = reader
        self._policies = policies
        self._made: OrderedDict[tuple[str, Width, int], tuple[float, Lines]] = OrderedDict()
        self._lock = asyncio.Lock()

    async def of(self, kpi: str, width: Width, number: int, partners: Sequence[str], look: Look, until_ms: int) -> Lines:
        """The last `number` points of all `partners`, up to `until_ms`; of a moment ago, if somebody else asked then.

        Raises:
            redis.exceptions.RedisError: if Redis cannot be asked.
            UnavailableError: if a newer release wrote what holds for all; a partner whose own part it wrote has no line.
        """
        key = kpi, width, number
        async with self._lock:
            held = self._made.get(key)
            if held is None or monotonic() - held[0] > _KEPT_SECONDS:
                held = monotonic(), await self._make(kpi, width, number, partners, look, until_ms)
                self._made[key] = held
                if len(self._made) > _REMEMBERED:
                    self._made.popitem(last=False)
            self._made.move_to_end(key)
        return held[1]

    async def _make(self, kpi: str, width: Width, number: int, partners: Sequence[str], look: Look, until_ms: int) -> Lines:
        step_ms = _WIDTH_MS[width]
        to_ms = until_ms - until_ms % step_ms
        # One point more than is asked for: the last has not come yet where its stretch closed this moment.
        from_ms = max(0, to_ms - (number + 1) * step_ms)
        tier = Tier.QUARTER if step_ms >= QUARTER_MS else Tier.MINUTE
        self._policies.shared(look)
        policies: dict[str, PartnerPolicy] = {}
        for partner in partners:
            # One partner's part that a newer release wrote takes the line of no other.
            with suppress(UnavailableError):
                policies[partner] = self._policies.of(partner, look)
        packed = await self._reader.packed(list(policies), _ALL, tier, from_ms, to_ms)
        return await asyncio.to_thread(lines, kpi, from_ms, step_ms, number, packed, policies)


def lines(
    kpi: str, from_ms: int, step_ms: int, number: int, packed: Mapping[str, Sequence[bytes]], policies: Mapping[str, PartnerPolicy]
) -> Lines:
    """Lines of `number` points, out of one point more: without the last if nobody has it, without the first otherwise. Pure.

    Args:
        kpi: of the catalogue of each policy; a partner whose policy does not know it has no values.
        from_ms: where the first point begins.
        step_ms: how wide one is.
        number: how many are asked for.
        packed: the stretches of each partner from `from_ms` on, as the view holds them.
        policies: of the same partners; what they define now is what is computed.
    """
    found: dict[str, list[float | None]] = {}
    for partner, values in packed.items():
        policy = policies[partner]
        line = found[partner] = [None] * (number + 1)
        known = policy.customs.catalogue.get(kpi)
        if known is None:
            continue
        definition = policy.scope_definition(_ALL)
        by_point: dict[int, list[Stretch]] = {}
        for stretch in map(unpack, values):
            by_point.setdefault((stretch.from_ms - from_ms) // step_ms, []).append(stretch)
        for point, stretches in by_point.items():
            value = value_of(stretches, known, definition, policy.customs)
            line[point] = None if value is None else round(value, _DIGITS)
    late = all(line[-1] is None for line in found.values())
    return Lines(from_ms + (0 if late else step_ms), step_ms, {partner: line[:-1] if late else line[1:] for partner, line in found.items()})
