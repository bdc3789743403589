"""What each record does to the view."""

import json

import pytest

from models.policy_record import encode_policy, policy_key
from models.policy_spec import PartnerPart, SharedPart
from models.topics import Topics
from models.view import TRANSITIONS_MAX, Keys
from models.windows import Scope, record_key
from streams.projector.projection import DAYS_KEPT_SECONDS, Command, Projection, Record, UnreadableError
from streams.projector.totals import Totals
from tests.view_records import alert_event, alert_state, heartbeat, kpi_record

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


def test_a_day_is_kept_as_long_as_its_topic_keeps_it(projection: Projection) -> None:
    key = record_key("acme", Scope("all"), "2026-11-22").encode()
    commands = project(projection, TOPICS.rollups_1d, key, b"{}")
    assert commands == [
        ("HSET", "app:view:rollups.1d:2026-11-22", key, b"{}"),
        ("EXPIRE", "app:view:rollups.1d:2026-11-22", DAYS_KEPT_SECONDS),
    ]
    retention = next(spec for spec in TOPICS.specs("app") if spec.name == TOPICS.rollups_1d).config["retention.ms"]
    assert int(retention) == DAYS_KEPT_SECONDS * 1000


def test_transitions_are_ordered_by_when_they_were_committed_and_bounded(projection: Projection) -> None:
    key, value = alert_event("acme", 1, at_ms=1_000_000)
    assert project(projection, TOPICS.alerts, key, value) == [
        ("ZADD", "app:view:transitions", 1_000_000, value),
        ("ZREMRANGEBYRANK", "app:view:transitions", 0, -(TRANSITIONS_MAX + 1)),
    ]


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
        (TOPICS.alerts, b"acme", b"{}"),
        (TOPICS.alerts, b"acme", None),
        (TOPICS.policies, b"acme/current", b"{}"),
    ],
)
def test_what_makes_no_sense_is_said_and_nothing_else(projection: Projection, topic: str, key: bytes, value: bytes | None) -> None:
    with pytest.raises(UnreadableError):
        project(projection, topic, key, value)
