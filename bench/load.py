"""The load: contacts as partners report them, in the order in which they arrive, and the truth about them.

A contact queues, is answered or abandoned, and if answered is completed and sometimes rated, each with an event of its own. Events
arrive up to 1.5 s after they occurred, one in a hundred twice. The truth is counted here, event by event, in the plainest way: it
shares no code with what it is held against.
"""

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Any, Final, NamedTuple

import orjson

PARTNERS: Final = 200
QUEUES: Final = 5
CHANNELS: Final = ("voice", "chat", "email")
WITHIN_SECONDS: Final = {"voice": 20, "chat": 60, "email": 20}
"""The service level thresholds of the policy in `bench.policy`."""
SHORT_SECONDS: Final = 5
TROUBLED: Final = frozenset(f"partner-{number:03}" for number in range(0, PARTNERS, 20))
"""Whose customers wait too long, so that some rules fire and most do not."""
EVENTS_A_SECOND: Final = 2_000
"""Of stream time: a million events are eight minutes, in which 50 grid points are closed for every partner."""
_EVENTS_A_CONTACT: Final = 3.16
DUPLICATES: Final = 0.01
"""The share of events that are delivered twice."""
_BEFORE_MS: Final = 150_000
"""Contacts begin this long before the load does, so that all kinds of events are in their proportions from the first record on."""

_WAIT_SECONDS_MAX: Final = 70
_SCORES: Final = (5, 5, 5, 4, 4, 4, 4, 4, 3, 2, 1)

Measures = Counter[str]


class Arrival(NamedTuple):
    """A record to be written."""

    at_ms: int
    """When it reaches Kafka."""
    partner: str
    value: bytes
    event: dict[str, Any]


@dataclass(slots=True)
class Truth:
    """What must come out."""

    records: int = 0
    duplicates: int = 0
    last_at_ms: int = 0
    by_type: dict[str, Counter[str]] = field(default_factory=dict)
    """Records by partner and type, duplicates included: all that the floor counts."""
    measures: dict[str, Measures] = field(default_factory=dict)
    """By partner, each event once."""
    _seen: set[tuple[str, str]] = field(default_factory=set)

    def add(self, arrival: Arrival) -> None:
        """Count a record."""
        event = arrival.event
        self.records += 1
        self.last_at_ms = arrival.at_ms
        self.by_type.setdefault(arrival.partner, Counter())[event["type"]] += 1
        identity = (arrival.partner, event["event_id"])
        if identity in self._seen:
            self.duplicates += 1
            return
        self._seen.add(identity)
        self.measures.setdefault(arrival.partner, Counter()).update(measures_of(event))


def measures_of(event: dict[str, Any]) -> Measures:
    """What one event adds."""
    kind = event["type"]
    if kind == "contact.queued":
        return Counter(arrivals=1)
    if kind == "survey.response":
        return Counter({f"csat_{event['score']}": 1})
    if kind == "contact.completed":
        talk, hold, wrap = event["talk_seconds"], event["hold_seconds"], event["wrap_seconds"]
        return Counter(
            handled=1,
            talk_ms=1000 * talk,
            hold_ms=1000 * hold,
            wrap_ms=1000 * wrap,
            handle_s2=(talk + hold + wrap) ** 2,
            hold_s2=hold**2,
            held=int(event["holds"] > 0),
            transferred=int(event["transferred"]),
            resolved_answers=1,
            resolved=int(event["resolved"]),
        )
    wait, what = event["wait_seconds"], kind.removeprefix("contact.")
    counted = Counter({what: 1, f"{what}_wait_ms": 1000 * wait, f"{what}_wait_s2": wait**2})
    counted[f"{what}_within"] = int(wait <= WITHIN_SECONDS[event["channel"]])
    if what == "abandoned":
        counted["abandoned_short"] = int(wait <= SHORT_SECONDS)
    return counted


def arrivals(count: int, end_ms: int, seed: int = 1) -> Iterator[Arrival]:
    """`count` records, in the order of their arrival, from the middle of a stream; the last about at `end_ms`."""
    draw = random.Random(seed)
    start_ms = end_ms - count * 1000 // EVENTS_A_SECOND
    pending: list[tuple[int, int, str, dict[str, Any]]] = []
    made = contact = 0
    while made < count:
        queued_ms = start_ms - _BEFORE_MS + int(contact * 1000 * _EVENTS_A_CONTACT / EVENTS_A_SECOND)
        while pending and pending[0][0] <= queued_ms and made < count:
            at_ms, _, partner, event = heappop(pending)
            if at_ms >= start_ms:
                yield Arrival(at_ms, partner, orjson.dumps(event), event)
                made += 1
        partner = f"partner-{draw.randrange(PARTNERS):03}"
        for step, event in enumerate(contact_events(draw, partner, contact, queued_ms)):
            at_ms = event["occurred_at"] + draw.randrange(50, 1_500)
            heappush(pending, (at_ms, 16 * contact + 2 * step, partner, event))
            if draw.random() < DUPLICATES:
                heappush(pending, (at_ms + draw.randrange(5_000), 16 * contact + 2 * step + 1, partner, event))
        contact += 1


def contact_events(draw: random.Random, partner: str, number: int, queued_ms: int) -> Iterator[dict[str, Any]]:
    """The events of one contact that begins at `queued_ms`."""
    mean_wait_seconds = 30 if partner in TROUBLED else 8
    wait, answered = min(_WAIT_SECONDS_MAX, int(draw.expovariate(1 / mean_wait_seconds))), draw.random() < 0.95
    talk, hold, wrap = draw.randrange(20, 80), draw.randrange(20) * (draw.random() < 0.3), draw.randrange(5, 40)
    common = {
        "partner_id": partner,
        "queue": f"queue-{(queue := draw.randrange(QUEUES))}",
        "channel": CHANNELS[queue % len(CHANNELS)],
        "site": f"site-{draw.randrange(3)}",
        "team": f"team-{draw.randrange(8)}",
        "agent_id": f"agent-{draw.randrange(500):04}",
        "customer_key": f"{draw.getrandbits(64):016x}",
        "reason": f"reason-{draw.randrange(12)}",
        "contact_id": f"contact-{number:010}",
        "root_contact_id": f"contact-{number:010}",
    }
    exited_ms = queued_ms + 1000 * wait
    done_ms = exited_ms + 1000 * (talk + hold + wrap)

    def event(kind: str, at_ms: int, **own: object) -> dict[str, Any]:
        return {"type": kind, "event_id": f"{kind}-{number:010}", "occurred_at": at_ms, **common, **own}

    yield event("contact.queued", queued_ms, priority=1)
    if not answered:
        yield event("contact.abandoned", exited_ms, wait_seconds=wait)
        return
    yield event("contact.answered", exited_ms, wait_seconds=wait)
    yield event(
        "contact.completed",
        done_ms,
        talk_seconds=talk,
        hold_seconds=hold,
        holds=int(hold > 0),
        wrap_seconds=wrap,
        resolved=draw.random() < 0.7,
        transferred=draw.random() < 0.1,
        escalated=False,
    )
    if draw.random() < 0.25:
        yield event("survey.response", done_ms + draw.randrange(1_000, 30_000), survey="csat", score=draw.choice(_SCORES), scale_max=5)
