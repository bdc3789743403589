"""The figures of one scope and window: every published KPI that applies, as records carry them.

This is the hot path of every record: plain dicts and constants, about 2 µs a figure on a slow core.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import Any, Final

from models.bins import NOTHING, Distributions, Durations
from models.definitions import Definition
from models.figures import Estimate, Kind, Live, Status
from models.kpis.catalogue import CATALOGUE
from models.kpis.families import OCCUPANCY, TICKETS
from models.kpis.kpi import Better, Kpi, judged
from models.kpis.quantiles import reported
from models.statistics import Z_REPORT, interval

__all__ = ["figures", "tell_since"]

_GAUGE: Final = Kind.GAUGE
_QUANTILE: Final = Kind.QUANTILE
_NO_TARGET: Final = Status.NO_TARGET.value
_INSUFFICIENT: Final = Status.INSUFFICIENT.value
_NOT_APPLICABLE: Final = Status.NOT_APPLICABLE.value


def _applies_with(kpi: Kpi) -> tuple[slice | int, int]:
    """The measures that a KPI applies with, of a live one the field of `Live` that must be known, and the narrowest window (ms)."""
    return _LIVE.get(kpi.family.start, _WAITING) if kpi.live else kpi.family, kpi.narrowest_ms


_PUBLISHED: Final = [kpi for kpi in CATALOGUE.values() if kpi.published]
_ON_SCALES: Final = frozenset(kpi.id for kpi in _PUBLISHED if kpi.scale)
_WAITING: Final = Live._fields.index("waiting")
_LIVE: Final = {TICKETS.start: Live._fields.index("backlog"), OCCUPANCY.start: Live._fields.index("agents_staffed")}
"""By where the family of a live KPI begins, but for the contacts that wait."""
_ANY_WIDTH_MS: Final = 2**62
_UNBOUNDED: Final = (None, None)
_SHEETS_MAX: Final = 4096

_Estimator = Callable[[Sequence[int], Live | None, Definition], Estimate]
_Line = tuple[str, str, bool, _Estimator, tuple[Durations, int] | None, bool, bool, int, str, float | None, float | None]
"""Of one KPI: (id, unit, better higher, estimate, quantile, anonymous, matures, whose basis it needs, description, target, critical)."""
_Sheet = list[tuple[slice | int, int, list[_Line]]]

_sheets: Final[dict[tuple[int, bool, int], tuple[Definition, Sequence[Kpi], _Sheet]]] = {}
"""By identity: a definition is frozen, but comparing two would cost more than a sheet saves. Held with it, so that no id is reused."""


def _line(kpi: Kpi, definition: Definition, *, own_limits: bool) -> _Line:
    needs_basis = kpi.needs_basis(definition) << kpi.counted_under
    text = kpi.describe(definition) + (" (parts by their own limits)" if own_limits and needs_basis else "")
    aim = definition.targets.get(kpi.id)
    target, critical = (None, None) if aim is None else (aim.target, aim.critical)
    higher = kpi.better is Better.HIGHER
    return kpi.id, str(kpi.unit), higher, kpi.estimate, kpi.quantile, kpi.anonymous, kpi.matures, needs_basis, text, target, critical


def _sheet(definition: Definition, customs: Sequence[Kpi], *, own_limits: bool) -> _Sheet:
    """What does not change from record to record, by the measures that the KPIs apply with."""
    key = (id(definition), own_limits, id(customs))
    held = _sheets.get(key)
    if held is not None:
        return held[2]
    groups = groupby([*_PUBLISHED, *customs], _applies_with)
    sheet = [(*applies, [_line(kpi, definition, own_limits=own_limits) for kpi in kpis]) for applies, kpis in groups]
    if len(_sheets) >= _SHEETS_MAX:
        _sheets.clear()
    _sheets[key] = definition, customs, sheet
    return sheet


def figures(
    flat: Sequence[int],
    live: Live | None,
    definition: Definition,
    *,
    mixed_basis: int,
    own_limits: bool = False,
    width_ms: int = _ANY_WIDTH_MS,
    durations: Distributions = NOTHING,
    customs: Sequence[Kpi] = (),
) -> dict[str, dict[str, Any]]:
    """Every published KPI that applies to a scope and window, by id; each has the fields of `models.records.KpiFigure`.

    Args:
        flat: the measures counted in the window, shape (SIZE,), and behind them those of `customs`.
        live: who waits now, and what is open; None in windows over 1 h, which carry no live KPI.
        definition: what the figures are computed and judged under.
        mixed_basis: the window reaches before a change of the definition, so that what depends on its limits cannot be judged: a bit
            for each family whose measures do.
        own_limits: the scope sums parts that count under limits of their own (voice in 20 s, chat in 60 s), and says so.
        width_ms: of the window; what makes sense only in wider ones is left out.
        durations: the bins counted in the window; without them quantiles have no value.
        customs: the KPIs of a policy's own.
    """
    numerator: float | None
    denominator: float | None
    n: int | None
    min_samples = definition.min_samples
    found: dict[str, dict[str, Any]] = {}
    for family, narrowest_ms, lines in _sheet(definition, customs, own_limits=own_limits):
        if not any(flat[family]) if family.__class__ is slice else live is None or live[family] is None:
            continue
        if narrowest_ms > width_ms:
            continue
        for name, unit, higher, estimate, quantile, anonymous, matures, needs_basis, described, target, critical in lines:
            if quantile is None:
                estimated = estimate(flat, live, definition)
                kind, value, numerator, denominator, samples, _ = estimated
                ci_low, ci_high = interval(estimated, Z_REPORT) or _UNBOUNDED
            else:
                kind = _QUANTILE
                value, numerator, samples, ci_low, ci_high = reported(durations, quantile)
                denominator = samples
            n = samples
            if value is None:
                status = _INSUFFICIENT if matures else _NOT_APPLICABLE
                if anonymous:
                    # Somebody answered, or the family would not be here: too few to be told how many.
                    status, numerator, denominator, n = _INSUFFICIENT, None, None, None
            elif (samples < min_samples and kind is not _GAUGE) or mixed_basis & needs_basis:
                status = _INSUFFICIENT
            elif target is None:
                status = _NO_TARGET
            else:
                status = judged(value, target, critical, higher=higher)
            found[name] = {
                "value": value,
                "unit": unit,
                "numerator": numerator,
                "denominator": denominator,
                "n": n,
                "ci_low": ci_low,
                "ci_high": ci_high,
                "status": status,
                "target": target,
                "critical": critical,
                "benchmark": None,
                "definition": described,
            }
    return found


def tell_since(found: dict[str, dict[str, Any]], later: Iterable[tuple[str, int]]) -> None:
    """Have figures say from when on their definition holds.

    Args:
        found: as `figures` made them.
        later: KPIs whose definition holds only from a time (ms) within the window on. What is read on a scale is not judged there,
            since ratings on two scales do not add up.
    """
    for name, from_ms in later:
        told = found.get(name)
        if told is not None:
            told["holds_from"] = from_ms
            if name in _ON_SCALES and told["value"] is not None:
                told["status"] = _INSUFFICIENT
