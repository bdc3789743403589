"""Incidents without an engine: who can be reached, alerts as they change, and grid point after grid point."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import orjson

from alerts.around import Around, Contact
from alerts.attention import Doing
from alerts.condition import ChangeKind
from alerts.group import Routed, followed
from alerts.incident import Incident
from alerts.members import News
from models.escalation import EscalationSpec, TargetSpec
from models.incidents import IncidentMember
from models.notifications import Notification, NotificationResult, Outcome
from models.reasons import SuppressReason
from models.receivers import Receiver, WebhookReceiver
from models.rules import Severity
from models.windows import GRID_MS, MINUTE_MS
from tests.conditions import START_MS

__all__ = ["Book", "Desk", "escalation", "member", "receiver", "result", "said"]


def receiver(identity: str, partner: str | None = None) -> WebhookReceiver:
    return WebhookReceiver(id=identity, type="webhook", url=f"https://pages.example/{identity}", partner=partner)


def escalation(*steps: dict[str, Any], **fields: Any) -> EscalationSpec:
    """By default ana at once, ben after 10 minutes, the chat after 15 more; nothing is waited for."""
    told = steps or (
        {"tell": [{"person": "ana"}]},
        {"after": "10m", "tell": [{"person": "ben"}]},
        {"after": "15m", "tell": [{"receiver": "chat"}]},
    )
    return EscalationSpec.model_validate({"id": "ops", "group_wait": 0, "steps": told} | fields)


def member(name: str = "sl", severity: str = "warning", **fields: Any) -> IncidentMember:
    said = {"fingerprint": f"{name:0>32}", "episode": f"{name}-1", "rule": name, "scope": "all", "severity": severity, "counted": None}
    text = f"Acme: {name} 41 %, under 80 % since 10:32 UTC (26 of 63 contacts answered in time)"
    return IncidentMember.model_validate(said | {"text": text, "fired_at": START_MS} | fields)


def result(page: Notification, outcome: Outcome, detail: str = "410 gone") -> NotificationResult:
    return NotificationResult(notification=page.id, incident=page.incident, outcome=outcome, detail=detail)


@dataclass
class Book:
    """A directory: every person has a receiver of its own, which bears its name."""

    rotations: dict[str, Callable[[int], tuple[str, ...]]] = field(default_factory=dict)
    roles: dict[str, tuple[str, ...]] = field(default_factory=dict)
    receivers: dict[str, Receiver] = field(default_factory=lambda: {"chat": receiver("chat"), "pager": receiver("pager")})
    away: set[str] = field(default_factory=set)
    open_: bool = True
    calendar: str = "c1"
    site: str = "https://pages.example"
    """Where people are told."""

    def reach(self, target: TargetSpec, at_ms: int) -> tuple[Contact, ...]:
        if target.receiver is not None:
            found = self.receivers.get(target.receiver)
            return () if found is None else (Contact(found, None, "client"),)
        if target.partner is not None:
            return tuple(Contact(receiver(each, "acme"), each, "partner") for each in self.roles.get(target.partner, ()))
        people = self.rotations[target.rotation](at_ms) if target.rotation is not None else (str(target.person),)
        return tuple(Contact(receiver(each).model_copy(update={"url": f"{self.site}/{each}"}), each, "client") for each in people)

    def at_work(self, person: str, at_ms: int) -> bool:
        return person not in self.away

    def is_open(self, at_ms: int) -> bool:
        return self.open_


@dataclass
class Desk:
    """The incidents of one partner; `pages` is all that was to be sent, in order."""

    policy: EscalationSpec = field(default_factory=escalation)
    book: Book = field(default_factory=Book)
    at_ms: int = START_MS
    head_ms: int = 0
    room: int = 100
    held: dict[str, Incident] = field(default_factory=dict)
    pages: list[Notification] = field(default_factory=list)
    alerts: dict[str, IncidentMember] = field(default_factory=dict)

    @property
    def incident(self) -> Incident:
        """The one that began last."""
        return list(self.held.values())[-1]

    def hear(self, *news: News) -> list[Notification]:
        """These happen at the present grid point."""
        open_ = [each for each in self.held.values() if each.ended_ms is None]
        routed = [Routed(each, self.policy) for each in news]
        steps, _ = followed("acme", open_, routed, Around(self.at_ms, self.book, self.head_ms), self.room)
        return self._keep(steps)

    def fire(self, *names: str, severity: str = "warning", waits: Iterable[SuppressReason] = (), scope: str = "all") -> list[Notification]:
        news = []
        for name in names:
            self.alerts[name] = member(name, severity, suppressed_by=tuple(waits), fired_at=self.at_ms, scope=scope)
            news.append(News(frozenset({ChangeKind.FIRED}), self.alerts[name]))
        return self.hear(*news)

    def turn(self, name: str, kind: ChangeKind | None, *, late: bool = False, **fields: Any) -> list[Notification]:
        """An alert changes, or with None only what holds its pages back."""
        if kind in (ChangeKind.RESOLVED, ChangeKind.RETIRED):
            fields["ended_at"] = self.at_ms
        self.alerts[name] = self.alerts[name].model_copy(update=fields)
        return self.hear(News(frozenset({kind} if kind else ()), self.alerts[name], late))

    def worse(self, name: str) -> list[Notification]:
        return self.turn(name, ChangeKind.ESCALATED, severity=Severity.CRITICAL)

    def resolve(self, name: str) -> list[Notification]:
        return self.turn(name, ChangeKind.RESOLVED)

    def do(self, doing: Doing) -> list[Notification]:
        """Something is asked of the newest incident."""
        return self.ask(self.incident.id, doing)

    def ask(self, identity: str, doing: Doing) -> list[Notification]:
        """Something is asked of an incident."""
        return self._keep([doing(self.held[identity])])

    def wait(self, minutes: float, *, always: bool = False) -> list[Notification]:
        """Time passes, by the grid; as the engine does it, only what is due is looked at, unless `always`."""
        begin, end_ms = len(self.pages), self.at_ms + round(minutes * MINUTE_MS)
        while self.at_ms < end_ms:
            self.at_ms += GRID_MS
            if always or any(each.next_ms is not None and each.next_ms <= self.at_ms for each in self.held.values()):
                self.hear()
        return self.pages[begin:]

    def jump(self, minutes: float) -> list[Notification]:
        """The past up to there is caught up on at once."""
        self.at_ms += round(minutes * MINUTE_MS)
        return self.hear()

    def _keep(self, steps: Iterable[tuple[Incident, tuple[Notification, ...]]]) -> list[Notification]:
        begin = len(self.pages)
        for incident, pages in steps:
            assert Incident.from_row(orjson.loads(orjson.dumps(incident.to_row()))) == incident
            self.held[incident.id] = incident
            self.pages += pages
        return self.pages[begin:]


def said(pages: Iterable[Notification]) -> list[str]:
    """Each as `trigger ana opened`."""
    return [f"{each.kind} {each.receiver.id} {each.reason}" for each in pages]
