"""The frontier: up to which stream time everything has been read.

A source's frontier is the highest of its previous value, the Kafka timestamp of its last applied record (never ahead of now), and
the time of the broker's last answer that showed nothing more to read. A partition number's frontier is the lowest of its
sources'. It never goes back and is never the bare wall clock, so after downtime the past is judged as it would have been.

Under `clock: log` it is the lowest `clock.advanced` of the topics that the clock's records name.
"""

from collections.abc import Iterable

__all__ = ["Frontier"]


class Frontier:
    """Of one partition number."""

    __slots__ = ("_clocks", "_fed", "_sources", "from_log", "value_ms")

    def __init__(self, topics: Iterable[str], *, from_log: bool) -> None:
        self.from_log = from_log
        self._sources: dict[str, int] = dict.fromkeys(topics, 0)
        self._clocks: dict[str, int] = {}
        self._fed: set[str] = set()
        self.value_ms = 0
        """0 while some source has not been heard of."""

    def others_ms(self, topic: str) -> int:
        """The lowest frontier of the sources except `topic`: as far as that one alone can move the whole."""
        return min((at for name, at in self._sources.items() if name != topic), default=2**62)

    @property
    def unheard(self) -> list[str]:
        """The sources of which nothing is known yet: neither a record nor that there is none."""
        return [name for name, at in self._sources.items() if at == 0]

    def begin(self, topic: str, at_ms: int) -> None:
        """The first record of `topic` that is read at all is of `at_ms`: nothing of it lies before."""
        if self._sources[topic] == 0:
            self.observe(topic, at_ms)

    def observe(self, topic: str, at_ms: int) -> None:
        """Everything of `topic` before `at_ms` (Kafka time) has been read."""
        if at_ms > self._sources[topic]:
            self._sources[topic] = at_ms
            if not self.from_log:
                self.value_ms = max(self.value_ms, min(self._sources.values()))

    def tick(self, topic: str, to_ms: int, fed: Iterable[str]) -> None:
        """`topic`'s own clock says that everything before `to_ms` has been written (under `clock: log`)."""
        self._fed.update(fed)
        self._clocks[topic] = max(to_ms, self._clocks.get(topic, 0))
        self.value_ms = max(self.value_ms, min(self._clocks.get(name, 0) for name in self._fed))

    def clock_ms(self, topic: str) -> int:
        """What `topic`'s own clock said last (under `clock: log`); 0 while it said nothing."""
        return self._clocks.get(topic, 0)

    @property
    def arrival_ms(self) -> int:
        """Kafka time up to which everything has arrived, whatever the clock; seen ids expire by it."""
        if not self.from_log:
            return self.value_ms
        return min((self._sources.get(name, 0) for name in self._fed), default=0)

    def to_row(self) -> list[object]:
        """What the state keeps."""
        return [self.value_ms, self._sources, self._clocks, sorted(self._fed)]

    def load(self, row: list[object]) -> None:
        """Take what the state kept; sources of this release that it does not know begin at 0."""
        value, sources, clocks, fed = row
        assert isinstance(value, int)
        assert isinstance(sources, dict)
        assert isinstance(clocks, dict)
        assert isinstance(fed, list)
        self.value_ms = value
        self._sources.update({name: at for name, at in sources.items() if name in self._sources})
        self._clocks = clocks
        self._fed = set(fed)
