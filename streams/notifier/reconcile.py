"""Alertmanagers as they are, held against what is open: what stands there and should not is ended before its time is over.

An alert is known by its labels, so that an incident that gets worse, or whose first alert ends, is another alert there; and an end may
not have arrived. Only alerts are touched whose incident is one of ours, and of a partner whose pages we send. What is missing there is
posted within a minute, as all that is open is (`standing`); it is counted here.
"""

import asyncio
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

import structlog

from alerts.notify.alertmanager import AHEAD_MS, labels_of
from alerts.notify.back.alertmanager import Labels, ended, overdue, read
from models.errors import OutwatchError
from models.incidents import IncidentState
from models.notifications import Notification
from models.receivers import AlertmanagerReceiver
from streams.health.notifier_metrics import NotifierMetrics
from streams.notifier.incidents import Incidents
from streams.notifier.sender import Sender
from streams.notifier.standing import standing

__all__ = ["Reconciler"]

_ALERTMANAGERS_MAX: Final = 100

_log = structlog.stdlib.get_logger("outwatch.notifier")

Place = tuple[str, str | None]
"""The address of an Alertmanager, and the name of its secret."""


class _Asked(NamedTuple):
    receiver: AlertmanagerReceiver
    at_ms: int
    """When something of ours was open there last."""


class Reconciler:
    """Of one notifier.

    Args:
        sender: asks and posts.
        incidents: as they are known.
        idle: whether nothing is on its way of a notification's incident to its receiver.
        is_mine: whether the pages of a partner are ours to send.
        metrics: takes counts.
        now_ms: the wall clock.
    """

    def __init__(
        self,
        sender: Sender,
        incidents: Incidents,
        idle: Callable[[Notification], bool],
        is_mine: Callable[[str], bool],
        metrics: NotifierMetrics,
        now_ms: Callable[[], int],
    ) -> None:
        self._sender = sender
        self._incidents = incidents
        self._idle = idle
        self._is_mine = is_mine
        self._metrics = metrics
        self._now_ms = now_ms
        self._asked: dict[Place, _Asked] = {}

    async def look(self) -> None:
        """Ask every Alertmanager at which something of ours may stand, and end what should not."""
        now_ms = self._now_ms()
        wanted: dict[Place, dict[str, Labels]] = {}
        busy: set[str] = set()
        for state in self._incidents.open():
            for notification in self._of(state, now_ms):
                receiver = notification.receiver
                assert isinstance(receiver, AlertmanagerReceiver), "only these stand"
                place = receiver.url, receiver.bearer
                self._asked[place] = _Asked(receiver, now_ms)
                wanted.setdefault(place, {})[state.id] = labels_of(notification)
                known = self._incidents.known(state.id)
                if not self._idle(notification) or known is None or known.epoch > state.epoch:
                    busy.add(state.id)
        # What ended by itself since is of no use to end.
        kept = [(place, asked) for place, asked in self._asked.items() if asked.at_ms > now_ms - 2 * AHEAD_MS]
        self._asked = dict(kept[-_ALERTMANAGERS_MAX:])
        await asyncio.gather(*(self._reconcile(asked.receiver, wanted.get(place, {}), busy) for place, asked in self._asked.items()))

    def _of(self, state: IncidentState, now_ms: int) -> Iterator[Notification]:
        return standing(state, now_ms, sent=False) if self._is_mine(state.partner) else iter(())

    async def _reconcile(self, receiver: AlertmanagerReceiver, wanted: dict[str, Labels], busy: set[str]) -> None:
        try:
            found = read(await self._sender.at_alertmanager(receiver))
            there = [each.labels for each in found]
            missing = sum(labels not in there for identity, labels in wanted.items() if identity not in busy)
            self._metrics.reconciled.labels("missing").inc(missing)
            over = list(overdue(found, lambda labels: self._may_stand(labels, wanted, busy), self._now_ms()))
            if over:
                await self._sender.at_alertmanager(receiver, ended(over, self._now_ms()))
                self._metrics.reconciled.labels("ended").inc(len(over))
                incidents = sorted({each.labels["incident"] for each in over})
                _log.info("ended at an Alertmanager", receiver=receiver.id, alerts=len(over), incidents=incidents[:20])
        except (OutwatchError, ValueError) as error:
            self._metrics.reconciled.labels("failed").inc()
            _log.warning("an Alertmanager could not be read", receiver=receiver.id, why=str(error)[:200])

    def _may_stand(self, labels: Labels, wanted: dict[str, Labels], busy: set[str]) -> bool:
        """Whether an alert is none of ours, or is as it should be, or may be about to become so."""
        identity = labels.get("incident", "")
        partner = self._incidents.partner(identity)
        if partner is None or not self._is_mine(partner) or identity in busy:
            return True
        if self._incidents.is_over(identity):
            return False
        # An incident that is open, of which nothing should stand here, is not as we know it: its first page is on its way.
        return wanted.get(identity, labels) == labels
