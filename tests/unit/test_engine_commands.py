"""Commands: this release knows none, and tells whoever sent one."""

import orjson
import pytest

from models.records import CommandOutcome
from models.view import Keys
from streams.engine.output import Output
from streams.projector.projection import Projection, Record
from streams.projector.totals import Totals
from streams.screen import alert_line
from tests.conditions import START_MS
from tests.engines import TOPICS, Rig


def sent(value: bytes | None) -> Output:
    rig = Rig()
    rig.append(TOPICS.commands, START_MS, b"*", value)
    (outcome,) = [each for each in rig.to(START_MS) if each.topic == TOPICS.alerts]
    assert rig.engine.counters["commands"] == 1
    assert rig.engine.applied == {TOPICS.commands: 1}
    return outcome


def test_a_command_is_refused_with_its_id_and_why() -> None:
    command = {"id": "c-7", "type": "silence", "actor": "ana", "at": START_MS, "partner": "acme", "payload": {"minutes": 5}}
    outcome = sent(orjson.dumps(command))
    body = CommandOutcome.model_validate_json(outcome.value or b"")
    assert (body.id, body.command, body.partner, body.outcome) == ("c-7", "silence", "acme", "refused")
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
    assert Projection(TOPICS, Keys("app"), Totals()).project(Record(TOPICS.alerts, 0, outcome.key or b"", outcome.value)) == []
