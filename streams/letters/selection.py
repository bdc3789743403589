"""Which letters are meant, and which of them can go back. Pure."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from models.reasons import RejectReason
from models.topics import Topics
from streams.letters.letter import Coordinates, Letter

__all__ = ["NoReplay", "Selection", "hindrance"]


class NoReplay(StrEnum):
    """Why a letter is not replayed."""

    REPLAYED = "replayed"
    """It was, and its event may count by now: a second time would count it twice once its id is forgotten."""
    CUT = "cut"
    """Its value was over 900 kB, and the rest is lost. Send the record again from the source."""
    NOT_A_SOURCE = "not_a_source"
    """It comes from no `cx.*` topic: apply a corrected policy instead, an old one would undo a newer."""
    NO_PARTNER = "no_partner"
    """Neither its key nor its value names a partner, so it belongs to no partition."""
    UNREADABLE = "unreadable"
    """The same bytes are no event in any release: null, not UTF-8, or not JSON. Send it again from the source."""


_NO_EVENT: Final = frozenset({RejectReason.NULL, RejectReason.UTF8, RejectReason.JSON})


@dataclass(frozen=True, slots=True)
class Selection:
    """All that is named must fit."""

    reasons: frozenset[str] = frozenset()
    """Any of these; none named is every reason."""
    source: str | None = None
    """The topic that the record was read from."""
    partner: str | None = None
    since_ms: int | None = None
    """When it failed, inclusive; in epoch milliseconds."""
    until_ms: int | None = None
    """Exclusive."""
    at: Coordinates | None = None
    """Of the letter, or of the record that it tells of."""

    def takes(self, letter: Letter) -> bool:
        """Whether `letter` is meant."""
        return (
            (not self.reasons or letter.reason in self.reasons)
            and self.source in {None, letter.source.topic}
            and (self.since_ms is None or letter.failed_at_ms >= self.since_ms)
            and (self.until_ms is None or letter.failed_at_ms < self.until_ms)
            and self.partner in {None, letter.partner}
            and self.at in {None, letter.at, letter.source}
        )


def hindrance(letter: Letter, topics: Topics) -> NoReplay | None:
    """Why `letter` cannot go back, as far as it says so itself; None if it can."""
    if letter.source.topic not in topics.sources:
        return NoReplay.NOT_A_SOURCE
    if letter.reason in _NO_EVENT:
        return NoReplay.UNREADABLE
    if letter.cut:
        return NoReplay.CUT
    return NoReplay.NO_PARTNER if letter.partner is None else None
