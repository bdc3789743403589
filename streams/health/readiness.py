"""Whether a worker serves what it was given, and why not. Pure."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import NamedTuple

from streams.engine import SourceSign

__all__ = ["Note", "Noted", "Obstacle", "Unready", "notes", "obstacles"]


class Unready(StrEnum):
    """Why a process is not ready."""

    JOINING = "joining"
    """It is not in the group yet, or is leaving it."""
    REBALANCING = "rebalancing"
    """Partitions are being shared out, or what was assigned is being recovered."""
    REFUSED = "refused"
    """A partition is not processed: its state or its sources cannot be gone on with."""
    NO_VIEW = "no_view"
    """The projector has not found, or has lost, its place in the view: Redis or Kafka does not answer, or it was flushed."""
    BLIND = "blind"
    """The auditor has not read the topics to their end of late: Kafka does not answer."""


class Obstacle(NamedTuple):
    """One reason, and what a person wants to know of it."""

    reason: Unready
    detail: str


class Noted(StrEnum):
    """What an operator wants to know of a process that is ready."""

    SOURCE_SILENT = "source_silent"
    """What brings events has stopped saying that it lives."""
    NO_SECRET = "no_secret"  # noqa: S105 - a reason
    """A page could not be made, since a secret that its receiver names is not in the notifier's folder."""
    AUDIT_FAILS = "audit_fails"
    """Something that must be true of the installation is not; docs/audit.md."""


class Note(NamedTuple):
    """One of these, and what a person wants to know of it."""

    reason: Noted
    detail: str


def notes(signs: Iterable[tuple[int, SourceSign]]) -> list[Note]:
    """What the sources that say that they live, each with its partition number, have an operator know."""
    silent: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for number, sign in signs:
        if not sign.lives:
            silent.setdefault((sign.topic, sign.name), []).append((number, sign.last_ms))
    return [Note(Noted.SOURCE_SILENT, _silent(topic, name, found)) for (topic, name), found in sorted(silent.items())]


def _silent(topic: str, name: str, found: list[tuple[int, int]]) -> str:
    last = datetime.fromtimestamp(max(last_ms for _, last_ms in found) / 1000, UTC)
    where = f"partition{'s' * (len(found) > 1)} {', '.join(str(number) for number, _ in sorted(found))}"
    return f"{topic}, {where}: source {name or '(without a name)'} last said that it lives at {last:%Y-%m-%d %H:%M:%S} UTC"


def obstacles(*, rebalancing: bool, accepting: bool, refused: Mapping[int, str]) -> list[Obstacle]:
    """What keeps a worker from being ready; nothing where it has no partitions, since it is there to take some over."""
    found = [Obstacle(Unready.REFUSED, f"partition {number}: {why}") for number, why in sorted(refused.items())]
    if rebalancing:
        found.append(Obstacle(Unready.REBALANCING, "partitions are shared out or recovered"))
    elif not accepting:
        found.append(Obstacle(Unready.JOINING, "no partitions were assigned yet, or they were given back"))
    return found
