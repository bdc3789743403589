"""`outwatch incident`: what it shows of incidents, and what it asks of the workers."""

from typing import Any

import orjson
import pytest
from typer.testing import CliRunner, Result

from alerts import attention
from models.operation import Command
from models.settings import Settings
from streams.asking import Answers
from streams.cli import app
from streams.present import Present
from tests.conditions import START_MS
from tests.incidents import Desk

Asked = list[Command]


@pytest.fixture
def desk() -> Desk:
    made = Desk()
    made.fire("sl", "asa")
    made.wait(11)
    return made


@pytest.fixture
def asked(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Asked:
    """The commands that were sent; each was applied."""
    sent: Asked = []

    async def present(_: Settings, topic: str) -> Present:
        assert topic.endswith("outwatch.incidents")
        states = [each.state("Acme", START_MS, 7) for each in desk.held.values()]
        return {(0, each.id.encode()): each.model_dump_json().encode() for each in states}

    async def ask(_: Settings, command: Command) -> Answers:
        sent.append(command)
        return {0: {"outcome": "applied", "reason": "done"}}

    monkeypatch.setattr("streams.present.read_present", present)
    monkeypatch.setattr("streams.asking.ask", ask)
    return sent


def outwatch(*words: str) -> Result:
    return CliRunner().invoke(app, ["incident", *words], env={"COLUMNS": "100", "TERM": "dumb"})


@pytest.mark.usefixtures("asked")
def test_it_lists_what_is_open_and_with_all_what_is_over_too(desk: Desk) -> None:
    desk.resolve("sl")
    desk.resolve("asa")
    desk.wait(1)
    desk.fire("aht")
    told = outwatch("list").stdout
    assert f"{desk.incident.id[:8]}  warning   since 2025-06-15 15:22 UTC, step 1, loop 1" in told
    assert "Acme: aht 41 %" in told
    assert len(orjson.loads(outwatch("list", "--json").stdout)) == 1
    every = outwatch("list", "--all").stdout
    assert "over at 2025-06-15 15:21 UTC, seen by nobody" in every
    assert outwatch("list", "--partner", "bolt").stdout == "no incident is open\n"


@pytest.mark.usefixtures("asked")
def test_it_shows_alerts_who_was_told_and_what_happened(desk: Desk) -> None:
    desk.do(lambda each: attention.acknowledge(each, "ana", desk.at_ms, said="on it"))
    told = outwatch("show", desk.incident.id[:6]).stdout
    for line in (
        "warning, since 2025-06-15 15:10 UTC, acked by ana",
        "  2025-06-15 15:20:00 UTC  person ben by webhook ben: on its way",
        "  2025-06-15 15:21:00 UTC  acknowledged by ana: on it",
        "Acme: asa 41 %",
    ):
        assert line in told
    assert orjson.loads(outwatch("show", desk.incident.id, "--json").stdout)["id"] == desk.incident.id


@pytest.mark.parametrize(
    ("words", "kind", "payload"),
    [
        (("ack",), "incident.ack", {}),
        (("ack", "--until", "2030-01-01T00:00:00Z", "--comment", "on it"), "incident.ack", {"until": 1893456000000, "comment": "on it"}),
        (("snooze", "--until", "2030-01-01T00:00:00Z"), "incident.snooze", {"until": 1893456000000}),
        (("resolve", "--comment", "done"), "incident.resolve", {"comment": "done"}),
        (("reassign", "--person", "cleo"), "incident.reassign", {"to": {"person": "cleo"}}),
        (("reassign", "--partner", "duty_manager"), "incident.reassign", {"to": {"partner": "duty_manager"}}),
        (("comment", "called them"), "incident.comment", {"comment": "called them"}),
    ],
)
def test_it_asks_the_partner_s_partition(desk: Desk, asked: Asked, words: tuple[str, ...], kind: str, payload: dict[str, Any]) -> None:
    done = outwatch(words[0], desk.incident.id[:8], *words[1:], "--actor", "ana")
    assert (done.exit_code, done.output[14:]) == (0, "applied: done\n")
    (command,) = asked
    assert (command.type, command.partner, command.actor) == (kind, "acme", "ana")
    assert command.payload == {"incident": desk.incident.id} | payload


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("ack", "abc"), 2, "at least 4"),
        (("ack", "zzzz"), 1, "no incident begins with zzzz"),
        (("snooze", "ID"), 2, "say how long"),
        (("reassign", "ID"), 2, "name one of"),
        (("reassign", "ID", "--person", "a", "--rotation", "b"), 2, "name one of"),
    ],
)
def test_what_cannot_be_asked_says_why(desk: Desk, asked: Asked, words: tuple[str, ...], code: int, said: str) -> None:
    told = outwatch(*(desk.incident.id if each == "ID" else each for each in words))
    assert told.exit_code == code
    assert said in " ".join(told.output.replace("│", " ").split())
    assert asked == []
