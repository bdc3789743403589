"""The notifier's metrics."""

from typing import Final

from streams.health.catalogue import Catalogue

__all__ = ["NotifierMetrics"]

_SECONDS: Final = (0.5, 1, 2, 5, 10, 30, 60, 120, 300, 900, 1800)


class NotifierMetrics:
    """Of one notifier, which moves them as it goes."""

    def __init__(self) -> None:
        self.catalogue = made = Catalogue("notifier")
        self.done = made.counter("outwatch_notify_done", "Notifications by type of receiver and outcome.", "type", "outcome")
        self.failed = made.counter("outwatch_notify_failed_rounds", "Rounds of tries that failed and will be repeated.", "type")
        self.age = made.histogram("outwatch_notify_age_seconds", "From the commit of a page to its receiver having taken it.", _SECONDS)
        self.unfinished = made.gauge("outwatch_notify_unfinished", "Notifications that were read and are not done with.")
        self.parked = made.gauge("outwatch_notify_parked", "Of these, lines that wait for a digest.")
        self.oldest = made.gauge("outwatch_notify_oldest_seconds", "How long ago the oldest of these was committed; 0 where there is none.")
        self.dropped = made.counter("outwatch_notify_dropped", "Notifications given up since too many were unfinished.")
        self.unreadable = made.counter("outwatch_notify_unreadable", "Records of our own topics that made no sense, and were left out.")
        self.redis = made.counter("outwatch_notify_redis_failures", "Questions that Redis did not answer; pages are sent all the same.")
        self.paces = made.counter("outwatch_notify_paces_dropped", "Receivers whose pace was forgotten for the limit of 1,000.")
        self.kafka = made.counter("outwatch_notify_kafka_failures", "Steps that failed because Kafka did not answer.")
        self.callbacks = made.counter(
            "outwatch_notify_callbacks", "What pagers and chats called back, by source and outcome.", "source", "outcome"
        )
        self.reconciled = made.counter(
            "outwatch_notify_reconciled", "Alerts that were missing at an Alertmanager, or ended there; and looks that failed.", "outcome"
        )
        self.absorbed = made.counter("outwatch_notify_absorbed", "Incidents that a storm took in, or handed on.")
