"""What each event counts: from a decoded event to increments of a cell's measures.

The functions here are the hot path. Each computes all that can fail before it adds anything, so that an event that makes our code
raise leaves nothing half done. A vector is one family of a cell in one pane: its measures, and behind them the bins of what was timed.
"""

from collections.abc import Callable
from typing import Any, Final

from models.bins import BinKeys
from models.evaluations import critical_fail, milli
from models.measures import FAMILIES, RATING_MAX, Family
from models.statistics import bin_of

__all__ = ["FOLDS", "Fold", "fold_exit", "fold_handled", "fold_queued"]

Vector = list[int]
Fold = Callable[[Any, Vector, int, int], None]
"""(event, vector, within_ms, short_ms) -> None; for surveys (event, vector, csat scale's end, ces scale's end); evaluations use neither."""

_I: Final = {name: at for at, name in enumerate(FAMILIES[Family.INTERACTIONS])}
_Q: Final = {name: at for at, name in enumerate(FAMILIES[Family.QUALITY])}
_S: Final = {name: at for at, name in enumerate(FAMILIES[Family.SURVEYS])}

_ARRIVALS: Final = _I["arrivals"]
_ANSWERED: Final = _I["answered"]
_ANSWERED_WITHIN: Final = _I["answered_within"]
_ANSWERED_WAIT: Final = _I["answered_wait_ms"]
_ANSWERED_WAIT_S2: Final = _I["answered_wait_s2"]
_ABANDONED: Final = _I["abandoned"]
_ABANDONED_WITHIN: Final = _I["abandoned_within"]
_ABANDONED_SHORT: Final = _I["abandoned_short"]
_ABANDONED_WAIT: Final = _I["abandoned_wait_ms"]
_ABANDONED_WAIT_S2: Final = _I["abandoned_wait_s2"]
_HANDLED: Final = _I["handled"]
_TALK: Final = _I["talk_ms"]
_HOLD: Final = _I["hold_ms"]
_WRAP: Final = _I["wrap_ms"]
_HANDLE_S2: Final = _I["handle_s2"]
_HOLD_S2: Final = _I["hold_s2"]
_HELD: Final = _I["held"]
_TRANSFERRED: Final = _I["transferred"]
_ESCALATED: Final = _I["escalated"]
_RESOLVED: Final = _I["resolved"]
_RESOLVED_ANSWERS: Final = _I["resolved_answers"]
_LEFT: Final = _I["left"]
_NOT_QUEUED: Final = _I["not_queued"]
_HANDLE_BINS: Final = BinKeys.HANDLE
_LOWEST: Final = {"csat": 1, "nps": 0, "ces": 1, "esat": 1, "enps": 0}
"""The surveys, each with its lowest rating."""
_MS2: Final = 1_000_000
"""Square milliseconds in a square second."""


def fold_queued(_: Any, vector: Vector, __: int, ___: int) -> None:
    """`contact.queued`: an arrival."""
    vector[_ARRIVALS] += 1


def fold_answered(event: Any, vector: Vector, within_ms: int, _: int) -> None:
    """`contact.answered`: wait and service level."""
    wait = int(event.wait_seconds * 1000 + 0.5)
    vector[_ANSWERED] += 1
    vector[_ANSWERED_WAIT] += wait
    vector[_ANSWERED_WAIT_S2] += wait * wait // _MS2
    if wait <= within_ms:
        vector[_ANSWERED_WITHIN] += 1
    vector.append(bin_of(wait))


def fold_abandoned(event: Any, vector: Vector, within_ms: int, short_ms: int) -> None:
    """`contact.abandoned`: the other half of the offered."""
    wait = int(event.wait_seconds * 1000 + 0.5)
    vector[_ABANDONED] += 1
    vector[_ABANDONED_WAIT] += wait
    vector[_ABANDONED_WAIT_S2] += wait * wait // _MS2
    if wait <= within_ms:
        vector[_ABANDONED_WITHIN] += 1
    if wait <= short_ms:
        vector[_ABANDONED_SHORT] += 1


def fold_handled(event: Any, vector: Vector, _: int, __: int) -> None:
    """`contact.completed`, and the handled part of an answered `contact.record`."""
    talk = int(event.talk_seconds * 1000 + 0.5)
    hold = int(event.hold_seconds * 1000 + 0.5)
    wrap = int(event.wrap_seconds * 1000 + 0.5)
    resolved = event.resolved
    handle = talk + hold + wrap
    vector[_HANDLED] += 1
    vector[_TALK] += talk
    vector[_WRAP] += wrap
    vector[_HANDLE_S2] += handle * handle // _MS2
    vector.append(_HANDLE_BINS + bin_of(handle))
    if hold:
        vector[_HOLD] += hold
        vector[_HOLD_S2] += hold * hold // _MS2
        vector[_HELD] += 1
    elif event.holds:
        vector[_HELD] += 1
    if event.transferred:
        vector[_TRANSFERRED] += 1
    if event.escalated:
        vector[_ESCALATED] += 1
    if resolved is not None:
        vector[_RESOLVED_ANSWERS] += 1
        if resolved:
            vector[_RESOLVED] += 1


def fold_left(_: Any, vector: Vector, __: int, ___: int) -> None:
    """`contact.left`: neither answered nor abandoned."""
    vector[_LEFT] += 1


def fold_exit(event: Any, vector: Vector, within_ms: int, short_ms: int) -> None:
    """The queue's end of a `contact.record`: answered, abandoned, left or never queued."""
    outcome = event.outcome
    if outcome == "answered":
        fold_answered(event, vector, within_ms, short_ms)
    elif outcome == "abandoned":
        fold_abandoned(event, vector, within_ms, short_ms)
    elif outcome == "left":
        vector[_LEFT] += 1
    else:
        vector[_NOT_QUEUED] += 1


def fold_response(event: Any, vector: Vector, csat_max: int, ces_max: int) -> None:
    """`survey.response`: its rating's bin, or off scale; net scores have one scale, the others end where the definition says."""
    survey, score, scale_max = event.survey, event.score, event.scale_max
    highest = csat_max if survey in {"csat", "esat"} else ces_max if survey == "ces" else RATING_MAX
    rating = int(score)
    on_scale = rating == score and _LOWEST[survey] <= rating <= highest and scale_max in (None, highest)
    vector[_S[f"{survey}_{rating}" if on_scale else f"{survey}_off_scale"]] += 1


def fold_invited(event: Any, vector: Vector, _: int, __: int) -> None:
    """`survey.invited`."""
    vector[_S[f"{event.survey}_invited"]] += 1


def fold_evaluated(event: Any, vector: Vector, _: int, __: int) -> None:
    """`quality.evaluated`: its points, its critical fails, and its script."""
    possible, points = milli(event.points_possible), min(milli(event.points), milli(event.points_possible))
    required = event.script_required or 0
    done = min(event.script_done or 0, required)
    failed = critical_fail(event)
    vector[_Q["evaluated"]] += 1
    vector[_Q["critical_fails"]] += failed
    if possible:
        if event.automatic_fail:
            points = 0
        vector[_Q["scored"]] += 1
        vector[_Q["qa_points_milli"]] += points
        vector[_Q["qa_possible_milli"]] += possible
        vector[_Q["qa_points_milli2"]] += points * points
        vector[_Q["qa_points_possible_milli2"]] += points * possible
        vector[_Q["qa_possible_milli2"]] += possible * possible
    if required:
        vector[_Q["scripted"]] += 1
        vector[_Q["script_done"]] += done
        vector[_Q["script_required"]] += required
        vector[_Q["script_done_squares"]] += done * done
        vector[_Q["script_done_required_squares"]] += done * required
        vector[_Q["script_required_squares"]] += required * required


FOLDS: Final[dict[str, tuple[Family, Fold]]] = {
    "contact.queued": (Family.INTERACTIONS, fold_queued),
    "contact.answered": (Family.INTERACTIONS, fold_answered),
    "contact.abandoned": (Family.INTERACTIONS, fold_abandoned),
    "contact.completed": (Family.INTERACTIONS, fold_handled),
    "contact.left": (Family.INTERACTIONS, fold_left),
    "survey.response": (Family.SURVEYS, fold_response),
    "survey.invited": (Family.SURVEYS, fold_invited),
    "quality.evaluated": (Family.QUALITY, fold_evaluated),
}
"""Events that count in one cell of one pane; `contact.record` counts in up to three."""
