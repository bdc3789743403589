"""Inhibition: an alert that explains others, as a policy says it."""

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from models.durations import WRITTEN, to_seconds
from models.finding import Finding
from models.rules import Rule
from models.windows import Dimension

__all__ = ["EXTEND_MAX_SECONDS", "AlertMatch", "Inhibition", "lint_inhibit"]

EXTEND_MAX_SECONDS: Final = 900.0
"""As long as a resolved alert is remembered."""

_Glob = Annotated[str, Field(min_length=1, max_length=128)]
_Seconds = Annotated[float, BeforeValidator(to_seconds), Field(ge=0, le=EXTEND_MAX_SECONDS), WRITTEN]


class _Spec(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class AlertMatch(_Spec):
    """Which alerts are meant: all that is named must fit; `*` stands for any letters, `?` for one."""

    rule: _Glob = "*"
    scope: _Glob = "*"
    """Such as `all`, `queue=billing` or `queue=*`."""
    severity: _Glob = "*"

    @model_validator(mode="after")
    def _names_something(self) -> Self:
        if not self.model_fields_set:
            msg = "means every alert (name a rule, a scope or a severity)"
            raise ValueError(msg)
        return self

    def fits(self, rule: str, scope: str, severity: str) -> bool:
        """Whether it means such an alert."""
        return fnmatchcase(rule, self.rule) and fnmatchcase(scope, self.scope) and fnmatchcase(severity, self.severity)


class Inhibition(_Spec):
    """While a `source` is open, pages of its `target`s wait: of the same partner, and alike in what is `equal`."""

    source: AlertMatch
    target: AlertMatch
    equal: Annotated[tuple[Literal["rule", "scope"], ...], Field(max_length=2)] = ()
    wait: _Seconds = 45.0
    """How long a target's page waits for a source that may fire a little later."""
    extend: _Seconds = 60.0
    """How long it waits after the source resolved, for a target that resolves a little later."""


def lint_inhibit(inhibit: Sequence[Inhibition | None], rules: Sequence[Rule]) -> Iterator[Finding]:
    """What is wrong with inhibitions by their position in the file; None where one does not read."""
    edges: dict[_Node, set[_Node]] = {}
    ladders = [(rule, (*rule.levels, *(rule.outside.levels if rule.outside else ()))) for rule in rules]
    nodes = {(rule.id, dimension, level.severity.value) for rule, levels in ladders for dimension in rule.scopes for level in levels}
    for at, each in enumerate(inhibit):
        if each is None:
            continue
        targets = {node for node in nodes if _may_mean(each.target, node)}
        sources = {node for node in nodes if _may_mean(each.source, node)} - targets
        for name, found, match in (("source", sources, each.source), ("target", targets, each.target)):
            if not found:
                message = f"rule {match.rule}, scope {match.scope}, severity {match.severity} fits no alert of these rules"
                remedy = "correct it; what is both a target and a source of one inhibition counts as a target"
                yield Finding(("inhibit", at, name), message, remedy)
        for source in sources:
            edges.setdefault(source, set()).update(targets)
        circle = _circle(edges)
        if circle:
            message = f"alerts would hold each other back: {', '.join(sorted({rule for rule, _, _ in circle}))}"
            yield Finding(("inhibit", at), message, "let one explain the other, not each the other")
            return


_Node = tuple[str, Dimension, str]


def _may_mean(match: AlertMatch, node: _Node) -> bool:
    rule, dimension, severity = node
    scope = match.scope
    if dimension == "all":
        fits = fnmatchcase("all", scope)
    else:
        # Of a name nothing is known yet, only of which dimension it is.
        fits = fnmatchcase(dimension, scope.partition("=")[0]) if "=" in scope else "*" in scope
    return fits and fnmatchcase(rule, match.rule) and fnmatchcase(severity, match.severity)


def _circle(edges: dict[_Node, set[_Node]]) -> set[_Node]:
    """The nodes from which one comes back to itself."""

    def reached(start: _Node) -> set[_Node]:
        seen: set[_Node] = set()
        ahead = list(edges.get(start, ()))
        while ahead:
            node = ahead.pop()
            if node not in seen:
                seen.add(node)
                ahead.extend(edges.get(node, ()))
        return seen

    return {node for node in edges if node in reached(node)}
