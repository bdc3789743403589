"""Storms: where incidents of one rule open at many partners at once, or at half of those on a source, one of them tells of all. Pure.

The first to open goes on paging; the others are taken in by it, which stops their pages for a while and ends nothing. What opened
before stays as it is, so that looking again, or by another notifier, comes to the same. Where the first ends while others go on, the
next of them pages and tells of the rest: else nobody would be told of what still burns.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final
from uuid import UUID, uuid5

from models.incident_commands import INCIDENT_ABSORB, IncidentAbsorb
from models.incidents import Attention, Happening, IncidentState
from models.operation import Command

__all__ = ["SPAN_MS", "absorbed", "handed_on"]

SPAN_MS: Final = 120_000
_SOURCE_MIN: Final = 3
"""Of two on a source half is one, and two are soon ill by chance."""
_NAMES: Final = UUID("d6f7a7a5-56a5-4a3e-9d67-31d3f0d0d5e2")


def absorbed(
    incidents: Iterable[IncidentState], partners_min: int, sources: Mapping[str, str], now_ms: int, actor: str
) -> Iterator[Command]:
    """A command for each incident that a storm takes in; the same each time that it is asked.

    Args:
        incidents: those that are open.
        partners_min: so many partners with one rule are a storm; 0: there are none, of a source neither.
        sources: by partner the source that it is on; half of a source's partners, at least 3, are one too, whatever their rules.
        now_ms: the wall time.
        actor: whose commands they are.
    """
    if not partners_min:
        return
    by_rule: dict[str, list[IncidentState]] = {}
    by_source: dict[str, list[IncidentState]] = {}
    for each in sorted(incidents, key=lambda each: (each.opened_at, each.id)):
        rules = {member.rule for member in each.members if member.pages}
        for rule in sorted(rules):
            by_rule.setdefault(rule, []).append(each)
        if rules and each.partner in sources:
            by_source.setdefault(sources[each.partner], []).append(each)
    sizes = Counter(sources.values())
    groups = [(alike, partners_min) for alike in by_rule.values()]
    groups += [(alike, max(_SOURCE_MIN, (sizes[source] + 1) // 2)) for source, alike in by_source.items()]
    done: set[str] = set()
    for alike, least in groups:
        for first, *others in _storms(alike, least, now_ms):
            for each in others:
                if each.id in done or each.absorbed_by is not None or each.attention is not Attention.UNACKED:
                    continue
                done.add(each.id)
                yield _absorb(each, first.id, now_ms, actor)


def handed_on(incidents: Iterable[IncidentState], is_over: Callable[[str], bool], now_ms: int, actor: str) -> Iterator[Command]:
    """Commands for what was taken in by an incident that is over: the oldest pages again, and tells of the others for what is left."""
    ordered = sorted(incidents, key=lambda each: (each.opened_at, each.id))
    for into in dict.fromkeys(each.absorbed_by for each in ordered):
        if into is None or not is_over(into):
            continue
        # Also one that was let go already, by us or by another notifier: a second one would page for nothing.
        first, *others = [each for each in ordered if each.absorbed_by == into or (each.absorbed_by is None and _was_in(each, into))]
        if first.absorbed_by is not None:
            yield _absorb(first, into, now_ms, actor, now_ms)
        for each in others:
            if each.absorbed_by is not None and each.attention is Attention.UNACKED:
                yield _absorb(each, first.id, now_ms, actor, each.due_at)


def _was_in(state: IncidentState, into: str) -> bool:
    return any(each.what is Happening.ABSORBED and each.text == into for each in state.timeline)


def _storms(alike: list[IncidentState], partners_min: int, now_ms: int) -> Iterator[list[IncidentState]]:
    """Stretches of a storm's length that begin with an incident and hold enough partners; only those that may grow still."""
    at = 0
    while at < len(alike):
        ends_ms = alike[at].opened_at + SPAN_MS
        within = [each for each in alike[at:] if each.opened_at <= ends_ms]
        if len({each.partner for each in within}) >= partners_min:
            if now_ms <= ends_ms + SPAN_MS:
                yield within
            at += len(within)
        else:
            at += 1


def _absorb(state: IncidentState, into: str, now_ms: int, actor: str, until_ms: int | None = None) -> Command:
    name = f"{state.id}/{into}" if until_ms != now_ms else f"{state.id}/{into}/over"
    return Command(
        id=str(uuid5(_NAMES, name)),
        type=INCIDENT_ABSORB,
        actor=actor,
        at=now_ms,
        partner=state.partner,
        payload=IncidentAbsorb(incident=state.id, into=into, until=until_ms).model_dump(mode="json", exclude_none=True),
    )
