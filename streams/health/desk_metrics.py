"""The desk's metrics."""

from streams.health.catalogue import Catalogue

__all__ = ["DeskMetrics"]


class DeskMetrics:
    """Of one desk, which tells what happens; it knows this as `desk.metrics.Metrics`."""

    def __init__(self) -> None:
        self.catalogue = made = Catalogue("desk")
        self._requests = made.counter("outwatch_desk_requests", "Requests that were answered, by route and status.", "route", "status")
        self._refused = made.counter("outwatch_desk_refused", "Requests that were refused; 503 and `bug` are ours.", "reason")
        self._commands = made.counter("outwatch_desk_commands", "Commands that were written, by their type.", "kind")
        self._slow = made.counter("outwatch_desk_viewers_dropped", "Viewers who took a frame for longer than 20 s, and were let go.")
        self._forgotten = made.counter(
            "outwatch_desk_limits_dropped", "Users and addresses of which it was forgotten how often they asked, for the limit of 10,000."
        )
        self._viewers = made.gauge("outwatch_desk_viewers", "Streams that are open.")

    def answered(self, route: str, status: int) -> None:
        """A request was answered."""
        self._requests.labels(route, status).inc()

    def refused(self, reason: str) -> None:
        """A request was refused."""
        self._refused.labels(reason).inc()

    def commanded(self, command: str) -> None:
        """A command was written."""
        self._commands.labels(command).inc()

    def viewers(self, number: int) -> None:
        """So many streams are open."""
        self._viewers.set(number)

    def forgotten(self) -> None:
        """Of a user or an address it was forgotten how often it asked."""
        self._forgotten.inc()

    def slow(self) -> None:
        """A viewer was let go."""
        self._slow.inc()
