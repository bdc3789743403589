"""What changed with a pilot, a release or an outage: every figure over a span before it and an equal one after it. Pure.

A pilot and a release change things from when they begin; an outage, or anything else, is left out itself: after it is after its end.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, NamedTuple

from models.days import day_end, day_start, days_before
from models.errors import OutwatchError
from models.figures import Estimate, Kind
from models.kpis import Better, Kpi
from models.notices import AnnotationState
from models.statistics import Z_REPORT, Apart, apart
from models.windows import DAY_MS, HOUR_MS, MINUTE_MS, QUARTER_MS
from streams.recomputed.kept import Kept

__all__ = ["Change", "NotYetError", "Spans", "Verdict", "changes", "remarks", "spans"]

SPAN_MAX_MS: Final = 28 * DAY_MS
"""Unless a longer one is asked for."""
_WEEK_MS: Final = 7 * DAY_MS
_FROM_ITS_BEGINNING: Final = ("pilot", "release")


class NotYetError(OutwatchError):
    """Raised when nothing of the time after has closed yet."""


class Verdict(StrEnum):
    """What a difference is worth."""

    BEYOND_NOISE = "beyond_noise"
    """With 95 % certainty there is one."""
    WITHIN_NOISE = "within_noise"
    TOO_FEW = "too_few"
    """Fewer observations in one of the spans than the definition's `min_samples`, or of unknown spread."""
    OTHER_LIMITS = "other_limits"
    """Some of it was counted under other limits than the policy's present ones."""
    ONE_SIDED = "one_sided"
    """There is a figure in one of the spans only."""


class Spans(NamedTuple):
    """Both from one time up to another, in epoch milliseconds."""

    before: tuple[int, int]
    after: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Change:
    """Of one KPI."""

    kpi: Kpi
    before: Estimate
    after: Estimate
    apart: Apart | None
    verdict: Verdict

    @property
    def better(self) -> bool | None:
        """Whether it became better; None where it may have been chance, or neither side is good."""
        if self.apart is None or self.verdict is not Verdict.BEYOND_NOISE or self.kpi.better is Better.TWO_SIDED:
            return None
        return (self.apart.difference > 0) is (self.kpi.better is Better.HIGHER)


def spans(note: AnnotationState, kept: Kept, closed_ms: int, span_ms: int | None = None) -> Spans:
    """The spans to compare: as long as can be, up to 28 days or what is asked for, in whole weeks, else days, else hours.

    Args:
        note: what happened.
        kept: which stretches are held, and in which zone the partner is.
        closed_ms: what ended by then is known.
        span_ms: how long they are to be at most.

    Raises:
        NotYetError: if there is nothing to compare with yet.
    """
    begins_ms = note.from_ if note.kind in _FROM_ITS_BEGINNING else note.to
    ends_ms = min(closed_ms, note.to) if note.kind == "pilot" else closed_ms
    for whole_ms, from_ms in ((MINUTE_MS, kept.minutes_from_ms), (QUARTER_MS, kept.quarters_from_ms)):
        before_ms, after_ms = note.from_ - note.from_ % whole_ms, begins_ms + -begins_ms % whole_ms
        width_ms = _rounded(min(ends_ms - after_ms, span_ms or SPAN_MAX_MS), whole_ms)
        if width_ms > 0 and before_ms - width_ms >= from_ms:
            return Spans((before_ms - width_ms, before_ms), (after_ms, after_ms + width_ms))
    zone = kept.policy.timezone
    before_ms, after_ms = day_start(note.from_, zone), day_end(begins_ms - 1, zone)
    days = _rounded(min(ends_ms - after_ms, span_ms or SPAN_MAX_MS), DAY_MS) // DAY_MS
    if days > 0:
        return Spans((days_before(before_ms, days, zone), before_ms), (after_ms, days_before(after_ms, -days, zone)))
    msg = "nothing after it has closed yet: there is something to compare a minute after it at the earliest"
    if closed_ms > begins_ms + DAY_MS:
        msg = "it was too short, or too long ago: only whole days of that time are kept"
    raise NotYetError(msg)


def _rounded(span_ms: int, whole_ms: int) -> int:
    unit_ms = next((each for each in (_WEEK_MS, DAY_MS, HOUR_MS) if span_ms >= each >= whole_ms), whole_ms)
    return span_ms - span_ms % unit_ms


def changes(kept: Kept, of: Spans) -> Iterator[Change]:
    """Every KPI of which there is a figure in one of the spans, in the catalogue's order; counts, and what is of one moment, left out."""
    least = kept.policy.scope_definition(kept.scope).min_samples
    stretches = kept.between(*of.before), kept.between(*of.after)
    width_ms = of.after[1] - of.after[0]
    for kpi in kept.policy.customs.catalogue.values():
        if kpi.live or kpi.of_period or not kpi.published or width_ms < kpi.narrowest_ms:
            continue
        before, after = (kept.estimate(kpi, found) for found in stretches)
        if before.kind is Kind.GAUGE or (before.value is None and after.value is None):
            continue
        yield _change(kept, kpi, (before, after), stretches, least)


def _change(kept: Kept, kpi: Kpi, pair: tuple[Estimate, Estimate], stretches: Sequence[Sequence[Any]], least: int) -> Change:
    before, after = pair
    difference = apart(before, after, Z_REPORT)
    if before.value is None or after.value is None:
        verdict = Verdict.ONE_SIDED
    elif any(_other_limits(kept, kpi, found) for found in stretches):
        difference, verdict = None, Verdict.OTHER_LIMITS
    elif difference is None or min(before.n, after.n) < least:
        verdict = Verdict.TOO_FEW
    else:
        verdict = Verdict.BEYOND_NOISE if difference.beyond_noise else Verdict.WITHIN_NOISE
    return Change(kpi, before, after, difference, verdict)


def _other_limits(kept: Kept, kpi: Kpi, found: Sequence[Mapping[str, Any]]) -> bool:
    """Whether anything of it is known to have been counted otherwise than it is now: days say how they were."""
    definition = kept.policy.scope_definition(kept.scope)
    if kept.mixed(kpi, found) or not kpi.needs_basis(definition):
        return kept.mixed(kpi, found)
    told = [each["kpis"][kpi.id] for each in found if kpi.id in each.get("kpis", ())]
    described = kpi.describe(definition)
    return any("holds_from" in each or not each["definition"].startswith(described) for each in told)


def remarks(kept: Kept, of: Spans, found: Sequence[Change]) -> list[str]:
    """What a reader should know before a conclusion."""
    said = []
    if any(each["policy_revision"] != kept.policy.revision for span in of for each in kept.between(*span)):
        said.append("the policy has changed since some of it: what depends on its limits may have been counted otherwise")
    if (of.after[1] - of.after[0]) % _WEEK_MS:
        said.append("the spans are not of whole weeks: other hours and days of the week are compared")
    if cut := kept.cut(*of.before, *of.after):
        said.append(cut.removeprefix("; "))
    judged = sum(each.verdict in (Verdict.BEYOND_NOISE, Verdict.WITHIN_NOISE) for each in found)
    if judged:
        said.append(f"by chance alone one in twenty figures is beyond noise, so {judged / 20:.1f} of these {judged}")
    return said
