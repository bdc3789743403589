"""What customers say when asked; scores are kept exactly, so that any boxes can be counted later."""

from collections.abc import Sequence
from typing import Final

from models.definitions import Definition
from models.figures import Estimate, Kind, Live
from models.kpis.families import CES, CSAT, EMPLOYEES, ENPS, ESAT, NPS
from models.kpis.kpi import ANONYMOUS_MIN, Better, Kpi, Perspective, Unit, never, proportion, rate, unknown, words
from models.measures import RATING_MAX, M

__all__ = ["KPIS", "shown"]

_CSAT_0: Final = M.csat_0
_CES_0: Final = M.ces_0
_ESAT_0: Final = M.esat_0
_DETRACTORS: Final = slice(0, 7)
_PROMOTERS: Final = slice(9, 11)


_ANONYMITY: Final = (
    f"below {ANONYMOUS_MIN} answers nothing is told, in the record's measures neither; who takes the answers of one scope or window off "
    "another's may still come to fewer: survey a team at once, and read it whole"
)


def shown(flat: Sequence[int]) -> Sequence[int]:
    """The measures that a record may carry: nothing of a survey of employees that fewer than `ANONYMOUS_MIN` answered."""
    if not any(flat[EMPLOYEES]):
        return flat
    kept = list(flat)
    for start, bins in ((EMPLOYEES.start, ESAT), (ESAT.stop, ENPS)):
        if 0 < sum(flat[bins]) < ANONYMOUS_MIN:
            kept[start : bins.stop] = [0] * (bins.stop - start)
    return kept


def _hidden(estimate: Estimate) -> Estimate:
    return estimate if estimate.n >= ANONYMOUS_MIN else unknown(estimate.kind)


def _top_boxes(first: int, flat: Sequence[int], definition: Definition) -> Estimate:
    scale = definition.csat
    bins = flat[first + 1 : first + 1 + scale.scale_max]
    return proportion(sum(bins[-scale.top_boxes :]), sum(bins))


def _csat(flat: Sequence[int], _: Live | None, definition: Definition) -> Estimate:
    return _top_boxes(_CSAT_0, flat, definition)


def _esat(flat: Sequence[int], _: Live | None, definition: Definition) -> Estimate:
    return _hidden(_top_boxes(_ESAT_0, flat, definition))


def _describe_csat(definition: Definition) -> str:
    scale = definition.csat
    return f"top {scale.top_boxes} of {scale.scale_max}"


def _dissatisfaction(flat: Sequence[int], _: Live | None, definition: Definition) -> Estimate:
    scale = definition.csat
    bins = flat[_CSAT_0 + 1 : _CSAT_0 + 1 + scale.scale_max]
    return proportion(sum(bins[: scale.lowest]), sum(bins))


def _describe_dissatisfaction(definition: Definition) -> str:
    return f"lowest {definition.csat.lowest} of {definition.csat.scale_max}"


def _ces(flat: Sequence[int], _: Live | None, definition: Definition) -> Estimate:
    scale = definition.ces
    bins = flat[_CES_0 + 1 : _CES_0 + 1 + scale.scale_max]
    easy = bins[: scale.boxes] if scale.direction == "effort" else bins[-scale.boxes :]
    return proportion(sum(easy), sum(bins))


def _describe_ces(definition: Definition) -> str:
    scale = definition.ces
    return f"{'lowest' if scale.direction == 'effort' else 'highest'} {scale.boxes} of {scale.scale_max}"


def _net(bins: Sequence[int]) -> Estimate:
    promoters, detractors, n = sum(bins[_PROMOTERS]), sum(bins[_DETRACTORS]), sum(bins)
    if n == 0:
        return unknown(Kind.POINTS)
    net = promoters - detractors
    # One answer is worth 100, 0 or -100 points; the integers keep the difference of squares exact, and so never negative.
    variance = 1e4 * ((promoters + detractors) * n - net * net) / (n * n)
    return Estimate(Kind.POINTS, 100 * net / n, net, n, n, variance)


def _nps(flat: Sequence[int], _live: Live | None, _definition: Definition) -> Estimate:
    return _net(flat[NPS])


def _enps(flat: Sequence[int], _live: Live | None, _definition: Definition) -> Estimate:
    return _hidden(_net(flat[ENPS]))


def _response_rate(survey: str) -> Kpi:
    invited, off_scale, first = (getattr(M, f"{survey}_{name}") for name in ("invited", "off_scale", "0"))

    def estimate(flat: Sequence[int], _live: Live | None, _definition: Definition) -> Estimate:
        return rate(flat[off_scale] + sum(flat[first : first + RATING_MAX + 1]), flat[invited])

    return Kpi(
        id=f"response_rate_{survey}",
        title=f"Response rate, {survey.upper()}",
        unit=Unit.RATIO,
        better=Better.HIGHER,
        perspective=Perspective.CUSTOMER,
        attributed_to="invitation, and response",
        formula="answers, on the scale or off it / invitations",
        family=slice(invited, invited + 1),
        estimate=estimate,
        describe=words("over invitations of the window"),
        needs_basis=never,
        traps="an answer counts when it comes, hours or days after its invitation: a short window may pass 1, so read it over days",
        leading=True,
    )


KPIS: Final = (
    Kpi(
        id="csat",
        scale="csat",
        title="Customer satisfaction",
        unit=Unit.RATIO,
        better=Better.HIGHER,
        perspective=Perspective.CUSTOMER,
        attributed_to="response",
        formula="ratings in the top boxes / ratings on the scale",
        family=CSAT,
        estimate=_csat,
        describe=_describe_csat,
        needs_basis=never,
        traps="scales begin at 1; a score that is not on the contract's scale is counted apart",
    ),
    Kpi(
        id="dissatisfaction",
        scale="csat",
        title="Customer dissatisfaction",
        unit=Unit.RATIO,
        better=Better.LOWER,
        perspective=Perspective.CUSTOMER,
        attributed_to="response",
        formula="ratings in the bottom boxes / ratings on the scale",
        family=CSAT,
        estimate=_dissatisfaction,
        describe=_describe_dissatisfaction,
        needs_basis=never,
        traps="not 1 - csat: who rates in the middle is neither",
    ),
    Kpi(
        id="nps",
        title="Net promoter score",
        unit=Unit.POINTS,
        better=Better.HIGHER,
        perspective=Perspective.CUSTOMER,
        attributed_to="response",
        formula="100 x (answers 9 to 10 - answers 0 to 6) / answers",
        family=NPS,
        estimate=_nps,
        describe=words("9-10 less 0-6"),
        needs_basis=never,
        traps="0 is a detractor; scales from 0 to 10 only; the numerator is a difference",
    ),
    Kpi(
        id="ces",
        scale="ces",
        title="Customer effort, easy",
        unit=Unit.RATIO,
        better=Better.HIGHER,
        perspective=Perspective.CUSTOMER,
        attributed_to="response",
        formula="easy answers / answers on the scale",
        family=CES,
        estimate=_ces,
        describe=_describe_ces,
        needs_basis=never,
        traps="on an effort scale low is easy: the direction is part of the definition",
    ),
    Kpi(
        id="esat",
        scale="csat",
        title="Employee satisfaction",
        unit=Unit.RATIO,
        better=Better.HIGHER,
        perspective=Perspective.LEARNING_AND_GROWTH,
        attributed_to="response",
        formula="ratings in the top boxes / ratings on the scale",
        family=ESAT,
        estimate=_esat,
        describe=_describe_csat,
        needs_basis=never,
        traps=_ANONYMITY,
        leading=True,
        anonymous=True,
    ),
    Kpi(
        id="enps",
        title="Employee net promoter score",
        unit=Unit.POINTS,
        better=Better.HIGHER,
        perspective=Perspective.LEARNING_AND_GROWTH,
        attributed_to="response",
        formula="100 x (answers 9 to 10 - answers 0 to 6) / answers",
        family=ENPS,
        estimate=_enps,
        describe=words("9-10 less 0-6"),
        needs_basis=never,
        traps=_ANONYMITY,
        leading=True,
        anonymous=True,
    ),
    *(_response_rate(survey) for survey in ("csat", "nps", "ces")),
)
