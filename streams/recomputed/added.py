"""What a drift had added up at a quarter hour of the past: added up anew, from the last time at which it is known what it was.

That is its last change, whose evidence says so, or when the rule began to hold. Where quarter hours do not reach back that far it is added
up twice, from nothing and from the most that there can be: once both are the same, it was that.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple

from alerts import Sample
from alerts.drift import judge_drift
from alerts.gate import Reading
from models.forms import Drift
from models.rules import Rule
from models.statistics import Cusum
from models.windows import DAY_MS, QUARTER_MS
from streams.recomputed.kept import Kept

__all__ = ["Added", "added", "anchor"]

Json = Mapping[str, Any]
_MOST: Final = Cusum().limit
_WITHOUT_A_SAMPLE: Final = frozenset({"suppression_ended", "cleared"})
"""Changes whose evidence is of an earlier one."""


class Added(NamedTuple):
    """What stood after a quarter hour."""

    sample: Sample
    reading: Reading
    since_ms: int
    """From when on it was added up."""
    sure: bool
    """Whether what had added up before makes no difference, or is known."""


def anchor(rule: Rule, events: Sequence[Json], since_ms: int | None, at_ms: int) -> tuple[int, float] | None:
    """When before `at_ms` it is known what had added up, and what that was, as (time, total); None where that is never known.

    Args:
        rule: of another form than a drift nothing adds up.
        events: its `models.records.AlertEvent`s up to the time that is asked for, in order.
        since_ms: when the rule began to hold as it is; None where that is not known.
        at_ms: the time that is asked for.
    """
    if not isinstance(rule.form, Drift):
        return None
    told = [each for each in events if each["transition"]["kind"] not in _WITHOUT_A_SAMPLE and each["rule"]["revision"] == rule.revision]
    if told:
        last = told[-1]
        ended = last["transition"]["kind"] == "retired"
        return last["evaluated_at"], 0.0 if ended else last["evidence"]["parts"][0]["total"] or 0.0
    return None if since_ms is None or since_ms > at_ms else (since_ms, 0.0)


def added(rule: Rule, form: Drift, kept: Kept, at_ms: int, known: tuple[int, float] | None) -> Added:
    """Add up to the full quarter of an hour `at_ms`, from what `anchor` says is known."""
    kpi = kept.policy.customs.catalogue[form.kpi]
    of = _by_quarter(kept, at_ms)
    ends = sorted(of)
    if known is None or known[0] < kept.quarters_from_ms:
        begin_ms, totals = kept.quarters_from_ms, [0.0, _MOST]
    else:
        begin_ms, totals = known[0], [known[1]]
    heard_ms = begin_ms
    for end_ms in ends[bisect_left(ends, begin_ms + 1) :]:
        if kept.scope.dimension != "all" and end_ms - heard_ms > DAY_MS:
            totals = [0.0]  # Nothing is judged of a part of the partner that was silent for a day: it begins anew.
        heard_ms = end_ms
        if end_ms < at_ms:
            sample = of[end_ms].sample(kpi, rule.window, end_ms - QUARTER_MS, end_ms)
            totals = sorted({judge_drift(rule, form, sample, total).total for total in totals})
    sample = kept.sample(kpi, rule.window, at_ms - QUARTER_MS, at_ms)
    reading = judge_drift(rule, form, sample, totals[0])
    same = judge_drift(rule, form, sample, totals[-1]).total == reading.total
    return Added(sample, reading, begin_ms, same)


def _by_quarter(kept: Kept, at_ms: int) -> dict[int, Kept]:
    """What is kept of each quarter of an hour up to `at_ms`, by its end: so that of months of them each is looked at once."""
    quarters, minutes = defaultdict[int, list[Json]](list), defaultdict[int, list[Json]](list)
    for by_end, stretches in ((quarters, kept.quarters), (minutes, kept.minutes)):
        for each in stretches:
            if each["to"] <= at_ms:
                by_end[each["to"] + -each["to"] % QUARTER_MS].append(each)
    ends = quarters.keys() | minutes.keys()
    return {end_ms: replace(kept, days=(), quarters=quarters.get(end_ms, ()), minutes=minutes.get(end_ms, ())) for end_ms in ends}
