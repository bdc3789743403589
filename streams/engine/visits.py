"""Visits: the handled contacts of one customer, and which of them are repeats, whatever the order in which they were told.

A customer's visits are bytes, 24 a visit, in order of time. What they count is a pure function of them: a transfer chain is one visit,
its first; a visit within the repeat window after the one before it is a repeat; one that another follows within the window, for the
same reason where both are known, is followed. The window is that of the definition under which the visit itself was counted.
"""

from collections.abc import Iterator, Mapping
from struct import Struct
from typing import Any, Final, NamedTuple
from zlib import crc32

from xxhash import xxh3_64_intdigest

from models.windows import GRID_MS, QUARTER_MS
from streams.engine.cells import Cell
from streams.engine.panes import PaneStore

__all__ = [
    "ENTRY",
    "TAKEN_BACK",
    "VISITS_MAX",
    "VISIT_BYTES",
    "Counts",
    "Place",
    "Visit",
    "by_pane",
    "changed",
    "count",
    "entry_of",
    "firsts",
    "inserted",
    "judge",
    "judge_alone",
    "one_more",
    "removed",
    "taken_back",
    "unpacked",
]

ENTRY: Final = Struct(">QQQII")
"""Customer, time (ms), chain, reason, place: hashes, except time and place. Big-endian, so that bytes are in the order of time."""
_VISIT: Final = Struct(">QQII")
"""The same without the customer."""
VISIT_BYTES: Final = _VISIT.size
TAKEN_BACK: Final = 1 << 31
"""In an entry's place: the visit was none after all."""
VISITS_MAX: Final = 32
"""Of a customer; the newest are kept."""
_IDENTIFIED, _REPEATS, _MATURED, _FOLLOWED = range(4)
"""Measures of the history's family."""

Counts = dict[tuple[int, int], list[int]]
"""By place and quarter hour (its start, ms), a vector of the history's family; as a difference it may be less than nothing."""
unpacked = _VISIT.iter_unpack
"""Of visits, each as (time, chain, reason, place)."""
_pack = ENTRY.pack


class Place(NamedTuple):
    """Where visits count."""

    partner_id: str
    cell: Cell
    """`within_ms` is its repeat window."""


class Visit(NamedTuple):
    """The first of a chain."""

    at_ms: int
    reason: int
    """0 where it is not known."""
    place: int


def entry_of(event: Any, at_ms: int, place: int) -> bytes:
    """The entry of an event with a `customer_key`; what names neither chain nor contact is a chain of its own."""
    chain, reason = event.root_contact_id or event.contact_id or event.event_id, event.reason
    return _pack(
        xxh3_64_intdigest(event.customer_key.encode()),
        at_ms,
        xxh3_64_intdigest(chain.encode()),
        0 if reason is None else crc32(reason.encode()) or 1,
        place,
    )


def taken_back(entry: bytes) -> tuple[bytes, int]:
    """The entry that says that there was no such visit, and the visit's time."""
    customer, at_ms, chain, reason, place = ENTRY.unpack(entry)
    return _pack(customer, at_ms, chain, reason, place | TAKEN_BACK), at_ms


def inserted(visits: bytes, visit: bytes) -> bytes:
    """The visits with one more, in order."""
    at = len(visits)
    while at and visits[at - VISIT_BYTES : at] > visit:
        at -= VISIT_BYTES
    return visits[:at] + visit + visits[at:]


def removed(visits: bytes, visit: bytes) -> bytes:
    """The visits without this one; as they are, if it is not among them."""
    for at in range(0, len(visits), VISIT_BYTES):
        if visits[at : at + VISIT_BYTES] == visit:
            return visits[:at] + visits[at + VISIT_BYTES :]
    return visits


def firsts(visits: bytes) -> list[Visit]:
    """The first visit of each chain, in order of time."""
    chains: set[int] = set()
    found: list[Visit] = []
    for at_ms, chain, reason, place in unpacked(visits):
        if chain not in chains:
            chains.add(chain)
            found.append(Visit(at_ms, reason, place))
    return found


def count(counts: Counts, visit: Visit, measure: int, by: int) -> None:
    """Count something of a visit."""
    at = visit.place, visit.at_ms - visit.at_ms % QUARTER_MS
    vector = counts.get(at)
    if vector is None:
        vector = counts[at] = [0, 0, 0, 0]
    vector[measure] += by


def _counted(visits: bytes, places: Mapping[int, Place]) -> Iterator[tuple[Visit, int]]:
    before_ms: int | None = None
    for visit in firsts(visits):
        yield visit, _IDENTIFIED
        if before_ms is not None and visit.at_ms - before_ms <= places[visit.place].cell.within_ms:
            yield visit, _REPEATS
        before_ms = visit.at_ms


def changed(counts: Counts, was: bytes, now: bytes, places: Mapping[int, Place]) -> None:
    """Count what visits count `now` in place of what they did."""
    for visits, by in ((was, -1), (now, 1)):
        for visit, measure in _counted(visits, places):
            count(counts, visit, measure, by)


def one_more(counts: Counts, visits: bytes, visit: Visit, chain: int, places: Mapping[int, Place]) -> None:
    """As `changed`, where one visit comes behind all that are known, as most do."""
    if any(chain == each for _, each, _, _ in unpacked(visits)):
        return
    count(counts, visit, _IDENTIFIED, 1)
    if visits and visit.at_ms - firsts(visits)[-1].at_ms <= places[visit.place].cell.within_ms:
        count(counts, visit, _REPEATS, 1)


def judge(counts: Counts, visits: bytes, before_ms: int, places: Mapping[int, Place]) -> None:
    """Count of the visits before `before_ms` whether they were followed; all that may follow them must be known."""
    found = firsts(visits)
    for number, visit in enumerate(found, 1):
        if visit.at_ms >= before_ms:
            break
        count(counts, visit, _MATURED, 1)
        window_ms = places[visit.place].cell.within_ms
        for later in found[number:]:
            if later.at_ms - visit.at_ms > window_ms:
                break
            if not visit.reason or not later.reason or visit.reason == later.reason:
                count(counts, visit, _FOLLOWED, 1)
                break


def judge_alone(counts: Counts, visits: bytes) -> None:
    """As `judge`, of the only visit of a customer: part of the way of every midnight."""
    at_ms, _, _, place = _VISIT.unpack(visits)
    at = place, at_ms - at_ms % QUARTER_MS
    vector = counts.get(at)
    if vector is None:
        vector = counts[at] = [0, 0, 0, 0]
    vector[_MATURED] += 1


def by_pane(counts: Counts, panes: PaneStore) -> Counts:
    """The same by place and pane (its start, ms): that at the end of each quarter hour."""
    grouped: Counts = {}
    for (number, quarter_ms), vector in counts.items():
        start_ms, _ = panes.span(quarter_ms + QUARTER_MS - GRID_MS)
        have = grouped.get((number, start_ms))
        grouped[number, start_ms] = vector if have is None else [one + other for one, other in zip(have, vector, strict=True)]
    return grouped
