"""A backtest: what a policy would have done over a history, by the very engine."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from models.policy_spec import PolicyFile
from streams.engine.failures import Tally
from streams.trial.counted import CountedPast
from streams.trial.histories import Read, Told
from streams.trial.outcome import Days, Outcome, episodes
from streams.trial.past import Past, narrowed, past_of

__all__ = ["Backtest", "backtest"]

_AT_ONCE: Final = 2_000
"""Events, of some hundred bytes each."""


@dataclass(slots=True)
class Backtest:
    """One policy, and the past of each partner under it."""

    policy: PolicyFile
    pasts: dict[str, CountedPast | Past]
    from_ms: int | None = None
    to_ms: int = 0

    def feed(self, runs: Mapping[str, Sequence[Told]]) -> None:
        """The next events by partner, each in their order; one that is earlier than those before counts late, as it would have live."""
        for partner, run in runs.items():
            if self.from_ms is None:
                self.from_ms = run[0].at_ms
            past = self.pasts.get(partner)
            if past is None:
                past = self.pasts[partner] = past_of(self.policy, partner, run[0].at_ms)
            past.feed(run)
            self.to_ms = max(self.to_ms, past.last_ms)

    def end(self) -> Outcome:
        """What came of it, at the time of the last event."""
        verdicts = [verdict for past in self.pasts.values() for verdict in past.end(self.to_ms)]
        zones = {name: past.policy.timezone for name, past in self.pasts.items()}
        targets: dict[str, dict[str, Days]] = {name: past.days for name, past in sorted(self.pasts.items())}
        judging = {rule.id for past in self.pasts.values() for rule in past.policy.rules}
        rules = tuple(rule.id for rule in self.policy.rules if rule.id in judging)
        failures: dict[str, Tally] = {}
        for name, tally in (each for past in self.pasts.values() for each in past.failures.items()):
            times = failures[name].times if name in failures else 0
            failures[name] = Tally(times + tally.times, tally.error)
        return Outcome(self.from_ms or 0, self.to_ms, rules, tuple(episodes(verdicts, zones)), targets, failures)


def backtest(policies: Sequence[PolicyFile], events: Iterable[Told], read: Read) -> Iterator[Outcome]:
    """The outcome of each policy; the history is read once, and partners that no policy names are left out, and counted."""
    made = [Backtest(narrowed(policy), {}) for policy in policies]
    named = {partner.id for policy in policies for partner in policy.partners}
    # Partners know nothing of each other: what one of them needs stays in a core's cache for many events.
    left = iter(events)
    while some := list(islice(left, _AT_ONCE)):
        runs = defaultdict[str, list[Told]](list)
        for event in some:
            runs[event.partner].append(event)
        for partner in runs.keys() - named:
            run = runs.pop(partner)
            read.events -= len(run)
            read.leave_out("no_policy", len(run))
        for each in made:
            each.feed(runs)
    for each in made:
        yield each.end()
