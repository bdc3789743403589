"""What one agent, one open ticket and one contact record take: memory, and rows at rest.

    python -m bench.held

An engine that holds some of them against one that holds more, an hour after the last was told of; what both have alike (panes, the
partner itself) is in neither figure, and event ids are forgotten by then. Memory is what Python allocated, pools' slack left out.
"""

import gc
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

import orjson

from bench.engine import END_MS, finish
from models.settings import Settings
from models.windows import HOUR_MS, MINUTE_MS
from streams.engine import Budget, Engine, EngineConfig
from streams.trial.offline import Record

__all__ = ["Held", "held", "table"]

_FEW: Final = 50
_MANY: Final = 250
_STATES: Final = ("on_contact", "wrap", "available")
_CONTACTS_AN_HOUR: Final = 10
_SHIFT_HOURS: Final = 8
_UNBOUND: Final = Budget(10**12, 10**12)

_NUMBERS_BYTES: Final = 150
"""About what the book of row sizes takes a row."""

Told = Iterator[dict[str, Any]]


class Held(NamedTuple):
    """Of one more."""

    memory_bytes: float
    rows: float
    row_bytes: float
    """Keys and values."""


def _agent(name: str, *, states: bool) -> Told:
    """On the staff, with the shift that is ending, and all that they did in it if asked for."""
    begun_ms, about = END_MS - _SHIFT_HOURS * HOUR_MS, {"agent_id": name, "queue": "queue-1", "channel": "voice"}
    yield about | {"type": "agent.joined", "occurred_at": begun_ms}
    yield about | {"type": "agent.scheduled", "occurred_at": begun_ms, "from": begun_ms, "to": END_MS, "activity": "contacts"}
    if states:
        step_ms = HOUR_MS // _CONTACTS_AN_HOUR // len(_STATES)
        for number in range(_SHIFT_HOURS * _CONTACTS_AN_HOUR * len(_STATES)):
            yield about | {"type": "agent.state", "occurred_at": begun_ms + number * step_ms, "state": _STATES[number % len(_STATES)]}


def _ticket(name: str) -> Told:
    about = {"contact_id": name, "queue": "queue-1", "channel": "mail"}
    yield about | {"type": "ticket.opened", "occurred_at": END_MS - HOUR_MS, "due_at": END_MS + HOUR_MS}
    yield about | {"type": "ticket.replied", "occurred_at": END_MS - MINUTE_MS}


def _record(name: str) -> Told:
    times = {"queued_at": END_MS - 400_000, "queue_exited_at": END_MS - 390_000, "occurred_at": END_MS, "updated_at": END_MS}
    spent = {"wait_seconds": 10, "talk_seconds": 350.5, "hold_seconds": 20, "wrap_seconds": 19.5, "resolved": True}
    yield {"type": "contact.record", "contact_id": name, "queue": "queue-1", "channel": "voice", "outcome": "answered"} | times | spent


_KINDS: Final[dict[str, Callable[[str], Told]]] = {
    "agent, on the staff with a shift": lambda name: _agent(name, states=False),
    f"agent, with a working day of {_SHIFT_HOURS * _CONTACTS_AN_HOUR * len(_STATES)} states too": lambda name: _agent(name, states=True),
    "open ticket, replied to": _ticket,
    "contact record that can be replaced": _record,
}


def _measured(told: Callable[[str], Told], count: int) -> Held:
    """All that an engine holds with so many of them; rows of every kind."""
    settings = Settings(partitions=1)
    engine = Engine(0, EngineConfig(app_id="bench", worker="bench", topics=settings.topics, partitions=1))
    sizes: dict[int, int] = {}
    gc.collect()
    tracemalloc.start()
    for number in range(count):
        events = enumerate(told(f"1f5524534c01-{number:06}"))
        values = [orjson.dumps(body | {"event_id": f"{number}-{at}", "partner_id": "acme"}) for at, body in events]
        topic = settings.topics.interactions
        begin = engine.applied.get(topic, 0)
        records = [Record(topic, 0, begin + at, END_MS, b"acme", value) for at, value in enumerate(values)]
        finish(engine.apply(topic, begin, records, END_MS))
    for at_ms in range(END_MS, END_MS + HOUR_MS + 1, 5 * MINUTE_MS):
        for topic in settings.topics.subscribed:
            engine.idle(topic, at_ms)
        finish(engine.advance())
        commit = engine.drain(at_ms, _UNBOUND)
        # By the hash of their keys, so that nothing else is held than what the engine holds, but for two numbers a row.
        sizes.update((hash(key), 0 if value is None else len(key) + len(value)) for key, value in (commit.rows if commit else ()))
    commit = None
    gc.collect()
    memory = tracemalloc.get_traced_memory()[0] - _NUMBERS_BYTES * len(sizes)
    tracemalloc.stop()
    return Held(memory, sum(size > 0 for size in sizes.values()), sum(sizes.values()))


def held(told: Callable[[str], Told]) -> Held:
    """What one more takes."""
    few, many = _measured(told, _FEW), _measured(told, _MANY)
    return Held(*((more - less) / (_MANY - _FEW) for less, more in zip(few, many, strict=True)))


def table() -> str:
    """What the page says."""
    lines = ["| one more | memory, bytes | rows | rows at rest, bytes |", "| --- | --- | --- | --- |"]
    for name, told in _KINDS.items():
        one = held(told)
        lines.append(f"| {name} | {one.memory_bytes:,.0f} | {one.rows:.1f} | {one.row_bytes:,.0f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
