"""The whole over TLS and SASL, as the operator's page says: certificates of an authority made here, users with no more than their rights.

The rights are read from docs/security.md, so that page is what is tested.
"""

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.protocol.admin import CreateAclsRequest

from models.mapping_file import example_mapping
from models.settings import PREFIX, Settings
from streams.admin import check
from streams.connection import kafka_refusal
from streams.local.kafka import LocalKafka
from streams.local.process import LeashedProcess
from streams.local.redis import LocalRedis
from streams.local.secured import Secured
from tests.calls import day_of_calls, write_csv
from tests.certificates import Certificates
from tests.replayed import assert_equals_the_oracle
from tests.services import running
from tests.waiting import until

pytestmark = [pytest.mark.kafka, pytest.mark.redis, pytest.mark.slow, pytest.mark.timeout(120)]

ROOT = Path(__file__).parents[2]
RIGHTS = (ROOT / "docs/security.md").read_text().split("<!-- rights -->")[1].split("<!-- /rights -->")[0]
POLICY = ROOT / "models/example_policy.yaml"
DAY = date(2031, 1, 4)
PASSWORDS = {role: f"tops3cret-of-{role}" for role in ("operator", "worker", "projector", "producer", "reader")}

# Kafka's own numbers.
RESOURCES = {"topic": 2, "group": 3, "transactional id": 5}
OPERATIONS = {"Read": 3, "Write": 4, "Create": 5, "Describe": 8, "DescribeConfigs": 10}
LITERAL, PREFIXED, ALLOW = 3, 4, 3


@dataclass(frozen=True, slots=True)
class Place:
    """A Kafka and a Redis that are secured, and everything that is known about them."""

    kafka: LocalKafka
    redis: LocalRedis
    certificates: Certificates
    folder: Path

    def by_password(self, role: str) -> dict[str, str]:
        """The environment of a role, with its passwords in a file, as an orchestrator hands them out."""
        secret = self.folder / f"{role}.secret"
        secret.write_text(f"{PASSWORDS[role]}\n")
        return self._environment(role, secret) | {
            "OUTWATCH_BROKERS": self.kafka.sasl_bootstrap,
            "OUTWATCH_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
            "OUTWATCH_KAFKA_USERNAME": role,
            "OUTWATCH_KAFKA_PASSWORD_FILE": str(secret),
        }

    def by_certificate(self, app_id: str) -> dict[str, str]:
        """The environment of whoever has the client's certificate, who may do everything."""
        secret = self.folder / "redis.secret"
        secret.write_text(PASSWORDS["reader"])
        return self._environment("reader", secret) | {
            "OUTWATCH_BROKERS": self.kafka.tls_bootstrap,
            "OUTWATCH_KAFKA_SECURITY_PROTOCOL": "SSL",
            "OUTWATCH_KAFKA_SSL_CERTFILE": str(self.certificates.client),
            "OUTWATCH_APP_ID": app_id,
            "OUTWATCH_TOPIC_PREFIX": f"{app_id}.",
        }

    def _environment(self, redis_user: str, redis_secret: Path) -> dict[str, str]:
        own = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
        return own | {
            "OUTWATCH_KAFKA_SSL_CAFILE": str(self.certificates.authority),
            "OUTWATCH_REDIS_URL": self.redis.tls_url.replace("://", f"://{redis_user}@"),
            "OUTWATCH_REDIS_PASSWORD_FILE": str(redis_secret),
            "OUTWATCH_REDIS_SSL_CAFILE": str(self.certificates.authority),
            "OUTWATCH_PARTITIONS": "2",
            "OUTWATCH_REPLICATION": "1",
        }


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("secured")
    certificates = Certificates.make(folder)
    secured = Secured(certificates.server, certificates.authority, PASSWORDS, admins=["client"])
    with running(LocalRedis(folder / "redis", secured=secured)) as redis, running(LocalKafka(folder / "kafka", secured=secured)) as kafka:
        asyncio.run(grant(kafka.bootstrap))
        yield Place(kafka, redis, certificates, folder)


async def grant(brokers: str) -> None:
    """Give every role the rights of the page."""
    admin = AIOKafkaAdminClient(bootstrap_servers=brokers)
    await admin.start()
    try:
        for role, resource, name, operations in re.findall(r"^\| (\w+) \| ([a-z ]+) \| `([^`]+)` \| ([\w, ]+) \|$", RIGHTS, re.MULTILINE):
            pattern = PREFIXED if name.endswith("*") else LITERAL
            for operation in operations.split(", "):
                request = CreateAclsRequest(
                    RESOURCES[resource], name.rstrip("*"), pattern, f"User:{role}", "*", OPERATIONS[operation], ALLOW
                )
                answer: Any = await admin._send_to_controller(request)
                assert answer.creation_responses[0][0] == 0, answer
    finally:
        await admin.close()


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
    async with (
        started(tmp_path, "run", place.by_password("worker")),
        started(tmp_path, "project", place.by_password("projector")),
        started(tmp_path, "tail kpis --json", reader) as tailed,
    ):
        simulated = outwatch(place.by_password("producer"), "simulate", "--past", "20m", "--for", "1s")
        assert simulated.returncode == 0

        async def has_figures() -> bool:
            shown = await asyncio.to_thread(outwatch, reader, "status", "--json")
            return '"answered"' in shown.stdout and b'"window":"15m"' in tailed.read_bytes()

        await until(has_figures, 40)


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


def _operator(place: Place, **changed: Any) -> Settings:
    """Settings of a user that may look at all topics; `changed` is what differs."""
    settings: dict[str, Any] = {
        "brokers": place.kafka.sasl_bootstrap,
        "kafka_security_protocol": "SASL_SSL",
        "kafka_username": "operator",
        "kafka_password": PASSWORDS["operator"],
        "kafka_ssl_cafile": place.certificates.authority,
    }
    return Settings(**(settings | changed))


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
async def test_every_mechanism_is_accepted(place: Place, mechanism: str) -> None:
    settings = _operator(place, kafka_sasl_mechanism=mechanism)
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
    settings = _operator(place, brokers=at, **changed)
    refusal = await kafka_refusal(settings)
    assert refusal is not None
    assert refusal.startswith(f"Kafka at {at} ends a connection with OUTWATCH_KAFKA_SECURITY_PROTOCOL={settings.kafka_security_protocol}")
