"""The simulated people and their back office: what is told of them fits together, and an engine counts all of it."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import replace
from importlib.resources import files
from itertools import pairwise
from typing import Any, get_args

import orjson
import pytest

from models.policy_file import load
from models.windows import HOUR_MS, MINUTE_MS
from streams.delivery import Delivery, Source
from streams.simulate import Incident, Script, Simulated, events, partners
from tests.engines import CONFIG, TOPICS, Rig, partner_part

FROM_MS = 1_700_000_000_000
HOURS = 14
CLEAN = Simulated(partners(1), disordered=0.0, duplicated=0.0, survey_delayed=0.0, poisoned=0.0)

Event = dict[str, Any]


@pytest.fixture(scope="module")
def day() -> list[Delivery]:
    return list(events(CLEAN, 1, FROM_MS, FROM_MS + HOURS * HOUR_MS))


def told(day: list[Delivery], *kinds: str) -> list[Event]:
    return [event for event in (orjson.loads(each.value) for each in day) if event["type"] in kinds]


def states_by_agent(day: list[Delivery]) -> dict[str, list[tuple[int, str]]]:
    """By agent, what they did from when on, in order."""
    found: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for event in told(day, "agent.state"):
        found[event["agent_id"]].append((event["occurred_at"], event["state"]))
    return {agent: sorted(states) for agent, states in found.items()}


def test_who_answers_is_on_the_contact_until_it_is_completed_and_on_no_other(day: list[Delivery]) -> None:
    answered = {event["contact_id"]: event for event in told(day, "contact.answered")}
    states = states_by_agent(day)
    spans = defaultdict(list)
    for done in told(day, "contact.completed"):
        start, end, agent = answered[done["contact_id"]]["occurred_at"], done["occurred_at"], done["agent_id"]
        assert answered[done["contact_id"]]["agent_id"] == agent
        assert [state for at, state in states[agent] if start <= at <= end] == ["on_contact", "wrap", "available"]
        spans[agent].append((start, end))
    assert len(spans) > 20
    assert all(before[1] < after[0] for agent in spans.values() for before, after in pairwise(sorted(agent)))


def test_people_keep_to_their_shifts_take_breaks_and_go_home(day: list[Delivery]) -> None:
    kinds = Counter(state for states in states_by_agent(day).values() for _, state in states)
    assert kinds["break"] > 20
    assert kinds["offline"] > 20
    shifts = [event for event in told(day, "agent.scheduled") if event["activity"] == "contacts"]
    assert all(0 < event["to"] - event["from"] <= 8 * HOUR_MS for event in shifts)
    hired = {event["agent_id"] for event in told(day, "agent.joined")}
    assert {event["agent_id"] for event in shifts} == hired == {event["agent_id"] for event in told(day, "training.due")}


def test_a_ticket_is_opened_then_replied_to_then_solved_and_solved_again_where_it_was_reopened(day: list[Delivery]) -> None:
    tickets = defaultdict(list)
    for event in told(day, *(f"ticket.{step}" for step in ("opened", "replied", "solved", "reopened"))):
        tickets[event["contact_id"]].append((event["occurred_at"], event["type"].removeprefix("ticket.")))
    life = ["opened", "replied", "solved", "reopened", "solved"]
    steps = [[step for _, step in sorted(each)] for each in tickets.values()]
    assert all(each == life[: len(each)] for each in steps)
    assert {3, 5} <= {len(each) for each in steps}


def test_a_forecast_is_made_before_its_interval_and_is_about_right(day: list[Delivery]) -> None:
    forecasts = told(day, "volume.forecast")
    later = [event for event in forecasts if event["interval_start"] > FROM_MS + 2 * HOUR_MS]
    assert all(event["occurred_at"] < event["interval_start"] for event in later)
    low, high = later[0]["interval_start"], FROM_MS + (HOURS - 1) * HOUR_MS
    expected = sum(event["offered"] for event in later if event["interval_end"] <= high)
    offered = sum(low <= event["occurred_at"] < high for event in told(day, "contact.answered", "contact.abandoned"))
    assert offered == pytest.approx(expected, rel=0.06)


def repeats(deliveries: Iterable[Delivery]) -> float:
    """The share of handled contacts by somebody who was there before."""
    customers = [event["customer_key"] for event in told(list(deliveries), "contact.completed")]
    return 1 - len(set(customers)) / len(customers)


def test_who_was_not_helped_may_come_back_and_trouble_sends_more_of_them(day: list[Delivery]) -> None:
    trouble = Script((Incident(CLEAN.partners[0].id, FROM_MS, FROM_MS + HOURS * HOUR_MS),))
    assert 0.05 < repeats(day) < 0.12
    assert 2 * repeats(day) < repeats(events(CLEAN, 1, FROM_MS, FROM_MS + HOURS * HOUR_MS, trouble)) < 0.3
    at_ms: dict[str, int] = {}
    for event in sorted(told(day, "contact.completed"), key=lambda each: each["occurred_at"]):
        assert event["occurred_at"] - at_ms.get(event["customer_key"], 0) > 5 * MINUTE_MS
        at_ms[event["customer_key"]] = event["occurred_at"]


def test_partners_of_the_example_policy_report_money_by_the_days_of_its_zones() -> None:
    name = "example_policy.yaml"
    named = load(files("models").joinpath(name).read_text(), name)
    zones = {part.id: part.timezone for part in named.partners}
    assert {partner.id: partner.zone for partner in partners(7)} == zones | {"partner-07": "UTC"}


def test_an_engine_counts_every_family_and_refuses_nothing(day: list[Delivery]) -> None:
    rig = Rig(config=replace(CONFIG, clock_from_log=True))
    rig.policy(partner_part(partners(1)[0].id, timezone=partners(1)[0].zone, definition={"repeat_window_seconds": "1d"}), at_ms=FROM_MS)
    end_ms = FROM_MS + 6 * HOUR_MS
    for each in day:
        if each.at_ms < end_ms:
            rig.append(getattr(TOPICS, each.source), each.at_ms, each.partner_id.encode(), each.value)
    for source in get_args(Source):
        clock = {"type": "clock.advanced", "to": end_ms, "topics": list(TOPICS.sources)}
        rig.append(getattr(TOPICS, source), end_ms, None, orjson.dumps(clock))
        rig.poll(getattr(TOPICS, source))
    rig.now_ms = end_ms
    rig.commit()
    assert rig.letters() == rig.letters(TOPICS.late) == []
    kpis = rig.figures()["acme/all/1h"]["kpis"]
    values = {name: figure["value"] for name, figure in kpis.items()}
    assert 0.4 < values["occupancy"] < 0.95
    assert values["schedule_adherence"] > 0.9
    assert abs(values["forecast_deviation"]) < 0.25
    assert 0 < values["agents_available"] < values["agents_staffed"] < 80
    assert {"qa_score", "first_response_mean", "backlog", "training_completion", "csat"} <= values.keys()
    wide = rig.figures()["acme/all/24h"]["kpis"]
    assert "attrition" in wide
    assert 0.03 < wide["repeat_rate"]["value"] < 0.1
    periods = rig.bodies(TOPICS.periods)
    assert [body["kpis"]["revenue"]["reason"] for body in periods] == [None] * 3, "of two days before, and one that ended"
    assert periods[-1]["kpis"]["revenue_growth"]["reason"] is None, "one day follows the other"
