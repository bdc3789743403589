"""`outwatch silence`, `ack` and `annotate`: what is wrong with what was typed is said before anything is sent."""

from contextlib import nullcontext

import pytest
import typer
from typer.testing import CliRunner

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
        (("ack", "abc"), "at least 8"),
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
        (("applied", None), 1, "c1  applied: done\nc1  sent, not answered yet by partition 1: is a worker running?\n"),
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
