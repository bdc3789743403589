"""The page that tells of an alarm, for whatever renders pages: it is made of what the auditor found, and of nothing on any topic."""

from collections.abc import Iterable
from typing import Final
from uuid import UUID, uuid5

from alerts.audit.alarm import Alarm, Ring
from alerts.audit.breach import PROMISES, AuditReason, Breach
from alerts.notify.text import cut, moment
from models.notifications import Fact, Notification, NotifyReason, Target
from models.receivers import Receiver

__all__ = ["by_reason", "page"]

_TEXT_MAX: Final = 200
_SHOWN: Final = 5
"""Breaches of one reason that a page names; the rest is counted."""
_NAMES: Final = UUID("8c1f5a52-6d0a-4b7e-9a35-2f4f4f0f7d19")
_WHAT_TO_DO: Final = "Run `outwatch audit --once`, and look after the process that it names; until then nobody may be paged."


def page(alarm: Alarm, ring: Ring, began_ms: int, receiver: Receiver, installation: str, at_ms: int) -> Notification:
    """What a receiver is told at `at_ms`; all pages of an installation are one incident to it."""
    ends = ring is Ring.ENDS
    found = alarm.last
    counts = [f"{len(each)} {reason}" if len(each) > 1 else str(reason) for reason, each in by_reason(found).items()]
    if ends:
        text = f"{installation} can be relied on again; it could not since {moment(began_ms)}: {', '.join(counts)}"
    else:
        text = f"{installation} cannot be relied on since {moment(began_ms)}: {', '.join(counts)}"
    facts = [Fact(name=str(reason), value=_said(reason, each)) for reason, each in by_reason(found).items()]
    return Notification(
        id=str(uuid5(_NAMES, f"{installation}/{receiver.id}/{ring}/{at_ms}")),
        incident=str(uuid5(_NAMES, installation)),
        partner="outwatch",
        epoch=0,
        loop=0,
        step=0,
        kind="resolve" if ends else "trigger",
        reason=NotifyReason.RESOLVED if ends else NotifyReason.AUDIT,
        target=Target(kind="receiver", id=receiver.id),
        receiver=receiver,
        side="client",
        severity="critical",
        text=cut(text, _TEXT_MAX),
        facts=() if ends else tuple(facts),
        members=0 if ends else len(found),
        suggested_action=None if ends else _WHAT_TO_DO,
        labels={"rule": "audit"},
        opened_at=began_ms,
        ended_at=alarm.ended_ms if ends else None,
        late=False,
        processed_at=at_ms,
    )


def by_reason(found: Iterable[Breach]) -> dict[AuditReason, list[Breach]]:
    """Breaches by their reason, in the order in which reasons stand; of each the oldest first."""
    split: dict[AuditReason, list[Breach]] = {}
    for each in sorted(found, key=lambda each: (each.since_ms or 0, each.what)):
        split.setdefault(each.reason, []).append(each)
    return {reason: split[reason] for reason in AuditReason if reason in split}


def _said(reason: AuditReason, found: list[Breach]) -> str:
    lines = [f"{each.what}{'' if each.since_ms is None else f' since {moment(each.since_ms)}'}: {each.detail}" for each in found[:_SHOWN]]
    more = [f"and {len(found) - _SHOWN} more"] if found[_SHOWN:] else []
    return "; ".join([f"it does not hold that {PROMISES[reason]}", *lines, *more])
