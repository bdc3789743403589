"""Sources that say that they live: a connector that stops is never taken for a partner that does, whoever reads it and how far ahead."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.rule_base import RuleBase
from models.rule_silence import SilenceSpec
from models.sources import SILENT_AFTER_MS, Voice
from streams.engine.sources import Heard, Sources
from tests.engines import SECOND, TOPICS, Rig, limited, partner_part, rule, shared_part
from tests.stories import DAY, HOUR, MINUTE
from tests.unit.test_engine_silence import SILENT, spoken, told
from tests.weeks import SETTLED, after, contacts, live, office

BEAT = 30 * SECOND
LIMIT = 19 * MINUTE
"""9.21 contacts at 29.5 an hour take 18 min 44 s, from the end of the 10 s of the last contact on."""
AFTER_BACK = 20 * MINUTE + 20 * SECOND
"""As long from when the source lives again, and 90 s."""


def beats(rig: Rig, from_ms: int, to_ms: int, source: str | None = None) -> None:
    """A source says every 30 s that it lives, and everything is read up to then."""
    body = {"type": "source.alive"} | ({} if source is None else {"source": source})
    for at_ms in range(from_ms, to_ms, BEAT):
        rig.send(body, at_ms=at_ms, key=None)
    rig.to(to_ms)


def on_air(*parts: RuleBase) -> tuple[Rig, int]:
    """A partner at work whose last contact was just heard, and when."""
    rig, at_ms = after(4, shared_part(SILENT, *parts))
    live(rig, at_ms, 10, lambda hour_ms: contacts(hour_ms, 30) if office(hour_ms) else [])
    last_ms = at_ms + 10 * HOUR
    spoken(rig, last_ms)
    return rig, last_ms


def test_while_the_source_lives_the_silence_is_the_partner_s_and_is_told_90_s_later() -> None:
    rig, last_ms = on_air()
    beats(rig, last_ms, last_ms + 30 * MINUTE)
    assert told(rig) == [("fired", last_ms + LIMIT + SILENT_AFTER_MS)]
    assert rig.bodies(TOPICS.alerts)[0]["explanation"] == "Acme: feed silent, no contact for 20 min, usually one in 19 min"


def test_a_source_that_stops_with_its_partners_is_none_of_their_silence_until_it_lives_again() -> None:
    rig, last_ms = on_air()
    beats(rig, last_ms, last_ms + 2 * MINUTE)
    back_ms = last_ms + 40 * MINUTE
    rig.to(back_ms)
    assert told(rig) == []
    beats(rig, back_ms, back_ms + HOUR)
    assert told(rig) == [("fired", back_ms + AFTER_BACK)], "what passed while it stood still does not count"
    assert rig.engine.counters["source_gaps"] == 1


def test_a_source_that_stops_for_good_keeps_the_silence_of_its_partners_and_their_pages_to_itself() -> None:
    levels = [{"severity": "warning", "enter": -0.2, "exit": -0.1, "for": 0}]
    drop = rule(id="drop", kpi="offered", window="1h", compare="baseline", levels=levels)
    rig, last_ms = on_air(drop)
    beats(rig, last_ms, last_ms + MINUTE)
    rig.to(last_ms + HOUR)
    fired = [each for each in rig.bodies(TOPICS.alerts) if each["transition"]["kind"] == "fired"]
    assert [each["rule"]["id"] for each in fired] == ["drop"]
    assert "feed_silent" not in fired[0]["suppressed_by"]
    assert rig.bodies(TOPICS.heartbeats)[-1]["sources"] == {"": False}
    assert [(sign.name, sign.lives) for sign in rig.engine.sources()] == [("", False)]


def test_a_silence_that_was_the_partner_s_stays_what_it_is_when_the_source_stops_too() -> None:
    rig, last_ms = on_air()
    beats(rig, last_ms, last_ms + 25 * MINUTE)
    rig.to(last_ms + 2 * HOUR)
    assert [kind for kind, _ in told(rig)] == ["fired"]
    spoken(rig, last_ms + 3 * HOUR)
    rig.to(last_ms + 3 * HOUR + MINUTE)
    assert [kind for kind, _ in told(rig)] == ["fired", "resolved"]


def test_time_in_which_the_source_is_silent_does_not_accrue_towards_firing() -> None:
    slow = SilenceSpec.model_validate({"id": "slow", "type": "feed_silence", "for": "30m"})
    rig, last_ms = on_air(slow)
    beats(rig, last_ms, last_ms + 25 * MINUTE)
    rig.to(last_ms + 3 * HOUR)
    assert "slow" not in {each["rule"]["id"] for each in rig.bodies(TOPICS.alerts) if each["transition"]["kind"] == "fired"}
    beats(rig, last_ms + 3 * HOUR, last_ms + 4 * HOUR)
    assert "slow" in {each["rule"]["id"] for each in rig.bodies(TOPICS.alerts) if each["transition"]["kind"] == "fired"}


@pytest.mark.parametrize(
    ("named", "whose"), [(None, ["feed or connector silent"]), ("eu", []), ("us", ["feed silent"]), ("asia", ["feed or connector silent"])]
)
def test_of_two_sources_the_policy_says_which_is_the_partner_s_else_it_may_be_either(named: str | None, whose: list[str]) -> None:
    rig, last_ms = on_air()
    rig.policy(partner_part(source=named), at_ms=last_ms)
    beats(rig, last_ms, last_ms + MINUTE, "eu")
    beats(rig, last_ms + MINUTE, last_ms + HOUR, "us")
    said = [each["explanation"] for each in rig.bodies(TOPICS.alerts) if each["transition"]["kind"] == "fired"]
    assert [each.removeprefix("Acme: ").partition(",")[0] for each in said] == whose


def test_a_source_of_another_topic_says_nothing_of_contacts() -> None:
    rig, last_ms = on_air()
    for at_ms in range(last_ms, last_ms + 5 * MINUTE, BEAT):
        rig.send({"type": "source.alive"}, at_ms=at_ms, topic=TOPICS.surveys, key=None)
    rig.to(last_ms + HOUR)
    assert told(rig) == [("fired", last_ms + LIMIT)]
    assert "sources" not in rig.bodies(TOPICS.heartbeats)[-1]
    assert [sign.topic for sign in rig.engine.sources()] == [TOPICS.surveys]


def every_minute(rig: Rig, to_ms: int) -> None:
    for at_ms in range(rig.now_ms, to_ms, MINUTE):
        rig.to(at_ms)
    rig.to(to_ms)


def crashing_every_minute(rig: Rig, to_ms: int) -> None:
    for at_ms in range(rig.now_ms, to_ms, MINUTE):
        rig.to(at_ms)
        rig.crash()
    rig.to(to_ms)


def far_ahead(rig: Rig, to_ms: int) -> None:
    """The topic of contacts is read to its end before anything of the others is."""
    rig.poll()
    rig.to(to_ms)


@pytest.mark.parametrize("read", [every_minute, crashing_every_minute, far_ahead])
def test_whoever_reads_it_and_however_far_ahead_comes_to_the_same_alerts(read: Callable[[Rig, int], None]) -> None:
    rig, last_ms = on_air()
    lives = [(0, 2 * MINUTE), (10 * MINUTE, 13 * MINUTE), (20 * MINUTE, 65 * MINUTE), (2 * HOUR, 3 * HOUR)]
    for begin_ms, end_ms in lives:
        for at_ms in range(last_ms + begin_ms, last_ms + end_ms, BEAT):
            rig.send({"type": "source.alive"}, at_ms=at_ms, key=None)
    read(rig, last_ms + 3 * HOUR)
    assert told(rig) == [("fired", last_ms + 20 * MINUTE + AFTER_BACK)]
    assert rig.rebuilt().snapshot() == rig.snapshot()


SIGNS = st.lists(st.tuples(st.sampled_from(["eu", "us"]), st.integers(1, 40)), max_size=30)


@given(SIGNS, st.integers(0, 40))
def test_what_is_known_at_a_time_does_not_depend_on_what_is_heard_later(signs: list[tuple[str, int]], steps: int) -> None:
    def heard(upto: int) -> Sources:
        sources = Sources("t", 10)
        for name, step in sorted(signs, key=lambda sign: sign[1]):
            if step <= upto:
                sources.hear("t", name, HOUR + step * 20 * SECOND)
        return sources

    at_ms = HOUR + steps * 20 * SECOND
    for named in (None, "eu"):
        assert heard(40).of(named, at_ms) == heard(steps).of(named, at_ms)


@given(SIGNS, st.integers(0, 100))
def test_between_its_turns_nothing_is_known_otherwise(signs: list[tuple[str, int]], steps: int) -> None:
    sources = Sources("t", 10)
    for name, step in sorted(signs, key=lambda sign: sign[1]):
        sources.hear("t", name, HOUR + step * 20 * SECOND)
    at_ms = HOUR + steps * 20 * SECOND
    turns_ms = sources.turns_ms(at_ms)
    until_ms = at_ms + 9 * DAY if turns_ms is None else turns_ms - 1
    assert sources.of(None, at_ms) == sources.of(None, until_ms)


def test_only_the_last_spell_before_a_week_of_silence_turns_when_that_is_over() -> None:
    sources = Sources("t", 10)
    for at_ms in (HOUR, 2 * HOUR, 10 * DAY):
        sources.hear("t", "eu", at_ms)
    turns, at_ms = [], 0
    while (turn := sources.turns_ms(at_ms)) is not None:
        turns.append(turn)
        at_ms = turn
    quiet_ms, week_ms = SILENT_AFTER_MS + 1, 7 * DAY + 1
    first = [HOUR, HOUR + quiet_ms, 2 * HOUR, 2 * HOUR + quiet_ms, 2 * HOUR + week_ms]
    assert turns == [*first, 10 * DAY, 10 * DAY + quiet_ms, 10 * DAY + week_ms]


def test_a_source_that_is_silent_for_a_week_is_no_more() -> None:
    rig, last_ms = on_air()
    beats(rig, last_ms, last_ms + MINUTE)
    last_beat_ms = last_ms + MINUTE - BEAT
    assert rig.engine._state.sources.of(None, last_beat_ms + 7 * DAY) == Heard(Voice.SILENT)
    rig.to(last_beat_ms + 7 * DAY + HOUR + SETTLED)
    assert rig.engine.sources() == []
    assert not [key for key in rig.changelog if b'"source"' in key]


def test_more_sources_than_are_kept_are_counted() -> None:
    rig = Rig(limited(sources=2))
    for number in range(3):
        rig.send({"type": "source.alive", "source": f"s{number}"}, at_ms=HOUR, key=None)
    rig.to(HOUR)
    assert rig.engine.counters["sources_dropped"] == 1
    assert len(rig.engine.sources()) == 2
