"""Inhibition between the conditions of one partner: a pure function of them and the time, with no state of its own."""

from collections.abc import Iterable, Iterator

from alerts.condition import Condition, Phase
from models.inhibition import AlertMatch, Inhibition

__all__ = ["inhibited", "inhibition_turns_ms"]


def inhibited(inhibit: Iterable[Inhibition], target: Condition, others: Iterable[Condition], at_ms: int) -> bool:
    """Whether the page of an open condition waits at `at_ms`: for one that explains it, or to see whether one comes.

    `others` are all conditions of its partner, judged at `at_ms`; itself may be among them.
    """
    return any(
        _until_ms(each, target) > at_ms or any(source.open or _ended_ms(each, source) > at_ms for source in _sources(each, target, others))
        for each in inhibit
        if _fits(each.target, target)
    )


def inhibition_turns_ms(inhibit: Iterable[Inhibition], target: Condition, others: Iterable[Condition]) -> Iterator[int]:
    """When that becomes different by itself."""
    for each in inhibit:
        if _fits(each.target, target):
            yield _until_ms(each, target)
            yield from (_ended_ms(each, source) for source in _sources(each, target, others) if not source.open)


def _sources(inhibition: Inhibition, target: Condition, others: Iterable[Condition]) -> Iterator[Condition]:
    for other in others:
        if not (other.open or other.phase is Phase.RESOLVED) or not _fits(inhibition.source, other):
            continue
        # One that is a target as well explains nothing: two such would hold each other back for ever.
        if not _fits(inhibition.target, other) and all(
            getattr(other, _FIELDS[name]) == getattr(target, _FIELDS[name]) for name in inhibition.equal
        ):
            yield other


_FIELDS = {"rule": "rule_id", "scope": "scope"}


def _fits(match: AlertMatch, condition: Condition) -> bool:
    return condition.severity is not None and match.fits(condition.rule_id, condition.scope, condition.severity.value)


def _until_ms(inhibition: Inhibition, target: Condition) -> int:
    assert target.fired_ms is not None, "what is open has fired"
    return target.fired_ms + round(inhibition.wait * 1000)


def _ended_ms(inhibition: Inhibition, source: Condition) -> int:
    assert source.ended_ms is not None, "what resolved has ended"
    return source.ended_ms + round(inhibition.extend * 1000)
