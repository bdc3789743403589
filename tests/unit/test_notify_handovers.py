"""At each handover one report of the shift before goes to those whose shift begins, by one notifier, also after a crash."""

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock

import pytest
from redis.asyncio import Redis

from alerts.notify.page import title
from alerts.notify.render import render
from alerts.notify.request import Request
from models.errors import PolicyError
from models.handover import DUE_MS, Handover, due_handovers
from models.incidents import IncidentState
from models.notifications import Notification, Outcome
from models.oncall import calendar_revision
from models.policy_file import lint
from models.policy_record import policy_key
from models.policy_spec import PolicyFile
from models.settings import Settings
from models.windows import HOUR_MS
from streams.connection import redis
from streams.notifier.digests import PAGES_MAX
from streams.notifier.handovers import CALENDAR_MS, Handovers, reports
from streams.notifier.notifier import Notifier
from streams.notifier.progress import Progress
from streams.notifier.verdicts import OLD_MS, Course, course
from streams.oncall.calendar import Calendar, calendar_of
from tests.notifiers import state, uuid
from tests.pages import CIRCUMSTANCES, notification
from tests.property.test_notify_schedules import Process, World
from tests.rotations import layer, ms, override, rotation, spec

DAILY = layer(["bo", "ana"], "FREQ=DAILY")
AT_MS = ms("2026-11-23T09:00")
"""A handover of it, from ana to bo."""
MINUTE_MS = 60_000


def due(*layers: dict[str, Any], at: str, over: Sequence[Any] = (), zone: str = "UTC") -> list[Handover]:
    return list(due_handovers([rotation(*layers, zone=zone)], over, ms(at), set()))


def calendar(**over: Any) -> Calendar:
    """Ana and Bo in turn; Bo is reached by mail, a chat that is Ana's too, and a pager."""
    said = {
        "version": 1,
        "receivers": [
            {"id": "chat", "type": "webhook", "url": "https://chat.example/"},
            {"id": "pager", "type": "pagerduty", "routing_key": "pagerduty-ops"},
            {"id": "theirs", "type": "webhook", "url": "https://theirs.example/", "partner": "acme"},
        ],
        "people": [
            {"id": "ana", "name": "Ana", "reach": {"receivers": ["chat"]}},
            {"id": "bo", "name": "Bo", "reach": {"mail": ["bo@example.com"], "receivers": ["chat", "pager"]}},
        ],
        "rotations": [spec(DAILY, **over).model_dump(mode="json", by_alias=True, exclude_none=True)],
        "partners": [{"id": "acme", "name": "Acme"}],
    }
    return calendar_of(PolicyFile.model_validate(said), [])


def incident(number: int, opened: int, **over: Any) -> IncidentState:
    told: dict[str, Any] = {
        "target": {"kind": "rotation", "id": "ops", "person": "ana"},
        "receiver": notification().receiver.model_dump(mode="json"),
    }
    told |= {"notification": uuid(number, 1), "at": opened, "epoch": 1, "step": 0, "loop": 0, "side": "client", "reason": "opened"}
    return state(notification(), id=uuid(number), opened_at=opened, told=[told], **over)


def told(of: Calendar, *incidents: IncidentState) -> list[Notification]:
    (handover,) = due_handovers(of.rotations.values(), of.overrides, AT_MS, set())
    return list(reports(handover, of, incidents, AT_MS))


@pytest.mark.parametrize(
    ("at_ms", "expected"), [(AT_MS - 1, 0), (AT_MS, 1), (AT_MS + DUE_MS - 1, 1), (AT_MS + DUE_MS, 0), (AT_MS + 2 * DUE_MS, 0)]
)
def test_a_report_is_due_for_thirty_minutes_from_the_handover_on(at_ms: int, expected: int) -> None:
    assert len(list(due_handovers([rotation(DAILY)], (), at_ms, set()))) == expected


def test_a_report_that_is_marked_is_due_no_more() -> None:
    assert list(due_handovers([rotation(DAILY)], (), AT_MS, {("ops", AT_MS)})) == []


@pytest.mark.parametrize(("at", "hours"), [("2026-03-29T08:00", 23), ("2026-10-25T09:00", 25), ("2026-10-26T09:00", 24)])
def test_a_handover_is_at_nine_by_the_wall_clock_also_where_clocks_are_put(at: str, hours: int) -> None:
    (handover,) = due(DAILY, at=at, zone="Europe/Lisbon")
    assert (handover.shift.end_ms, handover.shift.end_ms - handover.shift.begin_ms) == (ms(at), hours * HOUR_MS)


def test_an_override_at_the_edge_moves_the_handover_and_says_who_begins() -> None:
    takes = [override("cy", "2026-11-23T09:00", "2026-11-23T12:00")]
    (handover,) = due(DAILY, at="2026-11-23T09:10", over=takes)
    assert handover.following == ("cy",)
    (handover,) = due(DAILY, at="2026-11-23T12:00", over=takes)
    assert (handover.shift.on_call.people, handover.following) == (("cy",), ("bo",))
    stays = [override("ana", "2026-11-23T09:00", "2026-11-23T12:00")]
    assert due(DAILY, at="2026-11-23T09:10", over=stays) == [], "ana goes on"
    (handover,) = due(DAILY, at="2026-11-23T12:00", over=stays)
    assert (handover.shift.begin_ms, handover.following) == (ms("2026-11-22T09:00"), ("bo",))


def test_where_nobody_was_on_call_in_between_the_report_tells_of_these_hours_too() -> None:
    days = layer(["ana", "bo"], "FREQ=DAILY", lasts="8h")
    assert due(days, at="2026-11-23T17:10") == [], "nobody begins"
    (handover,) = due(days, at="2026-11-24T09:00")
    assert (handover.shift.begin_ms, handover.shift.end_ms) == (AT_MS, ms("2026-11-24T09:00"))
    assert due(layer(["ana"], starts="2026-11-23T09:00"), at="2026-11-23T09:00") == [], "there was no shift before"


def test_those_whose_shift_begins_are_told_but_not_by_what_keeps_alerts() -> None:
    found = told(calendar(), incident(1, AT_MS - HOUR_MS), incident(2, AT_MS - 2 * HOUR_MS, ended_at=AT_MS - HOUR_MS))
    assert [(each.receiver.id, each.target.person) for each in found] == [("bo", "bo"), ("chat", "bo")]
    assert {each.text for each in found} == {"Handover of ops: 2 fired, 0 taken, 1 open, 1 resolved, 1 unseen"}
    assert [fact.value.partition(":")[0] for fact in found[0].facts] == ["Ana, then Bo", "open", "resolved, seen by nobody"]
    assert len({each.id for each in found}) == 2


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ([], []),
        ([{"receiver": "chat"}], ["chat"]),
        ([{"person": "ana"}, {"person": "bo"}], ["chat", "bo"]),
        ([{"receiver": "pager"}, {"receiver": "theirs"}], []),
    ],
)
def test_a_rotation_says_who_is_told_instead(said: list[dict[str, str]], expected: list[str]) -> None:
    assert [each.receiver.id for each in told(calendar(report=said))] == expected


def test_where_nothing_fired_one_line_says_so_and_no_button_is_shown() -> None:
    found = told(calendar(report=[{"receiver": "chat"}]))
    assert [title(each) for each in found] == ["[HANDOVER] Handover of ops: nothing fired"]
    changed, report = (render(notification("slack", kind="update", reason=reason), CIRCUMSTANCES) for reason in ("changed", "handover"))
    assert [b"incident.ack" in each.body for each in (changed, report) if isinstance(each, Request)] == [True, False]


def test_a_partners_rotation_is_told_of_that_partner_alone() -> None:
    found = told(calendar(partner="acme", report=[{"receiver": "theirs"}]), incident(1, AT_MS - HOUR_MS))
    assert [(each.partner, each.side, each.text) for each in found] == [("acme", "partner", "Handover of ops: nothing fired")]


class Desk:
    """What the topics hold, and how often they were read."""

    def __init__(self) -> None:
        self.now_ms = AT_MS
        self.calendar = calendar()
        self.reads = 0

    async def read_calendar(self) -> Calendar:
        self.reads += 1
        return self.calendar

    async def read_incidents(self) -> list[IncidentState]:
        return []

    def notifier(self, *, ours: bool = True) -> Handovers:
        return Handovers(self.read_calendar, self.read_incidents, lambda _: ours, lambda: self.now_ms)


async def test_one_of_two_notifiers_makes_a_report_once_and_one_that_starts_anew_makes_the_same() -> None:
    desk = Desk()
    first, other = desk.notifier(), desk.notifier(ours=False)
    made = await first.take()
    assert [each.receiver.id for each in made] == ["bo", "chat"]
    desk.now_ms += MINUTE_MS
    assert [await first.take(), await other.take()] == [[], []]
    assert [each.id for each in await desk.notifier().take()] == [each.id for each in made]
    desk.now_ms += 24 * HOUR_MS
    assert {each.id for each in await first.take()}.isdisjoint(each.id for each in made), "the next day has its own"


async def test_what_was_read_is_read_again_before_a_report_is_made_and_else_each_five_minutes() -> None:
    desk = Desk()
    desk.now_ms = AT_MS - 2 * MINUTE_MS
    notifier = desk.notifier()
    assert [await notifier.take(), await notifier.take(), desk.reads] == [[], [], 1]
    taken = (override("ana", "2026-11-23T09:00", "2026-11-23T12:00"),)
    desk.calendar = calendar_with(desk.calendar, taken)
    desk.now_ms = AT_MS
    assert [await notifier.take(), desk.reads] == [[], 2], "ana took it a minute ago"
    desk.now_ms += CALENDAR_MS
    assert [await notifier.take(), desk.reads] == [[], 3]


async def test_reports_are_made_beside_the_loop_which_sends_pages_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    made_by = []

    def noted(*said: Any) -> list[Notification]:
        made_by.append(threading.current_thread())
        return list(reports(*said))

    monkeypatch.setattr("streams.notifier.handovers.reports", noted)
    assert len(await Desk().notifier().take()) == 2
    assert threading.main_thread() not in made_by != []


def calendar_with(of: Calendar, overrides: Sequence[Any]) -> Calendar:
    return Calendar(of.people, of.specs, of.rotations, tuple(overrides), of.escalations, of.contacts, of.receivers)


async def test_a_report_that_is_not_taken_is_tried_again_and_after_a_crash_it_is_told_once() -> None:
    world = World(now_ms=AT_MS)
    desk = Desk()
    made = await desk.notifier().take()
    process = Process(world, 0)
    for each in made:
        process.lanes.add(each, None, world.now_ms)
    await process.go_on()
    process.answer(0, "sent", taken=True)
    process.answer(0, "again", taken=False)
    await process.go_on()
    assert (world.marks, world.results) == ({made[0].id: Outcome.SENT}, {}), "no incident waits for an answer"
    world.now_ms += MINUTE_MS
    await process.go_on()
    assert [*process.asked.values()] == [made[1]]
    await process.kill(0)
    desk.now_ms = world.now_ms = world.now_ms + MINUTE_MS
    following = Process(world, 1)
    for each in await desk.notifier().take():
        following.lanes.add(each, None, world.now_ms)
    await following.go_on()
    following.answer(0, "sent", taken=True)
    await following.go_on()
    assert ([each.id for each in world.taken], following.asked) == ([each.id for each in made], {})


@pytest.mark.parametrize(("over", "expected"), [({}, ["bo", "chat"]), ({"clock": "log"}, [])])
async def test_the_notifier_puts_reports_into_its_lanes_unless_a_stream_is_played_again(
    over: dict[str, Any], expected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streams.notifier.notifier.HANDOVER_SECONDS", 0.0)
    desk = Desk()
    async with notifier_of(desk, **over) as notifier:
        await notifier._hand_over(asyncio.Event())
        assert [each.notification.receiver.id for each in notifier._lanes.take(AT_MS)] == expected


async def test_a_policy_that_does_not_read_costs_a_report_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.notifier.notifier.HANDOVER_SECONDS", 0.0)
    desk = Desk()

    async def refused() -> Calendar:
        raise PolicyError([])

    async with notifier_of(desk) as notifier:
        monkeypatch.setattr(notifier._handovers, "_read_calendar", refused)
        await notifier._hand_over(asyncio.Event())
        assert len(notifier._lanes.take(AT_MS)) == 0


async def test_records_of_incidents_and_policies_that_make_no_sense_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    async with notifier_of(Desk()) as notifier:
        topics = notifier._settings.topics
        keys = {topics.incidents: b"one", topics.policies: policy_key("acme", "current")}
        read = [SimpleNamespace(topic=topic, partition=0, offset=7, key=key, value=b"{}") for topic, key in keys.items()]
        batch = AsyncMock(return_value=read)
        monkeypatch.setattr(notifier._incident_source, "batch", batch)
        await notifier._read_incidents(asyncio.Event())
        assert b"outwatch_notify_unreadable_total 2.0" in notifier.metrics()


async def test_reading_goes_on_where_only_lines_of_digests_are_unfinished(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.notifier.notifier.UNFINISHED_MAX", 5)
    monkeypatch.setattr("streams.notifier.notifier.READ_MAX", 2)
    async with notifier_of(Desk()) as notifier:
        lanes, batch, said = notifier._lanes, AsyncMock(return_value=[]), AsyncMock()
        monkeypatch.setattr(notifier._intent_source, "batch", batch)
        monkeypatch.setattr(notifier._commands, "surely", said)
        lanes.go_on(0, Progress(0, 0))
        for number in range(5):
            page = notification("webhook", id=uuid(number, 1), incident=uuid(number), processed_at=AT_MS - number)
            intent = lanes.add(page, (0, number), AT_MS)
            assert intent is not None
            lanes.park(intent)
            notifier._delivery.digests.add(intent, AT_MS)
        await notifier._read_intents(asyncio.Event())
        await notifier._read_intents(asyncio.Event())
        assert [call.kwargs["room"] for call in batch.await_args_list] == [False, True]
        assert [call.args[0].payload["notification"] for call in said.await_args_list] == [uuid(4, 1), uuid(3, 1)]
        assert b"outwatch_notify_dropped_total 2.0" in notifier.metrics()
        assert b"outwatch_notify_parked 3.0" in notifier.metrics()


@asynccontextmanager
async def notifier_of(desk: Desk, **over: Any) -> AsyncIterator[Notifier]:
    """One that reads the desk in place of topics, and is connected to nothing."""
    settings = Settings(**over)
    async with Redis.from_url(**redis(settings)) as client:
        notifier = Notifier(settings, client, lambda: desk.now_ms)
        notifier._handovers = desk.notifier()
        try:
            yield notifier
        finally:
            for source in (notifier._intent_source, notifier._incident_source):
                await source.__aexit__(None, None, None)


def test_a_report_that_nobody_took_for_thirty_minutes_is_given_up() -> None:
    (report, _) = told(calendar())
    assert course(report, None, AT_MS, AT_MS + OLD_MS) is Course.SEND
    assert course(report, None, AT_MS, AT_MS + OLD_MS + 1) is Course.EXPIRED


async def test_reports_take_none_of_the_pages_that_a_person_may_get() -> None:
    world = World(now_ms=AT_MS)
    process = Process(world, 0)
    for number in range(PAGES_MAX + 1):
        (report, _) = told(calendar())
        process.lanes.add(report.model_copy(update={"id": uuid(number), "incident": uuid(number)}), None, world.now_ms)
    while True:
        await process.go_on()
        if not process.asked:
            break
        process.answer(0, "sent", taken=True)
    assert len(world.taken) == PAGES_MAX + 1
    assert process.delivery.digests.waiting() == []


def test_whom_a_report_names_must_be_there_and_on_the_rotations_side_or_the_clients() -> None:
    policy = """\
version: 1
receivers: [{id: theirs, type: webhook, url: "https://theirs.example/", partner: acme}]
people: [{id: ana, name: Ana, reach: {mail: [ana@example.com]}}]
partners: [{id: acme, name: Acme}]
rotations:
  - id: ops
    timezone: UTC
    layers: [{starts: 2026-01-05T09:00, rrule: FREQ=DAILY, members: [ana]}]
    report: [{person: zoe}, {receiver: theirs}, {person: ana}]
"""
    assert [(each.field, each.message.split(" (")[0]) for each in lint(policy, "policy.yaml")] == [
        ("rotations[0].report[0].person", "'zoe' is no person of this policy"),
        ("rotations[0].report[1].receiver", "theirs is on the side of acme, not of the client"),
    ]
    (wrong, *_) = lint(policy.replace("{person: zoe}", "{}"), "policy.yaml")
    assert "name one of person, receiver" in wrong.message


def test_a_rotation_without_a_report_is_written_as_ever_and_one_with_it_is_the_same_calendar() -> None:
    assert "report" not in spec(DAILY).model_dump(mode="json", by_alias=True)
    assert calendar_revision([spec(DAILY)]) == calendar_revision([spec(DAILY, report=[])])
