"""Contact history: what customers cost in memory, rows and CPU seconds; of one partition in memory, without Kafka.

    python -m bench.history [CUSTOMERS]

So many customers of one partner are in contact within the nine days that are kept for a week's repeat window, a fifth of the contacts
by somebody who was there before.
"""

import gc
import os
import random
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from time import process_time
from typing import Any, Final

from bench.crew import resident_bytes
from models.kpis.history import LATE_MS
from models.measures import Family
from models.windows import DAY_MS, QUARTER_MS
from streams.engine import rows
from streams.engine.cells import Cell
from streams.engine.history import History
from streams.engine.visitors import Visitors
from streams.engine.visits import entry_of

__all__ = ["Cost", "cost", "table"]

_WINDOW_MS: Final = 7 * DAY_MS
_BEGIN_MS: Final = 1_790_035_200_000
"""A midnight of UTC."""
_SLOTS: Final = (_WINDOW_MS + LATE_MS) // QUARTER_MS
_AGAIN: Final = 0.2


@dataclass(slots=True)
class _Completed:
    """What is read of an event."""

    customer_key: str
    root_contact_id: str
    reason: str
    contact_id: str | None = None
    event_id: str = ""


@dataclass(frozen=True, slots=True)
class Cost:
    """What was measured."""

    customers: int
    visits: int
    state_bytes: int
    """Of memory."""
    rows: int
    row_bytes: int
    taking_seconds: float
    """Of CPU, as all that follow."""
    settling_seconds: float
    writing_seconds: float
    loading_seconds: float
    judging_seconds: float
    """Of the first of nine days, and looking at the customers of the others."""


class _Watch:
    """CPU seconds by name."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def time(self, name: str, function: Callable[[], Any]) -> Any:
        begun = process_time()
        found = function()
        self.seconds[name] = self.seconds.get(name, 0.0) + process_time() - begun
        return found


def _events(draw: random.Random, count: int, slot: int, first: int) -> Iterator[tuple[_Completed, int]]:
    for number in range(first, first + count):
        customer = draw.randrange(number) if number and draw.random() < _AGAIN else number
        at_ms = _BEGIN_MS + slot * QUARTER_MS + draw.randrange(QUARTER_MS)
        yield _Completed(f"customer-{customer:023}", f"contact-{number:010}", f"reason-{number % 12}"), at_ms


def cost(customers: int) -> Cost:
    """Fill nine days, start anew from the rows, and let a day go by."""
    visits, draw, watch = round(customers / (1 - _AGAIN)), random.Random(1), _Watch()
    stored: dict[bytes, bytes] = {}
    before = _resident()
    history = History(2 * visits)
    visitors = history.of("acme")
    place = history.place("acme", Cell(Family.HISTORY, "billing", "voice", _WINDOW_MS, 0))
    done = 0
    for slot in range(_SLOTS):
        count = visits * (slot + 1) // _SLOTS - done
        closed_ms, events = _BEGIN_MS + slot * QUARTER_MS, list(_events(draw, count, slot, done))
        done += count

        watch.time("take", partial(_take, visitors, events, place, closed_ms))
        watch.time("settle", partial(visitors.settle, closed_ms + QUARTER_MS))
        history.take_counts()
        for key, value in watch.time("write", partial(_drained, history, slot + 1, closed_ms + QUARTER_MS)):
            if value is None:
                del stored[key]
            else:
                stored[key] = value
    state_bytes = _resident() - before - sum(map(len, stored.values()))
    end_ms = _BEGIN_MS + _SLOTS * QUARTER_MS
    again = watch.time("load", lambda: _loaded(stored, end_ms))
    if again.snapshot() != history.snapshot():
        msg = "what was loaded is not what was written"
        raise RuntimeError(msg)
    del again
    watch.time("judge", lambda: visitors.mature(end_ms + DAY_MS, "UTC"))
    sizes = len(stored), sum(len(key) + len(value) for key, value in stored.items())
    return Cost(customers, visits, state_bytes, *sizes, *(watch.seconds[name] for name in ("take", "settle", "write", "load", "judge")))


def _take(visitors: Visitors, events: list[tuple[_Completed, int]], place: int, closed_ms: int) -> None:
    for event, at_ms in events:
        visitors.tell(entry_of(event, at_ms, place), at_ms, closed_ms)


def _drained(history: History, sequence: int, now_ms: int) -> list[tuple[bytes, bytes | None]]:
    return list(history.drain(sequence, now_ms))


def _loaded(stored: dict[bytes, bytes], closed_ms: int) -> History:
    history = History(2**40)
    parts = sorted(((rows.unpack_key(key), value) for key, value in stored.items()), key=lambda row: row[0][0], reverse=True)
    for (kind, *key), value in parts:  # Places come before history.
        if kind == "place":
            history.load_place(key[0], rows.unpack([kind, *key], value))
        else:
            slot, chunk = key
            history.load(slot, chunk, value[rows.PREFIX_BYTES :])
    history.loaded({"acme": closed_ms})
    return history


def _resident() -> int:
    gc.collect()
    return resident_bytes(os.getpid())


def table(each: Cost) -> str:
    """What the page says."""
    lines = {
        "memory, MB": f"{each.state_bytes / 1e6:,.0f}",
        "memory of a contact, bytes": f"{each.state_bytes / each.visits:,.0f}",
        "rows at rest": f"{each.rows:,}",
        "rows at rest, MB": f"{each.row_bytes / 1e6:,.0f}",
        "CPU to take a contact, µs": f"{1e6 * each.taking_seconds / each.visits:.2f}",
        "CPU to count it when its quarter hour is over, µs": f"{1e6 * each.settling_seconds / each.visits:.2f}",
        "CPU to write its row, µs": f"{1e6 * each.writing_seconds / each.visits:.2f}",
        "CPU to restore all, s": f"{each.loading_seconds:.2f}",
        "CPU to judge a day at midnight, s": f"{each.judging_seconds:.2f}",
    }
    head = f"| {each.customers:,} customers, {each.visits:,} contacts in nine days | |\n| --- | --- |\n"
    return head + "\n".join(f"| {name} | {value} |" for name, value in lines.items())


if __name__ == "__main__":
    sys.stdout.write(table(cost(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)) + "\n")
