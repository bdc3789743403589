"""Whoever looks after an incident looks after its alerts: that stands beside each of them for as long as it is so."""

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from alerts.aside import NOTHING, Aside
from alerts.incident import Incident
from models.incidents import Attention, IncidentHeld
from models.records import Ack
from models.windows import Scope
from streams.engine.partner import Partner

__all__ = ["Beside", "attend"]


class Beside(NamedTuple):
    """A condition beside which something else stands now."""

    partner: Partner
    rule_id: str
    scope: Scope
    former: Aside
    """What stood there before."""


def attend(partner: Partner, before: Incident | None, after: Incident) -> Iterator[Beside]:
    """Say beside the open alerts of an incident who looks after it now; what is over says nothing of what its alerts still are."""
    held = _acked(after)
    if after.ended_ms is not None or (held is None and (before is None or _acked(before) is None)):
        return
    if held is not None and held.until is not None and held.until <= partner.panes.closed_ms:
        return  # It is over beside the alerts already; in a past that is caught up on the incident follows later.
    for member in after.open:
        key = member.rule, Scope.parse(member.scope)
        former = partner.asides.get(key, NOTHING)
        ack = former.ack
        if held is None:
            ack = None
        elif ack is None or (ack.actor, ack.until) != (held.by, held.until):
            ack = Ack(actor=held.by, at=held.at, until=held.until, comment=None)
        if ack != former.ack and key in partner.conditions:
            partner.asides[key] = replace(former, ack=ack)
            yield Beside(partner, *key, former)


def _acked(incident: Incident) -> IncidentHeld | None:
    return incident.held if incident.held is not None and incident.held.what is Attention.ACKED else None
