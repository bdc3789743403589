"""Whatever happens in whatever order: what is on its way is no alarm, and a fault is found within its time."""

from collections.abc import Callable
from operator import methodcaller

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.audit.breach import AuditReason, Breach, Terms
from alerts.audit.look import breaches
from alerts.audit.seen import Seen
from alerts.audit.take import read_topics, take
from models.notifications import RESULT
from models.policy_record import CURRENT, encode_policy, policy_key
from tests.audits import SECOND, Installation
from tests.conditions import START_MS
from tests.engines import TOPICS, Rig
from tests.property.test_engine_paging import POLICY, STORIES, Story, doing
from tests.property.test_engine_suppression import lived as lived_by

TERMS = Terms()
LOOK_MS = 5 * SECOND

Planned = list[tuple[int, Callable[[Installation], object]]]
"""What happens after so many ms from the beginning."""

ALERTS = st.lists(st.tuples(st.integers(0, 1800), st.integers(0, 50), st.integers(60, 900), st.integers(0, 50)), max_size=6)
"""When an alert fires, when its incident is seen, how long it lasts, and when the incident's end is seen; in seconds."""
PAGES = st.lists(st.tuples(st.integers(0, 1800), st.integers(-5, 840)), max_size=10)
"""When a page is written, and when its result is seen."""
PAUSES = st.lists(st.tuples(st.integers(0, 1800), st.integers(0, 50)), max_size=3)
"""When workers, or the notifier, are away, and for how long."""


def planned(alerts: list[tuple[int, int, int, int]], pages: list[tuple[int, int]]) -> Planned:
    plan: Planned = []
    for number, (fires, seen, lasts, ends) in enumerate(alerts):
        name = f"f{number}"
        over = fires + max(lasts, seen)
        plan += [
            (fires * SECOND, methodcaller("fire", name)),
            ((fires + seen) * SECOND, methodcaller("incident", name, name=name, due_at=None, stage="exhausted")),
            (over * SECOND, methodcaller("fire", name, state="resolved")),
            ((over + ends) * SECOND, methodcaller("incident", name=name, ended_at=1)),
        ]
    for number, (at, later) in enumerate(pages):
        plan += [
            (at * SECOND, methodcaller("intend", f"n{number}")),
            (max(0, at + later) * SECOND, methodcaller("answer", f"n{number}")),
        ]
    return sorted(plan, key=lambda each: each[0])


def lived(plan: Planned, pauses: list[tuple[int, int]], for_ms: int) -> Installation:
    """An installation that did all of this; nothing fails in it until `for_ms`."""
    here, begin_ms, rest = Installation(), 0, [*plan]
    begin_ms = here.now_ms
    while here.now_ms - begin_ms < for_ms:
        at_ms = here.now_ms + LOOK_MS
        while rest and rest[0][0] <= at_ms - begin_ms:
            due_ms, act = rest.pop(0)
            here.now_ms = begin_ms + due_ms
            act(here)
        here.now_ms = at_ms
        away = any(at * SECOND <= at_ms - begin_ms < (at + lasts) * SECOND for at, lasts in pauses)
        here.audit(lives=not away)
        assert here.alarm.began_ms is None, here.alarm.found
    return here


@settings(max_examples=60, deadline=None)
@given(alerts=ALERTS, pages=PAGES)
def test_what_is_on_its_way_is_no_alarm(alerts: list[tuple[int, int, int, int]], pages: list[tuple[int, int]]) -> None:
    lived(planned(alerts, pages), [], 3700 * SECOND)


@settings(max_examples=30, deadline=None)
@given(at=st.integers(0, 1000), lasts=st.integers(0, 50), pages=PAGES)
def test_a_takeover_or_a_restart_is_no_alarm(at: int, lasts: int, pages: list[tuple[int, int]]) -> None:
    lived(planned([], pages), [(at, lasts)], 1200 * SECOND)


def stand(here: Installation, *, due_ms: int | None) -> None:
    here.fire("s")
    here.incident("s", name="s", due_at=due_ms)


FAULTS: dict[AuditReason, tuple[Callable[[Installation], object], int, bool]] = {
    AuditReason.NO_RESULT: (methodcaller("intend", "lost"), TERMS.result_ms, True),
    AuditReason.NO_DEADLINE: (lambda here: stand(here, due_ms=None), 0, True),
    AuditReason.OVERDUE: (lambda here: stand(here, due_ms=here.now_ms), TERMS.due_ms, True),
    AuditReason.ALERT_UNTOLD: (methodcaller("fire", "lost"), TERMS.alert_ms, True),
    AuditReason.INCIDENT_UNFOUNDED: (methodcaller("incident", "never", name="u"), TERMS.alert_ms, True),
    AuditReason.NO_HEARTBEAT: (lambda here: None, TERMS.heartbeat_ms, False),
    AuditReason.NO_NOTIFIER: (lambda here: None, TERMS.notifier_ms, False),
}
"""What is done, how long it may take, and whether workers and notifier live on."""


@settings(max_examples=60, deadline=None)
@given(reason=st.sampled_from(sorted(FAULTS)), alerts=ALERTS, pages=PAGES, before=st.integers(0, 600))
def test_a_fault_is_found_within_its_time_and_its_end_too(
    reason: AuditReason, alerts: list[tuple[int, int, int, int]], pages: list[tuple[int, int]], before: int
) -> None:
    """Its term, the settling of the stream (5 s here), a look, and as long as it must be found again and again."""
    here = lived(planned(alerts, pages), [], 3700 * SECOND + before * SECOND)
    act, term_ms, lives = FAULTS[reason]
    began_ms = here.now_ms
    act(here)
    while here.alarm.began_ms is None:
        here.audit(LOOK_MS, lives=lives)
        assert here.now_ms - began_ms <= term_ms + 5 * SECOND + 2 * LOOK_MS + TERMS.hold_ms
    assert here.alarm.began_ms - began_ms >= term_ms
    assert reason in {each.reason for each in here.alarm.failing}
    for name in ("s", "u", "lost"):
        here.seen.incident(0, name, None)
        here.seen.alert(0, name, None)
    here.answer("lost")
    for _ in range(1 + TERMS.recover_ms // LOOK_MS):
        here.audit(LOOK_MS)
    assert here.alarm.began_ms is None


def watched(story: Story) -> tuple[Rig, Seen, list[Breach]]:
    """What an engine wrote in a story, read commit by commit, each page answered as it is read; what was found on the way."""
    rig, seen, found = lived_by(story, [], policy=POLICY, doing_of=doing), Seen(1), list[Breach]()
    for part in POLICY:
        record = encode_policy(part, START_MS - 3_600_000)
        take(seen, TOPICS, (TOPICS.policies, 0), (policy_key(record.partner, CURRENT), record.model_dump_json().encode()), 0)
    for commit in rig.commits:
        for each in commit.records:
            if each.topic in read_topics(TOPICS):
                take(seen, TOPICS, (each.topic, 0), (each.key or b"", each.value), START_MS)
        for identity in [*seen.intents]:
            payload = {"notification": identity}
            take(seen, TOPICS, (TOPICS.commands, 0), (b"acme", orjson.dumps({"type": RESULT, "payload": payload})), START_MS)
        seen.notifier_ms = now_ms = max(each.as_of_ms for each in seen.beats.values())
        seen.looked(now_ms)
        found += breaches(seen, 1, now_ms, Terms(due_ms=10 * SECOND, alert_ms=0))
    return rig, seen, found


@settings(max_examples=25, deadline=None)
@given(story=STORIES)
def test_what_an_engine_writes_is_no_breach_without_any_grace_for_alerts(story: Story) -> None:
    rig, seen, found = watched(story)
    assert found == []
    # And it would be one, were an incident not written.
    for identity, incident in [*seen.incidents.items()]:
        if incident.open:
            seen.incident(0, identity, None)
    reasons = {each.reason for each in breaches(seen, 1, rig.now_ms, Terms(alert_ms=0))}
    closed = {alert for each in seen.incidents.values() for alert in each.alerts}
    firing = [key for key, each in seen.alerts.items() if each.open and (key, each.episode) not in closed]
    assert (AuditReason.ALERT_UNTOLD in reasons) == bool(firing)
