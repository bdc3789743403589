"""Topic names, the partition of a partner, and how each topic is to be created.

Every topic has the same number of partitions, and a partner's number is the same in all of them, so that one worker holds
all of a partner: its events, its state, its policy, its commands and its outputs.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from zlib import crc32

__all__ = [
    "BROADCAST",
    "MINUTES_KEPT_MS",
    "QUARTERS_KEPT_MS",
    "TOMBSTONES_KEPT_MS",
    "UNASSIGNED",
    "Partitioner",
    "TopicSpec",
    "Topics",
    "partition_of",
]

BROADCAST: Final = "*"
"""The key of what is written to every partition: shared policy parts and commands bound to no single partner."""

UNASSIGNED: Final = "unassigned"
"""The reserved partner of contacts that were lost before they were routed to anyone."""

_DAY_MS: Final = 24 * 3_600_000

MINUTES_KEPT_MS: Final = 2 * _DAY_MS
"""How long the records of closed minutes are kept."""

QUARTERS_KEPT_MS: Final = 90 * _DAY_MS
"""How long the records of closed quarter hours are kept."""

TOMBSTONES_KEPT_MS: Final = 5 * 60_000
"""How long the changelog says that a row is gone: a worker that took longer to read it would bring rows back, and each start reads all."""


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

    @property
    def retention_ms(self) -> int | None:
        """How long it keeps a record at least; None where the newest of a key is kept for ever."""
        return int(self.config["retention.ms"]) if "delete" in self.config["cleanup.policy"] else None


def _kept(days: int) -> dict[str, str]:
    return {"cleanup.policy": "delete", "retention.ms": str(days * _DAY_MS)}


_BROKERS_TIME: Final = {"message.timestamp.type": "LogAppendTime"}
_LARGE: Final = {"max.message.bytes": str(6 << 20)}
_CHANGELOG: Final = {
    "cleanup.policy": "compact",
    "segment.bytes": str(16 << 20),
    "segment.ms": "60000",
    "min.cleanable.dirty.ratio": "0.1",
    "delete.retention.ms": str(TOMBSTONES_KEPT_MS),
}
_COMPACTED: Final = {**_CHANGELOG, "delete.retention.ms": str(_DAY_MS)}


@dataclass(frozen=True, slots=True)
class Topics:
    """The names of all topics, under an optional prefix so that several installations can share a cluster."""

    prefix: str = ""

    @property
    def interactions(self) -> str:
        """Contacts, and the clock records of their writers."""
        return f"{self.prefix}cx.interactions"

    @property
    def surveys(self) -> str:
        """Invitations and answers."""
        return f"{self.prefix}cx.surveys"

    @property
    def quality(self) -> str:
        """Evaluations of contacts."""
        return f"{self.prefix}cx.quality"

    @property
    def workforce(self) -> str:
        """Forecasts, what agents do, their schedules, service and courses."""
        return f"{self.prefix}cx.workforce"

    @property
    def finance(self) -> str:
        """Costs and revenues of periods."""
        return f"{self.prefix}cx.finance"

    @property
    def sources(self) -> tuple[str, ...]:
        """The `cx.*` topics, in a fixed order: all of them are subscribed from the first release on."""
        return tuple(f"{self.prefix}cx.{name}" for name in ("interactions", "surveys", "quality", "workforce", "finance"))

    @property
    def commands(self) -> str:
        """What operators ask for; key partner, or `*` in every partition."""
        return f"{self.prefix}outwatch.commands"

    @property
    def policies(self) -> str:
        """Keys partner/revision and partner/current, or `*` in every partition."""
        return f"{self.prefix}outwatch.policies"

    @property
    def subscribed(self) -> tuple[str, ...]:
        """Everything that the one agent reads."""
        return (*self.sources, self.commands, self.policies)

    @property
    def kpis(self) -> str:
        """Key partner/scope/window."""
        return f"{self.prefix}outwatch.kpis"

    @property
    def rollups_1m(self) -> str:
        """Key partner/scope/start."""
        return f"{self.prefix}outwatch.rollups.1m"

    @property
    def rollups_15m(self) -> str:
        """Key partner/scope/start."""
        return f"{self.prefix}outwatch.rollups.15m"

    @property
    def rollups_1d(self) -> str:
        """Key partner/scope/date."""
        return f"{self.prefix}outwatch.rollups.1d"

    @property
    def periods(self) -> str:
        """Key partner/scope/start-end."""
        return f"{self.prefix}outwatch.periods"

    @property
    def alerts(self) -> str:
        """Key partner."""
        return f"{self.prefix}outwatch.alerts"

    @property
    def alerts_state(self) -> str:
        """Key fingerprint; silence/ID, annotation/ID and override/ID (`models.notices`)."""
        return f"{self.prefix}outwatch.alerts.state"

    @property
    def incidents(self) -> str:
        """Key incident."""
        return f"{self.prefix}outwatch.incidents"

    @property
    def notifications(self) -> str:
        """Key incident."""
        return f"{self.prefix}outwatch.notifications"

    @property
    def heartbeats(self) -> str:
        """Key partition."""
        return f"{self.prefix}outwatch.heartbeats"

    @property
    def late(self) -> str:
        """Key and value of the source record."""
        return f"{self.prefix}outwatch.late"

    @property
    def dead_letters(self) -> str:
        """Key and value of the source record, with where it was and why in the headers."""
        return f"{self.prefix}outwatch.dead-letters"

    def changelog(self, app_id: str) -> str:
        """The changelog of the state table, as Faust names it."""
        return f"{app_id}-state-changelog"

    def specs(self, app_id: str) -> tuple[TopicSpec, ...]:
        """Every topic with the configuration that `outwatch topics create` gives it."""
        source = {**_kept(7), **_BROKERS_TIME, **_LARGE}
        minutes, quarters, days = (
            {**_COMPACTED, **_kept(kept), "cleanup.policy": "compact,delete"}
            for kept in (MINUTES_KEPT_MS // _DAY_MS, QUARTERS_KEPT_MS // _DAY_MS, 760)
        )
        return (
            *(TopicSpec(name, source, "canonical events, key = partner") for name in self.sources),
            TopicSpec(self.commands, {**_kept(30), **_BROKERS_TIME, **_LARGE}, "what operators ask for"),
            TopicSpec(self.policies, {**_COMPACTED, **_BROKERS_TIME}, "contracts, thresholds and rules by revision"),
            TopicSpec(self.kpis, _COMPACTED, "present figures a scope and window"),
            TopicSpec(self.rollups_1m, minutes, "closed minutes"),
            TopicSpec(self.rollups_15m, quarters, "closed quarter hours"),
            TopicSpec(self.rollups_1d, days, "closed days"),
            TopicSpec(self.periods, days, "money of reported periods"),
            TopicSpec(self.alerts, _kept(760), "every transition and the outcome of every command"),
            TopicSpec(self.alerts_state, _COMPACTED, "the present state of each alert, silence, annotation and override"),
            TopicSpec(self.incidents, _COMPACTED, "the present state of each incident"),
            TopicSpec(self.notifications, _kept(7), "what the notifier is to send"),
            TopicSpec(self.heartbeats, _kept(1), "frontier of every partition every 5 s"),
            TopicSpec(self.late, {**_kept(90), **_LARGE}, "records past the ledger, with the reason"),
            TopicSpec(self.dead_letters, {**_kept(90), **_LARGE}, "what could not be read, with the reason"),
            TopicSpec(self.changelog(app_id), _CHANGELOG, "the state of the workers"),
        )
