"""What each record does to the view."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.happened import line
from models.history import pack
from models.policy_record import encode_policy, policy_key
from models.policy_spec import PartnerPart, SharedPart
from models.topics import Topics
from models.view import HAPPENED_KEPT_MS, HAPPENED_MAX, OUTCOMES_MAX, TRANSITIONS_MAX, Keys
from models.windows import DAY_MS, HOUR_MS
from streams.projector.projection import Command, Projection, Record, UnreadableError, together
from streams.projector.totals import Totals
from tests.view_records import AT_MS, alert_event, alert_state, heartbeat, kpi_record, outcome, rollup, stretch

TOPICS = Topics()
KEYS = Keys("app")
MEASURES = {"arrivals": 10, "answered": 9, "answered_within": 8, "answered_wait_ms": 90_000, "abandoned": 1, "abandoned_wait_ms": 5_000}


@pytest.fixture
def projection() -> Projection:
    return Projection(TOPICS, KEYS, Totals())


def project(projection: Projection, topic: str, key: bytes, value: bytes | None, partition: int = 0) -> list[Command]:
    return projection.project(Record(topic, partition, key, value))


@pytest.mark.parametrize(("scope", "dimension"), [("all", "all"), ("queue=a/b", "queue"), ("channel=voice", "channel")])
def test_a_figure_stands_under_its_window_and_dimension_as_it_was_written(projection: Projection, scope: str, dimension: str) -> None:
    key, value = kpi_record("acme", MEASURES, scope=scope)
    assert project(projection, TOPICS.kpis, key, value) == [("HSET", f"app:view:kpis:15m:{dimension}", key, value)]


def test_a_tombstone_deletes_the_figure(projection: Projection) -> None:
    key, _ = kpi_record("acme", MEASURES)
    assert project(projection, TOPICS.kpis, key, None) == [("HDEL", "app:view:kpis:15m:all", key)]


def test_only_figures_of_whole_partners_are_summed(projection: Projection) -> None:
    project(projection, TOPICS.kpis, *kpi_record("acme", MEASURES, scope="queue=billing"))
    assert projection.totals() == []
    project(projection, TOPICS.kpis, *kpi_record("acme", MEASURES))
    (command,) = projection.totals()
    assert command[:3] == ("HSET", "app:view:totals", b"15m")
    assert projection.totals() == []


def test_the_total_goes_when_its_last_partner_goes(projection: Projection) -> None:
    key, value = kpi_record("acme", MEASURES)
    project(projection, TOPICS.kpis, key, value)
    project(projection, TOPICS.kpis, key, None)
    assert projection.totals() == [("HDEL", "app:view:totals", b"15m")]


@pytest.mark.parametrize(
    ("topic", "last", "key", "field", "kept_ms"),
    [
        (TOPICS.rollups_1m, None, "history:1m:acme/all:20270115T08", "00", 49 * HOUR_MS),
        (TOPICS.rollups_15m, None, "history:15m:acme/all:20270115", "0800", 91 * DAY_MS),
        (TOPICS.rollups_1d, "2027-01-15", "history:1d:acme/all:2027-01", "15", 791 * DAY_MS),
    ],
)
def test_a_stretch_of_a_partner_is_packed_into_a_block_that_expires(
    projection: Projection, topic: str, last: str | None, key: str, field: str, kept_ms: int
) -> None:
    body = rollup({"answered": 3})
    name, value = stretch(body, last)
    assert project(projection, topic, name, value) == []
    assert projection.gathered() == [
        ("HSET", f"app:view:{key}", field, pack(body)),
        ("PEXPIREAT", f"app:view:{key}", body["as_of"] + kept_ms),
    ]
    project(projection, topic, name, None)
    assert projection.gathered() == [("HDEL", f"app:view:{key}", field)]
    assert projection.gathered() == []


def test_stretches_of_a_block_go_in_one_command_and_the_last_word_on_each_holds(projection: Projection) -> None:
    begin_ms = AT_MS - AT_MS % HOUR_MS
    bodies = [rollup({"answered": number + 1}, at_ms=begin_ms + number * 60_000) for number in range(3)]
    for body in (*bodies, rollup({"answered": 9}, at_ms=begin_ms)):
        project(projection, TOPICS.rollups_1m, *stretch(body))
    project(projection, TOPICS.rollups_1m, stretch(bodies[1])[0], None)
    key, packed = "app:view:history:1m:acme/all:20270115T08", pack(rollup({"answered": 9}, at_ms=begin_ms))
    assert projection.gathered() == [
        ("HSET", key, "00", packed, "02", pack(bodies[2])),
        ("PEXPIREAT", key, bodies[2]["as_of"] + 49 * HOUR_MS),
        ("HDEL", key, "01"),
    ]


def test_what_was_gathered_for_a_view_that_is_no_more_is_forgotten(projection: Projection) -> None:
    project(projection, TOPICS.rollups_1m, *stretch(rollup({"answered": 1})))
    projection.go_on_with(Totals())
    assert projection.gathered() == []


def test_of_parts_of_a_partner_only_days_are_kept(projection: Projection) -> None:
    name, value = stretch(rollup({"answered": 3}, scope="queue=a/b:c"), "2027-01-15")
    project(projection, TOPICS.rollups_1d, name, value)
    assert projection.gathered()[0][1] == "app:view:history:1d:acme/queue=a%2Fb%3Ac:2027-01"
    for topic in (TOPICS.rollups_1m, TOPICS.rollups_15m):
        project(projection, topic, *stretch(rollup({"answered": 3}, scope="queue=all")))
    assert projection.gathered() == []


def test_an_incident_stands_under_its_id_until_its_tombstone(projection: Projection) -> None:
    assert project(projection, TOPICS.incidents, b"i1", b"{}") == [("HSET", "app:view:incidents", b"i1", b"{}")]
    assert project(projection, TOPICS.incidents, b"i1", None) == [("HDEL", "app:view:incidents", b"i1")]


def test_what_came_of_commands_is_ordered_and_bounded_apart_from_transitions(projection: Projection) -> None:
    key, value = outcome("c1", at_ms=1_000_000)
    assert project(projection, TOPICS.alerts, key, value) == [
        ("ZADD", "app:view:outcomes", 1_000_000, value),
        ("ZREMRANGEBYRANK", "app:view:outcomes", 0, -(OUTCOMES_MAX + 1)),
    ]


def test_transitions_are_ordered_by_when_they_were_committed_and_bounded(projection: Projection) -> None:
    key, value = alert_event("acme", 1, at_ms=1_000_000)
    assert project(projection, TOPICS.alerts, key, value) == [
        ("ZADD", "app:view:transitions", 1_000_000, value),
        ("ZREMRANGEBYRANK", "app:view:transitions", 0, -(TRANSITIONS_MAX + 1)),
    ]


def test_what_happened_to_a_partner_is_bounded_and_forgotten_and_what_is_read_again_stands_there_once(projection: Projection) -> None:
    events = [alert_event("a/b", number, at_ms=1_000_000 + number) for number in (1, 2)]
    pending = alert_event("a/b", 3, at_ms=1_000_003, kind="pending")
    lines = [line(json.loads(value)) for _, value in events]
    for key, value in (*events, pending):
        project(projection, TOPICS.alerts, key, value)
    name = "app:view:happened:a%2Fb"
    assert projection.gathered() == [
        ("ZADD", name, 1_000_001, lines[0], 1_000_002, lines[1]),
        ("ZREMRANGEBYRANK", name, 0, -(HAPPENED_MAX + 1)),
        ("PEXPIREAT", name, 1_000_002 + HAPPENED_KEPT_MS),
    ]
    assert projection.gathered() == []
    project(projection, TOPICS.alerts, *events[0])
    assert projection.gathered()[0][-1] == lines[0]
    assert json.loads(lines[0])["what"] == "fired"


def test_an_alert_stands_under_its_fingerprint_until_its_tombstone(projection: Projection) -> None:
    key, value = alert_state("acme")
    assert project(projection, TOPICS.alerts_state, key, value) == [("HSET", "app:view:alerts", key, value)]
    assert project(projection, TOPICS.alerts_state, key, None) == [("HDEL", "app:view:alerts", key)]


def test_a_heartbeat_stands_under_its_partition(projection: Projection) -> None:
    key, value = heartbeat(3)
    assert project(projection, TOPICS.heartbeats, key, value, partition=3) == [("HSET", "app:view:heartbeats", b"3", value)]


def test_the_current_policy_stands_under_its_partner(projection: Projection) -> None:
    part = PartnerPart(id="acme", name="Acme")
    value = encode_policy(part, 5).model_dump_json().encode()
    assert project(projection, TOPICS.policies, policy_key("acme", "current"), value, 2) == [("HSET", "app:view:policies", b"acme", value)]
    assert project(projection, TOPICS.policies, policy_key("acme", json.loads(value)["revision"]), value, 2) == []
    assert project(projection, TOPICS.policies, policy_key("acme", "current"), None, 2) == [("HDEL", "app:view:policies", b"acme")]


def test_the_shared_policy_is_taken_from_one_partition(projection: Projection) -> None:
    value = encode_policy(SharedPart(), 5).model_dump_json().encode()
    assert project(projection, TOPICS.policies, policy_key("*", "current"), value, 0) == [("HSET", "app:view:policies", b"*", value)]
    assert project(projection, TOPICS.policies, policy_key("*", "current"), value, 1) == []


def test_a_partner_of_the_policy_without_figures_is_missing_in_the_total(projection: Projection) -> None:
    for name in ("acme", "boreal"):
        value = encode_policy(PartnerPart(id=name, name=name), 5).model_dump_json().encode()
        project(projection, TOPICS.policies, policy_key(name, "current"), value)
    project(projection, TOPICS.kpis, *kpi_record("acme", MEASURES))
    ((*_, total),) = projection.totals()
    assert json.loads(total)["missing"] == 1  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("topic", "key", "value"),
    [
        (TOPICS.kpis, b"acme", b"{}"),
        (TOPICS.kpis, b"acme/all/15m", b"{"),
        (TOPICS.kpis, b"\xff/all/15m", b"{}"),
        (TOPICS.rollups_1d, b"", b"{}"),
        (TOPICS.rollups_1d, b"acme/all/2027-01-15", b"{}"),
        (TOPICS.alerts, b"acme", b"{}"),
        (TOPICS.alerts, b"acme", None),
        (TOPICS.policies, b"acme/current", b"{}"),
    ],
)
def test_what_makes_no_sense_is_said_and_nothing_else(projection: Projection, topic: str, key: bytes, value: bytes | None) -> None:
    with pytest.raises(UnreadableError):
        project(projection, topic, key, value)


@pytest.mark.parametrize("without", ["rule", "processed_at", "evaluated_at"])
def test_of_a_transition_that_makes_no_sense_nothing_is_gathered(projection: Projection, without: str) -> None:
    """Half of a line would be a command that Redis refuses, and with it every batch after."""
    key, value = alert_event("acme", 1)
    body = json.loads(value)
    del body[without]
    with pytest.raises(UnreadableError):
        project(projection, TOPICS.alerts, key, json.dumps(body).encode())
    assert projection.gathered() == []


@given(st.lists(st.tuples(st.sampled_from("kl"), st.sampled_from("abc"), st.none() | st.integers(0, 9)), max_size=30))
def test_commands_together_come_to_what_they_come_to_one_by_one(said: list[tuple[str, str, int | None]]) -> None:
    """The last that is said of a field holds; what is no field of a hash stays as it is."""
    one_by_one: list[Command] = [("HDEL", key, name) if value is None else ("HSET", key, name, value) for key, name, value in said]
    other: Command = ("ZADD", "z", 1, b"x")
    merged = together([*one_by_one, other])
    assert merged[0] == other
    assert len(merged) <= 1 + 2 * 2, "of each hash one that sets and one that deletes"
    assert held(merged) == held(one_by_one)


def held(commands: list[Command]) -> dict[object, dict[object, object]]:
    """What a Redis that was empty holds then."""
    hashes: dict[object, dict[object, object]] = {"k": {}, "l": {}}
    for name, key, *rest in commands:
        if name == "HSET":
            hashes[key] |= dict(zip(rest[::2], rest[1::2], strict=True))
        elif name == "HDEL":
            for each in rest:
                hashes[key].pop(each, None)
    return hashes
