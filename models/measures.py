"""Measures: the additive integers that events count and KPIs are computed from.

A cell (partner, queue, channel, counting basis) of a pane holds one vector of integers a family. Durations are whole
milliseconds; squares are whole seconds squared, rounded down for each event, so that they fit. Points of evaluations are whole
thousandths, and their squares exact. Being integers, any order and any split give the same figure, and what was added can be
subtracted. Within a family measures are appended, never reordered, and families behind the others: stored rows name both by
position (`LAYOUT`).
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import IntEnum
from itertools import accumulate, compress
from typing import Final

__all__ = ["FAMILIES", "LAYOUT", "NAMES", "OFFSETS", "SIZE", "WIDTHS", "Family", "M", "flat_zero", "from_names", "to_names", "total"]

LAYOUT: Final = 3
"""The version of the positions below; a release reads its own and the previous one."""

RATING_MAX: Final = 10
"""Ratings are kept exactly, one bin for each whole score from 0 to this."""

_INTERACTIONS: Final = (
    "arrivals",  # queued, or answered without queueing
    "answered",
    "answered_within",  # within the definition's threshold
    "answered_wait_ms",
    "answered_wait_s2",
    "abandoned",
    "abandoned_within",  # within the service level threshold
    "abandoned_short",  # within the short-abandon limit
    "abandoned_wait_ms",
    "abandoned_wait_s2",
    "handled",
    "talk_ms",
    "hold_ms",
    "wrap_ms",
    "handle_s2",
    "hold_s2",
    "held",
    "transferred",
    "escalated",
    "resolved",
    "resolved_answers",
    "left",
    "not_queued",
    "expired",  # live contacts that never closed
)

_SURVEYS: Final = (
    "csat_off_scale",
    "nps_off_scale",
    "ces_off_scale",
    "csat_invited",
    "nps_invited",
    "ces_invited",
    *(f"csat_{score}" for score in range(RATING_MAX + 1)),
    *(f"nps_{score}" for score in range(RATING_MAX + 1)),
    *(f"ces_{score}" for score in range(RATING_MAX + 1)),
    # Of employees; what belongs to one survey stands together, to be hidden as one.
    "esat_off_scale",
    "esat_invited",
    *(f"esat_{score}" for score in range(RATING_MAX + 1)),
    "enps_off_scale",
    "enps_invited",
    *(f"enps_{score}" for score in range(RATING_MAX + 1)),
)

_QUALITY: Final = (
    "evaluated",
    "critical_fails",  # evaluations with a critical fail, or failed as a whole
    # n, sums, squares and products of two things of which one is a part of the other: what the interval of their ratio takes.
    "scored",  # evaluations with points to be had
    "qa_points_milli",
    "qa_possible_milli",
    "qa_points_milli2",
    "qa_points_possible_milli2",
    "qa_possible_milli2",
    "scripted",  # evaluations with required items of a script
    "script_done",
    "script_required",
    "script_done_squares",
    "script_done_required_squares",
    "script_required_squares",
)

_TICKETS: Final = (
    "opened",
    "solved",
    "reopened",
    "first_replies",  # of tickets whose opening is known
    "first_response_ms",
    "first_response_s2",
    "resolutions",  # solved, and it is known since when they were open
    "resolution_ms",
    "resolution_s2",
    "solved_with_due",
    "solved_within_due",
    "tickets_expired",  # open tickets that were never solved
)

_WORKFORCE: Final = (
    "contact_ms",  # agents' time on contacts and in wrap-up
    "idle_ms",  # agents' time available
    "agents_expired",  # states whose end was never told
    "scheduled_ms",
    "adherent_ms",
    "trainings_due",
    "trainings_done",  # of those that were due, by then
    "agents_left",
    "headcount_ms",  # each member of the staff's time, settled by quarters of an hour
)


_FORECAST: Final = (
    "forecast_intervals",  # closed ones
    "forecast_milli",  # contacts expected in them
    "forecast_offered",  # contacts offered in them, of the queue and channel that the forecast names
)

_HISTORY: Final = (
    "identified",  # handled contacts of a known customer, a chain of transfers as one
    "repeats",  # with another within the repeat window before
    "matured",  # of which it is known whether another followed within the repeat window
    "followed",  # by another, for the same reason where both are known
)

_CUSTOM: Final = (
    # Of one formula of the policy. Of shares and rates the numerator and the denominator alone; of sums all that an interval takes.
    "counted",
    "numerator_milli",
    "denominator_milli",
    "numerator_milli2",
    "product_milli2",
    "denominator_milli2",
)


class Family(IntEnum):
    """Which vector of a cell an event counts in; the number is part of stored rows."""

    INTERACTIONS = 0
    SURVEYS = 1
    QUALITY = 2
    TICKETS = 3
    WORKFORCE = 4
    FORECAST = 5
    HISTORY = 6
    CUSTOM = 7
    """The KPIs of the policy: a cell bears the fingerprint of its formula, and its measures have no place of their own in a flat vector."""


_FLAT: Final[tuple[tuple[str, ...], ...]] = (_INTERACTIONS, _SURVEYS, _QUALITY, _TICKETS, _WORKFORCE, _FORECAST, _HISTORY)
FAMILIES: Final = (*_FLAT, _CUSTOM)
WIDTHS: Final = tuple(len(names) for names in FAMILIES)
OFFSETS: Final = tuple(accumulate(WIDTHS[:-2], initial=0))
"""Where each family begins in a flat vector, but for those of the policy's own KPIs."""

NAMES: Final[tuple[str, ...]] = tuple(name for names in _FLAT for name in names)
"""All measures of a flat vector, in order."""

SIZE: Final = len(NAMES)

_AT: Final = {name: at for at, name in enumerate(NAMES)}


class _Positions:
    """`M.answered` is the position of `answered` in a flat vector."""

    def __getattr__(self, name: str) -> int:
        try:
            return NAMES.index(name)
        except ValueError:
            raise AttributeError(name) from None


M: Final = _Positions()


def flat_zero() -> list[int]:
    """A flat vector of zeros, shape (SIZE,)."""
    return [0] * SIZE


def to_names(flat: Sequence[int]) -> dict[str, int]:
    """The non-zero measures of a flat vector by name, as records carry them; what may stand behind it is not told here."""
    return dict(compress(zip(NAMES, flat, strict=False), flat))


def from_names(measures: Mapping[str, int] | Iterable[tuple[str, int]]) -> list[int]:
    """A flat vector from measures by name; names of a newer release are ignored."""
    flat = flat_zero()
    for name, value in dict(measures).items():
        at = _AT.get(name)
        if at is not None:
            flat[at] = value
    return flat


def total(flats: Iterable[Sequence[int]]) -> list[int]:
    """The sum of flat vectors, which is the only way to put figures together; zeros where there are none."""
    return [sum(column) for column in zip(flat_zero(), *flats, strict=True)]
