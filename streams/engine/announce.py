"""Announcing: what became of conditions, as rows of the state and records for readers, and the heartbeat."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from alerts.aside import NOTHING
from alerts.condition import Phase
from alerts.events import Context, alert_event, alert_state
from streams.engine import rows
from streams.engine.beside import LATE_MS
from streams.engine.config import EngineConfig
from streams.engine.judge import Judged
from streams.engine.output import Output, cloudevent
from streams.engine.partner import Partner
from streams.engine.publish import Moment
from streams.engine.state import State

__all__ = ["Announced", "Announcer", "Verdict"]

_CADENCE_SECONDS: Final = 5.0


class Verdict(NamedTuple):
    """What became of one condition, and when."""

    partner: Partner
    judged: Judged
    at_ms: int
    """The grid point."""
    frontier_ms: int
    offsets: dict[str, int]


class Announced(NamedTuple):
    """For one commit."""

    rows: list[tuple[bytes, bytes | None]]
    records: list[Output]
    transitions: list[dict[str, str]]


class Announcer:
    """Of one engine."""

    def __init__(self, config: EngineConfig) -> None:
        self._config = config

    def announce(self, verdicts: Sequence[Verdict], moment: Moment) -> Announced:
        """Every change as an event; of each condition the last state, as a row and a record."""
        topics, source = self._config.topics, self._config.source
        kept: dict[bytes, bytes | None] = {}
        states: dict[str, Output] = {}
        events: list[Output] = []
        transitions: list[dict[str, str]] = []
        for verdict in verdicts:
            partner, (rule, scope, condition, changes, aside, former), at_ms, frontier_ms, offsets = verdict
            late = not self._config.clock_from_log and moment.now_ms - at_ms > LATE_MS
            policy, failed = partner.policy, partner.failures.raised
            context = Context(policy.name, frontier_ms, moment.now_ms, moment.revision, late, offsets, policy.criticality, failed)
            for change in changes:
                body = alert_event(rule, change, context, aside)
                events.append(cloudevent(topics.alerts, "alert", source, partner.id, partner.id, body["id"], body))
                where = {"partner": partner.id, "scope": str(scope), "rule": condition.rule_id}
                transitions.append(where | body["transition"])
            fingerprint = condition.fingerprint
            kept[rows.key("alert", fingerprint)] = None if condition.blank else rows.pack(condition.to_row())
            if aside != former:
                kept[rows.key("aside", fingerprint)] = None if aside == NOTHING else rows.pack(aside.to_row(condition))
            if changes or (condition.phase is not Phase.OK and condition.evidence is not None):
                state = None if condition.phase is Phase.OK else alert_state(rule, condition, context, at_ms, aside)
                identity = f"{fingerprint}@{moment.revision}"
                states[fingerprint] = cloudevent(topics.alerts_state, "alert.state", source, partner.id, fingerprint, identity, state)
        return Announced(list(kept.items()), [*events, *states.values()], transitions)

    def heartbeat(self, state: State, moment: Moment, waited_ms: int) -> Output:
        """That the partition lives, how far it is, and what it counted."""
        partition = str(state.partition)
        body = {
            "partition": state.partition,
            "frontier": moment.frontier_ms,
            "as_of": moment.now_ms,
            "revision": moment.revision,
            "evaluated_to": moment.settled_ms(state.policies.settle_ms),
            "worker": self._config.worker,
            "offsets": state.applied,
            "counters": {name: count for name, count in sorted(state.counters.items()) if count},
            "cadence_seconds": _CADENCE_SECONDS + waited_ms / 1000,
        }
        if alive := state.sources.of_contacts(moment.frontier_ms):
            body["sources"] = alive
        identity = f"{partition}@{moment.revision}"
        return cloudevent(self._config.topics.heartbeats, "heartbeat", self._config.source, partition, partition, identity, body)
