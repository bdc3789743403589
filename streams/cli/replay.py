"""`outwatch replay`: logs of what happened, through the brokers and the workers."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from streams.cli.exits import Exit

if TYPE_CHECKING:
    from rich.table import Table

    from models.mapping import Mapping
    from streams.replay import Report
    from streams.replay.report import Day, Figures

__all__ = ["replay"]


def _speed(text: str) -> float | str:
    if text == "max":
        return text
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0 < speed < float("inf"):
        msg = f"{text!r} is neither max nor a number above 0"
        raise typer.BadParameter(msg)
    return speed


def _checked_speed(speed: float | str | None, shift: str) -> float | None:
    """Seconds of the log a second, None for as fast as possible."""
    if shift == "now" and speed not in (None, 1.0):
        msg = "with --shift now the log has its own speed, 1; --shift scale squeezes it"
        raise typer.BadParameter(msg, param_hint="--speed")
    if shift == "scale" and not isinstance(speed, float):
        msg = "--shift scale needs a number: how many seconds of the log go by in one"
        raise typer.BadParameter(msg, param_hint="--speed")
    return speed if isinstance(speed, float) else None


def _mapping(path: Path) -> "Mapping":
    from models.mapping_file import load_mapping

    try:
        return load_mapping(path.read_text(encoding="utf-8"), str(path))
    except UnicodeDecodeError:
        msg = f"{path} is not UTF-8"
        raise typer.BadParameter(msg, param_hint="--mapping") from None


def _check_shift(mapping: "Mapping", shift: str) -> None:
    """Intervals and periods that are moved begin at no quarter of an hour, and at no midnight."""
    if shift != "keep" and mapping.type.startswith(("volume.", "cost.", "revenue.")):
        msg = f"{mapping.type} stands on the calendar: replay it with --shift keep"
        raise typer.BadParameter(msg, param_hint="--shift")


def replay(
    files: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, help="CSV, JSON Lines or Parquet, in order of their dates.")],
    mapping: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="The mapping file; models/example_*.yaml are some.")],
    *,
    date: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The date of the log, where it has no date column.")] = None,
    shift: Annotated[
        Literal["keep", "now", "scale"],
        typer.Option(help="Event times as they are (for workers with OUTWATCH_CLOCK=log), moved to now, or moved and squeezed by --speed."),
    ] = "keep",
    speed: Annotated[
        float | None,
        typer.Option(parser=_speed, metavar="N|max", help="Seconds of the log a second. [default: max with --shift keep, else 1]"),
    ] = None,
    report: Annotated[bool, typer.Option(help="Wait for the days that close, and print their figures (with --shift keep).")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Write a log as events in the order of stream time; then print the figures of the days it closed.

    Under --shift keep the replay moves the workers' clock: give it an application id and topics of its own, or what the installation
    shows now becomes the past. Ends with 1 if no row made an event, or a closed day is missing.
    """
    import asyncio

    import orjson

    from models import clock
    from models.settings import Settings
    from streams import replay as replaying
    from streams.signals import stop_on_signals

    how_fast = _checked_speed(speed, shift)
    mapped = _mapping(mapping)
    _check_shift(mapped, shift)
    logs = [replaying.LogFile.of(path, mapped, date.date() if date is not None else None) for path in files]

    async def run() -> "Report":
        from rich.console import Console

        with Console(stderr=True).status("") as status:
            return await replaying.replay(
                Settings(),
                logs,
                mapped,
                timing=replaying.Timing(replaying.Shift(shift), how_fast, clock.now_ms()),
                report=report,
                stop=stop_on_signals(),
                on_progress=status.update,
            )

    found = asyncio.run(run())
    if as_json:
        typer.echo(orjson.dumps(found, option=orjson.OPT_INDENT_2))
    else:
        _show(found)
    if not found.events or (report and found.problems):
        raise typer.Exit(Exit.PROBLEMS)


def _show(report: "Report") -> None:
    from rich.console import Console

    console = Console()
    for day in report.days:
        console.print(_table(day))
    if len(report.days) > 1:
        console.print(_table(report.total))
    if report.definitions:
        console.print(f"counted under: {'; '.join(report.definitions)}", highlight=False)
    console.print(f"{report.rows} rows read, {report.events} events written, {sum(report.dropped.values())} rows dropped", highlight=False)
    for reason, count in report.dropped.items():
        console.print(f"  {reason}: {count}, first {report.examples[reason]}", markup=False, highlight=False)
    for problem in report.problems:
        console.print(problem, markup=False, highlight=False)


def _table(day: "Day") -> "Table":
    from rich.table import Table

    table = Table(title=day.date or "all days")
    variants = list(day.all.service_level)
    for column in ("partner", "offered", "answered", "abandoned", *(variant.replace("_", " ") for variant in variants), "ASA s", "AHT s"):
        table.add_column(column, justify="left" if column == "partner" else "right")
    for name, figures in day.partners.items():
        table.add_row(name, *_cells(figures))
    table.add_section()
    table.add_row("all", *_cells(day.all))
    return table


def _cells(figures: "Figures") -> list[str]:
    ratios = ["–" if value is None else f"{value:.2%}" for value in figures.service_level.values()]
    times = ["–" if value is None else f"{value:.2f}" for value in (figures.asa_seconds, figures.aht_seconds)]
    return [str(figures.offered), str(figures.answered), str(figures.abandoned), *ratios, *times]
