"""Suppression over random stories of contacts, silences and acknowledgements: what it is must follow from what was read alone."""

from collections.abc import Callable
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from models.commands import ACK, EXPIRE, SILENCE
from models.policy import PartnerPart, SharedPart
from tests.conditions import START_MS
from tests.engines import SECOND, TOPICS, Rig, event, partner_part, rule, shared_part
from tests.unit.test_engine_commands import LADDER, told

POLICY = (
    shared_part(
        rule(levels=LADDER, window="5m"),
        rule(id="waits", kpi="asa", direction="above", levels=[{"severity": "warning", "enter": 30, "exit": 20, "for": 20}]),
        inhibit=({"source": {"rule": "waits"}, "target": {"rule": "sl", "severity": "warning"}},),
    ),
    # START_MS is a Sunday, 15:10 UTC: it opens and is maintained in the middle of most stories.
    partner_part(hours={"sun": "15:12-15:16, 15:18-24:00"}, maintenance={"sun": "15:14-15:15"}),
)
Policy = tuple[SharedPart | PartnerPart, ...]
Doer = Callable[[Rig, int, str, int], None]
DOINGS = ("lost", "slow", "answered", "silence", "expire", "ack", "nothing", "nothing")
STORIES = st.lists(st.tuples(st.sampled_from(DOINGS), st.integers(1, 70)), min_size=1, max_size=10)


def do(rig: Rig, number: int, doing: str, at_ms: int) -> None:
    match doing:
        case "lost":
            rig.send(*(event("contact.abandoned", at_ms, f"{number}-{each}") for each in range(30)), at_ms=at_ms)
        case "slow" | "answered":
            wait = 90.0 if doing == "slow" else 1.0
            rig.send(*(event("contact.answered", at_ms, f"{number}-{each}", wait_seconds=wait) for each in range(200)), at_ms=at_ms)
        case "silence":
            until = at_ms + (number % 4 + 1) * 100 * SECOND
            matchers = ({"rule": "sl"}, {"partner": "*"}, {"severity": "warning"})[number % 3]
            told(rig, SILENCE, at_ms, f"s{number}", ("acme", "*")[number % 2], matchers=matchers, until=until, comment="x")
        case "expire":
            told(rig, EXPIRE, at_ms, f"e{number}", silence=f"s{number - 1}")
        case "ack":
            found = [each["fingerprint"] for each in rig.bodies(TOPICS.alerts)]
            told(rig, ACK, at_ms, f"a{number}", fingerprint=found[-1] if found else "0" * 32)


def lived(story: list[tuple[str, int]], crashes: list[bool], *, busy: bool = False, policy: Policy = POLICY, doing_of: Doer = do) -> Rig:
    """The story, with a look every ten seconds at most; where it crashes, the last commit never landed.

    A `busy` partner has contacts all the time that no rule looks at, so that every rule is judged at every grid point.
    """
    rig, at_ms = Rig(), START_MS
    rig.policy(*policy, at_ms=at_ms)
    rig.to(at_ms)
    for number, (doing, seconds) in enumerate((*story, ("nothing", 600))):
        rig.to(at_ms)
        doing_of(rig, number, doing, at_ms)
        for _ in range(seconds // 10):
            at_ms += 10 * SECOND
            if busy:
                rig.send(event("contact.queued", at_ms, f"busy{at_ms}"), at_ms=at_ms)
            if crashes and crashes[at_ms // 10_000 % len(crashes)]:
                for topic in TOPICS.subscribed:
                    rig.poll(topic)
                rig.idle(at_ms)
                rig.commit(lands=False)
            rig.to(at_ms)
        at_ms += seconds % 10 * SECOND
    return rig


def events(rig: Rig) -> list[dict[str, Any]]:
    named = ("id", "severity", "suppressed_by", "evaluated_at", "transition")
    return [{name: each[name] for name in named} for each in rig.bodies(TOPICS.alerts)]


@settings(max_examples=15, deadline=None)
@given(STORIES, st.lists(st.booleans(), min_size=1, max_size=7))
def test_a_crash_anywhere_gives_the_same_events_and_the_same_state(story: list[tuple[str, int]], crashes: list[bool]) -> None:
    expected, found = lived(story, []), lived(story, crashes)
    assert events(found) == events(expected)
    left, had = found.snapshot(), expected.snapshot()
    del left["sequence"], had["sequence"]
    assert left == had
    assert found.rebuilt().snapshot() == found.snapshot()


@settings(max_examples=15, deadline=None)
@given(STORIES)
@example([("slow", 1), ("answered", 1)])
def test_every_alert_that_waits_pages_once_its_reasons_are_over_unless_it_ends_and_every_resolve_passes(
    story: list[tuple[str, int]],
) -> None:
    rig, waits = lived(story, []), dict[str, bool]()
    for each in rig.bodies(TOPICS.alerts):
        kind, of = each["transition"]["kind"], each["fingerprint"]
        if kind in {"resolved", "retired", "cleared", "pending"}:
            assert each["suppressed_by"] == []
            waits[of] = False
        elif kind == "suppression_ended":
            assert each["suppressed_by"] == []
            assert each["transition"]["to"] == "firing"
            waits[of] = False
        elif each["suppressed_by"]:
            waits[of] = True
    # The quiet minutes at the end are longer than any reason but an alert that lasts; what recovers pages only if it fires again.
    for of in [of for of, each in waits.items() if each]:
        state = rig.compacted(TOPICS.alerts_state)[of]
        assert state["suppressed_by"] == ["inhibited"] or (state["state"], state["suppressed_by"]) == ("recovering", [])


@settings(max_examples=12, deadline=None)
@given(STORIES)
def test_looking_only_when_something_is_due_equals_looking_at_every_grid_point(story: list[tuple[str, int]]) -> None:
    assert events(lived(story, [], busy=True)) == events(lived(story, []))
