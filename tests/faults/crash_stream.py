"""The stream that the crash test plays: made up from a seed, in the order of its delivery, with the stream's clock between.

Partners `p00` to `p19` take contacts at a steady rate, of which tickets and evaluations come; of some of them it is told what their agents
do, and were to do. Some partners degrade for a while, so that alerts fire and resolve. The dirt:
duplicates, disorder, events that are minutes late, contacts that never close, surveys, records that cannot be read and events past
the ledger. What alerts depend on is never late: the topics are read side by side, and whether an event is in time for a grid point would
depend on which of them was read first.
"""

import heapq
import json
from collections.abc import Iterator
from random import Random
from typing import Any, NamedTuple

__all__ = ["JUDGED", "PARTNERS", "POLICY", "SERVICE_LEVEL_LOW", "SOURCES", "START_MS", "Clock", "Sent", "stream"]

SOURCES = ("cx.interactions", "cx.surveys", "cx.quality", "cx.workforce")
"""The topics that it is written to."""
START_MS = 1_772_495_400_000
"""2026-03-02T23:50Z: a day ends ten minutes into the stream."""
CLOCK_MS = 10_000
PARTNERS = tuple(f"p{number:02d}" for number in range(20))
JUDGED = PARTNERS[:8]
"""Only their contacts are never late."""
_STAFFED = (*PARTNERS[2:6], *PARTNERS[15:18])
"""Whose agents are told of: of some that are judged, of some that are not, and of some in no policy."""
_STATES_EACH = 40
_DEGRADED = {"p00": 6.0, "p01": 8.0}
_LOST = {("p02", "billing"), ("p03", "sales")}
_QUEUES = {"billing": "voice", "sales": "voice", "care": "chat"}
_GAP_MS = 3600.0
_LATE_MS = 300_000

SERVICE_LEVEL_LOW = """
rules:
  - id: service_level_low
    kpi: service_level
    window: 5m
    direction: below
    levels: [{severity: warning, enter: 0.80, exit: 0.83, for: 60s}]"""
"""The first rule of a policy, which may go on."""
_RULES = (
    SERVICE_LEVEL_LOW
    + """
    recover_for: 120s
    partners: JUDGED
  - id: service_level_nervous
    kpi: service_level
    window: 5m
    direction: below
    levels: [{severity: warning, enter: 0.86, exit: 0.87, for: 30s}]
    recover_for: 30s
    partners: JUDGED
  - id: abandons_high
    kpi: abandon_rate
    scopes: [partner/queue]
    window: 15m
    direction: above
    levels: [{severity: critical, enter: 0.10, exit: 0.08, for: 60s}]
    recover_for: 60s
    partners: JUDGED
"""
)
_OWN = "  - {id: %s, name: %s, queues: {care: {service_level: {threshold_seconds: 40}}}}"
POLICY = "\n".join(
    [
        "version: 1",
        "defaults: {contact_expiry_seconds: 20m}",
        "partners:",
        *(_OWN % (name, name) for name in PARTNERS[:16]),
        _RULES.replace("JUDGED", f"[{', '.join(JUDGED)}]"),
    ]
)
"""The last four partners are in no policy."""


class Sent(NamedTuple):
    """One record."""

    topic: str
    key: bytes
    value: bytes


class Clock(NamedTuple):
    """To every partition of all topics: everything before `to_ms` was sent."""

    to_ms: int


class _Stream:
    def __init__(self, seed: int, events: int) -> None:
        self.random = Random(seed)
        self.events = events
        self.trouble = (0.10 * events * 50, 0.30 * events * 50)
        """From a tenth to three tenths of the stream's time, in ms since its start: an event comes every 50 ms."""
        self.agenda: list[tuple[int, int, str, str | None, bytes | None]] = []
        self.numbers = 0
        self.queueing: set[str] = set()

    def plan(self, at_ms: float, partner: str, topic: str | None, value: bytes | None) -> None:
        self.numbers += 1
        heapq.heappush(self.agenda, (round(at_ms), self.numbers, partner, topic, value))

    def event(self, at_ms: int, partner: str, kind: str, topic: str = "cx.interactions", **fields: Any) -> None:
        """Plan an event's delivery: at once, a little late, minutes late, and sometimes twice."""
        random = self.random
        self.numbers += 1
        body = {"type": kind, "event_id": f"{partner}-{self.numbers}", "partner_id": partner, "occurred_at": at_ms, **fields}
        value, delay_ms, luck = json.dumps(body).encode(), 0.0, random.random()
        judged = partner in JUDGED and kind in ("contact.answered", "contact.abandoned")
        # A contact that is completed before it queues, and answered after the stream's end, waits for ever.
        may_be_late = not judged and kind != "contact.queued"
        if luck < 0.03 and may_be_late:
            delay_ms = random.uniform(10_000, _LATE_MS)
        elif luck < 0.15:
            delay_ms = random.uniform(0, 8000)
        if kind == "contact.queued" and partner not in self.queueing:
            # Only from here on are ends remembered that overtake their beginnings (docs/faults.md).
            self.queueing.add(partner)
            delay_ms = 0.0
        self.plan(at_ms + delay_ms, partner, topic, value)
        if random.random() < 0.05:
            self.plan(at_ms + delay_ms + random.uniform(0, 60_000), partner, topic, value)

    def agents(self, partner: str) -> None:
        """What three agents do over the whole stream, and were to do."""
        random, lasts_ms = self.random, self.events * 50
        for number, queue in enumerate(_QUEUES):
            about = {"agent_id": f"{partner}-a{number}", "queue": queue, "channel": _QUEUES[queue]}

            def tell(at_ms: float, kind: str, about: dict[str, Any] = about, **fields: Any) -> None:
                self.event(round(at_ms), partner, kind, "cx.workforce", **about, **fields)

            def some_time() -> float:
                return START_MS + random.uniform(0, lasts_ms)

            for _ in range(_STATES_EACH):
                state = random.choice(("available", "available", "on_contact", "on_contact", "wrap", "break", "training", "offline"))
                tell(some_time(), "agent.state", state=state)
            for activity in ("contacts", "contacts", "break", "training", "offline"):
                start = round(some_time())
                shift: dict[str, Any] = {"from": start, "to": start + random.randrange(1000, 1_200_000), "activity": activity}
                tell(START_MS + random.uniform(0, lasts_ms / 2), "agent.scheduled", **shift)
            tell(some_time(), "agent.joined")
            tell(some_time(), random.choice(("agent.left", "agent.joined")))
            tell(START_MS, "training.due", course="tone", due_at=round(some_time()))
            tell(some_time(), "training.done", course="tone")

    def ticket(self, at_ms: int, partner: str, about: dict[str, Any]) -> None:
        """The life of a ticket, as far as anybody cares."""
        random = self.random
        self.numbers += 1
        about = {**about, "contact_id": f"{partner}-t{self.numbers}"}
        self.event(at_ms, partner, "ticket.opened", **about, due_at=at_ms + random.randrange(600_000))
        steps = ("replied", "solved", "reopened", "replied", "solved")[: random.choice((0, 1, 2, 2, 3, 5))]
        for step in steps:
            at_ms += round(random.expovariate(1 / 90_000))
            self.event(at_ms, partner, f"ticket.{step}", **about)

    def evaluated(self, at_ms: int, partner: str, about: dict[str, Any]) -> None:
        random, possible = self.random, self.random.choice((0, 50, 100))
        items = [{"criterion": "law", "points": random.choice((0, 5)), "possible": 5, "critical": random.random() < 0.2}]
        script = {"script_done": random.randrange(7), "script_required": random.choice((0, 6))}
        points = {"points": random.randrange(101), "points_possible": possible, "automatic_fail": random.random() < 0.05}
        self.event(at_ms, partner, "quality.evaluated", "cx.quality", **about, **points, **script, items=items)

    def contact(self, at_ms: int, partner: str) -> None:
        random = self.random
        queue = random.choice(list(_QUEUES))
        begin, end = self.trouble
        bad = begin <= at_ms - START_MS < end
        about = {"contact_id": f"{partner}-c{self.numbers}", "queue": queue, "channel": _QUEUES[queue]}
        wait_ms = min(240_000, round(random.expovariate(1 / 8000) * (_DEGRADED.get(partner, 1.0) if bad else 1.0)))
        fate = random.random()
        if fate < 0.04:
            self.answered(at_ms, 0, partner, about)
            return
        self.event(at_ms, partner, "contact.queued", **about)
        if fate < 0.055:
            return  # It never closes.
        if fate < 0.08:
            self.event(at_ms + wait_ms, partner, "contact.left", **about, outcome="callback")
        elif fate < (0.45 if bad and (partner, queue) in _LOST else 0.13):
            gone_ms = min(240_000, round(random.expovariate(1 / 15_000)))
            self.event(at_ms + gone_ms, partner, "contact.abandoned", **about, wait_seconds=gone_ms / 1000)
        else:
            self.answered(at_ms + wait_ms, wait_ms, partner, about)

    def answered(self, at_ms: int, wait_ms: int, partner: str, about: dict[str, Any]) -> None:
        random = self.random
        self.event(at_ms, partner, "contact.answered", **about, wait_seconds=wait_ms / 1000)
        talk, hold, wrap = (round(random.uniform(*span), 3) for span in ((20, 200), (0, 30), (2, 20)))
        done_ms = at_ms + round((talk + hold + wrap) * 1000)
        flags: dict[str, Any] = {
            "transferred": random.random() < 0.1,
            "escalated": random.random() < 0.03,
            "resolved": random.choice((True, True, False, None)),
        }
        self.event(done_ms, partner, "contact.completed", **about, talk_seconds=talk, hold_seconds=hold, wrap_seconds=wrap, **flags)
        if random.random() < 0.05:
            self.ticket(done_ms, partner, about)
        if random.random() < 0.05:
            self.evaluated(done_ms + round(random.uniform(1000, 300_000)), partner, about)
        if random.random() < 0.4:
            self.event(done_ms, partner, "survey.invited", "cx.surveys", **about, survey="csat")
            rated_ms = done_ms + round(random.uniform(1000, 120_000))
            self.event(rated_ms, partner, "survey.response", "cx.surveys", **about, survey="csat", score=random.choice((1, 3, 4, 5, 5)))

    def dirt(self, at_ms: int, partner: str) -> tuple[str, bytes]:
        """A record that cannot be read, or one that is long past."""
        self.numbers += 1
        body = {"type": "contact.abandoned", "event_id": f"{partner}-{self.numbers}", "partner_id": partner, "occurred_at": at_ms}
        wrong = (
            b'{"type": "contact.aban',
            json.dumps(body | {"type": "contact.teleported"}).encode(),
            json.dumps(body | {"wait_seconds": "soon"}).encode(),
            json.dumps(body | {"wait_seconds": 3, "occurred_at": START_MS - 40 * 86_400_000}).encode(),
            json.dumps(body | {"type": "agent.state", "agent_id": "a", "state": "asleep"}).encode(),
        )
        return self.random.choice(SOURCES), self.random.choice(wrong)


def stream(seed: int, events: int) -> Iterator[Sent | Clock]:
    """`events` records of events, clocks beside them, the last clock at the end."""
    made = _Stream(seed, events)
    for partner in PARTNERS:
        made.plan(START_MS + made.random.uniform(0, _GAP_MS), partner, None, None)
    for partner in _STAFFED:
        made.agents(partner)
    clock_ms, sent = START_MS, 0
    yield Clock(clock_ms)
    while sent < events:
        at_ms, _, partner, topic, value = heapq.heappop(made.agenda)
        while at_ms >= clock_ms + CLOCK_MS:
            clock_ms += CLOCK_MS
            yield Clock(clock_ms)
        if topic is None:
            made.contact(at_ms, partner)
            made.plan(at_ms + made.random.uniform(0.5, 1.5) * _GAP_MS, partner, None, None)
            continue
        assert value is not None
        sent += 1
        yield Sent(topic, partner.encode(), value)
        if sent < events and sent > events // 4 and made.random.random() < 0.001:
            sent += 1
            where, dirty = made.dirt(at_ms, partner)
            yield Sent(where, partner.encode(), dirty)
    yield Clock(clock_ms + CLOCK_MS)
