"""Commands: each is answered, done once, and holds in stream time from the time of its record on."""

from dataclasses import replace
from typing import Any

import orjson
import pytest

from models.commands import ACK, ANNOTATE, COMMENT, EXPIRE, SILENCE
from models.notices import AnnotationState, SilenceState
from models.operation import CommandOutcome
from models.view import Keys
from models.windows import DAY_MS, GRID_MS, HOUR_MS, MINUTE_MS
from streams.engine.output import Output
from streams.projector.projection import Projection, Record
from streams.projector.totals import Totals
from streams.screen import alert_line
from tests.conditions import START_MS
from tests.engines import CONFIG, SECOND, TOPICS, Rig, event, limited, partner_part, rule, shared_part

WARNING = [{"severity": "warning", "enter": 0.8, "exit": 0.83, "for": 0}]
LADDER = [*WARNING, {"severity": "critical", "enter": 0.3, "exit": 0.35, "for": 60}]


def sent(value: bytes | None) -> Output:
    rig = Rig()
    rig.append(TOPICS.commands, START_MS, b"*", value)
    (outcome,) = [each for each in rig.to(START_MS) if each.topic == TOPICS.alerts]
    assert rig.engine.counters["commands"] == 1
    assert rig.engine.applied == {TOPICS.commands: 1}
    return outcome


def told(rig: Rig, kind: str, at_ms: int, identity: str, partner: str = "acme", /, **payload: Any) -> None:
    """A command arrives at `at_ms`; the rig reads it later."""
    body = {"id": identity, "type": kind, "actor": "ana", "at": at_ms, "partner": partner, "payload": payload}
    rig.append(TOPICS.commands, at_ms, partner.encode(), orjson.dumps(body))


def answers(rig: Rig) -> list[tuple[str, str]]:
    """The id and outcome of every command."""
    found = [each for each in rig.written if ("ce_type", b"outwatch.command.outcome") in each.headers]
    bodies = [CommandOutcome.model_validate_json(each.value or b"") for each in found]
    return [(each.id, each.outcome) for each in bodies]


def firing(levels: list[dict[str, Any]] = WARNING) -> Rig:
    """An alert of acme fired at the grid point after START_MS, on 100 abandoned contacts."""
    rig = Rig()
    rig.policy(shared_part(rule(levels=levels)), partner_part(), at_ms=START_MS)
    lost(rig, START_MS)
    rig.to(START_MS + 16 * SECOND)
    assert rig.kinds()[-1] == "fired"
    return rig


def lost(rig: Rig, at_ms: int) -> None:
    rig.send(*(event("contact.abandoned", at_ms, f"{at_ms}-{number}", wait_seconds=60.0) for number in range(100)), at_ms=at_ms)


def state(rig: Rig) -> dict[str, Any]:
    """The newest state of the one alert."""
    (fingerprint,) = {each["fingerprint"] for each in rig.bodies(TOPICS.alerts)}
    return dict(rig.compacted(TOPICS.alerts_state)[fingerprint])


def test_a_command_is_refused_with_its_id_and_why() -> None:
    command = {"id": "c-7", "type": "dance", "actor": "ana", "at": START_MS, "partner": "acme", "payload": {"minutes": 5}}
    outcome = sent(orjson.dumps(command))
    body = CommandOutcome.model_validate_json(outcome.value or b"")
    assert (body.id, body.command, body.partner, body.outcome) == ("c-7", "dance", "acme", "refused")
    assert outcome.key == b"acme"
    assert dict(outcome.headers)["ce_type"] == b"outwatch.command.outcome"


@pytest.mark.parametrize("value", [None, b"no json", b"{}", b'{"id":"x","type":"y","actor":"z","at":-1,"partner":"p"}'])
def test_what_is_no_command_is_refused_by_its_coordinates(value: bytes | None) -> None:
    body = CommandOutcome.model_validate_json(sent(value).value or b"")
    assert (body.id, body.command, body.partner, body.outcome) == ("0-0", "unreadable", "*", "refused")
    assert body.reason


def test_readers_of_the_alerts_take_an_outcome_for_what_it_is() -> None:
    outcome = sent(b"{}")
    assert "refused" in alert_line(orjson.loads(outcome.value or b"")).plain
    keys = Keys("app")
    shown = Projection(TOPICS, keys, Totals()).project(Record(TOPICS.alerts, 0, outcome.key or b"", outcome.value))
    assert {command[1] for command in shown} == {keys.outcomes}


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        (SILENCE, {"matchers": {}, "until": START_MS + HOUR_MS, "comment": "x"}),
        (SILENCE, {"matchers": {"rule": "a", "queue": "b"}, "until": START_MS + HOUR_MS, "comment": "x"}),
        (SILENCE, {"matchers": {"rule": "a"}, "until": "tomorrow", "comment": "x"}),
        (EXPIRE, {}),
        (ACK, {"fingerprint": "abc"}),
        (ANNOTATE, {"from": START_MS, "to": START_MS, "text": "nothing"}),
    ],
)
def test_a_command_that_does_not_read_goes_to_the_dead_letters_and_is_refused(kind: str, payload: dict[str, Any]) -> None:
    rig = Rig()
    told(rig, kind, START_MS, "c", **payload)
    rig.to(START_MS)
    assert rig.letters() == [("invalid", 0)]
    assert answers(rig) == [("c", "refused")]


def test_a_command_that_comes_twice_is_done_once_and_answered_alike_also_after_a_crash() -> None:
    rig = firing()
    for at in range(2):
        told(rig, COMMENT, START_MS + (20 + at) * SECOND, "c", fingerprint=state(rig)["fingerprint"], comment="looking")
        rig.to(START_MS + (20 + at) * SECOND)
        rig.crash()
    assert [each["text"] for each in state(rig)["comments"]] == ["looking"]
    assert answers(rig) == [("c", "applied")] * 2


def test_outcomes_are_forgotten_after_a_day_and_early_over_the_limit() -> None:
    rig = Rig(limited(commands=2))
    for number in range(3):
        told(rig, ANNOTATE, START_MS, f"a{number}", **{"from": START_MS, "to": START_MS + 1, "text": "x"})
    rig.to(START_MS)
    assert list(rig.snapshot()["done"]) == ["a1", "a2"]
    assert rig.engine.counters["commands_forgotten_early"] == 1
    rig.to(START_MS + DAY_MS + HOUR_MS)
    rig.crash()
    assert rig.snapshot()["done"] == {}


def test_an_acknowledged_alert_says_who_looks_after_it_until_it_gets_worse() -> None:
    rig = firing(LADDER)
    told(rig, ACK, START_MS + 20 * SECOND, "c", fingerprint=state(rig)["fingerprint"], comment="on it")
    rig.to(START_MS + 20 * SECOND)
    rig.crash()
    assert state(rig)["ack"] == {"actor": "ana", "at": START_MS + 20 * SECOND, "until": None, "comment": "on it"}
    rig.to(START_MS + 90 * SECOND)
    assert rig.kinds()[-1] == "escalated"
    assert state(rig)["ack"] is None


def test_an_acknowledgement_ends_at_its_time_although_nothing_else_happens() -> None:
    rig = firing()
    until = START_MS + 64 * SECOND
    told(rig, ACK, START_MS + 20 * SECOND, "c", fingerprint=state(rig)["fingerprint"], until=until)
    rig.to(START_MS + 20 * SECOND)
    rig.to(until)
    assert state(rig)["ack"] is not None
    rig.crash()
    rig.to(until + GRID_MS + 6 * SECOND)
    assert state(rig)["ack"] is None


@pytest.mark.parametrize("kind", [ACK, COMMENT])
def test_what_is_not_there_cannot_be_acknowledged_or_commented(kind: str) -> None:
    rig = firing()
    comment = {"comment": "x"}
    told(rig, kind, START_MS + 20 * SECOND, "other", fingerprint="0" * 32, **comment)
    told(rig, kind, START_MS + 20 * SECOND, "stranger", "bolt", fingerprint=state(rig)["fingerprint"], **comment)
    rig.to(START_MS + 20 * SECOND)
    assert answers(rig) == [("other", "refused"), ("stranger", "refused")]


def test_a_silence_stands_among_the_states_until_it_is_over() -> None:
    rig = firing()
    until = START_MS + HOUR_MS
    told(rig, SILENCE, START_MS + 20 * SECOND, "s1", matchers={"rule": "sl*"}, until=until, comment="known")
    rig.to(START_MS + 20 * SECOND)
    body = rig.compacted(TOPICS.alerts_state)["silence/s1"]
    silence = SilenceState.model_validate(body)
    assert (silence.partner, silence.actor, silence.from_, silence.until) == ("acme", "ana", START_MS + 20 * SECOND, until)
    rig.crash()
    rig.to(until + 6 * SECOND)
    assert rig.compacted(TOPICS.alerts_state)["silence/s1"] is None
    assert not [key for key in rig.changelog if key.startswith(b'["silence"')]


def test_silences_over_the_limit_or_in_the_past_are_refused() -> None:
    rig = Rig(limited(silences=1))
    for identity, until in (("past", START_MS), ("far", START_MS + 400 * DAY_MS), ("one", START_MS + 1), ("two", START_MS + 1)):
        told(rig, SILENCE, START_MS, identity, matchers={"partner": "*"}, until=until, comment="x")
    rig.to(START_MS)
    assert answers(rig) == [("past", "refused"), ("far", "refused"), ("one", "applied"), ("two", "refused")]


def test_a_broadcast_notice_is_kept_by_every_partition_and_written_by_one() -> None:
    rigs = [Rig(replace(CONFIG, partitions=3), partition) for partition in range(3)]
    for rig in rigs:
        told(rig, ANNOTATE, START_MS, "a1", "*", **{"from": START_MS, "to": START_MS + 1, "text": "release 7", "kind": "release"})
        rig.to(START_MS)
        assert rig.rebuilt().snapshot()["annotations"] == rig.snapshot()["annotations"] != {}
    bodies = [body for rig in rigs for key, body in rig.compacted(TOPICS.alerts_state).items() if key == "annotation/a1"]
    assert [AnnotationState.model_validate(body).text for body in bodies] == ["release 7"]


def test_the_view_keeps_silences_and_annotations_apart_from_alerts() -> None:
    projection = Projection(TOPICS, Keys("app"), Totals())
    assert projection.project(Record(TOPICS.alerts_state, 0, b"silence/s1", b"{}")) == [("HSET", "app:view:silences", b"s1", b"{}")]
    assert projection.project(Record(TOPICS.alerts_state, 0, b"annotation/a", None)) == [("HDEL", "app:view:annotations", b"a")]


@pytest.mark.parametrize(
    ("matchers", "remark"),
    [
        ({"partner": "ac*"}, None),
        ({"rule": "sl", "scope": "all", "severity": "critical"}, None),
        ({"scope": "queue=*"}, "no such scope is judged that has figures"),
        ({"partner": "acne"}, "no partner is called so here"),
        ({"partner": "acme", "rule": "service_levl"}, "no rule of such a partner is called so"),
        ({"severity": "page"}, "no such rule has that severity"),
    ],
)
def test_a_silence_that_fits_no_alert_there_may_be_says_so_and_holds_all_the_same(matchers: dict[str, str], remark: str | None) -> None:
    rig = firing(LADDER)
    told(rig, SILENCE, START_MS + 20 * SECOND, "s1", "*", matchers=matchers, until=START_MS + HOUR_MS, comment="known")
    rig.to(START_MS + MINUTE_MS)
    (outcome,) = [each for each in rig.written if ("ce_type", b"outwatch.command.outcome") in each.headers]
    body = CommandOutcome.model_validate_json(outcome.value or b"")
    expected = "silenced" if remark is None else f"silenced; it fits no alert so far: {remark}"
    assert (body.outcome, body.reason) == ("applied", expected)
    assert "silence/s1" in rig.compacted(TOPICS.alerts_state)


def test_an_annotation_of_a_partner_that_nobody_knows_says_so() -> None:
    rig = firing()
    for number, partner in enumerate(("acne", "acme", "*")):
        payload = {"kind": "release", "from": START_MS, "to": START_MS + 1, "text": "new"}
        told(rig, ANNOTATE, START_MS + 20 * SECOND, f"n{number}", partner, **payload)
    rig.to(START_MS + MINUTE_MS)
    found = [each for each in rig.written if ("ce_type", b"outwatch.command.outcome") in each.headers]
    said = [CommandOutcome.model_validate_json(each.value or b"").reason for each in found]
    assert said == ["annotated; no partner is called so here", "annotated", "annotated"]
