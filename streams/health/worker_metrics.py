"""A worker's metrics. Nothing of it lies on the way of an event: counters move when a commit is through, gauges when they are asked for.

The engine's counters are totals since the state began and move with the partition from worker to worker. What is exported is what
*this process committed* since it started: an event counts in exactly one worker, whatever died in between, so sums over workers
need no care, and a new process begins at 0 as Prometheus expects. The totals since the state began stand in the heartbeats.
"""

from collections import Counter as Tally
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from prometheus_client import Counter

from streams.engine import Commit, Sizes, SourceSign
from streams.health.catalogue import Catalogue

__all__ = ["COUNTED", "Arrivals", "Look", "WorkerMetrics"]

_FAST: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_SLOW: Final = (0.1, 0.25, 0.5, 1.0, 1.5, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 7200.0)

COUNTED: Final = {
    "events": ("outwatch_events", "Events counted.", None),
    "duplicates": ("outwatch_duplicates", "Events whose id was counted already.", None),
    "dead_letters": (
        "outwatch_dead_letters",
        "Records that went to the dead letters; the reasons are those of `models/reasons.py`.",
        "reason",
    ),
    "late": ("outwatch_late", "Records past the ledger, which went to `outwatch.late`.", "reason"),
    "misrouted": ("outwatch_misrouted", "Records in another partition than their partner's, by source topic.", "topic"),
    "late_corrections": ("outwatch_late_corrections", "Events that corrected a closed pane.", None),
    "commands": ("outwatch_commands", "Commands read.", None),
    "commands_failed": ("outwatch_commands_failed", "Commands at which our own code raised; all others went on.", None),
    "commands_forgotten_early": (
        "outwatch_commands_forgotten_early",
        "Commands that would be done again if they came again within a day, over the limit of a partition.",
        None,
    ),
    "incidents_opened": ("outwatch_incidents_opened", "Incidents that began.", None),
    "incidents_dropped": ("outwatch_incidents_dropped", "Alerts that opened no incident, over the limit of a partition.", None),
    "incidents_forgotten_early": (
        "outwatch_incidents_forgotten_early",
        "Incidents forgotten before 8 days after their end, over the limit of a partition.",
        None,
    ),
    "notifications": ("outwatch_notifications", "Notifications that the notifier is to send.", None),
    "empty_shifts": ("outwatch_empty_shifts", "Targets of escalation steps that meant nobody when they were due.", None),
    "rules_failed": (
        "outwatch_rules_failed",
        "Times that judging a rule, telling or holding back its alert, or following its incidents raised; all others went on.",
        None,
    ),
    "policies_refused": ("outwatch_policies_refused", "Policy records that could not be read; the last good ones stay.", None),
    "contacts_expired": ("outwatch_contacts_expired", "Waiting contacts whose end never came, taken off after their expiry.", None),
    "contacts_dropped": ("outwatch_contacts_dropped", "Waiting contacts not kept, over the limit of a partition.", None),
    "tickets_expired": ("outwatch_tickets_expired", "Open tickets that were never solved, taken off after their expiry.", None),
    "tickets_dropped": ("outwatch_tickets_dropped", "Events of tickets not kept, over the limits of a partition or ticket.", None),
    "tickets_not_recounted": ("outwatch_tickets_not_recounted", "Counts of tickets not corrected, their day being cut anew.", None),
    "records_restated": ("outwatch_records_restated", "Contact records that replaced an older one of their contact.", None),
    "records_outdated": ("outwatch_records_outdated", "Contact records ignored, a newer one of their contact being counted.", None),
    "records_forgotten_early": (
        "outwatch_records_forgotten_early",
        "Contact records that nothing can replace any more, over the limit of a partition.",
        None,
    ),
    "records_not_recounted": ("outwatch_records_not_recounted", "Counts of contact records not replaced, their day being cut anew.", None),
    "forecasts_dropped": ("outwatch_forecasts_dropped", "Forecasts not kept, over the limit of a partition.", None),
    "forecasts_outdated": ("outwatch_forecasts_outdated", "Forecasts that came after a newer one of their interval.", None),
    "agents_expired": ("outwatch_agents_expired", "States of agents whose end never came, ended by their expiry.", None),
    "agents_dropped": ("outwatch_agents_dropped", "Events of agents not kept, over the limits of a partner or agent.", None),
    "agents_not_recounted": ("outwatch_agents_not_recounted", "Counts of agents not corrected, their day being cut anew.", None),
    "facts_dropped": ("outwatch_facts_dropped", "Amounts of periods not kept, over the limit of a partition.", None),
    "facts_outdated": ("outwatch_facts_outdated", "Amounts no newer than what was known of their period and line.", None),
    "visits_late": ("outwatch_visits_late", "Contacts of known customers over 48 h late, left out of repeats, or left in them.", None),
    "visits_forgotten_early": ("outwatch_visits_forgotten_early", "Contacts of known customers forgotten early, over the limits.", None),
    "visits_not_recounted": ("outwatch_visits_not_recounted", "Counts of repeats not replaced, their day being cut anew.", None),
    "profile_weeks_dropped": ("outwatch_profile_weeks_dropped", "Weeks of an hour that a partner's profile had no room for.", None),
    "cells_folded": ("outwatch_cells_folded", "Queues and channels counted as `other`, over the limit of a partner.", None),
    "source_gaps": ("outwatch_source_gaps", "Times that a source which says that it lives had not for 90 s, and did again.", None),
    "sources_dropped": ("outwatch_sources_dropped", "Signs of life of sources not kept, over the limit of a partition.", None),
    "seen_ids_forgotten_early": ("outwatch_seen_ids_forgotten_early", "Event ids forgotten before 15 minutes, over the limit.", None),
}
"""By the name of an engine's counter, before its first dot: the metric, what it counts, and the label that the rest becomes."""


class Arrivals(NamedTuple):
    """The record timestamps of the events that a commit holds, in ms."""

    oldest_ms: int
    newest_ms: int

    def with_run(self, first_ms: int, last_ms: int) -> "Arrivals":
        """Those of a further run too."""
        return Arrivals(min(self.oldest_ms, first_ms), max(self.newest_ms, last_ms))


class Look(NamedTuple):
    """How one partition number stands when somebody asks."""

    partition: int
    refused: bool
    frontier_ms: int
    """0 while unknown."""
    sizes: Sizes
    sources: Sequence[SourceSign] = ()


class WorkerMetrics:
    """Of one worker."""

    def __init__(self) -> None:
        self.catalogue = made = Catalogue("worker")
        self._counted: dict[str, Counter] = {
            name: made.counter(metric, what, *([] if label is None else [label])) for name, (metric, what, label) in COUNTED.items()
        }
        self._transitions = made.counter("outwatch_transitions", "Alerts that changed, by the kind of change.", "kind")
        self._rows = made.counter("outwatch_rows_written", "Rows of the state written.")
        self._records = made.counter("outwatch_records_written", "Records written for readers, by topic.", "topic")
        self._age = made.histogram(
            "outwatch_event_age_seconds",
            "At each commit: now minus the Kafka timestamp of its newest event, so how old figures are.",
            _SLOW,
        )
        self._latency = made.histogram(
            "outwatch_publish_latency_seconds",
            "At each commit: now minus the Kafka timestamp of its oldest event, the longest wait.",
            _SLOW,
        )
        self._commit = made.histogram("outwatch_commit_seconds", "How long a transaction took.", _FAST)
        self._recovery = made.histogram("outwatch_recovery_seconds", "How long an assignment took: fencing, reading, rebuilding.", _SLOW)
        self._frontier = made.gauge(
            "outwatch_frontier_behind_seconds", "Now minus the stream time up to which all was read; absent while unknown.", "partition"
        )
        self._lag = made.gauge("outwatch_lag_records", "Offsets not applied yet, as far as the brokers told.", "topic", "partition")
        self._refused = made.gauge("outwatch_partition_refused", "1 where the partition is not processed; the log says why.", "partition")
        self._silent = made.gauge(
            "outwatch_source_silent",
            "1 where a source that says that it lives has not for 90 s: what is missing of its partners is missing for it.",
            *("topic", "source", "partition"),
        )
        self._partners = made.gauge("outwatch_partners", "Partners held.")
        self._seen = made.gauge("outwatch_seen_ids", "Event ids remembered.")
        self._contacts = made.gauge("outwatch_open_contacts", "Contacts waiting.")
        self._tickets = made.gauge("outwatch_open_tickets", "Tickets open.")
        self._agents = made.gauge("outwatch_agents_known", "Agents of whom anything is held.")
        self._staffed = made.gauge("outwatch_agents_staffed", "Agents who are there, by what was last told of them.")
        self._owed = made.gauge(
            "outwatch_rollups_behind_seconds", "Stream time of the closed minutes whose records wait for the limits of records and bytes."
        )
        self._behind = made.gauge("outwatch_publish_behind_seconds", "How long the limits of records and bytes have kept a figure waiting.")

    def counted(self, before: Mapping[str, int], after: Mapping[str, int]) -> None:
        """An engine's counters went from `before` to `after` in a commit that is through."""
        for name, total in after.items():
            what, _, label = name.partition(".")
            if total > before.get(name, 0) and what in self._counted:
                metric = self._counted[what]
                (metric.labels(label) if label else metric).inc(total - before.get(name, 0))

    def committed(self, commit: Commit, arrivals: Arrivals | None, now_ms: int, commit_seconds: float) -> None:
        """A commit is through."""
        self._rows.inc(len(commit.rows))
        for topic, count in Tally(output.topic for output in commit.records).items():
            self._records.labels(topic).inc(count)
        for transition in commit.transitions:
            self._transitions.labels(transition["kind"]).inc()
        self._commit.observe(commit_seconds)
        if arrivals is not None:
            self._age.observe(max(0, now_ms - arrivals.newest_ms) / 1000)
            self._latency.observe(max(0, now_ms - arrivals.oldest_ms) / 1000)

    def recovered(self, recovery_seconds: float) -> None:
        """An assignment is through."""
        self._recovery.observe(recovery_seconds)

    def text(self, looks: Iterable[Look], lag_records: Mapping[tuple[str, int], int], now_ms: int) -> bytes:
        """All metrics now; what is not held any more is not told of."""
        for by_partition in (self._frontier, self._lag, self._refused, self._silent):
            by_partition.clear()
        held = list(looks)
        for look in held:
            self._refused.labels(look.partition).set(look.refused)
            for sign in look.sources:
                self._silent.labels(sign.topic, sign.name, look.partition).set(not sign.lives)
            if look.frontier_ms:
                self._frontier.labels(look.partition).set((now_ms - look.frontier_ms) / 1000)
        for (topic, partition), records in lag_records.items():
            self._lag.labels(topic, partition).set(records)
        self._partners.set(sum(look.sizes.partners for look in held))
        self._seen.set(sum(look.sizes.seen_ids for look in held))
        self._contacts.set(sum(look.sizes.open_contacts for look in held))
        self._tickets.set(sum(look.sizes.open_tickets for look in held))
        self._agents.set(sum(look.sizes.agents for look in held))
        self._staffed.set(sum(look.sizes.agents_staffed for look in held))
        self._owed.set(max((look.sizes.rollups_behind_seconds for look in held), default=0))
        self._behind.set(max((look.sizes.behind_seconds for look in held), default=0))
        return self.catalogue.text()
