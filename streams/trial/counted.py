"""One partner's past by tallies, where events of contacts and surveys tell all that its rules look at.

Guarantee: the conditions change at the same grid points, and to the same, as in the engine that closes every one of them: slots, folds,
live contacts, the reducer and what stands beside a condition are the engine's own; only windows are summed otherwise
(`streams.trial.tally`), and looked at where a rule could come to another end (`streams.trial.watch`). Held by
`tests/property/test_backtest.py`.

Cost: some 5 µs an event, and some 10 a look of one rule.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import count
from typing import Any, Final, NamedTuple

from xxhash import xxh3_64_intdigest

from models.days import day_end, day_start
from models.decode import ContactAbandoned, ContactAnswered, ContactCompleted, ContactLeft, ContactQueued, ContactRecord
from models.measures import FAMILIES, OFFSETS, WIDTHS, Family
from models.policy import PartnerPolicy
from models.policy_spec import PolicyFile
from models.times import to_ms
from models.windows import DAY_MS, GRID_MS, MINUTE_MS, Edge, Scope, window
from streams.engine.announce import Verdict
from streams.engine.basis import rebased
from streams.engine.beside import beside, beside_due_ms
from streams.engine.cells import Cell
from streams.engine.contacts import EXPIRED
from streams.engine.contributions import Contribution
from streams.engine.counted import counted_of
from streams.engine.failures import Stage, Tally
from streams.engine.fold import Fold
from streams.engine.intake import EFFECTS, Contact
from streams.engine.judge import Judged
from streams.engine.lanes import pack, unpack
from streams.engine.panes import PaneStore
from streams.engine.slot import Slot
from streams.engine.state import State
from streams.engine.told import counted_by, times_of
from streams.engine.totals import ALL, scopes_in
from streams.trial.aims import Aims
from streams.trial.elsewhere import Elsewhere
from streams.trial.histories import Told
from streams.trial.offline import CONFIG
from streams.trial.rest import ALL_KINDS, ENDS, HANDLED, KINDS
from streams.trial.tally import NEVER, Agenda, Blurring, Column, Track
from streams.trial.watch import Watch

__all__ = ["CountedPast"]

_COUNTED: Final = OFFSETS[Family.QUALITY] + WIDTHS[Family.QUALITY]
"""The measures before this place of a flat vector are tallied."""
_INTERACTIONS: Final = WIDTHS[Family.INTERACTIONS]
_ROUTES_MAX: Final = 10_000
_OPENS: Final = Contact.OPENS
_CLOSES: Final = Contact.CLOSES
_NOTHING: Final = Contact.NOTHING


def _waited(event: Any) -> float:  # noqa: ANN401 - a struct of `models.decode`
    return event.wait_seconds or 0.0


def _handled(event: Any) -> float:  # noqa: ANN401 - a struct of `models.decode`
    return (event.talk_seconds or 0.0) + (event.hold_seconds or 0.0) + (event.wrap_seconds or 0.0)


_LASTED: Final = {ContactAnswered: _waited, ContactAbandoned: _waited, ContactCompleted: _handled}
"""The seconds of an event that a mean may be of."""
_ALWAYS: Final = {
    kind: counted_of(Family.INTERACTIONS, [int(name == measure) for name in FAMILIES[Family.INTERACTIONS]]).packed
    for kind, measure in ((ContactQueued, "arrivals"), (ContactLeft, "left"))
}
"""What an event counts that is like all of its kind."""


class _Route(NamedTuple):
    """Where events of one kind, queue and channel are counted."""

    slot: Slot
    family: Family
    width: int
    fold: Fold
    contact: Contact
    columns: tuple[Column | Blurring, ...]
    tracks: tuple[Track, ...]
    lasted: Callable[[Any], float] | None
    always: int
    """What each of them counts, where it does not matter what they say."""


class CountedPast:
    """Events go in, in the order of their times."""

    def __init__(self, policy: PolicyFile, compiled: PartnerPolicy, at_ms: int) -> None:
        """Begin at `at_ms`, the time of the first event, under a policy that was `narrowed` and whose rules all can rest."""
        self.policy = compiled
        self._file = policy
        self._settle_ms = compiled.settle_ms
        self._state = State(0, CONFIG)
        self._partner = self._state.make(compiled.partner_id, compiled, PaneStore(compiled.partner_id, compiled.timezone, 0))
        self._aims = Aims(compiled)
        self.days = self._aims.days
        self._dimensions = {dimension for rule in compiled.rules for dimension in rule.scopes}
        self._scoped = bool(self._dimensions - {"all"})
        self._told_visits = self._scoped and compiled.repeats
        tells_all = all(kpi.family.stop <= _COUNTED for kpi in self._aims.kpis)
        self._daily = None if tells_all else Elsewhere(policy, compiled.partner_id, at_ms)
        """Fed with all events, for the measures of days, where a target is of what is not tallied."""
        self._elsewhere: Elsewhere | None = None
        """Fed with the events that are not tallied, where they matter, from the first on."""
        self._agenda = Agenda()
        self._numbers = count()
        self._columns: dict[Scope, Column] = {}
        self._routes: dict[tuple[type, str | None, str | None], _Route] = {}
        self._all = self._column(ALL)
        self._seen: dict[str, int] = {}
        """By id, when an event came."""
        self._expires_ms = self._beside_ms = NEVER
        """The grid points at which a live contact may expire, and at which something beside a condition turns."""
        self.last_ms = at_ms
        self._began_ms, self._day_ms = day_start(at_ms, compiled.timezone), day_end(at_ms, compiled.timezone)
        widths = [each.width_ms + (2 * DAY_MS if each.edge is Edge.DAY else 0) for rule in compiled.rules for each in [window(rule.window)]]
        self._kept_ms = max([DAY_MS, *widths]) + DAY_MS
        self._verdicts: list[Verdict] = []

    def feed(self, run: Sequence[Told]) -> None:  # noqa: C901, PLR0912 - one loop: calls cost
        """Events in the order in which they came; one that is earlier than those before comes late."""
        agenda, routes, settle_ms = self._agenda, self._routes, self._settle_ms
        for occurred_ms, _, value, event in run:
            now_ms = self.last_ms
            if occurred_ms > now_ms:
                now_ms = self.last_ms = occurred_ms
            if now_ms >= self._day_ms:
                self._over(now_ms)
            passed_ms = now_ms - settle_ms
            if agenda.next_ms <= passed_ms or self._expires_ms <= passed_ms or self._beside_ms <= passed_ms:
                self._until(passed_ms)
            if self._daily is not None:
                self._daily.take(now_ms, value)
            kind: type = event.__class__
            if kind not in EFFECTS:
                self._other(event, value, occurred_ms, passed_ms)
            elif event.event_id not in self._seen:
                route = routes.get((kind, event.queue, event.channel)) or self._route(event)
                slot, family, width, fold, contact, columns, tracks, lasted, packed = route
                if not packed:
                    vector = [0] * width
                    try:
                        fold(event, vector, slot.first, slot.second)
                    except Exception:  # noqa: BLE001, S112 - live it would be a dead letter, and the rest counts
                        continue
                    packed = pack(family, vector[:width])
                self._seen[event.event_id] = now_ms
                for column in columns:
                    column.add(occurred_ms, packed)
                if tracks:
                    grid_ms = _shows_ms(occurred_ms, passed_ms) if occurred_ms < now_ms else occurred_ms - occurred_ms % GRID_MS + GRID_MS
                    seconds = 0.0 if lasted is None else lasted(event)
                    for track in tracks:
                        track.add(occurred_ms, seconds, grid_ms)
                if contact is not _NOTHING:
                    self._contact(contact, event, value, occurred_ms, passed_ms, slot)

    def end(self, at_ms: int) -> list[Verdict]:
        """No more events before `at_ms`."""
        self._until(at_ms - self._settle_ms)
        return self._verdicts

    @property
    def failures(self) -> dict[str, Tally]:
        """What raised, as `streams.engine.failures` names it."""
        return self._partner.failures.tallies

    def _column(self, scope: Scope) -> Column:
        """Of a scope, with a watch for each rule that is judged there."""
        column = self._columns.get(scope)
        if column is None:
            column = self._columns[scope] = Column(scope)
            for rule in self.policy.rules:
                if scope.dimension in rule.scopes:
                    Watch(next(self._numbers), rule, self._partner, column, self._agenda, self._is_elsewhere)
        return column

    def _columns_of(self, cell: Cell) -> "tuple[Column | Blurring, ...]":
        """Of the scopes that a cell counts in, those where a rule is judged, and the whole partner."""
        found = [self._column(scope) for scope in scopes_in(cell) if scope == ALL or scope.dimension in self._dimensions]
        blurs = rebased([{cell: 0}], set(), self.policy, self._partner.sides)
        return tuple(map(Blurring, found)) if blurs else tuple(found)

    def _route(self, event: Any) -> _Route:  # noqa: ANN401 - a struct of `models.decode`
        kind = event.__class__
        family, fold, contact = EFFECTS[kind]
        slot = self._partner.slot(family, event.queue, event.channel)
        columns = self._columns_of(slot.cell)
        tracks = _tracks(columns, KINDS.get(kind, (ALL_KINDS,)))
        route = _Route(slot, family, WIDTHS[family], fold, contact, columns, tracks, _LASTED.get(kind), _ALWAYS.get(kind, 0))
        if len(self._routes) >= _ROUTES_MAX:
            self._routes.clear()
        self._routes[kind, event.queue, event.channel] = route
        return route

    def _is_elsewhere(self, scope: Scope, grid_ms: int) -> bool:
        return self._elsewhere is not None and self._elsewhere.holds(scope, grid_ms)

    def _until(self, at_ms: int) -> None:
        """Look at all that is due by `at_ms`."""
        partner = self._partner
        while (grid_ms := min(self._agenda.next_ms, self._expires_ms, self._beside_ms)) <= at_ms:
            if self._expires_ms <= grid_ms:
                self._expire(grid_ms)
            found = [judged for watch in self._agenda.take(grid_ms) if (judged := self._look(watch, grid_ms)) is not None]
            if found or partner.asides:
                partner.panes.closed_ms = grid_ms
                found = beside(partner, self._state.silences, found, grid_ms, 0)
                self._verdicts += [Verdict(partner, each, grid_ms, grid_ms, {}) for each in found]
                turns_ms = beside_due_ms(partner, self._state.silences) if partner.asides else None
                self._beside_ms = NEVER if turns_ms is None else turns_ms
            if partner.failures.count:
                partner.failures.take()

    def _look(self, watch: Watch, grid_ms: int) -> Judged | None:
        """As the watch does; one that raises is as it was, and is looked at again at the next grid point, as live."""
        before = watch.condition
        try:
            return watch.look(grid_ms)
        except Exception as error:  # noqa: BLE001 - whatever a rule raises, the others are judged
            watch.condition = before
            self._partner.conditions[watch.rule.id, Scope.parse(before.scope)] = before
            self._partner.failures.raised(Stage.JUDGE, watch.rule, before, grid_ms, error)
            self._agenda.want(watch, grid_ms + GRID_MS)
            return None

    def _contact(self, contact: Contact, event: Any, value: bytes, at_ms: int, passed_ms: int, slot: Slot) -> None:  # noqa: ANN401
        """As the engine's intake does, with the clock of the stream."""
        partner, contacts, contact_id = self._partner, self._state.contacts, event.contact_id
        if contact is _OPENS:
            partner.queues_contacts = True
            contacts.open(partner.waits, contact_id, (at_ms, slot.place, slot.first), self.last_ms)
            self._expires_ms = min(self._expires_ms, _shows_ms(at_ms + self.policy.contact_expiry_ms, passed_ms))
            return
        if self._told_visits and contact is not _CLOSES and event.customer_key is not None:
            self._tell_elsewhere(value)
        if contact_id is not None and (partner.queues_contacts or partner.may_queue()):
            contacts.close(partner.waits, contact_id, at_ms, self.last_ms, remember=contact is _CLOSES)
            if not (partner.waits.fresh or partner.waits.kept):
                self._expires_ms = NEVER

    def _expire(self, grid_ms: int) -> None:
        """Close the live contacts that expire by a grid point."""
        waits, expiry_ms = self._partner.waits, self.policy.contact_expiry_ms
        for _, place, _ in self._state.contacts.expire(waits, grid_ms - expiry_ms):
            self._count(self._partner.slot(Family.INTERACTIONS, *place[:2]).cell, grid_ms - GRID_MS, EXPIRED.packed, grid_ms)
        since_ms = min((since_ms for since_ms, *_ in waits.waiting()), default=NEVER) + expiry_ms
        self._expires_ms = since_ms - since_ms % GRID_MS + GRID_MS

    def _count(self, cell: Cell, at_ms: int, packed: int, grid_ms: int) -> None:
        """Count measures at a time, or take them back; all rules that may look at them do at a grid point."""
        for column in self._columns_of(cell):
            column.add(at_ms, packed)
            for track in column.tracks.values():
                for watch in track.watches:
                    self._agenda.want(watch, grid_ms)

    def _other(self, event: Any, value: bytes, occurred_ms: int, passed_ms: int) -> None:  # noqa: ANN401
        """What is not one event in one cell."""
        if event.__class__ is ContactRecord:
            try:
                self._record(event, passed_ms)
            except Exception:  # noqa: BLE001 - live it would be a dead letter, and the rest counts
                return
            if self._told_visits and event.outcome == "answered" and event.customer_key is not None:
                self._tell_elsewhere(value)
        elif self._scoped:
            self._tell_elsewhere(value)
            for column in self._columns.values():
                for watch in column.tracks[ALL_KINDS].watches if ALL_KINDS in column.tracks else ():
                    self._agenda.want(watch, _shows_ms(occurred_ms, passed_ms))

    def _tell_elsewhere(self, value: bytes) -> None:
        """Have an event counted that says nothing to rules but that a scope is there."""
        if self._elsewhere is None:
            self._elsewhere = Elsewhere(self._file, self.policy.partner_id, self.last_ms)
        self._elsewhere.take(self.last_ms, value)

    def _record(self, event: Any, passed_ms: int) -> None:  # noqa: ANN401
        """A contact record, as `streams.engine.told` takes it: an arrival, an exit from the queue, a handled contact; or a newer one."""
        if event.event_id in self._seen:
            return
        times = times_of(event)
        slot = self._partner.slot(Family.INTERACTIONS, event.queue, event.channel)
        counted = counted_by(event, times, slot)
        if event.contact_id is not None and event.updated_at is not None:
            contribution = Contribution(to_ms(event.updated_at), slot.cell, counted, {})
            if not self._replaces(event.contact_id, contribution, times[-1], passed_ms):
                return
        self._seen[event.event_id] = self.last_ms
        columns = self._columns_of(slot.cell)
        for at_ms, vector in counted.items():
            for column in columns:
                column.add(at_ms, pack(Family.INTERACTIONS, vector[:_INTERACTIONS]))
        _, exited_ms, done_ms = times
        for kind, at_ms, seconds in ((ENDS, exited_ms, _waited(event)), (HANDLED, done_ms, _handled(event))):
            for track in _tracks(columns, (kind,)):
                track.add(at_ms, seconds, _shows_ms(at_ms, passed_ms))
        for at_ms in times:
            for track in _tracks(columns, (ALL_KINDS,)):
                track.add(at_ms, _waited(event) + _handled(event), _shows_ms(at_ms, passed_ms))

    def _replaces(self, contact_id: str, contribution: Contribution, at_ms: int, passed_ms: int) -> bool:
        """Take back what the contact's last record counted; false where that was newer, or nobody knows any more what it counted."""
        contributions, arrived_ms = self._state.contributions, max(passed_ms, at_ms)
        contact = xxh3_64_intdigest(contact_id.encode(), self._partner.seed)
        since_ms = contributions.since_ms(arrived_ms, self.policy.record_retention_ms)
        before = contributions.find(contact, since_ms)
        if contribution.updated_ms <= before.updated_ms if before else at_ms < since_ms <= contribution.updated_ms:
            return False
        if before is not None:
            for counted_ms, vector in before.counted.items():
                packed = pack(Family.INTERACTIONS, vector[:_INTERACTIONS])
                self._count(before.cell, counted_ms, -packed, _shows_ms(counted_ms, passed_ms))
        contributions.put(contact, arrived_ms, contribution)
        return True

    def _over(self, at_ms: int) -> None:
        """A day is over."""
        whole = self._all.between if self._daily is None else self._daily.measures
        packed = whole(self._began_ms, self._day_ms)
        if packed:
            self._aims.day(unpack(packed, self.policy.customs.width))
        self._until(at_ms - self._settle_ms)
        self._began_ms, self._day_ms = day_start(at_ms, self.policy.timezone), day_end(at_ms, self.policy.timezone)
        oldest_ms = (at_ms - CONFIG.limits.seen_horizon_ms) // MINUTE_MS * MINUTE_MS
        self._seen = {event_id: came_ms for event_id, came_ms in self._seen.items() if came_ms >= oldest_ms}
        for column in self._columns.values():
            column.forget(self._began_ms - self._kept_ms, self._began_ms - 2 * DAY_MS)
        state = self._state
        state.contacts.forget_early(at_ms)
        state.contributions.expire(at_ms - self.policy.record_retention_ms)
        for _ in (*state.contacts.drain(0), *state.contributions.drain(0, at_ms)):
            pass
        for each in (self._daily, self._elsewhere):
            if each is not None:
                each.forget()


def _tracks(columns: "Iterable[Column | Blurring]", kinds: tuple[int, ...]) -> tuple[Track, ...]:
    return tuple(column.tracks[kind] for column in columns for kind in kinds if kind in column.tracks)


def _shows_ms(at_ms: int, passed_ms: int) -> int:
    """The first grid point at which a figure may have changed by what counts at `at_ms`, where all that was due by `passed_ms` is done."""
    return max(at_ms - at_ms % GRID_MS, passed_ms - passed_ms % GRID_MS) + GRID_MS
