"""Rules that hold a figure against what is usual: where that is known, and what a difference can be. Pure; paths are those of the file."""

from collections.abc import Iterator
from typing import Final

from models.finding import Finding
from models.kpis import Kpi, Unit
from models.policy_spec import RuleSpec
from models.policy_types import RULE_SCOPES
from models.rule_silence import SilenceSpec
from models.rules import ADAPTIVE, Direction
from models.statistics import Compare
from models.windows import DAY_MS, HOUR_MS, SIDES, window
from models.yaml_file import Path

__all__ = ["NO_THRESHOLD", "lint_compared", "lint_difference", "lint_silence"]

NO_THRESHOLD: Final = "write type: feed_silence, and neither kpi, window, direction nor levels"


def lint_silence(path: Path, rule: SilenceSpec) -> Iterator[Finding]:
    """What does not hold of a rule on silence."""
    if rule.scopes != ("partner",):
        yield Finding((*path, "scopes"), "a feed is silent as a whole", "write partner, or nothing")


def lint_compared(path: Path, rule: RuleSpec, kpi: Kpi) -> Iterator[Finding]:
    """What does not hold of a rule with `compare:`, its levels aside, or of one that only seems to have it."""
    if rule.compare is None:
        if rule.unit is not None:
            yield Finding((*path, "unit"), f"{rule.unit} is of a difference", "add compare: baseline, or remove unit")
        return
    if kpi.live or kpi.quantile is not None or kpi.matures:
        why = "live" if kpi.live else "known only days later" if kpi.matures else "a quantile"
        yield Finding((*path, "compare"), f"{kpi.id} is {why}: no hour of it is kept", "write another KPI, or remove compare")
    for at, scope in enumerate(rule.scopes):
        if RULE_SCOPES[scope] in SIDES:
            message = f"no hours are kept of a {RULE_SCOPES[scope]}"
            yield Finding((*path, "scopes", at), message, "write partner, partner/queue or partner/channel")
    if rule.window != ADAPTIVE:
        yield from _lint_window((*path, "window"), rule, kpi)
    if kpi.unit in {Unit.POINTS, Unit.CHANGE} and rule.unit is not Compare.MADS:
        yield Finding((*path, "unit"), f"{kpi.id} may be 0 or less, of which nothing is a share", "write unit: mads")


def lint_difference(path: Path, enter: float, unit: Compare, direction: Direction) -> Iterator[Finding]:
    """What is entered on one side."""
    if unit is Compare.CHANGE and enter <= -1:
        yield Finding(path, f"{enter:g} is less than nothing left (-1)", "write a share: -0.2 is a fifth less")
    elif enter >= 0 if direction is Direction.BELOW else enter <= 0:
        side = "less than usual: write a negative one" if direction is Direction.BELOW else "more than usual: write a positive one"
        yield Finding(path, f"{enter:g} is no difference {direction} what is usual", side)


def _lint_window(path: Path, rule: RuleSpec, kpi: Kpi) -> Iterator[Finding]:
    held = window(rule.window)
    if held.since != "width" or held.width_ms > DAY_MS:
        yield Finding(path, f"{rule.window} has no same hours of the week", "write one of up to 24h")
    elif kpi.adds_up and held.width_ms < HOUR_MS:
        yield Finding(path, f"what is usual is known by the hour: {rule.window} is too narrow for a count", "write 1h, 4h or 24h")
