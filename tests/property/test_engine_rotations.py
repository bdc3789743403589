"""Whom rotations tell over random stories of alerts, shifts taken and given back: it must follow from what was read alone."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from models.incidents import Happening
from models.oncall_commands import CANCEL, OVERRIDE
from models.windows import DAY_MS
from tests.conditions import START_MS
from tests.engines import SECOND, TOPICS, Rig, partner_part, rule, shared_part
from tests.property.test_engine_suppression import do, lived
from tests.rotations import ms
from tests.unit.test_engine_commands import LADDER, told

FIRST_MS = ms("2025-06-01T15:12")
PEOPLE = tuple({"id": each, "name": each, "reach": {"mail": [f"{each}@example.com"]}} for each in ("ana", "bo", "cy"))
# Two minutes after the beginning of every story, 15:12 UTC, the next shift begins.
ROTATION = {
    "id": "ops",
    "timezone": "Asia/Kathmandu",
    "layers": [{"starts": "2025-06-01T20:57", "rrule": "FREQ=DAILY", "members": ["ana", "bo"]}],
}
ESCALATION = {
    "id": "ops",
    "group_wait": 10,
    "steps": [{"tell": [{"rotation": "ops"}]}, {"after": "2m", "tell": [{"rotation": "ops"}]}],
    "loops": 3,
    "loop_after": "1m",
}
POLICY = (
    shared_part(rule(levels=LADDER, window="5m", escalation="ops"), people=PEOPLE, rotations=[ROTATION], escalations=[ESCALATION]),
    partner_part(),
)
DOINGS = ("lost", "lost", "answered", "take", "take", "cancel", "nothing")
STORIES = st.lists(st.tuples(st.sampled_from(DOINGS), st.integers(1, 150)), min_size=1, max_size=10)


def act(rig: Rig, number: int, doing: str, at_ms: int) -> None:
    match doing:
        case "take":
            from_ms = at_ms + (number % 3 - 1) * 50 * SECOND
            span: dict[str, Any] = {"from": from_ms, "to": at_ms + (number % 4 + 1) * 90 * SECOND}
            told(rig, OVERRIDE, at_ms, f"o{number}", "*", rotation="ops", person=("bo", "cy", "gone")[number % 3], **span)
        case "cancel":
            told(rig, CANCEL, at_ms, f"c{number}", "*", override=f"o{number - 1}")
        case _:
            do(rig, number, doing, at_ms)


def pages(rig: Rig) -> list[tuple[str, str, str, str | None]]:
    return [(each["id"], each["kind"], each["receiver"]["id"], each["target"]["person"]) for each in rig.bodies(TOPICS.notifications)]


@settings(max_examples=10, deadline=None)
@given(STORIES, st.lists(st.booleans(), min_size=1, max_size=7))
def test_a_crash_anywhere_tells_the_same_people_and_keeps_the_same_overrides(story: list[tuple[str, int]], crashes: list[bool]) -> None:
    expected, found = (lived(story, each, policy=POLICY, doing_of=act) for each in ([], crashes))
    assert pages(found) == pages(expected)
    assert found.rebuilt().snapshot()["overrides"] == expected.snapshot()["overrides"]


def on_call(story: list[tuple[str, int]], at_ms: int) -> str:
    """Who is, by the story alone: whoever took the shift last and did not give it back, else whose day it is."""
    now, taken = START_MS, dict[int, tuple[int, int, str]]()
    for number, (doing, seconds) in enumerate(story):
        if doing == "take":
            begins = max(now, now + (number % 3 - 1) * 50 * SECOND)
            taken[number] = begins, now + (number % 4 + 1) * 90 * SECOND, ("bo", "cy", "gone")[number % 3]
        if doing == "cancel" and number - 1 in taken:
            begins, ends, person = taken[number - 1]
            taken[number - 1] = begins, min(ends, now), person
        now += seconds * SECOND
    held = [person for begins, ends, person in taken.values() if begins <= at_ms < ends and person != "gone"]
    return held[-1] if held else "ana" if (at_ms - FIRST_MS) // DAY_MS % 2 == 0 else "bo"


@settings(max_examples=15, deadline=None)
@given(STORIES)
def test_whom_a_step_tells_is_on_call_when_it_is_due(story: list[tuple[str, int]]) -> None:
    story = [("lost", 90), *story]
    rig = lived(story, [], policy=POLICY, doing_of=act)
    lines = [line for each in rig.compacted(TOPICS.incidents).values() if each is not None for line in each["timeline"]]
    told_of = [each for each in lines if each["what"] == Happening.TOLD]
    assert told_of, "every story begins with an alert that lasts longer than its group is waited for"
    for line in told_of:
        assert f"rotation ops ({on_call(story, line['at'])})" in line["text"]
