"""`outwatch silence`, `outwatch ack` and `outwatch comment`: commands of operators, sent and answered."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streams.cli.exits import Exit

if TYPE_CHECKING:
    from models.notices import SilenceState
    from models.settings import Settings
    from streams.asking import Answers

__all__ = ["Actor", "Json", "ack", "command", "comment", "silence", "time_of", "until_of", "when"]

_LETTERS_MIN = 8

silence = typer.Typer(no_args_is_help=True, help="Have pages of some alerts wait, list what is silenced, or end it.")

Actor = Annotated[str | None, typer.Option("--actor", help="Who asks; without it, your login.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
For = Annotated[str | None, typer.Option("--for", metavar="SPAN", help="For so long from now on, such as 2h.")]
Until = Annotated[str | None, typer.Option("--until", metavar="TIME", help="Up to then, such as 2026-11-23T18:00:00Z.")]
Fingerprint = Annotated[str, typer.Argument(metavar="FINGERPRINT", help="Of the alert, or its first letters (8 or more).")]


@silence.command()
def add(
    comment: Annotated[str, typer.Option("--comment", help="Why.")],
    *,
    partner: Annotated[str | None, typer.Option(metavar="ID", help="Of this partner; * stands for any letters, here and below.")] = None,
    rule: Annotated[str | None, typer.Option(metavar="ID", help="Of this rule.")] = None,
    scope: Annotated[str | None, typer.Option(metavar="SCOPE", help="Of this scope: all, queue=billing, or queue=*.")] = None,
    severity: Annotated[str | None, typer.Option(metavar="NAME", help="While they are that: warning or critical.")] = None,
    span: For = None,
    until: Until = None,
    actor: Actor = None,
    as_json: Json = False,
) -> None:
    """Have pages of the alerts that fit wait; what resolves is told all the same. One that still fires at the end pages then."""
    from models.commands import SILENCE
    from models.topics import BROADCAST

    matchers = {"partner": partner, "rule": rule, "scope": scope, "severity": severity}
    named = {name: glob for name, glob in matchers.items() if glob is not None}
    if not named:
        msg = "name at least one of --partner, --rule, --scope and --severity (--partner '*' means every alert)"
        raise typer.BadParameter(msg)
    until_ms = until_of(span, until)
    if until_ms is None:
        msg = "say how long: --for 2h, or --until TIME"
        raise typer.BadParameter(msg)
    whole = partner is None or any(letter in partner for letter in "*?[")
    payload = {"matchers": named, "until": until_ms, "comment": comment}
    command(SILENCE, BROADCAST if whole or partner is None else partner, payload, actor, as_json=as_json)


@silence.command()
def expire(
    identity: Annotated[str, typer.Argument(metavar="ID", help="As `list` shows it, or its first letters.")],
    actor: Actor = None,
    as_json: Json = False,
) -> None:
    """End a silence now."""
    from models.commands import EXPIRE
    from models.settings import Settings

    found = [each for each in _present(Settings(), "silence") if each["id"].startswith(identity)]
    if len(found) != 1:
        what = f"{len(found)} silences begin with {identity}" if found else f"no silence {identity}"
        typer.echo(f"{what} (outwatch silence list shows what there is)", err=True)
        raise typer.Exit(Exit.PROBLEMS)
    command(EXPIRE, found[0]["partner"], {"silence": found[0]["id"]}, actor, as_json=as_json)


@silence.command(name="list")
def list_(as_json: Json = False) -> None:
    """List the silences that hold, the first to end first; read from the topic."""
    import orjson

    from models.clock import now_ms
    from models.notices import SilenceState
    from models.settings import Settings

    standing = _standing(Settings())
    found = sorted(standing.get("silence", ()), key=lambda each: (each["until"], each["id"]))
    for each in found:
        each["holds_back"] = _held_back(SilenceState.model_validate(each), standing.get("", ()), now_ms())
    if as_json:
        typer.echo(orjson.dumps(found, option=orjson.OPT_INDENT_2))
        return
    for each in found:
        meant = " ".join(f"{name}={glob}" for name, glob in each["matchers"].items())
        count = each["holds_back"]
        held = f"holds back {count} open alert{'s' * (count != 1)}" if count else "holds back nothing now"
        typer.echo(f"{each['id']}  until {when(each['until'])}  {each['actor']}  {held}\n    {meant}\n    {each['comment']}")
    if not found:
        typer.echo("nothing is silenced")


def _held_back(silence: "SilenceState", alerts: Iterable[Mapping[str, Any]], at_ms: int) -> int:
    """How many of the alerts are open and silenced by it."""
    return sum(
        each["state"] in ("firing", "recovering")
        and "silenced" in each["suppressed_by"]
        and silence.holds(
            at_ms, {"partner": each["partner"], "rule": each["rule"]["id"], "scope": each["scope"], "severity": each["severity"]}
        )
        for each in alerts
    )


def ack(
    fingerprint: Fingerprint,
    comment: Annotated[str | None, typer.Option("--comment", help="What you are doing about it.")] = None,
    span: For = None,
    until: Until = None,
    actor: Actor = None,
    as_json: Json = False,
) -> None:
    """Say that you look after an open alert, until it ends or gets worse."""
    from models.commands import ACK

    optional = {"until": until_of(span, until), "comment": comment}
    found = _alert(fingerprint)
    payload = {"fingerprint": found["fingerprint"]} | {name: value for name, value in optional.items() if value is not None}
    command(ACK, found["partner"], payload, actor, as_json=as_json)


def comment(
    fingerprint: Fingerprint,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What is to be known of it.")],
    actor: Actor = None,
    as_json: Json = False,
) -> None:
    """Say something of an alert that is open, or was just resolved: it stands beside it."""
    from models.commands import COMMENT

    found = _alert(fingerprint)
    command(COMMENT, found["partner"], {"fingerprint": found["fingerprint"], "comment": text}, actor, as_json=as_json)


def _alert(fingerprint: str) -> dict[str, Any]:
    """The alert whose fingerprint begins like that."""
    from models.settings import Settings

    if len(fingerprint) < _LETTERS_MIN:
        msg = f"write at least {_LETTERS_MIN} letters of the fingerprint"
        raise typer.BadParameter(msg)
    found = [each for each in _present(Settings(), "") if each["fingerprint"].startswith(fingerprint)]
    if len(found) != 1:
        what = f"{len(found)} alerts begin" if found else "no alert begins"
        typer.echo(f"{what} with {fingerprint} (outwatch status lists what fires)", err=True)
        raise typer.Exit(Exit.PROBLEMS)
    return found[0]


def until_of(span: str | None, until: str | None) -> int | None:
    """The time that one of the options says, if either does."""
    from models.clock import now_ms
    from models.durations import to_seconds

    if span is not None and until is not None:
        msg = "write --for or --until, not both"
        raise typer.BadParameter(msg)
    if span is not None:
        try:
            return now_ms() + round(to_seconds(span) * 1000)
        except ValueError as error:
            raise typer.BadParameter(str(error), param_hint="--for") from None
    return None if until is None else time_of("--until", until)


def time_of(option: str, text: str) -> int:
    """The time that an option says, in epoch milliseconds."""
    from models.errors import TimeError
    from models.times import to_ms

    try:
        return to_ms(text)
    except TimeError as error:
        raise typer.BadParameter(str(error), param_hint=option) from None


def command(kind: str, partner: str, payload: dict[str, Any], actor: str | None, *, as_json: bool) -> None:
    """Send it, and say what each partition answers; ends with 1 unless all that were asked did it."""
    import asyncio
    from getpass import getuser
    from secrets import token_hex

    from pydantic import ValidationError

    from models.clock import now_ms
    from models.commands import PAYLOADS
    from models.operation import Command
    from models.settings import Settings
    from streams.asking import ask

    try:
        PAYLOADS[kind].model_validate(payload)
    except ValidationError as error:
        wrong = error.errors()[0]
        msg = f"{'.'.join(map(str, wrong['loc']))}: {wrong['msg'][0].lower()}{wrong['msg'][1:]}"
        raise typer.BadParameter(msg) from None
    # An operator's command is new each time; the workers only ever repeat ids.
    command = Command(id=token_hex(6), type=kind, actor=actor or getuser(), at=now_ms(), partner=partner, payload=payload)
    _told(command.id, asyncio.run(ask(Settings(), command)), as_json=as_json)


def _told(identity: str, answers: "Answers", *, as_json: bool) -> None:
    import orjson

    reasons = _worth_saying({f"{each['outcome']}: {each['reason']}" for each in answers.values() if each is not None})
    silent = sorted(partition for partition, each in answers.items() if each is None)
    refused = any(each is not None and each["outcome"] != "applied" for each in answers.values())
    if as_json:
        typer.echo(orjson.dumps({"id": identity, "answers": reasons, "silent": silent}, option=orjson.OPT_INDENT_2))
    else:
        for each in reasons:
            typer.echo(f"{identity}  {each}")
        if silent:
            where = f"partition{'s' * (len(silent) > 1)} {', '.join(map(str, silent))}"
            typer.echo(f"{identity}  sent, not answered yet by {where}: is a worker running? One that reads it later does it", err=True)
    if refused or silent:
        raise typer.Exit(Exit.PROBLEMS)


def _worth_saying(told: set[str]) -> list[str]:
    """What partitions answered, but for the remarks of those that it does not concern: others did it, or know better why it misses."""
    from models.commands import MISSES

    def knows(answer: str) -> int:
        return next((at for at, miss in enumerate(MISSES) if answer.endswith(miss)), len(MISSES))

    most = max(map(knows, told), default=0)
    return sorted(each for each in told if knows(each) == most)


def _present(settings: "Settings", kind: str) -> list[dict[str, Any]]:
    """What stands beside the alerts, each once; without a kind, the alerts."""
    return _standing(settings).get(kind, [])


def _standing(settings: "Settings") -> dict[str, list[dict[str, Any]]]:
    """By kind; alerts have none."""
    import asyncio

    import orjson

    from streams.present import read_present

    found: dict[str, list[dict[str, Any]]] = {}
    for (_, key), value in asyncio.run(read_present(settings, settings.topics.alerts_state)).items():
        kind, slash, _ = key.partition(b"/")
        found.setdefault(kind.decode() if slash else "", []).append(orjson.loads(value))
    return found


def when(at_ms: int, *, seconds: bool = False) -> str:
    """A time as a person reads it."""
    from datetime import UTC, datetime

    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime(f"%Y-%m-%d %H:%M{':%S' * seconds} UTC")
