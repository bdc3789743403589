"""What does not hold, by what was seen. Pure: the same for what was seen alike, whenever it is asked for.

Times of the stream are compared with how far their partition is evaluated, and times of the wall clock with the last moment at which all
topics were read to their end: what cannot be seen is one breach, and makes no others.
"""

from collections.abc import Iterator

from alerts.audit.breach import AuditReason, Breach, Terms
from alerts.audit.seen import Seen
from alerts.notify.text import moment
from models.incidents import INCIDENT_KEPT_MS
from models.oncall import GapReason

__all__ = ["breaches"]

_GAPS = {GapReason.UNCOVERED: AuditReason.UNCOVERED, GapReason.EMPTY_SHIFT: AuditReason.EMPTY_SHIFT}


def breaches(seen: Seen, partitions: int, at_ms: int, terms: Terms) -> Iterator[Breach]:
    """Everything that does not hold at `at_ms`, however long it may take still to be put right by itself."""
    sight_ms = seen.started_ms if seen.looked_ms is None else seen.looked_ms
    if at_ms - sight_ms > terms.sight_ms or (seen.looked_ms is None and not seen.started_ms):
        yield Breach(AuditReason.BLIND, "Kafka", seen.looked_ms, seen.obstacle or "the end of the topics is not reached")
    if seen.looked_ms is None:
        return
    yield from _partitions(seen, partitions, seen.looked_ms, terms)
    yield from _incidents(seen, terms)
    yield from _pages(seen, seen.looked_ms, terms)
    yield from _alerts(seen, terms)
    yield from _rotations(seen, seen.looked_ms)


def _partitions(seen: Seen, partitions: int, at_ms: int, terms: Terms) -> Iterator[Breach]:
    for number in range(partitions):
        beat, what = seen.beats.get(number), f"partition {number}"
        if beat is None:
            if at_ms - seen.started_ms > terms.heartbeat_ms:
                yield Breach(AuditReason.NO_HEARTBEAT, what, None, "no worker ever said that it has it")
        elif at_ms - beat.as_of_ms > terms.heartbeat_ms:
            yield Breach(AuditReason.NO_HEARTBEAT, what, beat.as_of_ms, f"the last one was of {beat.worker}")
        elif terms.clock == "wall" and at_ms - (beat.frontier_ms or seen.started_ms) > terms.frontier_ms:
            known = f"read up to {moment(beat.frontier_ms)}" if beat.frontier_ms else "it does not know yet how far it read"
            yield Breach(AuditReason.FRONTIER_BEHIND, what, beat.frontier_ms or None, f"{known}, says {beat.worker}")


def _incidents(seen: Seen, terms: Terms) -> Iterator[Breach]:
    for identity, each in seen.incidents.items():
        what = f"incident {identity}"
        if each.stuck:
            yield Breach(AuditReason.NO_DEADLINE, what, each.as_of_ms, f"{each.partner}: {each.text}")
        elif each.open and each.due_ms is not None and _over(seen, each.partition, each.due_ms, terms.due_ms):
            yield Breach(AuditReason.OVERDUE, what, each.due_ms, f"{each.partner}: {each.text}")


def _pages(seen: Seen, at_ms: int, terms: Terms) -> Iterator[Breach]:
    for identity, each in seen.intents.items():
        if at_ms - each.processed_ms > terms.result_ms:
            said = f"{each.kind} of incident {each.incident} of {each.partner} to {each.receiver}"
            yield Breach(AuditReason.NO_RESULT, f"page {identity}", each.processed_ms, said)
    if (seen.book.escalates or seen.intents) and at_ms - seen.notifier_ms > terms.notifier_ms:
        yield Breach(AuditReason.NO_NOTIFIER, "notifier", seen.notifier_ms or None, f"{len(seen.intents)} pages wait for one")


def _alerts(seen: Seen, terms: Terms) -> Iterator[Breach]:
    told = {alert for each in seen.incidents.values() for alert in each.alerts}
    for fingerprint, alert in seen.alerts.items():
        if not alert.open or (fingerprint, alert.episode) in told or terms.clock == "log":
            continue  # When a policy began to hold is known of the wall clock only.
        if _over(seen, alert.partition, alert.fired_ms, INCIDENT_KEPT_MS):
            continue  # Somebody may have closed its incident, which is forgotten by now.
        if seen.book.pages(alert.partner, alert.rule, alert.fired_ms) and _over(seen, alert.partition, alert.fired_ms, terms.alert_ms):
            said = f"{alert.rule} of {alert.partner}, {alert.scope}, is in no incident"
            yield Breach(AuditReason.ALERT_UNTOLD, f"alert {fingerprint}", alert.fired_ms, said)
    for identity, incident in seen.incidents.items():
        for fingerprint, episode in incident.alerts if incident.open else ():
            state = seen.alerts.get(fingerprint)
            if state is not None and state.open and state.episode == episode:
                continue
            since_ms = max(incident.opened_ms, (state.ended_ms or 0) if state is not None else 0)
            if _over(seen, incident.partition, since_ms, terms.alert_ms):
                said = f"{incident.partner}: its alert {fingerprint} does not fire"
                yield Breach(AuditReason.INCIDENT_UNFOUNDED, f"incident {identity}", since_ms, said)
                break


def _rotations(seen: Seen, at_ms: int) -> Iterator[Breach]:
    told: set[tuple[AuditReason, str]] = set()
    for gap in seen.book.gaps(at_ms, seen.overrides):
        breach = Breach(_GAPS[gap.reason], f"rotation {gap.rotation}", None, f"from {moment(gap.begin_ms)} to {moment(gap.end_ms)}")
        if breach.key not in told:
            told.add(breach.key)
            yield breach


def _over(seen: Seen, partition: int, since_ms: int, term_ms: int) -> bool:
    """Whether a partition is evaluated past a time of the stream by more than a term."""
    beat = seen.beats.get(partition)
    return beat is not None and beat.evaluated_ms - since_ms > term_ms
