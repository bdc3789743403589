"""Weights that no alert will ever have, and raises that raise nothing."""

from collections.abc import Iterator, Mapping, Sequence

from models.criticality import CriticalitySpec, laid_over
from models.finding import Finding
from models.policy_spec import Activities, Defaults, PartnerPart
from models.rule_base import RuleBase
from models.windows import Dimension
from models.yaml_file import Path

__all__ = ["lint_criticality"]


def lint_criticality(defaults: Defaults, partners: Sequence[PartnerPart | None], rules: Sequence[RuleBase | None]) -> Iterator[Finding]:
    """What is said of all, and of partners by their position in the file; None where one, or a rule, does not read."""
    if None in rules or None in partners:
        return
    judged = {dimension for rule in rules if rule is not None for dimension in rule.compiled.scopes}
    own = [each for each in partners if each is not None]
    mapped = {dimension for each in (defaults.activities, *(each.activities for each in own)) for dimension in _mapped(each)}
    if defaults.criticality is not None:
        laid_over_all = [laid_over(defaults.criticality, each.criticality) for each in own]
        heaviest = max(each.heaviest for each in (defaults.criticality, *laid_over_all) if each is not None)
        yield from _lint(("defaults", "criticality"), defaults.criticality, heaviest, judged, mapped)
    for at, each in enumerate(own):
        laid = laid_over(defaults.criticality, each.criticality)
        if each.criticality is not None and laid is not None:
            yield from _lint(("partners", at, "criticality"), each.criticality, laid.heaviest, judged, mapped)


def _mapped(activities: Activities) -> Iterator[Dimension]:
    """The dimensions whose names have activities."""
    if activities.queues:
        yield "queue"
    if activities.reasons:
        yield "reason"


def _lint(path: Path, spec: CriticalitySpec, heaviest: int, judged: set[Dimension], mapped: set[Dimension]) -> Iterator[Finding]:
    carriers: Mapping[str, set[Dimension]] = {"activities": {"activity", *mapped}, "segments": {"segment"}, "queues": {"queue"}}
    for name, dimensions in carriers.items():
        if getattr(spec, name) and not dimensions & judged:
            scopes = " or ".join(f"partner/{each}" for each in sorted(dimensions))
            yield Finding(
                (*path, name),
                f"no rule is judged for {scopes}, so no alert weighs this",
                f"add {scopes} to the scopes of a rule",
                "warning",
            )
    if spec.raise_from is not None and spec.raise_from > heaviest:
        message = f"nothing weighs {spec.raise_from} or more, so no alert is raised"
        yield Finding(
            (*path, "raise_from"), message, f"write {heaviest}, or more points" if heaviest else "say what weighs how much", "warning"
        )
