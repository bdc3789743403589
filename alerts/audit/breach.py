"""What the auditor finds, and how long each thing may take before it counts."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, NamedTuple

__all__ = ["PROMISES", "AuditReason", "Breach", "Terms"]


class AuditReason(StrEnum):
    """What does not hold."""

    BLIND = "blind"
    NO_HEARTBEAT = "no_heartbeat"
    FRONTIER_BEHIND = "frontier_behind"
    NO_DEADLINE = "no_deadline"
    OVERDUE = "overdue"
    NO_RESULT = "no_result"
    ALERT_UNTOLD = "alert_untold"
    INCIDENT_UNFOUNDED = "incident_unfounded"
    UNCOVERED = "uncovered"
    EMPTY_SHIFT = "empty_shift"
    NO_NOTIFIER = "no_notifier"


PROMISES: dict[AuditReason, str] = {
    AuditReason.BLIND: "the auditor can read the topics to their end",
    AuditReason.NO_HEARTBEAT: "every partition has a heartbeat",
    AuditReason.FRONTIER_BEHIND: "every partition is evaluated up to now",
    AuditReason.NO_DEADLINE: "every open incident nobody looks after has somebody who is told next, or all were told",
    AuditReason.OVERDUE: "what an incident owes is done when it is due",
    AuditReason.NO_RESULT: "every page has a result",
    AuditReason.ALERT_UNTOLD: "every alert that fires and has an escalation is part of an incident",
    AuditReason.INCIDENT_UNFOUNDED: "every open alert of an incident fires",
    AuditReason.UNCOVERED: "every rotation has a shift at any time of the next 14 days",
    AuditReason.EMPTY_SHIFT: "no shift of the next 14 days is nobody's",
    AuditReason.NO_NOTIFIER: "a notifier lives, where a policy has escalations",
}
"""What must be true, in words for a person."""


class Breach(NamedTuple):
    """One thing that does not hold."""

    reason: AuditReason
    what: str
    """Which partition, incident, page, alert or rotation."""
    since_ms: int | None
    """By the records; None where they do not tell."""
    detail: str

    @property
    def key(self) -> tuple[AuditReason, str]:
        """What makes it the same as one found later."""
        return self.reason, self.what


@dataclass(frozen=True, slots=True)
class Terms:
    """How long each thing may take: what is merely on its way is no breach. All in milliseconds."""

    clock: Literal["wall", "log"] = "wall"
    """What moves stream time; only with `wall` can it be behind."""
    sight_ms: int = 60_000
    """Without the end of the topics reached."""
    heartbeat_ms: int = 60_000
    """Four times what a reader calls stale, and longer than a takeover."""
    frontier_ms: int = 120_000
    due_ms: int = 120_000
    """Of stream time, after a deadline: partners may settle later than others."""
    result_ms: int = 15 * 60_000
    """Longer than lines wait for a digest: those of a person who had enough pages, 11 min."""
    alert_ms: int = 60_000
    notifier_ms: int = 60_000
    """Longer than its session and its restart."""
    hold_ms: int = 15_000
    """Found again and again for so long, since what one commit writes is not seen at one moment in all partitions."""
    recover_ms: int = 30_000
    """Nothing found for so long ends an alarm."""
