"""What a policy would have done: episodes of its alerts, and how often its targets were met. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from alerts import ChangeKind
from models.rules import Severity
from models.windows import MINUTE_MS
from streams.engine.announce import Verdict
from streams.engine.failures import Tally

__all__ = ["Days", "Difference", "Episode", "Outcome", "differences", "episodes"]

_HOURS: Final = 24
_ORDER: Final = list(Severity)


@dataclass(frozen=True, slots=True)
class Episode:
    """An alert from when it fired to when it was over."""

    partner: str
    rule: str
    scope: str
    severity: str
    """The worst."""
    fired_ms: int
    ended_ms: int | None
    """None where it was still open at the end."""
    hour: int
    """Of the partner's day in which it fired."""
    suppressed_by: tuple[str, ...] = ()
    """Why nobody was paged: what its page waited for when it fired, and went on to; empty where somebody was, then or later."""

    def minutes(self, end_ms: int) -> float:
        """How long it was open, up to `end_ms` at most."""
        return ((end_ms if self.ended_ms is None else self.ended_ms) - self.fired_ms) / MINUTE_MS

    def overlaps(self, other: "Episode") -> bool:
        """Whether both tell of one trouble."""
        same = (self.partner, self.rule, self.scope) == (other.partner, other.rule, other.scope)
        begins = other.ended_ms is None or self.fired_ms <= other.ended_ms
        return same and begins and (self.ended_ms is None or other.fired_ms <= self.ended_ms)


@dataclass(slots=True)
class Days:
    """How often one target was met, in closed days of the whole partner."""

    days: int = 0
    """With a figure."""
    met: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of one policy over one history."""

    from_ms: int
    to_ms: int
    rules: tuple[str, ...]
    """All that judged somebody, in the policy's order."""
    episodes: tuple[Episode, ...]
    """By the time they fired."""
    targets: dict[str, dict[str, Days]] = field(default_factory=dict)
    """By partner and KPI."""
    failures: dict[str, Tally] = field(default_factory=dict)
    """What raised, as `streams.engine.failures` names it: what it would have come to nobody knows."""

    def of(self, rule: str) -> list[Episode]:
        """The episodes of a rule."""
        return [each for each in self.episodes if each.rule == rule]

    def minutes(self, rule: str) -> float:
        """How long a rule was open, of all partners and scopes together."""
        return sum(each.minutes(self.to_ms) for each in self.of(rule))

    def hours(self, rule: str) -> list[int]:
        """Its alerts by hour of the partner's day (shape: 24)."""
        counted = Counter(each.hour for each in self.of(rule))
        return [counted[hour] for hour in range(_HOURS)]

    def met(self) -> dict[str, Days]:
        """By KPI, of all partners together."""
        found: dict[str, Days] = {}
        for of_partner in self.targets.values():
            for kpi, days in of_partner.items():
                total = found.setdefault(kpi, Days())
                total.days, total.met = total.days + days.days, total.met + days.met
        return found


@dataclass(frozen=True, slots=True)
class Difference:
    """What one rule does otherwise than under the other policy."""

    rule: str
    episodes: int
    episodes_against: int
    minutes: float
    minutes_against: float
    only: tuple[Episode, ...]
    """That the other policy has nothing like."""
    only_against: tuple[Episode, ...]


def episodes(verdicts: Iterable[Verdict], zones: Mapping[str, str]) -> list[Episode]:
    """The episodes that changes of conditions make, by the time they fired; a verdict's come in order."""
    done: list[Episode] = []
    open_: dict[tuple[str, str, str], tuple[int, str, tuple[str, ...]]] = {}
    for verdict in verdicts:
        for change in verdict.judged.changes:
            after = change.after
            key = (after.partner, after.rule_id, after.scope)
            severity = verdict.partner.policy.told(after.severity, verdict.judged.scope) if after.severity else ""
            if change.kind in (ChangeKind.FIRED, ChangeKind.ESCALATED):
                waits = verdict.judged.aside.reasons
                fired_ms, worst, waited = open_.get(key, (change.at_ms, severity, waits))
                open_[key] = fired_ms, max(worst, severity, key=_rank), waited if waits else ()
            elif change.kind is ChangeKind.SUPPRESSION_ENDED and key in open_:
                open_[key] = *open_[key][:2], ()
            elif change.kind in (ChangeKind.RESOLVED, ChangeKind.RETIRED) and key in open_:
                done.append(_episode(key, open_.pop(key), change.at_ms, zones))
    done += [_episode(key, each, None, zones) for key, each in open_.items()]
    return sorted(done, key=lambda each: (each.fired_ms, each.partner, each.rule, each.scope))


def _rank(severity: str) -> int:
    return next((at for at, each in enumerate(_ORDER) if each == severity), -1)


def _episode(
    key: tuple[str, str, str], opened: tuple[int, str, tuple[str, ...]], ended_ms: int | None, zones: Mapping[str, str]
) -> Episode:
    partner, rule, scope = key
    fired_ms, severity, waits = opened
    hour = datetime.fromtimestamp(fired_ms / 1000, ZoneInfo(zones[partner])).hour
    return Episode(partner, rule, scope, severity, fired_ms, ended_ms, hour, waits)


def differences(new: Outcome, old: Outcome) -> list[Difference]:
    """Rule by rule; those that do the same are left out."""
    found = []
    for rule in dict.fromkeys((*new.rules, *old.rules)):
        mine, its = new.of(rule), old.of(rule)
        if mine == its:
            continue
        only, only_against = _unlike(mine, its), _unlike(its, mine)
        found.append(Difference(rule, len(mine), len(its), new.minutes(rule), old.minutes(rule), only, only_against))
    return found


def _unlike(these: Sequence[Episode], those: Sequence[Episode]) -> tuple[Episode, ...]:
    return tuple(each for each in these if not any(each.overlaps(other) for other in those))
