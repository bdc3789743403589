"""What stands beside the conditions of a partner: looked at when a grid point was judged, where anything is open.

What raises here keeps no alert back: what stood beside it stays, and is looked at again at the next grid point.

All rules were judged before, so that what explains another alert is known when that one is looked at. Like judging, it happens only
where something may have changed: `beside_due_ms` names the next grid point at which a reason begins or ends by itself.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from alerts.aside import NOTHING, step
from alerts.condition import Condition
from alerts.flapping import settles_ms
from alerts.inhibition import inhibited, inhibition_turns_ms
from models.kpis import FEED_SILENCE
from models.notices import SilenceState
from models.reasons import SuppressReason
from models.windows import GRID_MS, Scope
from streams.engine.failures import Stage
from streams.engine.judge import Judged
from streams.engine.notices import Notices
from streams.engine.partner import Partner
from streams.engine.silence import is_silent

__all__ = ["LATE_MS", "Silences", "beside", "beside_due_ms", "head_ms"]

LATE_MS: Final = 60_000
"""What is decided this long after it was due belongs to the past."""

Silences = Notices[SilenceState]


def beside(partner: Partner, silences: Silences, judged: list[Judged], at_ms: int, now_ms: int) -> list[Judged]:
    """What was judged at `at_ms`, with what stands beside it, and every other condition beside which something else stands now.

    `now_ms` is the wall clock, and 0 where that does not matter.
    """
    if not partner.asides and not any(each.condition.open for each in judged):
        return judged
    rules = {rule.id: rule for rule in partner.policy.rules_at(at_ms)}
    named = {(each.condition.rule_id, each.scope): each for each in judged}
    others = [
        (key, Judged(rules.get(key[0]), key[1], _condition(partner, key), ())) for key in sorted(partner.asides.keys() - named.keys())
    ]
    late_ms = head_ms(partner, now_ms)
    looked = []
    for key, each in (*named.items(), *others):
        condition, before = each.condition, partner.asides.get(key, NOTHING)
        try:
            found = frozenset(_reasons(partner, silences, each, at_ms) if condition.open else ())
            aside, ended = step(before, condition, each.changes, found, at_ms, late_ms)
        except Exception as error:  # noqa: BLE001 - why a page would wait is no reason to keep an alert back
            partner.failures.raised(Stage.BESIDE, each.rule, condition, at_ms, error)
            aside, ended = before, ()
        if condition.open or aside != NOTHING:
            partner.asides[key] = aside
        else:
            partner.asides.pop(key, None)
        if key in named or aside != before:
            looked.append(each._replace(changes=each.changes + ended, aside=aside, former=before))
    return looked


def head_ms(partner: Partner, now_ms: int) -> int:
    """The grid point before which the past is only caught up on; nothing is past where `now_ms` does not matter, and is 0."""
    at_ms = now_ms - partner.policy.settle_ms - LATE_MS
    return at_ms + -at_ms % GRID_MS


def beside_due_ms(partner: Partner, silences: Silences) -> int | None:
    """The next grid point at which something beside a condition begins or ends by itself; None if nothing will."""
    after_ms, policy = partner.panes.closed_ms, partner.policy
    due: list[int | None] = []
    for key, aside in partner.asides.items():
        condition = _condition(partner, key)
        due += [aside.head_ms, aside.ack.until if aside.ack else None, settles_ms(aside.flips, aside.flaps, after_ms)]
        if condition.open:
            try:
                due += _turns(partner, silences, condition)
                due += inhibition_turns_ms(policy.inhibit, condition, partner.conditions.values())
                due += [schedule.turns_ms(after_ms) for schedule in (policy.hours, policy.maintenance) if schedule is not None]
            except Exception as error:  # noqa: BLE001 - as above; nobody knows when, so that it is looked at at every grid point
                partner.failures.raised(Stage.BESIDE, None, condition, after_ms, error)
                due.append(after_ms + GRID_MS)
    first = min((each for each in due if each is not None and each > after_ms), default=None)
    return None if first is None else first + -first % GRID_MS


def _reasons(partner: Partner, silences: Silences, judged: Judged, at_ms: int) -> Iterator[SuppressReason]:
    """Why pages of an open condition wait at `at_ms`."""
    policy, rule = partner.policy, judged.rule
    if silences.held and any(each.holds(at_ms, _labels(partner, judged.condition)) for each in silences.held.values()):
        yield SuppressReason.SILENCED
    if policy.maintenance is not None and policy.maintenance.holds(at_ms):
        yield SuppressReason.MAINTENANCE
    if policy.inhibit and inhibited(policy.inhibit, judged.condition, partner.conditions.values(), at_ms):
        yield SuppressReason.INHIBITED
    if is_silent(partner) and (rule is None or rule.kpi != FEED_SILENCE):
        yield SuppressReason.FEED_SILENT
    if policy.hours is not None and rule is not None and rule.waits_outside_hours and not policy.hours.holds(at_ms):
        yield SuppressReason.OUT_OF_HOURS


def _turns(partner: Partner, silences: Silences, condition: Condition) -> Iterable[int]:
    """When silences of a condition begin and end."""
    if not silences.held:
        return
    labels = _labels(partner, condition)
    for each in silences.held.values():
        if each.fits(labels):
            yield from (each.from_, each.until)


def _condition(partner: Partner, key: tuple[str, Scope]) -> Condition:
    """The condition, or the blank one of which nothing is kept."""
    return partner.conditions.get(key) or Condition(key[0], partner.id, str(key[1]))


def _labels(partner: Partner, condition: Condition) -> dict[str, str]:
    """What it is told with, and so silenced by."""
    severity = condition.severity and partner.policy.told(condition.severity, Scope.parse(condition.scope))
    return {
        "partner": condition.partner,
        "rule": condition.rule_id,
        "scope": condition.scope,
        "severity": "" if severity is None else severity.value,
    }
