"""Suppression: pages wait while there is a reason, what resolves passes, and what still fires at the end pages once."""

from typing import Any

from models.commands import EXPIRE, SILENCE
from models.windows import GRID_MS, HOUR_MS, MINUTE_MS
from tests.conditions import START_MS
from tests.engines import SECOND, TOPICS, Rig, event, partner_part, rule, shared_part
from tests.unit.test_engine_commands import LADDER, WARNING, lost, state, told


def silenced(rig: Rig, at_ms: int, until_ms: int, identity: str = "s1", **matchers: str) -> None:
    told(rig, SILENCE, at_ms, identity, matchers=matchers or {"rule": "sl"}, until=until_ms, comment="known")


def quiet(until_ms: int, levels: list[dict[str, Any]] = WARNING, /, **matchers: str) -> Rig:
    """A partner whose alert is silenced before it fires, at the grid point after START_MS."""
    rig = Rig()
    rig.policy(shared_part(rule(levels=levels)), partner_part(), at_ms=START_MS - MINUTE_MS)
    silenced(rig, START_MS - MINUTE_MS, until_ms, **matchers)
    rig.to(START_MS - MINUTE_MS)
    lost(rig, START_MS)
    rig.to(START_MS + 16 * SECOND)
    return rig


def events(rig: Rig) -> list[tuple[str, list[str]]]:
    """The kind of every event, and why its page waits."""
    return [(each["transition"]["kind"], each["suppressed_by"]) for each in rig.bodies(TOPICS.alerts)]


def answered(rig: Rig, at_ms: int) -> None:
    rig.send(*(event("contact.answered", at_ms, f"{at_ms}-{number}", wait_seconds=1.0) for number in range(1000)), at_ms=at_ms)


def test_what_fires_under_a_silence_says_so_and_pages_when_it_ends() -> None:
    rig = quiet(START_MS + 2 * MINUTE_MS)
    assert events(rig) == [("fired", ["silenced"])]
    assert state(rig)["suppressed_by"] == ["silenced"]
    rig.crash()
    rig.to(START_MS + 4 * MINUTE_MS)
    assert events(rig) == [("fired", ["silenced"]), ("suppression_ended", [])]
    (fired, ended) = rig.bodies(TOPICS.alerts)
    assert ended["evaluated_at"] == START_MS + 2 * MINUTE_MS
    assert ended["transition"] == {
        "from": "firing",
        "to": "firing",
        "kind": "suppression_ended",
        "reason": "FIRING => FIRING: no longer silenced",
    }
    assert (ended["episode"], ended["seq"]) == (fired["episode"], fired["seq"])
    assert ended["id"] != fired["id"]
    assert state(rig)["suppressed_by"] == []


def test_a_resolve_passes_and_takes_the_waiting_page_with_it() -> None:
    rig = quiet(START_MS + HOUR_MS)
    rig.to(START_MS + 6 * MINUTE_MS)
    answered(rig, START_MS + 6 * MINUTE_MS)
    rig.to(START_MS + 2 * HOUR_MS)
    assert events(rig) == [("fired", ["silenced"]), ("resolved", []), ("cleared", [])]
    assert not [key for key in rig.changelog if key.startswith(b'["aside"')]


def test_a_silence_that_is_expired_ends_at_the_next_grid_point() -> None:
    rig = quiet(START_MS + HOUR_MS)
    told(rig, EXPIRE, START_MS + 33 * SECOND, "e", silence="s1")
    rig.to(START_MS + 34 * SECOND)
    rig.crash()
    rig.to(START_MS + MINUTE_MS)
    assert [(each["transition"]["kind"], each["evaluated_at"] - START_MS) for each in rig.bodies(TOPICS.alerts)[1:]] == [
        ("suppression_ended", 40 * SECOND)
    ]
    assert rig.compacted(TOPICS.alerts_state)["silence/s1"] is None


def test_a_silence_of_an_alert_that_fires_already_pages_again_at_its_end() -> None:
    rig = quiet(START_MS - 30 * SECOND)
    assert events(rig) == [("fired", [])]
    silenced(rig, START_MS + 20 * SECOND, START_MS + 2 * MINUTE_MS, "s2")
    rig.to(START_MS + 40 * SECOND)
    assert state(rig)["suppressed_by"] == ["silenced"]
    rig.to(START_MS + 3 * MINUTE_MS)
    assert events(rig)[1:] == [("suppression_ended", [])]


def test_a_worse_severity_that_the_silence_does_not_mean_pages() -> None:
    rig = quiet(START_MS + HOUR_MS, LADDER, severity="warning")
    rig.to(START_MS + 2 * MINUTE_MS)
    assert events(rig) == [("fired", ["silenced"]), ("escalated", []), ("suppression_ended", [])]


def test_of_two_silences_the_later_one_holds_the_page_back() -> None:
    rig = quiet(START_MS + MINUTE_MS)
    silenced(rig, START_MS + 20 * SECOND, START_MS + 2 * MINUTE_MS, "s2")
    rig.to(START_MS + 90 * SECOND)
    assert len(events(rig)) == 1
    rig.to(START_MS + 3 * MINUTE_MS)
    assert rig.bodies(TOPICS.alerts)[1]["evaluated_at"] == START_MS + 2 * MINUTE_MS


def test_a_silence_means_only_what_fits_all_that_it_names() -> None:
    for matchers in ({"rule": "sl", "partner": "b*"}, {"scope": "queue=*"}, {"severity": "critical"}, {"rule": "SL"}):
        assert events(quiet(START_MS + HOUR_MS, **matchers)) == [("fired", [])], matchers
    for matchers in ({"rule": "s?", "partner": "acme"}, {"scope": "all", "severity": "*"}):
        assert events(quiet(START_MS + HOUR_MS, **matchers)) == [("fired", ["silenced"])], matchers


def test_the_silence_of_one_partner_is_none_of_its_neighbour_in_the_partition() -> None:
    rig = Rig()
    rig.policy(shared_part(rule()), partner_part(), partner_part("bolt"), at_ms=START_MS - MINUTE_MS)
    silenced(rig, START_MS - MINUTE_MS, START_MS + HOUR_MS, partner="*")
    for partner in ("acme", "bolt"):
        rig.send(event("contact.abandoned", START_MS, partner, partner=partner, wait_seconds=60.0), at_ms=START_MS)
        rig.send(*(event("contact.abandoned", START_MS, f"{partner}{at}", partner=partner) for at in range(99)), at_ms=START_MS)
    rig.to(START_MS + 16 * SECOND)
    assert {each["partner"]: each["suppressed_by"] for each in rig.bodies(TOPICS.alerts)} == {"acme": ["silenced"], "bolt": []}


def test_a_silence_holds_from_the_time_of_its_record_on_however_late_the_rest_is_read() -> None:
    rig = Rig()
    rig.policy(shared_part(rule()), partner_part(), at_ms=START_MS)
    lost(rig, START_MS)
    silenced(rig, START_MS + 5 * MINUTE_MS, START_MS + HOUR_MS)
    rig.idle(START_MS, *TOPICS.subscribed)
    rig.poll(TOPICS.commands)
    rig.now_ms = START_MS + 16 * SECOND
    rig.poll(TOPICS.interactions)
    for topic in TOPICS.subscribed:
        rig.engine.idle(topic, START_MS + 16 * SECOND)
    rig.to(START_MS + 16 * SECOND)
    assert events(rig) == [("fired", [])], "the commands were read first, and that one is of later"
    rig.to(START_MS + 6 * MINUTE_MS)
    assert state(rig)["suppressed_by"] == ["silenced"]


def behind(ends: bool) -> Rig:
    """A worker that comes back after four hours, of which the first minutes were bad; or all of them."""
    rig = Rig()
    rig.policy(shared_part(rule()), partner_part(), at_ms=START_MS)
    rig.to(START_MS)
    for minute in range(0, 240, 4):
        at_ms = START_MS + minute * MINUTE_MS
        (answered if ends and minute > 30 else lost)(rig, at_ms)
    rig.now_ms = head_ms = START_MS + 4 * HOUR_MS
    records = rig.logs[TOPICS.interactions]
    for record in records:
        for topic in TOPICS.subscribed:
            if topic != TOPICS.interactions:
                rig.engine.idle(topic, record.timestamp)
        for _ in rig.engine.apply(TOPICS.interactions, record.offset, [record], head_ms):
            pass
        if record.offset % 500 == 0:
            rig.commit()
    rig.to(head_ms)
    rig.to(head_ms + 30 * SECOND)
    return rig


def test_what_fired_and_ended_in_the_past_that_is_caught_up_on_is_recorded_and_pages_nobody() -> None:
    rig = behind(ends=True)
    assert events(rig) == [("fired", ["late"]), ("resolved", []), ("cleared", [])]
    assert {each["late"] for each in rig.bodies(TOPICS.alerts)} == {True}


def test_what_still_fires_at_the_head_pages_once_marked_late() -> None:
    rig = behind(ends=False)
    assert events(rig) == [("fired", ["late"]), ("suppression_ended", [])]
    ended = rig.bodies(TOPICS.alerts)[-1]
    assert ended["late"]
    assert START_MS + 4 * HOUR_MS - 2 * MINUTE_MS <= ended["evaluated_at"] <= START_MS + 4 * HOUR_MS


def test_a_worker_that_stays_behind_pages_once_the_past_it_knew_of_is_over() -> None:
    rig = Rig()
    rig.policy(shared_part(rule()), partner_part(), at_ms=START_MS)
    rig.to(START_MS)
    lost(rig, START_MS)
    behind_ms = 5 * MINUTE_MS
    for second in range(10, 300, 10):
        at_ms = START_MS + second * SECOND
        rig.send(event("contact.abandoned", at_ms, f"x{second}"), at_ms=at_ms)
    for record in rig.logs[TOPICS.interactions]:
        for topic in TOPICS.subscribed:
            if topic != TOPICS.interactions:
                rig.engine.idle(topic, record.timestamp)
        for _ in rig.engine.apply(TOPICS.interactions, record.offset, [record], record.timestamp + behind_ms):
            pass
        rig.now_ms = record.timestamp + behind_ms
    rig.commit()
    fired, ended = rig.bodies(TOPICS.alerts)
    assert (fired["suppressed_by"], ended["transition"]["kind"]) == (["late"], "suppression_ended")
    assert ended["evaluated_at"] - fired["evaluated_at"] <= behind_ms + GRID_MS
