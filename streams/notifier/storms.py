"""Storms: where incidents of one rule open at many partners at once, one of them tells of all. Pure.

The first to open goes on paging; the others are taken in by it, which stops their pages for a while and ends nothing. What opened
before stays as it is, so that looking again, or by another notifier, comes to the same.
"""

from collections.abc import Iterable, Iterator
from typing import Final
from uuid import UUID, uuid5

from models.incident_commands import INCIDENT_ABSORB, IncidentAbsorb
from models.incidents import Attention, IncidentState
from models.operation import Command

__all__ = ["SPAN_MS", "absorbed"]

SPAN_MS: Final = 120_000
_NAMES: Final = UUID("d6f7a7a5-56a5-4a3e-9d67-31d3f0d0d5e2")


def absorbed(incidents: Iterable[IncidentState], partners_min: int, now_ms: int, actor: str) -> Iterator[Command]:
    """A command for each incident that a storm takes in; the same each time that it is asked."""
    if not partners_min:
        return
    by_rule: dict[str, list[IncidentState]] = {}
    for each in sorted(incidents, key=lambda each: (each.opened_at, each.id)):
        for rule in sorted({member.rule for member in each.members if member.pages}):
            by_rule.setdefault(rule, []).append(each)
    done: set[str] = set()
    for alike in by_rule.values():
        for storm in _storms(alike, partners_min, now_ms):
            first, *others = storm
            for each in others:
                if each.id in done or each.absorbed_by is not None or each.attention is not Attention.UNACKED:
                    continue
                done.add(each.id)
                yield _absorb(each, first.id, now_ms, actor)


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


def _absorb(state: IncidentState, into: str, now_ms: int, actor: str) -> Command:
    return Command(
        id=str(uuid5(_NAMES, f"{state.id}/{into}")),
        type=INCIDENT_ABSORB,
        actor=actor,
        at=now_ms,
        partner=state.partner,
        payload=IncidentAbsorb(incident=state.id, into=into).model_dump(mode="json", exclude_none=True),
    )
