"""What a straightforward computation over the raw topics gives; it shares no code with the product, and imports none.

It reads the records of the source topics as they lie in Kafka, counts each delivery once, sums windows from the single events, judges
rules at every grid point of ten seconds and knows the rules and thresholds of `tests/faults/crash_stream.py` by heart.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from math import sqrt
from typing import Any, NamedTuple
from uuid import UUID, uuid5

import xxhash

from tests import naive, naive_agents

__all__ = ["Oracle", "Rule", "Transition"]

GRID = 10_000
SETTLE = 5_000
EXPIRY = 20 * 60_000
AGENT_EXPIRY = 12 * 3_600_000
_DAY = 86_400_000
WINDOWS = {
    "5m": (300_000, GRID),
    "15m": (900_000, GRID),
    "30m": (1_800_000, GRID),
    "1h": (3_600_000, 60_000),
    "4h": (14_400_000, 60_000),
    "24h": (_DAY, 900_000),
    "7d": (7 * _DAY, _DAY),
    "30d": (30 * _DAY, _DAY),
    "today": (0, _DAY),
    "month": (0, None),
}
"""Width and the granularity of the trailing edge, in ms; days are those of UTC."""
_TOLD = {f"ticket.{step}" for step in ("opened", "replied", "solved", "reopened")} | {
    *("agent.state", "agent.scheduled", "agent.joined", "agent.left", "training.due", "training.done")
}
"""What counts only together with all that is told of the same ticket or agent."""
_TYPES = {"clock.advanced", "survey.invited", "survey.response", "quality.evaluated", *_TOLD} | {
    f"contact.{kind}" for kind in ("queued", "answered", "abandoned", "left", "completed")
}
_CLOSES = {"contact.answered", "contact.abandoned", "contact.left", "contact.completed"}


class Rule(NamedTuple):
    """A rule of one level; `sign` is 1 where too high is bad and -1 where too low is."""

    id: str
    kpi: str
    window_ms: int
    by_queue: bool
    severity: str
    z: float
    sign: int
    enter: float
    exit: float
    for_ms: int
    recover_ms: int
    min_samples: int = 20


RULES = (
    Rule("service_level_low", "service_level", 300_000, False, "warning", 1.645, -1, 0.80, 0.83, 60_000, 120_000),
    Rule("service_level_nervous", "service_level", 300_000, False, "warning", 1.645, -1, 0.86, 0.87, 30_000, 30_000),
    Rule("abandons_high", "abandon_rate", 900_000, True, "critical", 2.326, 1, 0.10, 0.08, 60_000, 60_000),
)


class Transition(NamedTuple):
    """What `outwatch.alerts` must say of one change."""

    id: str
    fingerprint: str
    episode: str
    seq: int
    severity: str
    before: str
    after: str
    kind: str
    numerator: int
    denominator: int
    started_at: int
    fired_at: int | None
    ended_at: int | None
    evaluated_at: int


class Event(NamedTuple):
    """One counted event: when, where, and what it adds."""

    at: int
    queue: str
    channel: str
    adds: dict[str, int]


def _digest(*parts: str | int) -> str:
    return sha256(json.dumps(parts, separators=(",", ":")).encode()).hexdigest()[:32]


def wilson(k: int, n: int, z: float) -> tuple[float, float]:
    """The score interval of k of n, by the textbook."""
    p = k / n
    centre, half = (p + z * z / (2 * n)) / (1 + z * z / n), z / (1 + z * z / n) * sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return centre - half, centre + half


def _read(value: bytes) -> dict[str, Any] | None:
    """The event, or None where it cannot be read."""
    try:
        event: dict[str, Any] = json.loads(value)
    except ValueError:
        return None
    waits = event["type"] in ("contact.answered", "contact.abandoned")
    if event.get("state") == "asleep":
        return None
    return None if event["type"] not in _TYPES or (waits and not isinstance(event["wait_seconds"], float | int)) else event


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


def _adds(event: dict[str, Any], threshold_ms: int) -> dict[str, int]:
    kind = event["type"]
    if kind in ("contact.answered", "contact.abandoned"):
        name, wait = kind.removeprefix("contact."), _ms(event["wait_seconds"])
        added = {name: 1, f"{name}_wait_ms": wait, f"{name}_wait_s2": wait * wait // 1_000_000, f"{name}_within": int(wait <= threshold_ms)}
        return added | ({"abandoned_short": int(wait <= 5000)} if name == "abandoned" else {})
    if kind == "contact.completed":
        talk, hold, wrap = (_ms(event[f"{name}_seconds"]) for name in ("talk", "hold", "wrap"))
        added = {"handled": 1, "talk_ms": talk, "hold_ms": hold, "wrap_ms": wrap, "handle_s2": (talk + hold + wrap) ** 2 // 1_000_000}
        added |= {"hold_s2": hold * hold // 1_000_000, "held": int(hold > 0)}
        added |= {"transferred": int(event["transferred"]), "escalated": int(event["escalated"])}
        return added | {"resolved": int(event["resolved"] is True), "resolved_answers": int(event["resolved"] is not None)}
    if kind == "quality.evaluated":
        ((_, added),) = naive.happens(event)
        return added
    if kind == "survey.response":
        return {f"csat_{event['score']}": 1}
    return {{"contact.queued": "arrivals", "contact.left": "left", "survey.invited": "csat_invited"}[kind]: 1}


@dataclass
class Oracle:
    """Fed with every record of a topic in the order of its offsets, topic after topic, then `finish`ed."""

    configured: frozenset[str]
    judged: frozenset[str]
    ledger_ms: int
    """What occurred before this is too late to count."""
    rules: tuple[Rule, ...] = RULES
    expiry_ms: int = EXPIRY
    events: dict[str, list[Event]] = field(default_factory=lambda: defaultdict(list))
    told: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    """By partner: events of tickets and agents."""
    seen: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    counts: Counter[str] = field(default_factory=Counter)
    dead: set[tuple[str, int, int]] = field(default_factory=set)
    late: set[tuple[str, int, int]] = field(default_factory=set)
    waiting: dict[str, dict[str, Event]] = field(default_factory=lambda: defaultdict(dict))
    closed: set[tuple[str, str]] = field(default_factory=set)
    frontier: int = 0

    def feed(self, topic: str, partition: int, offset: int, value: bytes) -> None:
        """Take one record."""
        event = _read(value)
        if event is not None and event["type"] == "clock.advanced":
            self.frontier = max(self.frontier, event["to"])
            return
        self.counts["produced"] += 1
        if event is None:
            self.dead.add((topic, partition, offset))
        elif event["occurred_at"] < self.ledger_ms:
            self.late.add((topic, partition, offset))
        elif event["event_id"] in self.seen[event["partner_id"]]:
            self.counts["duplicates"] += 1
        else:
            self.seen[event["partner_id"]].add(event["event_id"])
            self.counts["events"] += 1
            self._count(event)

    def _count(self, event: dict[str, Any]) -> None:
        partner, queue, channel, at = event["partner_id"], event["queue"], event["channel"], event["occurred_at"]
        if event["type"] in _TOLD:
            self.told[partner].append(event)
            return
        counted = Event(at, queue, channel, _adds(event, self.threshold(partner, queue)))
        self.events[partner].append(counted)
        if event["type"] == "contact.queued":
            self.waiting[partner][event["contact_id"]] = counted
        elif event["type"] in _CLOSES:
            self.closed.add((partner, event["contact_id"]))

    def threshold(self, partner: str, queue: str) -> int:
        """The service level's, in ms."""
        return 40_000 if queue == "care" and partner in self.configured else 20_000

    @property
    def last_grid(self) -> int:
        """The last grid point that was judged."""
        return (self.frontier - SETTLE) // GRID * GRID

    def finish(self) -> None:
        """Count tickets, close contacts and expire those that nobody closed."""
        for partner, told in self.told.items():
            for event, at, adds in naive.ticket_measures(told):
                self.events[partner].append(Event(at, event["queue"], event["channel"], adds))
        for partner, contacts in self.waiting.items():
            for contact, queued in list(contacts.items()):
                expired_at = (queued.at + self.expiry_ms) // GRID * GRID + GRID
                if (partner, contact) in self.closed:
                    del contacts[contact]
                elif expired_at <= self.last_grid:
                    del contacts[contact]
                    self.counts["contacts_expired"] += 1
                    self.events[partner].append(Event(expired_at - GRID, queued.queue, queued.channel, {"expired": 1}))

    def hashes(self) -> set[int]:
        """The seen ids as they are stored."""
        seeds = {partner: xxhash.xxh3_64_intdigest(partner.encode()) & 0x7FFFFFFF for partner in self.seen}
        return {xxhash.xxh3_64_intdigest(each.encode(), seeds[partner]) for partner, ids in self.seen.items() for each in ids}

    def measures(self, partner: str, scope: str, start: int, end: int) -> dict[str, int]:
        """The sums of [start, end) that are not zero; scope `all`, `queue=NAME` or `channel=NAME`."""
        summed: Counter[str] = Counter()
        for event in self.events[partner]:
            if start <= event.at < end and scope in ("all", f"queue={event.queue}", f"channel={event.channel}"):
                summed.update(event.adds)
        summed.update(naive_agents.measures(self.told[partner], partner, scope, start, end, self.last_grid, AGENT_EXPIRY))
        return {name: count for name, count in summed.items() if count}

    def window(self, name: str) -> tuple[int, int]:
        """From and to of a window's last figures."""
        width, edge = WINDOWS[name]
        start, end = self.last_grid - width, self.frontier // GRID * GRID + GRID
        if edge is None:
            first = datetime.fromtimestamp(start / 1000, UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
            return round(first.timestamp() * 1000), end
        return start - start % edge, end

    def figures(self, measures: dict[str, int]) -> dict[str, tuple[float | None, float, float]]:
        """By KPI: (value, numerator, denominator)."""
        m = Counter(measures)
        answered, lost, handled, rated = m["answered"], m["abandoned"], m["handled"], sum(m[f"csat_{score}"] for score in range(1, 6))
        handle = m["talk_ms"] + m["hold_ms"] + m["wrap_ms"]
        found: dict[str, tuple[float, float]] = {}
        if answered or lost or handled or m["arrivals"]:
            found = {
                "service_level": (m["answered_within"], answered + lost),
                "asa": (m["answered_wait_ms"] / 1000, answered),
                "abandon_rate": (lost, answered + lost),
                "aht": (handle / 1000, handled),
                "transfer_rate": (m["transferred"], handled),
            }
        if rated:
            found["csat"] = (m["csat_4"] + m["csat_5"], rated)
        return {name: (top / bottom if bottom else None, top if bottom else 0, bottom) for name, (top, bottom) in found.items()}

    def transitions(self) -> dict[str, list[Transition]]:
        """By fingerprint, in order."""
        found: dict[str, list[Transition]] = {}
        for rule in self.rules:
            for partner in sorted(self.judged):
                for scope in ("queue=billing", "queue=sales", "queue=care") if rule.by_queue else ("all",):
                    mark = _digest(rule.id, partner, scope)
                    condition = _Condition(rule, mark)
                    made = [each for point in self._grid(rule, partner, scope) for each in condition.tick(*point)]
                    if made:
                        found[mark] = made
        return found

    def _grid(self, rule: Rule, partner: str, scope: str) -> Iterator[tuple[int, int, int]]:
        """(grid point, numerator, denominator) at every grid point."""
        parts: dict[int, list[int]] = defaultdict(lambda: [0, 0])
        for event in self.events[partner]:
            if scope in ("all", f"queue={event.queue}"):
                offered = event.adds.get("answered", 0) + event.adds.get("abandoned", 0)
                good = event.adds.get("answered_within" if rule.kpi == "service_level" else "abandoned", 0)
                part = parts[event.at // GRID * GRID]
                part[0], part[1] = part[0] + good, part[1] + offered
        top = bottom = 0
        for at in range(min(parts, default=self.last_grid) + GRID, self.last_grid + 1, GRID):
            new, old = parts.get(at - GRID, (0, 0)), parts.get(at - GRID - rule.window_ms, (0, 0))
            top, bottom = top + new[0] - old[0], bottom + new[1] - old[1]
            yield at, top, bottom


@dataclass
class _Condition:
    """Ticks through a rule of one level: one step every ten seconds, nothing skipped."""

    rule: Rule
    mark: str
    phase: str = "ok"
    seq: int = 0
    held: int = 0
    running: bool = False
    started: int = 0
    fired: int | None = None
    ended: int | None = None
    saw: tuple[int, int] = (0, 0)

    def tick(self, at: int, top: int, bottom: int) -> Iterator[Transition]:
        """What changes at the grid point `at`."""
        rule = self.rule
        if self.phase == "resolved" and self.ended is not None and at >= self.ended + 900_000:
            yield self._change("ok", "cleared", at)
        if bottom < rule.min_samples:
            self.running = False  # A gap: what was held stays, this step does not count.
            return
        value, (low, high) = top / bottom, wilson(top, bottom, rule.z)
        is_open = self.phase in ("firing", "recovering")
        breached = low > rule.enter if rule.sign > 0 else high < rule.enter
        left = value <= rule.exit if rule.sign > 0 else value >= rule.exit
        edge = left if is_open else breached
        self.held = 0 if not edge else self.held + GRID if self.running else self.held
        self.running = edge
        due = self.held >= (rule.recover_ms if is_open else rule.for_ms)
        step = {
            ("ok", True): ("pending", "pending"),
            ("resolved", True): ("pending", "pending"),
            ("pending", True): ("firing", "fired") if due else None,
            ("pending", False): ("ok", "cleared"),
            ("firing", True): ("recovering", "recovering"),
            ("recovering", True): ("resolved", "resolved") if due else None,
            ("recovering", False): ("firing", "refired"),
        }.get((self.phase, edge))
        if step is not None:
            self.saw = (top, bottom)
            yield self._change(*step, at)

    def _change(self, after: str, kind: str, at: int) -> Transition:
        if kind == "pending":
            self.started, self.fired, self.ended = at, None, None
        elif kind == "fired":
            self.fired = at
        elif kind == "resolved" or self.phase == "pending":
            self.ended = at
        if kind in ("fired", "resolved"):
            self.held, self.running = 0, False
        before, self.phase, self.seq = self.phase, after, self.seq + 1
        episode = str(uuid5(UUID(self.mark), str(self.started)))
        names = (_digest(self.mark, episode, self.seq), self.mark, episode)
        made = Transition(*names, self.seq, self.rule.severity, before, after, kind, *self.saw, self.started, self.fired, self.ended, at)
        if after == "ok":
            self.seq, self.fired, self.ended = 0, None, None
        return made
