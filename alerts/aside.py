"""What stands beside a condition and never changes it: why its pages wait, who looks after it, what was said of it.

A page waits while the set of reasons is not empty. When it empties while the alert fires, a change of kind `suppression_ended` tells so,
once; what resolves passes at any time, and takes a waiting page with it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

from alerts import reason
from alerts.condition import Change, ChangeKind, Condition, Phase
from alerts.errors import RowFormatError
from alerts.flapping import flapping
from models.reasons import SuppressReason
from models.records import Ack, Comment

__all__ = ["COMMENTS_MAX", "NOTHING", "ROW_FORMAT", "Aside", "commented", "step"]

COMMENTS_MAX: Final = 10
ROW_FORMAT: Final = 1

_ORDER: Final = {each: at for at, each in enumerate(SuppressReason)}
RISES: Final = frozenset({ChangeKind.FIRED, ChangeKind.ESCALATED})
"""What somebody is paged for."""


@dataclass(frozen=True, slots=True)
class Aside:
    """Built without arguments there is nothing beside the condition, and no row."""

    reasons: tuple[SuppressReason, ...] = ()
    """Why pages wait now, in the order of the members."""
    waited: tuple[SuppressReason, ...] = ()
    """All the reasons since the page waits; empty where none does. A recovering alert's page may wait for no reason any more."""
    ack: Ack | None = None
    comments: tuple[Comment, ...] = ()
    head_ms: int = 0
    """Up to where the past was to be caught up on when it fired, or worse; 0 where it did so in time."""
    flips: tuple[int, ...] = ()
    """When it fired and resolved of late, and whether that is too often: see `alerts.flapping`. They outlive episodes."""
    flaps: bool = False

    def to_row(self, condition: Condition) -> list[Any]:
        """A list of what JSON can hold, the format's number first."""
        return [
            ROW_FORMAT,
            condition.partner,
            condition.rule_id,
            condition.scope,
            self.reasons,
            self.waited,
            self.ack and self.ack.model_dump(mode="json"),
            [each.model_dump(mode="json") for each in self.comments],
            self.head_ms,
            self.flips,
            self.flaps,
        ]

    @classmethod
    def from_row(cls, row: list[Any]) -> "tuple[str, str, str, Aside]":
        """The partner, the rule's id, the scope and what `to_row` was of.

        Raises:
            RowFormatError: if the row is of another format.
        """
        if row[0] != ROW_FORMAT:
            msg = f"what stands beside a condition has format {row[0]!r}, this release reads {ROW_FORMAT}"
            raise RowFormatError(msg)
        _, partner, rule_id, scope, reasons, waited, ack, comments, head_ms, flips, flaps = row
        aside = cls(
            reasons=tuple(map(SuppressReason, reasons)),
            waited=tuple(map(SuppressReason, waited)),
            ack=ack and Ack.model_validate(ack),
            comments=tuple(map(Comment.model_validate, comments)),
            head_ms=head_ms,
            flips=tuple(flips),
            flaps=flaps,
        )
        return partner, rule_id, scope, aside


NOTHING: Final = Aside()


def commented(aside: Aside, comment: Comment) -> Aside:
    """The same with one more comment; the oldest goes where there are too many."""
    return replace(aside, comments=(*aside.comments, comment)[-COMMENTS_MAX:])


def step(
    aside: Aside, condition: Condition, changes: tuple[Change, ...], found: frozenset[SuppressReason], at_ms: int, head_ms: int = 0
) -> tuple[Aside, tuple[Change, ...]]:
    """What stands beside `condition` after the grid point `at_ms`, and the change that tells that a suppression ended, if one did.

    Args:
        aside: what stood there before.
        condition: as it was judged at `at_ms`.
        changes: what that changed of it.
        found: why a page would wait now, but for `late` and `flapping`; counts only while the condition is open.
        at_ms: the grid point.
        head_ms: before this the past is only caught up on: what fires there is late up to it, and no longer, however slow we are.
    """
    kinds = {change.kind for change in changes}
    if ChangeKind.RETIRED in kinds:
        return NOTHING, ()
    flipped = ChangeKind.FIRED in kinds or ChangeKind.RESOLVED in kinds
    flips, flaps = flapping(aside.flips, aside.flaps, flipped, at_ms) if aside.flips or flipped else ((), False)
    if condition.phase is Phase.OK or ChangeKind.FIRED in kinds:
        aside = Aside()
    if (flips, flaps) != (aside.flips, aside.flaps):
        aside = replace(aside, flips=flips, flaps=flaps)
    if not condition.open:
        return (replace(aside, reasons=(), waited=(), head_ms=0) if aside.waited else aside), ()
    aside = _present(aside, kinds, at_ms, head_ms)
    if at_ms < aside.head_ms:
        found |= {SuppressReason.LATE}
    if flaps:
        found |= {SuppressReason.FLAPPING}
    reasons = _ordered(found)
    waited = _ordered({*aside.waited, *reasons})
    if not reasons and waited and condition.phase is Phase.FIRING:
        phase, why = condition.phase, f"no longer {', '.join(waited)}"
        ended = Change(ChangeKind.SUPPRESSION_ENDED, phase, condition, reason.line(phase, phase, why), at_ms, waited)
        return replace(aside, reasons=(), waited=()), (ended,)
    same = reasons == aside.reasons and waited == aside.waited
    return (aside if same else replace(aside, reasons=reasons, waited=waited)), ()


def _present(aside: Aside, kinds: set[ChangeKind], at_ms: int, head_ms: int) -> Aside:
    """Without what is over at `at_ms`."""
    if kinds & RISES:
        aside = replace(aside, head_ms=head_ms if at_ms < head_ms else 0)
    elif aside.head_ms and aside.head_ms <= at_ms:
        aside = replace(aside, head_ms=0)
    ack = aside.ack
    if ack is not None and (ChangeKind.ESCALATED in kinds or (ack.until is not None and ack.until <= at_ms)):
        aside = replace(aside, ack=None)
    return aside


def _ordered(reasons: Iterable[SuppressReason]) -> tuple[SuppressReason, ...]:
    return tuple(sorted(reasons, key=_ORDER.__getitem__))
