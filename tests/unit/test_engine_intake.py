"""What one record does: it counts once, or its bytes are kept with the reason why not; its run goes on either way."""

from dataclasses import replace
from typing import Any

import pytest

from models import decode
from models.measures import Family
from models.reasons import LateReason, RejectReason
from streams.engine import fold, intake, told
from streams.errors import GapError
from tests.conditions import START_MS
from tests.engines import CONFIG, SECOND, TOPICS, Rig, event, limited, partner_part, rule, shared_part
from tests.stories import DAY, HOUR, MINUTE

POISON: list[tuple[RejectReason, Any, bytes | None]] = [
    (RejectReason.NULL, None, b"acme"),
    (RejectReason.TOO_LARGE, b" " * 1_000_001, b"acme"),
    (RejectReason.UTF8, b'{"type":"\xff"}', b"acme"),
    (RejectReason.JSON, b'{"type":', b"acme"),
    (RejectReason.TYPE, event("contact.sighed", START_MS, "e"), b"acme"),
    (RejectReason.INVALID, event("contact.answered", START_MS, "e", wait_seconds=-1), b"acme"),
    (RejectReason.TIME, event("contact.answered", "yesterday", "e"), b"acme"),
    (RejectReason.TIME, event("contact.answered", START_MS // 1000, "e"), b"acme"),
    (RejectReason.TIME, event("contact.record", START_MS, "e", queued_at=START_MS // 1000), b"acme"),
    (RejectReason.FUTURE, event("contact.answered", START_MS + 5 * MINUTE + 1, "e"), b"acme"),
    (RejectReason.FUTURE, event("contact.record", START_MS, "e", queue_exited_at=START_MS + 6 * MINUTE), b"acme"),
    (RejectReason.NO_KEY, event("contact.answered", START_MS, "e"), None),
    (RejectReason.NO_KEY, event("contact.record", START_MS, "e"), None),
    (RejectReason.MISROUTED, event("contact.answered", START_MS, "e"), b"bolt"),
    (RejectReason.CLOCK, {"type": "clock.advanced", "to": START_MS}, None),
]


def arrivals(rig: Rig, partner: str = "acme") -> int:
    body = rig.figures().get(f"{partner}/all/5m")
    return body["measures"].get("arrivals", 0) if body else 0


@pytest.mark.parametrize(("reason", "value", "key"), POISON, ids=[f"{reason}-{number}" for number, (reason, *_) in enumerate(POISON)])
def test_a_record_that_cannot_be_read_goes_to_the_dead_letters_and_its_run_counts(reason: RejectReason, value: Any, key: bytes) -> None:
    rig = Rig()
    rig.idle(START_MS)
    rig.send(event("contact.queued", START_MS, "before"), at_ms=START_MS)
    rig.send(value, at_ms=START_MS, key=key)
    rig.send(event("contact.queued", START_MS, "after"), at_ms=START_MS)
    rig.to(START_MS)
    assert rig.letters() == [(reason, 1)]
    assert arrivals(rig) == 2
    assert rig.engine.counters[f"dead_letters.{reason}"] == 1
    assert rig.engine.applied == {TOPICS.interactions: 3}


def test_a_dead_letter_holds_the_bytes_the_key_and_where_they_stood() -> None:
    rig = Rig()
    rig.send(b"no json", at_ms=START_MS, key=b"acme")
    rig.logs[TOPICS.interactions][0].headers = [("trace", b"7"), ("dlq.offset", b"900")]
    rig.to(START_MS + 7)
    (letter,) = [each for each in rig.written if each.topic == TOPICS.dead_letters]
    headers = dict(letter.headers)
    assert (letter.key, letter.value) == (b"acme", b"no json")
    assert (headers["dlq.topic"], headers["dlq.partition"], headers["dlq.offset"]) == (b"cx.interactions", b"0", b"0")
    assert headers["dlq.failed-at"] == str(START_MS).encode()
    assert headers["dlq.error"]
    assert headers["trace"] == b"7"
    assert len(letter.headers) == len(headers), "an old letter's coordinates are replaced"


def test_a_long_value_is_cut_and_its_length_and_hash_are_kept() -> None:
    rig = Rig()
    rig.send(b"x" * 950_000, at_ms=START_MS, key=b"acme")
    rig.to(START_MS)
    (letter,) = [each for each in rig.written if each.topic == TOPICS.dead_letters]
    assert letter.value == b"x" * 900_000
    assert dict(letter.headers)["dlq.length"] == b"950000"


def test_every_reason_is_produced_here() -> None:
    elsewhere = {RejectReason.BUG, RejectReason.PARTNERS}
    assert {reason for reason, *_ in POISON} | elsewhere == set(RejectReason)


@pytest.mark.parametrize("kind", ["contact.answered", "contact.record"])
def test_what_makes_our_code_raise_counts_nothing_and_may_come_again(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def explode(event: Any, vector: list[int], _: int, __: int) -> None:
        if event.event_id == "bad":
            msg = "boom"
            raise ZeroDivisionError(msg)
        fold.fold_answered(event, vector, 0, 0)

    effect = (Family.INTERACTIONS, explode, intake.Contact.CLOSES)
    monkeypatch.setitem(intake.EFFECTS, decode.ContactAnswered, effect)
    monkeypatch.setattr(told, "fold_handled", explode)
    rig = Rig()
    rig.idle(START_MS)
    rig.send(event(kind, START_MS, "good"), event(kind, START_MS, "bad", queue="new"), event(kind, START_MS, "fine"), at_ms=START_MS)
    rig.to(START_MS)
    assert rig.letters() == [(RejectReason.BUG, 1)]
    (letter,) = [each for each in rig.written if each.topic == TOPICS.dead_letters]
    assert b"ZeroDivisionError: boom" in dict(letter.headers)["dlq.error"]
    assert rig.figures()["acme/all/5m"]["measures"]["answered"] == (2 if kind == "contact.answered" else 4), (
        "once for the wait, once for the fold under test"
    )
    assert not [key for key in rig.figures() if "new" in key], "nothing is left of the event's queue"
    rig.send(event("contact.queued", START_MS, "bad"), at_ms=START_MS + 1)
    rig.to(START_MS + 2000)
    assert arrivals(rig) == (1 if kind == "contact.answered" else 3), "the id was not remembered"


def test_an_event_that_counts_nothing_makes_no_figure_of_its_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    effect = (Family.SURVEYS, lambda *_: None, intake.Contact.NOTHING)
    monkeypatch.setitem(intake.EFFECTS, decode.SurveyResponse, effect)
    rig = Rig()
    rig.idle(START_MS)
    rig.send(event("survey.response", START_MS, "e", queue="hr"), at_ms=START_MS, topic=TOPICS.surveys)
    rig.to(START_MS)
    assert rig.engine.counters["events"] == 1
    assert not [key for key in rig.figures() if "hr" in key]


def test_a_misrouted_record_names_the_partitioner_that_its_producer_uses() -> None:
    config = replace(CONFIG, partitions=4)
    homes = {
        rig: partition for rig in ("acme", "bolt", "core") for partition in range(4) if Rig(config, partition).engine._state.at_home(rig)
    }
    partner, home = homes.popitem()
    rig = Rig(config, (home + 1) % 4)
    rig.send(event("contact.queued", START_MS, "e", partner=partner), at_ms=START_MS)
    rig.to(START_MS)
    assert rig.letters() == [(RejectReason.MISROUTED, 0)]
    assert rig.engine.counters["misrouted.cx.interactions"] == 1
    assert not rig.figures()


def test_more_partners_without_a_policy_than_the_limit_are_refused() -> None:
    rig = Rig(limited(unconfigured_partners=2))
    rig.idle(START_MS)
    for partner in ("a", "b", "c", "a"):
        rig.send(event("contact.queued", START_MS, f"{partner}{len(rig.logs[TOPICS.interactions])}", partner=partner), at_ms=START_MS)
    rig.to(START_MS)
    assert rig.letters() == [(RejectReason.PARTNERS, 2)]
    assert arrivals(rig, "a") == 2


@pytest.mark.parametrize("late_ms", [0, 30_000, 40 * MINUTE, 6 * HOUR, 3 * DAY, 34 * DAY])
def test_a_late_event_is_counted_on_its_day_up_to_the_ledgers_start(late_ms: int) -> None:
    rig = Rig()
    rig.send(event("contact.queued", START_MS, "now"), at_ms=START_MS)
    rig.to(START_MS + 20_000)
    rig.send(event("contact.abandoned", START_MS - late_ms, "late"), at_ms=START_MS + 20_000)
    rig.to(START_MS + 21_000)
    rig.to(START_MS + DAY)
    days = rig.compacted(TOPICS.rollups_1d).values()
    assert [body["from"] <= START_MS - late_ms < body["to"] for body in days if "abandoned" in body["measures"]] == [True]
    assert rig.letters(TOPICS.late) == []


def test_a_nights_file_that_comes_in_the_morning_gives_the_same_figures_and_no_alert_of_the_past() -> None:
    """Eight hours of a partner, an hour of them lost contacts, as they happen or at once an hour after the last."""
    night = [
        event("contact.abandoned" if at < HOUR else "contact.answered", START_MS + at, f"e{at}", queue="care")
        for at in range(0, 8 * HOUR, 30 * SECOND)
    ]
    told = []
    for in_time in (True, False):
        rig, waiting = Rig(), list(night)
        rig.policy(shared_part(rule()), partner_part(), at_ms=START_MS - MINUTE)
        rig.send(event("contact.queued", START_MS - MINUTE, "awake"), at_ms=START_MS - MINUTE)
        for at_ms in range(START_MS, START_MS + 8 * HOUR, 5 * MINUTE):
            while in_time and waiting and waiting[0]["occurred_at"] < at_ms:
                rig.send(waiting.pop(0), at_ms=at_ms)
            rig.to(at_ms)
        rig.to(START_MS + 9 * HOUR)
        rig.send(*waiting, at_ms=START_MS + 9 * HOUR)
        for hours in (9, 10, 26):
            rig.to(START_MS + hours * HOUR)
        assert bool(rig.alerts()) is in_time
        days, quarters = (
            {key: (body["measures"], body["from"]) for key, body in rig.compacted(topic).items()}
            for topic in (TOPICS.rollups_1d, TOPICS.rollups_15m)
        )
        told.append((days, quarters))
        assert rig.engine.counters["events"] == len(night) + 1
        if not in_time:
            assert rig.engine.counters["late_corrections"] == len(night)
    assert told[0] == told[1]
    whole = [measures for key, (measures, _) in told[0][1].items() if "/all/" in key]
    assert sum(measures.get("answered", 0) + measures.get("abandoned", 0) for measures in whole) == len(night)


def test_past_the_ledger_an_event_is_kept_with_the_reason() -> None:
    rig = Rig()
    rig.send(event("contact.queued", START_MS, "now"), at_ms=START_MS)
    rig.to(START_MS + 20_000)
    rig.send(event("contact.abandoned", START_MS - 37 * DAY, "late"), at_ms=START_MS + 20_000)
    rig.send(event("contact.record", START_MS, "part", queued_at=START_MS - 37 * DAY), at_ms=START_MS + 20_000)
    rig.send(event("contact.abandoned", START_MS, "fine"), at_ms=START_MS + 20_000)
    rig.to(START_MS + 21_000)
    assert rig.letters(TOPICS.late) == [(LateReason.PAST_LEDGER, 1), (LateReason.PAST_LEDGER, 2)]
    assert rig.figures()["acme/all/5m"]["measures"] == {"arrivals": 1, "abandoned": 1, "abandoned_within": 1} | {
        "abandoned_wait_ms": 10_000,
        "abandoned_wait_s2": 100,
    }
    assert rig.engine.counters["late.past_ledger"] == 2


def test_a_partner_that_was_silent_does_not_take_what_the_ledger_no_longer_holds() -> None:
    rig = Rig()
    rig.policy(at_ms=START_MS)
    rig.send(event("contact.queued", START_MS, "first"), at_ms=START_MS)
    rig.to(START_MS)
    rig.idle(START_MS + 80 * DAY)
    later = START_MS + 80 * DAY
    rig.send(event("contact.queued", later - 40 * DAY, "old"), at_ms=later)
    rig.to(later)
    assert rig.letters(TOPICS.late) == [(LateReason.PAST_LEDGER, 1)]


def test_by_the_logs_clock_the_ledger_begins_where_its_topic_stands_before_the_others_were_heard_of() -> None:
    rig = Rig(replace(CONFIG, clock_from_log=True))
    rig.send({"type": "clock.advanced", "to": START_MS, "topics": [TOPICS.interactions, TOPICS.surveys]}, at_ms=START_MS, key=None)
    rig.send(event("contact.queued", START_MS, "now"), event("contact.queued", START_MS - 40 * DAY, "late"), at_ms=START_MS)
    rig.poll()
    assert rig.engine.counters["late.past_ledger"] == 1
    assert rig.engine.counters["events"] == 1


def test_a_run_that_does_not_follow_the_last_is_refused() -> None:
    rig = Rig()
    for number in range(3):
        rig.send(event("contact.queued", START_MS, f"e{number}"), at_ms=START_MS)
    rig.poll(until=1)
    with pytest.raises(GapError, match="applied up to 1, but the run was fetched from 2"):
        list(rig.engine.apply(TOPICS.interactions, 2, rig.logs[TOPICS.interactions][2:], START_MS))


def test_what_was_passed_is_not_read_again_and_the_run_after_it_follows() -> None:
    rig = Rig()
    rig.send(event("contact.queued", START_MS, "first"), at_ms=START_MS)
    rig.poll()
    rig.engine.passed(TOPICS.interactions, 3)
    rig.engine.passed(TOPICS.interactions, 2)
    assert rig.engine.applied[TOPICS.interactions] == 3
    log = rig.logs[TOPICS.interactions]
    for _ in range(3):
        rig.send(event("contact.queued", START_MS, "second"), at_ms=START_MS)
    with pytest.raises(GapError, match="applied up to 3, but the run was fetched from 1"):
        list(rig.engine.apply(TOPICS.interactions, 1, log[2:], START_MS))  # It begins with what was passed.
    list(rig.engine.apply(TOPICS.interactions, 1, log[3:], START_MS))
    assert rig.engine.applied[TOPICS.interactions] == 4


def test_too_many_letters_are_urgent() -> None:
    rig = Rig(limited(pending_outputs=3))
    rig.send(b"1", b"2", at_ms=START_MS, key=b"acme")
    rig.poll()
    assert not rig.engine.urgent
    rig.send(b"3", at_ms=START_MS, key=b"acme")
    rig.poll()
    assert rig.engine.urgent
    rig.commit()
    assert not rig.engine.urgent
