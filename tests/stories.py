"""Stories: what happens to partners over hours and days, as hypothesis draws it, and as a seed draws it."""

from dataclasses import dataclass
from random import Random
from typing import Any

from hypothesis import strategies as st

from models.policy import PartnerPart, SharedPart
from models.rule_forms import BalanceSpec, CompositeSpec, DriftSpec
from tests.engines import SECOND, TOPICS, Rig, event, partner_part, rule, shared_part

__all__ = [
    "AGENT_KINDS",
    "DAY",
    "HOUR",
    "KINDS",
    "MINUTE",
    "POLICY",
    "QUARTER",
    "QUICK",
    "RULES",
    "SLIGHTLY_LATE",
    "Step",
    "drawn_event",
    "played",
    "seeded",
    "steps",
    "topic_of",
]

MINUTE = 60 * SECOND
QUARTER = 15 * MINUTE
HOUR = 60 * MINUTE
DAY = 24 * HOUR

PARTNERS = ("acme", "bolt", "core")
QUEUES = ("billing", "sales", None)
CHANNELS = ("voice", "chat", None)
KINDS = (
    *("contact.queued", "contact.answered", "contact.abandoned", "contact.completed", "contact.left", "contact.record"),
    *("ticket.opened", "ticket.replied", "ticket.solved", "ticket.reopened"),
    *("survey.response", "survey.invited", "quality.evaluated", "volume.forecast", "revenue.reported"),
)
AGENT_KINDS = (*("agent.state", "agent.state", "agent.scheduled", "agent.joined", "agent.left", "training.due", "training.done"),)
LATENESS = (0, 0, 0, 3 * SECOND, 12 * SECOND, 2 * MINUTE, 40 * MINUTE, 6 * HOUR, 26 * HOUR, 60 * HOUR, 20 * DAY, -4 * MINUTE)
JUMPS = (0, 0, SECOND, 4 * SECOND, 30 * SECOND, 61 * SECOND, 10 * MINUTE, 3 * HOUR, 30 * HOUR)

QUICK = (0, 0, 0, SECOND, 2 * SECOND, 4 * SECOND, 9 * SECOND, 12 * SECOND, 40 * SECOND, 2 * MINUTE)
SLIGHTLY_LATE = (0, 0, 0, 0, SECOND, 3 * SECOND, 8 * SECOND, 40 * SECOND, 6 * MINUTE, 50 * MINUTE, 6 * HOUR, -SECOND, -20 * SECOND)

_SAYS = {
    "warning": {"severity": "warning", "enter": 0.8, "exit": 0.83, "for": 20},
    "critical": {"severity": "critical", "enter": 0.6, "exit": 0.7, "for": 60},
}
_NOW = {"severity": "warning", "enter": 0, "exit": 0, "for": 0}
_WHEN = {
    "any": [
        {"all": [{"kpi": "in_queue", "above": 1, "exit": 0}, {"kpi": "service_level", "below": 0.6, "exit": 0.7, "window": "adaptive"}]},
        {"not": {"kpi": "csat", "above": 0.3, "window": "1h"}},
    ]
}
RULES = (
    rule(levels=list(_SAYS.values()), recover_for=60, scopes=["partner", "partner/queue", "partner/site"]),
    rule(id="sl1h", window="1h", scopes=["partner/channel"]),
    rule(id="day", window="24h", kpi="abandon_rate", direction="above", levels=[_NOW | {"enter": 0.3, "exit": 0.3}], recover_for=600),
    rule(id="overdue", kpi="backlog_overdue", direction="above", levels=[_NOW], scopes=["partner", "partner/queue", "partner/site"]),
    rule(id="wide", window="adaptive", min_samples=3, scopes=["partner", "partner/queue", "partner/site"], recover_for=20),
    rule(id="odd", kpi="asa", direction="outside", levels=[_NOW | {"enter": [5, 20], "exit": [6, 15], "for": 20}]),
    CompositeSpec.model_validate({"id": "both", "when": _WHEN, "window": "5m", "min_samples": 2, "severity": "warning", "for": 20}),
    BalanceSpec.model_validate({"id": "pace", "type": "balance", "efficiency": "aht", "quality": "csat", "window": "1h", "min_samples": 1}),
    DriftSpec.model_validate({"id": "creep", "type": "drift", "kpi": "asa", "direction": "above", "reference": 5, "min_samples": 2}),
    rule(
        id="waits",
        kpi="in_queue",
        direction="above",
        levels=[_NOW | {"enter": 2, "exit": 1}],
        scopes=["partner", "partner/queue", "partner/site"],
    ),
    rule(
        id="silent",
        on_missing="breaching",
        levels=[_NOW | {"enter": 0.1, "exit": 0.1, "for": 120}],
        recover_for=10,
        scopes=["partner", "partner/queue"],
    ),
)
POLICY = (
    shared_part(*RULES, definition={"repeat_window_seconds": 7200}, scopes=("site",)),
    partner_part("acme"),
    partner_part("bolt", channels={"chat": {"service_level": {"threshold_seconds": 60}}}),
)


@dataclass(frozen=True, slots=True)
class Step:
    """Time passes, and something arrives."""

    after_ms: int
    kind: str
    partner: str
    queue: str | None
    channel: str | None
    late_ms: int
    value: int
    """Of which every other field is made."""


def steps(
    *, jumps: tuple[int, ...] = JUMPS, lateness: tuple[int, ...] = LATENESS, most: int = 40, kinds: tuple[str, ...] = KINDS
) -> st.SearchStrategy[list[Step]]:
    step = st.builds(
        Step,
        st.sampled_from(jumps),
        st.sampled_from(kinds),
        st.sampled_from(PARTNERS),
        st.sampled_from(QUEUES),
        st.sampled_from(CHANNELS),
        st.sampled_from(lateness),
        st.integers(0, 999),
    )
    return st.lists(step, min_size=1, max_size=most)


def seeded(random: Random, count: int, jumps: tuple[int, ...], lateness: tuple[int, ...], kinds: tuple[str, ...] = KINDS) -> list[Step]:
    """The same, as fast as can be."""
    pick = random.choice
    return [
        Step(pick(jumps), pick(kinds), pick(PARTNERS), pick(QUEUES), pick(CHANNELS), pick(lateness), random.randrange(1000))
        for _ in range(count)
    ]


def _customer(value: int) -> dict[str, Any]:
    """Who was in contact, why, and in which chain of transfers."""
    known = {"customer_key": f"k{value % 3}", "reason": (None, "bill", "move")[value % 7 % 3]}
    return known | ({"root_contact_id": f"r{value % 5}"} if value % 2 else {})


def drawn_event(step: Step, identity: str, now_ms: int) -> dict[str, Any]:
    """The event of a step that arrives at `now_ms`."""
    value, at_ms = step.value, now_ms - step.late_ms
    fields = _sides(step) | ({"contact_id": f"c{value % 40}"} if step.kind.startswith("contact.") else {})
    if step.kind.startswith("ticket."):
        fields["contact_id"] = f"t{value % 6}"
    if step.kind.startswith("ticket.") and step.kind != "ticket.replied" and value % 3:
        fields["due_at"] = at_ms + value * 200 - MINUTE
    if step.queue is not None:
        fields["queue"] = step.queue
    if step.channel is not None:
        fields["channel"] = step.channel
    if step.kind in ("contact.answered", "contact.abandoned"):
        fields["wait_seconds"] = value / 16
    if step.kind in ("contact.completed", "contact.record"):
        fields |= {"talk_seconds": value / 7, "hold_seconds": float(value % 3), "holds": value % 2, "wrap_seconds": value % 50 / 3}
        fields |= {"transferred": value % 5 == 0, "escalated": value % 7 == 0, "resolved": (None, True, False)[value % 3]}
        # No two visits of a customer in one millisecond, whose order would be that of hashes.
        at_ms -= int(identity.lstrip("e"))
        fields |= _customer(value) if value % 4 and step.late_ms <= 26 * HOUR else {}
    if step.kind == "contact.record":
        fields["outcome"] = ("answered", "abandoned", "left", "not_queued")[value % 4]
        fields |= {"wait_seconds": value / 16, "queue_exited_at": at_ms - value * 400, "queued_at": at_ms - value * 460}
    if step.kind == "survey.response":
        fields |= {
            "survey": ("csat", "nps", "ces", "esat", "enps")[value % 5],
            "score": value % 12 / (1 + (value > 950)),
            "scale_max": None,
        }
    if step.kind == "survey.invited":
        fields["survey"] = ("csat", "nps", "ces", "esat", "enps")[value % 5]
    if step.kind == "quality.evaluated":
        fields |= {"points": value / 9, "points_possible": value % 200 / 2, "automatic_fail": value % 11 == 0}
        fields |= {"script_done": value % 7, "script_required": (None, 4, 0, 6)[value % 4]}
        fields["items"] = [
            {"criterion": "aab"[at], "points": (value + at) % 3 / 8, "possible": (value + at) % 5 / 8, "critical": value % 2 == 0}
            for at in range(value % 4)
        ]
    if step.kind in {"revenue.reported", "volume.forecast", *AGENT_KINDS}:
        return _of_stretch(step, identity, now_ms, fields)
    return event(step.kind, at_ms, identity, partner=step.partner, **fields)


def _of_agent(kind: str, at_ms: int, value: int) -> dict[str, Any]:
    """What is told of one of three agents."""
    fields: dict[str, Any] = {"agent_id": ("ann", "ben", "cy")[value % 3]}
    if kind == "agent.state":
        fields["state"] = ("available", "on_contact", "wrap", "break", "training", "offline")[value % 7 % 6]
    elif kind == "agent.scheduled":
        start_ms = at_ms + (value % 9 - 3) * 7 * MINUTE
        activity = ("contacts", "contacts", "break", "training", "offline")[value % 5]
        fields |= {"activity": activity, "from": start_ms, "to": start_ms + (1 + value % 8) * 13 * MINUTE + value * 10}
    elif kind.startswith("training"):
        fields["course"] = ("tone", "law")[value % 2]
        fields |= {"due_at": at_ms + value * 5 * SECOND} if kind == "training.due" else {}
    return fields


def _sides(step: Step) -> dict[str, Any]:
    """The site and the segment, where the event names any; a forecast does not."""
    value = step.value
    if step.kind == "volume.forecast":
        return {}
    names = {"site": ("lisbon", "porto", None)[value // 7 % 3], "segment": ("refund/fee", "50 % off", None)[value // 11 % 3]}
    return {side: name for side, name in names.items() if name is not None}


def _of_stretch(step: Step, identity: str, now_ms: int, fields: dict[str, Any]) -> dict[str, Any]:
    """A forecast of an interval, or the revenue of a period, around the time that it says; or what is told of an agent."""
    value, at_ms = step.value, now_ms - step.late_ms
    if step.kind in AGENT_KINDS:
        return event(step.kind, at_ms, identity, partner=step.partner, **fields, **_of_agent(step.kind, at_ms, value))
    if step.kind == "revenue.reported":
        start_ms = at_ms - at_ms % DAY - value % 5 * DAY
        fields |= {"amount": value / 4, "period_start": start_ms, "period_end": start_ms + (1 + value % 3) * DAY}
    else:
        # An interval of days ago would be late: its day is kept as a whole.
        at_ms = now_ms - step.late_ms % (40 * HOUR)
        start_ms = at_ms - at_ms % QUARTER + (value % 4 - 1) * QUARTER
        fields |= {"interval_start": start_ms, "interval_end": start_ms + (1, 2, 4)[value % 3] * QUARTER, "offered": value / 8}
    # What is late is told of now, and some of it as if before.
    return event(step.kind, now_ms, identity, partner=step.partner, updated_at=now_ms - value % 2 * HOUR, **fields)


def topic_of(body: dict[str, Any]) -> str:
    """The topic that an event belongs to."""
    topics = {"survey": TOPICS.surveys, "quality": TOPICS.quality, "revenue": TOPICS.finance}
    topics |= dict.fromkeys(("volume", "agent", "training"), TOPICS.workforce)
    return topics.get(body["type"].partition(".")[0], TOPICS.interactions)


def played(story: list[Step], begin_ms: int, policy: tuple[SharedPart | PartnerPart, ...] = POLICY) -> tuple[Rig, int]:
    """An engine under a policy that was told a story, a commit a step, and when that ended."""
    rig, at_ms = Rig(), begin_ms
    rig.policy(*policy, at_ms=at_ms)
    for number, step in enumerate(story):
        at_ms += step.after_ms
        body = drawn_event(step, f"e{number}", at_ms)
        rig.send(body, at_ms=at_ms, topic=topic_of(body))
        rig.to(at_ms)
    return rig, at_ms
