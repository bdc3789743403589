"""An escalation that is named for a rule while its alerts fire: they page once, however often a worker is replaced or a policy applied."""

from typing import Any

import pytest

from models.commands import ACK, SILENCE
from models.incident_commands import INCIDENT_RESOLVE
from models.windows import MINUTE_MS
from tests.conditions import START_MS
from tests.engines import SECOND, TOPICS, Rig, partner_part, rule, shared_part
from tests.unit.test_engine_commands import WARNING, lost, told
from tests.unit.test_engine_incidents import OPS, RECEIVERS, incident, pages, recover, to

PAGED = ["trigger first opened"]


def name(rig: Rig, escalation: str | None = "ops", **fields: Any) -> None:
    """A policy is applied whose rule names this escalation."""
    own = rule(levels=WARNING, **{"escalation": escalation} if escalation else {})
    rig.policy(shared_part(own, escalations=[OPS], receivers=RECEIVERS, **fields), partner_part(), at_ms=rig.now_ms)


def unpaged() -> Rig:
    """An alert of acme fires for a minute by a rule without an escalation."""
    rig = Rig()
    rig.now_ms = START_MS
    name(rig, None)
    lost(rig, START_MS)
    to(rig, START_MS + 60 * SECOND)
    assert (rig.kinds(), pages(rig)) == (["fired"], [])
    return rig


def test_what_fires_already_when_an_escalation_is_named_pages_after_the_group_wait_and_ends_as_others_do() -> None:
    rig = unpaged()
    name(rig)
    to(rig, rig.now_ms + 2 * MINUTE_MS)
    assert pages(rig) == PAGED
    found = incident(rig)
    assert found["opened_at"] >= START_MS + 60 * SECOND > found["members"][0]["fired_at"]
    assert rig.kinds() == ["fired"], "the alert itself is what it was"
    name(rig, settle_seconds=7)
    to(rig, rig.now_ms + 2 * MINUTE_MS)
    assert pages(rig) == PAGED, "another policy that names it pages nobody again"
    recover(rig, rig.now_ms)
    to(rig, rig.now_ms + 30 * SECOND)
    assert pages(rig) == [*PAGED, "resolve first resolved"]


@pytest.mark.parametrize("named", ["partner", "defaults"])
def test_it_may_be_named_by_the_partner_or_for_all_rules(named: str) -> None:
    rig = unpaged()
    shared = shared_part(
        rule(levels=WARNING), escalations=[OPS], receivers=RECEIVERS, **{"escalation": "ops"} if named == "defaults" else {}
    )
    rig.policy(shared, partner_part(**{"escalation": "ops"} if named == "partner" else {}), at_ms=rig.now_ms)
    to(rig, rig.now_ms + MINUTE_MS)
    assert pages(rig) == PAGED


def test_a_crash_between_the_policy_and_the_next_grid_point_forgets_nothing() -> None:
    rig = unpaged()
    name(rig)
    rig.poll()
    rig.commit()
    assert rig.engine._state.partners["acme"].gained == ("sl",)
    rig.crash()
    assert rig.engine._state.partners["acme"].gained == ("sl",)
    to(rig, rig.now_ms + MINUTE_MS)
    assert pages(rig) == PAGED
    assert not rig.engine._state.partners["acme"].gained
    assert rig.rebuilt().snapshot() == rig.snapshot()


def test_what_somebody_closed_or_looks_after_pages_nobody() -> None:
    rig = unpaged()
    told(rig, ACK, rig.now_ms, "c1", fingerprint=rig.bodies(TOPICS.alerts)[-1]["fingerprint"])
    rig.to(rig.now_ms + SECOND)
    name(rig)
    to(rig, rig.now_ms + MINUTE_MS)
    assert pages(rig) == []
    rig = unpaged()
    name(rig)
    to(rig, rig.now_ms + MINUTE_MS)
    told(rig, INCIDENT_RESOLVE, rig.now_ms, "c1", incident=incident(rig)["id"])
    to(rig, rig.now_ms + 20 * SECOND)
    name(rig, settle_seconds=7)
    to(rig, rig.now_ms + MINUTE_MS)
    assert pages(rig) == [*PAGED, "resolve first resolved"]


def test_what_is_silenced_pages_when_the_silence_ends() -> None:
    rig = unpaged()
    told(rig, SILENCE, rig.now_ms, "s1", matchers={"partner": "*"}, until=rig.now_ms + 3 * MINUTE_MS, comment="x")
    rig.to(rig.now_ms + SECOND)
    name(rig)
    to(rig, rig.now_ms + 2 * MINUTE_MS)
    assert pages(rig) == []
    to(rig, rig.now_ms + 2 * MINUTE_MS)
    assert pages(rig) == PAGED


def test_an_escalation_that_is_named_and_taken_back_before_the_next_grid_point_pages_nobody() -> None:
    rig = unpaged()
    name(rig)
    rig.poll()
    name(rig, None)
    to(rig, rig.now_ms + MINUTE_MS)
    assert pages(rig) == []
    name(rig)
    to(rig, rig.now_ms + MINUTE_MS)
    assert pages(rig) == PAGED
