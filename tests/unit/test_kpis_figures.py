"""Figures as records carry them: which stand there, and where they stand against their targets."""

from typing import Any

import orjson
import pytest

from models.definitions import Definition, ServiceLevel, Target
from models.figures import Live
from models.kpis import CATALOGUE, figures
from models.measures import Family, flat_zero, from_names
from models.records import KpiFigure

NOBODY = Live(0, None, 0)
NOTHING_OPEN = Live(0, None, 0, backlog=0, agents_staffed=0)


def figure(kpi: str, measures: dict[str, int], definition: Definition | None = None, *, mixed: bool = False) -> dict[str, Any]:
    return figures(from_names(measures), NOBODY, definition or Definition(), mixed_basis=mixed)[kpi]


def aimed(kpi: str, target: float, critical: float | None = None) -> Definition:
    return Definition(targets={kpi: Target(target=target, critical=critical)})


def test_a_figure_carries_everything_to_judge_and_to_dispute_it() -> None:
    found = figure("service_level", {"answered": 90, "abandoned": 10, "answered_within": 80}, aimed("service_level", 0.9, 0.7))
    assert found.pop("ci_low") == pytest.approx(0.7112, abs=5e-5)
    assert found.pop("ci_high") == pytest.approx(0.8666, abs=5e-5)
    assert found == {
        "value": 0.8,
        "unit": "ratio",
        "numerator": 80,
        "denominator": 100,
        "n": 100,
        "status": "warning",
        "target": 0.9,
        "critical": 0.7,
        "benchmark": None,
        "definition": "abandons_count_against, 20 s",
    }


@pytest.mark.parametrize(
    ("kpi", "measures", "target", "critical", "expected"),
    [
        ("service_level", {"answered": 100, "answered_within": 80}, 0.8, 0.6, "ok"),
        ("service_level", {"answered": 100, "answered_within": 79}, 0.8, 0.6, "warning"),
        ("service_level", {"answered": 100, "answered_within": 60}, 0.8, 0.6, "warning"),
        ("service_level", {"answered": 100, "answered_within": 59}, 0.8, 0.6, "critical"),
        ("service_level", {"answered": 100, "answered_within": 1}, 0.8, None, "warning"),
        ("asa", {"answered": 100, "answered_wait_ms": 3_000_000}, 30, 60, "ok"),
        ("asa", {"answered": 100, "answered_wait_ms": 6_000_000}, 30, 60, "warning"),
        ("asa", {"answered": 100, "answered_wait_ms": 6_000_001}, 30, 60, "critical"),
        ("aht", {"handled": 100, "talk_ms": 100}, 300, 600, "ok"),
        ("aht", {"handled": 100, "talk_ms": 40_000_000}, 300, 600, "warning"),
        ("nps", {"nps_0": 30, "nps_10": 10}, 0, -40, "critical"),
    ],
)
def test_status_compares_the_plain_value_in_the_kpis_direction(
    kpi: str, measures: dict[str, int], target: float, critical: float | None, expected: str
) -> None:
    assert expected == figure(kpi, measures, aimed(kpi, target, critical))["status"]


def test_without_a_target_nothing_is_green() -> None:
    assert figure("service_level", {"answered": 100, "answered_within": 100})["status"] == "no_target"


def test_too_few_observations_are_insufficient_whatever_the_value() -> None:
    few = {"answered": 19, "answered_within": 0}
    assert figure("service_level", few, aimed("service_level", 0.8))["status"] == "insufficient"
    assert figure("service_level", {**few, "answered": 20}, aimed("service_level", 0.8))["status"] == "warning"


def test_a_gauge_is_judged_however_few_wait() -> None:
    definition = aimed("longest_wait", 30, 60)
    assert figures(flat_zero(), Live(1, 61_000, 1), definition, mixed_basis=False)["longest_wait"]["status"] == "critical"
    assert figures(flat_zero(), NOBODY, definition, mixed_basis=False)["longest_wait"]["status"] == "not_applicable"
    assert figures(flat_zero(), NOBODY, aimed("in_queue", 5), mixed_basis=False)["in_queue"]["status"] == "ok"


def test_no_denominator_is_not_applicable_and_null() -> None:
    found = figure("abandon_rate", {"handled": 50}, aimed("abandon_rate", 0.05))
    assert (found["value"], found["n"], found["ci_low"], found["ci_high"], found["status"]) == (None, 0, None, None, "not_applicable")


def test_what_depends_on_changed_limits_is_insufficient_and_the_rest_is_judged() -> None:
    measures = {"answered": 100, "answered_within": 100, "abandoned": 1}
    definition = Definition(targets={"service_level": Target(target=0.8), "abandon_rate": Target(target=0.05)})
    assert figure("service_level", measures, definition, mixed=True)["status"] == "insufficient"
    assert figure("abandon_rate", measures, definition, mixed=True)["status"] == "ok"
    assert figure("service_level", {"handled": 1}, definition, mixed=True)["status"] == "not_applicable"


def test_a_sum_over_parts_with_limits_of_their_own_says_so_where_it_matters() -> None:
    definition = Definition()
    found = figures(from_names({"answered": 1}), NOBODY, definition, mixed_basis=False, own_limits=True)
    assert found["service_level"]["definition"] == "abandons_count_against, 20 s (parts by their own limits)"
    assert found["asa"]["definition"] == "zero waits count"
    alone = figures(from_names({"answered": 1}), NOBODY, definition, mixed_basis=False)
    assert alone["service_level"]["definition"] == "abandons_count_against, 20 s"


def test_a_kpi_stands_there_once_its_family_was_touched() -> None:
    interactions = figures(from_names({"arrivals": 1}), None, Definition(), mixed_basis=False)
    assert "abandon_rate" in interactions
    assert not {"csat", "nps", "ces"} & interactions.keys()
    assert list(figures(from_names({"nps_0": 1}), None, Definition(), mixed_basis=False)) == ["nps"]
    assert figures(flat_zero(), None, Definition(), mixed_basis=False) == {}


def test_live_kpis_stand_there_only_where_the_waiting_are_known() -> None:
    live = {name for name, kpi in CATALOGUE.items() if kpi.live and kpi.published}
    waiting = {"in_queue", "longest_wait", "waiting_past_threshold", "service_level_now"}
    assert live == waiting | {"backlog", "backlog_overdue", "agents_staffed", "agents_available"}
    assert waiting == figures(flat_zero(), NOBODY, Definition(), mixed_basis=False).keys()
    assert live == figures(flat_zero(), NOTHING_OPEN, Definition(), mixed_basis=False).keys()
    assert not live & figures(from_names({"answered": 1}), None, Definition(), mixed_basis=False).keys()


def test_first_contacts_are_insufficient_before_they_matured_and_repeats_are_not() -> None:
    definition = Definition(min_samples=1, repeat_window_seconds=90_000, targets={"fcr": Target(target=0.7)})
    young = {"identified": 10, "repeats": 2}
    assert figure("repeat_rate", young, definition)["value"] == 0.2
    assert figure("repeat_rate", young, definition)["definition"] == "same customer within 25 h before"
    fcr = figure("fcr", young, definition)
    assert (fcr["value"], fcr["n"], fcr["status"]) == (None, 0, "insufficient")
    fcr = figure("fcr", young | {"matured": 8, "followed": 2}, definition)
    assert (fcr["value"], fcr["numerator"], fcr["denominator"], fcr["n"], fcr["status"]) == (0.75, 6, 8, 8, "ok")


def test_repeats_under_another_window_are_insufficient_and_contacts_under_other_limits_are_not() -> None:
    measures = {"identified": 10, "repeats": 2, "answered": 10, "answered_within": 9}
    definition = Definition(min_samples=1, repeat_window_seconds=3600)
    for family, kpi, other in ((Family.HISTORY, "repeat_rate", "service_level"), (Family.INTERACTIONS, "service_level", "repeat_rate")):
        found = figures(from_names(measures), NOBODY, definition, mixed_basis=1 << family)
        assert (found[kpi]["status"], found[other]["status"]) == ("insufficient", "no_target")


def test_all_that_is_published_and_nothing_else_stands_in_a_full_record() -> None:
    invited = {f"{survey}_invited": 1 for survey in ("csat", "nps", "ces")}
    timed = {"handled": 1, "first_replies": 1, "resolutions": 1}
    full = from_names(
        {"answered": 1, "csat_5": 1, "nps_0": 1, "ces_1": 1, "evaluated": 1, "esat_5": 5, "enps_9": 5, "solved": 1}
        | {"forecast_intervals": 1, "idle_ms": 1, "scheduled_ms": 1, "trainings_due": 1, "headcount_ms": 1, "identified": 1}
        | invited
        | timed
    )
    published = [name for name, kpi in CATALOGUE.items() if kpi.published]
    assert published == list(figures(full, NOTHING_OPEN, Definition(), mixed_basis=False))
    assert len(CATALOGUE) - len(published) == 9 + len([kpi for kpi in CATALOGUE.values() if kpi.of_period])


def test_each_definition_has_its_own_figures() -> None:
    measures = from_names({"answered": 100, "answered_within": 80, "abandoned": 100})
    only = Definition(service_level=ServiceLevel(variant="answered_only"), targets={"service_level": Target(target=0.9)})
    first = figures(measures, None, Definition(), mixed_basis=False)["service_level"]
    second = figures(measures, None, only, mixed_basis=False)["service_level"]
    assert (first["value"], first["target"], second["value"], second["target"]) == (0.4, None, 0.8, 0.9)


def test_figures_survive_json_as_the_record_declares_them() -> None:
    full = from_names({"answered": 3, "answered_within": 2, "answered_wait_ms": 90, "csat_5": 1, "nps_0": 1, "ces_1": 1, "handled": 1})
    for found in orjson.loads(orjson.dumps(figures(full, Live(2, 5, 1), Definition(), mixed_basis=False))).values():
        assert KpiFigure.model_validate(found).model_dump(mode="json", exclude_unset=True) == found
