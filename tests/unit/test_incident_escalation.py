"""Escalation of an incident: who is told, who is next, and who is not, as a user would tell the story."""

from dataclasses import replace
from functools import partial

import orjson
import pytest

from alerts import attention
from alerts.around import Around
from alerts.condition import ChangeKind
from alerts.errors import IncidentError, RowFormatError
from alerts.escalation import TOLD_MAX
from alerts.incident import MEMBERS_MAX, Incident
from alerts.members import News
from models.escalation import TargetSpec
from models.incidents import TIMELINE_MAX, Attention, Happening, Stage
from models.notifications import NotifyReason, Outcome
from models.reasons import SuppressReason
from models.rules import Severity
from models.windows import MINUTE_MS
from tests.incidents import Book, Desk, escalation, member, receiver, result, said

ANA, BEN, CHAT = ({"tell": [{"person": "ana"}]}, {"after": "10m", "tell": [{"person": "ben"}]}, {"tell": [{"receiver": "chat"}]})


def ack(desk: Desk, until_ms: int | None = None) -> list[str]:
    return said(desk.do(lambda each: attention.acknowledge(each, "ana", desk.at_ms, until_ms)))


def test_who_does_not_answer_is_followed_by_the_next_until_nobody_is_left() -> None:
    desk = Desk()
    assert said(desk.fire("sl")) == ["trigger ana opened"]
    assert said(desk.wait(9.5)) == []
    assert desk.incident.due_ms == desk.incident.opened_ms + 10 * MINUTE_MS
    assert said(desk.wait(0.5)) == ["trigger ben not_acknowledged"]
    assert said(desk.wait(15)) == ["trigger chat not_acknowledged"]
    assert said(desk.wait(600)) == []
    assert desk.incident.stage is Stage.EXHAUSTED
    assert len({each.id for each in desk.pages}) == 3


def test_steps_loop_and_then_the_fallback_is_told() -> None:
    desk = Desk(escalation(ANA, BEN, loops=2, loop_after="5m", fallback=[{"receiver": "pager"}]))
    desk.fire("sl")
    assert said(desk.wait(10)) == ["trigger ben not_acknowledged"]
    assert said(desk.wait(5)) == ["trigger ana not_acknowledged"]
    assert said(desk.wait(10)) == ["trigger ben not_acknowledged"]
    assert said(desk.wait(5)) == ["trigger pager fallback"]
    assert said(desk.wait(60)) == []
    assert [(each.loop, each.step) for each in desk.pages] == [(0, 0), (0, 1), (1, 0), (1, 1), (1, -1)]
    assert len({each.id for each in desk.pages}) == 5


def test_the_first_page_waits_for_the_group_and_is_one() -> None:
    desk = Desk(escalation(group_wait="30s"))
    assert desk.fire("sl") == []
    assert desk.incident.stage is Stage.WAIT_GROUP
    desk.wait(0.2)
    assert desk.fire("asa", "aht") == []
    (page,) = desk.wait(1)
    assert (page.members, page.text[-9:]) == (3, "(+2 more)")
    assert len(desk.held) == 1


def test_alerts_that_differ_in_what_is_grouped_by_are_incidents_of_their_own() -> None:
    desk = Desk(escalation(group_by=["queue", "rule"]))
    desk.fire("sl", scope="queue=billing")
    desk.fire("asa", scope="queue=billing")
    desk.fire("aht")
    assert [each.labels for each in desk.held.values()] == [
        {"queue": "billing", "rule": "sl"},
        {"queue": "billing", "rule": "asa"},
        {"rule": "aht"},
    ]
    assert len(desk.pages) == 3


def test_an_acknowledgement_stops_the_escalation_and_is_told_to_whoever_was_paged() -> None:
    desk = Desk()
    desk.fire("sl")
    desk.wait(10)
    assert ack(desk) == ["acknowledge ana acknowledged", "acknowledge ben acknowledged"]
    assert (desk.incident.attention, desk.incident.stage, desk.incident.epoch) == (Attention.ACKED, Stage.PAUSED, 1)
    assert desk.wait(600) == []
    assert said(desk.resolve("sl")) == ["resolve ana resolved", "resolve ben resolved"]
    assert desk.incident.seen
    assert desk.incident.epoch == 2


def test_an_acknowledgement_that_ends_while_it_is_open_escalates_from_the_beginning() -> None:
    desk = Desk()
    desk.fire("sl")
    desk.wait(10)
    ack(desk, desk.at_ms + 30 * MINUTE_MS)
    assert said(desk.wait(30)) == ["trigger ana ack_ended"]
    assert desk.incident.attention is Attention.UNACKED
    assert said(desk.wait(10)) == ["trigger ben not_acknowledged"]
    assert len({each.id for each in desk.pages}) == len(desk.pages)


def test_a_snooze_waits_and_then_pages_again() -> None:
    desk = Desk()
    desk.fire("sl")
    desk.do(lambda each: attention.snooze(each, "ana", desk.at_ms, desk.at_ms + 60 * MINUTE_MS))
    assert desk.incident.attention is Attention.SNOOZED
    assert said(desk.wait(61)) == ["trigger ana ack_ended"]


def test_an_alert_that_gets_worse_pages_again_and_clears_the_acknowledgement() -> None:
    desk = Desk()
    desk.fire("sl")
    ack(desk)
    assert said(desk.worse("sl")) == ["trigger ana worse"]
    assert (desk.incident.attention, desk.incident.epoch) == (Attention.UNACKED, 2)
    assert desk.pages[-1].severity == "critical"


def test_a_new_alert_of_an_acknowledged_incident_updates_and_only_a_worse_one_pages() -> None:
    desk = Desk()
    desk.fire("sl")
    ack(desk)
    assert said(desk.fire("asa")) == ["update ana changed"]
    desk.wait(5)
    assert said(desk.fire("aht", severity="critical")) == ["trigger ana worse"]


def test_updates_are_throttled_and_the_newest_wins() -> None:
    desk = Desk()
    desk.fire("sl")
    assert said(desk.fire("a")) == ["update ana changed"]
    desk.wait(0.2)
    assert desk.fire("b", "c") == []
    desk.wait(0.2)
    assert desk.fire("d") == []
    (update,) = desk.wait(2)
    assert update.members == 5
    assert said(desk.resolve("d")) == ["update ana changed"]
    assert len({each.id for each in desk.pages}) == len(desk.pages) == 4


def test_whoever_was_told_is_told_the_end_and_nobody_else() -> None:
    desk = Desk()
    desk.fire("sl", "asa")
    desk.wait(10)
    desk.resolve("sl")
    assert said(desk.resolve("asa")) == ["resolve ana resolved", "resolve ben resolved"]
    assert (desk.incident.attention, desk.incident.stage) == (Attention.RESOLVED, Stage.STOPPED)
    assert not desk.incident.seen
    assert desk.wait(600) == []


def test_a_suppressed_alert_opens_an_incident_without_pages_until_nothing_holds_it_back() -> None:
    desk = Desk()
    assert desk.fire("sl", waits=[SuppressReason.SILENCED]) == []
    assert desk.incident.stage is Stage.IDLE
    assert desk.wait(60) == []
    assert said(desk.turn("sl", ChangeKind.SUPPRESSION_ENDED, suppressed_by=())) == ["trigger ana opened"]


def test_a_silence_in_the_middle_pauses_and_nobody_is_passed_over_when_it_ends() -> None:
    desk = Desk()
    desk.fire("sl")
    desk.turn("sl", None, suppressed_by=(SuppressReason.SILENCED,))
    assert desk.incident.stage is Stage.PAUSED
    assert desk.wait(120) == []
    assert said(desk.turn("sl", ChangeKind.SUPPRESSION_ENDED, suppressed_by=())) == ["trigger ben not_acknowledged"]
    assert said(desk.wait(15)) == ["trigger chat not_acknowledged"]


def test_a_silence_that_ends_pages_nobody_who_looks_after_it_already() -> None:
    desk = Desk()
    desk.fire("sl")
    ack(desk)
    desk.turn("sl", None, suppressed_by=(SuppressReason.SILENCED,))
    assert desk.turn("sl", ChangeKind.SUPPRESSION_ENDED, suppressed_by=()) == []


def test_what_gets_worse_under_a_silence_pages_when_that_ends() -> None:
    desk = Desk()
    desk.fire("sl")
    ack(desk)
    desk.turn("sl", None, suppressed_by=(SuppressReason.SILENCED,))
    assert desk.turn("sl", ChangeKind.ESCALATED, severity=Severity.CRITICAL) == []
    assert said(desk.turn("sl", ChangeKind.SUPPRESSION_ENDED, suppressed_by=())) == ["trigger ana worse"]


def test_an_empty_shift_is_followed_by_the_next_tier_at_once_and_is_counted() -> None:
    book = Book(rotations={"duty": lambda _: ()})
    desk = Desk(escalation({"tell": [{"rotation": "duty"}]}, BEN), book)
    assert said(desk.fire("sl")) == ["trigger ben empty_shift"]
    assert desk.incident.empty_shifts == 1
    assert Happening.EMPTY_SHIFT in [each.what for each in desk.incident.timeline]


def test_who_is_on_call_is_looked_up_when_the_step_fires() -> None:
    desk = Desk(escalation(ANA, {"after": "10m", "tell": [{"rotation": "duty"}]}))
    desk.book.rotations["duty"] = lambda at_ms: ("cleo",) if at_ms > desk.incident.opened_ms else ("dora",)
    desk.fire("sl")
    (page,) = desk.wait(10)
    assert (page.target.kind, page.target.id, page.target.person) == ("rotation", "duty", "cleo")


def test_when_nobody_at_all_can_be_reached_the_fallback_is_told_at_once() -> None:
    book = Book(rotations={"duty": lambda _: ()})
    desk = Desk(escalation({"tell": [{"rotation": "duty"}]}, loops=5, fallback=[{"receiver": "pager"}]), book)
    assert said(desk.fire("sl")) == ["trigger pager fallback"]


def test_the_conditions_of_a_step_are_looked_at_when_it_is_due() -> None:
    steps = (ANA, {"after": "5m", "tell": [{"person": "ben"}], "when": {"severity": "critical"}}, {"after": "5m", **CHAT})
    desk = Desk(escalation(*steps))
    desk.fire("sl")
    assert said(desk.wait(5)) == ["trigger chat not_acknowledged"]
    desk = Desk(escalation(*steps))
    desk.fire("sl", severity="critical")
    assert said(desk.wait(5)) == ["trigger ben not_acknowledged"]


def test_the_hours_of_the_partner_and_of_the_responder_are_conditions() -> None:
    steps = (
        {"tell": [{"person": "ana"}], "when": {"hours": "partner_open"}},
        {"tell": [{"person": "ben"}, {"person": "cleo"}], "when": {"hours": "responder_at_work"}},
        CHAT,
    )
    for open_, away, expected in (
        (True, set[str](), ["ana", "ben", "cleo", "chat"]),
        (False, {"ben"}, ["cleo", "chat"]),
        (False, {"ben", "cleo"}, ["chat"]),
    ):
        desk = Desk(escalation(*steps), Book(open_=open_, away=away))
        assert [each.receiver.id for each in desk.fire("sl")] == expected


def test_what_an_alert_must_be_for_a_step_is_looked_up_in_its_alerts() -> None:
    for weight, expected in ((None, ["chat"]), (1, ["chat"]), (2, ["ana", "chat"])):
        desk = Desk(escalation({"tell": [{"person": "ana"}], "when": {"criticality": 2}}, CHAT))
        desk.alerts["sl"] = member(criticality=weight)
        assert [each.receiver.id for each in desk.turn("sl", ChangeKind.FIRED)] == expected


def test_where_all_pages_of_a_step_fail_the_next_is_told_at_once() -> None:
    desk = Desk(escalation({"tell": [{"person": "ana"}, {"receiver": "chat"}]}, BEN))
    first, second = desk.fire("sl")
    desk.do(lambda each: attention.answered(each, result(first, Outcome.REJECTED), desk.at_ms))
    assert desk.wait(1) == []
    desk.do(lambda each: attention.answered(each, result(second, Outcome.EXPIRED), desk.at_ms))
    assert said(desk.wait(0.2)) == ["trigger ben rejected"]


def test_a_page_that_arrived_and_a_result_of_an_older_step_change_nothing_of_who_is_next() -> None:
    desk = Desk()
    (page,) = desk.fire("sl")
    desk.do(lambda each: attention.answered(each, result(page, Outcome.SENT).model_copy(update={"receipt": "t1"}), desk.at_ms))
    assert desk.incident.told[0].outcome is Outcome.SENT
    desk.wait(10)
    desk.do(lambda each: attention.answered(each, result(page, Outcome.EXPIRED), desk.at_ms))
    assert desk.wait(14) == []
    assert [each.receipt for each in desk.resolve("sl")] == ["t1", None]


def test_who_it_is_handed_over_to_is_told_at_once_and_has_to_answer() -> None:
    desk = Desk()
    desk.fire("sl")
    ack(desk)
    to = TargetSpec(person="cleo")
    around = partial(attention.reassign, by="ana", to=to)
    assert said(desk.do(lambda each: around(each, around=Around(desk.at_ms, desk.book)))) == ["trigger cleo reassigned"]
    assert (desk.incident.attention, desk.incident.assigned) == (Attention.UNACKED, to)
    assert said(desk.wait(10)) == ["trigger ana not_acknowledged"]


def test_what_cannot_be_done_says_why() -> None:
    desk = Desk(book=Book(rotations={"duty": lambda _: ()}))
    desk.fire("sl")
    with pytest.raises(IncidentError, match="nobody"):
        attention.reassign(desk.incident, "ana", TargetSpec(rotation="duty"), Around(desk.at_ms, desk.book))
    with pytest.raises(IncidentError, match="over already"):
        attention.acknowledge(desk.incident, "ana", desk.at_ms, desk.at_ms)
    with pytest.raises(IncidentError, match="itself"):
        attention.absorb(desk.incident, desk.incident.id, desk.at_ms)
    desk.resolve("sl")
    for doing in (attention.acknowledge, attention.resolve):
        with pytest.raises(IncidentError, match="is over"):
            doing(desk.incident, "ana", desk.at_ms)


def test_an_incident_that_somebody_closes_is_over_and_what_gets_worse_opens_another() -> None:
    desk = Desk()
    desk.fire("sl")
    assert said(desk.do(lambda each: attention.resolve(each, "ana", desk.at_ms))) == ["resolve ana resolved"]
    desk.wait(1)
    assert desk.turn("sl", ChangeKind.EASED) == []
    desk.turn("sl", None, suppressed_by=(SuppressReason.SILENCED,))
    assert desk.turn("sl", ChangeKind.SUPPRESSION_ENDED, suppressed_by=()) == []
    desk.wait(1)
    assert said(desk.worse("sl")) == ["trigger ana opened"]
    assert len(desk.held) == 2


def test_an_absorbed_incident_pages_nobody_until_the_storm_is_over_and_its_end_is_told() -> None:
    desk = Desk()
    desk.fire("sl")
    desk.do(lambda each: attention.absorb(each, "0" * 36, desk.at_ms, desk.at_ms + 30 * MINUTE_MS))
    assert desk.fire("asa", severity="critical") == []
    assert said(desk.wait(30)) == ["trigger ana ack_ended"]
    desk.do(lambda each: attention.absorb(each, "0" * 36, desk.at_ms))
    desk.resolve("sl")
    assert said(desk.resolve("asa")) == ["resolve ana resolved"]


def test_what_ended_in_a_past_that_is_caught_up_on_is_recorded_and_pages_nobody() -> None:
    desk = Desk(head_ms=10**15)
    desk.fire("sl", waits=[SuppressReason.LATE])
    desk.wait(30)
    assert desk.resolve("sl") == []
    assert [each.what for each in desk.incident.timeline] == [Happening.OPENED, Happening.ENDED, Happening.RESOLVED]


def test_what_still_fires_at_the_head_pages_once_and_is_marked_late() -> None:
    desk = Desk(escalation(group_wait="30s"))
    desk.fire("sl", waits=[SuppressReason.LATE])
    desk.wait(30)
    assert desk.turn("sl", ChangeKind.SUPPRESSION_ENDED, late=True, suppressed_by=()) == []
    (page,) = desk.wait(1)
    assert page.late
    (page,) = desk.wait(10)
    assert not page.late


def test_after_downtime_the_tier_that_is_due_now_is_told_and_nobody_before_it() -> None:
    desk = Desk(escalation(ANA, BEN, {"after": "15m", "tell": [{"receiver": "chat"}]}, {"after": "60m", "tell": [{"receiver": "pager"}]}))
    desk.fire("sl")
    desk.head_ms = desk.at_ms + 40 * MINUTE_MS
    assert desk.wait(39) == []
    (page,) = desk.wait(2)
    assert (page.receiver.id, page.late) == ("chat", True)
    assert said(desk.wait(60)) == ["trigger pager not_acknowledged"]


def test_a_worker_that_stays_behind_tells_all_the_same() -> None:
    desk = Desk()
    desk.fire("sl")
    for _ in range(40):
        desk.head_ms = desk.at_ms + 5 * MINUTE_MS
        desk.wait(1)
    assert [(each.receiver.id, each.late) for each in desk.pages] == [("ana", False), ("ben", True), ("chat", True)]


def test_whoever_was_told_by_a_receiver_is_told_on_by_it_as_it_was() -> None:
    desk = Desk(escalation({"tell": [{"receiver": "pager"}]}, {"after": "10m", "tell": [{"receiver": "chat"}]}))
    desk.fire("sl")
    desk.book.receivers = {"pager": receiver("pager").model_copy(update={"url": "https://new.example"})}
    (page,) = desk.wait(10)
    assert page.receiver == receiver("chat")
    assert [each.receiver for each in desk.resolve("sl")] == [receiver("pager"), receiver("chat")]


def test_somebody_who_is_told_again_is_told_where_it_was_and_in_the_same_thread() -> None:
    desk = Desk(escalation(ANA, loops=2, loop_after="10m"))
    (first,) = desk.fire("sl")
    desk.do(lambda each: attention.answered(each, result(first, Outcome.SENT).model_copy(update={"receipt": "t1"}), desk.at_ms))
    desk.book.site = "https://new.example"
    (second,) = desk.wait(10)
    assert (second.receiver, second.receipt) == (first.receiver, "t1")


def test_a_loop_that_reaches_nobody_is_the_last() -> None:
    desk = Desk(escalation({"tell": [{"rotation": "duty"}]}, loops=3, loop_after="10m", fallback=[{"receiver": "pager"}]))
    began_ms = desk.at_ms
    desk.book.rotations["duty"] = lambda at_ms: ("cleo",) if at_ms == began_ms else ()
    assert said(desk.fire("sl")) == ["trigger cleo opened"]
    assert said(desk.wait(10)) == ["trigger pager fallback"]


def test_who_was_told_in_a_loop_has_the_time_between_loops_though_its_last_step_is_empty() -> None:
    book = Book(rotations={"duty": lambda _: ()})
    desk = Desk(escalation(ANA, {"after": "5m", "tell": [{"rotation": "duty"}]}, loops=2, loop_after="10m"), book)
    desk.fire("sl")
    assert said(desk.wait(14.5)) == []
    assert said(desk.wait(0.5)) == ["trigger ana empty_shift"]


def test_where_the_last_step_of_a_loop_fails_whoever_was_told_before_has_the_time_between_loops() -> None:
    desk = Desk(escalation(ANA, BEN, loops=2, loop_after="20m"))
    desk.fire("sl")
    (page,) = desk.wait(10)
    desk.do(lambda each: attention.answered(each, result(page, Outcome.REJECTED), desk.at_ms))
    assert said(desk.wait(19.5)) == []
    assert said(desk.wait(0.5)) == ["trigger ana not_acknowledged"]


def test_where_all_pages_of_all_loops_fail_the_fallback_is_told_at_once() -> None:
    desk = Desk(escalation(ANA, loops=2, loop_after="20m", fallback=[{"receiver": "pager"}]))
    (page,) = desk.fire("sl")
    desk.do(lambda each: attention.answered(each, result(page, Outcome.REJECTED), desk.at_ms))
    assert said(desk.wait(0.2)) == ["trigger pager fallback"]


def test_what_failed_of_a_step_that_is_past_brings_nothing_forward() -> None:
    desk = Desk()
    (page,) = desk.fire("sl")
    ack(desk, desk.at_ms + 5 * MINUTE_MS)
    desk.do(lambda each: attention.answered(each, result(page, Outcome.EXPIRED), desk.at_ms))
    assert desk.incident.why is not NotifyReason.REJECTED
    assert said(desk.wait(5)) == ["trigger ana ack_ended"]


def test_an_alert_that_fires_as_the_last_one_ends_joins_its_incident() -> None:
    desk = Desk()
    desk.fire("sl")
    desk.wait(1)
    over = desk.alerts["sl"].model_copy(update={"ended_at": desk.at_ms})
    desk.hear(News(frozenset({ChangeKind.RESOLVED}), over), News(frozenset({ChangeKind.FIRED}), member("asa")))
    assert (len(desk.held), [each.rule for each in desk.incident.open]) == (1, ["asa"])


def test_a_page_to_a_partner_says_nothing_that_the_client_wrote_for_all_partners() -> None:
    desk = Desk(escalation({"tell": [{"partner": "duty"}, {"person": "ana"}]}), Book(roles={"duty": ("dora",)}))
    desk.alerts["sl"] = member(runbook="https://x", suggested_action="call")
    theirs, ours = desk.turn("sl", ChangeKind.FIRED)
    assert (theirs.side, theirs.runbook, theirs.suggested_action) == ("partner", None, None)
    assert (ours.side, ours.runbook, ours.suggested_action) == ("client", "https://x", "call")


def test_a_row_that_an_older_release_wrote_ends_before_what_was_appended_since() -> None:
    desk = Desk()
    desk.fire("sl")
    row = desk.incident.to_row()
    assert Incident.from_row(row[:-2]) == desk.incident
    with pytest.raises(RowFormatError, match="format 9"):
        Incident.from_row([9, *row[1:]])


def test_an_incident_that_is_full_is_followed_by_another_of_its_group() -> None:
    desk = Desk()
    names = [f"{number:x}" for number in range(MEMBERS_MAX + 5)]
    desk.fire(*names)
    assert [len(each.open) for each in desk.held.values()] == [MEMBERS_MAX, 5]
    assert len(desk.pages) == 2
    for name in names:
        desk.resolve(name)
    assert {each.attention for each in desk.held.values()} == {Attention.RESOLVED}


def test_the_row_of_an_incident_that_is_full_in_every_way_fits_a_chunk() -> None:
    everybody = tuple(f"p{each}" for each in range(TOLD_MAX + 5))
    desk = Desk(escalation({"tell": [{"rotation": "all"}]}), Book(rotations={"all": lambda _: everybody}))
    desk.fire(*(f"{number:x}" for number in range(MEMBERS_MAX)))
    incident = desk.incident
    assert len(desk.pages) == len(incident.told) == TOLD_MAX
    members = tuple(
        each.model_copy(update={"text": "é" * 200, "runbook": "r" * 300, "suggested_action": "é" * 300}) for each in incident.members
    )
    for _ in range(TIMELINE_MAX):
        desk.do(lambda each: attention.comment(each, "ana", desk.at_ms, "c" * 500))
    row = replace(desk.incident, members=members).to_row()
    assert len(orjson.dumps(row)) <= 256 * 1024


def test_alerts_that_ended_are_forgotten_where_there_are_too_many_and_lines_too() -> None:
    desk = Desk()
    desk.fire("stays")
    for number in range(MEMBERS_MAX + 10):
        desk.fire(f"{number:x}")
        desk.resolve(f"{number:x}")
    assert (len(desk.incident.members), desk.incident.members_dropped) == (MEMBERS_MAX, 11)
    assert [each.rule for each in desk.incident.open] == ["stays"]
    assert len(desk.incident.timeline) == TIMELINE_MAX
    assert desk.incident.timeline_dropped > 0
