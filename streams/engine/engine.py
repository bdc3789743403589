"""The engine of one partition number: all that is meant happens here, and nothing is fetched, awaited or sent.

Runs of records go in, the frontier moves on, and what belongs together comes out: rows of the state, records for readers and source
offsets, for one transaction. Time, and what a record is, are arguments, so a test can drive thousands of crash schedules through it.

    engine.load(records) for the runs of the changelog, then engine.loaded()
    for _ in engine.apply(topic, follows, records, now_ms): ...  # each step is a good place to yield
    engine.idle(topic, at_ms)                                    # the broker had nothing more of `topic` at that time
    engine.passed(topic, offset)                                 # nothing that is not applied stands before `offset`
    for _ in engine.advance(): ...
    commit = engine.drain(now_ms, Budget(...))
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from models.errors import PolicyError
from models.measures import Family
from models.policy_record import decode_policy
from models.reasons import RejectReason
from models.topics import BROADCAST
from models.windows import DAY_MS, GRID_MS, HOUR_MS, MINUTE_MS
from streams.engine import contacts, rows, tickets
from streams.engine.announce import Announcer, Verdict
from streams.engine.attended import Beside
from streams.engine.beside import beside, head_ms
from streams.engine.cells import Cell, ordered
from streams.engine.commands import obey
from streams.engine.config import EngineConfig
from streams.engine.counted import UNCOUNTED
from streams.engine.gained import gain
from streams.engine.intake import Intake
from streams.engine.judge import Judged, judge
from streams.engine.letters import Origin, SourceRecord, dead_letter
from streams.engine.output import Budget, Commit, Output
from streams.engine.partner import Partner
from streams.engine.publish import Moment, Publisher
from streams.engine.rollups import Rollups
from streams.engine.state import State
from streams.engine.statements import Statements
from streams.engine.stored import Loader, Stored
from streams.errors import GapError

__all__ = ["Engine", "Sizes", "SourceSign"]

_HEARTBEAT_MS: Final = 5_000
_ANNOTATION_KEPT_MS: Final = 760 * DAY_MS
_OVERRIDE_KEPT_MS: Final = 14 * DAY_MS


class Sizes(NamedTuple):
    """How much an engine holds."""

    partners: int
    seen_ids: int
    open_contacts: int
    open_tickets: int
    agents: int
    """Known, whether they are there or not."""
    agents_staffed: int
    """There when the last grid point of their partner was closed."""
    behind_seconds: float
    """How long the group that waits longest for the budget has waited."""
    rollups_behind_seconds: float
    """How much stream time the closed minutes span whose records the budget has kept waiting."""


class SourceSign(NamedTuple):
    """What a source said that says that it lives."""

    topic: str
    name: str
    """Empty of one that gives itself no name."""
    lives: bool
    last_ms: int


class Engine:
    """See the module. One caller at a time; the generators may be left off between steps, never resumed after `drain` failed."""

    def __init__(self, partition: int, config: EngineConfig, state: State | None = None) -> None:
        self.partition = partition
        self._state = State(partition, config) if state is None else state
        self._config = config
        self._intake = Intake(self._state, self.advance)
        self._publisher = Publisher(config.topics.kpis, config.source)
        self._rollups = Rollups(config.topics, config.source)
        self._statements = Statements(config.topics.periods, config.source)
        self._announcer = Announcer(config)
        self._loader = Loader()
        self._verdicts: list[Verdict] = []
        self._gone: list[Partner] = []
        self._committed_offsets: dict[str, int] = {}
        self._heartbeat_ms = 0
        self._budget = Budget(0, 0)
        """Of the last commit, as it was left."""
        self._expired_hour = 0

    @property
    def applied(self) -> dict[str, int]:
        """By topic, the next offset to be read: where the sources are to be sought after a restart."""
        return self._state.applied

    @property
    def frontier_ms(self) -> int:
        """Stream time up to which everything was applied; 0 while unknown."""
        return self._state.frontier.value_ms

    @property
    def unheard(self) -> list[str]:
        """The sources of which nothing is known yet, in a state that is new."""
        return self._state.frontier.unheard

    @property
    def counters(self) -> dict[str, int]:
        """Totals since the state began."""
        return dict(self._state.counters)

    def sizes(self, now_ms: int) -> Sizes:
        """How much is held now, which is counted for whoever asks."""
        state = self._state
        partners = state.partners.values()
        rosters = [(partner.roster, partner.panes.closed_ms) for partner in partners if partner.roster]
        owing = [partner for partner in partners if partner.owed.clear_ms != partner.panes.closed_ms]
        owed_ms = max((partner.panes.closed_ms - MINUTE_MS - partner.owed.minutes_ms for partner in owing), default=0)
        return Sizes(
            partners=len(partners),
            seen_ids=len(state.seen.hashes),
            open_contacts=sum(len(partner.waits) for partner in partners),
            open_tickets=state.tickets.open_count(),
            agents=sum(len(roster.held) for roster, _ in rosters),
            agents_staffed=sum(staffed for roster, closed_ms in rosters for staffed, _ in roster.staffed(closed_ms).values()),
            behind_seconds=self._publisher.slowest_ms(now_ms) / 1000,
            rollups_behind_seconds=max(0, owed_ms) / 1000,
        )

    def sources(self) -> list[SourceSign]:
        """The sources that ever said that they live, as of the frontier."""
        return [SourceSign(*place, lives, spell.last_ms) for place, spell, lives in self._state.sources.at(self.frontier_ms)]

    @property
    def urgent(self) -> bool:
        """Whether something must not wait for the next second: a transition, or more letters than should pile up."""
        state = self._state
        told = bool(state.incidents.pages) or any(each.judged.changes for each in self._verdicts)
        return told or len(state.outputs) >= self._config.limits.pending_outputs

    def apply(self, topic: str, follows: int, records: Sequence[SourceRecord], now_ms: int) -> Iterator[None]:
        """Apply a run of one topic.

        Args:
            topic: The source topic.
            follows: The position that the run was fetched from: where the run before it ended.
            records: In order of their offsets, at least one.
            now_ms: The wall clock; no record's timestamp counts as later.

        Raises:
            GapError: if the run does not follow the last applied one.
        """
        applied = self._state.applied.get(topic)
        # What was passed lies beyond the run before, and before this one's first record.
        if applied is not None and not follows <= applied <= records[0].offset:
            msg = f"{topic}[{self.partition}]: applied up to {applied}, but the run was fetched from {follows}"
            raise GapError(msg)
        assert records[0].offset >= follows, f"{topic}[{self.partition}]: offset {records[0].offset} before {follows}"
        self._state.now_ms = now_ms
        self._state.frontier.begin(topic, min(records[0].timestamp, now_ms))
        # The timer yields in the middle of an advance: what it left is due before anything of this run counts.
        yield from self.advance()
        if topic == self._config.topics.policies:
            self._apply_policies(records, now_ms)
        elif topic == self._config.topics.commands:
            self._apply_commands(records, now_ms)
        else:
            yield from self._intake.count(topic, records, now_ms)
            return
        self._state.applied[topic] = records[-1].offset + 1
        self._state.frontier.observe(topic, min(records[-1].timestamp, now_ms))
        yield from self.advance()

    def idle(self, topic: str, at_ms: int) -> None:
        """At `at_ms` the broker answered that nothing of `topic` is left to read, and all that was fetched is applied."""
        self._state.now_ms = max(self._state.now_ms, at_ms)
        self._state.frontier.observe(topic, at_ms)

    def passed(self, topic: str, offset: int) -> None:
        """Before `offset` lie only markers of transactions and what was aborted: retention may take them without a loss."""
        if offset > self._state.applied.get(topic, 0):
            self._state.applied[topic] = offset

    def advance(self) -> Iterator[None]:
        """Close every grid point that the frontier has passed, in order; yields after each partner's."""
        state = self._state
        while (partner := state.take_due()) is not None:
            self._close(partner)
            yield

    def _close(self, partner: Partner) -> None:
        state = self._state
        assert partner.due_ms is not None, "only what is due is closed"
        grid = partner.due_ms - partner.policy.settle_ms
        if partner.panes.closed_ms == 0:
            grid = state.grid_ms(partner.policy.settle_ms)
        grid -= grid % GRID_MS
        if grid > partner.panes.closed_ms:
            self._expire(partner, grid)
            partner.adopt(grid)
            partner.close(grid)
            frontier_ms, offsets = state.frontier.value_ms, dict(state.applied)
            judged, now_ms = list(judge(partner, grid)), 0 if self._config.clock_from_log else state.now_ms
            if judged or partner.asides:
                judged = beside(partner, state.silences, judged, grid, now_ms)
                self._verdicts += [Verdict(partner, each, grid, frontier_ms, offsets) for each in judged]
            if partner.policy.paging is not None or partner.id in state.incidents.open:
                state.incidents.follow(partner, judged, state.overrides, grid, head_ms(partner, now_ms))
                if state.incidents.attended:
                    self._tell(state.incidents.take_attended())
            if partner.failures.count:
                self._tell_failures(partner)
        if self._is_over(partner):
            del state.partners[partner.id]
            self._gone.append(partner)
        else:
            state.reschedule(partner)

    def _tell_failures(self, partner: Partner) -> None:
        """Count what raised of a partner's rules and alerts, with letters of what on."""
        state, config = self._state, self._config
        count, fresh = partner.failures.take()
        state.counters["rules_failed"] += count
        origin = Origin(config.topics.policies, self.partition)
        for each in fresh:
            state.counters[f"dead_letters.{RejectReason.BUG}"] += 1
            state.outputs.append(dead_letter(config.topics.dead_letters, origin, each, RejectReason.BUG, each.error, state.now_ms))

    def _is_over(self, partner: Partner) -> bool:
        """Whether nothing is left of a partner that no policy names: the ledger holds nothing of it any more."""
        open_conditions = any(not condition.blank for condition in partner.conditions.values())
        held = partner.panes or partner.waits or partner.backlog or partner.plan or partner.roster or partner.books or partner.visitors
        return not (partner.policy.configured or partner.pending or held or open_conditions or partner.asides)

    def _expire(self, partner: Partner, grid_ms: int) -> None:
        for _, (queue, channel, *aside), _ in self._state.contacts.expire(partner.waits, grid_ms - partner.policy.contact_expiry_ms):
            cell = partner.slot(Family.INTERACTIONS, queue, channel).cell
            partner.recount_all(cell, "".join(aside), grid_ms - GRID_MS, UNCOUNTED, contacts.EXPIRED)
            self._state.counters["contacts_expired"] += 1
        for queue, channel, sides in self._state.tickets.expire(partner.backlog, grid_ms - partner.policy.ticket_expiry_ms):
            partner.recount_all(Cell(Family.TICKETS, queue, channel, 0, 0), sides, grid_ms - GRID_MS, UNCOUNTED, tickets.EXPIRED)
            self._state.counters["tickets_expired"] += 1

    def _apply_policies(self, records: Sequence[SourceRecord], now_ms: int) -> None:
        state = self._state
        origin = Origin(self._config.topics.policies, self.partition)
        changed: set[str] = set()
        for record in records:
            try:
                change = decode_policy(record.key, record.value)
            except PolicyError as error:
                state.counters["policies_refused"] += 1
                letter = dead_letter(self._config.topics.dead_letters, origin, record, RejectReason.INVALID, str(error), now_ms)
                state.outputs.append(letter)
                continue
            if state.policies.take(change):
                changed.add(change.partner)
        if not changed:
            return
        affected = set(state.partners) | set(state.policies.partner_ids) if BROADCAST in changed else changed
        for partner_id in affected:
            partner = state.partner(partner_id)
            if partner is not None:
                partner.pending = state.policies.of(partner_id)
                gain(partner, partner.pending)
                partner.books.owe_all()
                # A partner that lies idle was not closed at every grid point: what is new holds from now on, not from then.
                state.touch(partner, max(partner.panes.closed_ms, state.grid_ms(partner.policy.settle_ms)) + GRID_MS)

    def _apply_commands(self, records: Sequence[SourceRecord], now_ms: int) -> None:
        origin = Origin(self._config.topics.commands, self.partition)
        state = self._state
        for record in records:
            state.counters["commands"] += 1
            outputs, place = obey(state, origin, record, now_ms)
            state.outputs += outputs
            self._tell([*state.incidents.take_attended(), *([] if place is None else [place])])

    def _tell(self, places: Sequence[Beside]) -> None:
        """Tell of conditions beside which something else stands, while they are as they were."""
        state = self._state
        for partner, rule_id, scope, former in places:
            rule = next((rule for rule in partner.policy.rules if rule.id == rule_id), None)
            told = Judged(rule, scope, partner.conditions[rule_id, scope], (), partner.asides[rule_id, scope], former)
            self._verdicts.append(Verdict(partner, told, partner.panes.closed_ms, state.frontier.value_ms, dict(state.applied)))

    def drain(self, now_ms: int, budget: Budget) -> Commit | None:
        """What is to be written in one transaction now; None when there is nothing to say.

        Once it returned a commit, either that is committed or the engine is thrown away.
        """
        state = self._state
        budget = self._budget = budget.after(self._budget)
        state.sequence += 1
        state.counters["seen_ids_forgotten_early"] += state.seen.expire(state.frontier.arrival_ms)
        state.counters["contacts_dropped"] += state.contacts.take_dropped()
        state.counters["cells_folded"] += sum(partner.take_folded() for partner in state.partners.values())
        state.counters["profile_weeks_dropped"] += sum(partner.profile.take_dropped() for partner in state.partners.values())
        state.counters["forecasts_dropped"] += state.plans.take_dropped()
        state.counters["forecasts_outdated"] += state.plans.take_outdated()
        state.counters["tickets_dropped"] += state.tickets.take_dropped()
        agents_dropped, agents_expired = state.agents.take_counts()
        state.counters["agents_dropped"] += agents_dropped
        state.counters["agents_expired"] += agents_expired
        visits_late, visits_forgotten_early, visits_not_recounted = state.history.take_counts()
        state.counters["visits_late"] += visits_late
        state.counters["visits_forgotten_early"] += visits_forgotten_early
        state.counters["visits_not_recounted"] += visits_not_recounted
        source_gaps, sources_dropped = state.sources.take_counts()
        state.counters["source_gaps"] += source_gaps
        state.counters["sources_dropped"] += sources_dropped
        state.contacts.forget_early(state.frontier.value_ms)
        state.tickets.forget(state.frontier.value_ms)
        self._expire_hourly()
        self._expire_silences()
        notices = [row for each in (state.silences, state.annotations, state.overrides) for row in each.drain(self._config, self.partition)]
        moment = Moment(now_ms, state.frontier.value_ms, state.sequence)
        alerts = self._announcer.announce(self._verdicts, moment)
        for partner in (verdict.partner for verdict in self._verdicts if verdict.partner.failures.count):
            self._tell_failures(partner)
        incidents = state.incidents.drain(self._config, moment)
        state.counters.update(state.incidents.take_counts())
        records: list[Output] = [*state.outputs, *alerts.records, *incidents.records, *self._figures(moment, budget)]
        records += [record for _, record in notices if record is not None]
        changed = [*alerts.rows, *incidents.rows, *(row for row, _ in notices), *self._rows()]
        state.outputs, self._verdicts = [], []
        beats = now_ms - self._heartbeat_ms >= _HEARTBEAT_MS
        if beats:
            self._heartbeat_ms = now_ms
            records.append(self._announcer.heartbeat(state, moment, self._publisher.slowest_ms(now_ms)))
        if not records and not changed and state.applied == self._committed_offsets:
            state.sequence -= 1
            return None
        self._committed_offsets = dict(state.applied)
        applied = [state.applied, state.frontier.to_row(), state.sequence, dict(state.counters)]
        changed.append((rows.key("applied"), rows.pack(applied)))
        return Commit(state.sequence, changed, records, dict(state.applied), alerts.transitions)

    def _expire_silences(self) -> None:
        """Forget the silences that are over for every partner, once nothing is left to be closed that they may cover."""
        state = self._state
        if state.silences.held and state.next_due_ms > state.frontier.value_ms:
            settle_ms = max((partner.policy.settle_ms for partner in state.partners.values()), default=0)
            state.silences.expire(lambda each: each.until + -each.until % GRID_MS + settle_ms <= state.frontier.value_ms)

    def _expire_hourly(self) -> None:
        """Forget the contact records that nothing can replace any more, and visits that are judged; looked for once an hour."""
        state = self._state
        state.counters["records_forgotten_early"] += state.contributions.take_forgotten()
        state.counters["commands_forgotten_early"] += state.done.take_forgotten()
        hour = state.frontier.value_ms // HOUR_MS
        if hour > self._expired_hour:
            self._expired_hour = hour
            retained_ms = max((partner.policy.record_retention_ms for partner in state.partners.values()), default=0)
            state.contributions.expire(state.frontier.value_ms - retained_ms)
            state.history.expire()
            state.done.expire(state.frontier.value_ms)
            state.incidents.expire(state.frontier.value_ms)
            state.sources.expire(state.frontier.value_ms)
            state.annotations.expire(lambda each: each.to + _ANNOTATION_KEPT_MS < state.frontier.value_ms)
            state.overrides.expire(lambda each: each.to + _OVERRIDE_KEPT_MS < state.frontier.value_ms)

    def _figures(self, moment: Moment, budget: Budget) -> Iterator[Output]:
        state = self._state
        for partner in self._gone:
            yield from self._publisher.farewell(partner, moment)
        for partner in state.partners.values():
            if partner.taken_back:
                # In one commit with the rows: a worker that comes after a crash finds nothing that tells of the scope.
                yield from self._publisher.expire(partner, moment)
        for group, partner in self._publisher.due(state.partners, moment.now_ms):
            if budget.is_spent:
                self._publisher.left_over(group, partner, moment.now_ms)
                continue
            for output in self._publisher.publish(partner, group, moment):
                budget.spend(output)
                yield output
        # What is past waits behind what is present.
        yield from self._rollups.publish(state.partners.values(), moment, budget)
        for partner in state.partners.values():
            for period in partner.books.over(partner.panes.closed_ms) if partner.books.owed else ():
                if not budget.is_spent:
                    output = self._statements.publish(partner, period, moment)
                    budget.spend(output)
                    yield output

    def _rows(self) -> Iterator[tuple[bytes, bytes | None]]:
        state = self._state
        for partner in self._gone:
            yield from partner.panes.drain()
            partner.sums.take({})
            yield from partner.sums.drain()
            partner.profile.release()
            yield from partner.profile.drain()
            yield from partner.books.drain(partner.id)
            yield rows.key("handled", partner.id), None
            yield rows.key("partner", partner.id), None
        gone = {partner.id for partner in self._gone} - state.partners.keys()
        self._gone.clear()
        for partner in state.partners.values():
            yield from partner.panes.drain()
            yield from partner.sums.drain()
            yield from partner.profile.drain()
            yield from partner.books.drain(partner.id)
            if partner.row_changed:
                partner.row_changed = False
                yield rows.key("partner", partner.id), rows.pack(partner.to_row())
        yield from state.seen.drain(state.sequence)
        yield from state.contacts.drain(state.sequence)
        yield from state.tickets.drain(state.sequence)
        yield from state.contributions.drain(state.sequence, state.frontier.value_ms)
        yield from state.plans.drain()
        yield from state.agents.drain()
        yield from state.history.drain(state.sequence, state.frontier.value_ms)
        yield from state.done.drain()
        yield from state.sources.drain()
        for partner_id in gone:
            state.contacts.release(partner_id)
            state.tickets.release(partner_id)
            state.plans.release(partner_id)
            state.agents.release(partner_id)
            state.history.release(partner_id)
        yield from state.policies.drain()

    def load(self, records: Iterable[Stored]) -> None:
        """Take stored rows; of those under one key the last holds."""
        self._loader.take(records)

    def loaded(self) -> None:
        """Make the rows that were taken the state.

        Raises:
            StateError: if one cannot be read, or a newer release wrote it.
        """
        self._loader.finish(self._state)
        self._committed_offsets = dict(self._state.applied)

    def items(self) -> Iterator[tuple[tuple[str | int, ...], Any]]:
        """The rows of partners, panes and conditions as a reader of the table sees them: by key, decoded."""
        for partner in self._state.partners.values():
            yield ("partner", partner.id), partner.to_row()
            for (tier, start), cells in partner.panes.snapshot().items():
                yield ("pane", partner.id, tier, start), [[*cell, *vector] for _, cell, vector in ordered(cells)]
            for condition in partner.conditions.values():
                if not condition.blank:
                    yield ("alert", condition.fingerprint), condition.to_row()

    def snapshot(self) -> dict[str, Any]:
        """All that rows must bring back, to compare two engines by."""
        state = self._state
        return {
            "applied": dict(state.applied),
            "frontier": state.frontier.to_row(),
            "sequence": state.sequence,
            "counters": {name: count for name, count in state.counters.items() if count},
            "seen": set(state.seen.hashes),
            "contacts": state.contacts.snapshot(),
            "tickets": state.tickets.snapshot(),
            "records": state.contributions.snapshot(),
            "forecasts": state.plans.snapshot(),
            "agents": state.agents.snapshot(),
            "history": state.history.snapshot(),
            "silences": dict(state.silences.held),
            "annotations": dict(state.annotations.held),
            "overrides": dict(state.overrides.held),
            "incidents": state.incidents.snapshot(),
            "done": state.done.snapshot(),
            "sources": dict(state.sources.held),
            "partners": {partner.id: partner.snapshot() for partner in state.partners.values()},
        }
