"""What the history of customers' contacts tells: who had to come again, and whose first contact was enough.

Both count handled contacts of known customers; a transfer chain is one contact, its first. Vectors: `tests/unit/test_engine_history.py`.
"""

from collections.abc import Sequence
from typing import Final

from models.definitions import Definition
from models.figures import Estimate, Live
from models.kpis.families import HISTORY
from models.kpis.kpi import Better, Kpi, Perspective, Unit, always, proportion
from models.measures import Family, M
from models.windows import DAY_MS

__all__ = ["KPIS", "LATE_MS"]

LATE_MS: Final = 2 * DAY_MS
"""A contact that comes later than this is left out, and one that old is not taken back: what was before it may be forgotten."""

_IDENTIFIED: Final = M.identified
_REPEATS: Final = M.repeats
_MATURED: Final = M.matured
_FOLLOWED: Final = M.followed
_UNITS: Final = ((86_400, "d"), (3_600, "h"), (60, "min"))


def _repeat_rate(flat: Sequence[int], _live: Live | None, _definition: Definition) -> Estimate:
    return proportion(flat[_REPEATS], flat[_IDENTIFIED])


def _fcr(flat: Sequence[int], _live: Live | None, _definition: Definition) -> Estimate:
    return proportion(flat[_MATURED] - flat[_FOLLOWED], flat[_MATURED])


def _window(definition: Definition) -> str:
    """How long the repeat window is; of several partners each has its own."""
    seconds = definition.repeat_window_seconds
    if seconds is None:
        return "the repeat window"
    return next((f"{seconds / unit:g} {name}" for unit, name in _UNITS if seconds % unit == 0), f"{seconds:g} s")


def _repeats_described(definition: Definition) -> str:
    return f"same customer within {_window(definition)} before"


def _fcr_described(definition: Definition) -> str:
    return f"not the same customer and reason within {_window(definition)} after"


KPIS: Final = (
    Kpi(
        id="repeat_rate",
        title="Repeat contacts",
        unit=Unit.RATIO,
        better=Better.LOWER,
        perspective=Perspective.CUSTOMER,
        attributed_to="the repeat",
        formula="handled contacts with one of the same customer within W before / handled contacts of known customers",
        family=HISTORY,
        estimate=_repeat_rate,
        describe=_repeats_described,
        needs_basis=always,
        counted_under=Family.HISTORY,
        narrowest_ms=DAY_MS,
        traps="whatever the reason; a transfer chain is one contact; a new installation knows no contacts before, so it rises for W",
    ),
    Kpi(
        id="fcr",
        title="First contact resolution",
        unit=Unit.RATIO,
        better=Better.HIGHER,
        perspective=Perspective.CUSTOMER,
        attributed_to="the first contact",
        formula="1 - handled contacts that one of the same customer, and reason where both are known, follows within W"
        " / handled contacts of known customers for which W has passed",
        family=HISTORY,
        estimate=_fcr,
        describe=_fcr_described,
        needs_basis=always,
        counted_under=Family.HISTORY,
        matures=True,
        narrowest_ms=DAY_MS,
        traps="of contacts before W and 48 hours only, so that windows up to W have no value: look at closed days and 30d; the record of a"
        " day is written again when it has one; customers who are not known are left out",
    ),
)
