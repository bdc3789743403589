"""The auditor's metrics."""

from alerts.audit.alarm import Alarm, Ring
from alerts.audit.breach import AuditReason
from streams.health.catalogue import Catalogue

__all__ = ["AuditorMetrics"]


class AuditorMetrics:
    """Of one auditor, which moves them as it goes."""

    def __init__(self) -> None:
        self.catalogue = made = Catalogue("auditor")
        self._looks = made.counter("outwatch_audit_looks", "Looks at all topics, read to their end or not.", "kind")
        self._looked = made.gauge("outwatch_audit_looked_timestamp_seconds", "When all topics were last read to their end; Unix time.")
        self._records = made.counter("outwatch_audit_records", "Records read.")
        self._unreadable = made.counter("outwatch_audit_unreadable", "Records of our own topics that made no sense, and were left out.")
        self._dropped = made.gauge("outwatch_audit_dropped", "What found no room of alerts, incidents, pages and results, over the limit.")
        self._failing = made.gauge("outwatch_audit_failing", "What does not hold for longer than it may, by reason.", "reason")
        self._alarm = made.gauge("outwatch_audit_alarm", "1 while there is an alarm.")
        self._exhausted = made.gauge("outwatch_audit_exhausted_incidents", "Open incidents of which all were told, and nobody answered.")
        self._pings = made.counter("outwatch_audit_pings", "External heartbeats, sent or failed.", "kind")
        self._told = made.counter("outwatch_audit_told", "Alarms that a receiver took, by what they tell; or failed.", "kind")

    def looked(self, seen_all: bool, records: int, unreadable: int) -> None:  # noqa: FBT001 - what the look came to
        """A look is through."""
        self._looks.labels("whole" if seen_all else "blind").inc()
        self._records.inc(records)
        self._unreadable.inc(unreadable)

    def pinged(self, *, taken: bool) -> None:
        """An external heartbeat was sent."""
        self._pings.labels("sent" if taken else "failed").inc()

    def told(self, ring: Ring, *, taken: bool) -> None:
        """A receiver was told."""
        self._told.labels(str(ring) if taken else "failed").inc()

    def text(self, alarm: Alarm, looked_ms: int | None, exhausted: int, dropped: int) -> bytes:
        """All metrics now."""
        for reason in AuditReason:
            self._failing.labels(str(reason)).set(sum(each.reason is reason for each in alarm.failing))
        self._looked.set((looked_ms or 0) / 1000)
        self._alarm.set(alarm.began_ms is not None)
        self._exhausted.set(exhausted)
        self._dropped.set(dropped)
        return self.catalogue.text()
