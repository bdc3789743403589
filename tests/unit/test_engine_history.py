"""Contact history: who came again, and whose first contact was enough, whatever comes in which order."""

from itertools import permutations
from random import Random
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.customers import customer_hash
from models.policy_file import lint
from streams.engine import EngineConfig
from tests import naive
from tests.conditions import START_MS
from tests.engines import CONFIG, SECOND, TOPICS, Rig, event, limited, partner_part, rule, shared_part
from tests.stories import DAY, HOUR, MINUTE, QUARTER

EDGE_MS = QUARTER - START_MS % QUARTER
"""When the first quarter hour of a test begins."""
WEEK = {"repeat_window_seconds": "7d"}


def asked(config: EngineConfig = CONFIG, **definition: Any) -> Rig:
    """A rig whose partners ask for repeats, by default within a week."""
    rig = Rig(config)
    rig.policy(shared_part(definition=WEEK | definition), partner_part("acme"), partner_part("bolt"), at_ms=START_MS)
    rig.to(START_MS)
    return rig


@pytest.fixture
def rig() -> Rig:
    return asked()


def visit(rig: Rig, contact: str, after_ms: int, arrives_ms: int | None = None, **fields: Any) -> None:
    """A customer's contact is completed."""
    own: dict[str, Any] = {"contact_id": contact, "customer_key": "k"} | fields
    body = event("contact.completed", START_MS + after_ms, f"e-{contact}-{after_ms}", **own)
    rig.send(body, at_ms=START_MS + (after_ms if arrives_ms is None else arrives_ms))


def history(rig: Rig, after_ms: int, key: str = "all/24h") -> tuple[int, int]:
    """Identified and repeats of the last 24 hours, those of the quarter hour that is open left out."""
    rig.to(START_MS + after_ms + SECOND * 6)
    rig.to(START_MS + after_ms + MINUTE + SECOND * 6)
    measures = rig.figures()[f"acme/{key}"]["measures"]
    return measures.get("identified", 0), measures.get("repeats", 0)


def judged(rig: Rig, after_ms: int, key: str = "all/30d") -> tuple[int, int]:
    """Matured and followed of the last 30 days."""
    history(rig, after_ms)
    measures = rig.figures()[f"acme/{key}"]["measures"]
    return measures.get("matured", 0), measures.get("followed", 0)


def entries(rig: Rig) -> int:
    """How many visits the rows of the log hold."""
    return sum(len(value) - 2 for key, value in rig.changelog.items() if key.startswith(b'["history"')) // 32


def figure(rig: Rig, kpi: str, key: str = "acme/all/24h") -> dict[str, Any]:
    found: dict[str, Any] = rig.figures()[key]["kpis"][kpi]
    return found


def test_a_repeat_counts_where_it_happens_and_its_first_contact_where_that_was(rig: Rig) -> None:
    visit(rig, "a", 0, queue="billing")
    visit(rig, "b", 2 * HOUR, queue="sales")
    visit(rig, "other", 2 * HOUR, queue="sales", customer_key="l")
    assert history(rig, 3 * HOUR) == (3, 1)
    assert history(rig, 3 * HOUR, "queue=billing/24h") == (1, 0)
    assert history(rig, 3 * HOUR, "queue=sales/24h") == (2, 1)
    assert figure(rig, "repeat_rate")["value"] == 1 / 3
    assert figure(rig, "repeat_rate")["definition"] == "same customer within 7 d before"
    assert judged(rig, 10 * DAY) == (3, 1)
    assert judged(rig, 10 * DAY, "queue=billing/30d") == (1, 1)
    assert judged(rig, 10 * DAY, "queue=sales/30d") == (2, 0)
    fcr = figure(rig, "fcr", "acme/all/30d")
    assert (fcr["value"], fcr["n"], fcr["definition"]) == (2 / 3, 3, "not the same customer and reason within 7 d after")


def test_nothing_is_kept_of_partners_whose_definitions_ask_for_no_repeats() -> None:
    rig = Rig()
    rig.to(START_MS)
    visit(rig, "a", 0)
    rig.send(record("b", 0), at_ms=START_MS)
    assert history(rig, HOUR) == (0, 0)
    assert not {"fcr", "repeat_rate"} & rig.figures()["acme/all/24h"]["kpis"].keys()
    assert rig.snapshot()["history"] == {}
    assert not [key for key in rig.changelog if key.startswith((b'["history"', b'["place"', b'["matured"'))]
    assert f"{customer_hash('k'):016x}".encode() not in b"".join(rig.changelog.values())


def test_one_queue_may_ask_for_them_alone() -> None:
    rig = Rig()
    rig.policy(shared_part(), partner_part(queues={"billing": WEEK}), at_ms=START_MS)
    rig.to(START_MS)
    visit(rig, "a", 0, queue="billing")
    visit(rig, "b", HOUR, queue="sales")
    visit(rig, "c", 2 * HOUR, queue="billing")
    assert history(rig, 3 * HOUR) == (2, 1)


def test_it_counts_once_its_quarter_hour_is_over_and_at_once_where_that_is_past(rig: Rig) -> None:
    visit(rig, "a", EDGE_MS + MINUTE)
    assert history(rig, EDGE_MS + 13 * MINUTE) == (0, 0)
    assert history(rig, EDGE_MS + 15 * MINUTE) == (1, 0)
    visit(rig, "b", EDGE_MS + 2 * MINUTE, arrives_ms=EDGE_MS + 20 * MINUTE)
    assert history(rig, EDGE_MS + 21 * MINUTE) == (2, 1)


def test_it_stands_in_windows_of_a_day_and_more(rig: Rig) -> None:
    visit(rig, "a", 0)
    history(rig, 20 * MINUTE)
    holding = {key for key, body in rig.figures().items() if "repeat_rate" in body["kpis"]}
    assert holding == {f"acme/all/{window}" for window in ("24h", "7d", "30d", "today", "month")}


def test_closed_minutes_and_quarter_hours_add_up_to_their_day(rig: Rig) -> None:
    for number in range(20):
        visit(rig, f"c{number}", number * 7 * MINUTE, customer_key=f"k{number % 6}")
        rig.to(START_MS + number * 7 * MINUTE)
    history(rig, 4 * HOUR)
    history(rig, 30 * HOUR)
    for topic in (TOPICS.rollups_1m, TOPICS.rollups_15m, TOPICS.rollups_1d):
        bodies = [body for body in rig.compacted(topic).values() if body["scope"] == "all" and body["partner"] == "acme"]
        counted = [sum(body["measures"].get(name, 0) for body in bodies) for name in ("identified", "repeats")]
        assert counted == [20, 14], topic


def test_who_is_not_known_is_left_out(rig: Rig) -> None:
    visit(rig, "a", 0, customer_key=None)
    rig.send(event("contact.answered", START_MS, "e", customer_key="k"), at_ms=START_MS)
    assert history(rig, 20 * MINUTE) == (0, 0)
    assert rig.snapshot()["history"] == {}


def test_another_partner_knows_the_same_number_as_somebody_else(rig: Rig) -> None:
    visit(rig, "a", 0)
    visit(rig, "b", HOUR, partner="bolt")
    assert history(rig, 2 * HOUR) == (1, 0)
    assert rig.snapshot()["history"].keys() == {"acme", "bolt"}


def test_another_reason_is_a_repeat_but_leaves_the_first_resolved(rig: Rig) -> None:
    visit(rig, "a", 0, reason="bill")
    visit(rig, "b", HOUR, reason="move")
    assert history(rig, 2 * HOUR) == (2, 1)
    assert judged(rig, 10 * DAY) == (2, 0)


def test_an_unknown_reason_may_be_any(rig: Rig) -> None:
    visit(rig, "a", 0, reason="bill")
    visit(rig, "b", HOUR, reason="move")
    visit(rig, "c", 3 * HOUR)
    assert judged(rig, 10 * DAY) == (3, 2)


def test_a_transfer_chain_is_one_contact_at_its_first(rig: Rig) -> None:
    visit(rig, "b", HOUR, root_contact_id="a", queue="sales")
    assert history(rig, 2 * HOUR, "queue=sales/24h") == (1, 0)
    visit(rig, "a", 0, arrives_ms=2 * HOUR, queue="billing")
    assert history(rig, 3 * HOUR) == history(rig, 3 * HOUR, "queue=billing/24h") == (1, 0)
    assert history(rig, 3 * HOUR, "queue=sales/24h") == (0, 0)


def test_a_chain_over_midnight_is_judged_once(rig: Rig) -> None:
    to_midnight = DAY - START_MS % DAY
    visit(rig, "a", to_midnight - MINUTE, queue="billing")
    visit(rig, "b", to_midnight + MINUTE, root_contact_id="a", queue="sales")
    history(rig, to_midnight + 9 * DAY + HOUR)
    assert judged(rig, to_midnight + 9 * DAY + HOUR) == (1, 0)
    rig.crash()
    assert judged(rig, to_midnight + 11 * DAY) == (1, 0)
    assert rig.snapshot()["history"] == rig.rebuilt().snapshot()["history"] == {}


@pytest.mark.parametrize("order", list(permutations(range(4)))[::5])
def test_any_order_within_two_days_gives_the_same(order: tuple[int, ...]) -> None:
    rig = asked()
    times = [0, 5 * HOUR, 6 * HOUR, 20 * HOUR]
    for number, at in enumerate(order):
        visit(rig, f"c{at}", times[at], arrives_ms=20 * HOUR + number * MINUTE)
        rig.to(START_MS + 20 * HOUR + number * MINUTE)
        rig.crash()
    assert history(rig, 21 * HOUR) == (4, 3)
    assert judged(rig, 11 * DAY) == (4, 3)
    assert rig.rebuilt().snapshot() == rig.snapshot()


def test_the_window_is_the_definitions_and_inclusive() -> None:
    rig = Rig()
    hour = {"repeat_window_seconds": 3600}
    rig.policy(shared_part(definition=hour), partner_part(queues={"slow": {"repeat_window_seconds": 7200}}), at_ms=START_MS)
    rig.to(START_MS)
    for number, queue in enumerate(("quick", "slow")):
        visit(rig, f"a{number}", 0, queue=queue, customer_key=queue)
        visit(rig, f"b{number}", HOUR, queue=queue, customer_key=queue)
        visit(rig, f"c{number}", 2 * HOUR + 1, queue=queue, customer_key=queue)
    assert history(rig, 3 * HOUR, "queue=quick/24h") == (3, 1)
    assert history(rig, 3 * HOUR, "queue=slow/24h") == (3, 2)
    assert figure(rig, "fcr", "acme/queue=slow/24h")["definition"].endswith("within 2 h after")
    assert judged(rig, 4 * DAY, "queue=quick/30d") == (3, 1)
    assert judged(rig, 4 * DAY, "queue=slow/30d") == (3, 2)


def test_under_another_window_figures_over_both_are_insufficient() -> None:
    rig = asked(min_samples=1, targets={"repeat_rate": {"target": 0.5}})
    visit(rig, "a", 0)
    assert history(rig, HOUR) == (1, 0)
    assert figure(rig, "repeat_rate")["status"] == "ok"
    shorter = WEEK | {"repeat_window_seconds": 3600, "min_samples": 1, "targets": {"repeat_rate": {"target": 0.5}, "aht": {"target": 100}}}
    rig.policy(shared_part(definition=shorter), at_ms=START_MS + HOUR)
    history(rig, 2 * HOUR)
    visit(rig, "b", 2 * HOUR + MINUTE)
    assert history(rig, 3 * HOUR) == (2, 0), "the former contact is too long ago for the new window"
    assert (figure(rig, "repeat_rate")["status"], figure(rig, "aht")["status"]) == ("insufficient", "ok")
    assert history(rig, 27 * HOUR) == (0, 0)
    rig.policy(shared_part(), at_ms=START_MS + 27 * HOUR)
    history(rig, 28 * HOUR - 2 * MINUTE)
    visit(rig, "c", 28 * HOUR)
    assert history(rig, 29 * HOUR) == (0, 0)
    assert judged(rig, 11 * DAY) == (2, 1), "what was begun is judged to its end, each under its own window"
    assert rig.snapshot()["history"] == {}


def test_fcr_has_no_value_before_its_window_has_passed_for_the_whole_day_and_then_a_final_one() -> None:
    rig = asked(min_samples=1, targets={"fcr": {"target": 0.5}}, repeat_window_seconds="3d")
    for number in range(4):
        visit(rig, f"c{number}", number, customer_key=f"k{number}")
    for number in range(3):
        visit(rig, f"d{number}", (number + 1) * DAY - HOUR, customer_key=f"k{number}")
    told = []
    for day in range(1, 9):
        rig.to(START_MS + day * DAY)
        if day == 4:
            rig.crash()
        history(rig, day * DAY + HOUR)
        days = [(key, body) for key, body in rig.compacted(TOPICS.rollups_1d).items() if key.startswith("acme/all/")]
        if days:
            fcr = min(days)[1]["kpis"]["fcr"]
            told.append((fcr["value"], fcr["n"], fcr["status"]))
    assert told[:4] == [(None, 0, "insufficient")] * 4
    assert set(told[4:]) == {(None, 0, "insufficient"), (0.25, 4, "warning")}
    assert told == sorted(told, key=lambda each: each[1])


def test_a_rule_over_repeats_fires_when_a_quarter_hour_is_over() -> None:
    rig = Rig()
    level = {"severity": "warning", "enter": 0.1, "exit": 0.1, "for": 0}
    spec = rule(id="again", kpi="repeat_rate", window="24h", direction="above", levels=[level], min_samples=20)
    rig.policy(shared_part(spec, definition=WEEK), partner_part(), at_ms=START_MS)
    rig.to(START_MS)
    for number in range(25):
        visit(rig, f"c{number}", EDGE_MS + number * SECOND)
    rig.to(START_MS + EDGE_MS + 10 * MINUTE)
    assert rig.kinds() == []
    rig.to(START_MS + EDGE_MS + 16 * MINUTE)
    assert [(at - START_MS, kind) for _, kind, at, _ in rig.alerts()] == [(EDGE_MS + 15 * MINUTE, "fired")]


def test_what_comes_over_two_days_late_is_left_out_and_counted(rig: Rig) -> None:
    visit(rig, "a", -49 * HOUR, arrives_ms=0)
    visit(rig, "b", -47 * HOUR, arrives_ms=0)
    assert history(rig, HOUR) == (0, 0)
    assert history(rig, HOUR, "all/7d") == (1, 0)
    assert rig.engine.counters["visits_late"] == 1


def test_a_visit_is_forgotten_when_it_is_judged(rig: Rig) -> None:
    visit(rig, "a", 0)
    history(rig, 9 * DAY)
    assert rig.snapshot()["history"].keys() == {"acme"}
    assert judged(rig, 10 * DAY) == (1, 0)
    history(rig, 10 * DAY + HOUR)
    assert rig.snapshot()["history"] == {}
    assert entries(rig) == 0
    rig.crash()
    assert rig.snapshot()["history"] == {}
    history(rig, 45 * DAY)
    assert not [key for key in rig.changelog if key.startswith((b'["history"', b'["place","x"'))]


def test_visits_over_the_limit_are_forgotten_oldest_first_and_counted() -> None:
    rig = asked(limited(visits=4))
    for number in range(6):
        visit(rig, f"c{number}", number * HOUR, customer_key=f"k{number}")
        rig.to(START_MS + number * HOUR)
    assert (entries(rig), rig.engine.counters["visits_forgotten_early"]) == (4, 2)
    rig.crash()
    visit(rig, "again", 6 * HOUR, customer_key="k0")
    visit(rig, "known", 6 * HOUR, customer_key="k5")
    assert history(rig, 7 * HOUR) == (8, 1)
    assert rig.rebuilt().snapshot() == rig.snapshot()


def test_of_one_quarter_hour_no_more_are_kept_than_the_limit_and_what_a_commit_brings() -> None:
    rig = asked(limited(visits=4))
    for number in range(12):
        visit(rig, f"c{number}", number * SECOND, customer_key=f"k{number}")
        if number % 3 == 2:
            rig.to(START_MS + number * SECOND)
    assert (entries(rig), rig.engine.counters["visits_forgotten_early"]) == (6, 6)
    assert history(rig, HOUR) == (6, 0)
    assert rig.rebuilt().snapshot() == rig.snapshot()


def test_of_one_customer_the_newest_visits_are_kept(rig: Rig) -> None:
    for number in range(40):
        visit(rig, f"c{number}", number * SECOND)
    assert history(rig, HOUR) == (40, 39)
    held, _, _ = rig.snapshot()["history"]["acme"]
    assert [len(visits) for visits in held.values()] == [32 * 24]
    assert rig.engine.counters["visits_forgotten_early"] == 8
    assert rig.rebuilt().snapshot() == rig.snapshot()


def test_a_quarter_hour_is_one_row_once_it_is_over(rig: Rig) -> None:
    for number in range(30):
        visit(rig, f"c{number}", number * 10 * SECOND, customer_key=f"k{number}")
        rig.to(START_MS + number * 10 * SECOND)
    history(rig, HOUR)
    history(rig, 2 * HOUR)
    assert len([key for key in rig.changelog if key.startswith(b'["history"')]) == 1
    assert entries(rig) == 30
    assert rig.rebuilt().snapshot() == rig.snapshot()


def record(contact: str, version: int, **fields: Any) -> dict[str, Any]:
    given: dict[str, Any] = {"contact_id": contact, "updated_at": START_MS + version * SECOND, "customer_key": "k"} | fields
    return event("contact.record", START_MS, f"{contact}-{version}", **given)


def test_a_record_that_is_sent_again_takes_its_visit_with_it(rig: Rig) -> None:
    rig.send(record("a", 0), at_ms=START_MS)
    visit(rig, "b", HOUR)
    assert history(rig, 2 * HOUR) == (2, 1)
    rig.send(record("a", 1, customer_key="l"), at_ms=START_MS + 3 * HOUR)
    assert history(rig, 4 * HOUR) == (2, 0)
    rig.crash()
    rig.send(record("a", 2, outcome="abandoned"), at_ms=START_MS + 5 * HOUR)
    assert history(rig, 6 * HOUR) == (1, 0)
    assert rig.rebuilt().snapshot() == rig.snapshot()
    assert judged(rig, 11 * DAY) == (1, 0)


def test_a_record_that_is_sent_again_within_its_quarter_hour_counts_once(rig: Rig) -> None:
    for version in range(3):
        rig.send(record("a", version), at_ms=START_MS + version * MINUTE)
        rig.to(START_MS + version * MINUTE)
        rig.crash()
    assert history(rig, HOUR) == (1, 0)
    assert rig.rebuilt().snapshot() == rig.snapshot()


def test_a_visit_that_is_two_days_old_stays_when_its_record_changes(rig: Rig) -> None:
    rig.policy(shared_part(definition=WEEK, record_retention_seconds="7d"), at_ms=START_MS)
    rig.send(record("a", 0), at_ms=START_MS)
    history(rig, 50 * HOUR)
    rig.send(record("a", 1, outcome="abandoned"), at_ms=START_MS + 50 * HOUR)
    assert history(rig, 51 * HOUR, "all/7d") == (1, 0)
    assert rig.figures()["acme/all/7d"]["measures"]["abandoned"] == 1
    assert (rig.engine.counters["records_restated"], rig.engine.counters["visits_late"]) == (1, 1)
    assert judged(rig, 11 * DAY) == (1, 0)


def erase(rig: Rig, payload: Any, at_ms: int) -> dict[str, Any]:
    command = {"id": f"c{at_ms}", "type": "customer.erase", "actor": "ops", "at": at_ms, "partner": "*", "payload": payload}
    rig.append(TOPICS.commands, at_ms, b"*", orjson.dumps(command))
    outputs = rig.to(at_ms)
    (outcome,) = [orjson.loads(each.value or b"") for each in outputs if ("ce_type", b"outwatch.command.outcome") in each.headers]
    return {name: outcome[name] for name in ("outcome", "reason")}


def test_a_customer_is_erased_of_every_partner_and_what_was_counted_stays(rig: Rig) -> None:
    rig.send(record("a", 0), at_ms=START_MS)
    visit(rig, "b", HOUR)
    visit(rig, "c", HOUR, customer_key="l")
    visit(rig, "d", HOUR, partner="bolt")
    before = history(rig, 2 * HOUR)
    customer = customer_hash("k")
    held = b"".join(rig.changelog.values())
    assert customer.to_bytes(8, "big") in held
    assert f"{customer:016x}".encode() in held
    at_ms = rig.now_ms + SECOND
    visit(rig, "e", at_ms - START_MS)
    found = erase(rig, {"customer": f"{customer:016x}"}, at_ms)
    assert found == {"outcome": "applied", "reason": "forgotten of 2 partners of partition 0"}
    held = b"".join(rig.changelog.values())
    assert customer.to_bytes(8, "big") not in held
    assert f"{customer:016x}".encode() not in held
    assert history(rig, 3 * HOUR) == before
    rig.crash()
    rig.send(record("a", 1, talk_seconds=5.0), at_ms=START_MS + 3 * HOUR)
    rig.to(START_MS + 4 * HOUR)
    assert rig.engine.counters["records_restated"] == 1
    assert rig.letters() == []
    assert rig.rebuilt().snapshot() == rig.snapshot()


def test_an_erasure_without_a_hash_is_refused(rig: Rig) -> None:
    assert erase(rig, {"customer": "+49 30"}, START_MS)["outcome"] == "refused"


REASONS = (None, "bill", "move")


def drawn(random: Random, number: int, now_ms: int) -> dict[str, Any]:
    """A contact of one of a few customers, up to two days ago, and of a chain now and then; a record, or an event."""
    at_ms = now_ms - random.choice((0, 0, MINUTE, 40 * MINUTE, 3 * HOUR, 47 * HOUR)) - number
    fields: dict[str, Any] = {"contact_id": f"c{number}", "customer_key": random.choice(("k", "l", None)), "reason": random.choice(REASONS)}
    fields |= {"queue": random.choice(("billing", "sales", None)), "root_contact_id": random.choice((None, f"r{number // 2}"))}
    return event(random.choice(("contact.completed", "contact.record")), at_ms, f"e{number}", **fields)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 20), st.sampled_from((86_400, 604_800)))
def test_figures_are_those_of_comparing_every_pair(seed: int, count: int, window_seconds: int) -> None:
    random = Random(seed)
    rig, at_ms, told = Rig(), START_MS, list[dict[str, Any]]()
    rig.policy(shared_part(definition={"repeat_window_seconds": window_seconds}), partner_part(timezone="Asia/Kathmandu"), at_ms=at_ms)
    rig.to(at_ms)
    for number in range(count):
        at_ms += random.choice((SECOND, MINUTE, HOUR, 9 * HOUR, 20 * HOUR))
        body = drawn(random, number, at_ms)
        told.append(body)
        rig.send(body, at_ms=at_ms)
        if random.random() < 0.7:
            rig.to(at_ms)
        if random.random() < 0.3:
            rig.commit()
            rig.crash()
        if random.random() < 0.1:
            again = {"event_id": f"again{number}", "updated_at": body["occurred_at"] + 1, "contact_id": f"again{number}"}
            versions = [event("contact.record", body["occurred_at"] - 500, f"e{number}.{each}") | body | again for each in range(2)]
            for version, each in enumerate(versions):
                each |= {"type": "contact.record", "event_id": f"v{number}.{version}", "updated_at": body["occurred_at"] + version}
                each |= {"outcome": random.choice(("answered", "abandoned")), "occurred_at": body["occurred_at"] - 500 - number}
                rig.send(each, at_ms=at_ms)
            told.append(versions[1])
    rig.to(at_ms + 10 * DAY)
    rig.to(at_ms + 11 * DAY)
    expected = list(naive.history_measures(told, at_ms + 11 * DAY - MINUTE, naive.Repeats(window_seconds * 1000, "Asia/Kathmandu")))
    days = [body for body in rig.compacted(TOPICS.rollups_1d).values() if body["scope"] in ("all", "queue=billing", "queue=sales")]
    for name in ("identified", "repeats", "matured", "followed"):
        for scope in ("all", "queue=billing", "queue=sales"):
            counted = sum(body["measures"].get(name, 0) for body in days if body["scope"] == scope)
            assert counted == sum(what.get(name, 0) for each, _, what in expected if naive.in_scope(each, scope)), (name, scope)
    for body in days:
        mine = [what for each, at, what in expected if body["from"] <= at < body["to"] and naive.in_scope(each, body["scope"])]
        assert body["measures"].get("identified", 0) == sum(what["identified"] for what in mine)
    assert rig.letters() == []
    assert rig.rebuilt().snapshot() == rig.snapshot()


@pytest.mark.parametrize(("window_seconds", "comes"), [(5 * 86_400 - 900, True), (5 * 86_400, False)])
def test_a_week_holds_a_first_contact_resolution_where_the_linter_says_so(window_seconds: int, comes: bool) -> None:
    text = f"""
version: 1
partners: [{{id: acme, name: Acme, definition: {{repeat_window_seconds: {window_seconds}}}}}]
rules:
  - {{id: r, kpi: fcr, window: 7d, direction: below, runbook: r, levels: [{{severity: warning, enter: 0.7, exit: 0.8, for: 0s}}]}}
"""
    assert (lint(text, "p.yaml") == []) is comes
    rig = asked(repeat_window_seconds=window_seconds)
    for number in range(18):
        visit(rig, f"c{number}", number * 12 * HOUR, customer_key=f"k{number}")
        rig.to(START_MS + number * 12 * HOUR)
    last_ms = -START_MS % DAY - 5 * MINUTE  # The last minutes of a day are when the most is known of what the week holds still.
    found = [(history(rig, day * DAY + last_ms), figure(rig, "fcr", "acme/all/7d")["n"])[1] for day in range(9, 14)]
    assert any(found) is comes
