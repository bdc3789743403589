"""Contact records that are sent again: the newest counts, whatever the order, and what cannot be told is not counted twice."""

from itertools import permutations
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.measures import WIDTHS, Family
from streams.engine import Engine
from streams.engine.contributions import Contributions
from tests import naive
from tests.conditions import START_MS
from tests.engines import CONFIG, SECOND, TOPICS, Rig, Row, event, limited, partner_part, rule, shared_part
from tests.stories import DAY, HOUR, MINUTE

ANSWERED = {"arrivals": 1, "answered": 1, "answered_within": 1, "answered_wait_ms": 10_000, "answered_wait_s2": 100, "handled": 1}


@pytest.fixture
def rig() -> Rig:
    rig = Rig()
    rig.to(START_MS)
    return rig


def record(contact: str, version: int, done_ms: int = START_MS, **fields: Any) -> dict[str, Any]:
    """The contact's record as it was some seconds after its completion."""
    given: dict[str, Any] = {"updated_at": done_ms + version * SECOND, "contact_id": contact}
    return event("contact.record", done_ms, f"{contact}-{version}", **given | fields)


def measures(rig: Rig, key: str = "acme/all/24h") -> dict[str, int]:
    return naive.counts(rig.figures()[key])


@pytest.mark.parametrize(("more", "visit"), [([], None), (["00ff"], b"\x00\xff"), ([None, ""], None)])
def test_an_entry_that_ends_before_its_sides_has_none(more: list[str | None], visit: bytes | None) -> None:
    contributions = Contributions(10)
    place = ["billing", None, 20_000, 5_000, *more]
    contributions.load(3, 0, [[3, 7, START_MS, place, [START_MS, [1] * WIDTHS[Family.INTERACTIONS], []]]])
    contributions.loaded()
    found = contributions.find(7, 0)
    assert found is not None
    assert (found.visit, found.sides) == (visit, "")


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_newest_replaces_what_the_others_counted_in_any_order(rig: Rig, order: tuple[int, ...]) -> None:
    told = [
        record("a", 0, queue="sales", outcome="abandoned"),
        record("a", 1, queue="billing", talk_seconds=99.0, queued_at=START_MS - 5 * MINUTE),
        record("a", 2, queue="billing", talk_seconds=30.0, queued_at=START_MS - 3 * MINUTE),
    ]
    for number, at in enumerate(order):
        rig.send(told[at], at_ms=START_MS + number * HOUR)
        rig.to(START_MS + number * HOUR)
        rig.crash()
    rig.to(START_MS + 3 * HOUR)
    assert measures(rig) == measures(rig, "acme/queue=billing/24h") == ANSWERED | {"talk_ms": 30_000, "handle_s2": 900}
    assert rig.figures().get("acme/queue=sales/24h", {"measures": {}})["measures"] == {}
    assert rig.rebuilt().snapshot() == rig.snapshot()
    counters = rig.engine.counters
    assert counters.get("records_restated", 0) + counters.get("records_outdated", 0) == 2
    assert rig.letters() == rig.letters(TOPICS.late) == []


def test_one_in_the_open_pane_takes_back_what_it_counted_there(rig: Rig) -> None:
    rig.send(record("a", 0, queue="sales"), record("a", 1, queue="billing"), at_ms=START_MS)
    rig.to(START_MS)
    assert "acme/queue=sales/5m" not in rig.figures()
    rig.to(START_MS + MINUTE)
    assert "acme/queue=sales/5m" not in rig.figures()
    assert measures(rig, "acme/queue=billing/5m") == ANSWERED
    assert rig.rebuilt().snapshot() == rig.snapshot()


def test_the_same_version_is_a_duplicate_also_after_its_id_was_forgotten(rig: Rig) -> None:
    for after_ms in (0, HOUR):
        rig.send(record("a", 1), at_ms=START_MS + after_ms)
        rig.to(START_MS + after_ms)
    assert (measures(rig), rig.engine.counters["duplicates"]) == (ANSWERED, 1)


def test_without_contact_or_version_each_counts() -> None:
    rig = Rig()
    rig.to(START_MS)
    for number in range(2):
        rig.send(record("a", number, updated_at=None), record("b", number, contact_id=None), at_ms=START_MS)
    rig.to(START_MS + 20 * SECOND)
    assert measures(rig, "acme/all/5m")["handled"] == 4
    assert rig.snapshot()["records"] == {}


def test_a_record_of_another_partner_is_another(rig: Rig) -> None:
    rig.send(record("a", 0), record("a", 1, partner="bolt"), at_ms=START_MS)
    rig.to(START_MS + 20 * SECOND)
    assert measures(rig, "acme/all/5m") == measures(rig, "bolt/all/5m") == ANSWERED


def test_past_the_retention_it_is_unmatched_and_kept_apart(rig: Rig) -> None:
    rig.send(record("a", 0), at_ms=START_MS)
    rig.to(START_MS)
    rig.send(record("a", 1, updated_at=START_MS + 47 * HOUR, talk_seconds=5.0), at_ms=START_MS + 47 * HOUR)
    rig.to(START_MS + 47 * HOUR)
    rig.send(record("a", 2, updated_at=START_MS + 94 * HOUR, talk_seconds=6.0), at_ms=START_MS + 94 * HOUR)
    rig.to(START_MS + 94 * HOUR)
    assert rig.engine.counters["records_restated"] == 2, "each within the span of the one before"
    rig.send(record("a", 3, updated_at=START_MS + 144 * HOUR, talk_seconds=7.0), at_ms=START_MS + 144 * HOUR)
    rig.to(START_MS + 144 * HOUR)
    assert [reason for reason, _ in rig.letters(TOPICS.late)] == ["unmatched"]
    assert rig.engine.counters["late.unmatched"] == 1
    days = [body["measures"] for key, body in rig.compacted(TOPICS.rollups_1d).items() if key.startswith("acme/all/")]
    assert [day["talk_ms"] for day in days] == [6_000]
    rig.crash()
    assert rig.snapshot()["records"] == {}, "nor is it held any longer"


def test_old_records_that_come_for_the_first_time_count(rig: Rig) -> None:
    rig.send(record("a", 60, START_MS - 20 * DAY), at_ms=START_MS)
    rig.to(START_MS + 20 * SECOND)
    assert rig.letters(TOPICS.late) == []
    assert rig.engine.counters["late_corrections"] == 1


def test_the_policy_says_how_long() -> None:
    rig = Rig()
    rig.policy(shared_part(record_retention_seconds=7200), partner_part(), at_ms=START_MS)
    rig.to(START_MS)
    rig.send(record("a", 0), at_ms=START_MS)
    rig.to(START_MS + 4 * HOUR)
    rig.send(record("a", 1, updated_at=START_MS + 4 * HOUR), at_ms=START_MS + 4 * HOUR)
    rig.to(START_MS + 4 * HOUR)
    assert [reason for reason, _ in rig.letters(TOPICS.late)] == ["unmatched"]


def test_a_version_from_the_future_is_a_wrong_clock(rig: Rig) -> None:
    rig.send(record("a", 3600), at_ms=START_MS)
    rig.to(START_MS)
    assert rig.letters() == [("future", 0)]


def test_what_raises_leaves_the_older_in_its_place(rig: Rig) -> None:
    rig.send(record("a", 0), record("a", 1, queued_at="yesterday"), at_ms=START_MS)
    rig.to(START_MS + 20 * SECOND)
    assert (measures(rig, "acme/all/5m"), rig.letters()) == (ANSWERED, [("time", 1)])


def test_a_night_file_of_yesterday_corrects_yesterday_and_pages_nobody() -> None:
    rig = Rig()
    rig.policy(shared_part(rule(window="24h"), rule(id="short")), partner_part(), at_ms=START_MS - DAY)
    rig.to(START_MS - DAY)
    for number in range(5):
        rig.send(record(f"c{number}", 0, START_MS - DAY), at_ms=START_MS - DAY)
    rig.to(START_MS + 6 * HOUR)
    day = next(body for key, body in rig.compacted(TOPICS.rollups_1d).items() if key.startswith("acme/all/"))
    assert day["kpis"]["service_level"]["value"] == 1
    for number in range(5):
        late = {"wait_seconds": 60.0, "updated_at": START_MS + 6 * HOUR}
        rig.send(record(f"c{number}", 1, START_MS - DAY, **late), at_ms=START_MS + 6 * HOUR)
    rig.to(START_MS + 6 * HOUR + MINUTE)
    restated = rig.compacted(TOPICS.rollups_1d)[f"acme/all/{day['date']}"]
    assert (restated["kpis"]["service_level"]["value"], restated["measures"]["answered"]) == (0, 5)
    assert restated["revision"] > day["revision"]
    assert rig.kinds() == []


def test_records_beyond_the_limit_are_forgotten_oldest_first_and_counted() -> None:
    rig = Rig(limited(records=4))
    rig.to(START_MS)
    for hour in range(3):
        at_ms = START_MS + hour * HOUR
        rig.send(*(record(f"c{hour}-{each}", 0, at_ms) for each in range(2)), at_ms=at_ms)
        rig.to(at_ms)
    assert (len(rig.snapshot()["records"]), rig.engine.counters["records_forgotten_early"]) == (4, 2)
    rig.crash()
    rig.send(record("c0-0", 1, START_MS, updated_at=START_MS + 2 * HOUR), at_ms=START_MS + 2 * HOUR)
    rig.to(START_MS + 2 * HOUR)
    assert [reason for reason, _ in rig.letters(TOPICS.late)] == ["unmatched"], "better not at all than twice"
    assert measures(rig)["handled"] == 6


def test_an_hour_with_more_than_the_limit_remembers_no_more_and_counts_them() -> None:
    rig = Rig(limited(records=4))
    rig.to(START_MS)
    rig.send(*(record(f"c{each}", 0, START_MS) for each in range(6)), at_ms=START_MS)
    rig.send(*(record("c0", each, START_MS, updated_at=START_MS + each * SECOND) for each in range(1, 4)), at_ms=START_MS)
    rig.to(START_MS)
    assert (len(rig.snapshot()["records"]), rig.engine.counters["records_forgotten_early"]) == (4, 2)
    assert measures(rig)["handled"] == 6
    rig.crash()
    rig.send(record("c1", 1, START_MS, updated_at=START_MS + SECOND), record("c6", 0, START_MS), at_ms=START_MS)
    rig.to(START_MS)
    assert (len(rig.snapshot()["records"]), measures(rig)["handled"]) == (4, 7)


def test_rows_of_an_hour_are_written_anew_as_one_when_it_is_over(rig: Rig) -> None:
    for second in range(0, 100, 2):
        rig.send(record(f"c{second % 20}", second, START_MS), at_ms=START_MS + second * SECOND)
        rig.to(START_MS + second * SECOND)
    assert len([key for key in rig.changelog if key.startswith(b'["records"')]) == 50
    rig.to(START_MS + 2 * HOUR)
    rig.to(START_MS + 3 * HOUR)
    assert len([key for key in rig.changelog if key.startswith(b'["records"')]) == 1
    assert len(rig.snapshot()["records"]) == 10
    assert rig.rebuilt().snapshot() == rig.snapshot()


def test_two_versions_in_one_commit_come_back_as_the_newer_in_whatever_order_rows_are_read(rig: Rig) -> None:
    for hour in range(2):
        rig.send(record("a", hour), at_ms=START_MS + hour * HOUR)
        rig.poll()
    rig.to(START_MS + HOUR)
    for order in (sorted(rig.changelog), sorted(rig.changelog, reverse=True)):
        engine = Engine(0, CONFIG)
        engine.load(Row(key, rig.changelog[key]) for key in order)
        engine.loaded()
        assert engine.snapshot() == rig.snapshot()


def drawn(random: Random, number: int) -> dict[str, Any]:
    """A version of one of a few contacts, of the last two days."""
    contact, version = random.randrange(4), random.randrange(6)
    done_ms = START_MS - random.choice((0, 4, 40, 4000, 80_000)) * SECOND
    fields: dict[str, Any] = {"queued_at": done_ms - 300_000, "queue_exited_at": done_ms - version * 1000}
    fields |= {"outcome": random.choice(("answered", "answered", "abandoned", "left", "not_queued")), "talk_seconds": float(version)}
    if random.random() < 0.7:
        fields["queue"] = random.choice(("billing", "sales"))
    # One version says one thing, however often it is sent.
    return record(f"c{contact}", version, done_ms, **fields) | {"event_id": f"e{number}", "updated_at": START_MS + version * 1000}


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 25))
def test_figures_are_those_of_the_newest_records_alone(seed: int, count: int) -> None:
    random = Random(seed)
    rig, at_ms, told = Rig(), START_MS, dict[tuple[str, int], dict[str, Any]]()
    rig.to(at_ms)
    for number in range(count):
        fresh = drawn(random, number)
        body = told.setdefault((fresh["contact_id"], fresh["updated_at"]), fresh) | {"event_id": fresh["event_id"]}
        at_ms += random.choice((SECOND, 11 * SECOND, MINUTE, HOUR))
        rig.send(body, at_ms=at_ms)
        if random.random() < 0.7:
            rig.to(at_ms)
        if random.random() < 0.3:
            rig.commit()
            rig.crash()
    rig.to(at_ms + 2 * DAY)
    newest = [each for (contact, _), each in sorted(told.items(), key=lambda item: item[0])]
    counts = list({each["contact_id"]: each for each in newest}.values())
    for key, body in rig.compacted(TOPICS.rollups_1d).items():
        start, end = naive.day_bounds(body["date"], "UTC")
        assert naive.counts(body) == naive.measures(counts, "acme", body["scope"], start, end), key
        naive.check_durations(body, naive.durations(counts, "acme", body["scope"], start, end))
    days = sum(body["measures"].get("handled", 0) for key, body in rig.compacted(TOPICS.rollups_1d).items() if "/all/" in key)
    assert days == sum(each["outcome"] == "answered" for each in counts)
    assert rig.letters() == rig.letters(TOPICS.late) == []
    assert rig.rebuilt().snapshot() == rig.snapshot()
