"""The incidents of one partition number: rows of the state, and what they have others told, in the commit of what causes it.

What raises stops no other escalation, and no alert: its incidents stay as they were, without the news, and what they owe by themselves
is tried again at the next grid point.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from alerts.around import Around
from alerts.aside import RISES
from alerts.condition import ChangeKind
from alerts.directory import PolicyDirectory
from alerts.escalation import Step
from alerts.events import OnFailure, told
from alerts.group import Routed, followed
from alerts.incident import Incident
from alerts.members import News
from models.incidents import INCIDENT_KEPT_MS, IncidentMember
from models.notices import OverrideState
from models.notifications import Notification
from models.paging import NOBODY
from models.policy import PartnerPolicy
from models.reasons import SuppressReason
from models.windows import GRID_MS
from streams.engine import rows
from streams.engine.attended import Beside, attend
from streams.engine.config import EngineConfig
from streams.engine.failures import Place, Stage
from streams.engine.gained import take_gained
from streams.engine.judge import Judged
from streams.engine.notices import Notices
from streams.engine.output import Output, cloudevent
from streams.engine.partner import Partner
from streams.engine.publish import Moment

__all__ = ["Incidents", "directory_of", "news_of"]

Overrides = Notices[OverrideState]
_SAID_MAX: Final = 300
_ENDS: Final = frozenset({ChangeKind.RESOLVED, ChangeKind.RETIRED})


class _Drained(NamedTuple):
    """For one commit."""

    rows: list[tuple[bytes, bytes | None]]
    records: list[Output]


class Incidents:
    """By partner, those that are open, and those that ended of late."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.held: dict[str, Incident] = {}
        """By id."""
        self.open: dict[str, dict[str, Incident]] = {}
        """By partner and id, oldest first; only partners that have any."""
        self.pages: list[Notification] = []
        """Not written yet."""
        self.attended: list[Beside] = []
        """Alerts beside which it stands now who looks after their incident, or no longer; not told yet."""
        self._changed: dict[str, str] = {}
        """By id, the partner's name, as the record tells it."""
        self._counts: Counter[str] = Counter()

    @property
    def room(self) -> int:
        """How many may begin; what ended goes for them."""
        return self._limit - sum(map(len, self.open.values()))

    def of(self, partner: str) -> list[Incident]:
        """The open ones of a partner, oldest first."""
        return list(self.open.get(partner, {}).values())

    def due_ms(self, partner: str) -> int | None:
        """The next grid point at which one of a partner becomes different by itself; None if none will."""
        due = [each.next_ms for each in self.open.get(partner, {}).values()]
        first = min((each for each in due if each is not None), default=None)
        return None if first is None else first + -first % GRID_MS

    def put(self, steps: Iterable[Step], partner: Partner | None) -> None:
        """Keep what became of incidents of a partner, which may have left, and what is to be sent."""
        for incident, pages in steps:
            before = self.held.get(incident.id)
            self._counts["incidents_opened"] += before is None
            self._counts["empty_shifts"] += incident.empty_shifts - (before.empty_shifts if before else 0)
            self._counts["notifications"] += len(pages)
            self.held[incident.id] = incident
            self._changed[incident.id] = incident.partner if partner is None else partner.policy.name
            self.pages += pages
            self._index(incident)
            if partner is not None:
                self._attend(partner, before, incident)
        over = len(self.held) - self._limit
        if over > 0:
            ended = sorted((each for each in self.held.values() if each.ended_ms is not None), key=lambda each: (each.ended_ms, each.id))
            for each in ended[:over]:
                self._forget(each.id)
                self._counts["incidents_forgotten_early"] += 1

    def _attend(self, partner: Partner, before: Incident | None, incident: Incident) -> None:
        try:
            self.attended += attend(partner, before, incident)
        except Exception as error:  # noqa: BLE001 - the incident is kept, and its pages are sent
            _note(partner, incident.policy.id, [incident], (), partner.panes.closed_ms, error)

    def follow(self, partner: Partner, judged: Iterable[Judged], overrides: Overrides, at_ms: int, late_ms: int) -> None:
        """What becomes of a partner's incidents at a grid point; before `late_ms` the past is only caught up on."""
        routed = []
        for each in judged:
            news = _news_of(partner, each, at_ms) if each.changes or each.aside != each.former else None
            if news is not None:
                routed.append(Routed(news, partner.policy.escalation_of(each.rule)))
        if partner.gained:
            told = {member.fingerprint for each in self.of(partner.id) for member in each.open}
            for each in take_gained(partner, told):
                news = _news_of(partner, each, at_ms)
                if news is not None:
                    routed.append(Routed(news._replace(kinds=RISES), partner.policy.escalation_of(each.rule)))
        due_ms = self.due_ms(partner.id)
        if not routed and (due_ms is None or due_ms > at_ms):
            return
        around, held = Around(at_ms, directory_of(partner, overrides), late_ms), self.of(partner.id)
        try:
            self._take(partner, held, routed, around)
        except Exception:  # noqa: BLE001 - one escalation's failure stops no other: which one it is of is found out, and told of
            self._take_apart(partner, held, routed, around)

    def _take_apart(self, partner: Partner, held: Sequence[Incident], routed: Sequence[Routed], around: Around) -> None:
        """As `_take`, each escalation by itself: alerts are grouped within one."""
        named = [each.policy.id for each in held] + [each.policy.id for each in routed if each.policy is not None]
        for escalation in dict.fromkeys(named):
            mine, news = [each for each in held if each.policy.id == escalation], _routed_to(escalation, held, routed)
            try:
                self._take(partner, mine, news, around)
            except Exception as error:  # noqa: BLE001 - as above
                _note(partner, escalation, mine, news, around.at_ms, error)

    def _take(self, partner: Partner, held: Sequence[Incident], routed: Sequence[Routed], around: Around) -> None:
        """Keep what becomes of incidents of a partner; nothing, where that raises."""
        steps, refused = followed(partner.id, held, routed, around, self.room)
        self._counts["incidents_dropped"] += refused
        self.put(steps, partner)

    def take_attended(self) -> list[Beside]:
        """Alerts beside which something else stands since the last call."""
        attended, self.attended = self.attended, []
        return attended

    def take_counts(self) -> Counter[str]:
        """What was counted since the last call."""
        counts, self._counts = self._counts, Counter()
        return counts

    def expire(self, frontier_ms: int) -> None:
        """Forget what ended long ago."""
        over_ms = frontier_ms - INCIDENT_KEPT_MS
        for identity in [each.id for each in self.held.values() if each.ended_ms is not None and each.ended_ms < over_ms]:
            self._forget(identity)

    def drain(self, config: EngineConfig, moment: Moment) -> _Drained:
        """The rows and records of what changed since the last call, and what is to be sent."""
        drained, topics = _Drained([], []), config.topics
        for identity in self._changed:
            incident = self.held.get(identity)
            drained.rows.append((rows.key("incident", identity), None if incident is None else rows.pack(incident.to_row())))
        for page in self.pages:
            body = page.model_copy(update={"processed_at": moment.now_ms}).model_dump(mode="json")
            drained.records.append(
                cloudevent(topics.notifications, "notification", config.source, page.partner, page.incident, page.id, body)
            )
        for identity, name in self._changed.items():
            incident = self.held.get(identity)
            state = None if incident is None else incident.state(name, moment.now_ms, moment.revision).model_dump(mode="json")
            subject = identity if incident is None else incident.partner
            drained.records.append(
                cloudevent(topics.incidents, "incident.state", config.source, subject, identity, f"{identity}@{moment.revision}", state)
            )
        self._changed.clear()
        self.pages.clear()
        return drained

    def load(self, row: rows.Json) -> None:
        """Take a stored row."""
        incident = Incident.from_row(row)
        self.held[incident.id] = incident
        self._index(incident)

    def loaded(self) -> None:
        """Bring what was taken into the order in which it began."""
        for partner, found in self.open.items():
            self.open[partner] = dict(sorted(found.items(), key=lambda each: (each[1].opened_ms, each[0])))

    def snapshot(self) -> dict[str, Incident]:
        """All that rows must bring back."""
        return dict(self.held)

    def _index(self, incident: Incident) -> None:
        mine = self.open.setdefault(incident.partner, {})
        if incident.ended_ms is None:
            mine[incident.id] = incident
        else:
            mine.pop(incident.id, None)
        if not mine:
            del self.open[incident.partner]

    def _forget(self, identity: str) -> None:
        del self.held[identity]
        self._changed[identity] = ""


def directory_of(partner: Partner, overrides: Overrides) -> PolicyDirectory:
    """Who can be reached of its incidents."""
    return PolicyDirectory(partner.policy.paging or NOBODY, partner.policy.hours, tuple(overrides.held.values()))


def _routed_to(escalation: str, held: Sequence[Incident], routed: Iterable[Routed]) -> list[Routed]:
    """The news of alerts that belong to incidents of an escalation, or to none and go by it."""
    goes = {member.fingerprint: each.policy.id for each in held for member in each.open}
    return [each for each in routed if goes.get(each.news.member.fingerprint, each.policy and each.policy.id) == escalation]


def _note(partner: Partner, escalation: str, held: Sequence[Incident], routed: Sequence[Routed], at_ms: int, error: Exception) -> None:
    """The incidents of an escalation could not be followed."""

    def saw() -> dict[str, Any]:
        alerts = [each.news.member.model_dump(mode="json") for each in routed]
        return {"incidents": [each.to_row() for each in held], "alerts": alerts}

    partner.failures.note(partner.id, Place(Stage.INCIDENT, "", "", "", escalation), at_ms, saw, error)


def _news_of(partner: Partner, judged: Judged, at_ms: int) -> News | None:
    """As `news_of`; None, and told of, where that raises."""
    try:
        return news_of(judged, partner.policy, at_ms, partner.failures.raised)
    except Exception as error:  # noqa: BLE001 - the alert itself goes out
        partner.failures.raised(Stage.INCIDENT, judged.rule, judged.condition, at_ms, error)
        return None


def news_of(judged: Judged, policy: PartnerPolicy, at_ms: int, on_failure: OnFailure | None = None) -> News | None:
    """What a judged condition tells incidents; None where it says nothing of an alert that is open, or just ended."""
    kinds = frozenset(each.kind for each in judged.changes)
    # After the last change nothing may be left of the condition: what it was told by is in the change.
    condition = next((each.after for each in judged.changes if each.kind in _ENDS), judged.condition)
    if condition.fired_ms is None or condition.evidence is None or condition.episode is None:
        return None
    if not condition.open and kinds.isdisjoint(_ENDS):
        return None
    rule, aside = judged.rule, judged.aside
    severity, weighed, text = told(rule, condition, policy.name, at_ms, policy.criticality, on_failure)
    assert severity is not None, "what fired has a severity"
    member = IncidentMember(
        fingerprint=condition.fingerprint,
        episode=condition.episode,
        rule=condition.rule_id,
        scope=condition.scope,
        severity=severity,
        counted=None,
        text=text,
        criticality=weighed and weighed.weight,
        runbook=None if rule is None else _cut(rule.runbook),
        suggested_action=None if rule is None else _cut(rule.suggested_action),
        fired_at=condition.fired_ms,
        ended_at=None if condition.open else at_ms,
        # While it recovers its page waits for what is over already, too: nothing is paged then.
        suppressed_by=aside.waited if condition.open else (),
    )
    return News(kinds, member, any(SuppressReason.LATE in each.waited for each in judged.changes))


def _cut(text: str | None) -> str | None:
    return text if text is None or len(text) <= _SAID_MAX else text[: _SAID_MAX - 1] + "…"
