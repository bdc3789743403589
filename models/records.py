"""The records that outwatch writes: forbidden to carry a field that is not declared here.

The committed JSON Schemas are generated from these models; the engine writes the same shapes through `orjson` without validating
each, and tests hold every emitted record against its model.
"""

from typing import Annotated, Literal

from pydantic import Field

from models.base import Record
from models.figures import Status
from models.kpis.finance import Gap
from models.reasons import SuppressReason

__all__ = [
    "SCHEMA_VERSION",
    "Ack",
    "AlertEvent",
    "AlertState",
    "Attribution",
    "BinMeasure",
    "Circumstance",
    "Circumstances",
    "Comment",
    "CriticalityTold",
    "Driver",
    "Evidence",
    "EvidencePart",
    "FigureBefore",
    "KpiFigure",
    "KpiRecord",
    "MoneyFigure",
    "PeriodRecord",
    "RollupMeasures",
    "RollupRecord",
    "RuleRef",
    "Transition",
    "UsualFigure",
]

SCHEMA_VERSION = "1"
"""In the header `schema_version` of every record; a breaking change is a new topic."""


def _left_out(value: object) -> bool:
    return value is None


EpochMs = Annotated[int, Field(ge=0)]


class KpiFigure(Record):
    """One KPI: `value` is null where the denominator is zero.

    Of employees' surveys with under 5 answers numerator, denominator and n are null as well: `insufficient`, and nothing else is told.
    """

    value: float | None
    unit: str
    numerator: float | None
    denominator: float | None
    n: int | None
    ci_low: float | None
    ci_high: float | None
    status: Status
    target: float | None
    critical: float | None
    benchmark: float | None = None
    definition: str
    holds_from: EpochMs | None = None
    """From when on it was counted under its present definition, where the window begins before; left out elsewhere."""


class BinMeasure(Record):
    """Durations in logarithmic bins of ratio 1.02: bin 0 holds 0 ms, bin b above it 1.02^(b-1) up to 1.02^b ms."""

    bins: list[int]
    """In their order, those that hold something."""
    counts: list[int]
    """Of each of them: these add up."""


class _Figures(Record):
    partner: str
    scope: str
    """`all`, or a dimension and a name: `queue=NAME`, `channel=NAME`, and as the policy asks for site, team, reason, activity, segment."""
    configured: bool
    """False for a partner that no policy names: counted under the defaults."""
    policy_revision: str
    """Of the definitions that the figures were counted and judged under."""
    kpis: dict[str, KpiFigure]
    measures: dict[str, int | BinMeasure]
    """The additive integers behind the figures; those that are zero are left out. Sum these, never the ratios."""
    from_: EpochMs = Field(alias="from")
    """Inclusive, exact."""
    to: EpochMs
    """Exclusive, exact."""
    as_of: EpochMs
    """Wall time of the commit."""
    frontier: EpochMs
    """Stream time: everything before it has been counted."""
    revision: int
    """The commit sequence of the partition; never goes back for a key."""


class KpiRecord(_Figures):
    """`outwatch.kpis`, key partner/scope/window: the present figures of a scope and window; a tombstone when it expires."""

    window: str


class RollupRecord(_Figures):
    """`outwatch.rollups.1d`, key partner/scope/date: a closed calendar day in the partner's zone."""

    date: str
    timezone: str
    final: bool
    """False while a late record may still correct it cheaply; a later revision may follow all the same."""


class RollupMeasures(Record):
    """`outwatch.rollups.1m` and `.15m`, key partner/scope/start: what was counted in a closed minute or quarter hour of UTC.

    There is a record only where something happened; a tombstone where all of it was taken back. `models.kpis.figures` makes figures of
    measures; a figure of several stretches is that of the sum of their measures.
    """

    partner: str
    scope: str
    policy_revision: str
    """Of the definitions that held when the record was written."""
    mixed_basis: bool
    """Whether something in it was counted under other limits than that policy's."""
    measures: dict[str, int | BinMeasure]
    """As in `outwatch.kpis`."""
    from_: EpochMs = Field(alias="from")
    """Inclusive."""
    to: EpochMs
    """Exclusive."""
    final: bool
    """Whether only a correction changes it now: true 35 minutes after a minute, 5 hours after a quarter hour."""
    as_of: EpochMs
    """Wall time of the commit."""
    frontier: EpochMs
    """Stream time: everything before it has been counted."""
    revision: int
    """The commit sequence of the partition; never goes back for a key."""


class MoneyFigure(KpiFigure):
    """One KPI of a reported period; `unit` of money is the currency, and empty of currencies that cannot be put together."""

    reason: Gap | None
    """Why there is no value."""


class PeriodRecord(Record):
    """`outwatch.periods`, key partner/scope/start-end (epoch ms): the money of a period that was reported and is over."""

    partner: str
    scope: Literal["all"]
    period: str
    """Its first and last day in the partner's zone, such as 2026-10-01..2026-10-31."""
    timezone: str
    configured: bool
    """False for a partner that no policy names."""
    policy_revision: str
    """Of the baseline and the targets."""
    kpis: dict[str, MoneyFigure]
    amounts: dict[str, dict[str, int]]
    """By currency, cost and revenue of all periods within this one, in whole ten-thousandths. Sum these within a currency."""
    handled: int | None
    """Contacts; null where they are not known of these days."""
    from_: EpochMs = Field(alias="from")
    """Inclusive, exact."""
    to: EpochMs
    """Exclusive, exact."""
    as_of: EpochMs
    """Wall time of the commit."""
    frontier: EpochMs
    """Stream time."""
    revision: int
    """The commit sequence of the partition; never goes back for a key."""


class RuleRef(Record):
    """The rule an alert comes from, as the policy had it."""

    id: str
    revision: str
    owner: str | None = None
    runbook: str | None = None
    suggested_action: str | None = None


class Transition(Record):
    """A change of a condition's state, and why."""

    from_: str = Field(alias="from")
    to: str
    kind: Literal["pending", "fired", "escalated", "eased", "recovering", "refired", "resolved", "cleared", "retired", "suppression_ended"]
    reason: str


class FigureBefore(Record):
    """A figure in the equal window before."""

    value: float | None
    numerator: float
    denominator: float
    n: int
    ci_low: float | None
    ci_high: float | None
    from_: EpochMs = Field(alias="from")
    to: EpochMs


class _Judged(Record):
    """A figure as a rule saw it."""

    kpi: str
    definition: str
    window: str
    value: float | None
    unit: str
    numerator: float
    denominator: float
    n: int
    ci_low: float | None
    ci_high: float | None


class EvidencePart(_Judged):
    """One of the figures of a rule that looks at several."""

    from_: EpochMs = Field(alias="from")
    to: EpochMs
    state: Literal["breached", "between", "left", "unknown"]
    """Where it stood by itself."""
    side: Literal["below", "above"] | None = Field(default=None, exclude_if=_left_out)
    """Of a comparison, on which side of `enter`; of any other left out, as are those that follow."""
    enter: float | None = Field(default=None, exclude_if=_left_out)
    exit: float | None = Field(default=None, exclude_if=_left_out)
    negated: bool | None = Field(default=None, exclude_if=_left_out)
    """Whether it stands under a `not`: it is breached then where the comparison surely is not."""
    reference: float | None = Field(default=None, exclude_if=_left_out)
    """Of a drift, what the figure should be."""
    total: float | None = Field(default=None, exclude_if=_left_out)
    """Of a drift, what has added up, in deviations; 0 after an alarm, which comes above 4."""
    before: FigureBefore | None = Field(default=None, exclude_if=_left_out)
    """Of a rule that holds a figure against what it was."""


class UsualFigure(Record):
    """What a figure was compared with: the same hours of the week, in the weeks before."""

    figure: float
    """As it was in the window; the evidence's `value` is how far that is from the median."""
    unit: str
    """Of the figure, the median and the deviation."""
    median: float
    deviation: float
    """The median absolute deviation, scaled to compare with a standard deviation."""
    weeks: int


class Evidence(_Judged):
    """What the condition saw at the grid point that decided."""

    enter: float | None
    exit: float | None
    for_seconds: int | None
    min_samples: int
    quality: Literal["good", "insufficient", "missing", "no_baseline"]
    from_: EpochMs = Field(alias="from")
    to: EpochMs
    side: Literal["below", "above"] | None = Field(default=None, exclude_if=_left_out)
    """Of a rule that looks on both sides, on which; left out elsewhere."""
    parts: tuple[EvidencePart, ...] | None = Field(default=None, exclude_if=_left_out)
    """Of a rule that looks at several figures, each of them; left out elsewhere. What stands beside it is of the first comparison."""
    baseline: UsualFigure | None = Field(default=None, exclude_if=_left_out)
    """Of a rule that compares with it; left out elsewhere, and where nothing was known."""


class Driver(Record):
    """What one part of the whole did to it; effects are in the KPI's unit and signed as the change is."""

    dimension: str
    key: str
    effect: float
    """`rate_effect` + `mix_effect`."""
    rate_effect: float
    """Of its own figure, which became another."""
    mix_effect: float
    """Of its share of the whole, which became another."""
    share: float
    """Of all that moved in this dimension, up and down: -1 to 1, positive where it moved as the whole did."""
    n: int
    """Observations in the window of the alert."""


class Attribution(Record):
    """Where the change came from that an alert fired or escalated by; it says which part moved, not why."""

    value_before: float
    """In the equal window before."""
    change: float
    """The value of the alert less that."""
    drivers: tuple[Driver, ...]
    """Of the dimension that explains most, the largest first, at most three; empty for no single driver."""
    from_: EpochMs = Field(alias="from")
    """Of the window before, inclusive."""
    to: EpochMs
    text: str
    """One sentence."""


class CriticalityTold(Record):
    """How much it matters what an alert is of, as the policy says."""

    weight: Annotated[int, Field(ge=1, le=3)]
    reason: str
    """Such as `activity claims is a risk`."""
    raised_from: str | None
    """The severity that the rule says, where the weight made it one higher."""


class Ack(Record):
    """Somebody looks after an alert; an escalation takes that back."""

    actor: str
    at: EpochMs
    """Stream time."""
    until: EpochMs | None
    comment: str | None


class Comment(Record):
    """What somebody said of an alert."""

    actor: str
    at: EpochMs
    """Stream time."""
    text: str


class Circumstance(Record):
    """How much there was of something, and how much there usually is."""

    value: float | None
    usual: float | None
    """The median of the same hours of the week, in the weeks before."""
    deviation: float | None
    """The median absolute deviation of these weeks, scaled to compare with a standard deviation."""
    weeks: int
    unusual: bool
    """Whether the difference is more than noise, with 99 % on its side."""
    reason: Literal["no_baseline", "not_counted", "not_kept"] | None
    """Why nothing is usual: fewer than three weeks are known, nobody ever tells of it, or it is not kept of such a scope."""


class Circumstances(Record):
    """What it was like when an alert fired or escalated, over its window, but for at least an hour and at most a day."""

    arrivals: Circumstance
    """Contacts offered."""
    staffing: Circumstance
    """Agents on contacts or available, on average."""
    from_: EpochMs = Field(alias="from")
    """Inclusive."""
    to: EpochMs
    text: str | None
    """What is unusual, in words; null where nothing is."""


class AlertEvent(Record):
    """`outwatch.alerts`, key partner: one transition."""

    id: str
    fingerprint: str
    episode: str | None
    seq: int
    partner: str
    scope: str
    rule: RuleRef
    transition: Transition
    severity: str | None
    order: int = 0
    """What alerts are to be sorted by, the highest first: by severity, and within one by criticality."""
    criticality: CriticalityTold | None = None
    """Left out where the policy says nothing of it."""
    evidence: Evidence
    attribution: Attribution | None = None
    """Null where there is nothing to compare with, or that KPI cannot be taken apart."""
    circumstances: Circumstances | None = None
    """Null before it fired."""
    explanation: str
    """One sentence a person would say."""
    started_at: EpochMs | None
    fired_at: EpochMs | None
    ended_at: EpochMs | None
    evaluated_at: EpochMs
    """The grid point (stream time)."""
    frontier: EpochMs
    processed_at: EpochMs
    """Wall time of the commit."""
    late: bool
    suppressed_by: tuple[SuppressReason, ...] = ()
    """Why nobody is to be paged, while it is open: the page waits for `suppression_ended`. What ends an episode always passes."""
    trace: dict[str, int]
    """Source topic -> next offset to be read when this was decided."""


class AlertState(Record):
    """`outwatch.alerts.state`, key fingerprint: the present state of one alert; a tombstone 15 min after it resolved."""

    fingerprint: str
    episode: str | None
    seq: int
    partner: str
    scope: str
    rule: RuleRef
    state: Literal["ok", "pending", "firing", "recovering", "resolved"]
    severity: str | None
    order: int = 0
    criticality: CriticalityTold | None = None
    quality: Literal["good", "insufficient", "missing", "no_baseline"]
    evidence: Evidence
    attribution: Attribution | None = None
    circumstances: Circumstances | None = None
    explanation: str
    since: EpochMs
    started_at: EpochMs | None
    fired_at: EpochMs | None
    ended_at: EpochMs | None
    evaluated_at: EpochMs
    frontier: EpochMs
    as_of: EpochMs
    revision: int
    suppressed_by: tuple[SuppressReason, ...] = ()
    """Why pages wait."""
    ack: Ack | None = None
    comments: tuple[Comment, ...] = ()
    """The newest ten."""
