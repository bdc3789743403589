"""What is wrong with a policy although every part of it reads well. Pure; paths are those of the file."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final

from models.adaptive import adaptive_windows
from models.definitions import Definition
from models.figures import Kind
from models.finding import Finding
from models.kpis import FEED_SILENCE, Better, Kpi
from models.kpis.families import FORECAST, HISTORY
from models.measures import SIZE
from models.policy import merge
from models.policy_compared import NO_THRESHOLD, lint_compared, lint_difference, lint_silence
from models.policy_forms import lint_form
from models.policy_spec import Defaults, LevelSpec, PartnerPart, RuleSpec
from models.policy_types import RULE_SCOPES
from models.policy_values import RANGES, lint_value
from models.rule_base import Look, RuleBase
from models.rule_silence import SilenceSpec
from models.rules import ADAPTIVE, Direction, Severity
from models.statistics import Compare
from models.windows import HOUR_MS, SIDES, WINDOWS, window
from models.yaml_file import Path, suggest

__all__ = ["lint_definitions", "lint_partners", "lint_rules"]

_SEVERITIES: Final = tuple(Severity)


def lint_partners(ids: Sequence[str | None]) -> Iterator[Finding]:
    """Partners by their position in the file; None where there is none to look at."""
    for at, _ in _repeated(ids):
        yield Finding(("partners", at, "id"), f"{ids[at]!r} is there already", "give each partner its own id")


def lint_rules(
    rules: Sequence[RuleBase | None],
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
        if isinstance(rule, SilenceSpec):
            yield from lint_silence(("rules", at), rule)
            yield from _lint_said(("rules", at), rule, partner_ids)
            continue
        known = [(look, kpis[look.kpi]) for look in rule.looks if look.kpi in kpis]
        for look in rule.looks:
            if look.kpi == FEED_SILENCE:
                yield Finding(("rules", at, *look.kpi_at), f"{FEED_SILENCE} has no threshold: it is a form of rule", NO_THRESHOLD)
            elif look.kpi not in kpis:
                yield Finding(("rules", at, *look.kpi_at), f"{look.kpi!r} is no KPI", suggest(look.kpi, kpis))
        for look, kpi in known:
            yield from _lint_window(("rules", at, *look.window_at), look, kpi, windows)
        if isinstance(rule, RuleSpec) and known:
            yield from lint_compared(("rules", at), rule, known[0][1])
        if known:
            yield from _lint_scopes(("rules", at, "scopes"), rule, [kpi for _, kpi in known], sides)
            yield from _lint_rule(("rules", at), rule, known, partner_ids)


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


def _lint_window(path: Path, look: Look, kpi: Kpi, kept: Collection[str]) -> Iterator[Finding]:
    if look.window == ADAPTIVE:
        yield from _lint_adaptive(path, kpi, kept)
    elif kpi.live and window(look.window).width_ms > HOUR_MS:
        yield Finding(path, f"{kpi.id} is a live figure: it stands in windows up to 1h only", "write 5m, 15m, 30m or 1h")
    elif window(look.window).width_ms < kpi.narrowest_ms:
        yield Finding(path, f"{kpi.id} says nothing in so narrow a window: it stands in those of 24h and more only", "write 24h")
    elif look.window not in kept:
        yield Finding(path, f"{look.window} is no window of defaults.windows", f"add it there, or write one of {', '.join(kept)}")


def _lint_adaptive(path: Path, kpi: Kpi, kept: Collection[str]) -> Iterator[Finding]:
    if kpi.adds_up:
        yield Finding(path, f"{kpi.id} is a count, which is of its window: no other will do", "write 1h, 4h or 24h")
    elif kpi.live and kpi.estimate((0,) * SIZE, None, Definition()).kind is Kind.GAUGE:
        yield Finding(path, f"{kpi.id} is of what is there now: there are no samples that a wider window holds more of", "write 15m")
    elif not adaptive_windows(kpi, [each.name for each in WINDOWS]):
        yield Finding(path, f"{kpi.id} stands in none of 15m, 30m, 1h and 4h, from which adaptive chooses", "write 24h")
    elif not adaptive_windows(kpi, kept):
        yield Finding(path, f"defaults.windows has none in which {kpi.id} stands of 15m, 30m, 1h and 4h", "add one there")


def _lint_scopes(path: Path, rule: RuleBase, kpis: Sequence[Kpi], kept: Collection[str]) -> Iterator[Finding]:
    for at, scope in enumerate(rule.scopes):
        side = RULE_SCOPES[scope]
        if side not in SIDES:
            continue
        if side not in kept:
            yield Finding((*path, at), f"partners are not split by {side}", f"add {side} to defaults.scopes, or to those of a partner")
            continue
        for name in sorted({kpi.id for kpi in kpis if kpi.family in (FORECAST, HISTORY)}):
            yield Finding((*path, at), f"{name} is of queues and channels only, not of a {side}", "write partner/queue")


def _lint_rule(path: Path, rule: RuleBase, known: Sequence[tuple[Look, Kpi]], partner_ids: Collection[str] | None) -> Iterator[Finding]:
    of_period = [(look, kpi) for look, kpi in known if kpi.of_period]
    for look, kpi in of_period:
        message = f"{kpi.id} stands in records of reported periods only"
        yield Finding((*path, *look.kpi_at), message, "set a target instead, or write another KPI")
    if of_period:
        return
    yield from _lint_said(path, rule, partner_ids)
    if isinstance(rule, RuleSpec):
        yield from _lint_levels((*path, "levels"), rule, known[0][1])
        if not isinstance(rule.outside_hours, str):
            yield from _lint_levels((*path, "outside_hours"), rule.model_copy(update={"levels": rule.outside_hours}), known[0][1])
    else:
        yield from lint_form(path, rule, {kpi.id: kpi for _, kpi in known})


def _lint_said(path: Path, rule: RuleBase, partner_ids: Collection[str] | None) -> Iterator[Finding]:
    """What rules of all forms say."""
    for at, partner_id in enumerate(rule.partners or ()):
        if partner_ids is not None and partner_id not in partner_ids:
            yield Finding(
                (*path, "partners", at), f"{partner_id!r} is no partner of this file", "name it under partners, or remove it here"
            )
    if rule.runbook is None:
        yield Finding(path, "has no runbook", "add runbook: and an address that says what to do", "warning")


def _lint_levels(path: Path, rule: RuleSpec, kpi: Kpi) -> Iterator[Finding]:
    if not rule.levels:
        yield Finding(path, "is empty: the rule can never fire", "add a level with severity, enter, exit and for")
    of = (rule.unit or Compare.CHANGE) if rule.compare else kpi
    wrong = list(_lint_pairs(path, rule))
    yield from wrong
    if not wrong and rule.direction is Direction.OUTSIDE:
        yield from _lint_ladder(path, [(each, *each.compiled.edge(Direction.BELOW)) for each in rule.levels], Direction.BELOW, of, (0,))
        yield from _lint_ladder(path, [(each, *each.compiled.edge(Direction.ABOVE)) for each in rule.levels], Direction.ABOVE, of, (1,))
    elif not wrong:
        yield from _lint_ladder(path, [(each, *each.compiled.edge(rule.direction)) for each in rule.levels], rule.direction, of)
    if any(True for _ in _repeated([level.severity for level in rule.levels])):
        yield Finding(path, "has two levels of one severity", "keep one of each")


def _lint_pairs(path: Path, rule: RuleSpec) -> Iterator[Finding]:
    both = rule.direction is Direction.OUTSIDE
    for at, level in enumerate(rule.levels):
        for field, value in (("enter", level.enter), ("exit", level.exit)):
            here = (*path, at, field)
            if isinstance(value, tuple) is not both:
                message = f"a rule that looks {rule.direction} has {'two thresholds' if both else 'one threshold'}"
                yield Finding(here, message, "write [low, high]" if both else "write one number, or direction: outside")
            elif isinstance(value, tuple) and value[0] >= value[1]:
                yield Finding(here, f"{value[0]:g} is not under {value[1]:g}", "write [low, high]")


_Step = tuple[LevelSpec, float, float]
"""A level, what is entered and what is left on one side."""


def _lint_ladder(path: Path, steps: Sequence[_Step], direction: Direction, of: Kpi | Compare, last: Path = ()) -> Iterator[Finding]:
    """One side of a ladder of a KPI, or of differences; `last` is where its thresholds stand under `enter` and `exit`."""
    sign, side = (1, "over") if direction is Direction.BELOW else (-1, "under")
    for at, (_, enter, left) in enumerate(steps):
        here = (*path, at, "enter", *last)
        if isinstance(of, Compare):
            yield from lint_difference(here, enter, of, direction)
        else:
            yield from lint_value(here, enter, of)
            yield from lint_value((*path, at, "exit", *last), left, of)
            if enter == RANGES[of.unit][0 if sign > 0 else 1]:
                yield Finding(here, f"{of.id} is never {direction} {enter:g}", "move it inside the range")
        if sign * left < sign * enter:
            yield Finding((*path, at, "exit", *last), f"{left:g} is on the wrong side of enter {enter:g}", f"write an exit {side} it")
    if len({level.severity for level, _, _ in steps}) < len(steps):
        return
    ordered = sorted(enumerate(steps), key=lambda step: _SEVERITIES.index(step[1][0].severity))
    for (_, mild), (at, severe) in pairwise(ordered):
        yield from _lint_step((*path, at), mild, severe, sign, last)


def _lint_step(path: Path, mild: _Step, severe: _Step, sign: int, last: Path) -> Iterator[Finding]:
    side = "lower" if sign > 0 else "higher"
    (worse, entered, left), (better, entered_before, left_before) = severe, mild
    if sign * entered >= sign * entered_before:
        message = f"{worse.severity} is entered before {better.severity} ({entered:g} against {entered_before:g})"
        yield Finding((*path, "enter", *last), message, f"write a {side} one: each level must be worse than the one before")
    if sign * left > sign * left_before:
        message = f"{worse.severity} is left after {better.severity} ({left:g} against {left_before:g})"
        yield Finding((*path, "exit", *last), message, f"write a {side} one")


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
    yield from lint_value((*path, "target"), target.target, kpi)
    if target.critical is None:
        return
    yield from lint_value((*path, "critical"), target.critical, kpi)
    sign, side = (1, "lower") if kpi.better is Better.HIGHER else (-1, "higher")
    if sign * target.critical > sign * target.target:
        message = f"{target.critical:g} is on the good side of the target {target.target:g}"
        yield Finding((*path, "critical"), message, f"write a {side} one: {name} is critical past its target")
