"""Records as a worker writes them, for tests of those who read them."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from models.definitions import DEFAULT, Definition
from models.figures import Live
from models.kpis import figures
from models.measures import from_names
from models.operation import CommandOutcome, Heartbeat
from models.records import AlertEvent, AlertState, KpiRecord
from models.windows import Calendar, Scope, record_key, window

AT_MS = 1_800_000_000_000


def kpi_record(
    partner: str,
    measures: Mapping[str, int],
    *,
    scope: str = "all",
    window_name: str = "15m",
    at_ms: int = AT_MS,
    revision: int = 1,
    live: Live | None = None,
    definition: Definition = DEFAULT,
    configured: bool = True,
) -> tuple[bytes, bytes]:
    """The key and value of a present figure."""
    record = KpiRecord.model_validate(
        {
            "partner": partner,
            "scope": scope,
            "window": window_name,
            "configured": configured,
            "policy_revision": "p1",
            "kpis": figures(from_names(measures), live, definition, mixed_basis=False),
            "measures": dict(measures),
            "from": window(window_name).start(at_ms, Calendar()),
            "to": at_ms,
            "as_of": at_ms,
            "frontier": at_ms,
            "revision": revision,
        }
    )
    return record_key(partner, Scope.parse(scope), window_name).encode(), record.model_dump_json(by_alias=True, exclude_unset=True).encode()


def heartbeat(partition: int, at_ms: int = AT_MS, *, frontier_ms: int | None = None) -> tuple[bytes, bytes]:
    """The key and value of a heartbeat."""
    record = Heartbeat(
        partition=partition,
        frontier=at_ms if frontier_ms is None else frontier_ms,
        as_of=at_ms,
        revision=1,
        evaluated_to=at_ms,
        worker="w",
        offsets={},
        counters={},
        cadence_seconds=1.0,
    )
    return b"%d" % partition, record.model_dump_json().encode()


def rollup(
    measures: Mapping[str, object], *, partner: str = "acme", scope: str = "all", at_ms: int = AT_MS, width_ms: int = 60_000
) -> dict[str, Any]:
    """The body of a closed minute, or of as long as `width_ms`."""
    return {
        "partner": partner,
        "scope": scope,
        "policy_revision": "p1",
        "mixed_basis": False,
        "measures": dict(measures),
        "from": at_ms,
        "to": at_ms + width_ms,
        "final": True,
        "as_of": at_ms + width_ms,
        "frontier": at_ms + width_ms,
        "revision": 1,
    }


def stretch(body: Mapping[str, Any], last: str | None = None) -> tuple[bytes, bytes]:
    """The key and value of a closed stretch; `last` is the date of a day."""
    named = last or datetime.fromtimestamp(body["from"] / 1000, UTC).strftime("%Y%m%dT%H%MZ")
    return record_key(body["partner"], Scope.parse(body["scope"]), named).encode(), orjson.dumps(dict(body))


def outcome(identity: str, partner: str = "acme", *, at_ms: int = AT_MS) -> tuple[bytes, bytes]:
    """The key and value of what came of a command."""
    fields = {"command": "alert.ack", "partner": partner, "outcome": "applied", "reason": "acknowledged by ana", "processed_at": at_ms}
    return partner.encode(), CommandOutcome.model_validate({"id": identity, **fields}).model_dump_json().encode()


def _evidence(at_ms: int) -> dict[str, Any]:
    return {
        "kpi": "service_level",
        "definition": "abandons_count_against, 20 s",
        "window": "15m",
        "value": 0.4,
        "unit": "ratio",
        "numerator": 24,
        "denominator": 60,
        "n": 60,
        "ci_low": 0.29,
        "ci_high": 0.53,
        "enter": 0.8,
        "exit": 0.83,
        "for_seconds": 60,
        "min_samples": 20,
        "quality": "good",
        "from": at_ms - 900_000,
        "to": at_ms,
    }


def _alert(partner: str, severity: str | None, at_ms: int, scope: str) -> dict[str, Any]:
    return {
        "fingerprint": f"{partner}-{scope}",
        "episode": "e1",
        "seq": 1,
        "partner": partner,
        "scope": scope,
        "rule": {"id": "service_level_low", "revision": "r1"},
        "severity": severity,
        "evidence": _evidence(at_ms),
        "explanation": f"{partner}: service level 40 % in the last 15 min, under 80 % (24 of 60)",
        "started_at": at_ms,
        "fired_at": at_ms,
        "ended_at": None,
        "evaluated_at": at_ms,
        "frontier": at_ms,
    }


def alert_state(
    partner: str, state: str = "firing", severity: str | None = "warning", *, at_ms: int = AT_MS, scope: str = "all"
) -> tuple[bytes, bytes]:
    """The key and value of an alert's present state."""
    fields = {**_alert(partner, severity, at_ms, scope), "state": state, "quality": "good", "since": at_ms, "as_of": at_ms, "revision": 1}
    record = AlertState.model_validate(fields)
    return record.fingerprint.encode(), record.model_dump_json(by_alias=True).encode()


def alert_event(partner: str, number: int, *, at_ms: int = AT_MS, kind: str = "fired") -> tuple[bytes, bytes]:
    """The key and value of a transition."""
    transition = {"from": "pending", "to": "firing", "kind": kind, "reason": "PENDING => FIRING: below 0.8 for 1m"}
    fields = {
        **_alert(partner, "warning", at_ms, "all"),
        "id": f"event-{number}",
        "transition": transition,
        "processed_at": at_ms,
        "late": False,
        "trace": {},
    }
    record = AlertEvent.model_validate(fields)
    return partner.encode(), record.model_dump_json(by_alias=True).encode()
