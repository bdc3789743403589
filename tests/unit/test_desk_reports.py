"""Reports of shifts, out of what the view holds."""

from typing import Any

import orjson
import pytest

from desk.errors import UnavailableError
from desk.reports import reports
from desk.shapes import Report
from desk.users import Role, User
from desk.view import Look, Read, overrides_in
from models.notices import OverrideState
from models.policy_spec import SharedPart
from models.windows import DAY_MS, HOUR_MS
from tests.desks import ACME_ALERT, ACME_INCIDENT, BOREAL_ALERT, BOREAL_INCIDENT, incident, override
from tests.view_records import AT_MS

VIEWER = User(name="vi", role=Role.VIEWER)
PARTNER = User(name="bia", role=Role.PARTNER, partner="acme")
NOW_MS = AT_MS - AT_MS % DAY_MS + 14 * HOUR_MS


def shared() -> SharedPart:
    """Ana and Bo change at nine; on the side of acme somebody is on call on Mondays alone."""

    def rotation(identity: str, rule: str, members: list[str], **more: Any) -> dict[str, Any]:
        layer = {"starts": "2026-01-05T09:00", "rrule": rule, "members": members} | ({"lasts": "8h"} if "partner" in more else {})
        return {"id": identity, "timezone": "UTC", "layers": [layer], **more}

    people = [{"id": person, "name": person.title()} for person in ("ana", "bo")]
    return SharedPart.model_validate(
        {
            "people": [*people, {"id": "bia", "name": "Bia", "partner": "acme"}],
            "rotations": [
                rotation("ops", "FREQ=DAILY", ["bo", "ana"]),
                rotation("acme_duty", "FREQ=WEEKLY;BYDAY=MO", ["bia"], partner="acme"),
            ],
            "escalations": [{"id": "realtime_ops", "steps": [{"tell": [{"rotation": "ops"}, {"partner": "duty"}]}]}],
        }
    )


def looked(**changes: Any) -> Look:
    told = ((ACME_INCIDENT, "acme", ACME_ALERT), (BOREAL_INCIDENT, "boreal", BOREAL_ALERT))
    bodies = [orjson.loads(incident(*each)[1]) | {"opened_at": NOW_MS - HOUR_MS} | changes for each in told]
    contacts = {"part": {"id": "acme", "name": "Acme", "contacts": {"duty": [{"rotation": "acme_duty"}]}}}
    return Look(incidents={each["id"]: Read(b"", each) for each in bodies}, policies={"acme": Read(b"", contacts)})


def told(user: User = VIEWER, rotation: str | None = None, limit: int = 3, look: Look | None = None, **more: Any) -> list[dict[str, Any]]:
    found = reports(shared(), more.get("overrides", ()), look or looked(), user, (rotation, limit), more.get("now_ms", NOW_MS))
    for each in found:
        Report.model_validate_json(orjson.dumps(each))
    return found


def test_the_present_shift_comes_first_and_is_told_up_to_now() -> None:
    present, before, earlier = told(rotation="ops")
    nine_ms = NOW_MS - 5 * HOUR_MS
    assert (present["from"], present["to"], present["present"]) == (nine_ms, nine_ms + DAY_MS, True)
    assert [each["people"] for each in (present, before, earlier)] == [["Ana"], ["Bo"], ["Ana"]]
    assert present["following"] == ["Bo"]
    assert (present["counts"]["fired"], present["counts"]["open"]) == (2, 2)
    assert (before["from"], before["to"], before["present"], before["incidents"]) == (nine_ms - DAY_MS, nine_ms, False, [])


def test_what_ended_in_a_shift_is_told_of_that_shift() -> None:
    look = looked(opened_at=NOW_MS - DAY_MS, ended_at=NOW_MS - DAY_MS + HOUR_MS, unseen=True)
    present, before, _ = told(rotation="ops", look=look)
    assert present["incidents"] == []
    assert (before["counts"]["resolved"], before["counts"]["unseen"], before["counts"]["open"]) == (2, 2, 0)


def test_only_shifts_of_the_last_8_days_are_told_of_and_so_many_as_are_asked_for() -> None:
    assert len(told(rotation="ops", limit=30)) == 9
    assert all(each["complete"] for each in told(rotation="ops", limit=8))
    assert len(told(rotation="ops", limit=2)) == 2


def test_where_nobody_is_on_call_there_is_no_present_shift() -> None:
    assert {each["present"] for each in told(rotation="acme_duty")} == {False}


def test_a_partner_is_told_of_its_own_rotations_and_incidents_alone() -> None:
    at_ms = next(
        NOW_MS + days * DAY_MS for days in range(7) if (NOW_MS // DAY_MS + days) % 7 == 4
    )  # A Monday: the epoch began on a Thursday.
    (mine, *_) = told(PARTNER, look=looked(opened_at=at_ms - HOUR_MS), now_ms=at_ms)
    assert (mine["rotation"], mine["present"], [each["partner"] for each in mine["incidents"]]) == ("acme_duty", True, ["acme"])
    assert {each["rotation"] for each in told(PARTNER)} <= {"acme_duty"}
    assert told(PARTNER, rotation="ops") == []


def test_who_took_a_shift_has_one_of_their_own() -> None:
    taken = OverrideState.model_validate(
        {
            "id": "o1",
            "partner": "*",
            "actor": "bo",
            "at": NOW_MS - 2 * HOUR_MS,
            "from": NOW_MS - HOUR_MS,
            "to": NOW_MS + HOUR_MS,
            "rotation": "ops",
            "person": "bo",
        }
    )
    present, before, _ = told(rotation="ops", overrides=(taken,))
    assert (present["people"], present["from"], present["to"]) == (["Bo"], NOW_MS - HOUR_MS, NOW_MS + HOUR_MS)
    assert (before["people"], before["to"]) == (["Ana"], NOW_MS - HOUR_MS)


def test_incidents_of_a_newer_release_are_said_to_be() -> None:
    with pytest.raises(UnavailableError, match="another release"):
        told(look=looked(mood="good"))


def test_of_an_override_of_a_newer_release_is_read_what_this_one_knows() -> None:
    """Who is on call goes on being told, also while workers are newer than the desk."""
    _, value = override("o1", "ops", "bo", NOW_MS, NOW_MS + 1)
    body = orjson.loads(value)
    (read,) = overrides_in(Look(overrides={"o1": Read(b"", body | {"mood": "good"})}))
    assert read == OverrideState.model_validate(body)
