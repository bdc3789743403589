"""Agents' events on their topic become figures; what is wrong, late or too much of it is told."""

from dataclasses import replace
from typing import Any

import pytest

from streams.engine import rows
from streams.engine.agent import Course, Doing, News, Said, Service, Stint
from streams.engine.agents import Agents, Roster
from streams.engine.panes import PaneStore
from streams.errors import CorruptRowError
from tests.conditions import START_MS
from tests.engines import CONFIG, SECOND, TOPICS, Rig, event, limited, partner_part, rule, shared_part
from tests.stories import DAY, HOUR, MINUTE

DAY_MS = START_MS - START_MS % DAY
"""Midnight in UTC."""


@pytest.fixture
def rig() -> Rig:
    return started(Rig())


def started(rig: Rig, at_ms: int = START_MS) -> Rig:
    rig.to(at_ms)
    return rig


def tell(rig: Rig, kind: str, at_ms: int, **fields: Any) -> None:
    """Sent when it happens, or now if that is past; each as often as it is sent."""
    number = len(rig.logs[TOPICS.workforce])
    rig.send(event(kind, at_ms, f"e{number}", **fields), at_ms=max(at_ms, rig.engine.frontier_ms), topic=TOPICS.workforce)


def state(rig: Rig, name: str, after_ms: int, **fields: Any) -> None:
    tell(rig, "agent.state", START_MS + after_ms, state=name, **fields)


def record(rig: Rig, at_ms: int, scope: str = "all", window: str = "1h") -> dict[str, Any]:
    rig.to(at_ms)
    found: dict[str, Any] = rig.figures()[f"acme/{scope}/{window}"]
    return found


def value(rig: Rig, kpi: str, at_ms: int, scope: str = "all", window: str = "1h") -> float | None:
    found: float | None = record(rig, at_ms, scope, window)["kpis"][kpi]["value"]
    return found


def test_time_accrues_as_it_passes_though_nothing_happens(rig: Rig) -> None:
    state(rig, "available", 0, queue="billing")
    state(rig, "on_contact", 30 * SECOND, queue="billing")
    for minutes, expected in ((1, 20 / 50), (2, 80 / 110), (10, 560 / 590)):
        assert value(rig, "occupancy", START_MS + minutes * MINUTE, "queue=billing") == expected, "up to the grid point 5 s ago"
        rig.crash()
    figure = record(rig, START_MS + 10 * MINUTE)["kpis"]["occupancy"]
    assert (figure["n"], figure["status"]) == (9, "insufficient"), "minutes of agents"


def test_who_is_there_now_stands_in_windows_up_to_an_hour(rig: Rig) -> None:
    state(rig, "available", 0, queue="billing")
    state(rig, "break", 0, agent_id="ben", queue="billing")
    state(rig, "on_contact", 0, agent_id="cleo")
    assert [value(rig, f"agents_{kpi}", START_MS + MINUTE) for kpi in ("staffed", "available")] == [3, 1]
    assert value(rig, "agents_staffed", START_MS + MINUTE, "queue=billing") == 2
    for agent in ("ann", "ben", "cleo"):
        state(rig, "offline", 2 * MINUTE, agent_id=agent)
    assert value(rig, "agents_staffed", START_MS + 3 * MINUTE) == 0, "a known staff that went home is nobody, rather than unknown"
    assert "agents_staffed" not in record(rig, START_MS + 5 * MINUTE, window="24h")["kpis"]


def test_a_partner_of_whose_agents_nothing_is_told_has_no_figures_of_them(rig: Rig) -> None:
    rig.send(event("contact.answered", START_MS, "e"), at_ms=START_MS)
    assert not {"occupancy", "agents_staffed", "attrition"} & record(rig, START_MS + MINUTE)["kpis"].keys()


def test_a_missing_logout_expires_and_is_counted() -> None:
    rig = Rig()
    rig.policy(shared_part(agent_expiry_seconds=3_600), partner_part(), at_ms=START_MS)
    started(rig)
    state(rig, "available", 0)
    rig.to(START_MS + 30 * MINUTE)
    rig.crash()
    assert value(rig, "agents_staffed", START_MS + HOUR) == 1
    assert value(rig, "agents_staffed", START_MS + HOUR + 16 * SECOND) == 0
    assert record(rig, START_MS + 2 * HOUR, window="24h")["measures"] == {"idle_ms": HOUR, "agents_expired": 1}
    assert rig.engine.counters["agents_expired"] == 1


def test_a_state_that_comes_late_takes_back_what_was_counted(rig: Rig) -> None:
    state(rig, "on_contact", 0, queue="billing")
    rig.to(START_MS + 3 * HOUR)
    state(rig, "break", 10 * MINUTE, queue="billing")
    state(rig, "available", 20 * MINUTE, queue="sales")
    rig.to(START_MS + 3 * HOUR + MINUTE)
    found = record(rig, START_MS + 3 * HOUR + 2 * MINUTE, window="24h")
    assert found["measures"] == {"contact_ms": 10 * MINUTE, "idle_ms": 2 * HOUR + 41 * MINUTE + 50 * SECOND}
    assert rig.engine.counters["late_corrections"] == 2


def test_a_schedule_that_is_moved_restates_adherence(rig: Rig) -> None:
    told = {"from": START_MS, "to": START_MS + HOUR, "activity": "contacts"}
    tell(rig, "agent.scheduled", START_MS, **told)
    state(rig, "available", 30 * MINUTE)
    assert value(rig, "schedule_adherence", START_MS + HOUR + 16 * SECOND, window="24h") == 0.5
    tell(rig, "agent.scheduled", START_MS + HOUR, **told | {"from": START_MS + 30 * MINUTE})
    assert value(rig, "schedule_adherence", START_MS + HOUR + 3 * MINUTE, window="24h") == 1.0
    tell(rig, "agent.scheduled", START_MS + HOUR, **told | {"activity": "offline"}, updated_at=START_MS + 2 * HOUR)
    assert "schedule_adherence" not in record(rig, START_MS + HOUR + 6 * MINUTE, window="24h")["kpis"], "it was cancelled"


def test_courses_count_on_their_due_date_though_nothing_happens_then(rig: Rig) -> None:
    for agent in ("ann", "ben", "cleo"):
        tell(rig, "training.due", START_MS, agent_id=agent, due_at=START_MS + 3 * DAY)
    tell(rig, "training.done", START_MS + HOUR, agent_id="ben")
    rig.to(START_MS + 3 * DAY)
    rig.crash()
    assert value(rig, "training_completion", START_MS + 3 * DAY + 16 * SECOND, window="24h") == pytest.approx(1 / 3)
    tell(rig, "training.done", START_MS + 3 * DAY - HOUR, agent_id="cleo")
    tell(rig, "training.done", START_MS + 3 * DAY + HOUR, agent_id="ann")
    assert value(rig, "training_completion", START_MS + 3 * DAY + 2 * HOUR, window="24h") == pytest.approx(2 / 3)


def test_attrition_is_leavers_a_year_of_staff_time_and_stands_in_wide_windows_only() -> None:
    rig = started(Rig(), DAY_MS)
    for number in range(100):
        tell(rig, "agent.joined", DAY_MS - 900 * DAY, agent_id=f"a{number}")
    tell(rig, "agent.left", DAY_MS + 12 * HOUR, agent_id="a7")
    figure = record(rig, DAY_MS + DAY + 16 * SECOND, window="24h")["kpis"]["attrition"]
    # By hand: 99.5 of them on average, one left, in a day.
    assert figure["value"] == pytest.approx(1 / 99.5 * 365)
    assert (figure["numerator"], figure["n"], figure["status"]) == (1, 99, "no_target")
    assert figure["ci_low"] < figure["value"] < figure["ci_high"]
    assert "attrition" not in record(rig, DAY_MS + DAY + 20 * SECOND)["kpis"]
    days = [body["measures"] for body in rig.compacted(TOPICS.rollups_1d).values()]
    assert days[-2:] == [{"headcount_ms": 100 * DAY}, {"agents_left": 1, "headcount_ms": 99 * DAY + 12 * HOUR}]
    assert len(days) == 37, "who joined before counts as far back as the ledger reaches"


@pytest.mark.parametrize("commits", [False, True])
def test_a_commit_before_the_first_grid_point_leaves_no_quarter_hours_of_weeks(commits: bool) -> None:
    rig = Rig()
    rig.policy(shared_part(), partner_part(), at_ms=START_MS)
    if commits:
        rig.commit()
    tell(rig, "agent.joined", START_MS - 900 * DAY)
    rig.to(START_MS)
    rig.to(START_MS + 16 * SECOND)
    rig.to(START_MS + MINUTE)
    quarters = [body["to"] for body in rig.compacted(TOPICS.rollups_15m).values()]
    assert len(quarters) > 96, "what is not merged into a day yet is owed"
    assert min(quarters) > START_MS - 3 * DAY - HOUR, "days hold what came before"


def test_agents_that_are_told_of_together_are_counted_as_one_after_the_other(rig: Rig) -> None:
    alone = started(Rig())
    told: list[tuple[str, int, dict[str, Any]]] = [
        ("agent.joined", -40 * DAY, {"agent_id": "ann"}),
        ("agent.state", -2 * HOUR, {"agent_id": "ann", "state": "available"}),
        ("agent.joined", -20 * DAY, {"agent_id": "ben"}),
        ("agent.state", -HOUR, {"agent_id": "ann", "state": "on_contact"}),
        ("agent.state", -90 * MINUTE, {"agent_id": "ann", "state": "break"}),
        ("agent.left", -5 * DAY, {"agent_id": "ann"}),
    ]
    for each in (rig, alone):
        each.send(event("contact.queued", START_MS, "q"), at_ms=START_MS)
        each.to(START_MS + MINUTE)
    for kind, after_ms, fields in told:
        for each in (rig, alone):
            tell(each, kind, START_MS + after_ms, **fields)
        alone.poll(TOPICS.workforce)
    for each in (rig, alone):
        each.to(START_MS + 2 * MINUTE)
    assert rig.snapshot() == alone.snapshot()
    figures = rig.figures()
    assert figures == alone.figures()
    assert figures["acme/all/4h"]["kpis"]["occupancy"]["value"] == pytest.approx(1 - 30 / 91.75, abs=0.01)
    rig.crash()
    assert rig.snapshot() == alone.snapshot()


def test_a_rule_over_staffing_fires_when_somebody_goes() -> None:
    rig = Rig()
    few = {"severity": "warning", "enter": 1, "exit": 1, "for": 0}
    rig.policy(shared_part(rule(id="few", kpi="agents_staffed", direction="below", levels=[few])), partner_part(), at_ms=START_MS)
    started(rig)
    state(rig, "available", 0)
    state(rig, "offline", HOUR)
    rig.to(START_MS + HOUR)
    rig.crash()
    rig.to(START_MS + HOUR + MINUTE)
    assert [each[1:3] for each in rig.alerts()] == [("fired", START_MS + HOUR + 10 * SECOND)]


def test_a_rule_over_occupancy_sees_minutes_as_observations() -> None:
    rig = Rig()
    hot = {"severity": "warning", "enter": 0.85, "exit": 0.8, "for": 0}
    rig.policy(
        shared_part(rule(id="hot", kpi="occupancy", direction="above", levels=[hot], min_samples=20)), partner_part(), at_ms=START_MS
    )
    started(rig)
    for number in range(10):
        state(rig, "on_contact", 0, agent_id=f"a{number}")
    rig.to(START_MS + 10 * MINUTE)
    assert [each[1:3] for each in rig.alerts()] == [("fired", START_MS + 2 * MINUTE)], "20 minutes of agents, all on contacts"


@pytest.mark.parametrize(
    ("kind", "fields", "error"),
    [
        ("agent.state", {"state": "lunch"}, "state: Input should be 'available', 'on_contact'"),
        ("agent.state", {"agent_id": None}, "agent_id: Input should be a valid string"),
        ("agent.scheduled", {"to": START_MS + 1}, "from: Field required"),
        ("agent.scheduled", {"from": START_MS, "to": START_MS}, "to: must lie after `from`, by 24 hours at most"),
        ("agent.scheduled", {"from": START_MS, "to": START_MS + DAY + 1}, "to: must lie after `from`, by 24 hours at most"),
        ("training.due", {"due_at": START_MS + 731 * DAY}, "due_at: more than two years after `occurred_at`"),
    ],
)
def test_what_is_wrong_is_a_dead_letter_that_names_the_field(rig: Rig, kind: str, fields: dict[str, Any], error: str) -> None:
    tell(rig, kind, START_MS, **fields)
    rig.to(START_MS + MINUTE)
    (letter,) = [dict(each.headers) for each in rig.written if each.topic == TOPICS.dead_letters]
    assert letter["dlq.reason"] == b"invalid"
    assert letter["dlq.error"].decode().startswith(error)
    assert rig.snapshot()["agents"] == {}


def test_what_agents_did_more_than_two_days_ago_is_late_and_changes_nothing(rig: Rig) -> None:
    state(rig, "available", 0)
    tell(rig, "agent.state", START_MS - 49 * HOUR, state="wrap")
    tell(rig, "agent.scheduled", START_MS, **{"from": START_MS - 49 * HOUR, "to": START_MS - 47 * HOUR})
    tell(rig, "agent.state", START_MS - 47 * HOUR, state="wrap", agent_id="ben")
    assert record(rig, START_MS + MINUTE, window="24h")["measures"] == {"idle_ms": 50 * SECOND}
    assert rig.letters(TOPICS.late) == [("past_agents", 1), ("past_agents", 2)]
    assert rig.engine.counters["late.past_agents"] == 2


def test_rows_of_what_is_over_go_and_the_staff_stays() -> None:
    panes, roster, kept = PaneStore("acme", "UTC", START_MS), Roster("acme", 10, 48 * HOUR), set[str]()

    def after(days: int, *told: News) -> list[str]:
        before = panes.closed_ms
        panes.advance(START_MS + days * DAY)
        roster.settle(before, panes)
        for news in told:
            roster.tell("ann", news, panes)
        for key, value in roster.drain():
            (kept.discard if value is None else kept.add)(key.decode())
        return sorted(rows.unpack_key(key.encode())[0] for key in kept)

    said = Said(Doing.OFFLINE, None, None, HOUR)
    states = [Stint(START_MS + number * HOUR, said) for number in range(3)]
    course = Course(START_MS, START_MS + HOUR, "tone", None, None)
    assert after(0, Service(START_MS, True, None, None), course, *states) == ["agent", "states", "states", "states"]
    assert after(3) == ["agent", "states"], "the last is held: they are known to be away"
    assert after(40) == ["agent"], "and forgotten, which somebody of the staff never is"
    assert after(41, Service(START_MS + 41 * DAY, False, None, None)) == ["agent"]
    assert after(80) == []
    assert not roster


def test_agents_beyond_the_limit_are_not_kept_and_are_counted() -> None:
    rig = started(Rig(limited(agents=1)))
    state(rig, "available", 0)
    state(rig, "available", 0, agent_id="ben")
    assert value(rig, "agents_staffed", START_MS + MINUTE) == 1
    assert rig.engine.counters["agents_dropped"] == 1


def test_an_agents_rows_that_do_not_hold_refuse_the_state() -> None:
    for key, content in ((rows.key("agent", "acme", "ann"), [1]), (rows.key("states", "acme", "ann", 0), [[1, 2]])):
        rig = Rig(replace(CONFIG), changelog={key: rows.pack(content)})
        with pytest.raises(CorruptRowError):
            rig.rebuilt()


def test_nothing_is_held_for_a_partner_that_is_gone() -> None:
    agents = Agents(10, HOUR)
    agents.of("acme")
    agents.release("acme")
    assert agents.by_partner == {}
