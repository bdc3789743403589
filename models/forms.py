"""Forms of rules beside a figure against a ladder: what is compared, compiled."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["Balance", "Comparison", "Drift", "Form", "Group", "at_quarters", "comparisons", "content", "kpis_of"]


@dataclass(frozen=True, slots=True)
class Comparison:
    """One KPI past a threshold: breached past `enter`, left past `exit`; thresholds are in the KPI's unit."""

    kpi: str
    window: str
    """A name of `models.windows.WINDOWS`, or `models.rules.ADAPTIVE`."""
    below: bool
    """Else above."""
    enter: float
    exit: float
    negated: bool = False
    """It is breached once the figure is surely past `exit`, and left once it is past `enter`."""


@dataclass(frozen=True, slots=True)
class Group:
    """Several of them together: all, or any."""

    every: bool
    parts: "tuple[Comparison | Group, ...]"


@dataclass(frozen=True, slots=True)
class Balance:
    """One KPI got better while another got worse, against the equal window before."""

    efficiency: str
    """A KPI, in the rule's window."""
    quality: str


@dataclass(frozen=True, slots=True)
class Drift:
    """A KPI that moves slowly away from what it should be: the sum of what quarter hours are past it (`models.statistics.Cusum`)."""

    kpi: str
    below: bool
    """Else above."""
    reference: float
    """In the KPI's unit."""


Form = Comparison | Group | Balance | Drift


def at_quarters(of: Form | None) -> bool:
    """Whether it is judged at full quarters of an hour alone."""
    return isinstance(of, Balance | Drift)


def comparisons(of: Comparison | Group) -> Iterator[Comparison]:
    """All that stand in a composite, in their order."""
    if isinstance(of, Comparison):
        yield of
    else:
        for part in of.parts:
            yield from comparisons(part)


def content(of: Form) -> dict[str, Any]:
    """What a revision is taken of."""
    return {type(of).__name__: asdict(of)}


def kpis_of(of: Form) -> tuple[str, ...]:
    """The ids of the KPIs that it looks at."""
    if isinstance(of, Balance):
        return of.efficiency, of.quality
    return (of.kpi,) if isinstance(of, Drift) else tuple(each.kpi for each in comparisons(of))
