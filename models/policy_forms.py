"""What is wrong with a rule of one of the forms beside a figure against a ladder."""

from collections.abc import Iterator, Mapping
from typing import Final

from models.finding import Finding
from models.kpis import Better, Kpi
from models.policy_values import RANGES, lint_value
from models.rule_base import RuleBase
from models.rule_forms import BalanceSpec, ComparisonSpec, CompositeSpec, DriftSpec, OutsideSpec, When, depth, leaves
from models.windows import DAY_MS, QUARTER_MS, window
from models.yaml_file import Path

__all__ = ["lint_form"]

_COMPARISONS_MAX: Final = 8
_DEPTH_MAX: Final = 3
_WIDEST_MS: Final = 7 * DAY_MS
"""Of a window that has an equal one before it among what is kept."""
_QUARTER_SECONDS: Final = QUARTER_MS // 1000


def lint_form(path: Path, rule: RuleBase, kpis: Mapping[str, Kpi]) -> Iterator[Finding]:
    """A rule at `path`, whose windows, scopes and names hold; `kpis` are those of its own that are there."""
    if isinstance(rule, CompositeSpec):
        yield from _lint_composite((*path, "when"), rule.when, kpis)
        if isinstance(rule.outside_hours, OutsideSpec):
            yield from _lint_composite((*path, "outside_hours", "when"), rule.outside_hours.when, kpis)
    elif isinstance(rule, BalanceSpec):
        yield from _lint_balance(path, rule, kpis)
    elif isinstance(rule, DriftSpec) and rule.kpi in kpis:
        yield from _lint_drift(path, rule, kpis[rule.kpi])


def _lint_composite(path: Path, when: When, kpis: Mapping[str, Kpi]) -> Iterator[Finding]:
    found = list(leaves(when, path))
    if len(found) > _COMPARISONS_MAX:
        yield Finding(path, f"has {len(found)} comparisons", f"write at most {_COMPARISONS_MAX}: more than that nobody reads in an alert")
    if depth(when) > _DEPTH_MAX:
        yield Finding(path, f"stands {depth(when)} deep in all, any and not", f"nest at most {_DEPTH_MAX}")
    for at, each in found:
        if each.kpi in kpis:
            yield from _lint_comparison(at, each, kpis[each.kpi])


def _lint_comparison(path: Path, each: ComparisonSpec, kpi: Kpi) -> Iterator[Finding]:
    if (each.below is None) is (each.above is None):
        yield Finding(path, "is compared with nothing, or with two thresholds", "write one of below and above")
        return
    name, sign = ("below", 1) if each.below is not None else ("above", -1)
    enter, left = each.threshold, each.threshold if each.exit is None else each.exit
    yield from lint_value((*path, name), enter, kpi)
    yield from lint_value((*path, "exit"), left, kpi) if each.exit is not None else ()
    low, high = RANGES[kpi.unit]
    if enter == (low if sign > 0 else high):
        yield Finding((*path, name), f"{kpi.id} is never {name} {enter:g}", "move it inside the range")
    if sign * left < sign * enter:
        side = "over" if sign > 0 else "under"
        yield Finding((*path, "exit"), f"{left:g} is on the wrong side of {name} {enter:g}", f"write an exit {side} it")


def _lint_balance(path: Path, rule: BalanceSpec, kpis: Mapping[str, Kpi]) -> Iterator[Finding]:
    for at, name in (("efficiency", rule.efficiency), ("quality", rule.quality)):
        kpi = kpis.get(name)
        if kpi is not None and (kpi.live or kpi.quantile is not None or kpi.matures):
            yield Finding((*path, at), f"{name} has no figure of the window before to be held against", "write a share or a mean")
    quality = kpis.get(rule.quality)
    if quality is not None and quality.better is Better.TWO_SIDED:
        yield Finding((*path, "quality"), f"neither side of {rule.quality} is good, so that it never gets worse", "write another KPI")
    if rule.efficiency == rule.quality:
        yield Finding((*path, "quality"), f"is {rule.quality} too, which cannot be better and worse at once", "write another KPI")
    if window(rule.window).since != "width" or window(rule.window).width_ms > _WIDEST_MS:
        yield Finding((*path, "window"), f"{rule.window} has no equal window before it that is kept", "write 7d, 24h or less")
    yield from _lint_quarters((*path, "for"), rule.for_seconds)
    yield from _lint_quarters((*path, "recover_for"), rule.recover_for)


def _lint_drift(path: Path, rule: DriftSpec, kpi: Kpi) -> Iterator[Finding]:
    if kpi.live or kpi.quantile is not None or kpi.matures:
        yield Finding((*path, "kpi"), f"quarter hours of {kpi.id} do not add up", "write a share or a mean")
    yield from lint_value((*path, "reference"), rule.reference, kpi)
    yield from _lint_quarters((*path, "recover_for"), rule.recover_for)


def _lint_quarters(path: Path, seconds: float) -> Iterator[Finding]:
    if seconds % _QUARTER_SECONDS:
        yield Finding(path, "is no whole quarter of an hour, at which such rules are judged", "write 0s, 15m, 30m or 1h")
