"""How far a partition is done with: the offset that is committed, and in the words beside it what is finished further on.

One receiver that does not answer holds the offset back. Without these words whoever goes on from there would send everything again
that others had taken since, unless Redis remembers it. Kafka keeps up to 4096 bytes of them with an offset.
"""

from typing import Final, NamedTuple, Self

__all__ = ["Progress"]

_WORDS_MAX: Final = 4000


class Progress(NamedTuple):
    """Everything under `offset` is finished, and under `seen` all but these."""

    offset: int
    seen: int
    unfinished: frozenset[int] = frozenset()

    def words(self) -> str:
        """To be committed with the offset: `seen`, and the distances of what is unfinished; less is seen where there is no room."""
        said, seen = [], self.seen
        room = _WORDS_MAX - len(str(self.seen)) - 1
        for each in sorted(self.unfinished):
            distance = str(each - self.offset)
            room -= len(distance) + 1
            if room < 0:
                seen = each
                break
            said.append(distance)
        return f"{seen}:{','.join(said)}"

    @classmethod
    def of(cls, offset: int, words: str) -> Self:
        """What was committed; words that make no sense say nothing."""
        try:
            seen, _, said = words.partition(":")
            found = cls(offset, int(seen), frozenset(offset + int(each) for each in said.split(",") if each))
        except ValueError:
            return cls(offset, offset)
        return found if found.seen >= offset else cls(offset, offset)
