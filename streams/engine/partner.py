"""One partner's state within an engine: its panes, window totals, conditions, and what it owes to readers."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import xxhash

from alerts.aside import Aside
from alerts.condition import Condition
from models.bins import Bins
from models.custom import Counter
from models.days import day_end
from models.figures import Live
from models.kpis import FEED_SILENCE
from models.measures import WIDTHS, Family
from models.policy import PartnerPolicy
from models.windows import GRID_MS, MINUTE_MS, QUARTER_MS, SIDES, WINDOWS, Calendar, Scope
from streams.engine.agents import Roster
from streams.engine.basis import rebased
from streams.engine.bins import WindowBins
from streams.engine.books import Books, handled
from streams.engine.cells import Cell, Cells, SideCell, add_cells, named, subtract_cells
from streams.engine.contacts import Waits
from streams.engine.counted import UNCOUNTED, Counted, counted_of, difference
from streams.engine.customs import custom_cell, is_custom, lifted
from streams.engine.failures import Failures
from streams.engine.feed import Feed
from streams.engine.fold import Fold
from streams.engine.forecasts import Correction, Plan, offered
from streams.engine.history import History
from streams.engine.lanes import vector_of
from streams.engine.owed import Owed
from streams.engine.panes import PaneStore
from streams.engine.profile import Profile
from streams.engine.sides import Sides, aside
from streams.engine.since import Since
from streams.engine.slot import Slot
from streams.engine.sums import Sums
from streams.engine.tickets import Backlog
from streams.engine.totals import ALL, Totals, scopes_in, scopes_of, sides_in
from streams.engine.visitors import Visitors
from streams.engine.visits import Counts, by_pane, entry_of, taken_back

__all__ = ["Partner", "Shown"]

_CELLS_MAX: Final = 400
"""Cells of a partner; what exceeds them is folded into the queue and channel `other`, and counted."""
_OTHER: Final = "other"
_CLOSES_UNQUEUED_MAX: Final = 100
"""Closes of a partner without a single opening before we believe that it sends none."""
Shown = tuple[int, Live] | tuple[int, Live, bool]
"""Of a record: the packed measures, who waited, and a third where it was blind (`streams.engine.publish`)."""
UNKNOWN: Final = (-1, Live(0, None, 0))
"""Published before, by a worker that is gone: equal to no record."""
_FOREVER: Final = 2**62
_HISTORY: Final = Family.HISTORY.value
EVERYTHING: Final = 15
"""All groups of records are to be published: see `streams.engine.publish`."""


@dataclass(slots=True, eq=False)
class Partner:
    """Mutable; owned by one engine."""

    id: str
    policy: PartnerPolicy
    panes: PaneStore
    waits: Waits
    backlog: Backlog
    plan: Plan
    roster: Roster
    history: History
    books: Books = field(default_factory=Books)
    key: bytes = b""
    seed: int = 0
    """Of the hash of event ids, so that two partners may number their events alike."""
    visitors: Visitors = field(init=False)
    sums: Sums = field(init=False)
    profile: Profile = field(init=False)
    totals: Totals = field(init=False)
    sides: Sides = field(init=False)
    slots: tuple[dict[tuple[str | None, str | None], Slot], ...] = field(default_factory=lambda: tuple({} for _ in Family))
    conditions: dict[tuple[str, Scope], Condition] = field(default_factory=dict)
    """By rule id and scope."""
    asides: dict[tuple[str, Scope], Aside] = field(default_factory=dict)
    """What stands beside conditions: of each that is open, and of others where there is anything."""
    due_ms: int | None = None
    """The frontier at which the next grid point matters to this partner; None while nothing can change."""
    touched_ms: int | None = None
    """The next grid point that matters for another reason than the panes: something late was counted, or a policy waits."""
    queues_contacts: bool = False
    """Whether it ever sent `contact.queued`: only then is a close without an opening worth remembering."""
    closes_unqueued: int = 0
    """Closes of contacts before that."""
    takes_tickets: bool = False
    """Whether it ever sent a ticket: only then does it have a backlog, if none is open of 0."""
    pending: PartnerPolicy | None = None
    """Holds from the next grid point on."""
    gained: tuple[str, ...] = ()
    """Rules of open alerts for which an escalation was named since the last grid point."""
    changed: int = EVERYTHING
    """Which groups of records may differ from what was published."""
    published_ms: list[int] = field(default_factory=lambda: [0] * 4)
    """By group: when (wall time)."""
    repeated_ms: list[int] = field(default_factory=lambda: [0] * 4)
    """By group: when all of it was last published, changed or not."""
    published: dict[tuple[Scope, str], Shown] = field(default_factory=dict)
    """By scope and window, what the last record said."""
    whole_bins: WindowBins = field(init=False)
    place_bins: WindowBins = field(init=False)
    owed: Owed = field(default_factory=Owed)
    """The closed stretches of which a record is to be written."""
    taken_back: bool = False
    """Whether a pane lost all that it held of a cell, so that a scope may have nothing left of which something is published."""
    row_changed: bool = True
    counters: Mapping[type, tuple[Counter, ...]] = field(init=False)
    """By the struct of an event, what it counts for the KPIs of the policy's own; empty where the policy has none."""
    holds_customs: bool = False
    """Whether anything may have been counted for such a KPI, of this policy or of one before."""
    holds_sides: bool = False
    """Whether anything may have been counted by site, team, reason, activity or segment, under this policy or one before."""
    counts_further: bool = field(init=False)
    """Whether an event may count elsewhere than in the cell of its queue and channel."""
    feed: Feed = field(default_factory=Feed)
    failures: Failures = field(default_factory=Failures)
    """Of its rules."""
    since: Since = field(init=False)
    """From when on what is counted is counted as it is now."""
    _own: set[Cell] = field(default_factory=set)
    """Cells known to count under the present policy."""
    folded: int = 0
    _scopes: tuple[Scope, ...] = ()

    def __post_init__(self) -> None:
        """Derive what the fold compares by."""
        self.whole_bins, self.place_bins = WindowBins(self.panes, whole=True), WindowBins(self.panes, whole=False)
        self.key = self.id.encode()
        self.since = Since(self.policy)
        self.sums, self.profile = Sums(self.id), Profile(self.id)
        self._count_further()
        self.seed = xxhash.xxh3_64_intdigest(self.key) & 0x7FFFFFFF
        self.visitors = self.history.of(self.id)
        self.owed.begin(self.panes, self.panes.closed_ms, self.panes.closed_ms)
        self._begin_totals()

    def _begin_totals(self) -> None:
        self.totals = Totals(self.panes, self.sums, self.policy.windows, self._calendar())

    def _count_further(self) -> None:
        self.counters, self.sides = self.policy.customs.counters, Sides(self.policy)
        self.holds_customs = self.holds_customs or bool(self.counters)
        self.holds_sides = self.holds_sides or bool(self.policy.scopes)
        self.counts_further = bool(self.counters or self.policy.scopes)
        self.feed.watched = any(rule.kpi == FEED_SILENCE for rule in self.policy.rules)
        self.profile.compared = any(rule.compare is not None for rule in self.policy.rules)

    def _calendar(self) -> Calendar:
        return Calendar(self.panes.zone, self.policy.month_starts_on)

    def slot(self, family: Family, queue: str | None, channel: str | None) -> Slot:
        """The slot of a cell, made when it is first seen under the present policy."""
        slot = self.slots[family].get((queue, channel))
        if slot is None:
            definition = self.policy.definition(queue, channel)
            named = (queue, channel)
            if len(self.slots[family]) >= _CELLS_MAX:
                self.folded += 1
                queue = channel = _OTHER
            if family is Family.INTERACTIONS:
                first, second = definition.basis
                cell = Cell(family, queue, channel, first, second)
            elif family is Family.HISTORY:
                first = definition.repeat_window_ms
                cell = Cell(family, queue, channel, first, 0)
                second = self.history.place(self.id, cell) if first else -1
            else:
                cell, first, second = Cell(family, queue, channel, 0, 0), definition.csat.scale_max, definition.ces.scale_max
            slot = Slot(cell, first, second, () if family is Family.HISTORY else self.sides.beside(cell, first, second))
            slot.place = named
            if queue is not _OTHER or len(self.slots[family]) < 2 * _CELLS_MAX:
                self.slots[family][named] = slot
        return slot

    def may_queue(self) -> bool:
        """Whether a close of a partner that queued nothing yet is worth remembering: its first opening may have been overtaken."""
        if self.closes_unqueued >= _CLOSES_UNQUEUED_MAX:
            return False
        self.closes_unqueued += 1
        self.row_changed = True
        return True

    def take_folded(self) -> int:
        """How many cells exceeded the limit, and count as `other`, since the last call."""
        folded, self.folded, self.sides.folded = self.folded + self.sides.folded, 0, 0
        return folded

    def fold(self, fold: Fold, event: Any, at_ms: int, slot: Slot) -> None:
        """Count an event wherever its time lies: apart first, since a fold that raises, or counts nothing, must leave no cell behind."""
        cell, width = slot.cell, WIDTHS[slot.cell.family]
        delta = [0] * width
        fold(event, delta, slot.first, slot.second)
        if not any(delta):
            return
        pane = self.panes.pane(at_ms)
        if at_ms >= self.panes.closed_ms:
            vector = pane.vectors.setdefault(cell, delta)
            if vector is not delta:
                vector[:width] = [have + more for have, more in zip(vector, delta[:width], strict=False)]
                vector += delta[width:]
            slot.start, slot.pane, slot.vector = at_ms - at_ms % GRID_MS, pane, vector
            return
        packed, bins = counted_of(cell.family, delta)
        counted = {cell: packed}
        pane.add(counted, {cell: bins})
        self.totals.change(add_cells, at_ms, counted)
        self._rebin(at_ms, cell, UNCOUNTED.bins, bins)
        self._restate(at_ms)
        self._corrected(cell, at_ms, 0, packed)

    def fold_customs(self, event: Any, at_ms: int, slot: Slot) -> None:
        """Count an event, which was counted in `slot`, for the KPIs of the policy's own."""
        start, closed_ms = at_ms - at_ms % GRID_MS, self.panes.closed_ms
        for formula, matches, fold in self.counters.get(event.__class__, ()):
            if not matches(event):
                continue
            own = slot.customs.get(formula)
            if own is None:
                own = slot.customs[formula] = Slot(custom_cell(slot.cell, formula), 0, 0)
            if own.start == start and at_ms >= closed_ms and own.pane.dirty:
                fold(event, own.vector, 0, 0)
            else:
                self.fold(fold, event, at_ms, own)

    def lifted(self, parts: list[Cells]) -> list[Cells]:
        """The cells to be summed into flat vectors: those of the policy's own KPIs in their places behind it, and of no other."""
        return lifted(parts, self.policy.customs.shifts) if self.holds_customs else parts

    def fold_further(self, fold: Fold, event: Any, at_ms: int, slot: Slot) -> None:
        """Count an event, which was counted in `slot`, for the KPIs of the policy's own, and by its sides.

        What the event raises, or leaves uncounted, showed in `slot`.
        """
        if self.counters:
            self.fold_customs(event, at_ms, slot)
        start, closed = at_ms - at_ms % GRID_MS, at_ms < self.panes.closed_ms
        for side in slot.sides:
            name = side.read(event)
            if name is None:
                continue
            own = side.slots.get(name) or side.slot(name)
            if closed:
                self.fold(fold, event, at_ms, own)
            elif own.start == start:
                fold(event, own.vector, own.first, own.second)
            elif slot.start == start:
                own.start, own.vector = start, slot.pane.vectors.setdefault(own.cell, [0] * WIDTHS[own.cell.family])
                fold(event, own.vector, own.first, own.second)
            if self.counters:
                self.fold_customs(event, at_ms, own)

    def recount_all(self, cell: Cell, sides: str, at_ms: int, old: Counted, new: Counted) -> bool:
        """`recount` in a cell of a queue and channel, and in those of the sides; false if any of them lacks the measures."""
        counted = [self.recount(each, at_ms, old, new) for each in (cell, *aside(cell, sides))]
        return all(counted)

    def recount(self, cell: Cell, at_ms: int, old: Counted, new: Counted) -> bool:
        """Count what is `new` in place of the `old`; false where the measures of that are not there any more.

        Days are cut at the midnights of the zone that held when they were, so that after it changed a day may lack what is taken off.
        """
        if at_ms < self.panes.ledger_start():
            return True
        self.holds_sides = self.holds_sides or isinstance(cell, SideCell)
        pane = self.panes.pane(at_ms)
        if old.packed:
            have, gone = (vector_of(cell.family, packed) for packed in (pane.cells().get(cell, 0), old.packed))
            if any(each < less for each, less in zip(have, gone, strict=True)):
                return False
        cells = {cell: old.packed - new.packed}
        taken = pane.take_off(cell, cells[cell], old.bins)
        if new.bins:
            pane.add({}, {cell: new.bins})
        emptied = cell not in pane.cells()
        self.taken_back |= emptied
        if at_ms < self.panes.closed_ms:
            self.totals.change(subtract_cells, at_ms, cells)
            self._rebin(at_ms, cell, taken, new.bins)
            self._restate(at_ms, scopes_in(cell) if emptied else ())
            self._corrected(cell, at_ms, old.packed, new.packed)
        return True

    def visited(self, event: Any, at_ms: int) -> bytes | None:
        """A known customer was in contact: the entry by which that can be taken back, None where nobody asks for repeats."""
        slot = self.slots[_HISTORY].get((event.queue, event.channel)) or self.slot(Family.HISTORY, event.queue, event.channel)
        if not slot.first:
            return None
        entry = entry_of(event, at_ms, slot.second)
        if counts := self.visitors.tell(entry, at_ms, self.panes.closed_ms):
            self.recount_visits(counts)
        return entry

    def not_visited(self, entry: bytes) -> None:
        """Take back what `visited` returned."""
        self.recount_visits(self.visitors.tell(*taken_back(entry), self.panes.closed_ms))

    def recount_visits(self, counts: Counts) -> None:
        """Count what visits count otherwise than before, each in the pane at the end of its quarter hour."""
        for (number, start_ms), vector in by_pane(counts, self.panes).items():
            if any(vector) and not self.recount(self.visitors.places[number].cell, start_ms, *difference(Family.HISTORY, vector)):
                self.visitors.uncounted += 1

    def recount_agents(self) -> int:
        """Count what agents count otherwise than when this was last done; in how many places what is taken off was not there."""
        return sum(
            not self.recount_all(Cell(Family.WORKFORCE, queue, channel, 0, 0), sides, at_ms, *difference(Family.WORKFORCE, vector))
            for (at_ms, queue, channel, sides), vector in self.roster.take_changes().items()
            if any(vector)
        )

    def _corrected(self, cell: Cell, at_ms: int, old: int, new: int) -> None:
        """Have what was made of a closed pane made anew: forecasts of what was offered in it, periods in which it was handled."""
        if cell.family != Family.INTERACTIONS or isinstance(cell, SideCell):
            return
        self.feed.late(new, self.panes.closed_ms)
        if self.plan and (more := offered(new) - offered(old)):
            self.recount_forecasts(self.plan.late(cell, at_ms, more))
        if self.books and handled(new) != handled(old):
            self.books.corrected(at_ms)

    def recount_forecasts(self, corrections: Iterable[Correction]) -> None:
        """Count forecasts as they are now."""
        for start_ms, cell, old, new in corrections:
            counted = self.recount(cell, start_ms, Counted(old, {}), Counted(new, {}))
            assert counted, "a forecast is forgotten before days are cut"

    def _restate(self, at_ms: int, emptied: Iterable[Scope] = ()) -> None:
        """Have the records of closed stretches written again that count what was corrected at `at_ms`."""
        self.row_changed |= self.owed.restate(self.panes, at_ms, emptied)

    def bins_of(self, scope: Scope) -> WindowBins:
        """The bins of windows, in which that scope is."""
        return self.whole_bins if scope == ALL else self.place_bins

    def _rebin(self, at_ms: int, cell: Cell, gone: Bins, come: Bins) -> None:
        if gone or come:
            if not isinstance(cell, SideCell):
                self.whole_bins.recount(at_ms, cell, gone, come)
            self.place_bins.recount(at_ms, cell, gone, come)

    def close(self, closed_ms: int) -> None:
        """Close the panes before `closed_ms`, a grid point: totals move on, and tiers merge."""
        panes, before = self.panes, self.panes.closed_ms
        self.recount_forecasts(self.plan.close(closed_ms, panes))
        self.books.keep_days(panes, closed_ms)
        if self.visitors:
            # Before the panes close: what is on time counts in the last one of its quarter hour.
            self.recount_visits(self.visitors.settle(closed_ms))
        panes.settle(closed_ms)
        self.feed.listen(panes, closed_ms)
        if self.profile.fold(panes, closed_ms):
            self.feed.rates.clear()
        begins = panes.closed_ms == 0
        anew = begins or (self.totals.names, self.totals.calendar) != (self.policy.windows, self._calendar())
        if not anew:
            self.totals.close(closed_ms)
        if begins:
            # What was counted before the frontier was known belongs to stretches that closed unseen.
            self.owed.begin(panes, min((closed_ms, *panes.hot)), closed_ms)
        panes.held = self.owed.held(closed_ms)
        panes.advance(closed_ms)
        if anew:
            self._begin_totals()
            self.totals.rebuild()
        if self.roster:
            self.roster.settle(before, panes)
            self.recount_agents()
        if self.visitors:
            self.recount_visits(self.visitors.mature(closed_ms, panes.zone))
        if self.touched_ms is not None and self.touched_ms <= closed_ms:
            self.touched_ms = None
        self.plan.forget(panes.final_before_ms)
        self.row_changed = True
        self.changed = EVERYTHING

    def _counted_to(self, closed_ms: int) -> int:
        """Where the first pane begins in which nothing can have been counted yet, at `closed_ms` or later."""
        return max((start + GRID_MS for start in self.panes.hot if start >= closed_ms), default=closed_ms)

    def adopt(self, grid_ms: int) -> bool:
        """Take the pending policy at a grid point, if there is one; true if it differs."""
        if self.pending is None:
            return False
        policy, self.pending = self.pending, None
        self.panes.zone = policy.timezone
        self.books.owe_all()
        if policy.revision == self.policy.revision and policy.configured == self.policy.configured:
            return False
        self.policy = policy
        if self.panes:
            self.since.change(policy, self._counted_to(grid_ms), self.panes.ledger_start())
        else:
            self.since = Since(policy)
        self.folded += self.sides.folded
        self.totals.places_changed = True  # Other sides may be kept.
        for slots in self.slots:
            slots.clear()
        self._own.clear()
        self.profile.made.clear()
        self.feed.rates.clear()
        self._count_further()
        self.sides.know(sides_in(self.totals.cells()))
        for total in self.totals.windows:
            total.changed = True
        self.published = dict.fromkeys(self.published, UNKNOWN)
        self.changed = EVERYTHING
        return True

    def next_change_ms(self) -> int | None:
        """The next grid point at which a total, a tier or a day changes without a further event; None if none will."""
        panes, closed = self.panes, self.panes.closed_ms
        due: list[int] = []
        if closed == 0 or self.waits or (self.profile.compared and (self.panes or self.profile)):
            due.append(closed + GRID_MS)
        if self.touched_ms is not None:
            due.append(self.touched_ms)
        if panes.hot:
            # Panes that are merged leave at a full minute; the first open one closes at its end, which may be far off.
            due.append(closed - closed % MINUTE_MS + MINUTE_MS)
            due.extend(start + GRID_MS for start in panes.hot if start >= closed)
        ticket_ms = self.backlog.next_change_ms(closed, self.policy.ticket_expiry_ms)
        if ticket_ms is not None:
            due.append(ticket_ms)
        due.extend(each for each in (self.plan.next_end_ms(), self.books.next_end_ms(closed)) if each is not None)
        falls_ms = self.totals.next_ms()
        if falls_ms is not None:
            due.append(falls_ms)
        agent_ms = self.roster.next_change_ms(closed)
        if agent_ms is not None:
            due.append(agent_ms)
        if panes:
            due.append(min(closed - closed % QUARTER_MS + QUARTER_MS, day_end(closed, panes.zone)))
        return min(due, default=None)

    def scopes(self) -> tuple[Scope, ...]:
        """The whole partner, and in order each scope that is kept and has figures in the last 24 hours."""
        if self.totals.places_changed:
            self.totals.places_changed = False
            found = {ALL}.union(*(scopes_of(*place) for place in self.totals.places()))
            if self.holds_sides:
                found |= {scope for scope in sides_in(self.totals.cells()) if self.keeps(scope)}
            self._scopes = tuple(sorted(found))
        return self._scopes

    def keeps(self, scope: Scope) -> bool:
        """Whether the policy asks for figures of such scopes."""
        return scope.dimension not in SIDES or scope.dimension in self.policy.scopes

    def to_row(self) -> list[Any]:
        """What the state keeps beside panes and conditions."""
        begin = [self.panes.closed_ms, self.panes.zone, self.queues_contacts]
        flags = [self.touched_ms, self.closes_unqueued, self.takes_tickets]
        # The two lists that stand empty told of days before minutes and quarter hours were written too.
        row = [*begin, [], *flags, [], self.owed.to_row(), self.sums.to_row(), self.since.to_row(), self.feed.to_row()]
        return [*row, self.gained] if self.gained else row

    def loaded(self) -> None:
        """Sum the totals anew, after panes were loaded, and remember what may stand published: whatever is in the ledger, in any window."""
        totals, panes = self.totals, self.panes
        self.since.loaded(self.policy, self._counted_to(panes.closed_ms), panes.ledger_start())
        totals.rebuild()
        self.roster.loaded(panes.closed_ms)
        # What is older is only named, not decoded: most of it is in no window of today.
        cells = named(panes.older(totals.presence_ms)).union(*panes.cells_between(panes.closed_ms, _FOREVER))
        cells |= totals.cells()
        self.holds_customs = self.holds_customs or any(map(is_custom, cells))
        split = sides_in(cells)
        self.holds_sides = self.holds_sides or bool(split)
        self.sides.know(split)
        for scope in {ALL}.union(*map(scopes_in, cells), *(scopes_of(*place) for place in self.roster.places())):
            self.published.update({(scope, window.name): UNKNOWN for window in WINDOWS})

    def snapshot(self) -> dict[str, Any]:
        """All that rows must bring back."""
        return {
            "row": self.to_row(),
            "panes": self.panes.snapshot(),
            "sums": self.sums.snapshot(),
            "profile": self.profile.snapshot(),
            "bins": self.panes.bins_snapshot(),
            "totals": {total.window.name: (total.start_ms, self.totals.parts(total)) for total in self.totals.windows},
            "books": self.books.snapshot(),
            "conditions": {key: each for key, each in self.conditions.items() if not each.blank},
            "asides": dict(self.asides),
        }

    def rebased(self, parts: Iterable[Cells]) -> dict[Scope, int]:
        """The scopes in which something was counted under another basis than the policy's present one; a bit for each such family."""
        return rebased(parts, self._own, self.policy, self.sides)
