"""The services and names that tests share."""

import contextlib
import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from models.clock import now_ms
from streams.local.errors import LocalServiceError
from streams.local.jars import ensure_jars
from streams.local.kafka import LocalKafka
from streams.local.redis import LocalRedis
from tests.services import running

_numbers = itertools.count(1)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that wait for long come first, so that no process is left alone with one at the end."""
    slow = {item.path for item in items if item.get_closest_marker("slow") is not None}
    items.sort(key=lambda item: item.path not in slow)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Fetch Kafka's jars once, before the time of the first test that asks for a broker begins to run."""
    if any({"kafka", "private_kafka"} & set(getattr(item, "fixturenames", ())) for item in session.items):
        with contextlib.suppress(LocalServiceError):  # The fixture says what is wrong.
            ensure_jars(print)


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The bootstrap address of one Apache Kafka for the whole run; take topics of your own by `app_id`."""
    with running(LocalKafka(tmp_path_factory.mktemp("kafka"))) as broker:
        yield broker.bootstrap


@pytest.fixture
def private_kafka(tmp_path: Path) -> Iterator[LocalKafka]:
    """A broker for one test that kills, freezes or restarts it."""
    with running(LocalKafka(tmp_path / "kafka")) as broker:
        yield broker


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of one Redis for the whole run; take keys of your own by `app_id`."""
    with running(LocalRedis(tmp_path_factory.mktemp("redis"))) as server:
        yield server.url


@pytest.fixture
def private_redis(tmp_path: Path) -> Iterator[LocalRedis]:
    """A Redis for one test that empties or ends it."""
    with running(LocalRedis(tmp_path / "redis")) as server:
        yield server


@pytest.fixture
def seed() -> int:
    """What a stream and its troubles are made from: `OUTWATCH_TEST_SEED`, or another one each time."""
    return int(os.environ.get("OUTWATCH_TEST_SEED") or now_ms() % 1_000_000)


@pytest.fixture
def app_id() -> str:
    """A name that no other test of this run has: for an application id, a group, a topic prefix, a key prefix."""
    return f"test-{os.getpid()}-{next(_numbers)}"
