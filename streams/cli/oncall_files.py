"""`outwatch oncall export` and `import`: rotations to calendars and back."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from streams.cli.commands import command
from streams.cli.exits import Exit
from streams.cli.oncall_common import Days, From, Policy, RotationId, chosen, held, moment, place_of, shown, utc

if TYPE_CHECKING:
    from models.rotations import RotationSpec

__all__ = ["export", "import_"]

_AROUND_MS = 31 * 86_400_000


def export(
    rotation: RotationId,
    from_: From = None,
    days: Days = 90,
    output: Annotated[Path | None, typer.Option("--output", help="A file in place of the screen.")] = None,
    policy: Policy = None,
) -> None:
    """Write who is on call as an iCalendar file."""
    from models.clock import now_ms
    from models.windows import DAY_MS
    from streams.oncall.written import to_ics

    calendar = held(policy)
    (name,) = chosen(calendar, [rotation])
    from_ms = moment("--from", from_, place_of(calendar, name, None))
    to_ms = from_ms + days * DAY_MS
    # Whole shifts, so that each has the same times whenever it is written.
    around = calendar.rotations[name].schedule(from_ms - _AROUND_MS, to_ms + _AROUND_MS, calendar.overrides)
    written = to_ics(calendar, name, [each for each in around if each.end_ms > from_ms and each.begin_ms < to_ms], now_ms())
    if output is None:
        typer.echo(written, nl=False)
        return
    try:
        output.write_bytes(written)
    except OSError as error:
        typer.echo(f"{output} cannot be written: {error.strerror}", err=True)
        raise typer.Exit(Exit.PROBLEMS) from None


def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="An iCalendar file (.ics).")],
    rotation: Annotated[str, typer.Option("--rotation", help="Whose shifts they are.")],
    send: Annotated[bool, typer.Option("--send", help="Ask for the shifts that do not repeat, as overrides.")] = False,
    zone: Annotated[str | None, typer.Option("--zone", help="Of times that name none, such as Europe/Lisbon.")] = None,
    policy: Policy = None,
) -> None:
    """Read a calendar: what repeats is printed as a rotation for the policy, what does not can be asked for as overrides."""
    from models.clock import now_ms
    from models.oncall_commands import OVERRIDE
    from models.topics import BROADCAST
    from streams.oncall.imported import from_ics

    calendar = held(policy)
    found = from_ics(file.read_bytes(), str(file), rotation, calendar.people, zone)
    if found.rotation is not None:
        typer.echo(_yaml(found.rotation), nl=False)
    ahead = [each for each in found.singles if each.to_ms > now_ms()]
    if ahead and send:
        chosen(calendar, [rotation])
    shown_in = zone or (None if found.rotation is None else found.rotation.timezone)
    for each in ahead:
        place = place_of(calendar, rotation, shown_in) if shown_in or rotation in calendar.specs else utc()
        times = f"{shown(each.from_ms, place)} to {shown(each.to_ms, place)} ({place.key})"
        typer.echo(f"# {calendar.names(each.people)} from {times}")
        if len(each.people) > 1:
            typer.echo("# an override is one person's: give a layer to shifts of several", err=True)
        elif send:
            payload = {"rotation": rotation, "person": each.people[0], "from": each.from_ms, "to": each.to_ms}
            command(OVERRIDE, BROADCAST, payload, None, as_json=False)
    if ahead and not send:
        typer.echo(f"# {_count(len(ahead))} not repeat: --send asks for overrides of {rotation}")
    if over := len(found.singles) - len(ahead):
        typer.echo(f"# of what does not repeat {over} shift{'s are' if over > 1 else ' is'} over and left out")


def _count(shifts: int) -> str:
    return "1 shift does" if shifts == 1 else f"{shifts} shifts do"


def _yaml(spec: "RotationSpec") -> str:
    from io import StringIO

    from ruamel.yaml import YAML

    from models.durations import written
    from models.policy_spec import to_json

    out, said = StringIO(), to_json(spec)
    for layer in said["layers"]:
        if "lasts" in layer:
            layer["lasts"] = written(layer["lasts"])
    YAML().dump({"rotations": [said]}, out)
    return out.getvalue()
