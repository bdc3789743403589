"""`outwatch explain`: what one figure is made of, out of what the topics hold."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from streams.cli.exits import Exit

if TYPE_CHECKING:
    from rich.table import Table

    from models.explain import Json, Summed
    from models.kpis import Kpi
    from streams.explained import Held

__all__ = ["explain"]

SHOWN_MAX = 40
"""Stretches on a screen; --json has them all."""

_REASONS = {
    "part_of_a_minute": "the window begins within a minute, of which only the whole is told apart",
    "open": "what began at {open} or later had not closed: the record counts it, and no stretch does yet",
    "corrected": "a stretch was corrected after the record was written; the next record has it too",
    "hidden": "a stretch with under five answers of employees does not tell them",
    "blind": "who abandoned names no such scope, so that the record tells no share of the offered",
    "earlier": "stretches are missing: written before their topic was there, or deleted by it",
}


def explain(
    partner: Annotated[str, typer.Argument(help="Its id.")],
    kpi: Annotated[str, typer.Argument(help="Its id: see outwatch kpis.")],
    window: Annotated[str, typer.Option(help="Of the figure.")] = "15m",
    scope: Annotated[str, typer.Option(help="all, or queue=NAME; also channel, site, team, reason, activity, segment.")] = "all",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show what a figure is made of: definition, counts, closed stretches, offsets. Reads the topics only."""
    import asyncio

    import orjson
    from rich.console import Console

    from models.clock import now_ms
    from models.explain import figure_of, summed, tiles
    from models.settings import Settings
    from models.windows import Scope
    from models.yaml_file import suggest
    from streams.explained import hold

    try:
        place = Scope.parse(scope)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--scope") from None
    settings = Settings()
    held = asyncio.run(hold(settings, partner, place, window, now_ms()))
    customs = held.policy.customs
    if kpi not in customs.catalogue:
        typer.echo(f"{kpi!r} is no KPI ({suggest(kpi, customs.catalogue)})", err=True)
        raise typer.Exit(Exit.PROBLEMS)
    record, entry, definition = held.record, customs.catalogue[kpi], held.policy.scope_definition(place)
    if (elsewhere := _elsewhere(entry, window, settings.topics.periods)) is not None:
        typer.echo(elsewhere, err=True)
        raise typer.Exit(Exit.PROBLEMS)
    figure = figure_of(entry, record, definition)
    found = [] if entry.live else tiles(record["from"], record["to"], held.stretches)
    sums = summed(entry, record, found, definition, held.closed_ms, customs)
    if as_json:
        typer.echo(orjson.dumps(_object(entry, held, figure, sums), option=orjson.OPT_INDENT_2))
        return
    console = Console(highlight=False)
    console.print(_facts(entry, held, figure))
    if entry.live:
        console.print("\nIt is made of who waits, and what is open, now; no stretch of time sums to it.")
    elif figure is None:
        console.print("\nThe record has no such figure: nothing that it is made of was counted in this scope and window.")
    else:
        console.print("\nclosed stretches (UTC), the longest that lie in the window:", _stretches(entry, sums))
        console.print(_difference(sums))


def _elsewhere(kpi: "Kpi", window: str, periods: str) -> str | None:
    """Where a KPI stands that cannot stand in a window; None where it can."""
    from models.kpis.listing import entry

    windows = entry(kpi)["windows"]
    if kpi.of_period:
        return f"{kpi.id} stands in no window, but in the records of reported periods, on {periods}"
    if kpi.published and window not in windows:
        return f"{kpi.id} does not stand in a window {window!r} (write one of {', '.join(windows)})"
    return None


def _object(kpi: "Kpi", held: "Held", figure: "Json | None", sums: "Summed") -> dict[str, Any]:
    from models.kpis.listing import entry

    def of(estimate: Any) -> dict[str, Any]:  # noqa: ANN401 - a models.figures.Estimate, which is imported only where it is made
        return {name: getattr(estimate, name) for name in ("value", "numerator", "denominator", "n")}

    record = held.record
    parts = [
        {"topic": part.topic, **{name: part.record[name] for name in ("from", "to", "final", "revision", "measures")}, **of(part.estimate)}
        for part in sums.parts
    ]
    return {
        "kpi": entry(kpi),
        "record": {**record, "kpis": None, "figure": figure},
        "policy_revision_now": held.policy.revision,
        "offsets": {"at_least": held.offsets.at_least, "at_most": held.offsets.at_most},
        "late": dict(held.late),
        "dead_letters": dict(held.dead_letters),
        "stretches": parts,
        "sum": of(sums.estimate),
        "left": {"numerator": sums.numerator_left, "denominator": sums.denominator_left, "reasons": sums.reasons},
        "open_from": sums.open_from_ms,
    }


def _facts(kpi: "Kpi", held: "Held", figure: "Json | None") -> "Table":
    from rich.markup import escape
    from rich.table import Table

    from models.quantity import DASH, quantity
    from streams.screen import clock_time

    record = held.record
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0), pad_edge=False, title_justify="left", title_style="bold")
    table.title = escape(f"{kpi.title} of {record['partner']}, {record['scope']}, last {record['window']}")
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    if figure is not None:
        aim = "" if figure["target"] is None else f", target {quantity(figure['target'], figure['unit'])}"
        table.add_row("value", f"[bold]{quantity(figure['value'], figure['unit'])}[/bold] ({figure['status']}{aim})".replace("_", " "))
        counts = [DASH if figure[name] is None else f"{figure[name]:,.10g}" for name in ("numerator", "denominator", "n")]
        table.add_row("counted", f"{counts[0]} / {counts[1]}, n {counts[2]}")
        if figure["ci_low"] is not None:
            table.add_row(
                "interval", f"{quantity(figure['ci_low'], figure['unit'])} to {quantity(figure['ci_high'], figure['unit'])} (95 %)"
            )
        table.add_row("definition", escape(figure["definition"]))
        if figure.get("holds_from") is not None:
            table.add_row("holds from", f"{_time(figure['holds_from'])} UTC: before, it was counted under another, or not at all")
    table.add_row("formula", escape(kpi.formula))
    now = held.policy.revision
    changed = "" if record["policy_revision"] == now else f"; the policy is {now} by now"
    table.add_row("policy", f"{record['policy_revision']}{'' if record['configured'] else ', the defaults: no policy names it'}{changed}")
    table.add_row("window", f"{_time(record['from'])} to {_time(record['to'])} UTC")
    table.add_row("frontier", f"{_time(record['frontier'])} UTC, written {clock_time(record['as_of'])} as revision {record['revision']}")
    for topic, said in _offsets(held).items():
        table.add_row("applied", f"{escape(topic)}: {said}")
    for name, counts_by_reason in (("late", held.late), ("dead letters", held.dead_letters)):
        told = ", ".join(f"{count} {reason}" for reason, count in sorted(counts_by_reason.items()))
        table.add_row(name, f"{told or 'none'} since the window began")
    return table


def _offsets(held: "Held") -> dict[str, str]:
    """By source topic, the offset that was to be read next when the record was written."""
    before, after = ((each or {}).get("offsets", {}) for each in (held.offsets.at_least, held.offsets.at_most))
    said: dict[str, str] = {}
    for topic in sorted({*before, *after}):
        low, high = before.get(topic), after.get(topic)
        if low == high:
            said[topic] = f"next offset {low}"
        elif low is None or high is None:
            said[topic] = f"next offset at least {low}" if high is None else f"next offset at most {high}"
        else:
            said[topic] = f"next offset {low} to {high}"
    return said or {"offsets": "no heartbeat of that time is kept"}


def _stretches(kpi: "Kpi", sums: "Summed") -> "Table":
    from rich.table import Table

    from models.quantity import quantity

    table = Table(header_style="bold underline", box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for name in ("from", "to", "numerator", "denominator", "value", ""):
        table.add_column(name, justify="left" if name in ("from", "to", "") else "right", no_wrap=True)
    for part in sums.parts[-SHOWN_MAX:]:
        told = part.estimate
        state = "final" if part.record["final"] else "provisional"
        numbers = (f"{told.numerator:,.10g}", f"{told.denominator:,.10g}", quantity(told.value, kpi.unit))
        table.add_row(_time(part.record["from"]), _time(part.record["to"])[11:], *numbers, state)
    told = sums.estimate
    more = len(sums.parts) - SHOWN_MAX
    name = f"sum of {len(sums.parts)}" + (f", {more} earlier not shown (--json)" if more > 0 else "")
    table.add_row(name, "", f"{told.numerator:,.10g}", f"{told.denominator:,.10g}", quantity(told.value, kpi.unit), style="bold")
    return table


def _difference(sums: "Summed") -> str:
    if not sums.reasons:
        return "The record is the sum of these stretches."
    left = f"{sums.numerator_left:+,.10g} / {sums.denominator_left:+,.10g}"
    why = "; ".join(_REASONS[reason].format(open=_time(sums.open_from_ms)[11:]) for reason in sums.reasons)
    return f"The record differs from that sum by {left}: {why}."


def _time(at_ms: int) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
