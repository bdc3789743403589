"""An installation in which all holds, as its topics say it, and what a test makes of it; for tests of the auditor."""

from typing import Any

from alerts.audit.alarm import Alarm
from alerts.audit.breach import AuditReason, Terms
from alerts.audit.look import breaches
from alerts.audit.seen import Seen

__all__ = ["NOW_MS", "PARTITIONS", "SECOND", "Installation", "policy"]

SECOND = 1000
NOW_MS = 1_795_435_200_000  # 2026-11-23T12:00:00Z
PARTITIONS = 2

STEPS = [{"after": 0, "tell": [{"receiver": "pager"}]}]


def policy(*, applied_ms: int = NOW_MS - 86_400_000, **over: Any) -> dict[str, Any]:
    """The shared part of a policy whose rule `sl` pages, as its record says it."""
    part = {
        "rules": [{"id": "sl", "partners": None}, {"id": "quiet", "escalation": "none"}, {"id": "others", "partners": ["globex"]}],
        "escalations": [{"id": "ops", "steps": STEPS}],
        "escalation": "ops",
        **over,
    }
    return {"format": 1, "partner": "*", "revision": "r", "applied_at": applied_ms, "part": part}


class Installation:
    """What stands on the topics; `audit` says what the auditor finds a moment after it was written."""

    def __init__(self, terms: Terms | None = None, *, started_ms: int = NOW_MS - 3_600_000) -> None:
        self.terms = terms or Terms()
        self.seen = Seen(started_ms)
        self.alarm = Alarm(self.terms)
        self.now_ms = self.seen.notifier_ms = NOW_MS
        own = {"format": 1, "partner": "acme", "revision": "o", "applied_at": NOW_MS - 86_400_000, "part": {"id": "acme", "name": "Acme"}}
        self.seen.book.put(b"*/current", policy())
        self.seen.book.put(b"acme/current", own)
        self.beat()

    def beat(self, *numbers: int) -> None:
        """Workers say that they are up to now; of all partitions or of some."""
        for number in numbers or range(PARTITIONS):
            evaluated_ms = self.now_ms - 5 * SECOND
            self.seen.heartbeat(number, {"as_of": self.now_ms, "frontier": self.now_ms, "evaluated_to": evaluated_ms, "worker": "w"})

    def fire(self, name: str = "f1", *, fired_ms: int | None = None, state: str = "firing", **over: Any) -> None:
        """An alert fires; or ended, by its state."""
        at_ms = self.now_ms if fired_ms is None else fired_ms
        ended_ms = None if state in {"firing", "recovering"} else self.now_ms
        said = {"partner": "acme", "rule": {"id": "sl"}, "scope": "all", "episode": f"{name}-e1", "state": state}
        self.seen.alert(0, name, said | {"fired_at": at_ms, "ended_at": ended_ms} | over)

    def incident(self, *alerts: str, name: str = "i1", **over: Any) -> None:
        """An incident of alerts that are open."""
        said = {
            "partner": "acme",
            "text": "Acme: service level 61 %",
            "stage": "step",
            "due_at": self.now_ms + 600 * SECOND,
            "absorbed_by": None,
            "held": None,
            "resolved_by": None,
            "opened_at": self.now_ms,
            "ended_at": None,
            "as_of": self.now_ms,
            "members": [{"fingerprint": each, "episode": f"{each}-e1", "ended_at": None, "suppressed_by": []} for each in alerts],
        }
        self.seen.incident(0, name, said | over)

    def intend(self, name: str = "n1") -> None:
        """A page is to be sent."""
        said = {
            "id": name,
            "partner": "acme",
            "incident": "i1",
            "kind": "trigger",
            "receiver": {"id": "pager"},
            "processed_at": self.now_ms,
        }
        self.seen.intent(said)

    def answer(self, name: str = "n1") -> None:
        """The notifier says what became of a page."""
        self.seen.result(name, self.now_ms)

    def audit(self, after_ms: int = 0, *, lives: bool = True) -> list[AuditReason]:
        """The reasons of what is found when so much time passed; the workers and the notifier lived all the time, or not."""
        self.now_ms += after_ms
        if lives:
            self.beat()
            self.seen.notifier_ms = self.now_ms
        self.seen.looked(self.now_ms)
        self.alarm.look(breaches(self.seen, PARTITIONS, self.now_ms, self.terms), self.now_ms)
        return [each.reason for each in self.alarm.found]
