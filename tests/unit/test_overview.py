"""How partners stand, from what the view holds."""

import json
from typing import Any, Literal

import pytest

from models.overview import Overview, PartnerState, View, overview
from models.view import STALE_AFTER_MS
from tests.view_records import AT_MS, alert_state, heartbeat, kpi_record

MEASURES = {"answered": 9, "answered_within": 8, "abandoned": 1}


def loaded(record: tuple[bytes, bytes]) -> dict[str, Any]:
    return dict(json.loads(record[1]))


def policy(name: str) -> dict[str, Any]:
    return {"part": {"name": name}}


def seen(
    *,
    partners: tuple[str, ...] = ("acme",),
    alerts: tuple[tuple[bytes, bytes], ...] = (),
    beat: tuple[bytes, bytes] | None = None,
    policies: dict[str, Any] | None = None,
    now_ms: int = AT_MS,
    clock: Literal["wall", "log"] = "wall",
) -> Overview:
    view = View(
        window="15m",
        figures=tuple(loaded(kpi_record(partner, MEASURES)) for partner in partners),
        total=None,
        alerts=tuple(map(loaded, alerts)),
        heartbeats={0: loaded(beat or heartbeat(0))},
        policies={"acme": policy("Acme Care"), "*": {}} if policies is None else policies,
        health=None,
    )
    return overview(view, now_ms, clock, lambda _: 0)


def state_of(found: Overview, partner: str = "acme") -> PartnerState:
    return next(row.state for row in found.partners if row.partner == partner)


def test_a_partner_without_alerts_is_ok() -> None:
    (row,) = seen().partners
    assert (row.name, row.configured, row.state, row.kpis["service_level"]["value"]) == ("Acme Care", True, PartnerState.OK, 0.8)


def test_a_partner_that_no_policy_names_is_unconfigured_and_shown_by_its_id() -> None:
    (row,) = seen(policies={}).partners
    assert (row.name, row.configured, row.state) == ("acme", False, PartnerState.OK)


def test_a_partner_of_the_policy_without_figures_has_no_data() -> None:
    (row,) = seen(partners=()).partners
    assert (row.state, row.kpis, row.as_of) == (PartnerState.NO_DATA, {}, None)


def test_partners_stand_in_the_order_of_their_names() -> None:
    names = {"z": policy("alpha"), "a": policy("Beta"), "*": {}}
    assert [row.name for row in seen(partners=("gamma",), policies=names).partners] == ["alpha", "Beta", "gamma"]


@pytest.mark.parametrize(
    ("alerts", "state"),
    [
        ([("resolved", None)], PartnerState.OK),
        ([("ok", None)], PartnerState.OK),
        ([("pending", None)], PartnerState.PENDING),
        ([("pending", None), ("recovering", "warning")], PartnerState.RECOVERING),
        ([("recovering", "critical"), ("firing", "warning")], PartnerState.WARNING),
        ([("firing", "critical"), ("firing", "warning")], PartnerState.CRITICAL),
    ],
)
def test_the_state_is_that_of_the_worst_alert(alerts: list[tuple[str, str | None]], state: PartnerState) -> None:
    records = tuple(alert_state("acme", each, severity, scope=f"queue=q{n}") for n, (each, severity) in enumerate(alerts))
    assert state_of(seen(alerts=records)) is state


def test_an_alert_of_another_partner_changes_nothing() -> None:
    assert state_of(seen(alerts=(alert_state("boreal", severity="critical"),))) is PartnerState.OK


def test_without_a_heartbeat_for_a_while_figures_are_stale_whatever_fires() -> None:
    firing = (alert_state("acme", severity="critical"),)
    now_ms = AT_MS + STALE_AFTER_MS
    assert state_of(seen(alerts=firing, now_ms=now_ms, clock="log")) is PartnerState.CRITICAL
    assert state_of(seen(alerts=firing, now_ms=now_ms + 1, clock="log")) is PartnerState.STALE


def test_a_frontier_behind_the_wall_clock_is_stale_and_behind_no_other_clock() -> None:
    behind = heartbeat(0, frontier_ms=AT_MS - STALE_AFTER_MS - 1)
    assert state_of(seen(beat=behind)) is PartnerState.STALE
    assert state_of(seen(beat=behind, clock="log")) is PartnerState.OK


@pytest.mark.parametrize(
    ("sources", "named", "state"),
    [
        ({}, None, PartnerState.OK),
        ({"eu": True}, None, PartnerState.OK),
        ({"eu": False}, None, PartnerState.STALE),
        ({"eu": False, "us": True}, None, PartnerState.OK),
        ({"eu": False, "us": True}, "eu", PartnerState.STALE),
        ({"eu": False, "us": True}, "us", PartnerState.OK),
        ({"eu": False}, "other", PartnerState.OK),
    ],
)
def test_figures_are_stale_while_what_brings_them_does_not_say_that_it_lives(
    sources: dict[str, bool], named: str | None, state: PartnerState
) -> None:
    key, value = heartbeat(0)
    beat = key, json.dumps(json.loads(value) | {"sources": sources}).encode()
    policies = {"acme": {"part": {"name": "Acme"} | ({"source": named} if named else {})}}
    assert state_of(seen(beat=beat, policies=policies)) is state


def test_what_fires_stands_worst_first_then_oldest_first() -> None:
    records = (
        alert_state("acme", "firing", "warning", at_ms=AT_MS, scope="queue=b"),
        alert_state("acme", "firing", "critical", at_ms=AT_MS, scope="queue=c"),
        alert_state("acme", "firing", "warning", at_ms=AT_MS - 5_000, scope="queue=a"),
        alert_state("acme", "pending", None, scope="queue=d"),
        alert_state("acme", "recovering", "critical", scope="queue=e"),
        alert_state("acme", "resolved", None, scope="queue=f"),
    )
    assert [alert["scope"] for alert in seen(alerts=records).alerts] == ["queue=c", "queue=a", "queue=b", "queue=e"]
