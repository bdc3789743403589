"""Explaining a figure: which closed stretches tile its window, and what their sum leaves."""

from typing import Any

import pytest
from hypothesis import given, settings

from models.definitions import DEFAULT
from models.explain import Difference, Summed, figure_of, summed, tiles
from models.kpis import CATALOGUE
from tests.conditions import START_MS
from tests.engines import SECOND, TOPICS, Rig, event, partner_part, shared_part
from tests.stories import DAY, HOUR, MINUTE, QUICK, Step, played, steps

BEGIN_MS = START_MS - START_MS % DAY
TIERS = (TOPICS.rollups_1d, TOPICS.rollups_15m, TOPICS.rollups_1m)


def explained(rig: Rig, kpi: str, key: str = "acme/all/24h") -> Summed:
    """What the topics of a rig say of a figure."""
    record, prefix = rig.figures()[key], key.rpartition("/")[0] + "/"
    held = {topic: [body for name, body in rig.compacted(topic).items() if name.startswith(prefix)] for topic in TIERS}
    found = tiles(record["from"], record["to"], held)
    return summed(CATALOGUE[kpi], record, found, DEFAULT, record["frontier"] - 2 * SECOND)


@pytest.fixture
def rig() -> Rig:
    rig = Rig()
    rig.policy(partner_part("acme"), at_ms=BEGIN_MS)
    rig.to(BEGIN_MS)
    return rig


def answered(rig: Rig, *times_ms: int, arrives_ms: int | None = None) -> None:
    for at_ms in times_ms:
        rig.send(event("contact.answered", at_ms, f"e{at_ms}"), at_ms=arrives_ms or at_ms)
        rig.to(arrives_ms or at_ms)


def test_the_longest_stretches_tile_the_window_and_none_twice() -> None:
    def record(start: int, end: int) -> dict[str, Any]:
        return {"from": start * MINUTE, "to": end * MINUTE}

    held = {"day": [record(-1440, 0)], "quarter": [record(0, 15), record(-15, 0), record(30, 45)], "minute": [record(3, 4), record(29, 30)]}
    found = tiles(-5 * MINUTE, 40 * MINUTE, held)
    assert [(topic, each["from"] // MINUTE) for topic, each in found] == [("quarter", 0), ("minute", 29)]


def test_what_has_closed_is_the_whole_figure(rig: Rig) -> None:
    answered(rig, *(BEGIN_MS + minutes * MINUTE for minutes in (1, 2, 20, 21, 58)))
    rig.to(BEGIN_MS + 2 * HOUR)
    found = explained(rig, "asa")
    assert (found.estimate.n, found.reasons, len(found.parts)) == (5, (), 3)


def test_what_is_open_is_left_and_said(rig: Rig) -> None:
    answered(rig, *(BEGIN_MS + seconds * SECOND for seconds in (0, 61, 130)))
    found = explained(rig, "asa")
    assert (found.estimate.n, found.denominator_left, found.reasons) == (2, 1, (Difference.OPEN,))
    assert found.open_from_ms == BEGIN_MS + 2 * MINUTE


def test_a_variant_that_no_record_carries_is_made_of_its_measures(rig: Rig) -> None:
    answered(rig, BEGIN_MS)
    rig.send(event("contact.abandoned", BEGIN_MS, "b", wait_seconds=40), at_ms=BEGIN_MS)
    rig.to(BEGIN_MS + HOUR)
    record, name = rig.figures()["acme/all/24h"], "service_level_answered_only"
    assert name not in record["kpis"]
    of_record, default = (figure_of(CATALOGUE[each], record, DEFAULT) for each in (name, "service_level"))
    assert default == record["kpis"]["service_level"]
    assert of_record is not None
    assert of_record["denominator"] == record["kpis"]["service_level"]["denominator"] - 1
    assert (of_record["definition"], of_record["status"]) == (CATALOGUE[name].describe(DEFAULT), "insufficient")
    assert "holds_from" not in of_record
    assert (explained(rig, name).estimate.value, explained(rig, name).reasons) == (of_record["value"], ())


def test_a_share_that_a_side_does_not_tell_is_no_gap_in_its_stretches(rig: Rig) -> None:
    rig.policy(shared_part(scopes=["site"]), at_ms=BEGIN_MS)
    rig.to(BEGIN_MS + MINUTE)
    rig.send(event("contact.answered", BEGIN_MS + MINUTE, "a", site="lisbon"), at_ms=BEGIN_MS + MINUTE)
    rig.send(event("contact.abandoned", BEGIN_MS + MINUTE, "b"), at_ms=BEGIN_MS + MINUTE)
    rig.to(BEGIN_MS + HOUR)
    assert rig.figures()["acme/site=lisbon/24h"]["kpis"]["service_level"]["n"] == 0
    assert explained(rig, "service_level", "acme/site=lisbon/24h").reasons == (Difference.BLIND,)
    assert explained(rig, "asa", "acme/site=lisbon/24h").reasons == ()


def test_a_quantile_that_no_record_carries_is_made_of_its_bins(rig: Rig) -> None:
    for second in range(100):
        rig.send(event("contact.completed", BEGIN_MS, f"e{second}", talk_seconds=second, contact_id=f"c{second}"), at_ms=BEGIN_MS)
    rig.to(BEGIN_MS + HOUR)
    record = rig.figures()["acme/all/24h"]
    assert "handle_p95" not in record["kpis"]
    figure = figure_of(CATALOGUE["handle_p95"], record, DEFAULT)
    assert figure is not None
    assert (figure["value"], figure["n"]) == (pytest.approx(94, rel=0.01), 100)
    assert (explained(rig, "handle_p95").estimate.value, explained(rig, "handle_p95").reasons) == (figure["value"], ())


def test_a_variant_holds_from_where_the_limits_of_the_service_level_do(rig: Rig) -> None:
    answered(rig, BEGIN_MS)
    rig.to(BEGIN_MS + HOUR)
    changed = {"service_level": {"threshold_seconds": 30}}
    rig.policy(partner_part("acme", definition=changed | {"min_samples": 1}), at_ms=BEGIN_MS + HOUR)
    rig.to(BEGIN_MS + 2 * HOUR)
    record, definition = rig.figures()["acme/all/24h"], DEFAULT.model_copy(update={"min_samples": 1})
    told = figure_of(CATALOGUE["service_level_answered_only"], record, definition)
    assert told is not None
    assert (told["holds_from"], told["status"]) == (record["kpis"]["service_level"]["holds_from"], "insufficient")


def test_what_was_corrected_since_is_said(rig: Rig) -> None:
    answered(rig, BEGIN_MS)
    rig.to(BEGIN_MS + 20 * MINUTE)
    before = rig.figures()["acme/all/24h"]
    answered(rig, BEGIN_MS + SECOND, arrives_ms=BEGIN_MS + 21 * MINUTE)
    rig.to(BEGIN_MS + 22 * MINUTE)
    found = summed(
        CATALOGUE["asa"],
        before,
        tiles(before["from"], before["to"], {topic: rig.compacted(topic).values() for topic in TIERS}),
        DEFAULT,
        before["to"],
    )
    assert (found.denominator_left, found.reasons[-1]) == (-1, Difference.CORRECTED)


def test_what_few_employees_answered_is_hidden_and_said(rig: Rig) -> None:
    for number in range(6):
        at_ms = BEGIN_MS + number * 15 * MINUTE
        rig.send(event("survey.response", at_ms, f"s{number}", survey="esat", score=4), at_ms=at_ms, topic=TOPICS.surveys)
        rig.to(at_ms)
    rig.to(BEGIN_MS + 3 * HOUR)
    assert Difference.HIDDEN in explained(rig, "esat").reasons


def test_stretches_that_are_not_there_are_said(rig: Rig) -> None:
    answered(rig, BEGIN_MS)
    rig.to(BEGIN_MS + HOUR)
    record = rig.figures()["acme/all/24h"]
    aligned = record | {"to": record["frontier"] - record["frontier"] % MINUTE}
    assert summed(CATALOGUE["asa"], aligned, [], DEFAULT, aligned["to"]).reasons == (Difference.EARLIER,)


@settings(max_examples=15, deadline=None)
@given(steps(jumps=(*QUICK, 20 * MINUTE, 3 * HOUR), lateness=(0, 0, SECOND, 12 * SECOND, 40 * MINUTE, 3 * HOUR), most=20))
def test_every_figure_of_a_day_is_the_sum_of_closed_stretches_once_all_has_closed(story: list[Step]) -> None:
    rig, at_ms = played(story, BEGIN_MS)
    rig.to(at_ms + 10 * MINUTE)
    rig.to(at_ms + 11 * MINUTE)
    for key, record in rig.figures().items():
        if record["window"] == "24h":
            for kpi in record["kpis"]:
                if not CATALOGUE[kpi].anonymous:
                    assert explained(rig, kpi, key).reasons in ((), (Difference.BLIND,)), (key, kpi)
