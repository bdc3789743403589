"""The projector's metrics."""

from streams.health.catalogue import Catalogue

__all__ = ["ProjectorMetrics"]


class ProjectorMetrics:
    """Of one projector, which moves them as it goes."""

    def __init__(self) -> None:
        self.catalogue = made = Catalogue("projector")
        self.records = made.counter("outwatch_projector_records", "Records carried into the view.")
        self.unreadable = made.counter("outwatch_projector_unreadable", "Records of our own topics that made no sense, and were left out.")
        self.rebuilds = made.counter("outwatch_projector_rebuilds", "Views begun anew: the first one, and one after each flush of Redis.")
        self.failures = made.counter("outwatch_projector_failures", "Steps that failed because Redis or Kafka did not answer.")
        self.lag = made.gauge(
            "outwatch_projector_lag_records", "Offsets of what is present not in the view yet, as far as the brokers told."
        )
        self.history_left = made.gauge(
            "outwatch_projector_history_left", "Offsets of closed stretches not in the view yet; they come last."
        )
        self.said = made.gauge("outwatch_projector_said_timestamp_seconds", "When the view was last known to be whole; Unix time.")
