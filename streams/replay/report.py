"""What a replay found: the figures of each closed day, from the measures of its records, and what became of the rows."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from models.definitions import DEFAULT
from models.kpis import CATALOGUE
from models.kpis.service_level import VARIANTS
from models.measures import NAMES, M, from_names, to_names
from streams.replay.tally import Tally

__all__ = ["Day", "Figures", "Report", "make_report"]


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one partner and day, or of several summed. A figure of nothing is None."""

    offered: int
    """Answered and abandoned."""
    answered: int
    abandoned: int
    service_level: dict[str, float | None]
    """By variant."""
    asa_seconds: float | None
    aht_seconds: float | None
    measures: dict[str, int]
    """What the figures are made of; those that are zero are left out."""


@dataclass(frozen=True, slots=True)
class Day:
    """A closed day; `date` is None for all days together."""

    date: str | None
    partners: dict[str, Figures]
    all: Figures


@dataclass(frozen=True, slots=True)
class Report:
    """The whole replay."""

    rows: int
    events: int
    dropped: dict[str, int]
    """Rows by reason."""
    examples: dict[str, str]
    """The first row of each reason."""
    days: list[Day]
    total: Day
    definitions: list[str]
    """What the service levels were counted under; more than one means that totals mix them."""
    problems: list[str]
    """Why the figures may not be what was looked for."""


def _figures(flats: Sequence[Sequence[int]]) -> Figures:
    flat = [sum(column) for column in zip(*flats, strict=True)] if flats else [0] * len(NAMES)

    def value(kpi: str) -> float | None:
        return CATALOGUE[kpi].estimate(flat, None, DEFAULT).value

    return Figures(
        offered=flat[M.answered] + flat[M.abandoned],
        answered=flat[M.answered],
        abandoned=flat[M.abandoned],
        service_level={variant: value(f"service_level_{variant}") for variant in VARIANTS},
        asa_seconds=value("asa"),
        aht_seconds=value("aht"),
        measures=to_names(flat),
    )


def _day(date: str | None, flats: dict[str, list[list[int]]]) -> Day:
    partners = {partner: _figures(flats[partner]) for partner in sorted(flats)}
    return Day(date, partners, _figures([flat for each in flats.values() for flat in each]))


_SERVICE_LEVEL: Final = "service_level"


def make_report(tally: Tally, rollups: Iterable[dict[str, Any]]) -> Report:
    """The report of a replay.

    Args:
        tally: what was read and written.
        rollups: `RollupRecord`s of whole partners, the newest of each partner and date.
    """
    by_date: defaultdict[str, defaultdict[str, list[list[int]]]] = defaultdict(lambda: defaultdict(list))
    total: defaultdict[str, list[list[int]]] = defaultdict(list)
    definitions: set[str] = set()
    zones: dict[str, str] = {}
    for record in rollups:
        flat = from_names(record["measures"])
        by_date[record["date"]][record["partner"]].append(flat)
        total[record["partner"]].append(flat)
        zones[record["partner"]] = record["timezone"]
        if _SERVICE_LEVEL in record["kpis"]:
            definitions.add(record["kpis"][_SERVICE_LEVEL]["definition"])
    problems = [
        f"the days of {partner} are closed in {zone}, the zone of its policy; the mapping says {tally.zone}"
        for partner, zone in sorted(zones.items())
        if zone != tally.zone
    ]
    missing = sorted((date, partner) for partner, date in tally.certain if partner not in by_date.get(date, {}))
    problems += [f"no closed day {date} of {partner}" for date, partner in missing]
    return Report(
        rows=tally.rows,
        events=tally.events,
        dropped=dict(sorted(tally.dropped.items())),
        examples=dict(sorted(tally.examples.items())),
        days=[_day(date, by_date[date]) for date in sorted(by_date)],
        total=_day(None, total),
        definitions=sorted(definitions),
        problems=problems,
    )
