"""What is wrong with a policy although every part of it reads well. Pure; paths are those of the file."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final

from models.definitions import Definition
from models.finding import Finding
from models.kpis import Better, Kpi, Unit
from models.kpis.families import FORECAST, HISTORY
from models.policy import merge
from models.policy_spec import RULE_SCOPES, Defaults, LevelSpec, PartnerPart, RuleSpec
from models.rules import Direction, Severity
from models.windows import HOUR_MS, SIDES, window
from models.yaml_file import Path, suggest

__all__ = ["lint_definitions", "lint_partners", "lint_rules"]

RANGES: Final = {
    Unit.RATIO: (0.0, 1.0),
    Unit.CHANGE: (-1.0, float("inf")),
    Unit.MONEY: (float("-inf"), float("inf")),
    Unit.SECONDS: (0.0, float("inf")),
    Unit.COUNT: (0.0, float("inf")),
    Unit.POINTS: (-100.0, 100.0),
}
_SEVERITIES: Final = tuple(Severity)


def lint_partners(ids: Sequence[str | None]) -> Iterator[Finding]:
    """Partners by their position in the file; None where there is none to look at."""
    for at, _ in _repeated(ids):
        yield Finding(("partners", at, "id"), f"{ids[at]!r} is there already", "give each partner its own id")


def lint_rules(
    rules: Sequence[RuleSpec | None],
    windows: Collection[str],
    kpis: Mapping[str, Kpi],
    partner_ids: Collection[str] | None = None,
    sides: Collection[str] = SIDES,
) -> Iterator[Finding]:
    """Rules by their position in the file; None where one does not read.

    `windows` and `sides` are those that are kept, of any partner, `kpis` all that there are; `partner_ids` those that rules may name,
    None: any.
    """
    for at, _ in _repeated([rule.id if rule else None for rule in rules]):
        yield Finding(("rules", at, "id"), "is there already", "give each rule its own id")
    for at, rule in enumerate(rules):
        if rule is None:
            continue
        kpi = kpis.get(rule.kpi)
        if kpi is None:
            yield Finding(("rules", at, "kpi"), f"{rule.kpi!r} is no KPI", suggest(rule.kpi, kpis))
        else:
            yield from _lint_window(("rules", at, "window"), rule, kpi, windows)
            yield from _lint_scopes(("rules", at, "scopes"), rule, kpi, sides)
            yield from _lint_rule(("rules", at), rule, kpi, partner_ids)


def lint_definitions(defaults: Defaults, partners: Sequence[PartnerPart | None], kpis: Mapping[str, Kpi]) -> Iterator[Finding]:
    """Targets and scales as they hold after merging, told where they were set."""
    yield from _lint_definition(("defaults", "definition"), defaults.definition, merge(defaults.definition), kpis)
    for at, partner in enumerate(partners):
        if partner is None:
            continue
        path, base = ("partners", at), merge(defaults.definition, partner.definition)
        yield from _lint_definition((*path, "definition"), partner.definition, base, kpis)
        for group, partials in (("channels", partner.channels), ("queues", partner.queues)):
            for name, partial in partials.items():
                yield from _lint_definition((*path, group, name), partial, merge(base, partial), kpis)


def _repeated(ids: Sequence[str | None]) -> Iterator[tuple[int, str]]:
    seen: set[str] = set()
    for at, each in enumerate(ids):
        if each in seen:
            yield at, each
        elif each is not None:
            seen.add(each)


def _lint_window(path: Path, rule: RuleSpec, kpi: Kpi, kept: Collection[str]) -> Iterator[Finding]:
    if kpi.live and window(rule.window).width_ms > HOUR_MS:
        yield Finding(path, f"{rule.kpi} is a live figure: it stands in windows up to 1h only", "write 5m, 15m, 30m or 1h")
    elif window(rule.window).width_ms < kpi.narrowest_ms:
        yield Finding(path, f"{rule.kpi} says nothing in so narrow a window: it stands in those of 24h and more only", "write 24h")
    elif rule.window not in kept:
        yield Finding(path, f"{rule.window} is no window of defaults.windows", f"add it there, or write one of {', '.join(kept)}")


def _lint_scopes(path: Path, rule: RuleSpec, kpi: Kpi, kept: Collection[str]) -> Iterator[Finding]:
    for at, scope in enumerate(rule.scopes):
        side = RULE_SCOPES[scope]
        if side not in SIDES:
            continue
        if side not in kept:
            yield Finding((*path, at), f"partners are not split by {side}", f"add {side} to defaults.scopes, or to those of a partner")
        elif kpi.family in (FORECAST, HISTORY):
            yield Finding((*path, at), f"{kpi.id} is of queues and channels only, not of a {side}", "write partner/queue")


def _lint_rule(path: Path, rule: RuleSpec, kpi: Kpi, partner_ids: Collection[str] | None) -> Iterator[Finding]:
    if kpi.of_period:
        yield Finding((*path, "kpi"), f"{kpi.id} stands in records of reported periods only", "set a target instead, or write another KPI")
        return
    for at, partner_id in enumerate(rule.partners or ()):
        if partner_ids is not None and partner_id not in partner_ids:
            yield Finding(
                (*path, "partners", at), f"{partner_id!r} is no partner of this file", "name it under partners, or remove it here"
            )
    if rule.runbook is None:
        yield Finding(path, "has no runbook", "add runbook: and an address that says what to do", "warning")
    yield from _lint_ladder((*path, "levels"), rule, kpi)
    if not isinstance(rule.outside_hours, str):
        yield from _lint_ladder((*path, "outside_hours"), rule.model_copy(update={"levels": rule.outside_hours}), kpi)


def _lint_ladder(path: Path, rule: RuleSpec, kpi: Kpi) -> Iterator[Finding]:
    if not rule.levels:
        yield Finding(path, "is empty: the rule can never fire", "add a level with severity, enter, exit and for")
    sign, side = (1, "over") if rule.direction is Direction.BELOW else (-1, "under")
    low, high = RANGES[kpi.unit]
    for at, level in enumerate(rule.levels):
        yield from _lint_value((*path, at, "enter"), level.enter, kpi)
        yield from _lint_value((*path, at, "exit"), level.exit, kpi)
        if level.enter == (low if sign > 0 else high):
            yield Finding((*path, at, "enter"), f"{kpi.id} is never {rule.direction} {level.enter:g}", "move it inside the range")
        if sign * level.exit < sign * level.enter:
            yield Finding((*path, at, "exit"), f"{level.exit:g} is on the wrong side of enter {level.enter:g}", f"write an exit {side} it")
    if any(True for _ in _repeated([level.severity for level in rule.levels])):
        yield Finding(path, "has two levels of one severity", "keep one of each")
        return
    steps = sorted(enumerate(rule.levels), key=lambda step: _SEVERITIES.index(step[1].severity))
    for (_, mild), (at, severe) in pairwise(steps):
        yield from _lint_step((*path, at), mild, severe, sign)


def _lint_step(path: Path, mild: LevelSpec, severe: LevelSpec, sign: int) -> Iterator[Finding]:
    side = "lower" if sign > 0 else "higher"
    if sign * severe.enter >= sign * mild.enter:
        message = f"{severe.severity} is entered before {mild.severity} ({severe.enter:g} against {mild.enter:g})"
        yield Finding((*path, "enter"), message, f"write a {side} one: each level must be worse than the one before")
    if sign * severe.exit > sign * mild.exit:
        message = f"{severe.severity} is left after {mild.severity} ({severe.exit:g} against {mild.exit:g})"
        yield Finding((*path, "exit"), message, f"write a {side} one")


def _lint_definition(path: Path, partial: Definition, merged: Definition, kpis: Mapping[str, Kpi]) -> Iterator[Finding]:
    if merged.csat.top_boxes >= merged.csat.scale_max and "csat" in partial.model_fields_set:
        yield Finding((*path, "csat"), "every rating is in the top boxes", "write fewer top_boxes than scale_max")
    if merged.csat.top_boxes + (merged.csat.bottom_boxes or 0) > merged.csat.scale_max and "csat" in partial.model_fields_set:
        yield Finding((*path, "csat"), "top and bottom boxes overlap", "write fewer bottom_boxes")
    if merged.ces.boxes >= merged.ces.scale_max and "ces" in partial.model_fields_set:
        yield Finding((*path, "ces"), "every answer is in the boxes", "write fewer boxes than scale_max")
    for name in partial.targets:
        yield from _lint_target((*path, "targets", name), name, merged, kpis)


def _lint_target(path: Path, name: str, merged: Definition, kpis: Mapping[str, Kpi]) -> Iterator[Finding]:
    kpi = kpis.get(name)
    if kpi is None:
        yield Finding(path, f"{name!r} is no KPI", suggest(name, kpis))
        return
    target = merged.targets[name]
    yield from _lint_value((*path, "target"), target.target, kpi)
    if target.critical is None:
        return
    yield from _lint_value((*path, "critical"), target.critical, kpi)
    sign, side = (1, "lower") if kpi.better is Better.HIGHER else (-1, "higher")
    if sign * target.critical > sign * target.target:
        message = f"{target.critical:g} is on the good side of the target {target.target:g}"
        yield Finding((*path, "critical"), message, f"write a {side} one: {name} is critical past its target")


def _lint_value(path: Path, value: float, kpi: Kpi) -> Iterator[Finding]:
    low, high = RANGES[kpi.unit]
    if low <= value <= high:
        return
    span = f"{low:g} or more" if high == float("inf") else f"from {low:g} to {high:g}"
    percent = kpi.unit is Unit.RATIO and 1 < value <= 100  # noqa: PLR2004 - a percentage
    remedy = f"write {value / 100:.2f} for {value:g} %" if percent else f"write a value {span}"
    yield Finding(path, f"{value:g} is no value of {kpi.id}, which is {span} ({kpi.unit})", remedy)
