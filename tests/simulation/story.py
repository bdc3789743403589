"""A story: a few contacts of one to three partners, with all that goes wrong in sources, and what must become of each record."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import Any, NamedTuple

import orjson
from aiokafka import TopicPartition

from models.decode import MAX_EVENT_BYTES
from models.policy import PartnerPart, SharedPart
from models.reasons import RejectReason
from models.topics import Topics, partition_of
from tests.engines import event, partner_part, rule, shared_part
from tests.oracle import Oracle, Rule
from tests.simulation.kafka import SimRecord

__all__ = ["CONFIGURED", "END_MS", "PARTITIONS", "PARTS", "START_MS", "Clock", "Story"]

TOPICS = Topics()
PARTITIONS = 2
MIDNIGHT_MS = 1_772_496_000_000
START_MS = MIDNIGHT_MS - 60_000
"""A day ends a minute into the story."""
SPAN_MS = 200_000
END_MS = START_MS + 420_000
"""Nothing comes in the second half: what was bad leaves the windows, and alerts resolve."""
TROUBLE_MS = (30_000, 90_000)
EXPIRY_MS = 120_000
CONFIGURED = ("acme", "boreal")
"""In partition 0 and 1; `cascade` lies in 0, and no policy names it."""
_CASTS = (("acme",), ("acme", "boreal"), ("acme", "cascade"), ("boreal", "cascade"), ("acme", "boreal", "cascade"))
_QUEUES = (("billing", "voice"), ("care", "chat"))

RULES = (
    Rule("service_level_low", "service_level", 300_000, False, "warning", 1.645, -1, 0.80, 0.83, 20_000, 20_000, 3),
    Rule("service_level_nervous", "service_level", 300_000, False, "warning", 1.645, -1, 0.60, 0.70, 10_000, 10_000, 1),
    Rule("abandons_high", "abandon_rate", 300_000, True, "critical", 2.326, 1, 0.10, 0.08, 10_000, 20_000, 2),
)


def _spec(each: Rule) -> Any:
    levels = [{"severity": each.severity, "enter": each.enter, "exit": each.exit, "for": each.for_ms / 1000}]
    return rule(
        id=each.id,
        kpi=each.kpi,
        direction="below" if each.sign < 0 else "above",
        levels=levels,
        scopes=["partner/queue" if each.by_queue else "partner"],
        recover_for=each.recover_ms / 1000,
        min_samples=each.min_samples,
    )


PARTS: tuple[SharedPart | PartnerPart, ...] = (
    shared_part(*map(_spec, RULES), contact_expiry_seconds=EXPIRY_MS / 1000),
    *(partner_part(name, queues={"care": {"service_level": {"threshold_seconds": 40}}}) for name in CONFIGURED),
)


class Clock(StrEnum):
    """What moves the frontier."""

    LOG = "log"
    BROKER = "broker"


class Sent(NamedTuple):
    """A record, and what must become of it."""

    at_ms: int
    topic: str
    number: int
    key: bytes | None
    value: bytes | None
    reason: RejectReason | None = None
    """Why it is a dead letter; None where it is read."""


class Placed(NamedTuple):
    """A place in a log: a record, or a gap."""

    at_ms: int
    tp: TopicPartition
    record: SimRecord | None
    reason: RejectReason | None = None


@dataclass
class Story:
    """Drawn from a seed."""

    random: Random
    clock: Clock
    gaps: bool
    """Whether markers and aborted transactions lie between the records."""

    def __post_init__(self) -> None:
        self._numbers = 0
        self._sent: list[Sent] = []
        partners = self.random.choice(_CASTS)
        for partner in partners:
            # Before the first of them no close is worth remembering, and what follows may be overtaken by its close.
            self._event("contact.queued", START_MS, partner, prompt=True, at_once=True, contact_id="first", queue="care", channel="chat")
        for _ in range(self.random.randint(6, 24)):
            self._contact(START_MS + self.random.randrange(SPAN_MS), self.random.choice(partners))
        for _ in range(self.random.choice((0, 1, 3))):
            self._poison(START_MS + self.random.randrange(SPAN_MS), self.random.choice(partners))

    def _event(self, kind: str, at_ms: int, partner: str, *, prompt: bool = False, at_once: bool = False, **fields: Any) -> None:
        """An event; what alerts depend on comes within the settle time, the rest sometimes minutes late, and all of it sometimes twice."""
        random = self.random
        self._numbers += 1
        topic = TOPICS.surveys if kind.startswith("survey.") else TOPICS.interactions
        late_ms = 45_000 if not prompt and random.random() < 0.1 else 4_900
        arrives_ms = at_ms if at_once else at_ms + int(random.random() ** 2 * late_ms)
        if not prompt and kind != "contact.left" and random.random() < 0.08:
            at_ms -= random.choice((3_600_000, 10_800_000, 40 * 86_400_000))
        body = event(kind, at_ms, f"e{self._numbers}", partner=partner, **fields)
        sent = Sent(arrives_ms, topic, partition_of(partner, PARTITIONS), partner.encode(), orjson.dumps(body))
        self._sent.append(sent)
        if random.random() < 0.1:
            self._sent.append(sent._replace(at_ms=arrives_ms + int(random.random() * 60_000)))

    def _contact(self, at_ms: int, partner: str) -> None:
        random = self.random
        queue, channel = random.choice(_QUEUES)
        about: dict[str, Any] = {"contact_id": f"c{self._numbers}", "queue": queue, "channel": channel}
        begin, end = TROUBLE_MS
        bad = begin <= at_ms - START_MS < end
        wait_ms, fate = random.randint(25_000, 60_000) if bad else random.randint(0, 15_000), random.random()
        if fate < 0.8:
            self._event("contact.queued", at_ms, partner, prompt=True, **about)
        if fate < 0.1:
            return  # It never closes.
        if fate < 0.2:
            self._event("contact.left", at_ms + wait_ms, partner, **about, outcome="callback")
        elif fate < (0.5 if bad else 0.25):
            self._event("contact.abandoned", at_ms + wait_ms, partner, prompt=True, **about, wait_seconds=wait_ms / 1000)
        else:
            self._event("contact.answered", at_ms + wait_ms, partner, prompt=True, **about, wait_seconds=wait_ms / 1000)
            if fate < 0.85:
                says: dict[str, Any] = {"transferred": fate < 0.6, "escalated": fate < 0.55, "resolved": random.choice((True, False, None))}
                length: dict[str, Any] = {"talk_seconds": 10.0, "hold_seconds": float(random.randrange(3)), "wrap_seconds": 5.5}
                self._event("contact.completed", at_ms + wait_ms + 17_000, partner, **about, **length, **says)
            if fate < 0.45:
                self._event("survey.response", at_ms + wait_ms + 20_000, partner, **about, survey="csat", score=random.randint(1, 5))

    def _poison(self, at_ms: int, partner: str) -> None:
        """A record that cannot count: in bytes, in shape, in time, in its place, or through us."""
        self._numbers += 1
        body = event("contact.left", at_ms, f"e{self._numbers}", partner=partner, queue="care", channel="chat")
        key, say = partner.encode(), orjson.dumps
        wrong: list[tuple[RejectReason, bytes | None, bytes | None]] = [
            (RejectReason.NULL, key, None),
            (RejectReason.UTF8, key, b"\xff\xfe{}"),
            (RejectReason.JSON, key, b'{"type": "contact.aban'),
            (RejectReason.JSON, key, b"[" * 400),
            (RejectReason.TYPE, key, say(body | {"type": "contact.teleported"})),
            (RejectReason.INVALID, key, say(body | {"queue": 7})),
            (RejectReason.TIME, key, say(body | {"occurred_at": at_ms // 1000})),
            (RejectReason.TIME, key, say(body | {"occurred_at": 0})),
            (RejectReason.TIME, key, say(body | {"occurred_at": -at_ms})),
            (RejectReason.NO_KEY, None, say(body)),
            (RejectReason.MISROUTED, b"somebody", say(body)),
            (RejectReason.BUG, key, say(body | {"segment": "bug"})),
        ]
        if self.clock is Clock.BROKER:
            wrong += [
                (RejectReason.FUTURE, key, say(body | {"occurred_at": at_ms + 3_600_000})),
                (RejectReason.FUTURE, key, say(body | {"occurred_at": at_ms + 86_400_000})),
                (RejectReason.CLOCK, None, say({"type": "clock.advanced", "to": at_ms + 86_400_000})),
            ]
        if self.random.random() < 0.03:
            wrong = [(RejectReason.TOO_LARGE, key, b" " * (MAX_EVENT_BYTES + 1))]
        reason, key_of, value = self.random.choice(wrong)
        topic = self.random.choice((TOPICS.interactions, TOPICS.surveys))
        self._sent.append(Sent(at_ms, topic, partition_of(partner, PARTITIONS), key_of, value, reason))

    def _clocks(self) -> Iterator[Sent]:
        topics = (TOPICS.interactions, TOPICS.surveys)
        at_ms = START_MS
        while at_ms < END_MS:
            at_ms = min(END_MS, at_ms + 10_000 * self.random.randint(1, 6))
            clock = orjson.dumps({"type": "clock.advanced", "to": at_ms, "topics": topics})
            yield from (Sent(at_ms, topic, number, None, clock) for number in range(PARTITIONS) for topic in topics)

    def placed(self, ends: dict[TopicPartition, int]) -> list[Placed]:
        """Everything in the order of its arrival, behind what the logs hold already."""
        at, found, draw = dict(ends), list[Placed](), self.random.random
        sent = [*self._sent, *(self._clocks() if self.clock is Clock.LOG else ())]
        # What arrives at a clock's time comes before it: the clock says that all of it was sent.
        for each in sorted(sent, key=lambda one: (one.at_ms, one.key is None and one.reason is None)):
            tp = TopicPartition(each.topic, each.number)
            for _ in range(int(draw() * 3) if self.gaps and draw() < 0.2 else 0):
                found.append(Placed(each.at_ms, tp, None))
                at[tp] = at.get(tp, 0) + 1
            offset = at[tp] = at.get(tp, 0) + 1
            record = SimRecord(each.topic, each.number, offset - 1, each.at_ms, each.key, each.value, [])
            found.append(Placed(each.at_ms, tp, record, each.reason))
        if self.gaps:
            found.append(Placed(END_MS - 1, found[-1].tp, None))
        return found


def consult(placed: list[Placed], numbers: set[int]) -> tuple[Oracle, dict[tuple[str, int, int], RejectReason]]:
    """What the records of these partition numbers come to: the oracle, and the reasons of dead letters."""
    oracle = Oracle(frozenset(CONFIGURED), frozenset(CONFIGURED), START_MS - 36 * 86_400_000, rules=RULES, expiry_ms=EXPIRY_MS)
    oracle.frontier = END_MS
    reasons: dict[tuple[str, int, int], RejectReason] = {}
    for _, tp, record, reason in placed:
        if record is None or tp.partition not in numbers:
            continue
        if reason is None:
            assert record.value is not None
            oracle.feed(tp.topic, tp.partition, record.offset, record.value)
        else:
            reasons[tp.topic, tp.partition, record.offset] = reason
    oracle.dead = set(reasons)
    oracle.counts["produced"] += len(reasons)
    oracle.finish()
    return oracle, reasons
