"""An engine on an in-memory log: sources that keep their records, and a changelog whose commits land whole or not at all."""

from collections.abc import Iterable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import orjson
from pydantic import BaseModel

from models.incidents import IncidentState
from models.notifications import Notification
from models.operation import Heartbeat
from models.policy import PartnerPart, SharedPart
from models.policy_record import CURRENT, encode_policy, policy_key
from models.policy_spec import RuleSpec
from models.records import AlertEvent, AlertState, KpiRecord, PeriodRecord, RollupMeasures, RollupRecord
from models.rule_base import RuleBase
from models.topics import BROADCAST, Topics
from streams.engine import Budget, Commit, Engine, EngineConfig, Limits, Output
from streams.trial.offline import Record

__all__ = ["CONFIG", "SECOND", "TOPICS", "Record", "Rig", "Row", "budget", "event", "limited", "partner_part", "rule", "shared_part"]

SECOND = 1000
TOPICS = Topics()
CONFIG = EngineConfig("app", "worker", TOPICS, partitions=1)

_MODELS: dict[str, type[BaseModel]] = {
    TOPICS.kpis: KpiRecord,
    TOPICS.rollups_1m: RollupMeasures,
    TOPICS.rollups_15m: RollupMeasures,
    TOPICS.rollups_1d: RollupRecord,
    TOPICS.periods: PeriodRecord,
    TOPICS.heartbeats: Heartbeat,
    TOPICS.alerts: AlertEvent,
    TOPICS.alerts_state: AlertState,
    TOPICS.incidents: IncidentState,
    TOPICS.notifications: Notification,
}


def event(kind: str, at_ms: int | str, identity: str, *, partner: str = "acme", **fields: Any) -> dict[str, Any]:
    """A canonical event as its producer would write it; each kind's required fields have a value."""
    needs: dict[str, dict[str, Any]] = {
        "contact.queued": {"contact_id": identity},
        "contact.answered": {"wait_seconds": 10.0},
        "contact.abandoned": {"wait_seconds": 10.0},
        "contact.completed": {"talk_seconds": 60.0},
        "contact.record": {"outcome": "answered", "wait_seconds": 10.0},
        **{f"ticket.{step}": {"contact_id": identity} for step in ("opened", "replied", "solved", "reopened")},
        "agent.state": {"agent_id": "ann", "state": "available"},
        "agent.scheduled": {"agent_id": "ann", "activity": "contacts"},
        "agent.joined": {"agent_id": "ann"},
        "agent.left": {"agent_id": "ann"},
        "training.due": {"agent_id": "ann", "course": "tone"},
        "training.done": {"agent_id": "ann", "course": "tone"},
        "survey.response": {"survey": "csat", "score": 5},
        "survey.invited": {"survey": "csat"},
        "quality.evaluated": {"points": 4.0, "points_possible": 5.0},
        "volume.forecast": {"offered": 10.0},
        **{f"{flow}.reported": {"amount": 100, "currency": "EUR"} for flow in ("cost", "revenue")},
    }
    return {"type": kind, "event_id": identity, "partner_id": partner, "occurred_at": at_ms} | needs.get(kind, {}) | fields


def rule(**changes: Any) -> RuleSpec:
    """A rule on the service level of the last 5 minutes that fires at once."""
    levels = [{"severity": "warning", "enter": 0.8, "exit": 0.83, "for": 0}]
    spec = {"id": "sl", "kpi": "service_level", "window": "5m", "direction": "below", "levels": levels, "recover_for": 0, "min_samples": 1}
    return RuleSpec.model_validate(spec | changes)


def shared_part(*rules: RuleBase, **fields: Any) -> SharedPart:
    return SharedPart(rules=rules, **fields)


def partner_part(identity: str = "acme", **fields: Any) -> PartnerPart:
    return PartnerPart(id=identity, name=identity.title(), **fields)


def budget(records: int = 10**6, size: int = 10**9) -> Budget:
    return Budget(records, size)


def _exhaust(steps: Iterator[None]) -> None:
    for _ in steps:
        pass


class Row(NamedTuple):
    """A record of the changelog."""

    key: bytes
    value: bytes | None


@dataclass
class Rig:
    """One partition number: what was sent, the engine that reads it, and what its commits wrote."""

    config: EngineConfig = CONFIG
    partition: int = 0
    now_ms: int = 0
    logs: dict[str, list[Record]] = field(default_factory=lambda: {topic: [] for topic in TOPICS.subscribed})
    changelog: dict[bytes, bytes] = field(default_factory=dict)
    written: list[Output] = field(default_factory=list)
    commits: list[Commit] = field(default_factory=list)
    engine: Engine = field(init=False)

    def __post_init__(self) -> None:
        self.engine = Engine(self.partition, self.config)

    def send(self, *events: dict[str, Any] | bytes | None, at_ms: int, topic: str = TOPICS.interactions, key: bytes | None = b"") -> None:
        """Append records that arrived at `at_ms`; the key is the event's partner unless it is given."""
        for each in events:
            own = each["partner_id"].encode() if isinstance(each, dict) and "partner_id" in each else None
            value = orjson.dumps(each) if isinstance(each, dict) else each
            self.append(topic, at_ms, own if key == b"" else key, value)

    def append(self, topic: str, at_ms: int, key: bytes | None, value: bytes | None) -> None:
        log = self.logs[topic]
        log.append(Record(topic, self.partition, len(log), at_ms, key, value))

    def policy(self, *parts: SharedPart | PartnerPart, at_ms: int) -> None:
        """Apply parts of a policy at once."""
        for part in parts:
            name = part.id if isinstance(part, PartnerPart) else BROADCAST
            self.append(TOPICS.policies, at_ms, policy_key(name, CURRENT), encode_policy(part, at_ms).model_dump_json().encode())
        self.poll(TOPICS.policies)

    def drop(self, partner: str, at_ms: int) -> None:
        """The policy no longer names the partner."""
        self.append(TOPICS.policies, at_ms, policy_key(partner, CURRENT), None)
        self.poll(TOPICS.policies)

    def steps(self, topic: str, until: int | None = None) -> Iterator[None]:
        """Apply one run: what stands in the topic's log and was not applied, up to the offset `until`."""
        follows = self.engine.applied.get(topic, 0)
        records = self.logs[topic][follows:until]
        if records:
            self.now_ms = max(self.now_ms, records[-1].timestamp)
            yield from self.engine.apply(topic, follows, records, self.now_ms)

    def poll(self, topic: str = TOPICS.interactions, until: int | None = None) -> None:
        _exhaust(self.steps(topic, until))

    def idle(self, at_ms: int, *topics: str) -> None:
        """The broker has nothing more of these topics (default: all) before `at_ms`."""
        self.now_ms = max(self.now_ms, at_ms)
        for topic in topics or TOPICS.subscribed:
            self.engine.idle(topic, at_ms)
        _exhaust(self.engine.advance())

    def to(self, at_ms: int) -> list[Output]:
        """Read everything that was sent, let time pass up to `at_ms`, and commit; what was written."""
        for topic in TOPICS.subscribed:
            self.poll(topic)
        self.idle(at_ms)
        return self.commit()

    def commit(self, allowed: Budget | None = None, *, lands: bool = True) -> list[Output]:
        """One transaction at the present wall time; unless it `lands`, its worker is gone and the next one reads the log."""
        commit = self.engine.drain(self.now_ms, allowed or budget())
        if not lands:
            self.crash()
            return []
        if commit is None:
            return []
        for key, value in commit.rows:
            assert value is None or len(value) <= 256 * 1024, "a chunk ends at 256 kB"
            if value is None:
                self.changelog.pop(key, None)
            else:
                self.changelog[key] = value
        self.written += commit.records
        self.commits.append(commit)
        return commit.records

    def crash(self) -> None:
        """Another worker rebuilds the engine from the changelog alone."""
        self.engine = self.rebuilt()

    def rebuilt(self) -> Engine:
        engine = Engine(self.partition, self.config)
        engine.load(Row(*row) for row in sorted(self.changelog.items(), key=lambda row: hash(row[0])))
        engine.loaded()
        return engine

    def snapshot(self) -> dict[str, Any]:
        return deepcopy(self.engine.snapshot())

    def bodies(self, topic: str, outputs: Iterable[Output] | None = None) -> list[dict[str, Any]]:
        """The records of a topic, each held against its model; tombstones and outcomes of commands left out."""
        found = [each for each in (self.written if outputs is None else outputs) if each.topic == topic and each.value is not None]
        decoded = []
        for each in found:
            if ("ce_type", b"outwatch.command.outcome") in each.headers:
                continue
            _MODELS[topic].model_validate_json(each.value or b"")
            decoded.append(orjson.loads(each.value or b""))
        return decoded

    def figures(self, outputs: Iterable[Output] | None = None) -> dict[str, dict[str, Any]]:
        """The compacted `outwatch.kpis`: by key, the present record."""
        return {key: value for key, value in self.compacted(TOPICS.kpis, outputs).items() if value is not None}

    def compacted(self, topic: str, outputs: Iterable[Output] | None = None) -> dict[str, Any]:
        """By key the newest record of a topic, None for a tombstone; those of closed stretches are left out."""
        found: dict[str, Any] = {}
        for each in self.written if outputs is None else outputs:
            if each.topic == topic:
                assert each.key is not None
                found[each.key.decode()] = None if each.value is None else orjson.loads(each.value)
        return {key: body for key, body in found.items() if body is not None} if ".rollups." in topic else found

    def alerts(self) -> list[tuple[str, str, int, str]]:
        """Every transition as (scope, kind, grid point, id), but that a past was caught up on: how far behind a rig reads is no matter."""
        bodies = [each for each in self.bodies(TOPICS.alerts) if not each["transition"]["reason"].endswith("no longer late")]
        return [(each["scope"], each["transition"]["kind"], each["evaluated_at"], each["id"]) for each in bodies]

    def kinds(self) -> list[str]:
        return [each[1] for each in self.alerts()]

    def letters(self, topic: str = TOPICS.dead_letters) -> list[tuple[str, int]]:
        """The reason and the source offset of every dead letter, or late record."""
        prefix = "late" if topic == TOPICS.late else "dlq"
        headers = [dict(each.headers) for each in self.written if each.topic == topic]
        return [(each[f"{prefix}.reason"].decode(), int(each[f"{prefix}.offset"])) for each in headers]


def limited(**limits: int) -> EngineConfig:
    """The configuration with some limits of its own."""
    return replace(CONFIG, limits=replace(Limits(), **limits))
