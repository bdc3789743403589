"""`outwatch incident`: what is wrong and who looks after it, and saying so."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from streams.cli.commands import Actor, For, Json, Until, command, until_of, when
from streams.cli.exits import Exit

if TYPE_CHECKING:
    from models.incidents import IncidentState

__all__ = ["app"]

_LETTERS_MIN = 4

app = typer.Typer(no_args_is_help=True, help="List incidents, and look after them.")

Id = Annotated[str, typer.Argument(metavar="ID", help=f"Of the incident, or its first letters ({_LETTERS_MIN} or more).")]
Text = Annotated[str, typer.Argument(metavar="TEXT", help="What there is to say.")]
Comment = Annotated[str | None, typer.Option("--comment", help="What you are doing about it.")]


@app.command(name="list")
def list_(
    partner: Annotated[str | None, typer.Option("--partner", metavar="ID", help="Of this partner.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Those of the last 8 days that are over, too.")] = False,
    as_json: Json = False,
) -> None:
    """List the incidents that are open, the worst first; read from the topic."""
    import orjson

    from models.rules import Severity

    order = [*Severity]
    found = [each for each in _present() if (every or each.ended_at is None) and partner in (None, each.partner)]
    found.sort(key=lambda each: (each.ended_at is not None, -order.index(each.severity), each.opened_at, each.id))
    if as_json:
        typer.echo(orjson.dumps([each.model_dump(mode="json") for each in found], option=orjson.OPT_INDENT_2))
        return
    for each in found:
        typer.echo(f"{each.id[:8]}  {each.severity:<8}  {_standing(each)}\n    {each.text}{_more(each)}")
    if not found:
        typer.echo("no incident is open" if not every else "no incident is known")


@app.command()
def show(identity: Id, as_json: Json = False) -> None:
    """Show an incident: its alerts, who was told, and what happened."""
    import orjson

    each = _one(identity)
    if as_json:
        typer.echo(orjson.dumps(each.model_dump(mode="json"), option=orjson.OPT_INDENT_2))
        return
    typer.echo(f"{each.id}\n{each.partner_name}, by escalation {each.escalation}: {each.severity}, {_standing(each)}")
    if each.due_at is not None:
        typer.echo(f"next at {when(each.due_at)}")
    typer.echo("\nalerts")
    for member in each.members:
        ended = "" if member.ended_at is None else f", ended {when(member.ended_at)}"
        waits = f" [{', '.join(member.suppressed_by)}]" if member.suppressed_by else ""
        typer.echo(f"  {member.fingerprint[:8]}  {member.severity}, since {when(member.fired_at)}{ended}{waits}\n      {member.text}")
    if each.told:
        typer.echo("\ntold")
    for told in each.told:
        person = f" ({told.target.person})" if told.target.person not in (None, told.target.id) else ""
        where = f"{told.receiver.type} {told.receiver.id}"
        typer.echo(
            f"  {when(told.at, seconds=True)}  {told.target.kind} {told.target.id}{person} by {where}: {told.outcome or 'on its way'}"
        )
    typer.echo("\nwhat happened")
    if each.timeline_dropped:
        typer.echo(f"  ({each.timeline_dropped} older lines are gone)")
    for entry in each.timeline:
        by = f" by {entry.by}" if entry.by else ""
        typer.echo(f"  {when(entry.at, seconds=True)}  {entry.what.replace('_', ' ')}{by}{': ' if entry.text else ''}{entry.text}")


@app.command()
def ack(identity: Id, comment: Comment = None, span: For = None, until: Until = None, actor: Actor = None, as_json: Json = False) -> None:
    """Say that you look after it: nobody further is told, unless it gets worse, or until a time."""
    from models.incident_commands import INCIDENT_ACK

    _ask(INCIDENT_ACK, identity, {"until": until_of(span, until), "comment": comment}, actor, as_json=as_json)


@app.command()
def snooze(
    identity: Id, comment: Comment = None, span: For = None, until: Until = None, actor: Actor = None, as_json: Json = False
) -> None:
    """Have it wait: nobody is told up to then, unless it gets worse; if it is open still, it pages from the beginning."""
    from models.incident_commands import INCIDENT_SNOOZE

    until_ms = until_of(span, until)
    if until_ms is None:
        msg = "say how long: --for 2h, or --until TIME"
        raise typer.BadParameter(msg)
    _ask(INCIDENT_SNOOZE, identity, {"until": until_ms, "comment": comment}, actor, as_json=as_json)


@app.command()
def resolve(identity: Id, comment: Comment = None, actor: Actor = None, as_json: Json = False) -> None:
    """Close it, whatever its alerts say; what gets worse, or fires again, opens another."""
    from models.incident_commands import INCIDENT_RESOLVE

    _ask(INCIDENT_RESOLVE, identity, {"comment": comment}, actor, as_json=as_json)


@app.command()
def reassign(
    identity: Id,
    *,
    person: Annotated[str | None, typer.Option(metavar="ID", help="To this person.")] = None,
    rotation: Annotated[str | None, typer.Option(metavar="ID", help="To whoever is on call.")] = None,
    receiver: Annotated[str | None, typer.Option(metavar="ID", help="To this receiver.")] = None,
    role: Annotated[str | None, typer.Option("--partner", metavar="ROLE", help="To this contact of its partner.")] = None,
    comment: Comment = None,
    actor: Actor = None,
    as_json: Json = False,
) -> None:
    """Hand it over: whom you name is told at once, and has to acknowledge."""
    from models.incident_commands import INCIDENT_REASSIGN

    named = {"person": person, "rotation": rotation, "receiver": receiver, "partner": role}
    to = {name: value for name, value in named.items() if value is not None}
    if len(to) != 1:
        msg = "name one of --person, --rotation, --receiver and --partner"
        raise typer.BadParameter(msg)
    _ask(INCIDENT_REASSIGN, identity, {"to": to, "comment": comment}, actor, as_json=as_json)


@app.command()
def comment(identity: Id, text: Text, actor: Actor = None, as_json: Json = False) -> None:
    """Add a line to what happened."""
    from models.incident_commands import INCIDENT_COMMENT

    _ask(INCIDENT_COMMENT, identity, {"comment": text}, actor, as_json=as_json)


def _ask(kind: str, identity: str, payload: dict[str, Any], actor: str | None, *, as_json: bool) -> None:
    found = _one(identity)
    said = {name: value for name, value in payload.items() if value is not None}
    command(kind, found.partner, {"incident": found.id, **said}, actor, as_json=as_json)


def _one(identity: str) -> "IncidentState":
    """The incident whose id begins so; ends the command where there is none, or several."""
    if len(identity) < _LETTERS_MIN:
        msg = f"write at least {_LETTERS_MIN} letters of the id"
        raise typer.BadParameter(msg)
    found = [each for each in _present() if each.id.startswith(identity)]
    if len(found) != 1:
        what = f"{len(found)} incidents begin" if found else "no incident begins"
        typer.echo(f"{what} with {identity} (outwatch incident list --all lists those of the last 8 days)", err=True)
        raise typer.Exit(Exit.PROBLEMS)
    return found[0]


def _present() -> list["IncidentState"]:
    import asyncio

    from models.incidents import IncidentState
    from models.settings import Settings
    from streams.present import read_present

    settings = Settings()
    stored = asyncio.run(read_present(settings, settings.topics.incidents))
    return [IncidentState.model_validate_json(value) for value in stored.values()]


def _standing(each: "IncidentState") -> str:
    """Who looks after it, or how far it was told."""
    from models.incidents import Stage

    since = f"since {when(each.opened_at)}"
    if each.ended_at is not None:
        by = f" by {each.resolved_by}" if each.resolved_by else ""
        return f"{since}, over at {when(each.ended_at)}{by}{', seen by nobody' if each.unseen else ''}"
    if each.held is not None:
        until = "" if each.held.until is None else f" until {when(each.held.until)}"
        return f"{since}, {each.held.what} by {each.held.by}{until}"
    if each.absorbed_by is not None:
        return f"{since}, told of by {each.absorbed_by[:8]}"
    step = {None: "", -1: "the fallback was told", -2: "handed over"}.get(each.step, f"step {(each.step or 0) + 1}, loop {each.loop + 1}")
    stages = {Stage.STEP: step, Stage.WAIT_GROUP: "nobody told yet", Stage.IDLE: "nobody told: suppressed", Stage.PAUSED: "suppressed"}
    return f"{since}, {stages.get(each.stage, each.stage)}"


def _more(each: "IncidentState") -> str:
    return f" (+{each.open - 1} more)" if each.open > 1 else ""
