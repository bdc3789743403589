"""Publishing figures: which records of a partner are due, and what stands in them.

Three groups, each with its cadence (wall time): windows to 1 h of the whole partner every second, of its queues and channels every
5 s, windows over 1 h every minute. Only what changed is published, and everything every 5 min. Limits of records and bytes make
the later groups slower, never wrong.
"""

from dataclasses import dataclass
from typing import Any, Final

from models.figures import Live
from models.kpis import figures, shown
from models.measures import to_names
from models.windows import GRID_MS, HOUR_MS, MINUTE_MS, WINDOWS, Scope, record_key
from streams.engine.lanes import unpack
from streams.engine.output import Output, cloudevent
from streams.engine.partner import EVERYTHING, Partner, lives, nobody
from streams.engine.totals import ALL, WindowTotal, flat_of_all, flats

__all__ = ["Moment", "Publisher", "body_of"]

_CADENCE_MS: Final = (1_000, 5_000, 60_000)
_EVERYTHING_MS: Final = 5 * MINUTE_MS
_SLACK_MS: Final = 100
"""A timer that comes a little early is on time."""
_SHORT: Final = tuple(at for at, window in enumerate(WINDOWS) if window.width_ms <= HOUR_MS)
_LONG: Final = tuple(at for at, window in enumerate(WINDOWS) if window.width_ms > HOUR_MS)
_WHOLE, _PARTS, _WIDE = range(3)
"""The groups: windows to 1 h of the whole partner, those of its queues and channels, and wider windows."""


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
        waiting = lives(partner, moment.frontier_ms)
        nothing = nobody(partner)
        outputs: list[Output] = []
        open_panes = list(partner.panes.cells_between(partner.panes.closed_ms, moment.open_end_ms))
        for at in _LONG if group == _WIDE else _SHORT:
            total = partner.totals[at]
            parts = [total.cells, *open_panes]
            summed = {ALL: flat_of_all(parts)} if group == _WHOLE else flats(parts)
            if group == _WIDE:
                outputs += self._expire(partner, summed.keys() | waiting.keys(), moment)
            rebased = partner.rebased(parts)
            for scope in _scopes(partner, group, summed.keys() | waiting.keys()):
                live = None if group == _WIDE else waiting.get(scope, nothing)
                shown = (summed.get(scope, 0), live or nothing)
                # How long the longest waits changes by itself.
                if everything or shown[1].waiting or shown != partner.published.get((scope, total.window.name)):
                    partner.published[scope, total.window.name] = shown
                    outputs.append(self._record(partner, scope, total, shown[0], live, moment, mixed=scope in rebased))
        return outputs

    def _expire(self, partner: Partner, present: set[Scope], moment: Moment) -> list[Output]:
        """Tombstones for the scopes in which nothing happened for a day."""
        silent = {scope for scope, _ in partner.published} - present - {ALL}
        for each in [each for each in partner.published if each[0] in silent]:
            del partner.published[each]
        return [self._tombstone(partner.id, scope, window.name, moment) for scope in sorted(silent) for window in WINDOWS]

    def farewell(self, partner: Partner, moment: Moment) -> list[Output]:
        """Tombstones for all that is published of a partner that is gone."""
        scopes = {scope for scope, _ in partner.published} | {ALL}
        return [self._tombstone(partner.id, scope, window.name, moment) for scope in sorted(scopes) for window in WINDOWS]

    def _tombstone(self, partner_id: str, scope: Scope, window: str, moment: Moment) -> Output:
        key = record_key(partner_id, scope, window)
        return cloudevent(self._kpis_topic, "kpis", self._source, partner_id, key, f"{key}@{moment.revision}", None)

    def _record(
        self, partner: Partner, scope: Scope, total: WindowTotal, packed: int, live: Live | None, moment: Moment, *, mixed: bool
    ) -> Output:
        body = body_of(partner, scope, packed, live, moment, mixed=mixed)
        # A partner that lies idle is not closed at every grid point; its window begins where it would if it were.
        closed_ms = max(partner.panes.closed_ms, moment.settled_ms(partner.policy.settle_ms))
        start = total.start_ms if total.cells else total.window.start(closed_ms)
        body |= {"window": total.window.name, "from": start, "to": max(moment.open_end_ms, partner.panes.closed_ms)}
        key = record_key(partner.id, scope, total.window.name)
        return cloudevent(self._kpis_topic, "kpis", self._source, partner.id, key, f"{key}@{moment.revision}", body)


def _scopes(partner: Partner, group: int, present: set[Scope]) -> list[Scope]:
    """The scopes of a group, those that fell silent and are still published included."""
    if group == _WHOLE:
        return [ALL]
    found = {scope for scope, _ in partner.published} | present | {ALL}
    return sorted(found - {ALL} if group == _PARTS else found)


def body_of(partner: Partner, scope: Scope, packed: int, live: Live | None, moment: Moment, *, mixed: bool) -> dict[str, Any]:
    """What all records of figures say: whose they are, the figures, and when they were written."""
    policy = partner.policy
    own_limits = bool(policy.channels or policy.queues) and scope.dimension != "queue"
    definition = policy.scope_definition(scope)
    flat = unpack(packed)
    return {
        "partner": partner.id,
        "scope": str(scope),
        "configured": policy.configured,
        "policy_revision": policy.revision,
        "kpis": figures(flat, live, definition, mixed_basis=mixed, own_limits=own_limits),
        "measures": to_names(shown(flat)),
        "as_of": moment.now_ms,
        "frontier": moment.frontier_ms,
        "revision": moment.revision,
    }
