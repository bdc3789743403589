"""Why a figure is what it is: a record of figures held against the closed stretches that it was summed from. Pure.

The stretches tile [from, to) of the record, the coarsest first. Their sum is the record's but for what the reasons name.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from models.bins import Distributions, of_records
from models.custom import NO_CUSTOMS, Customs
from models.definitions import Definition
from models.figures import Estimate
from models.kpis import Kpi, figures, of_offered, percentile
from models.measures import from_names, total
from models.windows import MINUTE_MS, SIDES, Scope

__all__ = ["Difference", "Part", "Summed", "estimate_of", "figure_of", "summed", "tiles"]

_DIFFERS_ABOVE: Final = 1e-9
"""Seconds are sums of thousandths; what rounding leaves is no difference."""

Json = Mapping[str, Any]


class Difference(StrEnum):
    """Why stretches do not sum to the record."""

    PART_OF_A_MINUTE = "part_of_a_minute"
    """The window begins within a minute, and only whole ones are told apart."""
    OPEN = "open"
    """The end of the window had not closed: the record counts what is open, and no stretch does yet."""
    CORRECTED = "corrected"
    """A stretch was corrected after the record was written; the next record has it too."""
    HIDDEN = "hidden"
    """Of employees: a stretch with under five answers does not tell them."""
    BLIND = "blind"
    """Who abandoned names no such scope, so that the record tells no share of the offered; a stretch tells what it was told."""
    EARLIER = "earlier"
    """Stretches are missing: they were written before their topic was there, or it deleted them."""


@dataclass(frozen=True, slots=True)
class Part:
    """A closed stretch: its record, and what the KPI is of it alone."""

    topic: str
    record: Json
    estimate: Estimate


@dataclass(frozen=True, slots=True)
class Summed:
    """What the stretches come to."""

    parts: tuple[Part, ...]
    """In order of time."""
    estimate: Estimate
    numerator_left: float
    """What the record has and the stretches have not."""
    denominator_left: float
    reasons: tuple[Difference, ...]
    """Why; none where nothing is left."""
    open_from_ms: int
    """What began at this time or later had not closed."""


def tiles(from_ms: int, to_ms: int, by_topic: Mapping[str, Iterable[Json]]) -> list[tuple[str, Json]]:
    """The records of closed stretches within [from_ms, to_ms), each stretch once, in order of time.

    Args:
        from_ms: inclusive.
        to_ms: exclusive.
        by_topic: the records of each topic, the topic of the longest stretches first.
    """
    found: list[tuple[str, Json]] = []
    for topic, records in by_topic.items():
        taken = [(each["from"], each["to"]) for _, each in found]
        for record in records:
            start, end = record["from"], record["to"]
            if from_ms <= start and end <= to_ms and not any(low <= start < high for low, high in taken):
                found.append((topic, record))
    return sorted(found, key=lambda each: each[1]["from"])


def figure_of(kpi: Kpi, record: Json, definition: Definition) -> Json | None:
    """What a `models.records.KpiRecord` says of a KPI; of one that no record carries, what its measures come to."""
    told: Mapping[str, Json] = record["kpis"]
    if kpi.published:
        return told.get(kpi.id)
    # Those that depend on limits are other variants of the service level: what is said of its limits holds for theirs.
    from_ms = told.get("service_level", {}).get("holds_from")
    mixed_basis = 0 if from_ms is None else 1 << kpi.counted_under
    flat, durations = from_names(record["measures"]), Distributions(of_records([record["measures"]]))
    found = figures(flat, None, definition, mixed_basis=mixed_basis, durations=durations, customs=(kpi,)).get(kpi.id)
    return found if found is None or from_ms is None or not kpi.needs_basis(definition) else {**found, "holds_from": from_ms}


def summed(
    kpi: Kpi, record: Json, found: Sequence[tuple[str, Json]], definition: Definition, closed_ms: int, customs: Customs = NO_CUSTOMS
) -> Summed:
    """Hold a record of figures against the stretches that lie in it.

    Args:
        kpi: which figure.
        record: a `models.records.KpiRecord`.
        found: what `tiles` made of the topics.
        definition: what the figures of the scope are computed under.
        closed_ms: stretches that ended by then are closed.
        customs: the KPIs of the policy's own, where it has any.
    """
    parts = tuple(Part(topic, each, estimate_of(kpi, [each], definition, customs)) for topic, each in found)
    estimate = estimate_of(kpi, [each for _, each in found], definition, customs)
    figure = figure_of(kpi, record, definition) or {"numerator": None, "denominator": None}
    left = (figure["numerator"] or 0) - estimate.numerator, (figure["denominator"] or 0) - estimate.denominator
    open_from_ms = max(record["from"], min(record["to"], closed_ms - closed_ms % MINUTE_MS))
    reasons: tuple[Difference, ...] = ()
    if any(abs(each) > _DIFFERS_ABOVE for each in left):
        holds = {
            Difference.PART_OF_A_MINUTE: record["from"] % MINUTE_MS != 0,
            Difference.OPEN: open_from_ms < record["to"],
            Difference.CORRECTED: any(each["revision"] > record["revision"] and each["to"] <= record["frontier"] for _, each in found),
            Difference.HIDDEN: kpi.anonymous,
        }
        if _blind(kpi, record, figure, definition):
            holds = {Difference.BLIND: True}
        reasons = tuple(reason for reason, true in holds.items() if true) or (Difference.EARLIER,)
    return Summed(parts, estimate, left[0], left[1], reasons, open_from_ms)


def _blind(kpi: Kpi, record: Json, figure: Json, definition: Definition) -> bool:
    """Whether a record withholds a share of the offered although the answered are known."""
    return Scope.parse(record["scope"]).dimension in SIDES and kpi.id in of_offered(definition) and figure["n"] == 0


def estimate_of(kpi: Kpi, records: Sequence[Json], definition: Definition, customs: Customs) -> Estimate:
    """What a KPI is of these stretches together."""
    measures = [each["measures"] for each in records]
    if kpi.quantile is not None:
        return percentile(Distributions(of_records(measures)), kpi.quantile)
    return kpi.estimate([*total(map(from_names, measures)), *customs.total(measures)], None, definition)
