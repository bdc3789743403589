"""The simulated world: what an ordinary day holds, and what trouble does to it."""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import orjson
import pytest
from pydantic import ValidationError

from models.events import event_adapter
from models.windows import HOUR_MS, MINUTE_MS
from streams.delivery import Delivery
from streams.simulate import Incident, IncidentKind, Script, Simulated, World, events, partners

FROM_MS = 1_700_000_000_000
HOURS = 5


def readable(deliveries: Sequence[Delivery]) -> list[dict[str, Any]]:
    """Every event that can be read, once."""
    found: dict[str, dict[str, Any]] = {}
    for delivery in deliveries:
        try:
            event_adapter.validate_json(delivery.value)
        except ValidationError:
            continue
        event = orjson.loads(delivery.value)
        if event["occurred_at"] > FROM_MS // 10:
            found.setdefault(event["event_id"], event)
    return list(found.values())


def service_level(of: list[dict[str, Any]]) -> float:
    answered = [event for event in of if event["type"] == "contact.answered"]
    abandoned: int = sum(event["type"] == "contact.abandoned" for event in of)
    in_time: int = sum(event["wait_seconds"] <= (60 if event["channel"] == "chat" else 20) for event in answered)
    return in_time / (len(answered) + abandoned)


def top_boxes(of: list[dict[str, Any]]) -> float:
    scores: list[int] = [event["score"] for event in of if event["type"] == "survey.response" and event["survey"] == "csat"]
    top = sum(score >= 4 for score in scores)
    return top / len(scores)


@pytest.fixture(scope="module")
def day() -> list[Delivery]:
    return list(events(Simulated(partners(6)), 1, FROM_MS, FROM_MS + HOURS * HOUR_MS))


def test_same_seed_delivers_the_same_and_another_seed_does_not() -> None:
    def first(seed: int) -> list[Delivery]:
        return list(events(Simulated(partners(2)), seed, FROM_MS, FROM_MS + HOUR_MS))

    assert first(1) == first(1)
    assert first(1) != first(2)


def test_a_world_asked_in_stretches_delivers_what_one_asked_at_once_does() -> None:
    config, end = Simulated(partners(2)), FROM_MS + HOUR_MS
    world = World(config, 1, FROM_MS, Script())
    parts = [delivery for to_ms in range(FROM_MS, end + 1, 7 * MINUTE_MS) for delivery in world.until(to_ms)]
    assert [*parts, *world.until(end)] == list(events(config, 1, FROM_MS, end))


def test_deliveries_are_in_order(day: list[Delivery]) -> None:
    assert all(before.at_ms <= after.at_ms for before, after in pairwise(day))


def test_nobody_has_a_minute_with_less_than_four_contacts(day: list[Delivery]) -> None:
    minutes = Counter(
        (event["partner_id"], (event["occurred_at"] - FROM_MS) // MINUTE_MS) for event in readable(day) if event["type"] == "contact.queued"
    )
    # The last minutes lack what is delivered late, and poison may have taken the place of nothing else.
    quietest = min(minutes[partner.id, minute] for partner in partners(6) for minute in range(1, HOURS * 60 - 10))
    assert quietest >= 4


def test_an_ordinary_day_is_ordinary(day: list[Delivery]) -> None:
    ordinary = readable(day)
    kinds = Counter(event["type"] for event in ordinary)
    offered = kinds["contact.answered"] + kinds["contact.abandoned"]
    assert service_level(ordinary) == pytest.approx(0.88, abs=0.02)
    assert kinds["contact.abandoned"] / offered == pytest.approx(0.04, abs=0.005)
    assert kinds["contact.left"] / kinds["contact.queued"] == pytest.approx(0.01, abs=0.003)
    assert top_boxes(ordinary) == pytest.approx(0.8, abs=0.03)
    contacts = [event for event in ordinary if event["type"].startswith("contact.")]
    assert {event["channel"] for event in contacts} == {"voice", "chat"}
    assert len({event["queue"] for event in contacts}) == 3


def test_duplicates_disorder_and_late_surveys_have_their_shares(day: list[Delivery]) -> None:
    once = readable(day)
    again = Counter(orjson.loads(d.value)["event_id"] for d in day if d.value.startswith(b'{"event_id":"') and d.value.endswith(b"}"))
    assert sum(again.values()) / len(again) == pytest.approx(1.01, abs=0.003)
    occurred = {event["event_id"]: event for event in once}
    delays = Counter[str]()
    for delivery in day:
        try:
            event = occurred[orjson.loads(delivery.value)["event_id"]]
        except (ValueError, KeyError):
            continue
        late_ms = delivery.at_ms - event["occurred_at"]
        assert late_ms >= 0
        delays["hours"] += event["type"] == "survey.response" and late_ms > 10 * MINUTE_MS
        delays["disorder"] += 0 < late_ms <= 10 * MINUTE_MS
    assert delays["hours"] > 40
    assert delays["disorder"] / len(once) == pytest.approx(0.03, abs=0.01)


def test_there_is_a_little_poison_of_several_kinds(day: list[Delivery]) -> None:
    def refused(value: bytes) -> str | None:
        try:
            event = event_adapter.validate_json(value)
        except ValidationError as error:
            return error.errors()[0]["type"]
        return "time" if event.occurred_at < FROM_MS // 10 else None  # type: ignore[union-attr, operator]

    little = [why for delivery in day if (why := refused(delivery.value)) is not None]
    assert 0 < len(little) < len(day) / 500
    much = events(Simulated(partners(6), poisoned=0.5), 1, FROM_MS, FROM_MS + HOUR_MS)
    wrong = {why for delivery in much if (why := refused(delivery.value)) is not None}
    assert {"json_invalid", "float_type", "greater_than_equal", "union_tag_invalid", "time"} == wrong


def test_the_future_is_only_for_a_clock_on_the_wall() -> None:
    def ahead(*, future: bool) -> int:
        config = Simulated(partners(6), poisoned=0.5, future=future)
        return sum(event["occurred_at"] > FROM_MS + 20 * HOUR_MS for event in readable(list(events(config, 1, FROM_MS, FROM_MS + HOUR_MS))))

    assert ahead(future=False) == 0
    assert ahead(future=True) > 0


def test_contacts_may_never_close() -> None:
    config = Simulated(partners(1), unclosed=1.0)
    kinds = {event["type"] for event in readable(list(events(config, 1, FROM_MS, FROM_MS + HOUR_MS)))}
    assert {kind for kind in kinds if kind.startswith("contact.")} == {"contact.queued"}


def test_an_incident_degrades_its_partner_and_nobody_else() -> None:
    end = FROM_MS + HOURS * HOUR_MS
    script = Script((Incident("delta", FROM_MS, end),))
    troubled = list(events(Simulated(partners(6)), 1, FROM_MS, end, script))
    ordinary = list(events(Simulated(partners(6)), 1, FROM_MS, end))
    assert [d for d in troubled if d.partner_id != "delta"] == [d for d in ordinary if d.partner_id != "delta"]
    delta = readable([d for d in troubled if d.partner_id == "delta"])
    assert service_level(delta) < 0.4
    assert top_boxes(delta) == pytest.approx(0.4, abs=0.05)


def test_trouble_begun_and_ended_by_hand_counts_for_those_who_arrive_meanwhile() -> None:
    script = Script()
    world = World(Simulated(partners(1)), 1, FROM_MS, script)
    before = list(world.until(FROM_MS + 3 * HOUR_MS))
    script.begin("acme")
    during = list(world.until(FROM_MS + 6 * HOUR_MS))
    script.end("acme")
    after = list(world.until(FROM_MS + 9 * HOUR_MS))
    assert service_level(readable(before)) > 0.8
    assert service_level(readable(during)) < 0.4
    assert service_level(readable(after)) > 0.8


def test_an_incident_is_read_from_text() -> None:
    assert Incident.parse("delta:60:360:degrade", 1000) == Incident("delta", 61_000, 361_000, IncidentKind.DEGRADE)
    assert Incident.parse("delta:0.5:1", 0) == Incident("delta", 500, 1000)


@pytest.mark.parametrize("text", ["", "delta", "delta:1", "delta:2:1", "delta:1:2:explode", ":1:2", "delta:a:b", "delta:1:2:degrade:more"])
def test_what_is_no_incident_is_refused_with_the_form_to_write(text: str) -> None:
    with pytest.raises(ValueError, match="write partner:start_seconds:end_seconds:degrade"):
        Incident.parse(text, 0)


def test_partners_beyond_the_example_policy_have_names_of_their_own() -> None:
    assert [partner.id for partner in partners(8)][4:] == ["evergreen", "fabrikam", "partner-07", "partner-08"]
