"""The external heartbeat: a dead man's switch elsewhere, which alarms when the pings stop."""

from alerts.notify.request import Verdict
from models.settings import Settings
from streams.notifier.sender import Sender

__all__ = ["Ping"]


class Ping:
    """At its interval while it is asked to; nothing where no address is set."""

    def __init__(self, settings: Settings, sender: Sender) -> None:
        self._settings = settings
        self._sender = sender
        self._sent_ms: int | None = None

    def due(self, now_ms: int) -> bool:
        """Whether one is due."""
        waits_ms = round(self._settings.audit_ping_seconds * 1000)
        return self._settings.audit_ping_url is not None and (self._sent_ms is None or now_ms - self._sent_ms >= waits_ms)

    async def send(self, now_ms: int) -> Verdict:
        """Send one; one that fails is repeated with the next look."""
        assert self._settings.audit_ping_url is not None, "it is due"
        verdict = await self._sender.ask(self._settings.audit_ping_method, self._settings.audit_ping_url.get_secret_value())
        if verdict.kind == "sent":
            self._sent_ms = now_ms
        return verdict
