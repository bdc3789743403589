"""What is usual, and a silence against it, leave no trace of skipped grid points, of commits that never landed, or of restarts."""

from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.policy_spec import RuleSpec
from models.rule_silence import SilenceSpec
from models.windows import GRID_MS
from streams.engine.partner import Partner
from streams.engine.state import State
from tests.engines import SECOND, TOPICS, Rig, event, rule, shared_part
from tests.stories import HOUR, MINUTE
from tests.weeks import SETTLED, after

_GAPS = (0, 5 * SECOND, 70 * SECOND, 3 * MINUTE, 8 * MINUTE, 21 * MINUTE, 50 * MINUTE)
_LATE = (0, 0, 0, 0, 30 * SECOND, 4 * MINUTE, 25 * MINUTE, 2 * HOUR, 26 * HOUR)
gaps = st.lists(st.tuples(st.sampled_from(_GAPS), st.sampled_from(_LATE), st.booleans()), min_size=1, max_size=25)


def _rule(name: str, kpi: str, direction: str, enter: float, **changes: Any) -> RuleSpec:
    levels = [{"severity": "warning", "enter": enter, "exit": enter / 2, "for": 60}]
    return rule(id=name, kpi=kpi, direction=direction, levels=levels, window="1h", min_samples=5, **changes)


RULES = (
    SilenceSpec.model_validate({"id": "silent", "type": "feed_silence", "for": "1m"}),
    _rule("drop", "offered", "below", -0.4, compare="baseline"),
    _rule("worse", "service_level", "below", -2, compare="baseline", unit="mads", scopes=["partner", "partner/queue"]),
)


def play(story: list[tuple[int, int, bool]], weeks: int, random: Random | None) -> Rig:
    """A day that begins at 08:30 after some weeks; with `random` its worker dies now and then, before or after a commit."""
    rig, begin_ms = after(weeks, shared_part(*RULES))
    at_ms = begin_ms + 8 * HOUR + 30 * MINUTE
    rig.to(at_ms)
    for number, (gap_ms, late_ms, well) in enumerate(story):
        at_ms += gap_ms
        rig.idle(at_ms)
        body = event("contact.answered", at_ms - late_ms, f"e{number}", wait_seconds=5.0 if well else 90.0, queue="billing")
        rig.send(body, at_ms=at_ms)
        rig.poll()
        if random is not None and random.random() < 0.3:
            rig.commit(lands=random.random() < 0.5)
            if random.random() < 0.5:
                rig.crash()
            rig.idle(at_ms, *(topic for topic in TOPICS.subscribed if topic != TOPICS.interactions))
            rig.poll()
    rig.to(at_ms + 3 * HOUR + SETTLED)
    return rig


def _always(state: State, partner: Partner) -> None:
    partner.due_ms = None
    for total in partner.totals.windows:
        total.changed = True
    state.want(partner, partner.panes.closed_ms + GRID_MS)


@settings(max_examples=8, deadline=None)
@given(gaps, st.sampled_from((1, 4)))
def test_judging_where_something_changed_equals_judging_at_every_grid_point(story: list[tuple[int, int, bool]], weeks: int) -> None:
    expected = play(story, weeks, None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(State, "reschedule", _always)
        found = play(story, weeks, None)
    assert sorted(found.alerts()) == sorted(expected.alerts())


def _decided(rig: Rig) -> list[tuple[str, str, int, str]]:
    """All but how long pages waited for being late, which is of the wall clock."""
    return [each for each in rig.alerts() if each[1] != "suppression_ended"]


@settings(max_examples=8, deadline=None)
@given(gaps, st.sampled_from((1, 4)), st.integers(0, 2**32))
def test_a_crash_leaves_no_trace(story: list[tuple[int, int, bool]], weeks: int, seed: int) -> None:
    expected, found = play(story, weeks, None), play(story, weeks, Random(seed))
    assert _decided(found) == _decided(expected)
    states = [rig.snapshot()["partners"]["acme"] for rig in (found, expected)]
    assert states[0]["profile"] == states[1]["profile"]
    assert states[0]["row"][-1] == states[1]["row"][-1]
