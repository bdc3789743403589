"""How much there was: counts of contacts, for rules, which want to know of too much, of too little, or of a trickle."""

from collections.abc import Sequence
from typing import Final

from models.definitions import Definition
from models.figures import Estimate, Kind, Live
from models.kpis.families import INTERACTIONS
from models.kpis.kpi import Better, Kpi, Perspective, Unit, gauge, never, unknown, words
from models.measures import M

__all__ = ["FED", "FED_OR_NOT", "FEED_SILENCE", "KPIS"]

FEED_SILENCE: Final = "feed_silence"
"""Made of times, not of measures: `streams.engine.silence`."""

FED_OR_NOT: Final = "no event of a contact for longer than chance explains"
FED: Final = f"{FED_OR_NOT}, while its source says that it lives"
"""Of the silence of a feed whose connector is known to work."""

_A: Final = M.answered
_B: Final = M.abandoned


def _offered(flat: Sequence[int], _live: Live | None, _definition: Definition) -> Estimate:
    return gauge(flat[_A] + flat[_B], flat[_A] + flat[_B])


def _abandoned(flat: Sequence[int], _live: Live | None, _definition: Definition) -> Estimate:
    return gauge(flat[_B], flat[_A] + flat[_B])


def _silence(_flat: Sequence[int], _live: Live | None, _definition: Definition) -> Estimate:
    return unknown(Kind.GAUGE)


KPIS: Final = (
    Kpi(
        id="offered",
        title="Contacts offered",
        unit=Unit.COUNT,
        better=Better.TWO_SIDED,
        perspective=Perspective.INTERNAL_PROCESS,
        attributed_to="queue exit",
        formula="A + B",
        family=INTERACTIONS,
        estimate=_offered,
        describe=words("answered or abandoned"),
        needs_basis=never,
        traps="none is 0, not no value; a rule may hold it against what is usual in these hours",
        leading=True,
        published=False,
        adds_up=True,
    ),
    Kpi(
        id="abandoned",
        title="Contacts abandoned",
        unit=Unit.COUNT,
        better=Better.LOWER,
        perspective=Perspective.CUSTOMER,
        attributed_to="queue exit",
        formula="B",
        family=INTERACTIONS,
        estimate=_abandoned,
        describe=words("every abandon"),
        needs_basis=never,
        traps="a count, not a share: in a wide window it shows what too few contacts at a time hide",
        published=False,
        adds_up=True,
    ),
    Kpi(
        id=FEED_SILENCE,
        title="Silence of the feed",
        unit=Unit.SECONDS,
        better=Better.LOWER,
        perspective=Perspective.INTERNAL_PROCESS,
        attributed_to="now",
        formula="time since the last event of a contact, once it is longer than chance explains at this time of the week; 0 until then",
        family=INTERACTIONS,
        estimate=_silence,
        describe=words(FED_OR_NOT),
        needs_basis=never,
        traps="for rules of `type: feed_silence` only; of a whole partner; a night in which nothing is usual adds nothing",
        leading=True,
        live=True,
        published=False,
    ),
)
