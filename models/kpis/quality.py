"""What evaluations of contacts say: points, critical fails, and whether the script was kept to."""

from collections.abc import Sequence
from typing import Final

from models.definitions import Definition
from models.figures import Estimate, Live
from models.kpis.families import QUALITY, SCORED, SCRIPTED
from models.kpis.kpi import Better, Kpi, Perspective, Unit, never, proportion, ratio, words
from models.measures import M

__all__ = ["KPIS"]

_EVALUATED: Final = M.evaluated
_CRITICAL_FAILS: Final = M.critical_fails
_MILLI: Final = 1000


def _qa_score(flat: Sequence[int], _live: Live | None, _definition: Definition) -> Estimate:
    return ratio(flat[SCORED], _MILLI)


def _compliance_rate(flat: Sequence[int], _live: Live | None, _definition: Definition) -> Estimate:
    return proportion(flat[_EVALUATED] - flat[_CRITICAL_FAILS], flat[_EVALUATED])


def _script_adherence(flat: Sequence[int], _live: Live | None, _definition: Definition) -> Estimate:
    return ratio(flat[SCRIPTED], 1)


KPIS: Final = (
    Kpi(
        id="qa_score",
        title="Quality score",
        unit=Unit.RATIO,
        better=Better.HIGHER,
        perspective=Perspective.INTERNAL_PROCESS,
        attributed_to="evaluation",
        formula="sum(points) / sum(points possible of the questions that applied)",
        family=QUALITY,
        estimate=_qa_score,
        describe=words("an automatic fail counts 0"),
        needs_basis=never,
        traps="no mean of percentages: long forms weigh more; n is evaluations, and the interval is that of a ratio of their sums, since "
        "the points of one evaluation hang together",
        leading=True,
    ),
    Kpi(
        id="compliance_rate",
        title="Compliance",
        unit=Unit.RATIO,
        better=Better.HIGHER,
        perspective=Perspective.INTERNAL_PROCESS,
        attributed_to="evaluation",
        formula="evaluations without a critical fail / evaluations",
        family=QUALITY,
        estimate=_compliance_rate,
        describe=words("over evaluations"),
        needs_basis=never,
        traps="an automatic fail is a critical one; an evaluation that lists no items and says nothing of a fail passes",
        leading=True,
    ),
    Kpi(
        id="script_adherence",
        title="Script adherence",
        unit=Unit.RATIO,
        better=Better.HIGHER,
        perspective=Perspective.INTERNAL_PROCESS,
        attributed_to="evaluation",
        formula="sum(required items done) / sum(required items that applied)",
        family=QUALITY,
        estimate=_script_adherence,
        describe=words("over required items"),
        needs_basis=never,
        traps="evaluations without required items are left out; n is evaluations, not items",
        leading=True,
    ),
)
