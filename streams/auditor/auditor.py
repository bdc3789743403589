"""The auditor's loop: look, judge, ping while all holds, alarm while it does not; none of it waits for a broker that is away."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import Final

import structlog
from aiokafka.errors import KafkaError

from alerts.audit.alarm import Alarm, Bell, Ring
from alerts.audit.breach import AuditReason, Breach, Terms
from alerts.audit.look import breaches
from alerts.audit.page import by_reason, page
from alerts.audit.seen import Seen
from alerts.notify.render import secrets_of
from models import clock, policy_file
from models.receivers import Receiver
from models.settings import Settings
from streams.auditor.ping import Ping
from streams.auditor.source import AnewError, Source
from streams.errors import TopicsError
from streams.health.auditor_metrics import AuditorMetrics
from streams.health.readiness import Note, Noted, Obstacle, Unready
from streams.health.server import endpoints
from streams.notifier.secrets import MissingSecretError, SecretsFolder
from streams.notifier.sender import Sender
from streams.signals import stop_on_signals, wait_or_stop

__all__ = ["Auditor", "audit_once", "receivers_of", "run_auditor"]

LOOK_SECONDS: Final = 5.0
CONNECT_SECONDS_MAX: Final = 20.0
CLOSE_SECONDS_MAX: Final = 5.0
ONCE_SECONDS_MAX: Final = 60.0
"""For one look at topics that hold much."""

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


async def audit_once(settings: Settings, terms: Terms, again_seconds: float = LOOK_SECONDS) -> tuple[Breach, ...]:
    """What does not hold now; found twice, since what one commit writes is not seen at one moment in all partitions.

    Raises:
        CertificateError: if a certificate or a key cannot be read.
    """
    watch = _Watch(settings, started_ms=0)
    try:
        found = await _found(watch, settings, terms)
        if not found or any(each.reason is AuditReason.BLIND for each in found):
            return found
        await asyncio.sleep(again_seconds)
        again = await _found(watch, settings, terms)
        kept = {each.key for each in found}
        return tuple(each for each in again if each.key in kept or each.reason is AuditReason.BLIND)
    finally:
        await watch.close()


async def _found(watch: "_Watch", settings: Settings, terms: Terms) -> tuple[Breach, ...]:
    deadline = monotonic() + ONCE_SECONDS_MAX
    while not await watch.look(clock.now_ms()) and watch.reads and monotonic() < deadline:
        pass
    return tuple(breaches(watch.seen, settings.partitions, clock.now_ms(), terms))


def receivers_of(path: Path | None) -> tuple[Receiver, ...]:
    """Who is told of an alarm: the client's own receivers of a policy file, which needs to hold nothing else.

    Raises:
        FileError: if the file does not hold.
    """
    if path is None:
        return ()
    return tuple(each for each in policy_file.load(path.read_text(encoding="utf-8"), str(path)).receivers if each.partner is None)


class _Watch:
    """What is seen, and the connection by which; made anew where it cannot be gone on with."""

    def __init__(self, settings: Settings, started_ms: int) -> None:
        self._settings = settings
        self._source: Source | None = None
        self.seen = Seen(started_ms)
        self.records = 0
        self.unreadable = 0

    @property
    def reads(self) -> bool:
        """Whether there is a connection."""
        return self._source is not None

    async def look(self, now_ms: int) -> bool:
        """Bring `seen` up to now; False with the obstacle said where that is not reached."""
        try:
            source = await self._connected(now_ms)
            try:
                await source.look(now_ms)
            finally:
                self.records += source.records
                self.unreadable += source.unreadable
                source.records = source.unreadable = 0
        except (KafkaError, TopicsError, TimeoutError, OSError) as error:
            kind, text = type(error).__name__, str(error).partition("\n")[0]
            # aiokafka's errors begin with their name.
            why = text if text.startswith(kind) else f"{kind}: {text}" if text else kind
            if isinstance(error, AnewError):
                await self.close()
            if why != self.seen.obstacle:
                _log.warning("cannot see", why=why)
            self.seen.obstacle = why
            return False
        return True

    async def _connected(self, now_ms: int) -> Source:
        if self._source is None:
            # What was deleted while nobody read may have left no trace: everything is read anew.
            former, self.seen = self.seen, Seen(self.seen.started_ms)
            self.seen.obstacle = former.obstacle
            source = Source(self._settings, self.seen)
            async with asyncio.timeout(CONNECT_SECONDS_MAX):
                await source.__aenter__()
            self._source = source
            try:
                await source.begin(now_ms)
            except BaseException:
                await self.close()
                raise
        return self._source

    async def close(self) -> None:
        """Disconnect."""
        source, self._source = self._source, None
        if source is not None:
            with suppress(KafkaError, TimeoutError, OSError):
                async with asyncio.timeout(CLOSE_SECONDS_MAX):
                    await source.__aexit__(None, None, None)


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
        self._watch = _Watch(settings, now_ms())
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
