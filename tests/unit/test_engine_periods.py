"""Records of reported periods: written once a period is over, and again whenever something of it becomes different."""

from datetime import UTC, datetime
from typing import Any

import pytest

from models.money import Fact, Line, Period
from streams.engine.books import Books, before
from tests.conditions import START_MS
from tests.engines import SECOND, TOPICS, Rig, budget, event, limited, partner_part, shared_part
from tests.stories import DAY, HOUR, MINUTE

MIDNIGHT = START_MS - START_MS % DAY
"""Of the day on which the tests begin, in UTC."""
IN_HOUSE = [{"from": "2020-01-01", "cost_per_contact": 4.2, "currency": "EUR"}]


@pytest.fixture
def rig() -> Rig:
    rig = Rig()
    rig.policy(shared_part(), partner_part(baselines=IN_HOUSE), at_ms=MIDNIGHT - DAY)
    rig.to(MIDNIGHT - DAY)
    return rig


def at(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def told(rig: Rig, flow: str, amount: float | str, start_ms: int = MIDNIGHT, end_ms: int = MIDNIGHT + DAY, **fields: Any) -> None:
    now_ms = max(rig.engine.frontier_ms, MIDNIGHT - DAY)
    body = event(f"{flow}.reported", now_ms, f"{flow}{start_ms}{end_ms}{amount}{fields}", amount=amount)
    rig.send(body | {"period_start": start_ms, "period_end": end_ms} | fields, at_ms=now_ms, topic=TOPICS.finance)


def handled(rig: Rig, at_ms: int, count: int = 1, **fields: Any) -> None:
    """Contacts of that time, told of then or, where that is past, now."""
    for number in range(count):
        body = event("contact.completed", at_ms, f"c{at_ms}-{number}-{fields}-{len(rig.logs[TOPICS.interactions])}", **fields)
        rig.send(body, at_ms=max(at_ms, rig.engine.frontier_ms))


def records(rig: Rig) -> dict[str, dict[str, Any]]:
    """The newest record of each period."""
    bodies = [body for body in rig.compacted(TOPICS.periods).values() if body is not None]
    rig.bodies(TOPICS.periods)  # each is held against its model
    return {body["period"]: body for body in bodies}


def day(ms: int = MIDNIGHT) -> str:
    date = datetime.fromtimestamp(ms / 1000, UTC).date().isoformat()
    return f"{date}..{date}"


def values(body: dict[str, Any]) -> dict[str, Any]:
    return {name: figure["reason"] or figure["value"] for name, figure in body["kpis"].items()}


def test_a_period_has_its_record_once_it_is_over(rig: Rig) -> None:
    told(rig, "cost", 35)
    handled(rig, MIDNIGHT - HOUR)
    handled(rig, MIDNIGHT + HOUR, 7)
    handled(rig, MIDNIGHT + DAY, 100)
    rig.to(MIDNIGHT + DAY + 4 * SECOND)
    assert records(rig) == {}
    rig.to(MIDNIGHT + DAY + 6 * SECOND)
    found = records(rig)[day()]
    assert values(found) == {"cost_per_contact": 5.0, "savings": -5.6, "roi": -0.16}
    assert (found["from"], found["to"], found["handled"]) == (MIDNIGHT, MIDNIGHT + DAY, 7)
    assert found["amounts"] == {"EUR": {"cost": 350_000}}
    assert (found["configured"], found["timezone"]) == (True, "UTC")
    assert list(rig.compacted(TOPICS.periods)) == [f"acme/all/{MIDNIGHT}-{MIDNIGHT + DAY}"]
    count = len(rig.bodies(TOPICS.periods))
    rig.to(MIDNIGHT + DAY + HOUR)
    assert len(rig.bodies(TOPICS.periods)) == count, "it is written once"


@pytest.mark.parametrize("crash", [False, True])
def test_whatever_corrects_a_period_writes_it_again(rig: Rig, *, crash: bool) -> None:
    told(rig, "cost", 35)
    told(rig, "revenue", 10, MIDNIGHT - DAY, MIDNIGHT)
    told(rig, "revenue", 12)
    handled(rig, MIDNIGHT - HOUR)
    handled(rig, MIDNIGHT + HOUR, 7)
    rig.to(MIDNIGHT + DAY + MINUTE)
    assert records(rig)[day()]["kpis"]["revenue_growth"]["value"] == 0.2

    def then(minutes: int) -> dict[str, Any]:
        if crash:
            rig.to(rig.engine.frontier_ms)
            rig.commit(budget(0))
            rig.crash()
        rig.to(MIDNIGHT + DAY + minutes * MINUTE)
        return records(rig)[day()]

    handled(rig, MIDNIGHT + HOUR, 3)
    assert then(2)["kpis"]["cost_per_contact"]["value"] == 3.5, "a contact that came late"
    told(rig, "cost", 40, updated_at=rig.engine.frontier_ms + 1)
    assert then(3)["kpis"]["cost_per_contact"]["value"] == 4.0, "a restated amount"
    told(rig, "revenue", 8, MIDNIGHT - DAY, MIDNIGHT, updated_at=rig.engine.frontier_ms + 1)
    assert then(4)["kpis"]["revenue_growth"]["value"] == 0.5, "the revenue of the day before"
    rig.policy(partner_part(baselines=[{"from": "2020-01-01", "cost_per_contact": 5, "currency": "EUR"}]), at_ms=rig.engine.frontier_ms)
    assert then(5)["kpis"]["savings"]["value"] == 10.0, "another baseline"
    told(rig, "cost", 1, updated_at=MIDNIGHT - 2 * DAY)
    assert then(6)["kpis"]["cost_per_contact"]["value"] == 4.0, "nothing that is older"
    assert rig.engine.counters["facts_outdated"] == 1


def test_a_month_counts_its_contacts_although_the_ledger_forgot_them() -> None:
    rig = Rig()
    first, after = at("2026-01-01"), at("2026-02-01")
    rig.policy(shared_part(), partner_part(), at_ms=first - DAY)
    rig.to(first)
    for number in range(31):
        handled(rig, first + number * DAY + HOUR, 2)
        rig.to(first + number * DAY + 2 * HOUR)
    for number in range(60):
        rig.to(after + number * DAY)
        if number % 20 == 0:
            rig.crash()
    told(rig, "cost", 310, first, after)
    rig.to(after + 60 * DAY)
    found = records(rig)["2026-01-01..2026-01-31"]
    assert (found["handled"], values(found)["cost_per_contact"]) == (62, 5.0)


def test_months_grow_against_as_many_months_before_and_other_periods_against_as_many_days() -> None:
    rig = Rig()
    rig.policy(shared_part(timezone="Europe/Berlin"), partner_part(), at_ms=at("2026-01-01"))
    rig.to(at("2026-01-01"))
    quarters = ("2025-10-01T00:00:00+02:00", "2026-01-01T00:00:00+01:00", "2026-04-01T00:00:00+02:00")
    weeks = tuple(f"2026-04-{number:02}T00:00:00+02:00" for number in (6, 13, 20))
    for starts, amounts in ((quarters, (200, 240)), (weeks, (10, 9))):
        for number, amount in enumerate(amounts):
            told(rig, "revenue", amount, period_start=starts[number], period_end=starts[number + 1])
    rig.to(at("2026-04-21"))
    assert {period: values(body)["revenue_growth"] for period, body in records(rig).items()} == {
        "2025-10-01..2025-12-31": "no_previous",
        "2026-01-01..2026-03-31": 0.2,
        "2026-04-06..2026-04-12": "no_previous",
        "2026-04-13..2026-04-19": -0.1,
    }


def test_a_day_of_25_hours_is_one_day_and_a_period_of_another_zone_is_none() -> None:
    rig = Rig()
    start, end = at("2026-10-24T22:00:00"), at("2026-10-25T23:00:00")
    rig.policy(shared_part(timezone="Europe/Berlin"), partner_part(), at_ms=start - DAY)
    rig.to(start - DAY)
    handled(rig, start - 1)
    handled(rig, start)
    handled(rig, end - 1)
    handled(rig, end)
    told(rig, "cost", 10, start, end)
    told(rig, "cost", 10, at("2026-10-25"), at("2026-10-26"), line="in UTC")
    rig.to(at("2026-10-27"))
    found = {(body["from"], body["to"]): body for body in records(rig).values()}
    assert found[start, end]["handled"] == 2
    utc = found[at("2026-10-25"), at("2026-10-26")]
    assert utc["handled"] is None
    assert set(values(utc).values()) == {"partial"}
    told(rig, "cost", 10, at("2026-10-27"), at("2026-10-28"))
    rig.to(at("2026-10-29"))
    alone = {body["from"]: values(body) for body in records(rig).values()}[at("2026-10-27")]
    assert alone["cost_per_contact"] == "not_days"


def test_contacts_that_nobody_counted_yet_make_no_cost_per_contact(rig: Rig) -> None:
    handled(rig, MIDNIGHT + HOUR)
    rig.to(MIDNIGHT + 2 * HOUR)
    told(rig, "cost", 10, MIDNIGHT - DAY, MIDNIGHT + DAY)
    told(rig, "cost", 10, MIDNIGHT + DAY, MIDNIGHT + 2 * DAY)
    rig.to(MIDNIGHT + 2 * DAY + MINUTE)
    found = list(records(rig).values())
    assert [values(each)["cost_per_contact"] for each in found] == ["not_counted", "no_contacts"]


def test_a_baseline_holds_from_its_day_on(rig: Rig) -> None:
    first = datetime.fromtimestamp((MIDNIGHT + DAY) / 1000, UTC).date().isoformat()
    part = partner_part(baselines=[{"from": first, "cost_per_contact": 9, "currency": "EUR"}, *IN_HOUSE])
    rig.policy(part, at_ms=MIDNIGHT)
    for number in range(2):
        handled(rig, MIDNIGHT + number * DAY + HOUR)
        told(rig, "cost", 1, MIDNIGHT + number * DAY, MIDNIGHT + (number + 1) * DAY)
    rig.to(MIDNIGHT + 3 * DAY)
    assert [values(each)["savings"] for each in records(rig).values()] == [3.2, 8.0]


def test_a_partner_without_a_baseline_of_its_own_has_that_of_the_defaults() -> None:
    rig = Rig()
    rig.policy(shared_part(baselines=IN_HOUSE), partner_part(), partner_part("bolt", baselines=[]), at_ms=MIDNIGHT - DAY)
    rig.to(MIDNIGHT - DAY)
    for partner in ("acme", "bolt"):
        handled(rig, MIDNIGHT + HOUR, partner=partner)
        told(rig, "cost", 1, partner_id=partner)
    rig.to(MIDNIGHT + 2 * DAY)
    found = {body["partner"]: values(body)["savings"] for body in rig.bodies(TOPICS.periods)}
    assert found == {"acme": 3.2, "bolt": "no_baseline"}


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"amount": "1.23456"}, "amount"),
        ({"amount": True}, "amount"),
        ({"currency": "euro"}, "currency"),
        ({"period_end": MIDNIGHT}, "period_end"),
    ],
)
def test_bad_values_are_letters_that_name_the_field(rig: Rig, fields: dict[str, Any], field: str) -> None:
    told(rig, "cost", **{"amount": 1} | fields)
    rig.to(MIDNIGHT)
    assert rig.letters() == [("invalid", 0)]
    (letter,) = [each for each in rig.written if each.topic == TOPICS.dead_letters]
    assert dict(letter.headers)["dlq.error"].startswith(field.encode())
    assert not rig.snapshot()["partners"]["acme"]["books"]["facts"]


def test_an_amount_of_long_ago_is_late_and_one_of_far_ahead_comes_from_a_wrong_clock(rig: Rig) -> None:
    told(rig, "cost", 1, MIDNIGHT - 801 * DAY, MIDNIGHT - 800 * DAY)
    told(rig, "cost", 1, MIDNIGHT + 500 * DAY, MIDNIGHT + 501 * DAY)
    rig.to(MIDNIGHT)
    assert rig.letters(TOPICS.late) == [("past_period", 0)]
    assert rig.letters() == [("future", 1)]


def test_what_exceeds_the_limit_is_counted_and_a_restatement_is_not_more() -> None:
    rig = Rig(limited(facts=1))
    rig.to(MIDNIGHT - DAY)
    told(rig, "revenue", 1)
    told(rig, "revenue", 2, line="more")
    told(rig, "revenue", 3, updated_at=MIDNIGHT)
    rig.to(MIDNIGHT + DAY + MINUTE)
    assert rig.engine.counters["facts_dropped"] == 1
    assert records(rig)[day()]["amounts"] == {"EUR": {"revenue": 30_000}}


def test_books_forget_what_is_older_than_their_records_are_kept(rig: Rig) -> None:
    told(rig, "cost", 1)
    handled(rig, MIDNIGHT + HOUR)
    for days in (1, 40, 400, 762, 763):
        rig.to(MIDNIGHT + days * DAY)
        rig.crash()
    assert rig.snapshot()["partners"]["acme"]["books"] == {"facts": {}, "days": {}, "owed": set()}
    assert not [key for key in rig.changelog if key.startswith((b'["fact"', b'["handled"', b'["owed"'))]


def test_a_partner_that_no_policy_names_goes_when_its_last_amount_does() -> None:
    rig = Rig()
    rig.to(MIDNIGHT - DAY)
    told(rig, "cost", 1)
    handled(rig, MIDNIGHT - DAY + HOUR)
    handled(rig, MIDNIGHT + HOUR, partner="bolt")
    for days in (1, 40, 400):
        rig.to(MIDNIGHT + days * DAY)
    assert rig.snapshot()["partners"].keys() == {"acme"}
    rig.to(MIDNIGHT + 765 * DAY)
    assert rig.snapshot()["partners"] == {}
    assert not [key for key in rig.changelog if b"acme" in key or b"bolt" in key]


def test_a_period_waits_where_the_limits_of_a_commit_bind(rig: Rig) -> None:
    told(rig, "cost", 1)
    rig.idle(MIDNIGHT - DAY)
    for topic in TOPICS.subscribed:
        rig.poll(topic)
    rig.idle(MIDNIGHT + DAY + MINUTE)
    rig.commit(budget(0))
    assert records(rig) == {}
    rig.crash()
    rig.commit()
    assert day() in records(rig)


def test_before_whole_months_come_as_many_months_and_before_other_days_as_many_days() -> None:
    for period, expected in (
        (("2025-03-01", "2025-05-01"), ("2025-01-01", "2025-03-01")),
        (("2025-09-15", "2025-10-15"), ("2025-08-16", "2025-09-15")),
    ):
        assert before(Period(*map(at, period)), "UTC") == Period(*map(at, expected))


def test_what_is_told_twice_is_no_news() -> None:
    books, line = Books(), Line("cost", "EUR", None, None, None)
    assert [books.tell(Period(0, DAY), line, Fact(version, 5, -1, -1)) for version in (1, 1, 2, 1)] == [True, False, True, False]
