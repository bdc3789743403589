"""KPIs of a policy's own: what a file says of them, what they come to, and what becomes of it when the policy changes."""

import re
from pathlib import Path
from typing import Any

import orjson
import pytest

from models.custom import KpiSpec, compile_customs
from models.custom.compiled import fingerprint
from models.custom.fields import FIELDS
from models.definitions import DEFAULT
from models.kpis import CATALOGUE
from models.measures import from_names
from models.policy_file import lint, load, parts
from models.policy_spec import SharedPart
from models.revisions import revision_of
from models.statistics import Z_REPORT, interval
from models.windows import MINUTE_MS
from streams.projector.totals import total_of
from tests.conditions import START_MS
from tests.customs import own_kpi
from tests.engines import SECOND, TOPICS, Rig, event, partner_part, rule

ROOT = Path(__file__).parents[2]
DOCS = (ROOT / "docs" / "custom-kpis.md").read_text()
EXAMPLE = (ROOT / "models" / "example_policy.yaml").read_text()
LONG = own_kpi(
    "long_calls",
    unit="ratio",
    numerator={"count": "contact.completed", "where": {"handle_seconds": {"gt": 600}}},
    denominator={"count": "contact.completed"},
)


def shared(*kpis: dict[str, Any], **fields: Any) -> SharedPart:
    return SharedPart.model_validate_json(orjson.dumps({"kpis": kpis, **fields}), strict=True)


def spec(**changes: Any) -> KpiSpec:
    return KpiSpec.model_validate(own_kpi(**changes))


def test_the_page_names_every_field_and_its_example_holds() -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", DOCS, re.DOTALL)
    assert lint(example, "example.yaml") == []
    for name in {name for fields in FIELDS.values() for name in fields} | FIELDS.keys():
        assert f"`{name}`" in DOCS, name


def test_what_stands_commented_in_the_example_policy_holds_too() -> None:
    (block,) = (each.group() for each in re.finditer(r"^# kpis:\n(# .*\n)+", EXAMPLE, re.MULTILINE))
    text = EXAMPLE.replace(block, re.sub(r"^# ", "", block, flags=re.MULTILINE))
    assert lint(text, "example.yaml") == []
    kpis = [kpi.id for kpi in load(text, "example.yaml").kpis]
    assert kpis == ["long_calls", "hold_per_contact", "empathy_score", "data_protection_compliance"]


def test_a_fingerprint_is_of_what_is_counted_however_it_is_written() -> None:
    def counts(**where: Any) -> int:
        return fingerprint(spec(numerator={"count": "contact.completed", "where": where}))

    assert counts(queue="a", channel="voice") == counts(channel=["voice"], queue={"in": ["a"]})
    assert counts(queue=["a", "b"]) == counts(queue={"in": ["b", "a"]}) != counts(queue="a")
    assert counts(holds={"gt": 1}) != counts(holds={"gte": 1}) != counts(holds=1)
    assert fingerprint(spec(identity="other", better="higher", perspective="financial")) == fingerprint(spec())


def test_the_mean_of_a_field_is_that_of_the_catalogue_with_its_interval() -> None:
    customs = compile_customs([spec()])
    rig, kpi = Rig(), customs.kpis[0]
    rig.policy(shared(own_kpi()), at_ms=START_MS)
    for number in range(50):
        rig.send(event("contact.completed", START_MS, f"e{number}", hold_seconds=number * 7 % 31 + number / 3), at_ms=START_MS)
    (record,) = (each for key, each in rig.figures(rig.to(START_MS + SECOND)).items() if key == "acme/all/15m")
    flat = [*from_names({name: count for name, count in record["measures"].items() if isinstance(count, int)})]
    own, built_in = (
        kpi.estimate([*flat, *customs.total([record["measures"]])], None, DEFAULT),
        CATALOGUE["avg_hold"].estimate(flat, None, DEFAULT),
    )
    assert own[1:5] == built_in[1:5]
    assert own.variance == pytest.approx(built_in.variance)
    figure = record["kpis"]["hold_mean"]
    assert (figure["ci_low"], figure["ci_high"]) == interval(own, Z_REPORT)
    assert (figure["unit"], figure["definition"], figure["status"]) == ("s", kpi.formula, "no_target")


def test_times_whose_squares_are_rounded_down_have_no_spread_below_0() -> None:
    rig = Rig()
    rig.policy(shared(own_kpi()), at_ms=START_MS)
    rig.send(*(event("contact.completed", START_MS, f"e{number}", hold_seconds=1.5) for number in range(2)), at_ms=START_MS)
    rig.to(START_MS + SECOND)
    told = rig.figures()["acme/all/15m"]["kpis"]["hold_mean"]
    assert (told["value"], told["ci_low"], told["ci_high"]) == (1.5, 1.5, 1.5)


def figure(rig: Rig, kpi: str, at_ms: int) -> tuple[float, float] | None:
    """Numerator and denominator in the last hour."""
    rig.to(at_ms)
    found = rig.figures()["acme/all/1h"]["kpis"].get(kpi)
    return found and (found["numerator"], found["denominator"])


def test_what_was_counted_stays_with_the_formula_whatever_is_done_to_the_list() -> None:
    rig = Rig()
    rig.policy(shared(LONG, own_kpi()), at_ms=START_MS)
    rig.send(
        *(event("contact.completed", START_MS, f"e{at}", talk_seconds=590.0 + at * 10, hold_seconds=2.0) for at in range(4)), at_ms=START_MS
    )
    assert figure(rig, "long_calls", START_MS + 20 * SECOND) == (3, 4)
    rig.policy(shared(own_kpi(), LONG | {"id": "endless_calls", "better": "two_sided"}), at_ms=START_MS + 30 * SECOND)
    assert figure(rig, "endless_calls", START_MS + 60 * SECOND) == (3, 4)
    assert figure(rig, "hold_mean", START_MS + 60 * SECOND) == (8.0, 4)
    assert figure(rig, "long_calls", START_MS + 60 * SECOND) is None
    rig.policy(shared(), at_ms=START_MS + 61 * SECOND)
    rig.to(START_MS + 80 * SECOND)
    rig.send(event("contact.completed", START_MS + 100 * SECOND, "unseen"), at_ms=START_MS + 100 * SECOND)
    assert figure(rig, "endless_calls", START_MS + 100 * SECOND) is None
    rig.crash()
    assert figure(rig, "aht", START_MS + 110 * SECOND) == (2488.0, 5), "cells of no formula are in no sum"
    rig.policy(shared(LONG), at_ms=START_MS + 120 * SECOND)
    assert figure(rig, "long_calls", START_MS + 150 * SECOND) == (3, 4)


def test_a_rule_judges_it_and_the_explanation_calls_it_by_its_name() -> None:
    rig, high = Rig(), rule(kpi="long_calls", direction="above", levels=[{"severity": "warning", "enter": 0.5, "exit": 0.4, "for": 0}])
    rig.policy(SharedPart(kpis=shared(LONG).kpis, rules=(high,)), partner_part(), at_ms=START_MS)
    rig.to(START_MS)
    rig.send(*(event("contact.completed", START_MS, f"e{at}", talk_seconds=601.0) for at in range(30)), at_ms=START_MS)
    rig.to(START_MS + 20 * SECOND)
    (*_, fired) = rig.bodies(TOPICS.alerts)
    assert fired["transition"]["kind"] == "fired"
    assert fired["explanation"].startswith("Acme: long calls 100 % in the last 5 min, over 50 % since")
    rig.policy(shared(), at_ms=START_MS + MINUTE_MS)
    rig.to(START_MS + 2 * MINUTE_MS)
    assert rig.kinds()[-1] == "retired", "the rule and its KPI are gone"


def test_partners_are_summed_by_numerators_and_denominators() -> None:
    rig = Rig()
    rig.policy(shared(LONG), at_ms=START_MS)
    for partner, seconds in (("acme", 700.0), ("acme", 10.0), ("bolt", 10.0), ("bolt", 20.0)):
        rig.send(event("contact.completed", START_MS, f"{partner}{seconds}", partner=partner, talk_seconds=seconds), at_ms=START_MS)
    rig.to(START_MS + SECOND)
    whole = total_of([body for key, body in rig.figures().items() if key.endswith("/all/15m")], "15m")["kpis"]["long_calls"]
    assert (whole["value"], whole["numerator"], whole["denominator"], whole["n"], whole["status"]) == (0.25, 1, 4, 4, "insufficient")
    assert whole["definition"] == "contact.completed where handle_seconds > 600 / contact.completed"


def by_criterion(identity: str, criterion: str | list[str], **where: Any) -> dict[str, Any]:
    """The share of evaluations on a criterion that meet a condition, or where there is none that of their points."""
    if where:
        of = {"count": "quality.evaluated", "criterion": criterion}
        return own_kpi(identity, unit="ratio", better="higher", numerator=of | {"where": where}, denominator=of)
    terms = {"numerator": "points", "denominator": "points_possible"}
    sums = {name: {"sum": field, "of": "quality.evaluated", "criterion": criterion} for name, field in terms.items()}
    return own_kpi(identity, unit="ratio", better="higher", **sums)


def test_an_evaluation_counts_by_criterion_once_with_the_items_that_applied() -> None:
    def item(criterion: str, points: float, possible: float, *, critical: bool = False) -> dict[str, Any]:
        return {"criterion": criterion, "points": points, "possible": possible, "critical": critical}

    forms = (
        [item("greeting", 3, 5), item("empathy", 6, 10), item("identity", 5, 5, critical=True)],
        [item("greeting", 9, 5), item("empathy", 0, 0), item("identity", 0, 5, critical=True)],
        [item("greeting", 0, 5), item("empathy", 10, 10), item("empathy", 2.5, 10), item("identity", 0, 5)],
        [item("Empathy", 1, 10), item("identity", 0, 0, critical=True)],
        None,
    )
    soft = by_criterion("soft_score", ["greeting", "empathy"])
    own = (by_criterion("empathy_score", "empathy"), soft, by_criterion("identity_kept", "identity", critical_fail=False))
    rig = Rig()
    rig.policy(shared(*own), at_ms=START_MS)
    for at, items in enumerate(forms):
        whole: dict[str, Any] = {"points": 1, "points_possible": 90, "automatic_fail": at == 0, "items": items}
        rig.send(event("quality.evaluated", START_MS, f"e{at}", **whole), at_ms=START_MS, topic=TOPICS.quality)
    rig.to(START_MS + 20 * SECOND)
    kpis = rig.figures()["acme/all/15m"]["kpis"]
    found = {name: [kpis[name][part] for part in ("numerator", "denominator", "n")] for name in (each["id"] for each in own)}
    assert found == {"empathy_score": [18.5, 30, 2], "soft_score": [3 + 6 + 5 + 12.5, 15 + 5 + 25, 3], "identity_kept": [2, 3, 3]}
    assert kpis["identity_kept"]["definition"] == (
        "quality.evaluated on identity where critical_fail = false / quality.evaluated on identity"
    )


def test_of_points_past_what_an_evaluation_may_say_those_it_may_say_count() -> None:
    items = [{"criterion": "tone", "points": 9_000, "possible": 9_000}] * 100
    rig = Rig()
    rig.policy(shared(by_criterion("tone_score", "tone")), at_ms=START_MS)
    whole: dict[str, Any] = {"points": 1, "points_possible": 1, "items": items}
    rig.send(event("quality.evaluated", START_MS, "e1", **whole), at_ms=START_MS, topic=TOPICS.quality)
    assert figure(rig, "tone_score", START_MS + 20 * SECOND) == (10_000, 10_000)


def test_a_criterion_is_part_of_what_is_counted_and_one_alone_is_a_list_of_it() -> None:
    def counts(criterion: str | list[str]) -> int:
        return fingerprint(KpiSpec.model_validate(by_criterion("score", criterion)))

    plain = [["quality.evaluated", "points", {}], ["quality.evaluated", "points_possible", {}]]
    assert counts("a") == counts(["a"]) == counts(["a", "a"])
    assert counts(["a", "b"]) == counts(["b", "a"])
    unsaid = {**by_criterion("score", "a")}
    for term in ("numerator", "denominator"):
        unsaid[term] = {name: said for name, said in unsaid[term].items() if name != "criterion"}
    whole = fingerprint(KpiSpec.model_validate(unsaid))
    assert len({counts("a"), counts("b"), counts(["a", "b"]), whole}) == 4
    assert whole == int(revision_of(plain), 16), "what earlier releases counted goes on"


def test_what_employees_answer_is_not_counted() -> None:
    answers = own_kpi("answers", unit="ratio", numerator={"count": "survey.response"}, denominator={"count": "survey.invited"})
    rig = Rig()
    rig.policy(shared(answers), at_ms=START_MS)
    for survey in ("esat", "enps", "nps"):
        rig.send(event("survey.response", START_MS, survey, survey=survey), at_ms=START_MS, topic=TOPICS.surveys)
    assert figure(rig, "answers", START_MS + SECOND) == (1, 0)


def test_a_policy_without_any_is_the_policy_that_it_was() -> None:
    plain, _ = parts(load("version: 1", "p.yaml"))
    assert plain.customs is SharedPart().customs
    assert "kpis" not in plain.model_fields_set
