"""Surveys of employees tell nothing of fewer than five answers: neither a figure nor a measure, in records and in totals."""

from typing import Any

import pytest

from models.definitions import Definition, Target
from models.figures import Live
from models.kpis import CATALOGUE, figures, shown
from models.kpis.table import PATH
from models.measures import flat_zero, from_names, to_names
from models.records import KpiFigure
from streams.projector.totals import total_of
from tests.conditions import START_MS
from tests.engines import SECOND, TOPICS, Rig, event

AIMED = Definition(targets={"esat": Target(target=0.8), "enps": Target(target=10)})
NOTHING = {"value": None, "numerator": None, "denominator": None, "n": None, "ci_low": None, "ci_high": None, "status": "insufficient"}


def figure(kpi: str, answers: dict[str, int]) -> dict[str, Any]:
    found = figures(from_names(answers), Live(0, None, 0), AIMED, mixed_basis=False)[kpi]
    KpiFigure.model_validate(found)
    return found


@pytest.mark.parametrize(("kpi", "best"), [("esat", "esat_5"), ("enps", "enps_10")])
def test_four_answers_are_hidden_and_five_are_told(kpi: str, best: str) -> None:
    for answers in range(1, 5):
        assert NOTHING.items() <= figure(kpi, {best: answers}).items()
        assert CATALOGUE[kpi].estimate(from_names({best: answers}), None, AIMED).value is None, "rules see no more than readers"
    told = figure(kpi, {best: 5})
    assert (told["n"], told["status"]) == (5, "insufficient")
    assert figure(kpi, {best: 20})["status"] == "ok"


def test_measures_are_left_out_with_the_figure_and_others_stay() -> None:
    measures = {
        "answered": 3,
        "csat_5": 1,
        "esat_4": 4,
        "esat_invited": 9,
        "esat_off_scale": 1,
        "enps_0": 5,
        "enps_invited": 7,
        "evaluated": 2,
    }
    kept = {"answered": 3, "csat_5": 1, "enps_0": 5, "enps_invited": 7, "evaluated": 2}
    assert to_names(shown(from_names(measures))) == kept
    assert to_names(shown(from_names(measures | {"esat_1": 1}))) == measures | {"esat_1": 1}
    assert to_names(shown(from_names({"esat_invited": 9}))) == {"esat_invited": 9}, "nobody answered, so nobody is found out"
    assert list(shown(flat_zero())) == flat_zero()


def answered(rig: Rig, count: int, first: int, **fields: object) -> None:
    events = (
        event("survey.response", START_MS, f"s{first + at}", survey="esat", score=2, **fields)  # type: ignore[arg-type]
        for at in range(count)
    )
    rig.send(*events, at_ms=START_MS, topic=TOPICS.surveys)


def test_an_engine_writes_neither_until_the_fifth_answer() -> None:
    rig = Rig()
    rig.idle(START_MS)
    answered(rig, 4, 0, queue="hr")
    rig.to(START_MS + 20 * SECOND)
    written = [body for body in rig.bodies(TOPICS.kpis) if "esat" in body["kpis"]]
    assert written
    assert all(NOTHING.items() <= body["kpis"]["esat"].items() and body["measures"] == {} for body in written)
    answered(rig, 1, 4)
    rig.to(START_MS + 30 * SECOND)
    present = rig.figures()
    assert (present["acme/all/15m"]["kpis"]["esat"]["n"], present["acme/all/15m"]["measures"]) == (5, {"esat_2": 5})
    assert present["acme/queue=hr/15m"]["measures"] == {}


def test_a_total_leaves_out_the_partners_that_are_hidden() -> None:
    common = {"from": 0, "to": 1, "as_of": 1, "frontier": 1}
    parts = [
        common | {"kpis": {"esat": figure("esat", answers)}, "measures": to_names(shown(from_names(answers)))}
        for answers in ({"esat_5": 6}, {"esat_1": 4})
    ]
    found = total_of(parts, "24h")
    assert (found["kpis"]["esat"]["value"], found["kpis"]["esat"]["n"], found["measures"]) == (1.0, 6, {"esat_5": 6})
    assert "esat" not in total_of(parts[1:], "24h")["kpis"]


def test_the_page_says_what_anonymity_does_not_hold_against() -> None:
    assert "off another's may still come to fewer" in PATH.read_text(encoding="utf-8")
