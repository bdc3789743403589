"""Settings: what the environment may say, and that every variable is explained."""

import os
import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from models.settings import LOCAL, PREFIX, Settings, settings_problems, settings_table
from models.topics import Partitioner


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith(PREFIX):
            monkeypatch.delenv(name)


def test_an_empty_environment_means_a_local_installation() -> None:
    settings = Settings()
    assert (settings.brokers, settings.redis_url) == ("127.0.0.1:9092", "redis://127.0.0.1:6379/0")
    assert (settings.app_id, settings.partitions, settings.partitioner, settings.clock) == ("outwatch", 24, Partitioner.MURMUR2, "wall")
    assert str(os.getpid()) in settings.worker


def test_variables_carry_the_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUTWATCH_BROKERS", "one:9092,two:9092")
    monkeypatch.setenv("OUTWATCH_PARTITIONER", "crc32")
    monkeypatch.setenv("OUTWATCH_TOPIC_PREFIX", "eu.")
    settings = Settings()
    assert (settings.brokers, settings.partitioner) == ("one:9092,two:9092", Partitioner.CRC32)
    assert settings.topics.kpis == "eu.outwatch.kpis"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("partitions", 0),
        ("clock", "sun"),
        ("partitioner", "round_robin"),
        ("redis_url", "127.0.0.1:6379"),
        ("app_id", "two words"),
        ("topic_prefix", "a/b"),
        ("brokers", ""),
        ("commit_interval_seconds", 0),
        ("replication", -2),
    ],
)
def test_a_setting_that_does_not_hold_is_refused_by_name(field: str, value: Any) -> None:
    with pytest.raises(ValidationError, match=field):
        Settings(**{field: value})


SECRET = "tops3cret/with:odd@characters"


def refused() -> list[str]:
    """What is said of the environment, which is wrong; the secret is nowhere in it."""
    with pytest.raises(ValidationError) as caught:
        Settings()
    assert SECRET not in f"{caught.value}{caught.value!r}"
    problems = settings_problems(caught.value)
    assert SECRET not in "".join(problems)
    return problems


@pytest.fixture
def sasl(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUTWATCH_KAFKA_SECURITY_PROTOCOL", "SASL_SSL")
    monkeypatch.setenv("OUTWATCH_KAFKA_USERNAME", "worker")


def test_a_secret_stands_in_a_file_and_is_never_shown(sasl: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "kafka").write_text(f"{SECRET}\n")
    monkeypatch.setenv("OUTWATCH_KAFKA_PASSWORD_FILE", str(tmp_path / "kafka"))
    monkeypatch.setenv("OUTWATCH_REDIS_URL", f"rediss://desk:{SECRET}@redis:6380/1")
    settings = Settings()
    assert settings.kafka_password is not None
    assert settings.redis_password is not None
    assert settings.kafka_password.get_secret_value() == settings.redis_password.get_secret_value() == SECRET
    assert settings.redis_url == "rediss://desk@redis:6380/1"
    assert SECRET not in f"{settings} {settings!r} {settings.model_dump()} {settings.model_dump_json()}"


@pytest.mark.parametrize(
    ("content", "why"),
    [(None, "cannot be read: No such file or directory"), (b"\n", "is empty"), (b"\xff", "cannot be read: it is not UTF-8")],
)
def test_a_file_without_a_secret_is_refused(
    sasl: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes | None, why: str
) -> None:
    if content is not None:
        (tmp_path / "kafka").write_bytes(content)
    monkeypatch.setenv("OUTWATCH_KAFKA_PASSWORD_FILE", str(tmp_path / "kafka"))
    (problem,) = refused()
    assert problem.startswith(f"OUTWATCH_KAFKA_PASSWORD: OUTWATCH_KAFKA_PASSWORD_FILE names {tmp_path / 'kafka'}, which ")
    assert problem.endswith(why)


def test_a_secret_is_given_once(sasl: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "kafka").write_text(SECRET)
    monkeypatch.setenv("OUTWATCH_KAFKA_PASSWORD_FILE", str(tmp_path / "kafka"))
    monkeypatch.setenv("OUTWATCH_KAFKA_PASSWORD", SECRET)
    assert refused() == ["OUTWATCH_KAFKA_PASSWORD: OUTWATCH_KAFKA_PASSWORD_FILE is set as well: keep one of the two"]


@pytest.mark.parametrize(
    ("variables", "problem"),
    [
        ({"KAFKA_PASSWORD": SECRET}, "KAFKA_PASSWORD: OUTWATCH_KAFKA_SECURITY_PROTOCOL=PLAINTEXT does not use it: set that to SASL_SSL"),
        ({"KAFKA_PASSWORD": ""}, "KAFKA_PASSWORD: it is empty"),
        ({"KAFKA_SECURITY_PROTOCOL": "SASL_SSL"}, "KAFKA_USERNAME: OUTWATCH_KAFKA_SECURITY_PROTOCOL=SASL_SSL needs it"),
        (
            {"KAFKA_SECURITY_PROTOCOL": "SASL_SSL", "KAFKA_USERNAME": "worker"},
            "KAFKA_PASSWORD: OUTWATCH_KAFKA_SECURITY_PROTOCOL=SASL_SSL needs it",
        ),
        ({"KAFKA_SSL_CAFILE": __file__}, "KAFKA_SSL_CAFILE: OUTWATCH_KAFKA_SECURITY_PROTOCOL=PLAINTEXT does not use it: set that to SSL"),
        (
            {"KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT", "KAFKA_USERNAME": "u", "KAFKA_PASSWORD": SECRET, "KAFKA_SSL_CAFILE": __file__},
            "KAFKA_SSL_CAFILE: OUTWATCH_KAFKA_SECURITY_PROTOCOL=SASL_PLAINTEXT does not use it: set that to SASL_SSL",
        ),
        ({"KAFKA_SECURITY_PROTOCOL": "SSL", "KAFKA_SSL_KEYFILE": __file__}, "KAFKA_SSL_CERTFILE: OUTWATCH_KAFKA_SSL_KEYFILE needs it"),
        ({"KAFKA_SECURITY_PROTOCOL": "SSL", "KAFKA_SSL_CAFILE": "/none"}, "KAFKA_SSL_CAFILE: Path does not point to a file"),
        ({"REDIS_SSL_CAFILE": __file__}, "REDIS_SSL_CAFILE: OUTWATCH_REDIS_URL does not use it: let that begin with rediss://"),
        ({"REDIS_URL": f"http://:{SECRET}@redis"}, "REDIS_URL: String should match pattern"),
        ({"REDIS_URL": f"redis://redis?password={SECRET}"}, "REDIS_URL: it names a password as an option: set OUTWATCH_REDIS_PASSWORD"),
        (
            {"REDIS_URL": f"redis://:{SECRET}@redis", "REDIS_PASSWORD": SECRET},
            "REDIS_PASSWORD: OUTWATCH_REDIS_URL holds a password as well",
        ),
    ],
)
def test_what_contradicts_itself_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], problem: str) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(f"OUTWATCH_{name}", value)
    (said,) = refused()
    assert said.startswith(f"OUTWATCH_{problem}")


def test_local_services_are_open_whatever_the_environment_says(sasl: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OUTWATCH_KAFKA_PASSWORD", SECRET)
    monkeypatch.setenv("OUTWATCH_REDIS_PASSWORD", SECRET)
    settings = Settings(redis_url="redis://127.0.0.1:6379/0", **LOCAL)
    assert (settings.kafka_security_protocol, settings.kafka_password, settings.redis_password) == ("PLAINTEXT", None, None)


def test_every_setting_is_explained_in_the_table() -> None:
    table = settings_table()
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert f"| `OUTWATCH_{name.upper()}` |" in table


def test_the_page_on_security_names_settings_that_exist() -> None:
    page = (Path(__file__).parents[2] / "docs/security.md").read_text()
    variables = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    assert {name.removesuffix("_FILE") for name in re.findall(r"OUTWATCH_[A-Z_]+", page)} <= variables
