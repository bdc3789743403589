"""Each thing that the auditor holds an installation to: it fails, not before its time, and recovers."""

from typing import Any

import pytest

from alerts.audit.alarm import Alarm, Bell, Ring
from alerts.audit.breach import PROMISES, AuditReason, Breach, Terms
from alerts.audit.look import breaches
from alerts.audit.page import by_reason, page
from alerts.audit.seen import HELD_MAX, PAST_MS, Seen
from models.incidents import INCIDENT_KEPT_MS
from models.receivers import WebhookReceiver
from models.windows import DAY_MS
from tests.audits import NOW_MS, PARTITIONS, SECOND, Installation, policy

TERMS = Terms()
MEMBER = {"fingerprint": "f1", "episode": "f1-e1", "ended_at": None}


def test_every_reason_has_what_must_be_true_in_words() -> None:
    assert set(PROMISES) == set(AuditReason)


def test_an_installation_in_which_all_holds_has_no_breach() -> None:
    here = Installation()
    here.fire()
    here.incident("f1")
    here.intend()
    here.answer()
    assert here.audit(300 * SECOND) == []


def test_what_cannot_be_seen_is_one_breach_and_makes_no_others() -> None:
    here = Installation()
    here.audit()
    here.seen.obstacle = "KafkaConnectionError: no broker"
    late_ms = NOW_MS + 3600 * SECOND
    (found,) = breaches(here.seen, PARTITIONS, late_ms, TERMS)
    assert (found.reason, found.since_ms, found.detail) == (AuditReason.BLIND, NOW_MS, "KafkaConnectionError: no broker")
    assert [*breaches(here.seen, PARTITIONS, NOW_MS + TERMS.sight_ms, TERMS)] == []
    assert here.audit(3600 * SECOND) == []


def test_an_auditor_that_never_saw_anything_is_blind_after_its_time_and_at_once_where_it_looks_once() -> None:
    fresh = Seen(NOW_MS)
    assert [*breaches(fresh, PARTITIONS, NOW_MS + TERMS.sight_ms, TERMS)] == []
    assert [each.reason for each in breaches(fresh, PARTITIONS, NOW_MS + TERMS.sight_ms + 1, TERMS)] == [AuditReason.BLIND]
    assert [each.reason for each in breaches(Seen(0), PARTITIONS, NOW_MS, TERMS)] == [AuditReason.BLIND]


def test_a_partition_without_a_heartbeat_is_told_after_its_time_and_recovers() -> None:
    here = Installation()
    here.seen.notifier_ms = NOW_MS + TERMS.heartbeat_ms
    assert here.audit(TERMS.heartbeat_ms, lives=False) == []
    assert here.audit(1, lives=False) == [AuditReason.NO_HEARTBEAT] * PARTITIONS
    here.beat(1)
    (found,) = breaches(here.seen, PARTITIONS, here.now_ms, TERMS)
    assert (found.what, found.since_ms) == ("partition 0", NOW_MS)
    assert here.audit() == []


def test_a_partition_that_nobody_ever_had_is_told_once_the_auditor_looked_for_long_enough() -> None:
    here = Installation(started_ms=NOW_MS)
    del here.seen.beats[1]
    here.seen.looked(NOW_MS + TERMS.heartbeat_ms)
    assert not [each for each in breaches(here.seen, PARTITIONS, NOW_MS, TERMS) if each.what == "partition 1"]
    here.seen.looked(NOW_MS + TERMS.heartbeat_ms + 1)
    assert ("partition 1", None) in [(each.what, each.since_ms) for each in breaches(here.seen, PARTITIONS, NOW_MS, TERMS)]


@pytest.mark.parametrize(("clock", "reasons"), [("wall", [AuditReason.FRONTIER_BEHIND]), ("log", [])])
def test_a_frontier_that_stands_is_told_where_the_wall_clock_moves_it(clock: Any, reasons: list[AuditReason]) -> None:
    here = Installation(Terms(clock=clock))

    def stand() -> list[AuditReason]:
        for number in range(PARTITIONS):
            frontier = NOW_MS if number else here.now_ms
            here.seen.heartbeat(number, {"as_of": here.now_ms, "frontier": frontier, "evaluated_to": frontier, "worker": "w"})
        here.seen.notifier_ms = here.now_ms
        return here.audit(lives=False)

    here.now_ms += TERMS.frontier_ms
    assert stand() == []
    here.now_ms += 1
    assert stand() == reasons
    assert here.audit() == []


def test_a_partition_that_does_not_know_how_far_it_is_has_time_to_find_out() -> None:
    here = Installation(started_ms=NOW_MS)
    here.seen.heartbeat(0, {"as_of": NOW_MS + TERMS.frontier_ms, "frontier": 0, "evaluated_to": 0, "worker": "w"})

    def found(at_ms: int) -> list[Breach]:
        here.seen.looked(at_ms)
        return [each for each in breaches(here.seen, 1, at_ms, TERMS) if each.reason is AuditReason.FRONTIER_BEHIND]

    assert found(NOW_MS + TERMS.frontier_ms) == []
    assert [(each.since_ms, each.detail) for each in found(NOW_MS + TERMS.frontier_ms + 1)] == [
        (None, "it does not know yet how far it read, says w")
    ]


def test_a_breach_says_since_when_as_far_as_records_tell() -> None:
    here = Installation(started_ms=0)
    here.seen.notifier_ms = 0
    here.intend()
    here.now_ms += 2 * TERMS.result_ms
    here.audit(lives=False)
    assert {each.reason: each.since_ms for each in here.alarm.found} == {
        AuditReason.NO_HEARTBEAT: NOW_MS,
        AuditReason.NO_RESULT: NOW_MS,
        AuditReason.NO_NOTIFIER: None,
    }
    here.seen.notifier_ms = NOW_MS
    assert NOW_MS in {each.since_ms for each in breaches(here.seen, 0, here.now_ms, TERMS) if each.reason is AuditReason.NO_NOTIFIER}


STANDING: dict[str, dict[str, Any]] = {
    "a step without a deadline": {"due_at": None},
    "a first page that waits for ever": {"stage": "wait_group", "due_at": None},
    "a snooze without an end": {"stage": "paused", "due_at": None, "held": {"what": "snoozed"}},
    "a storm without an end": {"stage": "paused", "due_at": None, "absorbed_by": "i2"},
    "a pause for no reason": {"stage": "paused", "due_at": None},
    "an alert that pages nobody": {"stage": "idle", "due_at": None},
}
WAITING: dict[str, dict[str, Any]] = {
    "a step with a deadline": {},
    "acknowledged as long as it lasts": {"stage": "paused", "due_at": None, "held": {"what": "acked"}},
    "acknowledged for a while": {"stage": "paused", "held": {"what": "acked"}},
    "all were told": {"stage": "exhausted", "due_at": None},
    "a storm that ends": {"stage": "paused", "absorbed_by": "i2"},
    "all its alerts are suppressed": {"stage": "idle", "due_at": None, "members": [MEMBER | {"suppressed_by": ["silenced"]}]},
}


@pytest.mark.parametrize("name", STANDING)
def test_an_incident_that_nothing_will_become_of_is_told(name: str) -> None:
    here = Installation()
    here.fire()
    here.incident("f1", **STANDING[name])
    assert here.audit() == [AuditReason.NO_DEADLINE]
    here.incident("f1")
    assert here.audit() == []


@pytest.mark.parametrize("name", WAITING)
def test_an_incident_that_somebody_has_or_that_goes_on_is_not(name: str) -> None:
    here = Installation()
    here.fire()
    here.incident("f1", **WAITING[name])
    assert here.audit(120 * SECOND) == []


def test_an_incident_that_does_not_do_what_is_due_is_told_by_the_time_of_its_stream() -> None:
    here = Installation()
    here.fire()
    here.incident("f1", due_at=NOW_MS)
    assert here.audit(TERMS.due_ms) == []
    assert here.audit(10 * SECOND) == [AuditReason.OVERDUE]
    here.incident("f1")
    assert here.audit() == []


def test_a_deadline_of_a_stream_that_stands_is_not_overdue() -> None:
    here = Installation(Terms(clock="log"))
    here.fire()
    here.incident("f1", due_at=NOW_MS)
    here.now_ms += 3600 * SECOND
    here.seen.notifier_ms = here.now_ms
    for number in range(PARTITIONS):
        here.seen.heartbeat(number, {"as_of": here.now_ms, "frontier": NOW_MS, "evaluated_to": NOW_MS, "worker": "w"})
    assert here.audit(lives=False) == []


def test_a_page_without_a_result_is_told_after_its_time_and_recovers() -> None:
    here = Installation()
    here.intend()
    assert here.audit(TERMS.result_ms) == []
    assert here.audit(1) == [AuditReason.NO_RESULT]
    here.answer()
    assert here.audit() == []


def test_a_result_may_be_read_before_its_page() -> None:
    here = Installation()
    here.answer()
    here.intend()
    assert here.audit(2 * TERMS.result_ms) == []


def test_pages_of_longer_ago_than_is_read_are_forgotten() -> None:
    here = Installation()
    here.intend()
    here.answer("n2")
    here.answer("n3")
    assert here.audit(PAST_MS) == [AuditReason.NO_RESULT]
    here.intend("n3")
    assert here.audit() == [AuditReason.NO_RESULT]
    assert here.audit(1) == []
    here.intend("n2")
    assert here.audit(2 * TERMS.result_ms) == [AuditReason.NO_RESULT]


def test_a_notifier_that_is_gone_is_told_where_anybody_may_be_paged() -> None:
    here = Installation()
    here.seen.notifier_ms = NOW_MS
    here.now_ms += TERMS.notifier_ms
    here.beat()
    assert here.audit(lives=False) == []
    here.now_ms += 1
    assert here.audit(lives=False) == [AuditReason.NO_NOTIFIER]
    here.seen.book.put(b"*/current", policy(escalations=[]))
    assert here.audit(lives=False) == []
    here.intend()
    assert here.audit(lives=False) == [AuditReason.NO_NOTIFIER]


def test_an_alert_in_no_incident_is_told_once_it_is_evaluated_past_it() -> None:
    here = Installation()
    here.fire()
    assert here.audit(TERMS.alert_ms) == []
    assert here.audit(10 * SECOND) == [AuditReason.ALERT_UNTOLD]
    here.incident("f1")
    assert here.audit() == []
    here.incident("f1", ended_at=here.now_ms)
    assert here.audit() == [AuditReason.ALERT_UNTOLD]


def test_an_alert_whose_incident_somebody_closed_is_told_already() -> None:
    here = Installation()
    here.fire()
    here.incident("f1", ended_at=NOW_MS, resolved_by="ana")
    assert here.audit(600 * SECOND) == []
    here.fire(episode="f1-e2")
    assert here.audit(600 * SECOND) == [AuditReason.ALERT_UNTOLD]


def test_an_alert_of_longer_ago_than_incidents_are_kept_may_have_had_one() -> None:
    here = Installation()
    here.fire()
    assert here.audit(INCIDENT_KEPT_MS) == [AuditReason.ALERT_UNTOLD]
    assert here.audit(10 * SECOND) == []


@pytest.mark.parametrize(
    "over",
    [
        {"rule": {"id": "quiet"}},
        {"rule": {"id": "others"}},
        {"rule": {"id": "gone"}},
        {"partner": "globex"},
        {"state": "resolved"},
        {"state": "pending", "fired_ms": None},
    ],
)
def test_an_alert_that_pages_nobody_needs_no_incident(over: dict[str, Any]) -> None:
    here = Installation()
    here.fire(**over)
    assert here.audit(600 * SECOND) == []


def test_an_alert_from_before_the_policy_said_whom_to_page_needs_no_incident() -> None:
    here = Installation()
    here.fire()
    here.seen.book.put(b"*/current", policy(applied_ms=NOW_MS - SECOND))
    assert here.audit(600 * SECOND) == []
    here.fire("f2")
    assert here.audit(600 * SECOND) == [AuditReason.ALERT_UNTOLD]


def test_a_partner_that_the_policy_no_longer_names_pages_nobody() -> None:
    here = Installation()
    here.fire()
    here.seen.book.put(b"acme/current", None)
    here.seen.book.put(b"acme/r1", {"never": "read"})
    assert here.audit(600 * SECOND) == []


@pytest.mark.parametrize("becomes", [{"state": "resolved"}, {"episode": "f1-e2"}])
def test_an_incident_whose_alert_does_not_fire_is_told(becomes: dict[str, Any]) -> None:
    here = Installation()
    here.fire()
    here.incident("f1", "f2")
    here.fire("f2")
    assert here.audit(600 * SECOND) == []
    here.fire(**becomes)
    assert AuditReason.INCIDENT_UNFOUNDED in here.audit(TERMS.alert_ms + 10 * SECOND)
    here.incident("f2")
    assert AuditReason.INCIDENT_UNFOUNDED not in here.audit()


def test_an_alert_that_ended_just_now_may_be_in_its_incident_still() -> None:
    here = Installation()
    here.fire()
    here.incident("f1")
    here.now_ms += 600 * SECOND
    here.fire(state="resolved")
    assert here.audit(TERMS.alert_ms) == []
    here.seen.alert(0, "f1", None)
    assert here.audit() == [AuditReason.INCIDENT_UNFOUNDED]


LAYER = {"rrule": "FREQ=WEEKLY", "starts": "2026-01-05T00:00", "members": ["ana"], "until": "2026-11-30T00:00"}
ROTATION = {"id": "ops", "timezone": "UTC", "layers": [LAYER]}
OVERRIDE = {"id": "o1", "partner": "*", "actor": "ana", "at": NOW_MS, "from": NOW_MS, "rotation": "ops", "person": "bia"}


def test_a_rotation_that_ends_within_fourteen_days_is_told_until_somebody_takes_it() -> None:
    here = Installation()
    here.seen.book.put(b"*/current", policy(rotations=[ROTATION], people=[{"id": "ana"}, {"id": "bia"}]))
    assert here.audit() == [AuditReason.UNCOVERED]
    assert "from 2026-11-30T00:00:00.000Z to 2026-12-07" in here.alarm.found[0].detail
    here.seen.override("o1", OVERRIDE | {"to": NOW_MS + 20 * DAY_MS})
    assert here.audit() == []
    here.seen.override("o1", OVERRIDE | {"to": NOW_MS + 20 * DAY_MS, "person": "gone"})
    assert here.audit() == [AuditReason.UNCOVERED]
    here.seen.override("o1", None)
    assert here.audit() == [AuditReason.UNCOVERED]
    here.seen.book.put(b"*/current", policy(rotations=[ROTATION | {"layers": [LAYER | {"members": [[]], "until": "2027-12-01T00:00"}]}]))
    assert here.audit() == [AuditReason.EMPTY_SHIFT]


def test_gaps_are_looked_for_anew_as_time_passes() -> None:
    here = Installation()
    here.seen.book.put(b"*/current", policy(rotations=[ROTATION | {"layers": [LAYER | {"until": "2026-12-08T00:00"}]}]))
    assert here.audit() == []
    assert here.audit(DAY_MS) == [AuditReason.UNCOVERED]


def test_a_policy_whose_rotations_do_not_read_changes_nothing() -> None:
    here = Installation()
    here.seen.book.put(b"*/current", policy(rotations=[ROTATION]))
    with pytest.raises(ValueError, match="timezone"):
        here.seen.book.put(b"*/current", policy(rotations=[{"id": "ops"}]))
    assert here.audit() == [AuditReason.UNCOVERED]


def test_what_finds_no_room_is_counted() -> None:
    seen = Seen(0)
    for number in range(HELD_MAX + 2):
        seen.result(str(number), NOW_MS)
    assert seen.dropped == 2


# The alarm.

LOST = Breach(AuditReason.NO_HEARTBEAT, "partition 1", NOW_MS, "the last one was of w")
GONE = Breach(AuditReason.NO_NOTIFIER, "notifier", NOW_MS, "0 pages wait for one")


def test_an_alarm_begins_with_what_holds_for_its_time_and_ends_when_nothing_was_found_for_a_while() -> None:
    alarm = Alarm(TERMS)
    alarm.look([LOST], 0)
    alarm.look([LOST._replace(detail="still")], TERMS.hold_ms - 1)
    assert not alarm.failing
    alarm.look([], TERMS.hold_ms)
    alarm.look([LOST], TERMS.hold_ms + 1)
    assert not alarm.failing, "it was not there in between"
    alarm.look([LOST, GONE], 2 * TERMS.hold_ms + 1)
    assert alarm.failing == (LOST,)
    found_ms = 2 * TERMS.hold_ms + 1
    alarm.look([], found_ms + TERMS.recover_ms - 1)
    assert alarm.ended_ms is None
    alarm.look([], found_ms + TERMS.recover_ms)
    assert alarm.ended_ms == found_ms + TERMS.recover_ms
    assert alarm.reasons == {AuditReason.NO_HEARTBEAT}


def test_a_receiver_is_told_the_beginning_what_comes_to_it_again_and_again_and_the_end() -> None:
    alarm, bell, again_ms = Alarm(Terms(hold_ms=0, recover_ms=0)), Bell(1_000_000), 1_000_000
    rings: list[tuple[int, Ring]] = []

    def look(at_ms: int, *found: Breach, taken: bool = True) -> None:
        alarm.look(found, at_ms)
        ring = bell.due(alarm, at_ms)
        if ring is not None:
            bell.rang(ring, alarm, at_ms, taken=taken)
            rings.append((at_ms, ring))

    look(0)
    look(1, LOST)
    look(2, LOST)
    look(3, LOST, GONE)
    look(4, GONE)
    look(3 + again_ms, GONE)
    look(4 + again_ms, LOST)
    look(5 + again_ms, taken=False)
    look(6 + again_ms)
    look(5 + again_ms + 60_000)
    look(6 + again_ms + 60_000)
    assert rings == [
        (1, Ring.BEGINS),
        (3, Ring.WORSE),
        (3 + again_ms, Ring.GOES_ON),
        (5 + again_ms, Ring.ENDS),
        (5 + again_ms + 60_000, Ring.ENDS),
    ]


def test_a_receiver_that_took_nothing_is_not_told_an_end() -> None:
    alarm, bell = Alarm(Terms(hold_ms=0, recover_ms=0)), Bell(1_000)
    alarm.look([LOST], 1)
    bell.rang(Ring.BEGINS, alarm, 1, taken=False)
    assert bell.due(alarm, 2) is None
    assert bell.due(alarm, 61_000) is Ring.BEGINS
    alarm.look([], 70_000)
    assert bell.due(alarm, 70_000) is None


HOOK = WebhookReceiver(id="hook", type="webhook", url="https://pages.example")


def test_a_page_says_what_fails_how_often_and_since_when_in_two_hundred_characters() -> None:
    alarm = Alarm(Terms(hold_ms=0, recover_ms=0))
    lost = [LOST._replace(what=f"partition {number}") for number in range(24)]
    others = [Breach(reason, "x" * 300, None, "y") for reason in AuditReason if reason is not AuditReason.NO_HEARTBEAT]
    alarm.look([*lost, GONE], NOW_MS)
    told = page(alarm, Ring.BEGINS, NOW_MS, HOOK, "outwatch", NOW_MS)
    assert told.text == "outwatch cannot be relied on since 2026-11-23T12:00:00.000Z: 24 no_heartbeat, no_notifier"
    assert (told.kind, told.reason, told.severity, told.members) == ("trigger", "audit", "critical", 25)
    assert [fact.name for fact in told.facts] == ["no_heartbeat", "no_notifier"]
    assert told.facts[0].value.endswith("and 19 more")
    assert "partition 0 since 2026-11-23T12:00:00.000Z: the last one was of w; partition 1 " in told.facts[0].value
    alarm.look([*lost, *others], NOW_MS + 1)
    worse = page(alarm, Ring.WORSE, NOW_MS, HOOK, "outwatch", NOW_MS + 1)
    assert len(worse.text) <= 200
    assert worse.incident == told.incident
    assert worse.id != told.id
    alarm.look([], NOW_MS + 2)
    over = page(alarm, Ring.ENDS, NOW_MS, HOOK, "outwatch", NOW_MS + 2)
    assert (over.kind, over.reason, over.ended_at, over.members, over.incident) == ("resolve", "resolved", NOW_MS + 2, 0, told.incident)
    assert page(alarm, Ring.ENDS, NOW_MS, HOOK, "other", NOW_MS).incident != told.incident


def test_breaches_are_told_by_reason_oldest_first() -> None:
    old = LOST._replace(what="partition 9", since_ms=NOW_MS - 1)
    assert by_reason([GONE, LOST, old]) == {AuditReason.NO_HEARTBEAT: [old, LOST], AuditReason.NO_NOTIFIER: [GONE]}
