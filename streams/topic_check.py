"""What is wrong with the topics of a cluster, and the command that puts it right. Pure: `streams.admin` asks the cluster."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from models.topics import TopicSpec

__all__ = ["Finding", "FoundTopic", "Level", "check_topics", "grown"]

CREATE: Final = "outwatch topics create"
_GROW: Final = (
    "a new installation: another OUTWATCH_APP_ID and OUTWATCH_TOPIC_PREFIX, OUTWATCH_PARTITIONS as wished,"
    " outwatch topics create && outwatch topics copy --from-prefix OLD   (docs/upgrades.md)"
)

_TOMBSTONES: Final = "delete.retention.ms"
_SLOWER_IF_LARGER: Final = ("segment.bytes", "segment.ms", "min.cleanable.dirty.ratio", _TOMBSTONES)


class Level(StrEnum):
    """Whether a worker may start."""

    PROBLEM = "problem"
    """It may not: figures would be wrong or lost."""
    REMARK = "remark"
    """It may, and this is worth knowing."""


@dataclass(frozen=True, slots=True)
class FoundTopic:
    """A topic as the cluster has it; `config` as Kafka spells it, with the cluster's defaults filled in."""

    partitions: int
    config: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be, and the exact command that changes it."""

    topic: str
    level: Level
    message: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.level}: {self.topic}: {self.message}; remedy: {self.remedy}"


def check_topics(specs: Sequence[TopicSpec], found: Mapping[str, FoundTopic], partitions: int, brokers: str) -> list[Finding]:
    """Hold what the cluster has against what it must have; problems come first.

    Args:
        specs: the topics that must exist.
        found: what the cluster has, by name; others than ours do no harm.
        partitions: the number that the settings name.
        brokers: for the commands of the remedies.
    """
    findings = list(_partition_findings(specs, found, partitions, brokers))
    for spec in specs:
        topic = found.get(spec.name)
        if topic is None:
            findings.append(Finding(spec.name, Level.PROBLEM, "does not exist", CREATE))
        else:
            findings.extend(_config_findings(spec, topic.config, brokers))
    return sorted(findings, key=lambda finding: finding.level is Level.REMARK)


def _partition_findings(specs: Sequence[TopicSpec], found: Mapping[str, FoundTopic], partitions: int, brokers: str) -> Iterator[Finding]:
    numbers = {spec.name: found[spec.name].partitions for spec in specs if spec.name in found}
    usual = Counter(numbers.values()).most_common(1)
    if len(set(numbers.values())) == 1 and usual[0][0] != partitions:
        number = usual[0][0]
        message = f"all topics that exist have {number} partitions, and the setting says {partitions}; the number is fixed for life"
        remedy = f"export OUTWATCH_PARTITIONS={number}"
        if number > partitions:
            message = f"{message}: the setting is wrong, or all of them were grown, and partners are apart from their state"
            remedy = f"{remedy} if they were created with {number}; if they were grown from {partitions}, {_GROW}"
        yield Finding(next(iter(numbers)), Level.PROBLEM, message, remedy)
        return
    # Adding partitions would move partners away from their state, so only a new topic will do.
    for name, number in numbers.items():
        if number < partitions:
            delete = f"kafka-topics.sh --bootstrap-server {brokers} --delete --topic {name} && {CREATE}   (its records are lost)"
            yield Finding(name, Level.PROBLEM, _apart(number, partitions), delete)
    yield from grown(numbers, partitions)


def grown(numbers: Mapping[str, int], partitions: int) -> list[Finding]:
    """The topics that have more partitions than they must have, which a worker that runs may come upon at any time.

    Args:
        numbers: how many partitions each has.
        partitions: the number that the settings name.
    """
    return [Finding(name, Level.PROBLEM, _apart(number, partitions), _GROW) for name, number in numbers.items() if number > partitions]


def _apart(number: int, partitions: int) -> str:
    return f"has {number} partitions instead of {partitions}, so a partner would not have one number in all topics"


def _config_findings(spec: TopicSpec, config: Mapping[str, str], brokers: str) -> Iterator[Finding]:
    def finding(level: Level, message: str, *keys: str) -> Finding:
        return Finding(spec.name, level, message, _alter_command(spec, keys, brokers))

    wanted, has = spec.config["cleanup.policy"], config.get("cleanup.policy", "delete")
    if set(wanted.split(",")) != set(has.split(",")):
        yield finding(Level.PROBLEM, f"has cleanup.policy {has} instead of {wanted}", "cleanup.policy")
    if "max.message.bytes" in spec.config and int(config.get("max.message.bytes", 0)) < int(spec.config["max.message.bytes"]):
        message = f"refuses records over {config.get('max.message.bytes')} bytes"
        yield finding(Level.PROBLEM, message, "max.message.bytes")
    if spec.config.get("message.timestamp.type", has := config.get("message.timestamp.type", "CreateTime")) != has:
        message = f"has {has}: arrival is what the producers' clocks say, capped at now"
        yield finding(Level.REMARK, message, "message.timestamp.type")
    if float(has := config.get(_TOMBSTONES, "inf")) < float(spec.config.get(_TOMBSTONES, 0)):
        message = f"forgets after {has} ms that a row is gone: who takes longer to read it from the start brings the row back"
        yield finding(Level.PROBLEM, message, _TOMBSTONES)
    larger = [key for key in _SLOWER_IF_LARGER if key in spec.config and float(config.get(key, "inf")) > float(spec.config[key])]
    if larger:
        had = ", ".join(f"{key} {config.get(key)} instead of {spec.config[key]}" for key in larger)
        yield finding(Level.REMARK, f"is compacted late ({had}): whoever reads it from the start reads more", *larger)


def _alter_command(spec: TopicSpec, keys: Sequence[str], brokers: str) -> str:
    # The tool takes a value with commas in it only between brackets.
    values = ",".join(f"{key}=[{spec.config[key]}]" if "," in spec.config[key] else f"{key}={spec.config[key]}" for key in keys)
    return f"kafka-configs.sh --bootstrap-server {brokers} --alter --entity-type topics --entity-name {spec.name} --add-config '{values}'"
