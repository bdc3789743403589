"""A live load: the contacts of `bench.load` at a steady rate, without an end, for a tenth of what it takes to make them one by one.

Some contacts are made once, as templates, and come again and again: with other ids, at other times. What reaches over the end of a
round goes on in the next, so the load is steady from the first second on.
"""

import asyncio
import random
from collections.abc import Callable, Iterator, Sequence
from heapq import merge
from typing import Final, NamedTuple

import orjson

from bench.load import DUPLICATES, PARTNERS, contact_events
from models.clock import now_ms
from streams.produce import Feed

__all__ = ["CONTACTS", "EVERYBODY", "Event", "Live", "play"]

CONTACTS: Final = 16_000
"""Of a round: some 50,000 events, 30 MB."""
EVERYBODY: Final = tuple(f"partner-{number:03}" for number in range(PARTNERS))
_FIRST_NUMBER: Final = 1_000_000_000
_FLUSH_SECONDS: Final = 0.02
_FLUSH_EVENTS: Final = 2_000


class Event(NamedTuple):
    """To be written at `at_ms`."""

    at_ms: int
    partner: str
    value: bytes
    counts: bool
    """Not so for a second delivery."""


class _Template(NamedTuple):
    """An event of every round."""

    at_ms: int
    """When it is written, after the round began."""
    began_ms: int
    """When its contact's round began, after this one: 0 or before."""
    occurred_ms: int
    """After its contact's round began."""
    number: int
    """Of its contact, if that began in the first round."""
    partner: str
    form: bytes
    counts: bool


class Live:
    """`per_second` events a second of the partners `names`, drawn evenly.

    Args:
        seed: another one for another load of the same partners, so that ids differ.
        contacts: of a round.
    """

    def __init__(self, per_second: float, names: Sequence[str] = EVERYBODY, *, seed: int = 1, contacts: int = CONTACTS) -> None:
        self._contacts = contacts
        made = list(_forms(random.Random(seed), names, contacts))
        self._round_ms = round_ms = max(1, round(1000 * len(made) / per_second))
        self._templates: list[_Template] = []
        for number, partner, after_ms, delay_ms, form, counts in made:
            occurred_ms = number * round_ms // contacts + after_ms
            rounds, at_ms = divmod(occurred_ms + delay_ms, round_ms)
            first = _FIRST_NUMBER * seed - rounds * contacts
            self._templates.append(_Template(at_ms, -rounds * round_ms, occurred_ms, first + number, partner, form, counts))
        self._templates.sort()

    def events(self, start_ms: int) -> Iterator[Event]:
        """In the order of their arrival, from `start_ms` on, for ever."""
        shift = 0
        while True:
            for at_ms, began_ms, occurred_ms, number, partner, form, counts in self._templates:
                contact, occurred = number + shift, start_ms + began_ms + occurred_ms
                yield Event(start_ms + at_ms, partner, form % (contact, occurred, contact, contact), counts)
            start_ms += self._round_ms
            shift += self._contacts


def _forms(draw: random.Random, names: Sequence[str], contacts: int) -> Iterator[tuple[int, str, int, int, bytes, bool]]:
    """(contact, partner, occurred ms after the contact began, delay until it is written, form, whether it counts)."""
    for number in range(contacts):
        partner = draw.choice(names)
        for event in contact_events(draw, partner, 0, 0):
            form = (
                orjson.dumps(event | {"occurred_at": 0})
                .replace(b'-0000000000"', b'-%010d"')
                .replace(b'"occurred_at":0', b'"occurred_at":%d')
            )
            delay_ms = draw.randrange(50, 1_500)
            yield number, partner, event["occurred_at"], delay_ms, form, True
            if draw.random() < DUPLICATES:
                yield number, partner, event["occurred_at"], delay_ms + draw.randrange(1, 5_000), form, False


async def play(feed: Feed, loads: Sequence[Live], seconds: float, on_written: Callable[[list[Event]], None]) -> int:
    """Write loads as time goes by; returns the ms by which the slowest write was behind its time.

    Args:
        on_written: is told of events when they have been handed to the client, in order, each once.
    """
    now = start_ms = now_ms()
    end_ms, behind_ms = start_ms + round(1000 * seconds), 0
    batch: list[Event] = []
    for event in merge(*(load.events(start_ms) for load in loads)):
        if event.at_ms > now or len(batch) == _FLUSH_EVENTS:
            if batch:
                behind_ms = max(behind_ms, now_ms() - batch[0].at_ms)
                on_written(batch)
                await feed.flush()
                batch = []
            while (now := now_ms()) < min(event.at_ms, end_ms):  # noqa: ASYNC110 - it is the time that is waited for
                await asyncio.sleep(_FLUSH_SECONDS)
        if event.at_ms >= end_ms:
            break
        feed.put("interactions", event.partner, event.value)
        batch.append(event)
    return behind_ms
