"""What customers say when asked; scores are kept exactly, so that any boxes can be counted later."""

from collections.abc import Sequence
from typing import Final

from models.definitions import Definition
from models.figures import Estimate, Kind, Live
from models.kpis.families import CES, CSAT, NPS
from models.kpis.kpi import Better, Kpi, Perspective, Unit, never, proportion, rate, unknown, words
from models.measures import RATING_MAX, M

__all__ = ["KPIS"]

_CSAT_0: Final = M.csat_0
_CES_0: Final = M.ces_0
_DETRACTORS: Final = slice(M.nps_0, M.nps_6 + 1)
_PASSIVES: Final = slice(M.nps_7, M.nps_8 + 1)
_PROMOTERS: Final = slice(M.nps_9, M.nps_10 + 1)


def _csat(flat: Sequence[int], _: Live | None, definition: Definition) -> Estimate:
    scale = definition.csat
    bins = flat[_CSAT_0 + 1 : _CSAT_0 + 1 + scale.scale_max]
    return proportion(sum(bins[-scale.top_boxes :]), sum(bins))


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


def _nps(flat: Sequence[int], _live: Live | None, _definition: Definition) -> Estimate:
    promoters, detractors = sum(flat[_PROMOTERS]), sum(flat[_DETRACTORS])
    n = promoters + detractors + sum(flat[_PASSIVES])
    if n == 0:
        return unknown(Kind.POINTS)
    net = promoters - detractors
    # One answer is worth 100, 0 or -100 points; the integers keep the difference of squares exact, and so never negative.
    variance = 1e4 * ((promoters + detractors) * n - net * net) / (n * n)
    return Estimate(Kind.POINTS, 100 * net / n, net, n, n, variance)


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
    *(_response_rate(survey) for survey in ("csat", "nps", "ces")),
)
