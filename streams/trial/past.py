"""One partner's past through the engine, closed and judged where a rule could see another figure; or by tallies, where they tell all.

Guarantee: the conditions change at the same grid points, and to the same, as if every grid point were closed: what is left out is what
is kept for readers or for a restart: rows, records of figures, closed minutes. Held by `tests/property/test_backtest.py`.

Cost: a grid point that is closed takes some 50 µs, an event alone some 10.
"""

from collections.abc import Sequence
from typing import Final

from models.days import day_end, day_start
from models.policy import PartnerPolicy, compile_partner
from models.policy_file import parts
from models.policy_spec import PolicyFile
from models.rules import ADAPTIVE
from models.statistics import ADAPTIVE_WIDTHS_MS
from models.windows import GRID_MS, WINDOWS
from streams.engine.announce import Verdict
from streams.engine.failures import Tally
from streams.engine.intake import EFFECTS
from streams.engine.lanes import unpack
from streams.engine.totals import ALL, flats
from streams.trial.aims import Aims
from streams.trial.counted import CountedPast
from streams.trial.driven import DrivenEngine, DrivenState
from streams.trial.histories import Told
from streams.trial.offline import TOPICS, Offline, policy_records
from streams.trial.rest import can_rest

__all__ = ["Past", "narrowed", "past_of"]

_RUN_MAX: Final = 1_000
_TOPIC: Final = TOPICS.interactions


def narrowed(policy: PolicyFile) -> PolicyFile:
    """The same with the windows of its rules alone: others have readers only."""
    kept, asked = policy.defaults.windows, {look.window for rule in policy.rules for look in rule.looks}
    chosen = {each.name for each in WINDOWS if each.width_ms in ADAPTIVE_WIDTHS_MS} if ADAPTIVE in asked else set()
    windows = tuple(each for each in kept if each in asked | chosen) or kept[:1]
    return policy.model_copy(update={"defaults": policy.defaults.model_copy(update={"windows": windows})})


def past_of(policy: PolicyFile, partner: str, at_ms: int) -> "CountedPast | Past":
    """The past of a partner that begins at `at_ms`, the time of the first event, under a policy that was `narrowed`."""
    shared, own = parts(policy)
    compiled = compile_partner(shared, own.get(partner), partner)
    return CountedPast(policy, compiled, at_ms) if can_rest(compiled) else Past(policy, compiled, at_ms)


class Past:
    """Of one partner: events go in, in the order of their times."""

    def __init__(self, policy: PolicyFile, compiled: PartnerPolicy, at_ms: int) -> None:
        """Begin at `at_ms`, the time of the first event, under a policy whose windows are those of its rules (`narrowed`)."""
        self.policy = compiled
        self._state = DrivenState()
        self._engine = DrivenEngine(self._state)
        self._offline = Offline(self._engine)
        self._offline.send(TOPICS.policies, policy_records(policy, at_ms, compiled.partner_id), at_ms)
        self._engine.begin(at_ms - at_ms % GRID_MS)
        found = self._state.partner(compiled.partner_id)
        assert found is not None, "with one partition number every partner is at home"
        self._partner = found
        # What is usual is for rules that ask: what it was like beside an alert is told to nobody here.
        found.profile.kept = found.profile.compared or found.feed.watched
        self._run: list[tuple[bytes | None, bytes]] = []
        self._run_due_ms = self.last_ms = at_ms
        self._began_ms, self._day_ms = day_start(at_ms, compiled.timezone), day_end(at_ms, compiled.timezone)
        self._aims = Aims(compiled)
        self.days = self._aims.days

    def feed(self, run: Sequence[Told]) -> None:
        """Events in the order in which they came; one that is earlier than those before comes late."""
        for event in run:
            self._feed(event)

    def _feed(self, told: Told) -> None:
        at_ms, _, value, event = told
        occurred_ms, at_ms = at_ms, max(at_ms, self.last_ms)
        self.last_ms = at_ms
        if at_ms >= self._day_ms:
            self._over(at_ms)
        backwards = occurred_ms < at_ms or event.__class__ not in EFFECTS
        if backwards:
            # All is judged as it was before an event came that counts, or may count, at a time before others.
            self._flush(at_ms)
            self._engine.until(at_ms)
            self._engine.begin(at_ms)
        else:
            self._catch_up(at_ms)
            if not self._run:
                self._run_due_ms = at_ms - at_ms % GRID_MS + GRID_MS + self.policy.settle_ms
        self._run.append((self._partner.key, value))
        if len(self._run) >= _RUN_MAX or backwards:
            self._flush(at_ms)

    def end(self, at_ms: int) -> list[Verdict]:
        """No more events before `at_ms`."""
        self._flush(at_ms)
        self._engine.until(at_ms)
        return self._engine.take()

    @property
    def failures(self) -> dict[str, Tally]:
        """What raised, as `streams.engine.failures` names it."""
        return self._partner.failures.tallies

    def _catch_up(self, at_ms: int) -> None:
        """Close and judge what falls due."""
        if self._run and self._run_due_ms <= at_ms:
            self._flush(at_ms)
        if self._state.next_due_ms <= at_ms:
            self._flush(at_ms)
            self._engine.until(at_ms)

    def _flush(self, at_ms: int) -> None:
        if self._run:
            self._offline.send(_TOPIC, self._run, at_ms)
            self._run = []

    def _over(self, at_ms: int) -> None:
        """A day is over."""
        self._flush(self._day_ms)
        self._engine.until(self._day_ms + self.policy.settle_ms)
        partner = self._partner
        flat = flats(partner.lifted([partner.panes.sum_between(self._began_ms, self._day_ms)])).get(ALL)
        if flat is not None:
            self._aims.day(unpack(flat, self.policy.customs.width))
        self._engine.forget()
        self._began_ms, self._day_ms = day_start(at_ms, self.policy.timezone), day_end(at_ms, self.policy.timezone)
