"""`outwatch oncall report`: what whoever comes on call must know of the shift before."""

from typing import TYPE_CHECKING

import typer

from streams.cli.commands import Json
from streams.cli.exits import Exit
from streams.cli.oncall_common import At, RotationId, Zone, chosen, held, moment, place_of, shown

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from models.shift_report import ShiftIncident, ShiftReport
    from streams.oncall.calendar import Calendar

__all__ = ["report"]


def report(rotation: RotationId, at: At = None, zone: Zone = None, as_json: Json = False) -> None:
    """Tell of the shift that was last over: what fired, who took it, what is open, what resolved unseen."""
    import asyncio

    from models.clock import now_ms
    from models.handover import concerns, shift_report
    from models.settings import Settings
    from streams.oncall.calendar import read_incidents

    calendar = held(None)
    (name,) = chosen(calendar, [rotation])
    place = place_of(calendar, name, zone)
    at_ms = moment("--at", at, place)
    shift = calendar.rotations[name].shift_before(at_ms, calendar.overrides)
    if shift is None:
        typer.echo(f"{name} had no shift that was over by {shown(at_ms, place)} ({place.key})", err=True)
        raise typer.Exit(Exit.PROBLEMS)
    of = concerns(name, calendar.specs[name].partner, calendar.escalations, calendar.contacts)
    incidents = [each for each in asyncio.run(read_incidents(Settings())) if of(each)]
    following = calendar.rotations[name].who(shift.end_ms, calendar.overrides).people
    told = shift_report(name, shift, following, incidents, now_ms())
    if as_json:
        typer.echo(told.model_dump_json(by_alias=True, indent=2))
    else:
        _print(told, calendar, place)


def _print(told: "ShiftReport", calendar: "Calendar", place: "ZoneInfo") -> None:
    whose = f"{calendar.names(told.people)}, then {calendar.names(told.following) or 'nobody'}"
    typer.echo(f"{told.rotation}: {whose}\n{shown(told.from_, place)} to {shown(told.to, place)} ({place.key})")
    typer.echo(", ".join(f"{count} {part}" for part, count in told.counts.items()))
    if not told.complete:
        typer.echo("it began over 8 days ago: incidents that ended early in it may be missing")
    for incident in told.incidents:
        typer.echo(_lines(incident, calendar, place))


def _lines(incident: "ShiftIncident", calendar: "Calendar", place: "ZoneInfo") -> str:
    from models.shift_report import ShiftPart

    spans = f"from {shown(incident.opened_at, place)}"
    spans += ", open" if incident.ended_at is None else f" to {shown(incident.ended_at, place)}"
    taken = calendar.names(dict.fromkeys(each.by for each in incident.taken))
    whose = f", taken by {taken}" if taken else ", seen by nobody" if ShiftPart.UNSEEN in incident.parts else ""
    return f"\n{incident.id[:8]}  {incident.severity} {spans}{whose}\n    {incident.text}"
