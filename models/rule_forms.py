"""Forms of rules that a policy file has beside a figure against a ladder.

when: {all: [...]}     composite: comparisons of several KPIs, with all, any and not
type: balance          an efficiency got better while a quality got worse
type: drift            a figure moves slowly away from what it should be
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

from models.forms import Balance, Comparison, Drift, Group
from models.policy_types import Duration, Name, RuleWindow, WindowName, to_ms
from models.rule_base import Look, RuleBase
from models.rules import Direction, Level, OnMissing, Rule, Severity
from models.yaml_file import Path

__all__ = [
    "AllSpec",
    "AnySpec",
    "BalanceSpec",
    "ComparisonSpec",
    "CompositeSpec",
    "DriftSpec",
    "FormSpec",
    "NotSpec",
    "OutsideSpec",
    "When",
    "depth",
    "leaves",
]

_OPERATORS: Final = ("all", "any", "not")
_QUARTER: Final = "15m"


class _Spec(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class ComparisonSpec(_Spec):
    """One figure past a threshold, in the KPI's unit."""

    kpi: Name
    below: float | None = None
    above: float | None = None
    exit: float | None = None
    """What is past it again no longer counts; the threshold itself unless it is said."""
    window: RuleWindow | None = None
    """That of the rule unless it is said."""

    @property
    def threshold(self) -> float:
        """The one that is said."""
        return (self.below if self.below is not None else self.above) or 0.0


class AllSpec(_Spec):
    """All of these."""

    all: Annotated[tuple["When", ...], Field(min_length=1)]


class AnySpec(_Spec):
    """Any of these."""

    any: Annotated[tuple["When", ...], Field(min_length=1)]


class NotSpec(_Spec):
    """Not this."""

    not_: "When" = Field(alias="not")


def _operator(said: object) -> str:
    """Which of the branches of `When` is meant."""
    for name, branch in (("all", AllSpec), ("any", AnySpec), ("not", NotSpec)):
        if isinstance(said, branch):
            return name
    return next((each for each in _OPERATORS if isinstance(said, dict) and each in said), "comparison")


When = Annotated[
    Annotated[AllSpec, Tag("all")]
    | Annotated[AnySpec, Tag("any")]
    | Annotated[NotSpec, Tag("not")]
    | Annotated[ComparisonSpec, Tag("comparison")],
    Discriminator(_operator),
]
_Node = AllSpec | AnySpec | NotSpec | ComparisonSpec


def leaves(node: _Node, at: Path = ()) -> Iterator[tuple[Path, ComparisonSpec]]:
    """All comparisons in their order, and where they stand."""
    if isinstance(node, ComparisonSpec):
        yield at, node
    elif isinstance(node, NotSpec):
        yield from leaves(node.not_, (*at, "not"))
    else:
        name, parts = ("all", node.all) if isinstance(node, AllSpec) else ("any", node.any)
        for number, part in enumerate(parts):
            yield from leaves(part, (*at, name, number))


def depth(node: _Node) -> int:
    """How many of all, any and not stand within each other."""
    if isinstance(node, ComparisonSpec):
        return 0
    if isinstance(node, NotSpec):
        return 1 + depth(node.not_)
    return 1 + max(map(depth, node.all if isinstance(node, AllSpec) else node.any))


class FormSpec(RuleBase):
    """A rule without thresholds that another could take the place of."""

    outside_hours: Literal["wait", "page"] = "wait"
    """While a partner is closed, whether pages wait."""

    @property
    def common(self) -> dict[str, Any]:
        """As of any rule, and whether its pages wait."""
        return {**super().common, "waits_outside_hours": self.outside_hours == "wait"}


class OutsideSpec(_Spec):
    """What holds of such a rule while a partner is closed, in place of what it says otherwise; pages do not wait then."""

    when: When
    for_seconds: Duration | None = Field(default=None, alias="for")
    """As the rule says unless it is said."""


def _outside(said: object) -> str:
    return "form" if isinstance(said, dict | OutsideSpec) else "word"


class CompositeSpec(RuleBase):
    """When several figures of one scope together are worth an alert."""

    when: When
    window: RuleWindow
    """In which all figures are judged that name no other."""
    severity: Severity
    for_seconds: Duration = Field(alias="for")
    outside_hours: Annotated[
        Annotated[Literal["wait", "page"], Tag("word")] | Annotated[OutsideSpec, Tag("form")], Discriminator(_outside)
    ] = "wait"
    """While a partner is closed: whether pages wait, or what holds instead."""

    @property
    def looks(self) -> tuple[Look, ...]:
        """A figure a comparison."""
        found = list(leaves(self.when, ("when",)))
        if isinstance(self.outside_hours, OutsideSpec):
            found += leaves(self.outside_hours.when, ("outside_hours", "when"))
        return tuple(Look(each.kpi, (*at, "kpi"), *_window(self, at, each)) for at, each in found)

    @cached_property
    def compiled(self) -> Rule:
        """The rule, ready for the engine; its figure is that of the first comparison."""
        own, other = self._with(self.when, self.for_seconds), self.outside_hours
        if not isinstance(other, OutsideSpec):
            return replace(own, waits_outside_hours=other == "wait")
        outside = self._with(other.when, self.for_seconds if other.for_seconds is None else other.for_seconds)
        return replace(own, waits_outside_hours=False, outside=replace(outside, waits_outside_hours=False))

    def _with(self, when: _Node, for_seconds: float) -> Rule:
        _, first = next(leaves(when))
        return Rule(
            **self.common,
            kpi=first.kpi,
            window=first.window or self.window,
            direction=Direction.ABOVE,
            levels=(Level(self.severity, 0.0, 0.0, to_ms(for_seconds)),),
            on_missing=OnMissing.HOLD,
            form=self._compile(when, negated=False),
        )

    def _compile(self, node: _Node, *, negated: bool) -> Comparison | Group:
        # By De Morgan's laws what is not all is any that is not, so that only comparisons are negated.
        if isinstance(node, NotSpec):
            return self._compile(node.not_, negated=not negated)
        if isinstance(node, ComparisonSpec):
            enter = node.threshold
            left = enter if node.exit is None else node.exit
            return Comparison(node.kpi, node.window or self.window, node.below is not None, enter, left, negated)
        every, parts = (True, node.all) if isinstance(node, AllSpec) else (False, node.any)
        return Group(every is not negated, tuple(self._compile(part, negated=negated) for part in parts))


def _window(rule: CompositeSpec, at: Path, each: ComparisonSpec) -> tuple[str, Path]:
    return (rule.window, ("window",)) if each.window is None else (each.window, (*at, "window"))


class BalanceSpec(FormSpec):
    """When an efficiency got better while a quality got worse, each beyond chance, against the equal window before."""

    type: Literal["balance"]
    efficiency: Name
    """A KPI. Where neither side of it is good, shorter times and higher shares are the efficient ones."""
    quality: Name
    window: WindowName
    severity: Severity = Severity.WARNING
    for_seconds: Duration = Field(default=0.0, alias="for")
    """In whole quarters of an hour, at which such rules are judged; so is `recover_for`."""
    recover_for: Duration = 3600.0

    @property
    def looks(self) -> tuple[Look, ...]:
        """The two figures."""
        return tuple(Look(kpi, (at,), self.window, ("window",)) for at, kpi in (("efficiency", self.efficiency), ("quality", self.quality)))

    @cached_property
    def compiled(self) -> Rule:
        """The rule, ready for the engine; its figure is that of the quality."""
        return Rule(
            **self.common,
            kpi=self.quality,
            window=self.window,
            direction=Direction.ABOVE,
            levels=(Level(self.severity, 0.0, 0.0, to_ms(self.for_seconds)),),
            on_missing=OnMissing.HOLD,
            form=Balance(self.efficiency, self.quality),
        )


class DriftSpec(FormSpec):
    """When a figure has moved away from what it should be, by shifts too small to show in any quarter of an hour."""

    type: Literal["drift"]
    kpi: Name
    direction: Literal["below", "above"]
    """To which side."""
    reference: float
    """What the figure should be, in the KPI's unit."""
    severity: Severity = Severity.WARNING
    recover_for: Duration = 3600.0
    """For how long nothing may have added up, in whole quarters of an hour."""

    @property
    def looks(self) -> tuple[Look, ...]:
        """The one figure, in quarter hours."""
        return (Look(self.kpi, ("kpi",), _QUARTER, ("kpi",)),)

    @cached_property
    def compiled(self) -> Rule:
        """The rule, ready for the engine."""
        return Rule(
            **self.common,
            kpi=self.kpi,
            window=_QUARTER,
            direction=Direction(self.direction),
            levels=(Level(self.severity, self.reference, self.reference, 0),),
            on_missing=OnMissing.HOLD,
            form=Drift(self.kpi, self.direction == "below", self.reference),
        )
