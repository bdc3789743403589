"""KPIs of a policy's own are those of a plain recount of the events: in any order, any split, after any crash, whatever is restated."""

from random import Random
from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from models.policy_spec import SharedPart
from tests import naive
from tests.conditions import START_MS
from tests.customs import KPIS, counted
from tests.engines import SECOND, TOPICS, Rig
from tests.stories import HOUR, MINUTE, Step, drawn_event, steps, topic_of

Json = dict[str, Any]
JUMPS = (0, 0, SECOND, 4 * SECOND, 30 * SECOND, 61 * SECOND, 10 * MINUTE, 3 * HOUR)
LATENESS = (0, 0, 0, 3 * SECOND, 12 * SECOND, 2 * MINUTE, 40 * MINUTE, 6 * HOUR, 26 * HOUR)


def shared(kpis: list[Json]) -> SharedPart:
    return SharedPart.model_validate_json(orjson.dumps({"kpis": kpis}), strict=True)


def told(step: Step, number: int, at_ms: int) -> Json:
    """The event of a step; records of a contact are sent again and again, each newer than the one before."""
    body = drawn_event(step, f"e{number}", at_ms)
    if body["type"] == "contact.record":
        body |= {"contact_id": f"c{step.value % 3}", "updated_at": at_ms}
    return body


def newest(events: list[Json]) -> list[Json]:
    """What holds: of the records of a contact the newest, the first of those that are equally new."""
    records: dict[tuple[str, str], Json] = {}
    for event in events:
        if event["type"] == "contact.record":
            key = event["partner_id"], event["contact_id"]
            if key not in records or event["updated_at"] > records[key]["updated_at"]:
                records[key] = event
    return [event for event in events if event["type"] != "contact.record"] + list(records.values())


def check(rig: Rig, events: list[Json], outputs: list[Any]) -> int:
    """Every record says of each KPI what its exact window holds; how many figures were compared."""
    found, holds = 0, newest(events)
    for topic in (TOPICS.kpis, TOPICS.rollups_1d):
        for body in rig.bodies(topic, outputs):
            place = [each for each in holds if each["partner_id"] == body["partner"] and naive.in_scope(each, body["scope"])]
            for kpi in KPIS:
                exact = counted(kpi, place, body["from"], body["to"])
                figure = body["kpis"].get(kpi["id"])
                assert (figure is None) == (exact is None), (kpi["id"], body)
                if figure is None or exact is None:
                    continue
                numerator, denominator, n = exact
                if denominator == 0:
                    assert (figure["value"], figure["status"], figure["n"]) == (None, "not_applicable", 0)
                else:
                    assert (figure["numerator"], figure["denominator"], figure["n"]) == (numerator, denominator, n), (
                        kpi["id"],
                        body["scope"],
                    )
                    assert figure["value"] == numerator / denominator
                    found += 1
    return found


def play(story: list[Step], *, crashes: bool) -> int:
    rig, at_ms, events, found = Rig(), START_MS, list[Json](), 0
    rig.policy(shared(KPIS), at_ms=at_ms)
    rig.to(at_ms)
    for number, step in enumerate(story):
        at_ms += step.after_ms
        body = told(step, number, at_ms)
        rig.send(body, at_ms=at_ms, topic=topic_of(body))
        events.append(body)
        found += check(rig, events, rig.to(at_ms))
        if crashes and step.value % 5 == 0:
            rig.crash()
    assert rig.letters() == rig.letters(TOPICS.late) == []
    for after_ms in (11_000, 61_000, 20 * MINUTE, 26 * HOUR):
        at_ms += after_ms
        found += check(rig, events, rig.to(at_ms))
    return found


@settings(max_examples=20, deadline=None)
@given(steps(most=15, jumps=JUMPS, lateness=LATENESS), st.booleans())
def test_every_record_says_what_its_exact_window_holds(story: list[Step], crashes: bool) -> None:
    play(story, crashes=crashes)


def test_such_stories_hold_figures_of_all_kinds() -> None:
    random = Random(7)
    kinds = (
        "contact.completed",
        "contact.answered",
        "contact.record",
        "survey.response",
        "quality.evaluated",
        "ticket.opened",
        "contact.left",
    )
    story = [
        Step(random.choice(JUMPS), random.choice(kinds), "acme", random.choice(("billing", None)), "voice", 0, random.randrange(1000))
        for _ in range(40)
    ]
    assert play(story, crashes=True) > 500
