"""Silence and sources: a partner is looked at only when something falls due, and comes to what it would if it always were."""

from typing import Any

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from models.rule_silence import SilenceSpec
from tests.engines import SECOND, TOPICS, Rig, event, partner_part, shared_part
from tests.stories import HOUR, MINUTE
from tests.weeks import SETTLED, after, contacts, live, office

BEAT = 30 * SECOND
RULES = shared_part(
    SilenceSpec.model_validate({"id": "silent", "type": "feed_silence"}),
    SilenceSpec.model_validate({"id": "slow", "type": "feed_silence", "for": "7m", "recover_for": "2m"}),
)
SPELL = st.tuples(st.integers(0, 180), st.integers(1, 90))
"""From which minute on, and for how many of them."""
STORY = st.fixed_dictionaries(
    {
        "eu": st.lists(SPELL, max_size=4),
        "us": st.lists(SPELL, max_size=2),
        "contacts": st.lists(st.integers(0, 180), max_size=6),
        "named": st.sampled_from([None, "eu", "us"]),
        "steps": st.lists(st.integers(1, 60), min_size=1, max_size=8),
    }
)


def at_work(named: str | None) -> tuple[Rig, int]:
    """A partner at 13:00 of a working day, of whom contacts are usual for ten hours more."""
    rig, at_ms = after(4, RULES)
    rig.policy(partner_part(source=named), at_ms=at_ms + MINUTE)
    live(rig, at_ms, 9, lambda hour_ms: contacts(hour_ms, 30) if office(hour_ms) else [])
    return rig, at_ms + 9 * HOUR + SETTLED


def told(story: dict[str, Any], *, always: bool, crashes: bool) -> list[tuple[str, str, int]]:
    """Every change of an alert, in time: looked for at each grid point, or when the engine thinks that something is due."""
    rig, begin_ms = at_work(story["named"])
    alive: list[tuple[int, dict[str, Any]]] = [
        (begin_ms + at_ms, {"type": "source.alive", "source": name}) for name in ("eu", "us") for at_ms in beats(story[name])
    ]
    heard = [begin_ms + minute * MINUTE for minute in sorted(set(story["contacts"]))]
    sent = alive + [(at_ms, event("contact.answered", at_ms, f"c{at_ms}")) for at_ms in heard]
    for at_ms, body in sorted(sent, key=lambda each: each[0]):
        rig.send(body, at_ms=at_ms, key=b"acme" if "partner_id" in body else None)
    partner, end_ms = rig.engine._state.partners["acme"], begin_ms + 4 * HOUR
    rig.poll()
    steps = range(0, 4 * HOUR, 10 * SECOND) if always else [sum(story["steps"][: at + 1]) * MINUTE for at in range(len(story["steps"]))]
    for step in [*(each for each in steps if begin_ms + each < end_ms), 4 * HOUR]:
        if always:
            rig.engine._state.want(partner, partner.panes.closed_ms + 10 * SECOND)
        rig.idle(begin_ms + step)
        if crashes:
            rig.commit()
            rig.crash()
    rig.commit()
    bodies = [each for each in rig.bodies(TOPICS.alerts) if each["transition"]["kind"] != "suppression_ended"]
    return [(each["rule"]["id"], each["transition"]["kind"], each["evaluated_at"]) for each in bodies]


def beats(spells: list[tuple[int, int]]) -> list[int]:
    """When a source speaks, in ms from the beginning on."""
    return sorted({at_ms for begin, minutes in spells for at_ms in range(begin * MINUTE, (begin + minutes) * MINUTE, BEAT)})


# One takes a second, so that none is made smaller.
@settings(max_examples=10, deadline=None, phases=(Phase.generate,))
@given(STORY)
def test_what_is_left_out_changes_nothing_nor_does_a_crash(story: dict[str, Any]) -> None:
    expected = told(story, always=True, crashes=False)
    assert told(story, always=False, crashes=False) == expected
    assert told(story, always=False, crashes=True) == expected
