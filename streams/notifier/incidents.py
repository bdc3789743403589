"""Incidents as `outwatch.incidents` tells them, all partitions: which page is stale, who was told, where a call-back belongs. Pure."""

from collections.abc import Iterator

from pydantic import ValidationError

from models.incidents import IncidentState, IncidentTold
from models.notifications import Notification
from streams.notifier.verdicts import Known

__all__ = ["Incidents"]


class Incidents:
    """By id; of one that ended only what still tells a stale page. Tombstones bound it."""

    def __init__(self) -> None:
        self._open: dict[str, IncidentState] = {}
        self._known: dict[str, Known] = {}
        self._partners: dict[str, str] = {}

    def put(self, key: bytes, value: bytes | None) -> bool:
        """Take a record, of which None is a tombstone; False if it makes no sense, which changes nothing."""
        identity = key.decode(errors="replace")
        if value is None:
            for held in (self._open, self._known, self._partners):
                held.pop(identity, None)
            return True
        try:
            state = IncidentState.model_validate_json(value, extra="ignore")
        except ValidationError:
            return False
        self._partners[identity] = state.partner
        self._know(identity, Known(state.epoch, state.ended_at is None))
        if self._known[identity].open:
            self._open[identity] = state
        return True

    def saw(self, notification: Notification) -> None:
        """Take what an intent tells of an incident that is known; of another it cannot say whether that is open, nor when to forget it."""
        if notification.incident in self._known:
            self._know(notification.incident, Known(notification.epoch, notification.kind != "resolve"))

    def _know(self, identity: str, said: Known) -> None:
        former = self._known.get(identity, said)
        # What ended never opens again under the same id.
        self._known[identity] = known = Known(max(former.epoch, said.epoch), former.open and said.open)
        if not known.open:
            self._open.pop(identity, None)

    def known(self, identity: str) -> Known | None:
        """How an incident stands; None where nothing is known."""
        return self._known.get(identity)

    def is_over(self, identity: str) -> bool:
        """Whether an incident is known to have ended."""
        known = self._known.get(identity)
        return known is not None and not known.open

    def partner(self, identity: str) -> str | None:
        """Whose incident it is."""
        return self._partners.get(identity)

    def told(self, notification: Notification) -> IncidentTold | None:
        """What the incident remembers of this page, if it is the last that went to its receiver."""
        state = self._open.get(notification.incident)
        return next((each for each in state.told if each.notification == notification.id), None) if state is not None else None

    def open(self) -> Iterator[IncidentState]:
        """Those that are open."""
        return iter(self._open.values())
