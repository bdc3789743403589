"""What happened to a partner, out of what the view holds of it."""

from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from desk.shapes import Entry
from desk.timeline import page_of, timeline
from desk.users import Role, User
from desk.view import Look, Read
from models.happened import line
from models.incidents import Happening, IncidentEntry, IncidentState
from models.settings import Settings
from tests.desks import ACME_ALERT, ACME_INCIDENT, alert, incident, records
from tests.view_records import AT_MS, alert_event

VIEWER = User(name="vi", role=Role.VIEWER)
PARTNER = User(name="bia", role=Role.PARTNER, partner="acme")
LINES = [
    (Happening.OPENED, None, "service level 40 %"),
    (Happening.TOLD, None, "Ana Silva: opened"),
    (Happening.ACKNOWLEDGED, "ana", "they never answer"),
    (Happening.COMMENTED, "ana", "as always"),
    (Happening.RESOLVED, None, ""),
]


def read(value: Any) -> Read:
    return Read(orjson.dumps(value), value)


def looked(alerts: dict[str, Read] | None = None) -> Look:
    state = IncidentState.model_validate_json(incident(ACME_INCIDENT, "acme", ACME_ALERT)[1])
    lines = tuple(IncidentEntry(at=AT_MS + at, what=what, by=by, text=text) for at, (what, by, text) in enumerate(LINES))
    told = state.model_copy(update={"timeline": lines, "timeline_dropped": 7})
    return Look(incidents={told.id: read(told.model_dump(mode="json"))}, alerts=alerts or {})


def of_kind(notes: dict[str, Read], kind: str) -> dict[str, Read]:
    return {key: each for key, each in notes.items() if key.startswith(kind)}


def said(user: User, look: Look) -> list[tuple[str, str | None, str]]:
    entries = timeline("acme", user, [orjson.loads(line(orjson.loads(alert_event("acme", 1)[1])))], look)
    for each in entries:
        Entry.model_validate(each)
    return [(each["what"], each["by"], each["text"]) for each in entries]


def test_incidents_and_transitions_are_told_the_newest_first() -> None:
    whole = said(VIEWER, looked())
    assert [each[0] for each in whole] == ["resolved", "commented", "acknowledged", "told", "opened", "fired"]
    assert whole[2] == ("acknowledged", "ana", "they never answer")
    ids = [each["id"] for each in timeline("acme", VIEWER, [], looked())]
    assert ids[0] == f"{ACME_INCIDENT}/11", "counted from the first line that there ever was, so that an entry keeps its id"


def test_a_partner_is_told_neither_who_was_told_nor_what_others_said() -> None:
    assert said(PARTNER, looked())[:3] == [("resolved", None, ""), ("acknowledged", "ana", ""), ("opened", None, "service level 40 %")]
    key, value = alert("acme", "d" * 32)
    comments = [{"actor": name, "at": AT_MS, "text": f"of {name}"} for name in ("ana", "bia")]
    body = orjson.loads(value) | {"comments": comments, "ack": {"actor": "ana", "at": AT_MS, "until": None, "comment": "theirs"}}
    stands = looked(alerts={key.decode(): read(body)})
    assert {each for each in said(VIEWER, stands) if each[1]} >= {("commented", "ana", "of ana"), ("acknowledged", "ana", "theirs")}
    told = [each for each in said(PARTNER, stands) if each[0] != "acknowledged" or not each[2]]
    assert ("commented", "bia", "of bia") in told
    assert not {"of ana", "theirs", "they never answer"} & {text for _, _, text in told}


def test_what_stands_of_all_partners_is_told_to_who_sees_all_partners() -> None:
    beside = [each for each in records(Settings()) if b"/" in each.key and each.topic.endswith("alerts.state")]
    notes = {each.key.decode(): read(orjson.loads(each.value or b"")) for each in beside}
    look = Look(silences=of_kind(notes, "silence"), annotations=of_kind(notes, "annotation"))
    whole = {(each["kind"], each["id"], each["text"]) for each in timeline("acme", VIEWER, [], look)}
    assert whole == {
        (kind, f"{letter}-{whose}", text)
        for whose in ("acme", "*")
        for kind, letter, text in (("silence", "s", "known"), ("annotation", "n", "phones"))
    }
    assert [(each["id"], each["text"]) for each in timeline("acme", PARTNER, [], look)] == [("n-acme", "phones"), ("s-acme", "")]


def test_an_acknowledgement_that_an_incident_tells_of_is_told_once() -> None:
    key, value = alert("acme", ACME_ALERT)
    body = orjson.loads(value) | {"ack": {"actor": "ana", "at": AT_MS, "until": None, "comment": None}}
    assert [each[0] for each in said(VIEWER, looked(alerts={key.decode(): read(body)}))].count("acknowledged") == 1


@given(st.lists(st.integers(0, 9), max_size=30), st.integers(1, 5))
def test_pages_after_each_other_tell_everything_once(times: list[int], limit: int) -> None:
    entries: list[dict[str, Any]] = [{"at": at, "id": str(number)} for number, at in enumerate(sorted(times, reverse=True))]
    found, before, more = list[dict[str, Any]](), None, True
    while more:
        page, more = page_of(entries, before, limit)
        found += page
        before = page[-1]["at"] if page else None
    assert found == entries
