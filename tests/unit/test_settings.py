"""Settings: what the environment may say, and that every variable is explained."""

import os
from typing import Any

import pytest
from pydantic import ValidationError

from models.settings import PREFIX, Settings, settings_table
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


def test_every_setting_is_explained_in_the_table() -> None:
    table = settings_table()
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert f"| `OUTWATCH_{name.upper()}` |" in table
