"""`outwatch oncall`: who is on call, taking a shift, and rotations to calendars and back."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from streams.cli.commands import Actor, Json, command
from streams.cli.exits import Exit
from streams.cli.oncall_common import (
    NO_ROTATIONS,
    At,
    Days,
    From,
    Policy,
    RotationId,
    RotationIds,
    Zone,
    by,
    chosen,
    held,
    moment,
    names_of,
    place_of,
    print_table,
    require_person,
    said_of,
    shown,
    utc,
)

if TYPE_CHECKING:
    from models.errors import Problem
    from models.oncall import Gap
    from streams.oncall.calendar import Calendar

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Say who is on call, take a shift, and exchange rotations with calendars.")


@app.command()
def who(rotations: RotationIds = None, at: At = None, zone: Zone = None, policy: Policy = None, as_json: Json = False) -> None:
    """Say who is on call, and until when."""
    import orjson

    calendar = held(policy)
    told, lines = [], []
    for name in chosen(calendar, rotations):
        rotation, place = calendar.rotations[name], place_of(calendar, name, zone)
        at_ms = moment("--at", at, place)
        now, until_ms = rotation.who(at_ms, calendar.overrides), rotation.next_handover_ms(at_ms, calendar.overrides)
        then = None if until_ms is None else rotation.who(until_ms, calendar.overrides).people
        told.append({"rotation": name, "at": at_ms, **said_of(now), "until": until_ms, "next": then, "zone": place.key})
        until = "" if until_ms is None else f" until {shown(until_ms, place)} ({place.key}), then {names_of(calendar, then)}"
        lines.append(f"{name}: {names_of(calendar, now.people)} ({by(now)}){until}")
    typer.echo(orjson.dumps(told, option=orjson.OPT_INDENT_2) if as_json else "\n".join(lines) or NO_ROTATIONS)


@app.command()
def schedule(
    rotations: RotationIds = None,
    from_: From = None,
    days: Days = 14,
    zone: Zone = None,
    policy: Policy = None,
    as_json: Json = False,
) -> None:
    """List who is on call when."""
    import orjson

    from models.windows import DAY_MS

    calendar = held(policy)
    told: list[dict[str, Any]] = []
    for name in chosen(calendar, rotations):
        place = place_of(calendar, name, zone)
        from_ms = moment("--from", from_, place)
        segments = list(calendar.rotations[name].schedule(from_ms, from_ms + days * DAY_MS, calendar.overrides))
        told += [{"rotation": name, "from": each[0], "to": each[1], **said_of(each.on_call), "zone": place.key} for each in segments]
        if not as_json:
            typer.echo(f"{name} ({place.key})")
            rows = [(shown(begin, place), shown(end, place), names_of(calendar, now.people), by(now)) for begin, end, now in segments]
            print_table(("from", "to", "on call", "by"), rows)
    if as_json:
        typer.echo(orjson.dumps(told, option=orjson.OPT_INDENT_2))
    elif not told:
        typer.echo(NO_ROTATIONS)


@app.command()
def take(
    rotation: RotationId,
    person: Annotated[str, typer.Option("--as", metavar="PERSON", help="Who takes it: an id of the policy's people.")],
    to: Annotated[str, typer.Option("--to", metavar="TIME", help="Up to when, by the rotation's clock, such as 2026-12-24T18:00.")],
    from_: From = None,
    comment: Annotated[str | None, typer.Option("--comment", help="Why.")] = None,
    zone: Zone = None,
    actor: Actor = None,
    as_json: Json = False,
) -> None:
    """Be on call in place of whose turn it is; a swap is two of these."""
    from models.oncall_commands import OVERRIDE
    from models.topics import BROADCAST

    calendar = held(None)
    chosen(calendar, [rotation])
    require_person(calendar, rotation, person)
    place = place_of(calendar, rotation, zone)
    from_ms, to_ms = moment("--from", from_, place), moment("--to", to, place)
    if to_ms <= from_ms:
        msg = "--to must lie after --from"
        raise typer.BadParameter(msg)
    payload = {"rotation": rotation, "person": person, "from": from_ms, "to": to_ms} | ({"comment": comment} if comment else {})
    command(OVERRIDE, BROADCAST, payload, actor, as_json=as_json)


@app.command()
def cancel(
    identity: Annotated[str, typer.Argument(metavar="ID", help="Of the override, as `schedule` shows it.")],
    actor: Actor = None,
    as_json: Json = False,
) -> None:
    """End what somebody took, or give it back before it begins."""
    from models.oncall_commands import CANCEL
    from models.topics import BROADCAST

    if identity not in {each.id for each in held(None).overrides}:
        typer.echo(f"no override {identity} (outwatch oncall schedule shows them)", err=True)
        raise typer.Exit(Exit.PROBLEMS)
    command(CANCEL, BROADCAST, {"override": identity}, actor, as_json=as_json)


@app.command()
def lint(policy: Policy = None, at: At = None, as_json: Json = False) -> None:
    """Say when nobody is on call in the next 14 days; of a file, all that is wrong with its people too. Ends with 1 if anything is."""
    import orjson

    from models import policy_file
    from models.oncall import coverage
    from streams.trial.suite_file import read_text

    at_ms = moment("--at", at, utc())
    if policy is not None:
        found = [each for each in policy_file.lint(read_text(policy), str(policy), at_ms) if _of_people(each)]
        wrong, lines, told = any(each.level == "error" for each in found), [str(each) for each in found], list[Any](found)
    else:
        calendar = held(None)
        gaps = list(coverage(list(calendar.rotations.values()), at_ms, calendar.overrides))
        wrong, lines = bool(gaps), [_gap(calendar, each) for each in gaps]
        told = [{"rotation": each.rotation, "from": each.begin_ms, "to": each.end_ms, "reason": each.reason} for each in gaps]
    typer.echo(orjson.dumps(told, option=orjson.OPT_INDENT_2) if as_json else "\n".join(lines) or "somebody is always on call")
    if wrong:
        raise typer.Exit(Exit.PROBLEMS)


def _of_people(problem: "Problem") -> bool:
    """Whether it is one of people and rotations, or hides them."""
    return problem.field.startswith(("people", "rotations", "(file)")) or ".contacts" in problem.field


def _gap(calendar: "Calendar", gap: "Gap") -> str:
    place = place_of(calendar, gap.rotation, None)
    return f"{gap.rotation}: {gap.reason} from {shown(gap.begin_ms, place)} to {shown(gap.end_ms, place)} ({place.key})"
