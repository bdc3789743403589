"""At a handover: what fired in the shift, who took it, what is open, and what resolved unseen."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from models.escalation import EscalationSpec
from models.handover import concerns, shift_report
from models.incidents import IncidentState
from models.oncall import OnCall, Segment
from models.people import Contacts, ContactSpec
from models.shift_report import ShiftPart, ShiftReport
from models.windows import DAY_MS, HOUR_MS
from streams.cli.oncall_report import _print
from streams.oncall.calendar import Calendar
from tests.notifiers import state
from tests.pages import notification
from tests.rotations import layer, ms, override, rotation

BEGIN_MS = ms("2026-11-16T09:00")
END_MS = ms("2026-11-23T09:00")
SHIFT = Segment(BEGIN_MS, END_MS, OnCall(("ana",), 0))
P = ShiftPart


def incident(identity: str = "i", opened: int = BEGIN_MS + HOUR_MS, ended: int | None = None, **over: Any) -> IncidentState:
    return state(notification(), id=identity, opened_at=opened, ended_at=ended, **over)


def acknowledged(by: str, at: int, what: str = "acknowledged") -> dict[str, Any]:
    return {"at": at, "what": what, "by": by, "text": ""}


def report(*incidents: IncidentState, as_of: int = END_MS) -> ShiftReport:
    return shift_report("ops", SHIFT, ("bo",), incidents, as_of)


@pytest.mark.parametrize(
    ("opened", "ended", "unseen", "parts"),
    [
        (BEGIN_MS, None, True, (P.FIRED, P.OPEN)),
        (BEGIN_MS, END_MS - 1, True, (P.FIRED, P.RESOLVED, P.UNSEEN)),
        (BEGIN_MS, END_MS - 1, False, (P.FIRED, P.RESOLVED)),
        (BEGIN_MS - 1, BEGIN_MS, True, (P.RESOLVED, P.UNSEEN)),
        (BEGIN_MS - 1, END_MS, False, (P.OPEN,)),
        (BEGIN_MS - 2, BEGIN_MS - 1, True, ()),
        (END_MS, None, True, ()),
    ],
)
def test_an_incident_is_told_by_what_it_was_to_the_shift(
    opened: int, ended: int | None, unseen: bool, parts: tuple[ShiftPart, ...]
) -> None:
    told = report(incident(opened=opened, ended=ended, unseen=unseen))
    assert [each.parts for each in told.incidents] == ([parts] if parts else [])
    assert told.counts == {part: int(part in parts) for part in ShiftPart}


def test_who_took_it_is_who_acknowledged_it_in_this_shift() -> None:
    lines = [
        acknowledged("zoe", BEGIN_MS - 1),
        acknowledged("ana", BEGIN_MS),
        acknowledged("ana", BEGIN_MS, "commented"),
        acknowledged("bo", END_MS - 1),
        acknowledged("cy", END_MS),
    ]
    (told,) = report(incident(opened=BEGIN_MS - HOUR_MS, timeline=lines)).incidents
    assert [(each.by, each.at) for each in told.taken] == [("ana", BEGIN_MS), ("bo", END_MS - 1)]
    assert told.parts == (P.TAKEN, P.OPEN)


def test_what_is_open_comes_first_then_what_nobody_saw_and_of_these_the_worst() -> None:
    told = report(
        incident("seen", ended=END_MS - 1, unseen=False),
        incident("unseen", ended=END_MS - 1),
        incident("late", BEGIN_MS + 2 * HOUR_MS, severity="warning"),
        incident("mild", severity="warning"),
        incident("bad", BEGIN_MS + 3 * HOUR_MS),
    )
    assert [each.id for each in told.incidents] == ["bad", "mild", "late", "unseen", "seen"]


def test_on_a_screen_each_incident_says_since_when_and_who_took_it(capsys: pytest.CaptureFixture[str]) -> None:
    calendar = Calendar({}, {}, {})
    seen = incident("0123456789", timeline=[acknowledged("ana", BEGIN_MS + HOUR_MS)])
    _print(report(seen, incident("unseen", ended=END_MS - HOUR_MS, severity="warning")), calendar, ZoneInfo("Europe/Helsinki"))
    told = capsys.readouterr().out.splitlines()
    assert told[:3] == [
        "ops: ana, then bo",
        "Mon 2026-11-16 11:00 to Mon 2026-11-23 11:00 (Europe/Helsinki)",
        "2 fired, 1 taken, 1 open, 1 resolved, 1 unseen",
    ]
    assert told[4] == "01234567  critical from Mon 2026-11-16 12:00, open, taken by ana"
    assert told[7] == "unseen  warning from Mon 2026-11-16 12:00 to Mon 2026-11-23 10:00, seen by nobody"


def test_a_report_says_whether_incidents_may_be_forgotten_by_then() -> None:
    assert report(as_of=BEGIN_MS + 8 * DAY_MS).complete
    assert not report(as_of=BEGIN_MS + 8 * DAY_MS + 1).complete


def test_an_incident_is_a_rotations_by_its_escalation_by_a_role_or_because_it_was_told() -> None:
    escalations = [
        EscalationSpec.model_validate({"id": name, "steps": [{"tell": [{"receiver": "chat"}]}, {"after": 60, "tell": [target]}], **more})
        for name, target, more in (
            ("direct", {"rotation": "ops"}, {}),
            ("role", {"partner": "duty"}, {}),
            ("last", {"person": "ana"}, {"fallback": [{"rotation": "ops"}]}),
            ("other", {"rotation": "nights"}, {}),
        )
    ]
    contacts: dict[str, Contacts] = {
        partner: {"duty": (ContactSpec(rotation=each),)} for partner, each in (("northwind", "ops"), ("acme", "nights"))
    }
    of = concerns("ops", None, escalations, contacts)
    assert [of(incident(escalation=each)) for each in ("direct", "role", "last", "other", "gone")] == [True, True, True, False, False]
    assert not of(incident(escalation="role", partner="acme"))
    page = notification(target={"kind": "rotation", "id": "ops", "person": "ana"})
    told = {name: getattr(page, name) for name in ("loop", "step", "epoch", "reason", "side")}
    said = {**told, "receiver": page.receiver.model_dump(mode="json"), "target": page.target.model_dump(mode="json")}
    assert of(incident(escalation="gone", told=[{**said, "notification": page.id, "at": BEGIN_MS}]))
    theirs = concerns("ops", "acme", escalations, contacts)
    assert [theirs(incident(escalation="direct", partner=each)) for each in ("acme", "northwind")] == [True, False]


def test_the_shift_before_is_from_handover_to_handover() -> None:
    ops = rotation(layer(["ana", "ana", "bo"]))
    monday = ms("2026-01-19T09:00")
    shift = Segment(ms("2026-01-05T09:00"), monday, OnCall(("ana",), 0))
    assert [ops.shift_before(at) for at in (monday, monday + 6 * DAY_MS)] == [shift, shift]
    assert ops.shift_before(monday - 1) is None
    over = [override("cy", "2026-01-21T00:00", "2026-01-22T00:00")]
    taken = ops.shift_before(ms("2026-01-23T00:00"), over)
    assert taken is not None
    assert (taken.begin_ms, taken.end_ms, taken.on_call.people) == (ms("2026-01-21T00:00"), ms("2026-01-22T00:00"), ("cy",))


def test_a_shift_that_was_followed_by_nobodys_is_reported_until_the_next_is_over() -> None:
    days = rotation(layer(["ana"], "FREQ=DAILY", lasts="8h"))
    for at in ("2026-01-06T17:00", "2026-01-07T08:59", "2026-01-07T12:00"):
        shift = days.shift_before(ms(at))
        assert shift is not None
        assert shift[:2] == (ms("2026-01-06T09:00"), ms("2026-01-06T17:00"))


def test_a_shift_of_months_is_found_too() -> None:
    year = rotation(layer(["ana", "bo"], "FREQ=MONTHLY;INTERVAL=6", "2025-01-01T00:00"))
    shift = year.shift_before(ms("2026-08-15T00:00"))
    assert shift == Segment(ms("2026-01-01T00:00"), ms("2026-07-01T00:00"), OnCall(("ana",), 0))
