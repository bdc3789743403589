"""What the commands on rotations have in common: whose calendar, which zone, and how it is shown."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streams.cli.exits import Exit

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from models.oncall import OnCall
    from streams.oncall.calendar import Calendar

__all__ = [
    "NO_ROTATIONS",
    "At",
    "Days",
    "From",
    "Policy",
    "RotationId",
    "RotationIds",
    "Zone",
    "by",
    "chosen",
    "held",
    "moment",
    "names_of",
    "place_of",
    "print_table",
    "require_person",
    "said_of",
    "shown",
    "utc",
    "zone_of",
]

NO_ROTATIONS = "the policy has no rotations"

RotationId = Annotated[str, typer.Argument(metavar="ROTATION", help="Its id.")]
RotationIds = Annotated[list[str] | None, typer.Argument(metavar="ROTATION", help="Their ids; without any, all.")]
Policy = Annotated[
    Path | None,
    typer.Option("--policy", exists=True, dir_okay=False, help="A policy file in place of what was applied."),
]
Zone = Annotated[str | None, typer.Option("--zone", help="Of the times, such as Europe/Lisbon; without it, the rotation's.")]
At = Annotated[str | None, typer.Option("--at", metavar="TIME", help="When, such as 2026-12-24T18:00; without it, now.")]
From = Annotated[str | None, typer.Option("--from", metavar="TIME", help="Since when; without it, now.")]
Days = Annotated[int, typer.Option("--days", min=1, max=400, help="For so many days.")]


def held(policy: Path | None) -> "Calendar":
    """That of a policy file, or of what was applied with the overrides."""
    import asyncio

    from models.policy_file import load
    from models.settings import Settings
    from streams.oncall.calendar import calendar_of, read_calendar
    from streams.trial.suite_file import read_text

    if policy is None:
        return asyncio.run(read_calendar(Settings()))
    loaded = load(read_text(policy), str(policy))
    return calendar_of(loaded, loaded.partners)


def chosen(calendar: "Calendar", names: list[str] | None) -> list[str]:
    """These rotations, or all; ends the command where one is not there."""
    from models.yaml_file import suggest

    unknown = next((each for each in names or () if each not in calendar.rotations), None)
    if unknown is not None:
        remedy = suggest(unknown, sorted(calendar.rotations)) if calendar.rotations else "the policy has none"
        typer.echo(f"no rotation {unknown} ({remedy})", err=True)
        raise typer.Exit(Exit.PROBLEMS)
    return names or sorted(calendar.rotations)


def require_person(calendar: "Calendar", rotation: str, person: str) -> None:
    """End the command unless somebody of the rotation's side is called so."""
    from models.yaml_file import suggest

    found, side = calendar.people.get(person), calendar.specs[rotation].partner
    if found is not None and found.partner == side:
        return
    same = [each.id for each in calendar.people.values() if each.partner == side]
    what = "is nobody of the policy" if found is None else f"is on the side of {found.partner or 'the client'}"
    typer.echo(f"{person} {what} ({suggest(person, same)})", err=True)
    raise typer.Exit(Exit.PROBLEMS)


def place_of(calendar: "Calendar", rotation: str, zone: str | None) -> "ZoneInfo":
    """The zone in which times of a rotation are said and shown."""
    return zone_of(zone or calendar.specs[rotation].timezone)


def zone_of(zone: str) -> "ZoneInfo":
    """The zone of this name."""
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        msg = f"{zone!r} is no time zone (write an IANA name such as Europe/Lisbon)"
        raise typer.BadParameter(msg, param_hint="--zone") from None


def utc() -> "ZoneInfo":
    """The zone of times that belong to no rotation."""
    from zoneinfo import ZoneInfo

    return ZoneInfo("UTC")


def moment(option: str, text: str | None, place: "ZoneInfo") -> int:
    """The moment that an option says; without it, now."""
    from models.clock import now_ms
    from models.errors import TimeError
    from models.wall import read_moment

    try:
        return now_ms() if text is None else read_moment(text, place)
    except TimeError as error:
        raise typer.BadParameter(str(error), param_hint=option) from None


def said_of(on_call: "OnCall") -> dict[str, Any]:
    """Who is on call, and by what, as JSON data."""
    return {"people": on_call.people, "layer": on_call.layer, "override": on_call.override}


def by(on_call: "OnCall") -> str:
    """By which layer, counted from 1, or override."""
    from models.quantity import DASH

    if on_call.override is not None:
        return f"override {on_call.override}"
    return DASH if on_call.layer is None else f"layer {on_call.layer + 1}"


def names_of(calendar: "Calendar", people: tuple[str, ...] | None) -> str:
    """Who they are, on a screen; None: not known."""
    from models.quantity import DASH

    return DASH if people is None else calendar.names(people) or "nobody"


def shown(at_ms: int | None, place: "ZoneInfo") -> str:
    """A moment as the clocks of a zone show it."""
    from models.quantity import DASH
    from models.wall import local_of

    return DASH if at_ms is None else f"{local_of(at_ms, place):%a %Y-%m-%d %H:%M}"


def print_table(names: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    """Print a row a line."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(header_style="bold underline", box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for name in names:
        table.add_column(name, no_wrap=name in ("from", "to", "until", "opened", "ended"), overflow="fold")
    for row in rows:
        table.add_row(*map(escape, row))
    Console(highlight=False).print(table)
