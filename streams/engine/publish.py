"""Publishing figures: which records of a partner are due, and what stands in them.

Four groups, each with its cadence (wall time): windows to 1 h of the whole partner every second, of its other scopes every
5 s, 4 h every 10 s, and wider windows every minute. Only what changed is published, and everything every 5 min. Limits of records
and bytes make the later groups slower, never wrong.
"""

from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import orjson

from models.bins import NOTHING, Bins, Distributions
from models.figures import Live
from models.kpis import figures, not_applicable, shown, tell_since
from models.measures import to_names
from models.windows import DAY_MS, GRID_MS, HOUR_MS, MINUTE_MS, WINDOWS, Scope, Window, record_key
from streams.engine.cells import Cells
from streams.engine.lanes import unpack
from streams.engine.lives import Lives
from streams.engine.output import Output, cloudevent
from streams.engine.partner import EVERYTHING, Partner, Shown
from streams.engine.totals import ALL, blind_sides, flat_beside, flat_of_all, flats, scopes_of, sides_in

__all__ = ["Figured", "Moment", "Publisher", "body_of"]

_CADENCE_MS: Final = (1_000, 5_000, 10_000, 60_000)
_EVERYTHING_MS: Final = 5 * MINUTE_MS
_SLACK_MS: Final = 100
"""A timer that comes a little early is on time."""
_NO_LIVE: Final = Live(0, None, 0)
_Told = tuple[Scope, Shown, int, tuple[tuple[str, int], ...]]
"""What a record's body follows from, within one group of a partner: scope, measures, who waits, whether those who abandoned name no such
scope, and which definitions hold since when."""
_WHOLE, _PARTS, _HOURS, _WIDE = range(len(_CADENCE_MS))
"""The groups: windows to 1 h of the whole partner, those of its other scopes, windows to 4 h, and wider ones."""


@dataclass(frozen=True, slots=True)
class Moment:
    """When something is published: wall time, stream time, and the commit it belongs to."""

    now_ms: int
    frontier_ms: int
    revision: int

    @property
    def open_end_ms(self) -> int:
        """The end of the pane that the frontier is in: live figures reach up to here, exclusive."""
        return self.frontier_ms - self.frontier_ms % GRID_MS + GRID_MS

    def settled_ms(self, settle_ms: int) -> int:
        """The last grid point that the frontier has passed by `settle_ms`: windows begin a width before it."""
        at = max(0, self.frontier_ms - settle_ms)
        return at - at % GRID_MS


class Figured(NamedTuple):
    """What the figures of a scope and window are made of."""

    packed: int
    bins: Bins
    live: Live | None
    mixed: int
    """A bit for each family of which part was counted under another definition."""
    width_ms: int = DAY_MS
    """Of the window; a day of 23 hours is as wide as a day."""
    later: tuple[tuple[str, int], ...] = ()
    """The KPIs whose definition holds only from a time within the window on."""
    blind: bool = False
    """Whether nobody who abandoned in it names a scope of this dimension, so that it cannot be said how many of these did."""


class Publisher:
    """Of one engine."""

    def __init__(self, kpis_topic: str, source: str) -> None:
        self._kpis_topic = kpis_topic
        self._source = source
        self._waits: dict[tuple[int, str], int] = {}

    def due(self, partners: dict[str, Partner], now_ms: int) -> list[tuple[int, Partner]]:
        """The groups to be published now: the whole partner first, then who waited longest."""
        found: list[tuple[int, int, Partner]] = []
        for partner in partners.values():
            if partner.panes.closed_ms == 0:
                continue
            if partner.waits:
                partner.changed |= 1 << _WHOLE | 1 << _PARTS  # how long they wait changes by itself
            for group, cadence_ms in enumerate(_CADENCE_MS):
                waited_ms = now_ms - partner.published_ms[group]
                changed = partner.changed >> group & 1 and waited_ms >= cadence_ms - _SLACK_MS
                if changed or self._everything(partner, group, now_ms):
                    found.append((group, -waited_ms, partner))
        found.sort(key=lambda each: each[:2])
        return [(group, partner) for group, _, partner in found]

    @staticmethod
    def _everything(partner: Partner, group: int, now_ms: int) -> bool:
        """Whether all of a group is to be written again, changed or not."""
        return now_ms - partner.repeated_ms[group] >= _EVERYTHING_MS - _SLACK_MS

    def left_over(self, group: int, partner: Partner, now_ms: int) -> None:
        """The limits did not allow a group that is due: remember since when it waits."""
        self._waits.setdefault((group, partner.id), now_ms)

    def slowest_ms(self, now_ms: int) -> int:
        """How long the group that waits longest for the limits has waited."""
        return now_ms - min(self._waits.values(), default=now_ms)

    def publish(self, partner: Partner, group: int, moment: Moment) -> list[Output]:
        """The records of one group that differ from what was published, or all of them when that is due."""
        everything = self._everything(partner, group, moment.now_ms)
        if everything:
            partner.repeated_ms[group] = moment.now_ms
        partner.changed &= ~(1 << group) & EVERYTHING
        partner.published_ms[group] = moment.now_ms
        self._waits.pop((group, partner.id), None)
        lives = Lives(partner, moment.frontier_ms)
        outputs = self.expire(partner, moment) if group == _WIDE else []
        open_panes = _open_panes(partner, moment)
        opened: dict[bool, dict[Scope, Bins]] = {}
        told: dict[_Told, bytes] = {}
        for total in partner.totals.windows:
            if total.window.name not in partner.policy.windows or not _belongs(total.window, group):
                continue
            parts = partner.lifted([*partner.totals.parts(total), *open_panes])
            whole = flat_beside if partner.holds_sides else flat_of_all
            summed = {ALL: whole(parts)} if group == _WHOLE else flats(parts)
            rebased = partner.rebased(parts)
            blind = blind_sides(summed) if partner.policy.scopes else ()
            for scope in _scopes(partner, group, summed.keys() | lives.found.keys()):
                live = lives.of(scope) if group in {_WHOLE, _PARTS} else None
                shown: Shown = (summed.get(scope, 0), live or _NO_LIVE)
                if blind and scope.dimension in blind:
                    shown = (*shown[:2], True)
                # How long the longest waits changes by itself.
                if everything or shown[1].waiting or shown != partner.published.get((scope, total.window.name)):
                    partner.published[scope, total.window.name] = shown
                    # A wider window often holds no more than a narrower one, and most of the work is to say it.
                    mixed = rebased.get(scope, 0)
                    later = partner.since.later(partner.policy, scope, total.start_ms, mixed) if partner.since.at_ms else ()
                    same = (scope, shown, mixed, later)
                    body = told.get(same)
                    if body is None:
                        bins = partner.bins_of(scope)
                        if (scope == ALL) not in opened:
                            opened[scope == ALL] = bins.opened(moment.open_end_ms)
                        durations = bins.with_open(total, scope, opened[scope == ALL])
                        # Of a group, all are day windows or none is.
                        figured = Figured(shown[0], durations, live, mixed, total.window.width_ms, later, blind=len(shown) > 2)  # noqa: PLR2004
                        body = told[same] = orjson.dumps(body_of(partner, scope, figured, moment))
                    outputs.append(self._record(partner, scope, total.window, body, moment))
        return outputs

    def expire(self, partner: Partner, moment: Moment) -> list[Output]:
        """Tombstones for the scopes in which nothing happened in any window that is kept, and for windows that are not kept any more."""
        partner.taken_back = False
        parts = _open_panes(partner, moment)
        kept, totals = partner.policy.windows, partner.totals
        parts += [cells for total in totals.windows if total.window.name in kept for cells in totals.parts(total)]
        places = {(cell.queue, cell.channel) for cells in parts for cell in cells}
        present = {ALL, *Lives(partner, moment.frontier_ms).found}.union(*(scopes_of(*place) for place in places))
        if partner.holds_sides:
            present = {scope for scope in present.union(*map(sides_in, parts)) if partner.keeps(scope)}
        over = sorted(each for each in partner.published if each[0] not in present or each[1] not in kept)
        for each in over:
            del partner.published[each]
        return [self._tombstone(partner.id, scope, name, moment) for scope, name in over]

    def farewell(self, partner: Partner, moment: Moment) -> list[Output]:
        """Tombstones for all that is published of a partner that is gone."""
        scopes = {scope for scope, _ in partner.published} | {ALL}
        return [self._tombstone(partner.id, scope, window.name, moment) for scope in sorted(scopes) for window in WINDOWS]

    def _tombstone(self, partner_id: str, scope: Scope, window: str, moment: Moment) -> Output:
        key = record_key(partner_id, scope, window)
        return cloudevent(self._kpis_topic, "kpis", self._source, partner_id, key, f"{key}@{moment.revision}", None)

    def _record(self, partner: Partner, scope: Scope, window: Window, body: bytes, moment: Moment) -> Output:
        """That of a window, which comes behind what it may have in common with others, as JSON."""
        closed_ms = partner.panes.closed_ms
        if partner.due_ms is None or partner.due_ms > moment.frontier_ms:
            # A partner that lies idle is not closed at every grid point; its windows begin where they would if it were.
            closed_ms = max(closed_ms, moment.settled_ms(partner.policy.settle_ms))
        start_ms, end_ms = window.start(closed_ms, partner.totals.calendar), max(moment.open_end_ms, closed_ms)
        key = record_key(partner.id, scope, window.name)
        value = b'%s,"window":"%s","from":%d,"to":%d}' % (body[:-1], window.name.encode(), start_ms, end_ms)
        return cloudevent(self._kpis_topic, "kpis", self._source, partner.id, key, f"{key}@{moment.revision}", value)


def _open_panes(partner: Partner, moment: Moment) -> list[Cells]:
    return list(partner.panes.cells_between(partner.panes.closed_ms, moment.open_end_ms))


def _belongs(window: Window, group: int) -> bool:
    """Whether the figures of a window are published with a group."""
    if window.width_ms <= HOUR_MS:
        return group in {_WHOLE, _PARTS}
    return group == (_HOURS if window.width_ms <= 4 * HOUR_MS else _WIDE)


def _scopes(partner: Partner, group: int, present: set[Scope]) -> list[Scope]:
    """The scopes of a group, those that fell silent and are still published included."""
    if group == _WHOLE:
        return [ALL]
    found = {scope for scope, _ in partner.published} | present | {ALL}
    if group == _PARTS:
        found.remove(ALL)
    return sorted(filter(partner.keeps, found) if partner.holds_sides else found)


def body_of(partner: Partner, scope: Scope, figured: Figured, moment: Moment) -> dict[str, Any]:
    """What all records of figures say: whose they are, the figures, and when they were written."""
    policy = partner.policy
    own_limits = bool(policy.channels or policy.queues) and scope.dimension != "queue"
    definition = policy.scope_definition(scope)
    packed, bins, live, mixed, width_ms, later, blind = figured
    customs, durations = policy.customs, Distributions(bins) if bins else NOTHING
    flat = unpack(packed, customs.width)
    kpis = figures(
        *(flat, live, definition),
        mixed_basis=mixed,
        own_limits=own_limits,
        durations=durations,
        width_ms=width_ms,
        customs=customs.kpis,
    )
    if later:
        tell_since(kpis, later)
    if blind:
        kpis = not_applicable(kpis, definition)
    return {
        "partner": partner.id,
        "scope": str(scope),
        "configured": policy.configured,
        "policy_revision": policy.revision,
        "kpis": kpis,
        "measures": {**to_names(shown(flat)), **durations.to_names(), **customs.to_names(flat)},
        "as_of": moment.now_ms,
        "frontier": moment.frontier_ms,
        "revision": moment.revision,
    }
