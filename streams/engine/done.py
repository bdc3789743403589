"""What was done of late: a command that comes twice is answered as it was, and not done again."""

from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

from models.windows import DAY_MS
from streams.engine import rows

__all__ = ["Commands", "Done"]

_KEPT_MS: Final = DAY_MS


class Done(NamedTuple):
    """What came of a command, and when (stream time)."""

    at_ms: int
    outcome: Literal["applied", "refused"]
    reason: str


class Commands:
    """Outcomes by the command's id, for a day."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._done: dict[str, Done] = {}
        """In the order in which they were done."""
        self._changed: set[str] = set()
        self._forgotten_early = 0

    def of(self, identity: str) -> Done | None:
        """What came of a command that was done already."""
        return self._done.get(identity)

    def keep(self, identity: str, done: Done) -> Done:
        """Remember what came of a command; the oldest goes where there are too many."""
        if len(self._done) >= self._limit:
            self._forget(next(iter(self._done)))
            self._forgotten_early += 1
        self._done[identity] = done
        self._changed.add(identity)
        return done

    def take_forgotten(self) -> int:
        """How many were forgotten early since the last call."""
        forgotten, self._forgotten_early = self._forgotten_early, 0
        return forgotten

    def expire(self, frontier_ms: int) -> None:
        """Forget what is older than a day."""
        for identity in [identity for identity, done in self._done.items() if done.at_ms < frontier_ms - _KEPT_MS]:
            self._forget(identity)

    def _forget(self, identity: str) -> None:
        del self._done[identity]
        self._changed.add(identity)

    def drain(self) -> Iterator[tuple[bytes, bytes | None]]:
        """The rows that changed since the last call."""
        for identity in sorted(self._changed):
            done = self._done.get(identity)
            yield rows.key("command", identity), None if done is None else rows.pack([*done])
        self._changed.clear()

    def load(self, identity: str, row: rows.Json) -> None:
        """Take a stored row."""
        self._done[identity] = Done(*row)

    def loaded(self) -> None:
        """Bring the rows into the order in which they were written."""
        self._done = dict(sorted(self._done.items(), key=lambda each: (each[1].at_ms, each[0])))

    def snapshot(self) -> dict[str, Done]:
        """All that rows must bring back."""
        return dict(self._done)
