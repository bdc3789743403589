"""A policy that changes in the middle of a story: figures hold what was counted under each, and say from when on the present one holds."""

from collections.abc import Iterable
from dataclasses import dataclass
from random import Random
from typing import Any

import orjson
from hypothesis import example, given, settings
from hypothesis import strategies as st

from models.policy import PartnerPart, SharedPart
from tests import naive
from tests.conditions import START_MS
from tests.customs import KPIS, counted
from tests.engines import SECOND, TOPICS, Rig, partner_part
from tests.stories import DAY, HOUR, MINUTE, Step, drawn_event, steps, topic_of

Json = dict[str, Any]
HOLD, LATE_OR_GONE = KPIS[0], KPIS[2]
KINDS = ("contact.answered", "contact.abandoned", "contact.completed", "contact.record", "survey.response")
JUMPS = (0, SECOND, 12 * SECOND, 61 * SECOND, 10 * MINUTE, 3 * HOUR)
LATENESS = (0, 0, 3 * SECOND, 2 * MINUTE, 40 * MINUTE, 6 * HOUR, -4 * MINUTE)


def policy(*kpis: Json, queue: Json | None = None, **definition: Any) -> tuple[SharedPart, PartnerPart]:
    shared = SharedPart.model_validate_json(orjson.dumps({"kpis": kpis, "definition": definition}), strict=True)
    return shared, partner_part(channels={"chat": {"service_level": {"threshold_seconds": 60}}}, queues={"sales": queue or {}})


POLICIES = (
    policy(HOLD),
    policy(HOLD, LATE_OR_GONE, targets={"service_level": {"target": 0.9}, "late_or_gone": {"target": 0.1}}),
    policy(LATE_OR_GONE, service_level={"variant": "answered_only"}, csat={"top_boxes": 1}),
    policy(LATE_OR_GONE | {"id": "renamed"}, HOLD, service_level={"threshold_seconds": 30}),
    policy(service_level={"threshold_seconds": 30}, csat={"scale_max": 10, "top_boxes": 3}, queue={"short_abandon_seconds": 9}),
    policy(HOLD, csat={"scale_max": 10, "top_boxes": 3}, queue={"csat": {"scale_max": 5, "top_boxes": 2}}),
)


@dataclass(frozen=True, slots=True)
class Counted:
    """An event, and what held for it when it was counted."""

    event: Json
    basis: tuple[int, int]
    scale: int
    formulas: frozenset[int]


def limits(told: Iterable[Counted]) -> naive.Limits:
    known = {each.event["event_id"]: each.basis for each in told}
    return lambda event: known[event["event_id"]]


def check(rig: Rig, told: list[Counted], outputs: list[Any]) -> None:
    now = rig.engine._state.partners["acme"].policy
    for body in [body for topic in (TOPICS.kpis, TOPICS.rollups_1d) for body in rig.bodies(topic, outputs)]:
        place = (body["partner"], body["scope"], body["from"], body["to"])
        here = [each for each in told if naive.in_scope(each.event, body["scope"])]
        exact = naive.measures([each.event for each in here], *place, limits=limits(told))
        own = {name: count for name, count in naive.counts(body).items() if "@" not in name and not name.startswith(("csat", "esat"))}
        assert own == {name: count for name, count in exact.items() if not name.startswith(("csat", "esat"))}, place
        inside = [(each, at) for each in here for at, what in naive.happens(each.event) if what and body["from"] <= at < body["to"]]
        check_basis(body, [(each, at) for each, at in inside if each.event["type"].startswith("contact.")], now)
        check_scale(body, [(each, at) for each, at in inside if each.event.get("survey") in ("csat", "esat")], now)
        check_formulas(body, here, now)


def check_basis(body: Json, inside: list[tuple[Counted, int]], now: Any) -> None:
    figure = body["kpis"].get("service_level")
    other = [at for each, at in inside if each.basis != now.definition(each.event.get("queue"), each.event.get("channel")).basis]
    if figure is None or figure["status"] == "not_applicable":
        return
    if other:
        assert figure["status"] == "insufficient"
        assert max(other) < figure["holds_from"]
        assert body["from"] < figure["holds_from"]
    else:
        assert "holds_from" not in figure


def check_scale(body: Json, inside: list[tuple[Counted, int]], now: Any) -> None:
    figure = body["kpis"].get("csat")
    if figure is None or figure["value"] is None:
        return
    other = [at for each, at in inside if each.scale != now.definition(each.event.get("queue"), each.event.get("channel")).csat.scale_max]
    assert max(other, default=0) < figure.get("holds_from", 1)
    assert "holds_from" not in figure or (figure["status"] == "insufficient" and body["from"] < figure["holds_from"])


def check_formulas(body: Json, here: list[Counted], now: Any) -> None:
    """What was not counted happened before the KPI says that it holds."""
    for kpi, formula in zip(now.customs.kpis, now.customs.shifts, strict=True):
        said = next(each for each in (HOLD, LATE_OR_GONE) if fingerprints()[each["id"]] == formula)
        were = [each.event for each in here if formula in each.formulas]
        exact, figure = counted(said, were, body["from"], body["to"]), body["kpis"].get(kpi.id)
        assert (figure is None) == (exact is None)
        if figure is None or exact is None:
            continue
        if exact[1]:
            assert (figure["numerator"], figure["denominator"], figure["n"]) == exact
        missed = [each.event for each in here if formula not in each.formulas]
        holds_from = figure.get("holds_from", body["from"])
        assert counted(said, missed, holds_from, body["to"]) is None, (kpi.id, holds_from)


def fingerprints() -> dict[str, int]:
    both = POLICIES[1][0].customs
    return {kpi.id: formula for kpi, formula in zip(both.kpis, both.shifts, strict=True)}


def play(story: list[Step], changes: list[int], *, crashes: bool) -> Rig:
    rig, at_ms, told = Rig(), START_MS, list[Counted]()
    rig.policy(*POLICIES[0], at_ms=at_ms)
    rig.to(at_ms)
    for number, (step, change) in enumerate(zip(story, changes, strict=False)):
        at_ms += step.after_ms
        rig.idle(at_ms)
        if change < len(POLICIES):
            rig.policy(*POLICIES[change], at_ms=at_ms)
        body = drawn_event(step, f"e{number}", at_ms) | {"partner_id": "acme"}
        rig.send(body, at_ms=at_ms, topic=topic_of(body))
        rig.poll(topic_of(body))
        held = rig.engine._state.partners["acme"].policy
        definition = held.definition(step.queue, step.channel)
        told.append(Counted(body, definition.basis, definition.csat.scale_max, frozenset(held.customs.shifts)))
        check(rig, told, rig.to(at_ms))
        if crashes and step.value % 4 == 0:
            rig.crash()
    assert rig.letters() == rig.letters(TOPICS.late) == []
    for after_ms in (11_000, 61_000, 20 * MINUTE, 26 * HOUR, 6 * DAY):
        at_ms += after_ms
        check(rig, told, rig.to(at_ms))
    return rig


@settings(max_examples=20, deadline=None)
@given(
    steps(most=12, jumps=JUMPS, lateness=LATENESS, kinds=KINDS),
    st.lists(st.integers(0, 2 * len(POLICIES)), min_size=12, max_size=12),
    st.booleans(),
)
@example([Step(12 * SECOND, "survey.response", "acme", "billing", None, 0, 5)] * 4, [6, 4, 6, 6], True)
def test_figures_say_from_when_on_their_definition_holds(story: list[Step], changes: list[int], crashes: bool) -> None:
    play(story, changes, crashes=crashes)


def seeded(change: int) -> list[Json]:
    """The figures of all windows after one change in the middle of a day."""
    random = Random(5)
    story = [
        Step(61 * SECOND, random.choice(KINDS), "acme", random.choice(("billing", "sales")), "voice", 0, 5 * random.randrange(200))
        for _ in range(40)
    ]
    rig = play(story, [6] * 20 + [change] + [6] * 19, crashes=False)
    return [body["kpis"] for body in rig.figures().values()]


def holding(kpis: list[Json]) -> set[str]:
    return {name for each in kpis for name, figure in each.items() if "holds_from" in figure}


def test_a_target_or_a_variant_holds_for_all_that_is_stored() -> None:
    assert holding(seeded(1)) == {"late_or_gone"}, "a KPI that is new was not counted before"
    assert holding(seeded(2)) == {"late_or_gone"}


def test_limits_and_scales_hold_from_the_change_on() -> None:
    assert {"service_level"} < holding(seeded(3))
    assert {"service_level", "csat", "dissatisfaction"} <= holding(seeded(4))
