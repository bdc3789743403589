"""The whole over TLS and SASL, as the operator's page says: an authority made here, users with no more than their rights."""

import asyncio
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager
from datetime import date
from http import HTTPStatus
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiokafka import AIOKafkaProducer

from models.mapping_file import example_mapping
from models.operation import Command
from models.settings import Settings
from streams.admin import check, create
from streams.cli.exits import Exit, explain
from streams.connection import kafka_refusal
from streams.desk_process import CommandWriter
from streams.letters import Coordinates, Selection, find, replay_letters
from streams.local.kafka import LocalKafka
from streams.local.process import LeashedProcess
from streams.local.redis import LocalRedis
from streams.local.secured import Secured
from streams.local.service import free_port
from streams.repartition import copy_sources
from tests.calls import day_of_calls, write_csv
from tests.certificates import Certificates
from tests.letters import letter_record
from tests.replayed import assert_equals_the_oracle
from tests.secured import LACKING, PASSWORDS, Place, grant
from tests.services import running
from tests.waiting import until
from tests.workers import answers, ask, metrics, read_all, send

pytestmark = [pytest.mark.kafka, pytest.mark.redis, pytest.mark.slow, pytest.mark.timeout(120)]

ROOT = Path(__file__).parents[2]
POLICY = ROOT / "models/example_policy.yaml"
DAY = date(2031, 1, 4)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("secured")
    certificates = Certificates.make(folder)
    secured = Secured(certificates.server, certificates.authority, PASSWORDS, admins=["client"])
    with running(LocalRedis(folder / "redis", secured=secured)) as redis, running(LocalKafka(folder / "kafka", secured=secured)) as kafka:
        asyncio.run(grant(kafka.bootstrap))
        yield Place(kafka, redis, certificates, folder)


def outwatch(environment: dict[str, str], *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """A command, which must not repeat a password."""
    command = [sys.executable, "-m", "streams.cli", *map(str, arguments)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    print(arguments, done.returncode, done.stdout, done.stderr)
    assert "tops3cret" not in done.stdout + done.stderr
    return done


@asynccontextmanager
async def started(folder: Path, command: str, environment: dict[str, str]) -> AsyncIterator[Path]:
    """A process that runs for long, which must not log a password; yields its log."""
    path = folder / f"{command.replace(' ', '-')}.log"
    with LeashedProcess([sys.executable, "-m", "streams.cli", *command.split()], path, environment) as process:
        yield path
        assert process.alive(), process.tail()
    assert "tops3cret" not in path.read_text()


async def test_a_worker_and_all_around_it_run_over_sasl_with_the_rights_of_the_page(place: Place, tmp_path: Path) -> None:
    operator, reader = place.by_password("operator"), place.by_password("reader")
    assert outwatch(operator, "topics", "create").returncode == 0
    assert outwatch(operator, "policy", "apply", POLICY).returncode == 0
    auditor, notifier = Settings(http_port=free_port()), Settings(http_port=free_port())
    async with (
        started(tmp_path, "run", place.by_password("worker")),
        started(tmp_path, "project", place.by_password("projector")),
        started(tmp_path, "audit", place.by_password("auditor") | {"OUTWATCH_HTTP_PORT": str(auditor.http_port)}),
        started(tmp_path, "notify", place.by_password("notifier") | {"OUTWATCH_HTTP_PORT": str(notifier.http_port)}),
        started(tmp_path, "tail kpis --json", reader) as tailed,
    ):
        simulated = outwatch(place.by_password("producer"), "simulate", "--past", "20m", "--for", "1s")
        assert simulated.returncode == 0

        async def has_figures() -> bool:
            shown = await asyncio.to_thread(outwatch, reader, "status", "--json")
            return '"answered"' in shown.stdout and b'"window":"15m"' in tailed.read_bytes()

        await until(has_figures, 40)

        async def sees() -> bool:
            ready = (await ask(notifier, "/readyz"))[0] == HTTPStatus.OK
            return ready and (await metrics(auditor)).get('outwatch_audit_looks_total{kind="whole"}', 0) > 0

        await until(sees)


async def test_a_worker_and_a_replay_run_over_tls_with_certificates(place: Place, app_id: str, tmp_path: Path) -> None:
    environment = place.by_certificate(app_id) | {"OUTWATCH_CLOCK": "log"}
    assert outwatch(environment, "topics", "create").returncode == 0
    calls = day_of_calls(1, 200)
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text(example_mapping())
    path = write_csv(tmp_path / "day.csv", calls)
    async with started(tmp_path, "run", environment):
        replay = ("replay", path, "--mapping", mapping, "--date", DAY.isoformat(), "--json")
        done = await asyncio.to_thread(outwatch, environment, *replay)
    assert done.returncode == 0
    assert_equals_the_oracle(orjson.loads(done.stdout), [(DAY.isoformat(), calls)])


def test_who_may_only_read_is_told_that_it_is_not_allowed_to_write(place: Place) -> None:
    assert outwatch(place.by_password("operator"), "topics", "create").returncode == 0
    done = outwatch(place.by_password("reader"), "policy", "apply", POLICY)
    assert done.returncode == 3
    assert done.stderr.startswith("Kafka does not allow that to our user")


@pytest.mark.parametrize("command", [("run",), ("topics", "check")])
@pytest.mark.parametrize("named", ["OUTWATCH_KAFKA_PASSWORD", "OUTWATCH_KAFKA_SSL_CAFILE"])
def test_what_kafka_refuses_is_one_line_that_names_the_setting(place: Place, command: tuple[str, ...], named: str) -> None:
    other = place.folder / "other.secret"
    other.write_text("tops3cret-of-nobody")
    wrong = {"OUTWATCH_KAFKA_PASSWORD_FILE": other} if named.endswith("PASSWORD") else {named: place.certificates.stranger}
    done = outwatch(place.by_password("worker") | {name: str(path) for name, path in wrong.items()}, *command)
    assert done.returncode == 3
    last = done.stderr.splitlines()[-1]
    assert last.startswith(f"Kafka at {place.kafka.sasl_bootstrap} ")
    assert named in last
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["project", "status"])
@pytest.mark.parametrize("name", ["OUTWATCH_REDIS_PASSWORD", "OUTWATCH_REDIS_SSL_CAFILE"])
def test_what_redis_refuses_is_one_line_that_names_the_setting(place: Place, command: str, name: str, app_id: str) -> None:
    environment = place.by_certificate(app_id)
    assert outwatch(environment, "topics", "create").returncode == 0
    if name == "OUTWATCH_REDIS_PASSWORD":
        del environment["OUTWATCH_REDIS_PASSWORD_FILE"]
    wrong = "tops3cret-of-nobody" if name == "OUTWATCH_REDIS_PASSWORD" else str(place.certificates.stranger)
    done = outwatch(environment | {name: wrong}, command)
    assert done.returncode == 3
    last = done.stderr.splitlines()[-1]
    assert last.startswith("Redis at rediss://reader@127.0.0.1:")
    assert name in last
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
async def test_every_mechanism_is_accepted(place: Place, mechanism: str) -> None:
    settings = place.settings("operator", kafka_sasl_mechanism=mechanism)
    await check(settings)
    assert await kafka_refusal(settings) is None


NO_USER = {"kafka_username": None, "kafka_password": None}


@pytest.mark.parametrize(
    ("listener", "changed"),
    [
        ("tls_bootstrap", NO_USER | {"kafka_security_protocol": "SSL"}),
        ("sasl_bootstrap", NO_USER | {"kafka_security_protocol": "SSL"}),
        ("sasl_bootstrap", NO_USER | {"kafka_security_protocol": "PLAINTEXT", "kafka_ssl_cafile": None}),
        ("bootstrap", {}),
    ],
    ids=["no certificate", "no user", "no TLS", "TLS to an open listener"],
)
async def test_a_listener_that_speaks_something_else_is_said_to(place: Place, listener: str, changed: dict[str, Any]) -> None:
    at = getattr(place.kafka, listener)
    settings = place.settings("operator", brokers=at, **changed)
    refusal = await kafka_refusal(settings)
    assert refusal is not None
    assert refusal.startswith(f"Kafka at {at} ends a connection with OUTWATCH_KAFKA_SECURITY_PROTOCOL={settings.kafka_security_protocol}")


def all_but_one(role: str) -> pytest.MarkDecorator:
    """Users that have what the page says that a role needs, each but for one right."""
    lacking = {user: right for user, right in LACKING.items() if right.role == role}
    assert lacking, "the page names the role"
    ids = [f"{right.operation} of {right.resource} {right.name}" for right in lacking.values()]
    return pytest.mark.parametrize("user", lacking, ids=ids)


async def told(doing: Coroutine[Any, Any, object]) -> str:
    """What a user is told of whom a right is missing."""
    with pytest.raises(Exception) as caught:  # noqa: PT011 - which one it is says the line
        await doing
    explained = await asyncio.to_thread(explain, caught.value)
    assert explained is not None, repr(caught.value)
    code, line = explained
    print(line)
    assert code in (Exit.PROBLEMS, Exit.UNREACHABLE)
    assert re.match("Kafka does not allow that to our user|problem: .* does not exist|there is no topic", line)
    return line


@pytest.fixture
async def letter(place: Place) -> str:
    """The coordinates of a new letter."""
    everything = Settings(brokers=place.kafka.bootstrap, partitions=2, replication=1)
    await create(everything)
    topics = everything.topics
    record = letter_record(b"{}")
    async with AIOKafkaProducer(bootstrap_servers=place.kafka.bootstrap) as producer:
        at = await producer.send_and_wait(topics.dead_letters, record.value, record.key, partition=1, headers=record.headers)
    return f"{topics.dead_letters}/1/{at.offset}"


def test_letters_are_listed_shown_and_replayed_with_the_rights_of_the_page(place: Place, letter: str) -> None:
    reader = place.by_password("reader")
    assert outwatch(reader, "dead-letters", "list").returncode == 0
    assert outwatch(reader, "dead-letters", "show", letter).returncode == 0
    refused = outwatch(reader, "dead-letters", "replay", letter)
    assert (refused.returncode, refused.stdout) == (3, "")
    assert refused.stderr.startswith("Kafka does not allow that to our user")
    done = outwatch(place.by_password("replayer"), "dead-letters", "replay", letter)
    assert (done.returncode, done.stdout) == (0, "1 replayed\n")


async def test_the_desk_writes_commands_with_the_rights_of_the_page(place: Place) -> None:
    await create(Settings(brokers=place.kafka.bootstrap, partitions=2, replication=1))
    command = Command(id="d1", type="alert.ack", actor="ana", at=1, partner="*", payload={})
    async with CommandWriter(place.settings("desk")) as writer:
        await writer.send(command)
    async with CommandWriter(place.settings("reader")) as writer:
        with pytest.raises(ConnectionError, match=r"(?i)authoriz"):
            await writer.send(command)


@all_but_one("reader")
async def test_with_one_right_less_letters_are_not_listed(place: Place, letter: str, user: str) -> None:
    await told(find(place.settings(user), Selection(), 1, values=False))


@all_but_one("replayer")
async def test_with_one_right_less_letters_are_not_replayed(place: Place, letter: str, user: str) -> None:
    await told(replay_letters(place.settings(user), Selection(at=Coordinates.parse(letter)), 1, 0))


@pytest.fixture
async def to_be_copied(place: Place) -> Settings:
    """The new installation of the page, and something in the old one that was not copied yet."""
    old = Settings(brokers=place.kafka.bootstrap, partitions=2, replication=1)
    new = Settings(brokers=place.kafka.bootstrap, partitions=2, replication=1, app_id="outwatch2", topic_prefix="v2.")
    await create(old)
    await create(new)
    await send(old, old.topics.interactions, *answers(0, 10))
    return new


async def test_sources_are_copied_with_the_rights_of_the_page(place: Place, to_be_copied: Settings) -> None:
    new = {"OUTWATCH_APP_ID": to_be_copied.app_id, "OUTWATCH_TOPIC_PREFIX": to_be_copied.topic_prefix}
    copying = ("topics", "copy", "--from-prefix", "")
    done = await asyncio.to_thread(outwatch, place.by_password("copier") | new, *copying)
    assert done.returncode == 0
    assert len(await read_all(to_be_copied, to_be_copied.topics.interactions)) >= 10
    refused = await asyncio.to_thread(outwatch, place.by_password("reader") | new, *copying)
    assert refused.returncode == 1
    assert "does not exist" in refused.stderr


@all_but_one("copier")
async def test_with_one_right_less_nothing_is_copied(place: Place, to_be_copied: Settings, user: str) -> None:
    await told(copy_sources(place.settings(user, app_id=to_be_copied.app_id, topic_prefix=to_be_copied.topic_prefix), ""))
