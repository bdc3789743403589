"""The demo's story: when a partner degrades and recovers, and whether its alert came and went."""

from typing import Any

import pytest

from streams.demo.story import DEGRADES_AFTER_SECONDS, PARTNER, RECOVERS_AFTER_SECONDS, Story
from streams.simulate import Script
from streams.simulate.script import ORDINARY

FIRST = 100.0


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
def story(script: Script) -> Story:
    made = Story(script)
    assert made.go_on(FIRST - 20, figures=False) == []
    assert made.go_on(FIRST, figures=True) == []
    return made


def event(number: int, kind: str, partner: str = PARTNER, fingerprint: str = "f") -> dict[str, Any]:
    return {"id": str(number), "partner": partner, "fingerprint": fingerprint, "transition": {"kind": kind}}


def troubled(script: Script) -> bool:
    return script.trouble(PARTNER, 0) != ORDINARY


def test_the_partner_degrades_and_recovers_by_the_first_figures(story: Story, script: Script) -> None:
    story.go_on(FIRST + DEGRADES_AFTER_SECONDS - 0.1, figures=True)
    assert not troubled(script)
    assert "degrades" in story.go_on(FIRST + DEGRADES_AFTER_SECONDS, figures=True)[0]
    assert troubled(script)
    assert story.go_on(FIRST + DEGRADES_AFTER_SECONDS + 1, figures=True) == []
    assert "recovers" in story.go_on(FIRST + RECOVERS_AFTER_SECONDS, figures=True)[0]
    assert not troubled(script)


def test_without_figures_nothing_happens(script: Script) -> None:
    story = Story(script)
    assert story.go_on(1_000.0, figures=False) == []
    assert story.seconds(1_000.0) is None


def test_the_story_is_over_when_the_first_alert_has_resolved(story: Story) -> None:
    story.go_on(FIRST + 10, figures=True)
    story.news([event(1, "fired"), event(2, "fired", fingerprint="later")], FIRST + 25)
    story.go_on(FIRST + 60, figures=True)
    story.news([event(3, "resolved", fingerprint="later")], FIRST + 90)
    assert not story.over
    story.news([event(4, "resolved")], FIRST + 110)
    assert story.over
    assert (story.fired_after, story.resolved_after) == (25.0, 110.0)


def test_an_alert_of_the_past_or_of_another_partner_is_not_the_one(story: Story) -> None:
    story.news([event(1, "fired"), event(2, "resolved")], FIRST + 1)
    story.go_on(FIRST + 60, figures=True)
    story.news([event(3, "fired", "acme"), event(4, "resolved", "acme")], FIRST + 70)
    assert story.fired_after is None
    assert not story.over


def test_each_transition_is_told_once_and_silent_ones_never(story: Story) -> None:
    first = [event(1, "pending"), event(2, "fired")]
    assert story.news(first, FIRST) == [first[1]]
    assert story.news([*first, event(3, "cleared"), event(4, "resolved")], FIRST) == [event(4, "resolved")]
