"""One intent from the topic to its receiver, and what became of it to the engine."""

import asyncio
from collections.abc import Callable
from typing import Final

import structlog

from alerts.notify.request import Verdict
from models.errors import OutwatchError
from models.notifications import Notification, Outcome
from streams.health.notifier_metrics import NotifierMetrics
from streams.notifier.digests import Digest, Digests, Pages, page_of
from streams.notifier.incidents import Incidents
from streams.notifier.lanes import Intent, Lanes
from streams.notifier.leases import Lease, Leases, Taken
from streams.notifier.results import Commands, result_of
from streams.notifier.sender import Sender
from streams.notifier.verdicts import Course, course, wait_ms

__all__ = ["Delivery"]

_OTHERS_MS: Final = 1_000
"""How soon to look again at what another notifier is sending."""


class LeavingError(OutwatchError):
    """Raised between two tries when the partition is about to be another notifier's, which sends the page."""


_log = structlog.stdlib.get_logger("outwatch.notifier")

_OUTCOMES: Final = {Course.STALE: Outcome.STALE, Course.EXPIRED: Outcome.EXPIRED}
_BEFORE: Final = "told before"
_WHY: Final = {Course.STALE: "the incident had moved on", Course.EXPIRED: "it could not be delivered in its time"}


class Delivery:
    """Carries intents, one at a time of each lane; `awake` says whether we can be sure that they are ours."""

    def __init__(
        self,
        lanes: Lanes,
        incidents: Incidents,
        leases: Leases,
        sender: Sender,
        commands: Commands,
        metrics: NotifierMetrics,
        now_ms: Callable[[], int],
        *,
        awake: Callable[[], bool],
    ) -> None:
        self._lanes = lanes
        self._incidents = incidents
        self._leases = leases
        self._sender = sender
        self._commands = commands
        self._metrics = metrics
        self._now_ms = now_ms
        self._awake = awake
        self._pages = Pages()
        self.digests = Digests()

    async def carry(self, intent: Intent) -> None:
        """Send an intent, or find out why it need not be; it is finished, parked or to be tried again afterwards."""
        notification, now_ms = intent.notification, self._now_ms()
        told = self._incidents.told(notification)
        if told is not None and told.outcome is not None:
            # The incident itself knows what became of it: only our offset was lost.
            self._lanes.finish(intent)
            return
        to_do = course(notification, self._incidents.known(notification.incident), intent.tried_ms, now_ms)
        if to_do in _OUTCOMES:
            await self._pass_over(intent, to_do)
        elif to_do is Course.DIGEST or not await self._may_page(notification, now_ms):
            self._lanes.park(intent)
            self.digests.add(intent, now_ms)
        else:
            await self._send(intent)

    async def _pass_over(self, intent: Intent, why: Course) -> None:
        identity = intent.notification.id
        taken = await self._leases.take(identity)
        if taken.outcome is not None:
            # It went out before we, or another, ended: nothing else is said of it now.
            await self.done(intent, taken.outcome, _BEFORE, taken.receipt)
            return
        # Also for one who was frozen, and knows less than we do: it must not send what we pass over.
        await self._leases.done(identity, _OUTCOMES[why])
        await self.done(intent, _OUTCOMES[why], _WHY[why])

    async def _may_page(self, notification: Notification, now_ms: int) -> bool:
        person = notification.target.person
        if person is None or notification.kind != "trigger":
            return True
        page = page_of(notification)
        admitted = await self._leases.admit(person, page, now_ms)
        return self._pages.admit(person, page, now_ms) if admitted is None else admitted

    async def _send(self, intent: Intent) -> None:
        notification = intent.notification
        taken = await self._leases.take(notification.id) if intent.lasting else Taken(Lease.OURS)
        if taken.outcome is not None:
            await self.done(intent, taken.outcome, _BEFORE, taken.receipt)
            return
        if taken.lease is Lease.OTHERS:
            self._lanes.retry(intent, self._now_ms() + _OTHERS_MS)
            return
        thread = (notification.incident, notification.receiver.id)
        receipt = notification.receipt or await self._leases.thread(thread)
        begun_ms = self._now_ms()
        try:
            verdict = await self._sender.deliver(notification, receipt, lambda: self._go_on(intent))
        except LeavingError:
            await self._leases.release(notification.id)
            self._lanes.retry(intent, self._now_ms() + _OTHERS_MS)
            return
        if verdict.kind == "sent":
            receipt = receipt or verdict.receipt
            await self._keep_mark(intent, receipt, thread)
            await self.done(intent, Outcome.SENT, verdict.detail, receipt)
            return
        if intent.lasting:
            await self._leases.release(notification.id)
        if verdict.kind == "rejected" or not intent.lasting:
            await self.done(intent, Outcome.REJECTED, verdict.detail)
        else:
            self._again(intent, verdict, begun_ms)

    async def _go_on(self, intent: Intent) -> None:
        if self._lanes.leaving(intent) or not self._awake():
            msg = "the partition goes to another notifier, or went while we were frozen"
            raise LeavingError(msg)
        if intent.lasting:
            await self._leases.renew(intent.notification.id)

    async def _keep_mark(self, intent: Intent, receipt: str | None, thread: tuple[str, str]) -> None:
        """Remember that it was sent, before its result: whoever dies between the two, or after them, sends nothing twice."""
        if intent.lasting:
            await self._leases.done(intent.notification.id, Outcome.SENT, receipt, thread)
            self._metrics.age.observe(max(0, self._now_ms() - intent.notification.processed_at) / 1000)

    def _again(self, intent: Intent, verdict: Verdict, begun_ms: int) -> None:
        intent.tries += 1
        intent.tried_ms = intent.tried_ms or begun_ms
        self._metrics.failed.labels(intent.notification.receiver.type).inc()
        wait = wait_ms(intent.tries, verdict.wait_seconds)
        where = {"notification": intent.notification.id, "receiver": intent.notification.receiver.id}
        _log.warning("will be tried again", **where, tries=intent.tries, wait_seconds=wait / 1000, detail=verdict.detail)
        self._lanes.retry(intent, self._now_ms() + wait)

    async def tell(self, digest: Digest) -> None:
        """Send what was held back, in one message."""
        try:
            verdict = await self._sender.deliver(digest.notification, None, _nothing)
        except asyncio.CancelledError:
            verdict = Verdict("again", "cut short")  # We end: what it tells of is unfinished, and read again.
        now_ms = self._now_ms()
        if verdict.kind == "sent":
            self.digests.told(digest, now_ms)
        for intent in digest.intents:
            if not self._lanes.holds(intent):
                continue
            if verdict.kind == "sent":
                await self._leases.done(intent.notification.id, Outcome.DIGESTED)
                await self.done(intent, Outcome.DIGESTED, verdict.detail)
            elif verdict.kind == "rejected":
                await self.done(intent, Outcome.REJECTED, verdict.detail)
            elif now_ms - intent.notification.processed_at > _GIVEN_UP_MS:
                await self.done(intent, Outcome.EXPIRED, verdict.detail)
            else:
                self.digests.add(intent, now_ms)

    async def make_room(self, number: int) -> None:
        """Give up so many of those that fail or, where none does, of those that wait for a digest; the oldest first."""
        given_up: list[Intent] = []
        while len(given_up) < number and (intent := self._lanes.failing()) is not None:
            self._lanes.park(intent)  # So that it is not tried while its end is told.
            given_up.append(intent)
        for intent in given_up or self.digests.give_way(number):
            self._metrics.dropped.inc()
            await self.done(intent, Outcome.EXPIRED, "too many notifications are unfinished")

    async def done(self, intent: Intent, outcome: Outcome, detail: str, receipt: str | None = None) -> None:
        """Say what became of an intent, and be done with it."""
        notification = intent.notification
        if intent.lasting:
            where = {"notification": notification.id, "incident": notification.incident, "receiver": notification.receiver.id}
            log = _log.warning if outcome in {Outcome.REJECTED, Outcome.EXPIRED} else _log.info
            log(outcome.value, **where, partner=notification.partner, what=notification.kind, reason=notification.reason, detail=detail)
            self._metrics.done.labels(notification.receiver.type, outcome.value).inc()
            # Of what the notifier says by itself no incident waits for an answer.
            if intent.place is not None and self._lanes.holds(intent):
                await self._commands.surely(result_of(notification, outcome, detail, receipt, self._now_ms()))
        self._lanes.finish(intent)


_GIVEN_UP_MS: Final = 2 * 3_600_000
"""A digest is tried for so long."""


async def _nothing() -> None:
    return
