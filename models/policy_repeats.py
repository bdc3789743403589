"""Rules on repeats that can never fire, since no contract counts repeats, or counts them for longer than the window of the rule holds."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from models.finding import Finding
from models.kpis import Kpi
from models.kpis.history import LATE_MS
from models.measures import Family
from models.policy import merge
from models.policy_spec import Defaults, PartnerPart
from models.rule_base import Look, RuleBase
from models.rules import ADAPTIVE
from models.windows import DAY_MS, Edge, window
from models.yaml_file import Path

__all__ = ["lint_repeats"]

_NAMED_MAX: Final = 3
"""Partners that a message names."""


def lint_repeats(
    defaults: Defaults, partners: Sequence[PartnerPart | None], rules: Sequence[RuleBase | None], kpis: Mapping[str, Kpi]
) -> Iterator[Finding]:
    """Rules, by their position in the file, on KPIs that need a repeat window; None where one, or a partner, does not read."""
    longest_ms = {each.id: _longest_ms(defaults, each) for each in partners if each is not None}
    for at, rule in enumerate(rules):
        for look in rule.looks if rule else ():
            kpi = kpis.get(look.kpi)
            if rule is None or kpi is None or kpi.counted_under is not Family.HISTORY:
                continue
            judged = longest_ms if rule.partners is None else {name: longest_ms[name] for name in rule.partners if name in longest_ms}
            counting = {name: longest for name, longest in judged.items() if longest}
            if judged and not counting:
                remedy = "add it to the definition of the partners that are to be judged, or remove the rule"
                message = f"{kpi.id} is counted only where repeat_window_seconds is set, and it is not"
                yield Finding(("rules", at, *look.kpi_at), message, remedy)
            elif kpi.matures and look.window != ADAPTIVE:
                yield from _lint_window(("rules", at, *look.window_at), look, counting)


def _longest_ms(defaults: Defaults, partner: PartnerPart) -> int:
    """The longest repeat window of a partner's places, for which all of them wait; 0 where repeats are not counted."""
    base = merge(defaults.definition, partner.definition)
    places = (merge(base, each) for group in (partner.channels, partner.queues) for each in group.values())
    return max(each.repeat_window_ms for each in (base, *places))


def _lint_window(path: Path, look: Look, longest_ms: Mapping[str, int]) -> Iterator[Finding]:
    """A day has its figure once the repeat window and the time for late contacts have passed: is it in the rule's window still?"""
    empty = [name for name, longest in longest_ms.items() if longest >= _short_of_ms(look.window)]
    if not empty:
        return
    every, least = len(empty) == len(longest_ms), min(longest_ms[name] for name in empty)
    whose = "" if every else f" of {', '.join(empty[:_NAMED_MAX])}{' and others' * (len(empty) > _NAMED_MAX)}"
    more = " or more" * (least < max(longest_ms[name] for name in empty))
    later = f"48h and {least / DAY_MS:g}d (repeat_window_seconds){more} later"
    message = f"{look.kpi}{whose} has no figure in {look.window}: that of a day comes {later}"
    wider = next((f"write {name}" for name in ("7d", "30d") if least < _short_of_ms(name)), "shorten repeat_window_seconds below 28d")
    yield Finding(path, message, wider, "error" if every else "warning")


def _short_of_ms(name: str) -> int:
    """Than what a repeat window must be shorter, so that a window holds the figure of a day for some time."""
    each = window(name)
    if each.edge is not Edge.DAY:
        return 0
    # One that grows holds as many days that are over as it is wide, but for the last.
    return each.width_ms - DAY_MS * (each.since != "width") - LATE_MS
