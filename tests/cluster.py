"""Three brokers of Apache Kafka, each a controller too: one may be away, and nothing is lost.

Some 1.2 GB of memory, and 15 s to start on two cores.
"""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient

from models.settings import Settings
from streams.local.kafka import LocalKafka
from streams.local.service import HOST, free_port
from tests.workers import administering

__all__ = ["Cluster"]

# Every record is on two brokers before it is acknowledged, those of transactions and of groups too.
_REPLICATED = """\
min.insync.replicas=2
default.replication.factor=3
offsets.topic.replication.factor=3
transaction.state.log.replication.factor=3
transaction.state.log.min.isr=2
controlled.shutdown.enable=true
"""


class Member(LocalKafka):
    """One of them."""

    def __init__(self, data_dir: Path, node: int, controllers: dict[int, int]) -> None:
        super().__init__(data_dir)
        self._node = node
        self._controllers = controllers

    def _more_properties(self) -> str:
        voters = ",".join(f"{node}@{HOST}:{port}" for node, port in self._controllers.items())
        listeners = f"PLAINTEXT://{HOST}:{self.port},CONTROLLER://{HOST}:{self._controllers[self._node]}"
        return f"node.id={self._node}\ncontroller.quorum.voters={voters}\nlisteners={listeners}\n{_REPLICATED}"


class Cluster:
    """Started and killed as a whole; `members` are by node id."""

    name = "kafka cluster"

    def __init__(self, data_dir: Path) -> None:
        controllers: dict[int, int] = {}
        while len(controllers) < 3:
            port = free_port()
            if port not in controllers.values():
                controllers[len(controllers) + 1] = port
        self.members = {node: Member(data_dir / f"kafka-{node}", node, controllers) for node in controllers}

    def start(self) -> None:
        """Start all side by side: none is ready without another."""
        try:
            with ThreadPoolExecutor() as pool:
                list(pool.map(LocalKafka.start, self.members.values()))
        except BaseException:
            self.kill()
            raise

    def kill(self) -> None:
        """End all of them by SIGKILL."""
        for member in self.members.values():
            member.kill()

    @property
    def bootstrap(self) -> str:
        """Where clients begin."""
        return ",".join(member.bootstrap for member in self.members.values())

    async def leader(self, settings: Settings, topic: str, partition: int) -> Member:
        """Who leads a partition now."""
        async with administering(settings) as admin:
            (found,) = [each for each in await _partitions(admin, topic) if each["partition"] == partition]
        return self.members[found["leader"]]

    async def in_sync(self, settings: Settings, *topics: str) -> bool:
        """Whether every replica of these topics is in sync."""
        async with administering(settings) as admin:
            found = [each for topic in topics for each in await _partitions(admin, topic)]
        return all(len(each["isr"]) == len(self.members) for each in found)


async def _partitions(admin: AIOKafkaAdminClient, topic: str) -> list[dict[str, Any]]:
    (described,) = await admin.describe_topics([topic])
    return list(described["partitions"])
