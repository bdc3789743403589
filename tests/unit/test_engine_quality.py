"""Evaluations on their topic become figures of the partner, and of the queue and channel of what was evaluated."""

from typing import Any

import pytest

from tests.conditions import START_MS
from tests.engines import SECOND, TOPICS, Rig, event

ITEMS = [
    {"criterion": "greeting", "points": 0, "possible": 5},
    {"criterion": "identity", "points": 5, "possible": 5, "critical": True},
    {"criterion": "consent", "points": 0, "possible": 0, "critical": True},
]
MISSED = [*ITEMS, {"criterion": "disclosure", "points": 0, "possible": 5, "critical": True}]


def figures_of(*evaluations: dict[str, Any]) -> Rig:
    rig = Rig()
    rig.idle(START_MS)
    rig.send(
        *(event("quality.evaluated", START_MS, f"e{at}", **each) for at, each in enumerate(evaluations)),
        at_ms=START_MS,
        topic=TOPICS.quality,
    )
    rig.to(START_MS + 20 * SECOND)
    return rig


def test_an_evaluation_counts_in_the_queue_and_channel_of_its_contact() -> None:
    rig = figures_of({"points": 82.5, "points_possible": 100, "queue": "billing", "channel": "voice"})
    for scope in ("all", "queue=billing", "channel=voice"):
        found = rig.figures()[f"acme/{scope}/15m"]["kpis"]
        assert (found["qa_score"]["value"], found["qa_score"]["numerator"], found["qa_score"]["n"]) == (0.825, 82.5, 1)
        assert (found["qa_score"]["ci_low"], found["qa_score"]["status"]) == (None, "insufficient")
        assert found["compliance_rate"]["value"] == 1.0
        assert found["script_adherence"]["value"] is None, "nothing was required"
        assert "csat" not in found


def test_an_automatic_fail_makes_the_points_of_its_evaluation_0_and_is_a_critical_fail() -> None:
    rig = figures_of({"points": 40, "points_possible": 50}, {"points": 49, "points_possible": 50, "automatic_fail": True})
    found = rig.figures()["acme/all/15m"]["kpis"]
    assert (found["qa_score"]["value"], found["compliance_rate"]["value"]) == (0.4, 0.5)


@pytest.mark.parametrize(("items", "rate"), [(None, 1.0), (ITEMS, 1.0), (MISSED, 0.0)])
def test_a_critical_item_that_applied_and_has_no_points_is_a_critical_fail(items: list[dict[str, Any]] | None, rate: float) -> None:
    found = figures_of({"items": items}).figures()["acme/all/15m"]["kpis"]
    assert found["compliance_rate"]["value"] == rate
    assert found["qa_score"]["value"] == 0.8, "only the source says whether the whole evaluation is void"


def test_more_points_or_items_than_possible_count_as_those_possible() -> None:
    found = figures_of({"points": 7, "script_done": 9, "script_required": 4}).figures()["acme/all/15m"]["kpis"]
    assert (found["qa_score"]["value"], found["script_adherence"]["value"]) == (1.0, 1.0)


def test_an_evaluation_of_which_no_question_applied_has_no_score_and_still_complies() -> None:
    found = figures_of({"points": 0, "points_possible": 0, "script_done": 1}).figures()["acme/all/15m"]["kpis"]
    assert (found["qa_score"]["value"], found["qa_score"]["n"], found["compliance_rate"]["n"]) == (None, 0, 1)


def test_points_of_any_size_survive_a_restart_to_the_thousandth() -> None:
    rig = figures_of({"points": 9_999.999, "points_possible": 10_000}, {"points": 0.001, "points_possible": 0.001})
    before = rig.snapshot()
    rig.crash()
    assert rig.snapshot() == before
    measures = rig.figures()["acme/all/24h"]["measures"]
    assert measures["qa_points_milli2"] == 9_999_999**2 + 1
    assert measures["qa_points_possible_milli2"] == 9_999_999 * 10_000_000 + 1


def test_what_no_evaluation_can_say_is_a_dead_letter() -> None:
    rig = figures_of({"points": 10_000.5}, {"items": [{"criterion": "greeting", "points": 1}]})
    assert rig.letters() == [("invalid", 0), ("invalid", 1)]
    errors = [dict(each.headers)["dlq.error"] for each in rig.written if each.topic == TOPICS.dead_letters]
    assert [error.partition(b":")[0] for error in errors] == [b"points", b"items"]
