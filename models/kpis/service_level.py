"""Service level: the share of contacts answered within the threshold, in the five variants that are in use.

A = answered, A_X = answered within X seconds (inclusive), B = abandoned in queue, B_X = abandoned within X, B_S = abandoned
within the short-abandon limit S. One real month differs by 9.5 points between the variants, so the variant is part of the contract.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from models.definitions import Definition, ServiceLevelVariant
from models.figures import Estimate, Kind, Live
from models.kpis.families import INTERACTIONS
from models.kpis.kpi import Better, Kpi, Perspective, Unit, always, proportion, unknown
from models.measures import M

__all__ = ["KPIS", "VARIANTS"]

_A: Final = M.answered
_A_X: Final = M.answered_within
_B: Final = M.abandoned
_B_X: Final = M.abandoned_within
_B_S: Final = M.abandoned_short


def _answered_only(flat: Sequence[int], _: int) -> Estimate:
    return proportion(flat[_A_X], flat[_A])


def _abandons_count_against(flat: Sequence[int], late: int) -> Estimate:
    return proportion(flat[_A_X], flat[_A] + flat[_B] + late)


def _early_abandons_ignored(flat: Sequence[int], late: int) -> Estimate:
    return proportion(flat[_A_X], flat[_A] + flat[_B] - flat[_B_X] + late)


def _early_abandons_count_for(flat: Sequence[int], late: int) -> Estimate:
    return proportion(flat[_A_X] + flat[_B_X], flat[_A] + flat[_B] + late)


def _short_abandons_excluded(flat: Sequence[int], late: int) -> Estimate:
    return proportion(flat[_A_X], flat[_A] + flat[_B] - flat[_B_S] + late)


VARIANTS: Final[Mapping[ServiceLevelVariant, Callable[[Sequence[int], int], Estimate]]] = {
    "answered_only": _answered_only,
    "abandons_count_against": _abandons_count_against,
    "early_abandons_ignored": _early_abandons_ignored,
    "early_abandons_count_for": _early_abandons_count_for,
    "short_abandons_excluded": _short_abandons_excluded,
}
"""Each variant of (a flat vector, contacts that wait past the threshold now), which all but `answered_only` count as missed."""

_FORMULAS: Final[Mapping[ServiceLevelVariant, tuple[str, str]]] = {
    "answered_only": ("A_X / A", "older tools; misleading: who gave up is not seen"),
    "abandons_count_against": ("A_X / (A + B)", "the default; ICMI, Cisco, COPC practice"),
    "early_abandons_ignored": ("A_X / (A + B - B_X)", "ICMI, Bright Pattern"),
    "early_abandons_count_for": ("(A_X + B_X) / (A + B)", "Amazon Connect"),
    "short_abandons_excluded": ("A_X / (A + B - B_S)", "Talkdesk, RingCentral"),
}


def _described(variant: ServiceLevelVariant, definition: Definition) -> str:
    text = f"{variant}, {definition.service_level.threshold_seconds:g} s"
    return f"{text}, short up to {definition.short_abandon_seconds:g} s" if variant == "short_abandons_excluded" else text


def _describe(definition: Definition) -> str:
    return _described(definition.service_level.variant, definition)


def _service_level(flat: Sequence[int], _: Live | None, definition: Definition) -> Estimate:
    return VARIANTS[definition.service_level.variant](flat, 0)


def _service_level_now(flat: Sequence[int], live: Live | None, definition: Definition) -> Estimate:
    if live is None or live.waiting is None:
        return unknown(Kind.PROPORTION)
    return VARIANTS[definition.service_level.variant](flat, live.past_threshold)


def _variant(name: ServiceLevelVariant) -> Kpi:
    formula, where = _FORMULAS[name]
    compute = VARIANTS[name]
    return Kpi(
        id=f"service_level_{name}",
        title=f"Service level, {name.replace('_', ' ')}",
        unit=Unit.RATIO,
        better=Better.HIGHER,
        perspective=Perspective.CUSTOMER,
        attributed_to="queue exit",
        formula=formula,
        family=INTERACTIONS,
        estimate=lambda flat, _live, _definition: compute(flat, 0),
        describe=lambda definition: _described(name, definition),
        needs_basis=always,
        traps=where,
        published=False,
    )


KPIS: Final = (
    Kpi(
        id="service_level",
        title="Service level",
        unit=Unit.RATIO,
        better=Better.HIGHER,
        perspective=Perspective.CUSTOMER,
        attributed_to="queue exit",
        formula="the variant that the definition names",
        family=INTERACTIONS,
        estimate=_service_level,
        describe=_describe,
        needs_basis=always,
        traps="variants differ by up to 10 points; answered without queueing waits 0 and counts",
    ),
    Kpi(
        id="service_level_now",
        title="Service level now",
        unit=Unit.RATIO,
        better=Better.HIGHER,
        perspective=Perspective.CUSTOMER,
        attributed_to="queue exit, and now",
        formula="the definition's variant, with who waits past X now in its denominator (not in answered_only)",
        family=INTERACTIONS,
        estimate=_service_level_now,
        describe=_describe,
        needs_basis=always,
        traps="nothing of it is stored: who waits past X is a miss already, and counts once in the end",
        leading=True,
        live=True,
    ),
    *(_variant(name) for name in VARIANTS),
)
