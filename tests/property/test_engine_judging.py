"""Judging only where something changed is judging everywhere; and the order and the split of what arrives change nothing."""

from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.windows import GRID_MS
from streams.engine.partner import Partner
from streams.engine.state import State
from tests.conditions import START_MS
from tests.engines import SECOND, TOPICS, Rig, partner_part, shared_part
from tests.stories import HOUR, MINUTE, POLICY, QUICK, RULES, SLIGHTLY_LATE, Step, drawn_event, steps, topic_of

stories = steps(jumps=(*QUICK, 6 * MINUTE), lateness=SLIGHTLY_LATE, most=25)


def play(story: list[Step], changes: dict[int, Any]) -> Rig:
    """A rig that read the story record by record; under `changes` stand parts of a policy that are applied before a record."""
    rig, at_ms = Rig(), START_MS
    rig.policy(*POLICY, at_ms=at_ms)
    rig.to(at_ms)
    for number, step in enumerate(story):
        at_ms += step.after_ms
        rig.idle(at_ms)
        if number in changes:
            rig.policy(changes[number], at_ms=at_ms)
        body = drawn_event(step, f"e{number}", at_ms)
        rig.send(body, at_ms=at_ms, topic=topic_of(body))
        rig.to(at_ms)
    rig.to(at_ms + 20 * MINUTE)
    return rig


CHANGES = (
    shared_part(),
    shared_part(*RULES[:2]),
    partner_part("acme", definition={"service_level": {"variant": "answered_only"}}),
    partner_part("acme", definition={"service_level": {"threshold_seconds": 5}}, settle_seconds=20),
    partner_part("bolt"),
)


@settings(max_examples=25, deadline=None)
@given(stories, st.dictionaries(st.integers(0, 24), st.sampled_from(CHANGES), max_size=2))
def test_judging_where_something_changed_equals_judging_at_every_grid_point(story: list[Step], changes: dict[int, Any]) -> None:
    def always(state: State, partner: Partner) -> None:
        partner.due_ms = None
        for total in partner.totals.windows:
            total.changed = True
        state.want(partner, partner.panes.closed_ms + GRID_MS)

    expected = play(story, changes)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(State, "reschedule", always)
        found = play(story, changes)
    assert sorted(found.alerts()) == sorted(expected.alerts())


@settings(max_examples=25, deadline=None)
@given(stories, st.randoms(use_true_random=False))
def test_any_order_within_the_lateness_gives_the_same_figures(story: list[Step], random: Random) -> None:
    """Contacts apart, what is counted does not depend on the order or on the time of arrival."""
    end_ms = START_MS + sum(step.after_ms for step in story) + MINUTE
    found = []
    at_ms, bodies = START_MS, list[dict[str, Any]]()
    for number, step in enumerate(story):
        at_ms += step.after_ms
        bodies.append(drawn_event(step, f"e{number}", at_ms))
    for disturbed in (False, True):
        rig = Rig()
        rig.to(START_MS)
        order = random.sample(bodies, len(bodies)) if disturbed else bodies
        for body in order:
            rig.send(body, at_ms=end_ms, topic=topic_of(body))
            if disturbed and random.random() < 0.3:
                rig.poll(topic_of(body))
        rig.to(end_ms)
        rig.to(end_ms + HOUR)
        rig.now_ms += HOUR
        rig.commit()
        figures = {key: body["measures"] for key, body in rig.figures().items()}
        found.append((figures, {key: body["measures"] for key, body in rig.compacted(TOPICS.rollups_1d).items()}))
    assert found[0] == found[1]


@settings(max_examples=40, deadline=None)
@given(stories, st.lists(st.integers(1, 9), min_size=1))
def test_which_events_are_late_does_not_depend_on_how_the_log_is_cut_into_runs(story: list[Step], cuts: list[int]) -> None:
    found = []
    for split in (False, True):
        rig, at_ms = Rig(), START_MS
        rig.policy(*POLICY, at_ms=START_MS)
        rig.to(START_MS)
        end_ms = START_MS + sum(step.after_ms for step in story)
        rig.idle(end_ms, *(topic for topic in TOPICS.subscribed if topic != TOPICS.interactions))
        for number, step in enumerate(story):
            at_ms += step.after_ms
            rig.send(drawn_event(step, f"e{number}", at_ms), at_ms=at_ms)
            if split and number % cuts[number % len(cuts)] == 0:
                rig.poll()
                rig.commit()
        rig.poll()
        rig.to(end_ms + 16 * SECOND)
        partners = rig.snapshot()["partners"]
        for partner in partners.values():
            if not partner["panes"]:
                # A partner that lies idle is closed when something is heard of it, which may be at once or with the next run.
                del partner["row"], partner["totals"]
        found.append((rig.engine.counters, rig.alerts(), rig.snapshot()["contacts"], partners))
    assert found[0] == found[1]
