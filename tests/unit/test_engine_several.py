"""Rules over several figures in an engine: composites and the balance guard."""

from typing import Any

import pytest

from models.policy_record import decode_policy, encode_policy, policy_key
from models.rule_forms import BalanceSpec, CompositeSpec
from tests.conditions import START_MS
from tests.engines import SECOND, TOPICS, Rig, event, partner_part, shared_part
from tests.stories import DAY, HOUR, MINUTE, QUARTER

HOUR_BEGINS_MS = START_MS + 50 * MINUTE
"""A full hour."""
BALANCE = {"id": "pace", "type": "balance", "efficiency": "aht", "quality": "csat", "window": "1h", "scopes": ["partner", "partner/queue"]}
WHEN = {"all": [{"kpi": "asa", "above": 60, "exit": 45}, {"not": {"kpi": "in_queue", "below": 2}}]}
COMPOSITE = {"id": "trouble", "when": WHEN, "window": "5m", "severity": "critical", "for": "30s", "min_samples": 2}


def rigged(*rules: Any) -> Rig:
    rig = Rig()
    rig.policy(shared_part(*rules), partner_part(), at_ms=START_MS)
    rig.to(START_MS)
    return rig


def contacts(rig: Rig, begin_ms: int, *, talk: float, score: int, crash: bool = False) -> None:
    """An hour of a contact a minute in the queue billing, each rated."""
    for at_ms in range(begin_ms, begin_ms + HOUR, MINUTE):
        rig.send(event("contact.completed", at_ms, f"c{at_ms}", queue="billing", talk_seconds=talk + at_ms % 7), at_ms=at_ms)
        survey = event("survey.response", at_ms, f"s{at_ms}", queue="billing", survey="csat", score=score)
        rig.send(survey, at_ms=at_ms, topic=TOPICS.surveys)
        rig.to(at_ms + SECOND)
        if crash:
            rig.crash()


def told(rig: Rig) -> list[tuple[str, str, int]]:
    return [(each["scope"], each["transition"]["kind"], each["evaluated_at"]) for each in rig.bodies(TOPICS.alerts)]


@pytest.mark.parametrize("crash", [False, True])
def test_a_balance_fires_at_a_full_quarter_once_both_hours_differ(crash: bool) -> None:
    rig = rigged(BalanceSpec.model_validate(BALANCE))
    contacts(rig, HOUR_BEGINS_MS, talk=420, score=5)
    contacts(rig, HOUR_BEGINS_MS + HOUR, talk=300, score=1, crash=crash)
    rig.to(HOUR_BEGINS_MS + 2 * HOUR + MINUTE)
    fired = [each for each in rig.bodies(TOPICS.alerts) if each["transition"]["kind"] == "fired"]
    assert [each["scope"] for each in fired] == ["all", "queue=billing"]
    assert fired[0]["evaluated_at"] % QUARTER == 0
    times, ratings = fired[0]["evidence"]["parts"]
    assert (times["kpi"], times["value"] < times["before"]["value"]) == ("aht", True)
    assert (ratings["kpi"], ratings["value"] < ratings["before"]["value"]) == ("csat", True)
    assert ratings["to"] - ratings["from"] == ratings["before"]["to"] - ratings["before"]["from"] == HOUR
    assert ratings["before"]["to"] == ratings["from"]


def test_a_balance_that_is_kept_says_nothing() -> None:
    rig = rigged(BalanceSpec.model_validate(BALANCE))
    contacts(rig, HOUR_BEGINS_MS, talk=420, score=5)
    contacts(rig, HOUR_BEGINS_MS + HOUR, talk=300, score=5)
    assert told(rig) == []


@pytest.mark.parametrize("window", ["5m", "15m", "30m", "1h", "4h", "24h", "7d"])
def test_every_window_has_the_equal_one_before_it(window: str) -> None:
    rig = rigged(BalanceSpec.model_validate(BALANCE | {"window": window, "min_samples": 30}))
    width = {"5m": 5, "15m": 15, "30m": 30, "1h": 60, "4h": 240, "24h": 1440, "7d": 7 * 1440}[window] * MINUTE
    end_ms = HOUR_BEGINS_MS - HOUR_BEGINS_MS % DAY + 15 * DAY
    for number in range(60):
        at_ms = end_ms - 2 * width + number * (width // 30)
        before = number < 30
        rig.send(event("contact.completed", at_ms, f"c{number}", talk_seconds=(420 if before else 300) + number), at_ms=at_ms)
        rig.send(event("survey.response", at_ms, f"s{number}", survey="csat", score=5 if before else 1), at_ms=at_ms, topic=TOPICS.surveys)
        rig.to(at_ms)
    rig.to(end_ms + 30 * SECOND)
    (fired,) = [each for each in rig.bodies(TOPICS.alerts) if each["transition"]["kind"] == "fired"]
    at_ms = fired["evaluated_at"]
    assert end_ms - width // 30 < at_ms <= end_ms
    for part in fired["evidence"]["parts"]:
        assert (part["before"]["from"], part["before"]["to"], part["from"], part["to"]) == (
            at_ms - 2 * width,
            at_ms - width,
            at_ms - width,
            at_ms,
        )
        assert (part["before"]["n"], part["n"]) == (30, 30)


def test_a_composite_fires_where_all_parts_do_and_names_them() -> None:
    rig = rigged(CompositeSpec.model_validate(COMPOSITE))
    at_ms = START_MS + MINUTE
    for number in range(30):
        rig.send(event("contact.answered", at_ms + number, f"a{number}", wait_seconds=90.0 + number), at_ms=at_ms)
    rig.to(at_ms + MINUTE)
    assert told(rig) == []
    for number in range(2):
        rig.send(event("contact.queued", at_ms + MINUTE, f"q{number}"), at_ms=at_ms + MINUTE)
    rig.to(at_ms + 2 * MINUTE)
    assert [(scope, kind) for scope, kind, _ in told(rig)] == [("all", "pending"), ("all", "fired")]
    assert told(rig)[1][2] - told(rig)[0][2] == 30 * SECOND
    parts = rig.bodies(TOPICS.alerts)[1]["evidence"]["parts"]
    assert [(part["kpi"], part["value"], part["state"]) for part in parts] == [("asa", 104.5, "breached"), ("in_queue", 2, "breached")]


def test_forms_travel_and_come_back_as_they_were() -> None:
    part = shared_part(CompositeSpec.model_validate(COMPOSITE), BalanceSpec.model_validate(BALANCE))
    record = encode_policy(part, 0)
    assert decode_policy(policy_key("*", "current"), record.model_dump_json().encode()).part == part


def test_a_changed_balance_is_taken_over_at_the_next_quarter() -> None:
    rig = rigged(BalanceSpec.model_validate(BALANCE))
    contacts(rig, HOUR_BEGINS_MS, talk=420, score=5)
    contacts(rig, HOUR_BEGINS_MS + HOUR, talk=300, score=1)
    rig.to(HOUR_BEGINS_MS + 2 * HOUR + MINUTE)
    before = told(rig)
    rig.policy(shared_part(BalanceSpec.model_validate(BALANCE | {"min_samples": 25})), at_ms=HOUR_BEGINS_MS + 2 * HOUR + MINUTE)
    rig.to(HOUR_BEGINS_MS + 2 * HOUR + 20 * MINUTE)
    assert told(rig) == before
    assert {condition.phase for condition in rig.snapshot()["partners"]["acme"]["conditions"].values()} == {"firing"}
