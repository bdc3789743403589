"""An alert tells how many contacts came and how many agents were there, against the same hours of the weeks before."""

from typing import Any

import pytest

from tests.engines import TOPICS, Rig, event, partner_part, rule, shared_part
from tests.stories import HOUR
from tests.weeks import MONDAY_MS, after, contacts, live, office

LATER = [{"severity": "warning", "enter": 0.8, "exit": 0.83, "for": 1800}]
LOW = rule(window="15m", min_samples=5, scopes=["partner", "partner/site"], levels=LATER)


def fired(rig: Rig, scope: str = "all") -> dict[str, Any]:
    return next(each for each in rig.bodies(TOPICS.alerts) if (each["scope"], each["transition"]["kind"]) == (scope, "fired"))


def surge(count: int, begin_ms: int, **fields: Any) -> Any:
    def told(hour_ms: int) -> list[dict[str, Any]]:
        worst = hour_ms == begin_ms + 10 * HOUR
        return contacts(hour_ms, count if worst else 30, late=count if worst else 2, **fields) if office(hour_ms) else []

    return told


def test_a_surge_stands_beside_the_figure_and_in_the_sentence() -> None:
    rig, at_ms = after(4, shared_part(LOW))
    live(rig, at_ms, 11, surge(120, at_ms))
    alert = fired(rig)
    told = alert["circumstances"]
    arrivals = told["arrivals"]
    assert told["to"] - told["from"] == HOUR, "what is usual is known by the hour, also of a rule on 15 minutes"
    assert arrivals["unusual"]
    assert arrivals["value"] > 1.3 * arrivals["usual"]
    assert (arrivals["weeks"], arrivals["reason"]) == (4, None)
    assert told["staffing"] == dict.fromkeys(("value", "usual", "deviation"), None) | {
        "weeks": 0,
        "unusual": False,
        "reason": "not_counted",
    }
    percent = round(100 * (arrivals["value"] / arrivals["usual"] - 1))
    assert alert["explanation"].endswith(f"; arrivals are {percent} % over the usual Monday 10:00")
    assert len(alert["explanation"]) <= 200


def test_the_usual_volume_is_told_and_no_word_is_lost_on_it() -> None:
    rig, at_ms = after(4, shared_part(LOW))
    live(rig, at_ms, 11, surge(30, at_ms))
    told = fired(rig)["circumstances"]
    assert (told["arrivals"]["unusual"], told["text"]) == (False, None)


def test_of_fewer_than_three_weeks_and_of_sides_the_reason_is_told() -> None:
    rig, at_ms = after(2, shared_part(LOW, scopes=("site",)))
    live(rig, at_ms, 11, surge(60, at_ms, site="lisbon"))
    arrivals = fired(rig)["circumstances"]["arrivals"]
    assert (arrivals["usual"], arrivals["reason"]) == (None, "no_baseline")
    assert arrivals["value"] > 0
    assert fired(rig, "site=lisbon")["circumstances"]["arrivals"]["reason"] == "not_kept"


def test_staffing_is_the_agents_at_work_on_average() -> None:
    rig = Rig()
    rig.policy(shared_part(LOW), partner_part(), at_ms=MONDAY_MS)
    rig.to(MONDAY_MS)

    def staffed(hour_ms: int) -> list[dict[str, Any]]:
        week, hour = divmod((hour_ms - MONDAY_MS) // HOUR, 168)
        if hour not in (9, 10, 12):
            return []
        state, agents = ("offline", 6) if hour == 12 else ("available", 6 if week < 3 else 2)
        told = [event("agent.state", hour_ms, f"{hour_ms}-{number}", agent_id=f"a{number}", state=state) for number in range(agents)]
        return told + (contacts(hour_ms, 30, late=30 if week == 3 else 2) if hour == 10 else [])

    for hour in range(3 * 168 + 11):
        hour_ms = MONDAY_MS + hour * HOUR
        bodies = staffed(hour_ms)
        agents = [each for each in bodies if each["type"] == "agent.state"]
        if agents:
            rig.to(hour_ms)
            rig.send(*agents, at_ms=hour_ms, topic=TOPICS.workforce)
        live(rig, hour_ms, 1, lambda _, bodies=bodies, agents=agents: [each for each in bodies if each not in agents])  # type: ignore[misc]
    told = fired(rig)["circumstances"]["staffing"]
    assert (told["value"], told["usual"], told["weeks"]) == (pytest.approx(2, abs=0.1), pytest.approx(6, abs=0.1), 3)
    assert told["unusual"]
    assert "staffing is 67 % under" in fired(rig)["explanation"]


def test_they_stay_while_it_is_open_and_over_a_restart() -> None:
    rig, at_ms = after(4, shared_part(LOW))
    live(rig, at_ms, 11, surge(120, at_ms))
    rig.crash()
    live(rig, at_ms + 11 * HOUR, 1, lambda hour_ms: contacts(hour_ms, 30))
    resolved = next(each for each in rig.bodies(TOPICS.alerts) if each["transition"]["kind"] == "resolved" and each["scope"] == "all")
    assert resolved["circumstances"] == fired(rig)["circumstances"]
    assert "arrivals" not in resolved["explanation"]
