"""`outwatch kpis`: what is measured, and how."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streams.cli.exits import Exit

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["kpis"]

_COLUMNS = ("id", "title", "unit", "better", "perspective", "leading", "formula", "windows")


def kpis(
    kpi: Annotated[str | None, typer.Argument(metavar="[ID]", help="All of one KPI, its traps included.", show_default=False)] = None,
    policy: Annotated[Path | None, typer.Option(help="A policy file, whose own KPIs are listed too.", show_default=False)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON: a list, or one object.")] = False,
) -> None:
    """List the KPIs with their formulas. Reads nothing but a policy file that is named."""
    import orjson
    from rich.console import Console

    from models.errors import PolicyError
    from models.kpis import CATALOGUE
    from models.kpis.listing import entry
    from models.policy_file import load, parts
    from models.yaml_file import suggest

    try:
        catalogue = CATALOGUE if policy is None else parts(load(policy.read_text(encoding="utf-8"), str(policy)))[0].customs.catalogue
    except (OSError, PolicyError) as error:
        typer.echo(error, err=True)
        raise typer.Exit(Exit.PROBLEMS) from None
    if kpi is not None and kpi not in catalogue:
        typer.echo(f"{kpi!r} is no KPI ({suggest(kpi, catalogue)})", err=True)
        raise typer.Exit(Exit.PROBLEMS)
    found: Any = [entry(each) for each in catalogue.values()] if kpi is None else entry(catalogue[kpi])
    if as_json:
        typer.echo(orjson.dumps(found, option=orjson.OPT_INDENT_2))
    else:
        Console().print(_list(found) if kpi is None else _one(found))


def _list(entries: list[dict[str, Any]]) -> "Table":
    from rich.table import Table

    table = Table(header_style="bold underline", box=None, padding=(0, 1, 0, 0), pad_edge=False)
    for name in _COLUMNS:
        table.add_column(name, overflow="fold")
    for each in entries:
        table.add_row(*(_text(name, each[name]) for name in _COLUMNS))
    return table


def _one(found: dict[str, Any]) -> "Table":
    from rich.table import Table

    table = Table(show_header=False, box=None, padding=(0, 1, 0, 0), pad_edge=False)
    for name, value in found.items():
        table.add_row(name.replace("_", " "), _text(name, value))
    return table


def _text(name: str, value: Any) -> str:  # noqa: ANN401 - of any field
    from rich.markup import escape

    if name == "windows":
        return " ".join(value) or "on request"
    if name == "leading":
        return "leading" if value else "lagging"
    return escape(value.replace("_", " ") if name in {"better", "perspective"} else value)
