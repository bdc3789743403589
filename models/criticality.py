"""Criticality: how much an activity, a segment of customers, a queue or a partner matters, as a policy says it.

    criticality:
      activities: {claims: {risk: 3}, orders: {competitive_advantage: 3, customer_proximity: 2}, address_changes: {risk: 1}}
      segments: {gold: 3, trial: 1}
      queues: {complaints: {loyalty_driver: 3}}
      partner: {loyalty_driver: 1}
      raise_from: 3

An activity weighs what the highest of its points is. The alerts of a scope weigh what the scope does: its activity, its segment; a queue
or a contact reason of which nothing is said, what its activity does; anything else, what the whole partner does.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from models.rules import Severity
from models.windows import Scope

__all__ = ["WEIGHT_MAX", "Criticality", "CriticalitySpec", "Weighed", "WeightSpec", "compiled", "laid_over", "order", "said_by_rule"]

WEIGHT_MAX: Final = 3
_SEVERITIES: Final = tuple(Severity)
_SAID: Final = {
    "competitive_advantage": "a competitive advantage",
    "loyalty_driver": "a driver of loyalty",
    "risk": "a risk",
    "customer_proximity": "close to customers",
}
_BY_SEVERITY: Final = 10

Points = Annotated[int, Field(ge=1, le=WEIGHT_MAX)]
_Named = Annotated[str, Field(min_length=1, max_length=128)]


class _Spec(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class WeightSpec(_Spec):
    """Why something matters, and how much: 1 to 3 points each."""

    competitive_advantage: Points | None = None
    loyalty_driver: Points | None = None
    risk: Points | None = None
    customer_proximity: Points | None = None

    @model_validator(mode="after")
    def _weighs_something(self) -> Self:
        if not self.points:
            msg = f"weighs nothing (give 1 to {WEIGHT_MAX} points to one of {', '.join(_SAID)})"
            raise ValueError(msg)
        return self

    @property
    def points(self) -> dict[str, int]:
        """What is said."""
        return {name: points for name in _SAID if (points := getattr(self, name)) is not None}


class CriticalitySpec(_Spec):
    """What matters, and from what weight on alerts are one severity higher."""

    activities: Annotated[dict[_Named, WeightSpec], Field(max_length=2000)] = {}
    segments: Annotated[dict[_Named, Points], Field(max_length=2000)] = {}
    queues: Annotated[dict[_Named, WeightSpec], Field(max_length=2000)] = {}
    """Over what their activities weigh."""
    partner: WeightSpec | None = None
    """Of the whole partner, and all of it of which nothing else is said."""
    raise_from: Points | None = None
    """Unless it is said, weights order alerts and raise none."""

    @property
    def heaviest(self) -> int:
        """The highest weight in it."""
        weights = [*self.activities.values(), *self.queues.values(), *((self.partner,) if self.partner else ())]
        return max((*self.segments.values(), *(points for each in weights for points in each.points.values())), default=0)


class Weighed(NamedTuple):
    """What the alerts of a scope weigh, and why."""

    weight: int
    reason: str
    """Such as `activity claims is a risk`."""


@dataclass(frozen=True, slots=True)
class Criticality:
    """Of one partner, ready to be asked."""

    named: Mapping[tuple[str, str], Weighed]
    """By dimension and name."""
    partner: Weighed | None
    raise_from: int | None

    def of(self, scope: Scope) -> Weighed | None:
        """What a scope weighs; None where nothing is said of it, nor of the partner."""
        return self.named.get((scope.dimension, scope.value), self.partner)

    def told(self, severity: Severity, scope: Scope) -> Severity:
        """The severity that an alert of this one is told with."""
        found = self.of(scope)
        if found is None or self.raise_from is None or found.weight < self.raise_from:
            return severity
        return _SEVERITIES[min(_SEVERITIES.index(severity) + 1, len(_SEVERITIES) - 1)]


def order(severity: Severity, weighed: Weighed | None) -> int:
    """What alerts are to be sorted by, the highest first: by severity, and within one by weight."""
    return _BY_SEVERITY * (_SEVERITIES.index(severity) + 1) + (0 if weighed is None else weighed.weight)


def said_by_rule(record: Mapping[str, Any]) -> str | None:
    """The severity that a rule says of a record of its alert, which may be told with a higher one."""
    severity: str | None = (record.get("criticality") or {}).get("raised_from") or record["severity"]
    return severity


def laid_over(shared: CriticalitySpec | None, own: CriticalitySpec | None) -> CriticalitySpec | None:
    """What a partner says over what is said of all, name by name; None where neither says anything."""
    if shared is None or own is None:
        return own or shared
    return CriticalitySpec(
        activities={**shared.activities, **own.activities},
        segments={**shared.segments, **own.segments},
        queues={**shared.queues, **own.queues},
        partner=own.partner or shared.partner,
        raise_from=own.raise_from or shared.raise_from,
    )


def compiled(spec: CriticalitySpec, by_reason: Mapping[str, str], by_queue: Mapping[str, str]) -> Criticality:
    """What `spec` says; reasons and queues have the activities that the policy says."""
    activities = {name: _weighed(f"activity {name}", each) for name, each in spec.activities.items()}
    named = {("activity", name): each for name, each in activities.items()}
    for name, weight in spec.segments.items():
        named["segment", name] = Weighed(weight, f"segment {name} weighs {weight} of {WEIGHT_MAX}")
    for dimension, mapped in (("reason", by_reason), ("queue", by_queue)):
        named |= {(dimension, name): activities[activity] for name, activity in mapped.items() if activity in activities}
    named |= {("queue", name): _weighed(f"queue {name}", each) for name, each in spec.queues.items()}
    partner = None if spec.partner is None else _weighed("the partner", spec.partner)
    return Criticality(named, partner, spec.raise_from)


def _weighed(what: str, spec: WeightSpec) -> Weighed:
    """By its highest points; of equal ones those that stand first in the list of what matters."""
    name, weight = max(spec.points.items(), key=lambda each: each[1])
    return Weighed(weight, f"{what} is {_SAID[name]}")
