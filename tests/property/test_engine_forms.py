"""Rules of every form over hours in which they have something to say: looking where something changed, and crashing, change nothing."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.rule_forms import BalanceSpec, CompositeSpec, DriftSpec
from models.windows import GRID_MS
from streams.engine.partner import Partner
from streams.engine.state import State
from tests.conditions import START_MS
from tests.engines import SECOND, TOPICS, Rig, event, partner_part, rule, shared_part
from tests.stories import HOUR, MINUTE

_LEVEL = {"severity": "warning", "for": 40}
_WHEN = {
    "any": [
        {"all": [{"kpi": "asa", "above": 40, "exit": 30}, {"kpi": "csat", "below": 0.7, "window": "30m"}]},
        {"not": {"kpi": "aht", "above": 250, "window": "adaptive"}},
    ]
}
RULES = (
    rule(id="wide", window="adaptive", min_samples=6, levels=[_LEVEL | {"enter": 0.8, "exit": 0.83}], scopes=["partner", "partner/queue"]),
    rule(id="odd", kpi="asa", direction="outside", window="15m", levels=[_LEVEL | {"enter": [8, 40], "exit": [9, 30]}], min_samples=3),
    CompositeSpec.model_validate({"id": "both", "when": _WHEN, "window": "15m", "severity": "critical", "for": 30, "min_samples": 3}),
    BalanceSpec.model_validate({"id": "pace", "type": "balance", "efficiency": "aht", "quality": "csat", "window": "1h", "min_samples": 3}),
    DriftSpec.model_validate({"id": "creep", "type": "drift", "kpi": "asa", "direction": "above", "reference": 15, "min_samples": 2}),
)


def play(seed: int, *, crashing: bool = False) -> Rig:
    """Some hours, of which the last are worse in some ways; with a crash now and then."""
    random, crashes, rig = Random(seed), Random(seed), Rig()
    rig.policy(shared_part(*RULES), partner_part(), at_ms=START_MS)
    rig.to(START_MS)
    at_ms, worse_ms, end_ms, number = START_MS, START_MS + random.choice((HOUR, 90 * MINUTE)), START_MS + 3 * HOUR, 0
    pace = random.choice((40, 150))
    while at_ms < end_ms:
        at_ms += random.randint(1, pace) * SECOND
        worse, number = at_ms > worse_ms, number + 1
        late_ms = random.choice((0, 0, 0, 40 * SECOND, 20 * MINUTE))
        where = {"queue": random.choice(("billing", "sales"))}
        wait, talk, score = (random.choice((5.0, 60.0, 90.0)), 200.0, 2) if worse else (random.choice((5.0, 12.0, 25.0)), 400.0, 5)
        talk += random.randint(0, 60)
        told = event("contact.answered", at_ms - late_ms, f"a{number}", wait_seconds=wait, **where)
        rig.send(told, event("contact.completed", at_ms - late_ms, f"c{number}", talk_seconds=talk, **where), at_ms=at_ms)
        rig.send(event("survey.response", at_ms, f"s{number}", survey="csat", score=score, **where), at_ms=at_ms, topic=TOPICS.surveys)
        rig.to(at_ms)
        if crashing and crashes.random() < 0.1:
            rig.crash()
    rig.to(end_ms + 2 * HOUR)
    return rig


def told(rig: Rig) -> list[tuple[str, str, str, int, str]]:
    """Every change but those that tell that a past was caught up on."""
    bodies = [each for each in rig.bodies(TOPICS.alerts) if each["transition"]["kind"] != "suppression_ended"]
    return sorted((each["rule"]["id"], each["scope"], each["transition"]["kind"], each["evaluated_at"], each["id"]) for each in bodies)


@settings(max_examples=2, deadline=None)
@given(st.integers(0, 2**32))
def test_looking_where_something_changed_and_crashing_give_what_looking_everywhere_does(seed: int) -> None:
    def always(state: State, partner: Partner) -> None:
        partner.due_ms = None
        for total in partner.totals.windows:
            total.changed = True
        state.want(partner, partner.panes.closed_ms + GRID_MS)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(State, "reschedule", always)
        expected = told(play(seed))
    assert told(play(seed)) == expected
    assert told(play(seed, crashing=True)) == expected


def test_every_form_has_something_to_say_there() -> None:
    fired = {(rule_id, kind) for rule_id, _, kind, _, _ in told(play(1))}
    assert {rule_id for rule_id, kind in fired if kind == "fired"} == {each.id for each in RULES}
