"""Sources that say that they live: when each did, so that a partner's silence differs from that of the connector that brings its events.

Kept is not when a source last spoke but the spells in which it never stopped for 90 s. So what is known of it at a grid point is the
same whether its topic was read up to that time or far beyond, and a worker that takes over knows what the one before knew.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from models.sources import SILENT_AFTER_MS, Voice, voice
from models.windows import DAY_MS
from streams.engine import rows

__all__ = ["Heard", "Sources", "Spell"]

_GONE_AFTER_MS: Final = 7 * DAY_MS
"""A source that is silent for so long is no more."""
_SPELLS_MAX: Final = 16


class Spell(NamedTuple):
    """From the first to the last that was heard, never with more than 90 s in between."""

    since_ms: int
    last_ms: int


class Heard(NamedTuple):
    """What is known at some time of the source of a partner's contacts."""

    voice: Voice
    since_ms: int = 0
    """Since when all that lives does; 0 where nothing does."""


_NOTHING: Final = Heard(Voice.UNDECLARED)


class _Known(NamedTuple):
    """What is known at a time, which all partners that are closed by then ask for."""

    at_ms: int
    alive: Mapping[str, bool]
    since: Mapping[str, int]
    """Of those that live."""
    unnamed: Heard

    def of(self, named: str | None) -> Heard:
        """Of a partner's source."""
        return self.unnamed if named is None else Heard(voice(self.alive, named), self.since.get(named, 0))


def _turns_ms(spells: tuple[Spell, ...], after_ms: int) -> int | None:
    """When a source becomes different next: in time the newest spell is mostly the one to look at."""
    next_ms = None
    for spell in reversed(spells):
        if spell.since_ms <= after_ms:
            turns = spell.last_ms + SILENT_AFTER_MS + 1, spell.last_ms + _GONE_AFTER_MS + 1
            ahead = [turn for turn in turns if turn > after_ms and (next_ms is None or turn < next_ms)]
            return min(ahead, default=next_ms)
        next_ms = spell.since_ms
    return next_ms


class Sources:
    """Of one partition number."""

    __slots__ = ("_changed", "_contacts", "_dropped", "_gaps", "_known", "_limit", "held")

    def __init__(self, contacts: str = "", limit: int = 0) -> None:
        self._contacts = contacts
        self._limit = limit
        self.held: dict[tuple[str, str], tuple[Spell, ...]] = {}
        """By topic and name, the last spells in their order."""
        self._changed: set[tuple[str, str]] = set()
        self._gaps = 0
        self._dropped = 0
        self._known: _Known | None = None

    def hear(self, topic: str, name: str, at_ms: int) -> bool:
        """A source spoke; whether it was not known to live before."""
        spells = self.held.get((topic, name), ())
        if not spells and len(self.held) >= self._limit:
            self._dropped += 1
            return False
        last = spells[-1] if spells else Spell(0, 0)
        if at_ms <= last.last_ms:
            return False
        goes_on = at_ms - last.last_ms <= SILENT_AFTER_MS
        spell = Spell(last.since_ms if goes_on else at_ms, at_ms)
        self.held[topic, name] = (*(spells[:-1] if goes_on else spells), spell)[-_SPELLS_MAX:]
        self._changed.add((topic, name))
        self._known = None
        self._gaps += bool(spells) and not goes_on
        return not goes_on

    def of(self, named: str | None, at_ms: int) -> Heard:
        """What is known at `at_ms` of a partner's source, which the policy may have `named`."""
        if not self.held:
            return _NOTHING
        known = self._known
        if known is None or known.at_ms != at_ms:
            known = self._known = self._at(at_ms)
        return known.of(named)

    def _at(self, at_ms: int) -> _Known:
        alive, since = {}, {}
        for (topic, name), spell, lives in self.at(at_ms):
            if topic == self._contacts:
                alive[name] = lives
                if lives:
                    since[name] = spell.since_ms
        return _Known(at_ms, alive, since, Heard(voice(alive, None), max(since.values(), default=0)))

    def turns_ms(self, after_ms: int) -> int | None:
        """When that becomes different next, by what was heard so far; None if it does not."""
        turns = [_turns_ms(spells, after_ms) for (topic, _), spells in self.held.items() if topic == self._contacts]
        return min((turn for turn in turns if turn is not None), default=None)

    def at(self, at_ms: int) -> Iterator[tuple[tuple[str, str], Spell, bool]]:
        """Each that ever spoke by then: its topic and name, its last spell, and whether it lives."""
        for place, spells in self.held.items():
            spell = next((each for each in reversed(spells) if each.since_ms <= at_ms), None)
            if spell is not None and at_ms - spell.last_ms <= _GONE_AFTER_MS:
                yield place, spell, at_ms - spell.last_ms <= SILENT_AFTER_MS

    def of_contacts(self, at_ms: int) -> dict[str, bool]:
        """By name, whether those live that speak on the topic of contacts."""
        return {name: lives for (topic, name), _, lives in self.at(at_ms) if topic == self._contacts}

    def expire(self, at_ms: int) -> None:
        """Forget those that are no more."""
        gone = [place for place, spells in self.held.items() if at_ms - spells[-1].last_ms > _GONE_AFTER_MS]
        for place in gone:
            self._known = None
            del self.held[place]
            self._changed.add(place)

    def take_counts(self) -> tuple[int, int]:
        """How often one lived again that was silent, and how often one was not kept for the limit, since the last call."""
        counts, self._gaps, self._dropped = (self._gaps, self._dropped), 0, 0
        return counts

    def drain(self) -> Iterator[tuple[bytes, bytes | None]]:
        """The rows that changed since the last call."""
        for place in sorted(self._changed):
            spells = self.held.get(place)
            yield rows.key("source", *place), None if spells is None else rows.pack(list(map(list, spells)))
        self._changed.clear()

    def load(self, topic: str, name: str, row: list[Any]) -> None:
        """Take a stored row."""
        self._known = None
        self.held[topic, name] = tuple(Spell(*each) for each in row)
