"""What is asked of incidents by commands, and what the notifier says of its notifications: done in the partition of the partner."""

from typing import Any, Final

from alerts import attention
from alerts.around import Around
from alerts.attention import Doing
from alerts.errors import IncidentError
from alerts.incident import Incident
from models.incident_commands import (
    INCIDENT_ABSORB,
    INCIDENT_ACK,
    INCIDENT_COMMENT,
    INCIDENT_REASSIGN,
    INCIDENT_RESOLVE,
    INCIDENT_SNOOZE,
)
from models.notifications import NotificationResult
from models.operation import Command
from models.windows import GRID_MS
from streams.engine.incidents import directory_of
from streams.engine.state import State

__all__ = ["INCIDENT_COMMANDS", "acknowledge_of", "answer", "ask"]

INCIDENT_COMMANDS: Final = {
    INCIDENT_ACK: "acknowledged",
    INCIDENT_SNOOZE: "snoozed",
    INCIDENT_RESOLVE: "resolved",
    INCIDENT_REASSIGN: "reassigned",
    INCIDENT_COMMENT: "commented",
    INCIDENT_ABSORB: "absorbed",
}
"""By the command's type, what is answered that was done."""


def ask(state: State, command: Command, payload: Any, at_ms: int) -> str:
    """Do what a command asks of an incident.

    Raises:
        IncidentError: if it cannot be done.
    """
    incident = state.incidents.held.get(payload.incident)
    if incident is None or incident.partner != command.partner:
        msg = f"{command.partner} has no incident {payload.incident}"
        raise IncidentError(msg)
    _do(state, incident, _doing(state, command, payload, at_ms))
    return f"{INCIDENT_COMMANDS[command.type]} by {command.actor}"


def acknowledge_of(state: State, command: Command, payload: Any, at_ms: int) -> None:
    """Whoever looks after an alert looks after its incident; who does so for as long already, of another alert of it, tells nobody."""
    for incident in state.incidents.of(command.partner):
        held = incident.held
        if held is not None and (held.by, held.until) == (command.actor, payload.until):
            continue
        if any(each.fingerprint == payload.fingerprint for each in incident.open):
            _do(state, incident, lambda each: attention.acknowledge(each, command.actor, at_ms, payload.until, payload.comment))


def answer(state: State, result: NotificationResult, at_ms: int) -> None:
    """Take what became of a notification; of an incident that is over, or forgotten, nothing follows from it."""
    incident = state.incidents.held.get(result.incident)
    if incident is not None and incident.ended_ms is None:
        _do(state, incident, lambda each: attention.answered(each, result, at_ms))


def _doing(state: State, command: Command, payload: Any, at_ms: int) -> Doing:
    by = command.actor
    match command.type:
        case "incident.ack":
            return lambda each: attention.acknowledge(each, by, at_ms, payload.until, payload.comment)
        case "incident.snooze":
            return lambda each: attention.snooze(each, by, at_ms, payload.until, payload.comment)
        case "incident.resolve":
            return lambda each: attention.resolve(each, by, at_ms, payload.comment)
        case "incident.comment":
            return lambda each: attention.comment(each, by, at_ms, payload.comment)
        case "incident.absorb":
            return lambda each: attention.absorb(each, payload.into, at_ms, payload.until)
        case _:
            partner = state.partners.get(command.partner)
            assert partner is not None, "an open incident has a partner, and one that is over cannot be handed over"
            around = Around(at_ms, directory_of(partner, state.overrides))
            return lambda each: attention.reassign(each, by, payload.to, around, payload.comment)


def _do(state: State, incident: Incident, doing: Doing) -> None:
    step = doing(incident)
    if step[0] is incident:
        return
    partner = state.partners.get(incident.partner)
    state.incidents.put([step], partner)
    due_ms = state.incidents.due_ms(incident.partner)
    if partner is not None and due_ms is not None:
        state.want(partner, max(due_ms, partner.panes.closed_ms + GRID_MS))
