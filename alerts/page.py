"""Pages: what is asked of the notifier of an incident, with text that is whole in 200 characters."""

from datetime import UTC, datetime
from typing import Final
from uuid import UUID, uuid5

from alerts.incident import Incident, worst_of
from models.escalation import TargetSpec
from models.incidents import IncidentMember, IncidentTold
from models.notifications import Fact, Kind, Notification, NotifyReason, Side, Target
from models.receivers import Receiver

__all__ = ["FALLBACK", "REASSIGNED", "page", "target_of", "to_all"]

FALLBACK: Final = -1
REASSIGNED: Final = -2
"""Steps that are none of the policy's."""

_TEXT_MAX: Final = 200
_LISTED: Final = 5
"""Further alerts that the table of a page names."""


Where = tuple[Target, Receiver, Side, str | None]
"""Who is told, where, on whose side, and what was answered there before."""


def page(
    incident: Incident,
    kind: Kind,
    reason: NotifyReason,
    where: Where,
    at_ms: int,
    *,
    late: bool = False,
    step: int | None = None,
) -> Notification:
    """Something to be sent; `processed_at` is the time it was decided for until its commit is known."""
    target, receiver, side, receipt = where
    step = (incident.step or 0) if step is None else step
    worst, count = worst_of(incident), len(incident.open)
    said = [incident.epoch, incident.loop, step, target.kind, target.id, receiver.id, kind, *([at_ms] if kind == "update" else [])]
    client = side == "client"
    return Notification(
        id=str(uuid5(UUID(incident.id), "/".join(map(str, said)))),
        incident=incident.id,
        partner=incident.partner,
        epoch=incident.epoch,
        loop=incident.loop,
        step=step,
        kind=kind,
        reason=reason,
        target=target,
        receiver=receiver,
        receipt=receipt,
        side=side,
        severity=(incident.severity or worst.severity).value,
        text=_text(worst, count),
        facts=tuple(_facts(incident, worst)),
        members=count,
        # Rules are the client's, for all its partners: what stands in their texts may name another one, or money.
        runbook=worst.runbook if client else None,
        suggested_action=worst.suggested_action if client else None,
        labels={**incident.labels, "rule": worst.rule, "scope": worst.scope},
        opened_at=incident.opened_ms,
        ended_at=incident.ended_ms,
        late=late,
        processed_at=at_ms,
    )


def to_all(incident: Incident, kind: Kind, reason: NotifyReason, at_ms: int, but: frozenset[str] = frozenset()) -> tuple[Notification, ...]:
    """The same to every receiver that was told, but for those of these ids."""
    return tuple(page(incident, kind, reason, _where(each), at_ms) for each in incident.told if each.receiver.id not in but)


def target_of(spec: TargetSpec, person: str | None) -> Target:
    """What a step names, and whom that means now."""
    ((kind, identity),) = spec.model_dump(exclude_none=True).items()
    return Target(kind=kind, id=identity, person=person)


def _where(told: IncidentTold) -> Where:
    return told.target, told.receiver, told.side, told.receipt


def _text(worst: IncidentMember, count: int) -> str:
    more = f" (+{count - 1} more)" if count > 1 else ""
    room = _TEXT_MAX - len(more)
    text = worst.text if len(worst.text) <= room else worst.text[: room - 1].rstrip() + "…"
    return text + more


def _facts(incident: Incident, worst: IncidentMember) -> list[Fact]:
    """The rows of a page's table: what its text leaves out."""
    listed = [Fact(name="severity", value=worst.severity.value), Fact(name="since", value=_clock(incident.opened_ms))]
    others = [each for each in incident.open if each.fingerprint != worst.fingerprint]
    listed += [Fact(name=f"{each.rule} {each.scope}", value=each.text) for each in others[:_LISTED]]
    if len(others) > _LISTED:
        listed.append(Fact(name="and", value=f"{len(others) - _LISTED} more"))
    return listed


def _clock(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
