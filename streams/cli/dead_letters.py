"""`outwatch dead-letters`: what did not count, why, and back to where it came from."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from streams.cli.exits import Exit

if TYPE_CHECKING:
    from streams.letters import Coordinates, Found, Selection

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Look at what did not count, and send it back once what was wrong is right.")

SHOWN_MAX = 20
"""A letter may have 900 kB."""


def _time_ms(text: str) -> int:
    from models.clock import now_ms
    from models.durations import to_seconds
    from models.errors import TimeError
    from models.times import to_ms

    try:
        # Times before 1970 have meanings of their own to Kafka.
        return max(0, now_ms() - round(to_seconds(text) * 1000))
    except ValueError:
        pass
    try:
        return to_ms(text)
    except TimeError:
        msg = f"{text!r} is neither a duration such as 2h nor a time such as 2024-05-01T09:30:00Z"
        raise typer.BadParameter(msg) from None


def _reason(text: str) -> str:
    from models.reasons import RejectReason

    if text not in set(RejectReason):
        msg = f"{text!r} is none of {', '.join(RejectReason)}"
        raise typer.BadParameter(msg)
    return text


def _coordinates(text: str) -> "Coordinates":
    from streams.letters import Coordinates

    try:
        return Coordinates.parse(text)
    except ValueError:
        msg = f"{text!r} is no TOPIC/PARTITION/OFFSET"
        raise typer.BadParameter(msg) from None


Reasons = Annotated[list[str] | None, typer.Option("--reason", parser=_reason, metavar="REASON", help="Only these. Repeatable.")]
Source = Annotated[str | None, typer.Option(metavar="TOPIC", help="Only records of this source topic.")]
Partner = Annotated[str | None, typer.Option(help="Only those of this partner.")]
Since = Annotated[
    int | None, typer.Option(parser=_time_ms, metavar="TIME", help="That failed since: a time, or a duration ago such as 2h.")
]
Until = Annotated[int | None, typer.Option(parser=_time_ms, metavar="TIME", help="That failed before: likewise.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def _selection(
    reasons: list[str] | None, source: str | None, partner: str | None, since_ms: int | None, until_ms: int | None, at: str | None = None
) -> "Selection":
    from models.settings import Settings
    from streams.letters import Selection

    if source is not None and source not in (topics := Settings().topics.subscribed):
        msg = f"{source!r} is none of {', '.join(topics)}"
        raise typer.BadParameter(msg)
    if since_ms is not None and until_ms is not None and since_ms >= until_ms:
        msg = "nothing lies between: --since is not before --until"
        raise typer.BadParameter(msg)
    where = None if at is None else _coordinates(at)
    return Selection(frozenset(reasons or ()), source, partner, since_ms, until_ms, where)


@app.command("list")
def list_letters(
    reason: Reasons = None,
    source: Source = None,
    partner: Partner = None,
    since: Since = None,
    until: Until = None,
    limit: Annotated[int, typer.Option(min=0, max=10_000, help="Of the newest letters; all are counted.")] = 50,
    as_json: Json = False,
) -> None:
    """Count the letters by topic and reason, and list the newest; what customers said and who they are is masked."""
    import asyncio

    import orjson
    from rich.console import Console

    from models.settings import Settings
    from streams.letters import find, shown

    found = asyncio.run(find(Settings(), _selection(reason, source, partner, since, until), limit, values=False))
    letters = [shown(letter, replayed=letter.at in found.replayed) for letter in found.letters]
    for letter in letters:
        del letter["value"]
    if as_json:
        typer.echo(orjson.dumps({"letters": letters, **_totals(found)}, option=orjson.OPT_INDENT_2))
        return
    console = Console()
    if letters:
        console.print(_table(letters))
    for count in _totals(found)["counts"]:
        console.print(f"{count['letters']} {count['reason']} of {count['source']}", highlight=False)
    if not found.counts:
        console.print("no dead letters" + (f"; {found.strangers} records that outwatch did not write" if found.strangers else ""))


def _totals(found: "Found") -> dict[str, Any]:
    counts = [{"source": source, "reason": reason, "letters": number} for (source, reason), number in sorted(found.counts.items())]
    return {"counts": counts, "strangers": found.strangers}


def _table(letters: list[dict[str, Any]]) -> Any:  # noqa: ANN401 - a rich Table, which is imported only when it is drawn
    from rich.table import Table
    from rich.text import Text

    table = Table()
    for column in ("failed at (UTC)", "letter", "source", "partner", "reason", "bytes", "replayed", "error"):
        table.add_column(column, overflow="fold" if column in ("letter", "source") else "ellipsis", no_wrap=column == "error")
    for each in letters:
        size = f"{each['bytes']}{' cut' if each['cut'] else ''}"
        error = each["error"].strip().splitlines()[-1:] or [""]
        cells = (each["letter"], each["source"], each["partner"] or "–", each["reason"], size, "yes" if each["replayed"] else "", error[0])
        table.add_row(_time(each["failed_at"]), *map(Text, cells))
    return table


def _time(at_ms: int) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")


@app.command()
def show(
    where: Annotated[str, typer.Argument(metavar="TOPIC|COORDINATES", help="A source topic, or topic/partition/offset.")],
    unmasked: Annotated[bool, typer.Option("--unmasked", help="With what is personal in it, and what is not JSON.")] = False,
    as_json: Json = False,
) -> None:
    """Show a letter whole, by its own coordinates or those of its record, or the newest 20 of a topic."""
    import asyncio

    import orjson

    from models.settings import Settings
    from streams.letters import find, shown

    selection = _selection(None, None, None, None, None, where) if "/" in where else _selection(None, where, None, None, None)
    found = asyncio.run(find(Settings(), selection, SHOWN_MAX, values=True))
    letters = [shown(letter, replayed=letter.at in found.replayed, unmasked=unmasked) for letter in found.letters]
    if as_json:
        typer.echo(orjson.dumps({"letters": letters, **_totals(found)}, option=orjson.OPT_INDENT_2))
    else:
        typer.echo("\n\n".join(map(_whole, letters)), nl=bool(letters))
    if not letters:
        typer.echo(f"no dead letter of {where}", err=True)
        raise typer.Exit(Exit.PROBLEMS)


def _whole(letter: dict[str, Any]) -> str:
    import orjson

    value = letter.pop("value")
    lines = [f"{name.replace('_', ' ')}: {said}" for name, said in letter.items() if said not in (None, [], {}, "", False)]
    text = value if isinstance(value, str) else orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
    return "\n".join([*lines, f"failed at (UTC): {_time(letter['failed_at'])}", text])


@app.command()
def replay(
    where: Annotated[str | None, typer.Argument(metavar="[COORDINATES]", help="topic/partition/offset of a letter or its record.")] = None,
    *,
    reason: Reasons = None,
    source: Source = None,
    partner: Partner = None,
    since: Since = None,
    until: Until = None,
    limit: Annotated[int, typer.Option(min=1, max=1_000_000, help="How many at most, the oldest of each partition first.")] = 10_000,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write nothing, say what would be.")] = False,
    as_json: Json = False,
) -> None:
    """Send letters back to their source topics, each once; by coordinates, or all that fit what is named.

    Ends with 1 if a letter that was meant stays for another reason than that it was replayed before, or if the one named does.
    """
    import asyncio

    import orjson
    from rich.console import Console

    from models.clock import now_ms
    from models.settings import Settings
    from streams import letters
    from streams.letters import NoReplay

    selection = _selection(reason, source, partner, since, until, where)
    if selection == letters.Selection():
        msg = "say which: coordinates, --reason, --source, --partner, --since or --until"
        raise typer.BadParameter(msg)
    with Console(stderr=True).status("") as status:
        done = asyncio.run(letters.replay_letters(Settings(), selection, limit, now_ms(), dry_run=dry_run, on_progress=status.update))
    if as_json:
        typer.echo(
            orjson.dumps(
                {
                    "dry_run": dry_run,
                    "replayed": done.written,
                    "refused": {str(why): number for why, number in done.refused.items()},
                    "left_over": done.left_over,
                }
            )
        )
    else:
        typer.echo(f"{done.written} {'would be ' if dry_run else ''}replayed")
        for why, number in sorted(done.refused.items()):
            typer.echo(f"{number} not: {why}")
        if done.left_over:
            typer.echo(f"{done.left_over} left over by --limit: replay again")
    refused = set(done.refused) - (set() if where else {NoReplay.REPLAYED})
    if refused or (where and not done.written):
        raise typer.Exit(Exit.PROBLEMS)
