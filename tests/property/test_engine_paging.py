"""Incidents in an engine over random stories: whatever crashes, each is there once, and everything that was to be told is, once."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from models.incident_commands import INCIDENT_ABSORB, INCIDENT_ACK, INCIDENT_REASSIGN, INCIDENT_RESOLVE, INCIDENT_SNOOZE
from models.notifications import RESULT
from tests.engines import SECOND, TOPICS, Rig, partner_part, rule, shared_part
from tests.property.test_engine_suppression import DOINGS, do, lived
from tests.unit.test_engine_commands import LADDER, told
from tests.unit.test_engine_incidents import OPS, RECEIVERS

Story = list[tuple[str, int]]

NIGHT: dict[str, Any] = {
    "id": "night",
    "group_wait": 0,
    "steps": [{"tell": [{"receiver": "third"}], "when": {"hours": "partner_closed"}}, {"tell": [{"receiver": "second"}], "after": 60}],
    "loops": 2,
    "loop_after": 120,
    "fallback": [{"receiver": "first"}],
}
POLICY = (
    shared_part(
        rule(levels=LADDER, window="5m", escalation="ops"),
        rule(id="waits", kpi="asa", direction="above", levels=[{"severity": "warning", "enter": 30, "exit": 20, "for": 20}]),
        inhibit=({"source": {"rule": "waits"}, "target": {"rule": "sl", "severity": "warning"}},),
        escalations=(OPS | {"steps": [each | ({"after": 60} if "after" in each else {}) for each in OPS["steps"]]}, NIGHT),
        receivers=RECEIVERS,
        escalation="night",
    ),
    partner_part(hours={"sun": "15:12-15:16, 15:18-24:00"}, maintenance={"sun": "15:14-15:15"}),
)
ASKED: dict[str, tuple[str, dict[str, Any]]] = {
    "acknowledge": (INCIDENT_ACK, {}),
    "acknowledge for": (INCIDENT_ACK, {"until": 70}),
    "snooze": (INCIDENT_SNOOZE, {"until": 90}),
    "close": (INCIDENT_RESOLVE, {}),
    "hand over": (INCIDENT_REASSIGN, {"to": {"receiver": "third"}}),
    "absorb": (INCIDENT_ABSORB, {"into": "0" * 8 + "-0000-0000-0000-" + "0" * 12, "until": 200}),
}
STORIES = st.lists(st.tuples(st.sampled_from((*DOINGS, *ASKED, "reject", "reject")), st.integers(1, 70)), min_size=2, max_size=10)


def doing(rig: Rig, number: int, what: str, at_ms: int) -> None:
    """As in the stories of suppression; and what is asked of the incident that was opened last, or said of its last page."""
    pages, incidents = rig.bodies(TOPICS.notifications), rig.compacted(TOPICS.incidents)
    if what in ASKED and incidents:
        kind, said = ASKED[what]
        payload = said | ({"until": at_ms + said["until"] * SECOND} if "until" in said else {})
        last = max(incidents, key=lambda each: (incidents[each]["opened_at"], each))
        told(rig, kind, at_ms, f"i{number}", incident=last, **payload)
    elif what == "reject" and pages:
        page = pages[-1]
        said = {"notification": page["id"], "incident": page["incident"], "outcome": "rejected", "detail": "410"}
        told(rig, RESULT, at_ms, f"r{number}", **said)
    else:
        do(rig, number, what, at_ms)


def intents(rig: Rig) -> list[dict[str, Any]]:
    """All that is to be sent, but for what is of the wall clock."""
    return [{name: value for name, value in each.items() if name != "processed_at"} for each in rig.bodies(TOPICS.notifications)]


@settings(max_examples=25, deadline=None)
@given(STORIES, st.lists(st.booleans(), min_size=1, max_size=7))
def test_a_crash_anywhere_loses_no_intent_and_writes_none_twice(story: Story, crashes: list[bool]) -> None:
    expected, found = (lived(story, each, policy=POLICY, doing_of=doing) for each in ([], crashes))
    assert intents(found) == intents(expected)
    left, had = found.snapshot(), expected.snapshot()
    del left["sequence"], had["sequence"]
    assert left == had
    assert found.rebuilt().snapshot() == found.snapshot()
    identities = [each["id"] for each in intents(found)]
    assert len(set(identities)) == len(identities)


@settings(max_examples=15, deadline=None)
@given(STORIES)
def test_looking_only_when_something_is_due_tells_the_same_as_looking_at_every_grid_point(story: Story) -> None:
    quiet, busy = (lived(story, [], busy=each, policy=POLICY, doing_of=doing) for each in (False, True))
    assert intents(quiet) == intents(busy)


@settings(max_examples=15, deadline=None)
@given(STORIES)
def test_an_incident_is_open_as_long_as_any_of_its_alerts_unless_somebody_closed_it(story: Story) -> None:
    rig = lived(story, [], policy=POLICY, doing_of=doing)
    firing = {key for key, body in rig.compacted(TOPICS.alerts_state).items() if body and body.get("state") in {"firing", "recovering"}}
    incidents = [each for each in rig.compacted(TOPICS.incidents).values() if each is not None]
    taken = {one["fingerprint"] for each in incidents if each["ended_at"] is None for one in each["members"] if one["ended_at"] is None}
    closed = {one["fingerprint"] for each in incidents if each["resolved_by"] for one in each["members"] if one["ended_at"] is None}
    assert taken <= firing <= taken | closed
    assert all((each["open"] == 0) == (each["ended_at"] is not None) or each["resolved_by"] for each in incidents)


@settings(max_examples=25, deadline=None)
@given(STORIES, st.lists(st.booleans(), min_size=1, max_size=7))
def test_the_alerts_of_an_incident_say_who_looks_after_it_and_of_no_other_does_anybody(story: Story, crashes: list[bool]) -> None:
    rig = lived(story, crashes, policy=POLICY, doing_of=doing)
    alerts = {key: body for key, body in rig.compacted(TOPICS.alerts_state).items() if body is not None}
    for each in rig.compacted(TOPICS.incidents).values():
        if each is not None and each["ended_at"] is None:
            acked = each["attention"] == "acked"
            expected = (each["held"]["by"], each["held"]["until"]) if acked else None
            said = [alerts[one["fingerprint"]]["ack"] for one in each["members"] if one["ended_at"] is None]
            assert [ack and (ack["actor"], ack["until"]) for ack in said] == [expected] * len(said)
