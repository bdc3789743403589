"""Rules of all forms, silences, acknowledgements, hours, maintenance, inhibition, a silent feed and a reload, all in play at once.

What holds of alerts holds then too: a crash leaves no trace, of a fingerprint one alert is open at most, nothing fires without having been
held, every firing ends or is open still, what a reload does not touch stays, and a past that is caught up on pages for what lasts alone.
"""

from functools import cache
from random import Random
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts import fingerprint
from models.commands import ACK, EXPIRE, SILENCE
from models.policy import SharedPart
from models.rule_base import RuleBase
from models.rule_forms import BalanceSpec, CompositeSpec, DriftSpec
from models.rule_silence import SilenceSpec
from tests.conditions import START_MS
from tests.engines import SECOND, TOPICS, Rig, event, partner_part, rule, shared_part
from tests.stories import DAY, HOUR, MINUTE
from tests.unit.test_engine_commands import told

BEGIN_MS = START_MS - 10 * MINUTE
"""A Sunday, 15:00 UTC."""
END_MS = BEGIN_MS + 4 * HOUR
_LEVEL = {"severity": "warning", "for": 40}
_WHEN = {"all": [{"kpi": "asa", "above": 40, "exit": 30}, {"not": {"kpi": "csat", "above": 0.8, "window": "30m"}}]}
LADDER = rule(
    id="wide", window="adaptive", min_samples=4, levels=[_LEVEL | {"enter": 0.8, "exit": 0.83}], scopes=["partner", "partner/queue"]
)
RULES: tuple[RuleBase, ...] = (
    LADDER,
    rule(id="odd", kpi="asa", direction="outside", window="15m", levels=[_LEVEL | {"enter": [8, 40], "exit": [9, 30]}], min_samples=3),
    CompositeSpec.model_validate({"id": "both", "when": _WHEN, "window": "15m", "severity": "critical", "for": 30, "min_samples": 3}),
    BalanceSpec.model_validate({"id": "pace", "type": "balance", "efficiency": "aht", "quality": "csat", "window": "1h", "min_samples": 3}),
    DriftSpec.model_validate({"id": "creep", "type": "drift", "kpi": "asa", "direction": "above", "reference": 15, "min_samples": 2}),
    SilenceSpec.model_validate({"id": "silent", "type": "feed_silence", "severity": "critical", "for": 20}),
)
FOR_MS = {"wide": 40_000, "odd": 40_000, "both": 30_000, "pace": 0, "creep": 0, "silent": 20_000}
SEEDS = st.integers(0, 3)
"""Few, so that a story that comes undisturbed is lived once."""
INHIBIT = ({"source": {"rule": "both"}, "target": {"rule": "wide"}},)


def shared(*rules: RuleBase) -> SharedPart:
    return shared_part(*(rules or RULES), inhibit=INHIBIT, timezone="UTC")


def day_before(rig: Rig) -> None:
    """Contacts at the same hours of the day before, by which a silence is told."""
    rig.policy(shared(), partner_part(hours={"sun": "15:40-24:00"}, maintenance={"sun": "16:20-16:30"}), at_ms=BEGIN_MS - DAY)
    for at_ms in range(BEGIN_MS - DAY - HOUR, END_MS - DAY + HOUR, 15 * MINUTE):
        rig.send(
            *(event("contact.answered", at_ms + number * MINUTE, f"d{at_ms}-{number}") for number in range(15)), at_ms=at_ms + 15 * MINUTE
        )
    rig.to(BEGIN_MS)


def command(rig: Rig, random: Random, number: int, at_ms: int) -> None:
    """A silence, its end, or an acknowledgement."""
    match random.randrange(12):
        case 0:
            matchers = random.choice(({"rule": "both"}, {"partner": "*"}, {"severity": "warning"}))
            until = at_ms + random.randint(1, 30) * MINUTE
            told(rig, SILENCE, at_ms, f"s{number}", matchers=matchers, until=until, comment="x")
        case 1:
            told(rig, EXPIRE, at_ms, f"e{number}", silence=f"s{number - random.randint(1, 20)}")
        case 2:
            name = fingerprint(random.choice(("wide", "odd", "both", "pace", "creep")), "acme", "all")
            told(rig, ACK, at_ms, f"a{number}", fingerprint=name)


def lived(seed: int, *, crashes: Random | None = None, reloads: tuple[SharedPart, ...] = (), behind: bool = False) -> Rig:
    """Hours of which some are worse, with a quiet half hour; read as it comes, or, `behind`, all of it at the end.

    The first of `reloads` is applied somewhere in the middle, and further ones in turn every five minutes from then on.
    """
    random, rig = Random(seed), Rig()
    day_before(rig)
    at_ms, number = BEGIN_MS, 0
    worse = range(BEGIN_MS + random.randint(60, 80) * MINUTE, BEGIN_MS + random.randint(130, 150) * MINUTE)
    silent_ms, reload_ms = BEGIN_MS + 170 * MINUTE, BEGIN_MS + random.randint(60, 200) * MINUTE
    while at_ms < END_MS:
        at_ms += random.randint(1, 150) * SECOND
        if silent_ms <= at_ms < silent_ms + 30 * MINUTE:
            at_ms = silent_ms + 30 * MINUTE
        number, bad = number + 1, at_ms in worse
        wait, talk, score = (random.choice((60.0, 90.0)), 200.0, 2) if bad else (random.choice((5.0, 12.0, 25.0)), 400.0, 5)
        where = {"queue": random.choice(("billing", "sales"))}
        rig.send(
            event("contact.answered", at_ms, f"a{number}", wait_seconds=wait, **where),
            event("contact.completed", at_ms, f"c{number}", talk_seconds=talk + random.randint(0, 60), **where),
            event("survey.response", at_ms, f"s{number}", survey="csat", score=score, **where),
            at_ms=at_ms,
        )
        command(rig, random, number, at_ms)
        if reloads and at_ms >= reload_ms:
            rig.policy(reloads[0], at_ms=at_ms)
            reloads, reload_ms = (*reloads[1:], reloads[0]) if len(reloads) > 1 else (), at_ms + 5 * MINUTE
        if behind:
            continue
        if crashes is not None and crashes.random() < 0.15:
            for topic in TOPICS.subscribed:
                rig.poll(topic)
            rig.idle(at_ms)
            rig.commit(lands=False)
        rig.to(at_ms)
    rig.to(END_MS + HOUR)
    return rig


@cache
def undisturbed(seed: int) -> Rig:
    """The story as it comes; to be looked at only."""
    return lived(seed)


def events(rig: Rig, *but: str) -> list[dict[str, Any]]:
    named = ("id", "severity", "suppressed_by", "evaluated_at", "transition")
    return [{name: each[name] for name in named} for each in rig.bodies(TOPICS.alerts) if each["rule"]["id"] not in but]


@settings(max_examples=2, deadline=None)
@given(SEEDS, st.integers(0, 2**32))
def test_a_crash_anywhere_loses_and_doubles_nothing(seed: int, crashes: int) -> None:
    expected, found = undisturbed(seed), lived(seed, crashes=Random(crashes))
    assert events(found) == events(expected)
    assert found.letters() == expected.letters() == []
    left, had = found.snapshot(), expected.snapshot()
    del left["sequence"], had["sequence"]
    assert left == had
    assert found.rebuilt().snapshot() == found.snapshot()


@settings(max_examples=2, deadline=None)
@given(SEEDS)
def test_one_alert_a_fingerprint_is_open_held_for_its_time_and_ended_or_open_still(seed: int) -> None:
    rig, held = undisturbed(seed), dict[str, dict[str, Any]]()
    for each in rig.bodies(TOPICS.alerts):
        kind, of = each["transition"]["kind"], each["fingerprint"]
        if kind == "fired":
            assert of not in held, "two alerts of one fingerprint are open"
            assert each["fired_at"] - each["started_at"] >= FOR_MS[each["rule"]["id"]]
            held[of] = each
        elif kind in {"resolved", "retired"} and each["fired_at"] is not None:
            assert held.pop(of)["episode"] == each["episode"], "what ends is what fired"
            assert each["suppressed_by"] == []
        elif kind not in {"pending", "cleared"}:
            assert of in held, f"{kind} of what did not fire"
    states = {
        key: body for key, body in rig.compacted(TOPICS.alerts_state).items() if body and body.get("state") in {"firing", "recovering"}
    }
    assert {of: each["episode"] for of, each in held.items()} == {of: body["episode"] for of, body in states.items()}


@settings(max_examples=2, deadline=None)
@given(SEEDS, st.integers(0, len(RULES) - 2))
def test_a_reload_changes_nothing_of_the_rules_that_it_does_not_touch(seed: int, at: int) -> None:
    changed = tuple(each.model_copy(update={"min_samples": 9}) if number == at else each for number, each in enumerate(RULES))
    # A rule that another inhibits is touched by it too.
    touched = {RULES[at].id, "wide"}
    assert events(lived(seed, reloads=(shared(*changed),)), *touched) == events(undisturbed(seed), *touched)
    described = tuple(each.model_copy(update={"owner": "somebody", "suggested_action": "call"}) for each in RULES)
    assert events(lived(seed, reloads=(shared(*described), shared()))) == events(undisturbed(seed))


@settings(max_examples=2, deadline=None)
@given(SEEDS)
def test_a_past_that_is_caught_up_on_is_recorded_as_it_was_and_pages_for_what_lasts_alone(seed: int) -> None:
    rig, live = lived(seed, behind=True), undisturbed(seed)

    def changes(of: Rig) -> list[tuple[str, str, int]]:
        bodies = [each for each in of.bodies(TOPICS.alerts) if each["transition"]["kind"] != "suppression_ended"]
        return [(each["fingerprint"], each["transition"]["kind"], each["evaluated_at"]) for each in bodies]

    assert sorted(changes(rig)) == sorted(changes(live))
    pages: dict[str, int] = {}
    for each in rig.bodies(TOPICS.alerts):
        kind = each["transition"]["kind"]
        if kind in {"fired", "escalated"} and each["evaluated_at"] < END_MS:
            assert "late" in each["suppressed_by"], each
        if kind == "suppression_ended":
            pages[each["fingerprint"]] = pages.get(each["fingerprint"], 0) + 1
    lasting = {
        key: body["suppressed_by"] for key, body in rig.compacted(TOPICS.alerts_state).items() if body and body.get("state") == "firing"
    }
    assert lasting, "something must last for this to say anything"
    # What other reasons hold back when the past is over pages once these are.
    assert {of for of, why in lasting.items() if not why} <= pages.keys() <= lasting.keys()
    assert set(pages.values()) == {1}


def test_every_form_and_every_reason_has_something_to_say_there() -> None:
    rigs = [undisturbed(seed) for seed in range(4)]
    bodies = [each for rig in rigs for each in rig.bodies(TOPICS.alerts)]
    assert {each["rule"]["id"] for each in bodies if each["transition"]["kind"] == "fired"} == {each.id for each in RULES}
    records = [each.value for rig in rigs for each in rig.written if each.topic == TOPICS.alerts_state and each.value is not None]
    reasons = {reason for each in records for reason in orjson.loads(each).get("suppressed_by", ())}
    assert reasons >= {"silenced", "maintenance", "inhibited", "out_of_hours", "feed_silent"}


@pytest.mark.parametrize("rule_id", [each.id for each in RULES])
def test_a_rule_of_any_form_that_goes_retires_its_alert_at_once_and_nothing_else(rule_id: str) -> None:
    kept = tuple(each for each in RULES if each.id != rule_id)
    without = shared_part(*kept, inhibit=INHIBIT if {"both", "wide"} <= {each.id for each in kept} else ())
    rig = Rig()
    day_before(rig)
    for number in range(150):
        at_ms, bad = BEGIN_MS + number * MINUTE, number >= 75
        if rule_id == "silent" and number > 100:
            break
        wait, talk, score = (90.0, 200.0, 1) if bad else (12.0, 400.0, 5)
        rig.send(
            event("contact.answered", at_ms, f"a{number}", wait_seconds=wait + number % 3),
            event("contact.completed", at_ms, f"c{number}", talk_seconds=talk + number % 9),
            event("survey.response", at_ms, f"s{number}", survey="csat", score=score),
            at_ms=at_ms,
        )
        rig.to(at_ms)
    at_ms = BEGIN_MS + 149 * MINUTE
    rig.to(at_ms)
    states = {body["rule"]["id"]: body["state"] for body in rig.compacted(TOPICS.alerts_state).values() if body and "rule" in body}
    assert states[rule_id] in {"firing", "recovering"}
    before = len(rig.bodies(TOPICS.alerts))
    rig.policy(without, at_ms=at_ms + SECOND)
    rig.to(at_ms + MINUTE)
    after = [(each["rule"]["id"], each["transition"]["kind"], each["transition"]["to"]) for each in rig.bodies(TOPICS.alerts)[before:]]
    assert [each for each in after if each[0] == rule_id] == [(rule_id, "retired", "resolved")]
    assert not {each for each in after if each[1] in {"retired", "fired", "resolved"} and each[0] != rule_id}
