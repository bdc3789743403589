"""Topic names, the partition of a partner, and how each topic is to be created.

Every topic has the same number of partitions, and a partner's number is the same in all of them, so that one worker holds
all of a partner: its events, its state, its policy, its commands and its outputs.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from zlib import crc32

__all__ = ["BROADCAST", "UNASSIGNED", "Partitioner", "TopicSpec", "Topics", "partition_of"]

BROADCAST: Final = "*"
"""The key of what is written to every partition: shared policy parts and commands bound to no single partner."""

UNASSIGNED: Final = "unassigned"
"""The reserved partner of contacts that were lost before they were routed to anyone."""

_HOUR_MS: Final = 3_600_000
_DAY_MS: Final = 24 * _HOUR_MS


class Partitioner(StrEnum):
    """Which hash the producers of the input topics use to choose a partition."""

    MURMUR2 = "murmur2"
    """Java's default, and aiokafka's and kafka-python's."""
    CRC32 = "crc32"
    """librdkafka's default (`consistent`): Python's confluent-kafka, Go, .NET, Node."""


def _murmur2(data: bytes) -> int:
    """Kafka's murmur2 (org.apache.kafka.common.utils.Utils.murmur2) as an unsigned 32-bit number."""
    length, mixer, mask = len(data), 0x5BD1E995, 0xFFFFFFFF
    h = (0x9747B28C ^ length) & mask
    for at in range(0, length - length % 4, 4):
        k = int.from_bytes(data[at : at + 4], "little") * mixer & mask
        k = (k ^ (k >> 24)) * mixer & mask
        h = (h * mixer & mask) ^ k
    rest = data[length - length % 4 :]
    if rest:
        h = (h ^ int.from_bytes(rest, "little")) * mixer & mask
    h = (h ^ (h >> 13)) * mixer & mask
    return h ^ (h >> 15)


def partition_of(partner_id: str, partitions: int, partitioner: Partitioner = Partitioner.MURMUR2) -> int:
    """The partition number that holds `partner_id` in every topic."""
    key = partner_id.encode()
    if partitioner is Partitioner.CRC32:
        return crc32(key) % partitions
    return (_murmur2(key) & 0x7FFFFFFF) % partitions


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """A topic as it must exist: its name, who writes it, and its configuration as Kafka spells it."""

    name: str
    config: dict[str, str]
    what: str


_SMALL_SEGMENTS: Final = {"segment.bytes": str(16 << 20), "segment.ms": "60000", "min.cleanable.dirty.ratio": "0.1"}
_ONE_MB_AND_MORE: Final = {"max.message.bytes": str(6 << 20)}


@dataclass(frozen=True, slots=True)
class Topics:
    """The names of all topics, under an optional prefix so that several installations can share a cluster."""

    prefix: str = ""

    @property
    def interactions(self) -> str:
        return f"{self.prefix}cx.interactions"

    @property
    def surveys(self) -> str:
        return f"{self.prefix}cx.surveys"

    @property
    def sources(self) -> tuple[str, ...]:
        """The `cx.*` topics, in a fixed order: all of them are subscribed from the first release on."""
        return tuple(f"{self.prefix}cx.{name}" for name in ("interactions", "surveys", "quality", "workforce", "finance"))

    @property
    def commands(self) -> str:
        return f"{self.prefix}outwatch.commands"

    @property
    def policies(self) -> str:
        return f"{self.prefix}outwatch.policies"

    @property
    def subscribed(self) -> tuple[str, ...]:
        """Everything that the one agent reads."""
        return (*self.sources, self.commands, self.policies)

    @property
    def kpis(self) -> str:
        return f"{self.prefix}outwatch.kpis"

    @property
    def rollups_1d(self) -> str:
        return f"{self.prefix}outwatch.rollups.1d"

    @property
    def alerts(self) -> str:
        return f"{self.prefix}outwatch.alerts"

    @property
    def alerts_state(self) -> str:
        return f"{self.prefix}outwatch.alerts.state"

    @property
    def heartbeats(self) -> str:
        return f"{self.prefix}outwatch.heartbeats"

    @property
    def late(self) -> str:
        return f"{self.prefix}outwatch.late"

    @property
    def dead_letters(self) -> str:
        return f"{self.prefix}outwatch.dead-letters"

    def changelog(self, app_id: str) -> str:
        """The changelog of the state table, as Faust names it."""
        return f"{app_id}-state-changelog"

    def specs(self, app_id: str) -> tuple[TopicSpec, ...]:
        """Every topic with the configuration that `outwatch topics create` gives it."""

        def spec(name: str, what: str, cleanup: str, *, retention_ms: int | None = None, **config: str) -> TopicSpec:
            kept = {} if retention_ms is None else {"retention.ms": str(retention_ms)}
            more = {key.replace("_", "."): value for key, value in config.items()}
            return TopicSpec(name, {"cleanup.policy": cleanup, **kept, **more}, what)

        log_append = {"message_timestamp_type": "LogAppendTime", **{k.replace(".", "_"): v for k, v in _ONE_MB_AND_MORE.items()}}
        compacted = {k.replace(".", "_"): v for k, v in _SMALL_SEGMENTS.items()}
        outputs = {**compacted, "delete_retention_ms": str(_DAY_MS)}
        week, month, quarter, long = 7 * _DAY_MS, 30 * _DAY_MS, 90 * _DAY_MS, 760 * _DAY_MS
        inputs = [spec(name, "canonical events, key = partner", "delete", retention_ms=week, **log_append) for name in self.sources]
        return (
            *inputs,
            spec(self.commands, "what operators ask for", "delete", retention_ms=month, **log_append),
            spec(self.policies, "contracts, thresholds and rules by revision", "compact", **outputs, message_timestamp_type="LogAppendTime"),
            spec(self.kpis, "present figures a scope and window", "compact", **outputs),
            spec(self.rollups_1d, "closed days", "compact,delete", retention_ms=long, **outputs),
            spec(self.alerts, "every transition and the outcome of every command", "delete", retention_ms=long),
            spec(self.alerts_state, "the present state of each alert", "compact", **outputs),
            spec(self.heartbeats, "frontier of every partition every 5 s", "delete", retention_ms=_DAY_MS),
            spec(self.late, "records past the ledger, with the reason", "delete", retention_ms=quarter, **{"max_message_bytes": str(6 << 20)}),
            spec(self.dead_letters, "what could not be read, with the reason", "delete", retention_ms=quarter, **{"max_message_bytes": str(6 << 20)}),
            spec(self.changelog(app_id), "the state of the workers", "compact", **compacted, delete_retention_ms=str(_HOUR_MS)),
        )
