"""The command line as a whole: quick help, exit codes, errors in one line."""

import subprocess
import sys

import pytest
from aiokafka.errors import KafkaConnectionError
from pydantic import ValidationError
from redis.exceptions import AuthenticationError

from models.settings import Settings
from streams.cli import main
from streams.cli.exits import Exit, explain
from streams.errors import FencedError, TopicsError

HEAVY = {"aiokafka", "faust", "redis", "pydantic", "jgo"}


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["outwatch", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def test_help_imports_no_client_and_no_framework() -> None:
    code = "import sys, streams.cli; print(*{name.split('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30)
    assert HEAVY & set(done.stdout.split()) == set()


def test_help_names_the_exit_codes(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, "--help") == Exit.OK
    text = capsys.readouterr().out
    for code in Exit:
        assert f"{code.value} " in text


def test_an_unknown_command_is_wrong_usage(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(monkeypatch, "dance") == Exit.USAGE


def test_a_wrong_setting_is_named_in_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("OUTWATCH_PARTITIONS", "many")
    assert run(monkeypatch, "topics", "check") == Exit.USAGE
    error = capsys.readouterr().err
    assert error.startswith("OUTWATCH_PARTITIONS: ")
    assert error.count("\n") == 1


def test_an_unreachable_kafka_is_named_in_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("OUTWATCH_BROKERS", "127.0.0.1:1")
    assert run(monkeypatch, "topics", "check") == Exit.UNREACHABLE
    error = capsys.readouterr().err
    assert error == "Kafka does not answer at 127.0.0.1:1 (set OUTWATCH_BROKERS)\n"


@pytest.mark.parametrize("key", ["", "a", "1234567"])
def test_a_customer_key_that_would_be_found_anywhere_is_wrong_usage(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    assert run(monkeypatch, "erase", "--customer-key", key) == Exit.USAGE


def test_the_password_of_redis_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUTWATCH_REDIS_URL", "redis://:secret@redis:6379/0")
    assert explain(AuthenticationError("refused")) == (
        Exit.UNREACHABLE,
        "Redis at redis://redis:6379/0 refuses the password (set OUTWATCH_REDIS_PASSWORD, or the user in OUTWATCH_REDIS_URL): refused",
    )


def test_a_wrong_variable_that_may_hold_a_password_is_not_repeated(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OUTWATCH_REDIS_URL", "http://:tops3cret@redis")
    monkeypatch.setenv("OUTWATCH_KAFKA_PASSWORD", "tops3cret")
    assert run(monkeypatch, "topics", "check") == Exit.USAGE
    error = capsys.readouterr().err
    assert error.startswith("OUTWATCH_REDIS_URL: ")
    assert "tops3cret" not in error


@pytest.mark.parametrize(
    ("error", "code"),
    [(KafkaConnectionError(), Exit.UNREACHABLE), (TopicsError("x"), Exit.PROBLEMS), (FencedError("x"), Exit.STOPPED)],
)
def test_each_error_has_its_exit_code(error: Exception, code: Exit) -> None:
    explained = explain(error)
    assert explained is not None
    assert explained[0] is code


def test_a_bug_keeps_its_traceback() -> None:
    assert explain(ZeroDivisionError()) is None


def test_settings_of_ours_are_told_from_other_models() -> None:
    with pytest.raises(ValidationError) as caught:
        Settings(partitions=0)
    assert explain(caught.value) == (Exit.USAGE, "OUTWATCH_PARTITIONS: Input should be greater than or equal to 1 (it is 0)")
