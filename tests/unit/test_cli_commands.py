"""`outwatch silence`, `ack` and `annotate`: what is wrong with what was typed is said before anything is sent."""

from contextlib import nullcontext
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from models.clock import now_ms
from models.commands import NO_PARTNER, NO_RULE
from streams.asking import Answers
from streams.cli import app
from streams.cli.commands import _told

HOUR = ("--for", "1h")
WHY = ("--comment", "why")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("silence", "add", *WHY, *HOUR), "at least one of"),
        (("silence", "add", *WHY, "--rule", "asa"), "say how long"),
        (("silence", "add", *WHY, "--rule", "asa", *HOUR, "--until", "2026-01-01T00:00:00Z"), "not both"),
        (("silence", "add", *WHY, "--rule", "asa", "--for", "soon"), "not a duration"),
        (("silence", "add", *HOUR, "--rule", "asa"), "Missing option"),
        (("silence", "add", "--comment", "", *HOUR, "--rule", "asa"), "comment: string should have at least 1 character"),
        (("ack", "abc"), "at least 8"),
        (("comment", "abc", "known"), "at least 8"),
        (("annotate", ""), "text: string should have at least 1 character"),
        (("annotate", "x" * 501), "text: string should have at most 500 characters"),
        (("annotation", "show", "n1", "--span", "5s"), "write 1m or more"),
        (("annotation", "show", "n1", "--span", "long"), "not a duration"),
        (("annotation", "show", "n1", "--scope", "office"), "not a scope"),
        (("annotate", "release", "--from", "tomorrow"), "RFC 3339"),
        (("annotate", "release", "--from", "2026-01-02T00:00:00Z", "--to", "2026-01-01T00:00:00Z"), "must lie after"),
    ],
)
def test_a_wrong_word_is_told_with_what_to_write(words: tuple[str, ...], said: str) -> None:
    told = CliRunner().invoke(app, words, env={"COLUMNS": "80", "TERM": "dumb"})
    assert told.exit_code == 2
    assert said in " ".join(told.output.replace("│", " ").split())
    assert max(map(len, told.output.splitlines())) <= 80


@pytest.mark.parametrize(
    ("outcomes", "code", "said"),
    [
        (("applied", "applied"), 0, "c1  applied: done\n"),
        (("applied", "refused"), 1, "c1  applied: done\nc1  refused: done\n"),
        (
            ("applied", None),
            1,
            "c1  applied: done\nc1  sent, not answered yet by partition 1: is a worker running? One that reads it later does it\n",
        ),
    ],
)
def test_it_says_what_each_partition_answered(
    outcomes: tuple[str | None, ...], code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    answers: Answers = {at: {"outcome": each, "reason": "done"} if each else None for at, each in enumerate(outcomes)}
    with pytest.raises(typer.Exit) if code else nullcontext():
        _told("c1", answers, as_json=False)
    heard = capsys.readouterr()
    assert heard.out + heard.err == said


def test_what_one_partition_did_is_not_remarked_on_by_the_others(capsys: pytest.CaptureFixture[str]) -> None:
    reasons = ("silenced; it fits no alert so far: no partner is called so here", "silenced")
    _told("c1", {at: {"outcome": "applied", "reason": each} for at, each in enumerate(reasons)}, as_json=False)
    assert capsys.readouterr().out == "c1  applied: silenced\n"
    elsewhere = reasons[0].replace(NO_PARTNER, NO_RULE)
    _told("c1", {at: {"outcome": "applied", "reason": each} for at, each in enumerate((reasons[0], elsewhere))}, as_json=False)
    assert capsys.readouterr().out == f"c1  applied: {elsewhere}\n"


def test_a_silence_is_ended_by_the_first_letters_of_its_id(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[object, ...]] = []
    standing = {"silence": [{"id": "ab12", "partner": "*"}, {"id": "ab34", "partner": "acme"}]}
    monkeypatch.setattr("streams.cli.commands._standing", lambda _: standing)
    monkeypatch.setattr("streams.cli.commands.command", lambda *words, **_: asked.append(words[:3]))
    assert CliRunner().invoke(app, ("silence", "expire", "ab3")).exit_code == 0
    assert asked == [("silence.expire", "acme", {"silence": "ab34"})]
    assert "2 silences begin with ab" in CliRunner().invoke(app, ("silence", "expire", "ab")).output
    assert CliRunner().invoke(app, ("silence", "expire", "x")).exit_code == 1


def test_silences_are_listed_with_how_many_open_alerts_each_holds_back(monkeypatch: pytest.MonkeyPatch) -> None:
    def alert(state: str, waits: list[str], rule: str = "lost") -> dict[str, Any]:
        named = {"fingerprint": "f", "partner": "acme", "rule": {"id": rule}, "scope": "all", "severity": "warning"}
        return named | {"state": state, "suppressed_by": waits}

    def silence(identity: str, until_ms: int, **matchers: str) -> dict[str, Any]:
        said = {"id": identity, "partner": "*", "actor": "ana", "at": 1, "from": 1, "until": until_ms, "comment": "why"}
        return said | {"record": "silence", "matchers": matchers}

    later_ms = now_ms() + 3_600_000
    standing = {
        "": [alert("firing", ["silenced"]), alert("recovering", ["silenced"]), alert("firing", [], "asa"), alert("resolved", ["silenced"])],
        "silence": [silence("none", later_ms + 3, rule="csat"), silence("over", 2, rule="*"), silence("two", later_ms, rule="lo*")],
    }
    monkeypatch.setattr("streams.cli.commands._standing", lambda _: standing)
    told = CliRunner().invoke(app, ("silence", "list")).output.splitlines()
    assert [(line.split()[0], line.partition("ana  ")[2]) for line in told[::3]] == [
        ("over", "holds back nothing now"),
        ("two", "holds back 2 open alerts"),
        ("none", "holds back nothing now"),
    ]
