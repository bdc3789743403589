"""`outwatch annotate` and `outwatch annotation`: what happened, noted beside the figures, and what changed with it."""

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from streams.cli.commands import Actor, Json, command, time_of, when

if TYPE_CHECKING:
    from rich.table import Table

    from models.notices import AnnotationState
    from streams.annotated import BeforeAfter
    from streams.recomputed.before_after import Change

__all__ = ["annotate", "annotation"]

annotation = typer.Typer(no_args_is_help=True, help="Show what is noted beside the figures, and what changed with it.")


def annotate(
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What happened, or will.")],
    from_: Annotated[str | None, typer.Option("--from", metavar="TIME", help="Since when; without it, now.")] = None,
    to: Annotated[str | None, typer.Option("--to", metavar="TIME", help="Up to when; without it, a minute later.")] = None,
    kind: Annotated[Literal["pilot", "release", "outage", "other"], typer.Option(help="What it is.")] = "other",
    partner: Annotated[str | None, typer.Option("--partner", metavar="ID", help="Of one partner; without it, of all.")] = None,
    actor: Actor = None,
    as_json: Json = False,
) -> None:
    """Note a pilot, a release or an outage beside the figures."""
    from models.clock import now_ms
    from models.commands import ANNOTATE
    from models.topics import BROADCAST
    from models.windows import MINUTE_MS

    from_ms = now_ms() if from_ is None else time_of("--from", from_)
    to_ms = from_ms + MINUTE_MS if to is None else time_of("--to", to)
    if to_ms <= from_ms:
        msg = "--to must lie after --from"
        raise typer.BadParameter(msg)
    payload = {"kind": kind, "from": from_ms, "to": to_ms, "text": text}
    command(ANNOTATE, partner or BROADCAST, payload, actor, as_json=as_json)


@annotation.command(name="list")
def list_(as_json: Json = False) -> None:
    """List what is noted, the earliest first; read from the topic."""
    import asyncio

    import orjson

    from models.settings import Settings
    from streams.annotated import annotations

    found = asyncio.run(annotations(Settings()))
    if as_json:
        typer.echo(orjson.dumps([each.model_dump(mode="json", by_alias=True) for each in found], option=orjson.OPT_INDENT_2))
        return
    for each in found:
        typer.echo(_headline(each))
    if not found:
        typer.echo("nothing is noted")


@annotation.command()
def show(
    identity: Annotated[str, typer.Argument(metavar="ID", help="As `list` shows it, or its first letters.")],
    partner: Annotated[str | None, typer.Option("--partner", metavar="ID", help="Of whom, where it is noted of all.")] = None,
    scope: Annotated[str, typer.Option(help="all, or queue=NAME; also channel, site, team, reason, activity, segment.")] = "all",
    span: Annotated[str | None, typer.Option("--span", metavar="SPAN", help="How long before and after, at most, such as 7d.")] = None,
    as_json: Json = False,
) -> None:
    """Show every figure before and after it, over equal spans, and whether the difference is beyond noise. Reads the topics only."""
    import asyncio

    import orjson
    from rich.console import Console

    from models.clock import now_ms
    from models.durations import to_seconds
    from models.settings import Settings
    from models.windows import MINUTE_MS, Scope
    from streams.annotated import before_after

    try:
        place = Scope.parse(scope)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--scope") from None
    try:
        span_ms = None if span is None else round(to_seconds(span) * 1000)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--span") from None
    if span_ms is not None and span_ms < MINUTE_MS:
        msg = "closed minutes are compared: write 1m or more"
        raise typer.BadParameter(msg, param_hint="--span")
    found = asyncio.run(before_after(Settings(), identity, partner, place, span_ms, now_ms()))
    if as_json:
        typer.echo(orjson.dumps(_object(found), option=orjson.OPT_INDENT_2))
        return
    console = Console(highlight=False)
    console.print(_headline(found.note), markup=False)
    console.print(f"{found.partner}, {found.scope}: {_span(found.spans.before)} against {_span(found.spans.after)}\n", markup=False)
    console.print(_table(found) if found.changes else "nothing was counted in either span")
    for each in found.remarks:
        console.print(f"- {each}", style="dim", markup=False)


def _headline(note: "AnnotationState") -> str:
    whose = "all partners" if note.partner == "*" else note.partner
    return f"{note.id}  {note.kind}  {when(note.from_)} to {when(note.to)}  {whose}  {note.actor}\n    {note.text}"


def _span(span: tuple[int, int]) -> str:
    return f"{when(span[0])} to {when(span[1])}"


def _table(found: "BeforeAfter") -> "Table":
    from rich.table import Table

    from models.quantity import quantity

    table = Table(header_style="bold underline", box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for name in ("", "before", "n", "after", "n", "difference", "95 %", ""):
        table.add_column(name, justify="left" if not name else "right", no_wrap=True)
    for each in found.changes:
        unit, told = each.kpi.unit, each.apart
        numbers = [
            part for at in (each.before, each.after) for part in (quantity(at.value, unit), f"{at.n:,}" if at.value is not None else "")
        ]
        between = ("", "") if told is None else (_signed(told.difference, unit), f"{_signed(told.low, unit)} to {_signed(told.high, unit)}")
        table.add_row(each.kpi.title, *numbers, *between, _words(each), style=_STYLES[each.better])
    return table


_STYLES = {True: "green", False: "yellow", None: None}
_POINTS = {"ratio": " pp", "change": " pp"}


def _signed(value: float, unit: str) -> str:
    """A difference: that of two percentages is in percentage points."""
    from math import isinf

    from models.quantity import quantity

    if isinf(value):
        return "∞" if value > 0 else "-∞"
    if unit in _POINTS:
        return f"{100 * value:+.1f}{_POINTS[unit]}"
    return ("+" if value > 0 else "") + quantity(value, unit)


def _words(change: "Change") -> str:
    words = change.verdict.replace("_", " ")
    return words if change.better is None else f"{'better' if change.better else 'worse'}, {words}"


def _object(found: "BeforeAfter") -> dict[str, Any]:
    from math import isinf

    def of(estimate: Any) -> dict[str, Any]:  # noqa: ANN401 - a models.figures.Estimate, which is imported only where it is made
        told = {name: getattr(estimate, name) for name in ("value", "numerator", "denominator", "n")}
        # Of employees' answers that are too few to be told nothing else is told either.
        return told if estimate.value is not None else dict.fromkeys(told)

    def bound(value: float) -> float | None:
        return None if isinf(value) else value

    spans = {name: dict(zip(("from", "to"), getattr(found.spans, name), strict=True)) for name in ("before", "after")}
    kpis = [
        {
            "kpi": each.kpi.id,
            "unit": each.kpi.unit,
            "before": of(each.before),
            "after": of(each.after),
            "difference": each.apart and each.apart.difference,
            "ci_low": each.apart and bound(each.apart.low),
            "ci_high": each.apart and bound(each.apart.high),
            "verdict": each.verdict,
            "better": each.better,
        }
        for each in found.changes
    ]
    note = found.note.model_dump(mode="json", by_alias=True)
    return {"annotation": note, "partner": found.partner, "scope": str(found.scope)} | spans | {"kpis": kpis, "remarks": found.remarks}
