"""Overrides of rotations: asked for by commands, kept by every partition, told by one until two weeks after they are over."""

from dataclasses import replace
from typing import Any

import orjson

from models.notices import OverrideState
from models.oncall_commands import CANCEL, OVERRIDE
from models.operation import CommandOutcome
from models.windows import DAY_MS, HOUR_MS
from tests.conditions import START_MS
from tests.engines import CONFIG, TOPICS, Rig, limited

LATER_MS = START_MS + HOUR_MS


def told(rig: Rig, kind: str, at_ms: int, identity: str, **payload: Any) -> None:
    body = {"id": identity, "type": kind, "actor": "ana", "at": at_ms, "partner": "*", "payload": payload}
    rig.append(TOPICS.commands, at_ms, b"*", orjson.dumps(body))
    rig.to(at_ms)


def take(rig: Rig, identity: str, from_ms: int = LATER_MS, to_ms: int = LATER_MS + HOUR_MS, at_ms: int = START_MS) -> None:
    told(rig, OVERRIDE, at_ms, identity, rotation="ops", person="bo", **{"from": from_ms, "to": to_ms})


def reasons(rig: Rig) -> list[tuple[str, str]]:
    found = [each for each in rig.written if ("ce_type", b"outwatch.command.outcome") in each.headers]
    return [(body.outcome, body.reason) for body in (CommandOutcome.model_validate_json(each.value or b"") for each in found)]


def present(rig: Rig, identity: str = "o1") -> OverrideState | None:
    body = rig.compacted(TOPICS.alerts_state).get(f"override/{identity}")
    return None if body is None else OverrideState.model_validate(body)


def test_an_override_stands_among_the_states_until_two_weeks_after_its_end() -> None:
    rig = Rig()
    take(rig, "o1")
    assert reasons(rig) == [("applied", "bo takes ops")]
    state = present(rig)
    assert state is not None
    assert (state.rotation, state.person, state.actor, state.from_, state.to) == ("ops", "bo", "ana", LATER_MS, LATER_MS + HOUR_MS)
    rig.crash()
    assert rig.snapshot()["overrides"] == {"o1": state}
    rig.to(LATER_MS + 14 * DAY_MS)
    assert present(rig) == state
    rig.to(LATER_MS + 14 * DAY_MS + 3 * HOUR_MS)
    assert present(rig) is None
    assert not [key for key in rig.changelog if key.startswith(b'["override"')]


def test_nobody_was_on_call_before_that_was_asked_for() -> None:
    rig = Rig()
    take(rig, "o1", START_MS - HOUR_MS, LATER_MS, START_MS + 1)
    state = present(rig)
    assert state is not None
    assert (state.from_, state.to) == (START_MS + 1, LATER_MS)


def test_one_that_is_cancelled_ends_then_and_one_that_did_not_begin_is_gone() -> None:
    rig = Rig()
    take(rig, "o1")
    take(rig, "o2")
    told(rig, CANCEL, LATER_MS + 1, "c1", override="o1")
    rig.crash()
    state = present(rig)
    assert state is not None
    assert state.to == LATER_MS + 1
    take(rig, "o3", LATER_MS + 2 * HOUR_MS, LATER_MS + 3 * HOUR_MS, LATER_MS + 2)
    told(rig, CANCEL, LATER_MS + 3, "c3", override="o3")
    assert present(rig, "o3") is None
    assert sorted(rig.rebuilt().snapshot()["overrides"]) == ["o1", "o2"]
    told(rig, CANCEL, LATER_MS + 4, "again", override="o1")
    told(rig, CANCEL, LATER_MS + 4, "unknown", override="o9")
    assert reasons(rig)[-2:] == [("refused", f"no override {each} holds, or will, in partition 0") for each in ("o1", "o9")]


def test_what_is_over_or_too_far_or_too_much_is_refused() -> None:
    rig = Rig(limited(overrides=1))
    take(rig, "past", START_MS - 2, START_MS)
    take(rig, "far", LATER_MS, LATER_MS + 400 * DAY_MS)
    take(rig, "empty", LATER_MS, LATER_MS)
    take(rig, "one")
    take(rig, "two")
    assert [outcome for outcome, _ in reasons(rig)] == ["refused", "refused", "refused", "applied", "refused"]
    assert rig.letters() == [("invalid", 2)]


def test_every_partition_keeps_it_and_one_tells_it() -> None:
    rigs = [Rig(replace(CONFIG, partitions=3), partition) for partition in range(3)]
    for rig in rigs:
        take(rig, "o1")
        assert rig.rebuilt().snapshot()["overrides"] == rig.snapshot()["overrides"] != {}
    assert len([rig for rig in rigs if present(rig)]) == 1
