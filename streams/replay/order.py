"""Events in the order of stream time, from logs whose days are in order but not the rows within them."""

import heapq
import itertools
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta

from models.errors import FileError, Problem
from models.mapping import Mapping
from models.mapping_row import Dropped, EventDict, Place, map_events, row_date
from models.mapping_times import wall_ms
from streams.replay.log_file import LogFile, Row, read_rows
from streams.replay.tally import Tally

__all__ = ["dated", "in_order"]


def dated(logs: Iterable[LogFile], mapping: Mapping, tally: Tally, secret: str | None = None) -> Iterator[tuple[date, EventDict]]:
    """Each event of the logs with a date that no event of the rows to come lies before; the `secret` makes customer keys.

    Raises:
        FileError: if the dates of the rows go back, or a clock time has no date.
    """
    latest: date | None = None
    for log in logs:
        for place, row in read_rows(log, mapping):
            mapped = row if isinstance(row, Dropped) else _mapped(mapping, row, place, log.day, secret)
            if isinstance(mapped, Dropped):
                tally.drop(mapped, place)
                continue
            day, made = mapped
            tally.take(made)
            first_ms = min(event["occurred_at"] for event in made)
            if day is not None:
                if latest is not None and day < latest:
                    what = f"the date goes back from {latest} to {day}"
                    raise FileError([Problem(*place, "date", what, "sort the log by date, and name the files in that order")])
                latest = day
            else:
                # A log of whole timestamps is about in order, like all logs: a day is more than any disorder.
                before = datetime.fromtimestamp(first_ms / 1000, UTC).date() - timedelta(days=1)
                latest = before if latest is None else max(latest, before)
            for event in made:
                yield latest, event


def _mapped(
    mapping: Mapping, row: Row, place: Place, of_file: date | None, secret: str | None
) -> tuple[date | None, tuple[EventDict, ...]] | Dropped:
    day = row_date(mapping, row, of_file)
    if isinstance(day, Dropped):
        return day
    made = map_events(mapping, row, place, day, secret)
    return made if isinstance(made, Dropped) else (day, made)


def in_order(events: Iterable[tuple[date, EventDict]], zone: str) -> Iterator[EventDict]:
    """The events by `occurred_at`; held are those of one day, and what crosses its midnight."""
    held: list[tuple[int, int, EventDict]] = []
    numbers = itertools.count()
    today: date | None = None
    for day, event in events:
        if day != today:
            midnight_ms, today = wall_ms(day, 0, zone), day
            while held and held[0][0] < midnight_ms:
                yield heapq.heappop(held)[2]
        heapq.heappush(held, (event["occurred_at"], next(numbers), event))
    while held:
        yield heapq.heappop(held)[2]
