"""Feed silence: a gap that chance does not explain under the partner's own usual rate, at the frontier's time."""

import pytest

from models.rule_silence import SilenceSpec
from streams.engine.silence import is_silent
from tests.engines import SECOND, TOPICS, Rig, event, partner_part, rule, shared_part
from tests.stories import DAY, HOUR, MINUTE
from tests.unit.test_engine_profile import partner_of
from tests.weeks import MONDAY_MS, SETTLED, after, contacts, live, office

SILENT = SilenceSpec.model_validate({"id": "silent", "type": "feed_silence"})


def told(rig: Rig) -> list[tuple[str, int]]:
    # Time jumps here, so that every page is late at first.
    changes = [(each["transition"]["kind"], each["evaluated_at"]) for each in rig.bodies(TOPICS.alerts)]
    return [each for each in changes if each[0] != "suppression_ended"]


def spoken(rig: Rig, at_ms: int, *, arrives_ms: int | None = None) -> None:
    rig.send(event("contact.answered", at_ms, f"said-{at_ms}"), at_ms=arrives_ms or at_ms)
    rig.to((arrives_ms or at_ms) + SETTLED)


def test_at_thirty_contacts_an_hour_nineteen_minutes_are_a_silence_and_a_contact_ends_it() -> None:
    rig, at_ms = after(4, shared_part(SILENT))
    live(rig, at_ms, 10, lambda hour_ms: contacts(hour_ms, 30) if office(hour_ms) else [])
    last_ms = at_ms + 10 * HOUR
    spoken(rig, last_ms)
    rig.to(last_ms + 18 * MINUTE)
    assert told(rig) == []
    assert not is_silent(partner_of(rig))
    rig.to(last_ms + 21 * MINUTE)
    # 9.21 contacts at 29.5 an hour take 18 min 44 s.
    assert told(rig) == [("fired", last_ms + 19 * MINUTE)]
    assert is_silent(partner_of(rig))
    spoken(rig, last_ms + 40 * MINUTE)
    rig.to(last_ms + 41 * MINUTE)
    assert told(rig)[1:] == [("resolved", last_ms + 40 * MINUTE + 10 * SECOND)]
    fired, *_, resolved = rig.bodies(TOPICS.alerts)
    assert fired["explanation"] == "Acme: feed or connector silent, no contact for 19 min, usually one in 19 min"
    assert resolved["explanation"].startswith("Acme: contacts come again, none from")


def test_a_night_and_a_weekend_are_no_silence_and_a_monday_without_contacts_is_one_an_hour_after_opening() -> None:
    rig, at_ms = after(3, shared_part(SILENT))
    live(rig, at_ms, 5 * 24, lambda hour_ms: contacts(hour_ms, 30) if office(hour_ms) else [])
    monday_ms = at_ms + 7 * DAY
    rig.to(monday_ms + 8 * HOUR)
    assert told(rig) == []
    rig.to(monday_ms + 10 * HOUR)
    # What is usual at 08:00 counts from 09:00 on, since 07:00 beside it is usually quiet; a long gap is looked at by quarters.
    assert told(rig) == [("fired", monday_ms + 9 * HOUR + 30 * MINUTE)]


def test_before_three_weeks_the_day_before_tells_what_is_usual() -> None:
    rig = Rig()
    rig.policy(shared_part(SILENT), partner_part(), at_ms=MONDAY_MS)
    rig.to(MONDAY_MS)
    live(rig, MONDAY_MS, 24 + 9, lambda hour_ms: contacts(hour_ms, 60) if office(hour_ms) else [])
    assert told(rig) == [], "and on the first day nothing is usual"
    live(rig, MONDAY_MS + 33 * HOUR, 1, lambda hour_ms: contacts(hour_ms, 60))
    last_ms = MONDAY_MS + DAY + 9 * HOUR + 49 * MINUTE + 20 * SECOND
    rig.to(MONDAY_MS + DAY + 11 * HOUR)
    assert told(rig) == [("fired", last_ms + 9 * MINUTE + 20 * SECOND)]


def test_a_busy_partner_has_two_minutes_at_least() -> None:
    rig = Rig()
    rig.policy(shared_part(SILENT), partner_part(), at_ms=MONDAY_MS)
    rig.to(MONDAY_MS)
    live(rig, MONDAY_MS, 24 + 10, lambda hour_ms: contacts(hour_ms, 900) if 8 <= hour_ms // HOUR % 24 < 11 else [])
    last_ms = told(rig)[0][1]
    assert last_ms == MONDAY_MS + DAY + 9 * HOUR + 50 * MINUTE + 2 * MINUTE


def test_what_comes_late_is_a_sign_of_life() -> None:
    rig, at_ms = after(4, shared_part(SILENT))
    live(rig, at_ms, 10, lambda hour_ms: contacts(hour_ms, 30) if office(hour_ms) else [])
    last_ms = at_ms + 10 * HOUR
    spoken(rig, last_ms)
    rig.to(last_ms + 15 * MINUTE)
    spoken(rig, last_ms + 2 * MINUTE, arrives_ms=last_ms + 15 * MINUTE)
    rig.to(last_ms + 33 * MINUTE)
    assert told(rig) == []
    rig.to(last_ms + 35 * MINUTE)
    assert told(rig) == [("fired", last_ms + 33 * MINUTE + 40 * SECOND)]


def test_while_the_frontier_stands_still_nothing_is_silent() -> None:
    rig, at_ms = after(4, shared_part(SILENT))
    live(rig, at_ms, 10, lambda hour_ms: contacts(hour_ms, 30) if office(hour_ms) else [])
    last_ms = at_ms + 10 * HOUR
    spoken(rig, last_ms)
    behind = [topic for topic in TOPICS.subscribed if topic != TOPICS.interactions]
    rig.idle(last_ms + 3 * HOUR, *behind)
    rig.commit()
    assert told(rig) == []
    for minute in range(1, 180, 5):
        rig.send(event("contact.answered", last_ms + minute * MINUTE, f"back-{minute}"), at_ms=last_ms + minute * MINUTE)
    rig.to(last_ms + 3 * HOUR)
    assert told(rig) == [], "what was behind has caught up: there was no gap"


@pytest.mark.parametrize("kind", ["survey.response", "ticket.opened"])
def test_only_contacts_are_its_voice(kind: str) -> None:
    rig, at_ms = after(4, shared_part(SILENT))
    live(rig, at_ms, 10, lambda hour_ms: contacts(hour_ms, 30) if office(hour_ms) else [])
    last_ms = at_ms + 10 * HOUR
    spoken(rig, last_ms)
    topic = TOPICS.surveys if kind.startswith("survey") else TOPICS.interactions
    rig.send(event(kind, last_ms + 10 * MINUTE, "other"), at_ms=last_ms + 10 * MINUTE, topic=topic)
    rig.to(last_ms + 21 * MINUTE)
    assert told(rig) == [("fired", last_ms + 19 * MINUTE)]


def test_a_partner_that_never_spoke_is_not_silent() -> None:
    rig = Rig()
    rig.policy(shared_part(SILENT), partner_part(), at_ms=MONDAY_MS)
    rig.to(MONDAY_MS + DAY)
    assert told(rig) == []


def test_while_a_feed_is_silent_the_pages_of_other_rules_wait_and_its_own_does_not() -> None:
    levels = [{"severity": "warning", "enter": -0.2, "exit": -0.1, "for": 0}]
    drop = rule(id="drop", kpi="offered", window="1h", compare="baseline", levels=levels)
    rig, at_ms = after(4, shared_part(SILENT, drop))
    live(rig, at_ms, 10, lambda hour_ms: contacts(hour_ms, 30) if office(hour_ms) else [])
    spoken(rig, at_ms + 10 * HOUR)
    rig.to(at_ms + 11 * HOUR)
    fired = [each for each in rig.bodies(TOPICS.alerts) if each["transition"]["kind"] == "fired"]
    # Time jumps here, so that every page is late at first.
    waits = {each["rule"]["id"]: [reason for reason in each["suppressed_by"] if reason != "late"] for each in fired}
    assert waits == {"silent": [], "drop": ["feed_silent"]}
