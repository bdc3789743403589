"""Rollups: the records of closed minutes, quarter hours and days, each written when it closes, when it is final, and when corrected.

Days carry figures. Minutes and quarter hours carry measures alone, a tenth of the bytes: whoever reads them sums them first, and
`models.kpis.figures` makes figures of the sum. What a budget leaves waits in the partner's row (`streams.engine.owed`).
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

from models.bins import Distributions
from models.days import day_name
from models.kpis import shown
from models.measures import to_names
from models.topics import Topics
from models.windows import Scope, record_key
from streams.engine.bins import by_scope
from streams.engine.lanes import unpack
from streams.engine.output import Budget, Output, cloudevent
from streams.engine.owed import Length, Stretch
from streams.engine.partner import Partner
from streams.engine.publish import Figured, Moment, body_of
from streams.engine.totals import blind_sides, flats

__all__ = ["Rollups"]

_ROUNDS: Final = ((Length.DAY,), (Length.QUARTER, Length.MINUTE, Length.QUARTER, Length.DAY))
"""Days of all partners come first; minutes that are written let quarter hours become final, and these let days."""
_NAMES: Final = {Length.MINUTE: "rollups.1m", Length.QUARTER: "rollups.15m", Length.DAY: "rollups.1d"}


@lru_cache(maxsize=4096)
def _utc(start_ms: int) -> str:
    """How the key of a minute or quarter hour names its start, such as `20261122T2345Z`."""
    return datetime.fromtimestamp(start_ms / 1000, UTC).strftime("%Y%m%dT%H%MZ")


class Rollups:
    """Of one engine."""

    def __init__(self, topics: Topics, source: str) -> None:
        self._topics = {Length.MINUTE: topics.rollups_1m, Length.QUARTER: topics.rollups_15m, Length.DAY: topics.rollups_1d}
        self._source = source

    def publish(self, partners: Iterable[Partner], moment: Moment, budget: Budget) -> Iterator[Output]:
        """The records that partners owe, as far as the budget goes, furthest behind first; a stretch is written whole, or not."""
        owing = [partner for partner in partners if partner.owed.clear_ms != partner.panes.closed_ms]
        owing.sort(key=lambda partner: partner.owed.minutes_ms)
        for lengths in _ROUNDS:
            for partner in owing:
                if budget.is_spent:
                    return  # What is owed need not even be looked for.
                yield from self._of(partner, lengths, moment, budget)

    def _of(self, partner: Partner, lengths: tuple[Length, ...], moment: Moment, budget: Budget) -> Iterator[Output]:
        panes, owed = partner.panes, partner.owed
        for length in lengths:
            for stretch in owed.due(length, panes, moment.now_ms):
                if budget.is_spent:
                    # A row that says less is owed must not stand beside panes that are held for more.
                    panes.hold(owed.held(panes.closed_ms))
                    return
                for output in self._records(partner, length, stretch, moment):
                    budget.spend(output)
                    yield output
                owed.wrote(length, stretch)
                partner.row_changed = True
            partner.row_changed |= owed.wrote_all(length, panes)
            panes.hold(owed.held(panes.closed_ms))
        if lengths is _ROUNDS[-1]:
            owed.clear_ms = panes.closed_ms

    def _records(self, partner: Partner, length: Length, stretch: Stretch, moment: Moment) -> Iterator[Output]:
        start, end, final = stretch
        panes = partner.panes
        parts = partner.lifted(list(panes.cells_between(start, end)))
        rebased, summed, bins = partner.rebased(parts), flats(parts), by_scope(panes.bins_between(start, end))
        last = day_name(start, panes.zone) if length is Length.DAY else _utc(start)
        for scope in sorted(partner.owed.take_emptied(length, start) - summed.keys()):
            yield self._record(partner, length, scope, last, moment, None)
        blind = blind_sides(summed) if partner.policy.scopes else ()
        for scope, packed in sorted(summed.items()):
            if not partner.keeps(scope):
                continue
            figured = Figured(packed, bins.get(scope, {}), None, rebased.get(scope, 0), blind=scope.dimension in blind)
            if length is Length.DAY:
                later = partner.since.later(partner.policy, scope, start, figured.mixed) if partner.since.at_ms else ()
                figured = figured._replace(later=later)
                body = body_of(partner, scope, figured, moment) | {"date": last, "timezone": panes.zone}
            else:
                body = _measures_of(partner, scope, figured, moment)
            body |= {"final": final, "from": start, "to": end}
            yield self._record(partner, length, scope, last, moment, body)

    def _record(self, partner: Partner, length: Length, scope: Scope, last: str, moment: Moment, body: dict[str, Any] | None) -> Output:
        # Keys of figures are few and remembered; there is no end of stretches.
        key = record_key(partner.id, scope, "") + last
        return cloudevent(self._topics[length], _NAMES[length], self._source, partner.id, key, f"{key}@{moment.revision}", body)


def _measures_of(partner: Partner, scope: Scope, figured: Figured, moment: Moment) -> dict[str, Any]:
    customs = partner.policy.customs
    flat = unpack(figured.packed, customs.width)
    return {
        "partner": partner.id,
        "scope": str(scope),
        "policy_revision": partner.policy.revision,
        "mixed_basis": bool(figured.mixed),
        "measures": {**to_names(shown(flat)), **Distributions(figured.bins).to_names(), **customs.to_names(flat)},
        "as_of": moment.now_ms,
        "frontier": moment.frontier_ms,
        "revision": moment.revision,
    }
