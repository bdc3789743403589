"""What an Alertmanager is told each minute of incidents that are open. Pure.

It is made of the incident's own record, so that a notifier that was away, or an Alertmanager that forgot, is put right within a minute.
"""

from collections.abc import Iterator
from typing import Final
from uuid import UUID, uuid5

from models.incidents import IncidentState
from models.notifications import Notification, NotifyReason
from models.receivers import AlertmanagerReceiver

__all__ = ["standing"]

_NAMES: Final = UUID("0e0a5a44-94f1-4d4b-9a10-6a9d5b9f2c77")


def standing(state: IncidentState, now_ms: int, *, sent: bool = True) -> Iterator[Notification]:
    """An update of each Alertmanager that was told, or is being told if `sent` may be false."""
    worst = next((member for member in state.members if member.open and member.text == state.text), None)
    if worst is None:
        return
    for told in state.told:
        if not isinstance(told.receiver, AlertmanagerReceiver) or (sent and told.outcome is None):
            continue  # Its first page is on its way still.
        yield Notification(
            id=str(uuid5(_NAMES, f"{state.id}/{told.receiver.id}/{now_ms}")),
            incident=state.id,
            partner=state.partner,
            epoch=state.epoch,
            loop=told.loop,
            step=told.step,
            kind="update",
            reason=NotifyReason.CHANGED,
            target=told.target,
            receiver=told.receiver,
            side=told.side,
            severity=state.severity.value,
            text=state.text,
            members=state.open,
            runbook=worst.runbook if told.side == "client" else None,
            suggested_action=worst.suggested_action if told.side == "client" else None,
            # As in a page of it: an alert is known by its labels.
            labels={**state.labels, "rule": worst.rule, "scope": worst.scope},
            opened_at=state.opened_at,
            late=False,
            processed_at=now_ms,
        )
