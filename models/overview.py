"""How every partner stands now: what the view holds, brought together for a person. Pure."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

from models.sources import Voice, voice
from models.topics import BROADCAST
from models.view import STALE_AFTER_MS

__all__ = ["Overview", "PartnerRow", "PartnerState", "View", "overview"]

Json = Mapping[str, Any]
"""A record as JSON gives it: a newer release may have put more into it."""


class PartnerState(StrEnum):
    """How a partner stands, best first."""

    OK = "ok"
    NO_DATA = "no_data"
    """The policy names it, and nothing of it came in this window."""
    PENDING = "pending"
    RECOVERING = "recovering"
    WARNING = "warning"
    CRITICAL = "critical"
    STALE = "stale"
    """Its figures and alerts may have changed since.

    No heartbeat for 15 s, stream time that far behind the wall clock, or what brings its contacts no longer says that it lives.
    """


_STATES: tuple[PartnerState, ...] = tuple(PartnerState)


@dataclass(frozen=True, slots=True)
class View:
    """What was read from Redis, for one window."""

    window: str
    figures: tuple[Json, ...]
    """Of whole partners."""
    total: Json | None
    alerts: tuple[Json, ...]
    heartbeats: Mapping[int, Json]
    """By partition."""
    policies: Mapping[str, Json]
    """By partner, and `*`."""
    health: Json | None
    """Of the projector."""


@dataclass(frozen=True, slots=True)
class PartnerRow:
    """A partner, with the figures of the window as its record has them."""

    partner: str
    name: str
    configured: bool
    state: PartnerState
    kpis: Json
    as_of: int | None
    frontier: int | None


@dataclass(frozen=True, slots=True)
class Overview:
    """All partners by name, and what fires: the worst first, of these what matters most, and of these the oldest."""

    window: str
    at: int
    partners: tuple[PartnerRow, ...]
    total: Json | None
    alerts: tuple[Json, ...]
    projector: Json | None
    """None if none ever ran here."""


def overview(view: View, now_ms: int, clock: Literal["wall", "log"], partition_of: Callable[[str], int]) -> Overview:
    """Bring the view together.

    Args:
        view: what Redis holds.
        now_ms: the wall clock.
        clock: what moves stream time; only with `wall` it can be behind.
        partition_of: the partition of a partner, whose heartbeat says whether its figures still hold.
    """
    figures = {figure["partner"]: figure for figure in view.figures}
    configured = view.policies.keys() - {BROADCAST}
    states: dict[str, list[PartnerState]] = {}
    for alert in view.alerts:
        states.setdefault(alert["partner"], []).append(_alert_state(alert))

    def row(partner: str) -> PartnerRow:
        figure = figures.get(partner)
        heartbeat = view.heartbeats.get(partition_of(partner))
        source = view.policies[partner]["part"].get("source") if partner in configured else None
        if heartbeat is None or _is_stale(heartbeat, now_ms, clock) or voice(heartbeat.get("sources", {}), source) is Voice.SILENT:
            state = PartnerState.STALE
        else:
            own = PartnerState.NO_DATA if figure is None else PartnerState.OK
            state = max([own, *states.get(partner, [])], key=_STATES.index)
        return PartnerRow(
            partner=partner,
            name=view.policies[partner]["part"]["name"] if partner in configured else partner,
            configured=partner in configured,
            state=state,
            kpis={} if figure is None else figure["kpis"],
            as_of=None if figure is None else figure["as_of"],
            frontier=None if figure is None else figure["frontier"],
        )

    return Overview(
        window=view.window,
        at=now_ms,
        partners=tuple(sorted(map(row, configured | figures.keys()), key=lambda each: each.name.casefold())),
        total=view.total,
        alerts=tuple(_firing(view.alerts)),
        projector=view.health,
    )


def _alert_state(alert: Json) -> PartnerState:
    match alert["state"]:
        case "firing":
            return PartnerState(alert["severity"])
        case "pending" | "recovering" as state:
            return PartnerState(state)
        case _:
            return PartnerState.OK


def _firing(alerts: Iterable[Json]) -> list[Json]:
    def place(alert: Json) -> tuple[int, int, int, str]:
        # What a worker of a release before wrote has no order.
        return -_STATES.index(_alert_state(alert)), -alert.get("order", 0), alert["fired_at"] or 0, alert["fingerprint"]

    return sorted((alert for alert in alerts if alert["state"] in {"firing", "recovering"}), key=place)


def _is_stale(heartbeat: Json, now_ms: int, clock: Literal["wall", "log"]) -> bool:
    if now_ms - heartbeat["as_of"] > STALE_AFTER_MS:
        return True
    return clock == "wall" and now_ms - heartbeat["frontier"] > STALE_AFTER_MS
