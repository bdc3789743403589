"""The auditor's loop: look, judge, ping while all holds, alarm while it does not; none of it waits for a broker that is away."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from time import monotonic
from typing import Final

import structlog

from alerts.audit.alarm import Alarm, Bell, Ring
from alerts.audit.breach import AuditReason, Terms
from alerts.audit.look import breaches
from alerts.audit.page import by_reason, page
from alerts.notify.render import secrets_of
from models import clock, policy_file
from models.receivers import Receiver
from models.settings import Settings
from streams.auditor.ping import Ping
from streams.auditor.watch import Watch
from streams.health.auditor_metrics import AuditorMetrics
from streams.health.readiness import Note, Noted, Obstacle, Unready
from streams.health.server import endpoints
from streams.notifier.secrets import MissingSecretError, SecretsFolder
from streams.notifier.sender import Sender
from streams.signals import stop_on_signals, wait_or_stop

__all__ = ["Auditor", "receivers_of", "run_auditor"]

LOOK_SECONDS: Final = 5.0

_log = structlog.stdlib.get_logger("outwatch.auditor")


async def run_auditor(settings: Settings) -> None:
    """Watch until SIGTERM or Ctrl-C, whatever is away.

    Raises:
        FileError: if the file of receivers does not hold.
        CertificateError: if a certificate or a key cannot be read.
    """
    stop = stop_on_signals()
    auditor = Auditor(settings, Terms(clock=settings.clock), clock.now_ms)
    async with endpoints(settings, auditor):
        await auditor.run(stop)


def receivers_of(path: Path | None) -> tuple[Receiver, ...]:
    """Who is told of an alarm: the client's own receivers of a policy file, which needs to hold nothing else.

    Raises:
        FileError: if the file does not hold.
    """
    if path is None:
        return ()
    return tuple(each for each in policy_file.load(path.read_text(encoding="utf-8"), str(path)).receivers if each.partner is None)


class Auditor:
    """Watches one installation.

    Args:
        settings: brokers and topics, whom to ping, whom to tell.
        terms: how long each thing may take.
        now_ms: the wall clock.

    Raises:
        FileError: if the file of receivers does not hold.
    """

    def __init__(self, settings: Settings, terms: Terms, now_ms: Callable[[], int], look_seconds: float = LOOK_SECONDS) -> None:
        self._settings = settings
        self._terms = terms
        self._now_ms = now_ms
        self._look_seconds = look_seconds
        self._watch = Watch(settings, now_ms())
        self._alarm = Alarm(terms)
        self._receivers = receivers_of(settings.audit_receivers)
        self._bells = {each.id: Bell(round(settings.audit_again_minutes * 60_000)) for each in self._receivers}
        self._receipts: dict[str, str] = {}
        self._secrets = SecretsFolder(settings.secrets_dir)
        self._sender = Sender(settings, self._secrets, now_ms)
        self._ping = Ping(settings, self._sender)
        self._metrics = AuditorMetrics()
        self._said: frozenset[AuditReason] = frozenset()

    def obstacles(self) -> Sequence[Obstacle]:
        """Why it cannot be relied on itself."""
        blind = [each for each in self._alarm.found if each.reason is AuditReason.BLIND]
        if self._watch.seen.looked_ms is None and not blind:
            return [Obstacle(Unready.BLIND, "the topics are read for the first time")]
        return [Obstacle(Unready.BLIND, each.detail) for each in blind]

    def notes(self) -> Sequence[Note]:
        """What fails, and which receiver could not be told."""
        told = by_reason(self._alarm.failing).items()
        fails = [Note(Noted.AUDIT_FAILS, f"{reason}: {len(found)}, such as {found[0].what}: {found[0].detail}") for reason, found in told]
        return [*fails, *(Note(Noted.NO_SECRET, why) for why in self._secrets.missing.values())]

    def metrics(self) -> bytes:
        """Its metrics now."""
        seen = self._watch.seen
        return self._metrics.text(self._alarm, seen.looked_ms, sum(each.exhausted for each in seen.incidents.values()), seen.dropped)

    async def run(self, stop: asyncio.Event) -> None:
        """Watch until `stop`."""
        if not self._receivers:
            _log.warning("nobody is told: OUTWATCH_AUDIT_RECEIVERS names nobody")
        for receiver in self._receivers:
            # What is missing is better said now than when it is needed.
            try:
                self._secrets.read(secrets_of(receiver))
            except MissingSecretError as error:
                _log.error("cannot be told", receiver=receiver.id, why=str(error))
        async with self._sender:
            try:
                while not stop.is_set():
                    began = monotonic()
                    await self._step()
                    await wait_or_stop(stop, max(0.0, self._look_seconds - (monotonic() - began)))
            finally:
                await self._watch.close()

    async def _step(self) -> None:
        seen_all = await self._watch.look(self._now_ms())
        now_ms, alarm = self._now_ms(), self._alarm
        alarm.look(breaches(self._watch.seen, self._settings.partitions, now_ms, self._terms), now_ms)
        self._metrics.looked(seen_all, self._watch.records, self._watch.unreadable)
        self._watch.records = self._watch.unreadable = 0
        self._say()
        await asyncio.gather(*(self._tell(each, now_ms) for each in self._receivers), self._send_ping(now_ms, seen_all=seen_all))

    def _say(self) -> None:
        reasons = frozenset(each.reason for each in self._alarm.failing)
        for reason, found in by_reason(self._alarm.failing).items():
            if reason not in self._said:
                _log.error("fails", reason=reason, count=len(found), what=found[0].what, detail=found[0].detail)
        for reason in sorted(self._said - reasons):
            _log.info("holds again", reason=reason)
        self._said = reasons

    async def _send_ping(self, now_ms: int, *, seen_all: bool) -> None:
        # What was found and is merely on its way, as far as is known, is no reason to ping: the switch waits for longer than that takes.
        if self._alarm.found or not seen_all or not self._ping.due(now_ms):
            return
        verdict = await self._ping.send(now_ms)
        self._metrics.pinged(taken=verdict.kind == "sent")
        if verdict.kind != "sent":
            _log.warning("the ping was not taken", why=verdict.detail)

    async def _tell(self, receiver: Receiver, now_ms: int) -> None:
        bell = self._bells[receiver.id]
        ring = bell.due(self._alarm, now_ms)
        if ring is None:
            return
        began_ms = next(each for each in (bell.began_ms, self._alarm.began_ms) if each is not None)
        notification = page(self._alarm, ring, began_ms, receiver, f"{self._settings.topic_prefix}{self._settings.app_id}", now_ms)
        verdict = await self._sender.deliver(notification, self._receipts.get(receiver.id), _nothing)
        taken = verdict.kind == "sent"
        bell.rang(ring, self._alarm, self._now_ms(), taken=taken)
        self._metrics.told(ring, taken=taken)
        (_log.info if taken else _log.error)("alarm", ring=ring, receiver=receiver.id, taken=taken, answer=verdict.detail)
        if ring is Ring.ENDS and taken:
            self._receipts.pop(receiver.id, None)
        elif verdict.receipt is not None:
            self._receipts.setdefault(receiver.id, verdict.receipt)


async def _nothing() -> None:
    """Nobody else sends what the auditor does."""
