"""`outwatch escalation`: who would be told of an alert, and when."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from streams.cli.commands import Json
from streams.cli.exits import Exit
from streams.cli.oncall_common import At, Zone

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Say who is told of an incident when nobody answers.")


@app.callback()
def _group() -> None:
    """Keep `simulate` a command of its own, though it is the only one."""


@app.command()
def simulate(
    policy: Annotated[Path, typer.Option("--policy", exists=True, dir_okay=False, help="A policy file.")],
    *,
    partner: Annotated[str | None, typer.Option(metavar="ID", help="Of this partner; without it, the first that has such a rule.")] = None,
    rule: Annotated[str | None, typer.Option(metavar="ID", help="An alert of this rule; without it, of the first that escalates.")] = None,
    scope: Annotated[str | None, typer.Option(metavar="SCOPE", help="Of this scope: all, or queue=billing.")] = None,
    severity: Annotated[Literal["warning", "critical"] | None, typer.Option(help="Without it, the worst of the rule.")] = None,
    at: At = None,
    ack: Annotated[str | None, typer.Option("--ack-after", metavar="SPAN", help="Somebody answers then, such as 12m.")] = None,
    no_ack: Annotated[bool, typer.Option("--no-ack", help="Nobody answers; so it is without --ack-after.")] = False,
    zone: Zone = None,
    as_json: Json = False,
) -> None:
    """Say who would be told of an alert that fires now, or at a time, up to the end of its escalation; nobody is told really."""
    from dataclasses import asdict

    import orjson

    from models.durations import to_seconds
    from models.policy_file import load
    from models.rules import Severity
    from models.wall import local_of
    from models.windows import GRID_MS, Scope
    from streams.cli.oncall_common import moment, print_table, shown, utc, zone_of
    from streams.trial.escalated import Rehearsal, RehearsalError, rehearse
    from streams.trial.suite_file import read_text

    if no_ack and ack is not None:
        msg = "write --no-ack or --ack-after, not both"
        raise typer.BadParameter(msg)
    try:
        ack_ms = None if ack is None else round(to_seconds(ack) * 1000)
        where = None if scope is None else Scope.parse(scope)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    place = utc() if zone is None else zone_of(zone)
    at_ms = moment("--at", at, place)
    what = Rehearsal(partner, rule, where, Severity(severity) if severity else None, ack_ms)
    try:
        lines = rehearse(load(read_text(policy), str(policy)), what, at_ms)
    except RehearsalError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(Exit.PROBLEMS) from None
    if as_json:
        typer.echo(orjson.dumps([asdict(each) for each in lines], option=orjson.OPT_INDENT_2))
        return
    begin_ms = at_ms + -at_ms % GRID_MS
    rows = [
        (
            _after(each.at_ms - begin_ms),
            f"{local_of(each.at_ms, place):%a %H:%M:%S}",
            each.who,
            each.receiver or "",
            each.why.replace("_", " "),
        )
        for each in lines
    ]
    typer.echo(f"an alert that fires at {shown(begin_ms, place)} {place.key}")
    print_table(("after", "at", "who", "by", "why"), rows)


def _after(ms: int) -> str:
    minutes, seconds = divmod(max(0, ms) // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}"
