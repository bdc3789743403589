"""A state that has been lived: what one partition number's engine commits, second by second, and the same for as many partition numbers.

The engine is the product's own. Its ledger is filled with contacts of the last 35 days, then it lives through some time of load
and commits once a second; only its figures for readers are left away. The commits are written to every partition, with the
partners' names replaced by such as belong there: a worker that holds them all cannot tell, and one engine's time is enough.
"""

import random
import re
from collections.abc import Iterator
from itertools import count
from typing import Any, Final

import orjson

from alerts.condition import Condition
from bench.engine import finish
from bench.load import CHANNELS, QUEUES
from bench.policy import policy
from models.policy_file import parts
from models.policy_record import CURRENT, encode_policy, policy_key
from models.policy_spec import PolicyFile
from models.settings import Settings
from models.topics import BROADCAST, partition_of
from models.windows import DAY_MS, GRID_MS, HOUR_MS, MINUTE_MS
from streams.engine import Budget, Engine, EngineConfig, rows
from streams.trial.offline import Record

EVENTS_A_SECOND: Final = 0.25
"""Of a partner: some 70 contacts in a quarter of an hour."""
_EVENTS_A_CONTACT: Final = 3.2
_PLACES: Final = tuple((f"queue-{queue}", CHANNELS[queue % len(CHANNELS)]) for queue in range(QUEUES))
"""As in `bench.load`; each is a cell, and another for its surveys."""
_SHARE_RATED: Final = 0.25
_SETTLED_MS: Final = 20_000
_LEDGER: Final = ((GRID_MS, 34 * MINUTE_MS), (MINUTE_MS, 5 * HOUR_MS), (15 * MINUTE_MS, 49 * HOUR_MS), (DAY_MS, 34 * DAY_MS))
"""How long panes are, and how far back."""
_LONG_CALL_SECONDS: Final = 20_000
"""Stands for a day's sums, which take wider rows than those of an hour."""
_NAME: Final = re.compile(rb'"partner-\d{3}"')

Row = tuple[bytes, bytes | None]


def partners(settings: Settings, each: int) -> list[dict[bytes, bytes]]:
    """By partition number, the names that stand there for the engine's partners, both as JSON writes them."""
    found: list[dict[bytes, bytes]] = []
    for number in range(settings.partitions):
        names = (name for at in count() if partition_of(name := f"partner-{number:02}-{at}", settings.partitions) == number)
        found.append({b'"partner-%03d"' % at: b'"%s"' % next(names).encode() for at in range(each)})
    return found


def policy_of(names: list[str]) -> PolicyFile:
    """That of the benchmarks, for these partners."""
    whole = policy()
    first = whole.partners[0]
    return whole.model_copy(update={"partners": tuple(first.model_copy(update={"id": name, "name": name}) for name in names)})


def renamed(row: Row, names: dict[bytes, bytes], applied: dict[str, int]) -> Row:
    """The row as the partition has it where these names stand, and whose sources are `applied`."""

    def name(match: re.Match[bytes]) -> bytes:
        return names[match[0]]

    key, value = row
    if value is None or key.startswith((b'["pane"', b'["ids"')):
        return _NAME.sub(name, key), value
    if key.startswith(b'["applied"'):
        return key, rows.pack([applied, *rows.unpack([], value)[1:]])
    value = _NAME.sub(name, value)
    if key.startswith(b'["alert"'):
        return rows.key("alert", Condition.from_row(rows.unpack([], value)).fingerprint), value
    return _NAME.sub(name, key), value


class Life:
    """Of one engine: `seconds` of load up to `end_ms`, after a ledger of 35 days."""

    def __init__(self, settings: Settings, each: int, end_ms: int, seconds: int) -> None:
        self._topics = settings.topics
        self._engine = Engine(0, EngineConfig("bench", "bench", self._topics, partitions=1))
        self._draw = random.Random(1)
        self._names = [f"partner-{at:03}" for at in range(each)]
        self._start_ms = end_ms - 1_000 * seconds
        self._seconds = seconds
        self._number = self._offset = 0

    def commits(self) -> Iterator[list[Row]]:
        """The rows of each commit, the ledger's first."""
        self._policies()
        self._idle(self._start_ms - _SETTLED_MS)
        for name in self._names:
            for length_ms, reach_ms in _LEDGER:
                self._send(self._past(name, length_ms, reach_ms))
        self._idle(self._start_ms)
        # Ids are remembered for 15 minutes: those of the ledger would have been forgotten long ago.
        yield [row for row in self._commit(self._start_ms) if not row[0].startswith(b'["ids"')]
        coming = sorted(self._coming(), key=lambda each: each[0])
        at = 0
        for second in range(self._seconds):
            now_ms = self._start_ms + 1_000 * (second + 1)
            begun = at
            while at < len(coming) and coming[at][0] < now_ms:
                at += 1
            self._send([event for _, event in coming[begun:at]], now_ms)
            self._idle(now_ms)
            yield self._commit(now_ms)

    def _policies(self) -> None:
        shared, own = parts(policy_of(self._names))
        at_ms = self._start_ms - 2 * _SETTLED_MS
        values = [(BROADCAST, encode_policy(shared, at_ms)), *((name, encode_policy(part, at_ms)) for name, part in own.items())]
        topic = self._topics.policies
        records = [
            Record(topic, 0, at, at_ms, policy_key(name, CURRENT), value.model_dump_json().encode())
            for at, (name, value) in enumerate(values)
        ]
        finish(self._engine.apply(topic, 0, records, at_ms))

    def _contact(self, name: str, place: tuple[str, str], at_ms: int, talk_seconds: int) -> Iterator[dict[str, Any]]:
        self._number += 1
        contact = f"contact-{self._number:08}"
        common = {"partner_id": name, "queue": place[0], "channel": place[1], "contact_id": contact}
        wait = self._draw.randrange(40)
        yield {"type": "contact.queued", "event_id": f"q{contact}", "occurred_at": at_ms, **common}
        exited_ms = at_ms + 1_000 * wait
        yield {"type": "contact.answered", "event_id": f"a{contact}", "occurred_at": exited_ms, "wait_seconds": wait, **common}
        done = {"talk_seconds": talk_seconds, "hold_seconds": wait, "wrap_seconds": 20, "resolved": wait > 10}
        done_ms = exited_ms + 1_000 * min(talk_seconds, 300)
        yield {"type": "contact.completed", "event_id": f"c{contact}", "occurred_at": done_ms, **common, **done}
        if self._draw.random() < _SHARE_RATED:
            rating = {"survey": "csat", "score": 5 - wait % 5, "scale_max": 5}
            yield {"type": "survey.response", "event_id": f"s{contact}", "occurred_at": done_ms, **common, **rating}

    def _past(self, name: str, length_ms: int, reach_ms: int) -> list[dict[str, Any]]:
        """A ledger's contacts: what a pane of that length would hold, at most ten."""
        events: list[dict[str, Any]] = []
        mean = EVENTS_A_SECOND / _EVENTS_A_CONTACT * length_ms / 1_000
        for at_ms in range(self._start_ms - reach_ms, self._start_ms - MINUTE_MS, length_ms):
            many = min(2 * len(_PLACES), int(mean + self._draw.random()))
            for place in self._draw.choices(_PLACES, k=many):
                talk = _LONG_CALL_SECONDS if length_ms == DAY_MS else self._draw.randrange(30, 300)
                events += [event | {"occurred_at": at_ms} for event in self._contact(name, place, at_ms, talk)][1:]
        return events

    def _coming(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """The contacts of the load, by when they arrive."""
        for name in self._names:
            at = -300.0
            while at < self._seconds:
                at += self._draw.expovariate(EVENTS_A_SECOND / _EVENTS_A_CONTACT)
                begin_ms = self._start_ms + int(1_000 * at)
                for event in self._contact(name, self._draw.choice(_PLACES), begin_ms, self._draw.randrange(30, 300)):
                    if event["occurred_at"] >= self._start_ms:
                        yield event["occurred_at"], event

    def _send(self, events: list[dict[str, Any]], now_ms: int = 0) -> None:
        topic, at_ms = self._topics.interactions, now_ms or self._start_ms - _SETTLED_MS
        for begin in range(0, len(events), 1_000):
            some = events[begin : begin + 1_000]
            records = [
                Record(topic, 0, self._offset + at, at_ms, event["partner_id"].encode(), orjson.dumps(event))
                for at, event in enumerate(some)
            ]
            finish(self._engine.apply(topic, self._offset, records, at_ms))
            self._offset += len(records)

    def _idle(self, at_ms: int) -> None:
        for topic in self._topics.subscribed:
            self._engine.idle(topic, at_ms)
        finish(self._engine.advance())

    def _commit(self, now_ms: int) -> list[Row]:
        commit = self._engine.drain(now_ms, Budget(0, 0))
        return [] if commit is None else commit.rows
