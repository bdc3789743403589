"""A Kafka and a Redis that are secured, with the users of docs/security.md and others who lack one right each.

The rights are read from that page, so it is the page that is tested.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

from aiokafka.protocol.admin import CreateAclsRequest

from models.settings import PREFIX, Settings
from streams.local.kafka import LocalKafka
from streams.local.redis import LocalRedis
from tests.certificates import Certificates
from tests.workers import administering

__all__ = ["LACKING", "PASSWORDS", "Place", "Right", "grant"]


class Right(NamedTuple):
    """One operation that a role may do."""

    role: str
    resource: str
    name: str
    """With `*` at its end a prefix."""
    operation: str


_TABLE: Final = (Path(__file__).parents[1] / "docs/security.md").read_text().split("<!-- rights -->")[1].split("<!-- /rights -->")[0]
RIGHTS: Final = [
    Right(role, resource, name, operation)
    for role, resource, name, operations in re.findall(r"^\| (\w+) \| ([a-z ]+) \| `([^`]+)` \| ([\w, ]+) \|$", _TABLE, re.MULTILINE)
    for operation in operations.split(", ")
]
LACKING: Final = {f"{right.role}-{number}": right for number, right in enumerate(RIGHTS) if right.role in ("reader", "replayer", "copier")}
"""Users that have all rights of a role but one, by name."""
PASSWORDS: Final = {user: f"tops3cret-of-{user}" for user in [*(right.role for right in RIGHTS), *LACKING]}

# Kafka's own numbers.
_RESOURCES: Final = {"topic": 2, "group": 3, "transactional id": 5}
_OPERATIONS: Final = {"Read": 3, "Write": 4, "Create": 5, "Describe": 8, "DescribeConfigs": 10, "AlterConfigs": 11}
_LITERAL, _PREFIXED, _ALLOW = 3, 4, 3


@dataclass(frozen=True, slots=True)
class Place:
    """A Kafka and a Redis that are secured, and everything that is known about them."""

    kafka: LocalKafka
    redis: LocalRedis
    certificates: Certificates
    folder: Path

    def settings(self, user: str, **changed: Any) -> Settings:
        """What a user of the installation with the default names sets; `changed` is what differs."""
        settings: dict[str, Any] = {
            "brokers": self.kafka.sasl_bootstrap,
            "kafka_security_protocol": "SASL_SSL",
            "kafka_username": user,
            "kafka_password": PASSWORDS[user],
            "kafka_sasl_mechanism": "PLAIN",
            "kafka_ssl_cafile": self.certificates.authority,
            "partitions": 2,
            "replication": 1,
        }
        return Settings(**(settings | changed))

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


async def grant(brokers: str) -> None:
    """Give every role the rights of the page, and each of those who lack one all others of their role."""
    async with administering(Settings(brokers=brokers)) as admin:
        for user, right in [*((right.role, right) for right in RIGHTS), *_all_but_one()]:
            pattern = _PREFIXED if right.name.endswith("*") else _LITERAL
            request = CreateAclsRequest(
                _RESOURCES[right.resource], right.name.rstrip("*"), pattern, f"User:{user}", "*", _OPERATIONS[right.operation], _ALLOW
            )
            answer: Any = await admin._send_to_controller(request)
            assert answer.creation_responses[0][0] == 0, answer


def _all_but_one() -> list[tuple[str, Right]]:
    return [(user, right) for user, lacks in LACKING.items() for right in RIGHTS if right.role == lacks.role and right != lacks]
