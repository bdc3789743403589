"""How this installation is set up: every setting is an environment variable that begins with `OUTWATCH_`."""

import os
import socket
from typing import Annotated, Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from models.topics import Partitioner, Topics

__all__ = ["PREFIX", "Settings", "settings_table"]

PREFIX = "OUTWATCH_"

TopicName = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,200}$")]


def _worker_name() -> str:
    return f"{socket.gethostname()}-{os.getpid()}"


class Settings(BaseSettings):
    """Validated once, at the start of a process; `Settings()` reads the environment.

    Raises:
        pydantic.ValidationError: if a variable does not hold; the error names the field.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid")

    brokers: str = Field(default="127.0.0.1:9092", min_length=1, description="Kafka brokers to start from, host:port, separated by commas.")
    redis_url: str = Field(
        default="redis://127.0.0.1:6379/0",
        pattern=r"^(redis|rediss|unix)://",
        description="The Redis that holds the view: redis://, rediss:// (TLS) or unix://.",
    )
    app_id: TopicName = Field(
        default="outwatch",
        description="Names the consumer group, the state and the view. Another id starts from nothing beside the first.",
    )
    topic_prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{0,60}$")] = Field(
        default="", description="Goes before every topic name, so that installations can share a cluster."
    )
    partitions: int = Field(
        default=24, ge=1, le=1000, description="Partitions of every topic. Fixed for life: a partner's number depends on it."
    )
    replication: int = Field(
        default=-1, ge=-1, le=32, description="Replicas of each topic that `outwatch topics create` makes; -1 is the cluster's own default."
    )
    partitioner: Partitioner = Field(
        default=Partitioner.MURMUR2,
        description="The hash of the producers of the input topics: murmur2 (Java, aiokafka) or crc32 (librdkafka).",
    )
    clock: Literal["wall", "log"] = Field(
        default="wall",
        description="What moves stream time: wall is arrival in Kafka; log is `clock.advanced` records only (replay, demo, simulation).",
    )
    worker: str = Field(
        default_factory=_worker_name,
        min_length=1,
        max_length=200,
        description="The name of this worker in heartbeats and logs; by default host and process.",
    )
    commit_interval_seconds: float = Field(
        default=1.0, ge=0.05, le=60, description="Time between two transactions of a partition; a transition goes at once."
    )
    session_timeout_seconds: float = Field(
        default=12.0,
        ge=6,
        le=300,
        description="A worker that is silent for this long loses its partitions to the others: the length of a takeover.",
    )
    max_records_per_second: int = Field(
        default=2000, ge=1, le=1_000_000, description="Records that a worker publishes at most; the partners' own come first."
    )
    max_bytes_per_second: int = Field(default=5_000_000, ge=10_000, le=1_000_000_000, description="Bytes that a worker publishes at most.")

    @property
    def topics(self) -> Topics:
        """The names of this installation's topics."""
        return Topics(self.topic_prefix)


def settings_table() -> str:
    """All settings as a Markdown table, for the README."""
    rows = ["| variable | default | what |", "| --- | --- | --- |"]
    for name, field in Settings.model_fields.items():
        default = "host and process" if field.default_factory else f"`{field.default}`" if field.default != "" else "none"
        rows.append(f"| `{PREFIX}{name.upper()}` | {default} | {field.description} |")
    return "\n".join(rows) + "\n"
