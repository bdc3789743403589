"""`outwatch policy backtest`: what a policy would have done over a history."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streams.cli.exits import Exit

if TYPE_CHECKING:
    from rich.console import Console

    from models.policy_spec import PolicyFile
    from streams.trial.histories import Progress, Read, Told
    from streams.trial.outcome import Difference, Outcome

__all__ = ["backtest"]

_TIME = ["%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M%z", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d"]
_BARS = "▁▂▃▄▅▆▇█"
_COLUMNS = 80
_SHOWN_BYTES = 1 << 18


def backtest(  # noqa: PLR0917 - an option an argument
    policy: Annotated[Path, typer.Argument(metavar="POLICY", exists=True, dir_okay=False, help="The policy, a YAML file.")],
    events: Annotated[
        list[Path] | None, typer.Option(exists=True, dir_okay=False, help="JSON Lines, Parquet, or with --mapping CSV too; once a file.")
    ] = None,
    mapping: Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="How rows become events, as for replay.")] = None,
    date: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The date of a mapped log without one.")] = None,
    against: Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="Another policy, to say what differs.")] = None,
    begin: Annotated[
        datetime | None, typer.Option("--from", formats=_TIME, help="Of Kafka's source topics, in place of files: by record timestamp.")
    ] = None,
    end: Annotated[datetime | None, typer.Option("--to", formats=_TIME, help="Of Kafka's source topics: exclusive.")] = None,
    picture: Annotated[Path | None, typer.Option(metavar="FILE.svg", dir_okay=False, help="Write a timeline.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Run a policy over history, by the engine that runs live, without a broker: its alerts, and how often targets were met.

    Ends with 1 if no event was read.
    """
    import os

    import orjson
    from rich.console import Console

    from streams.trial.backtest import backtest as run
    from streams.trial.histories import Read
    from streams.trial.outcome import differences
    from streams.trial.picture import picture as drawn

    if bool(events) == (begin is not None and end is not None):
        msg = "needs --events, or both --from and --to of a range in Kafka"
        raise typer.BadParameter(msg, param_hint="--events")
    if picture is not None and not os.access(picture if picture.exists() else picture.parent, os.W_OK):
        msg = f"{picture} cannot be written"
        raise typer.BadParameter(msg, param_hint="--picture")
    policies = [_policy(policy), *([_policy(against)] if against else [])]
    read = Read()
    with _progress(events) as on_read:
        if events:
            found = _from_files(events, mapping, date, read, on_read)
        else:
            assert begin is not None and end is not None, "checked above"  # noqa: PT018 - one thing
            found = _from_kafka(begin, end, read)
        new, *others = run(policies, found, read)
    old = others[0] if others else None
    changed = [] if old is None else differences(new, old)
    if picture is not None:
        picture.write_text(drawn(new, old), encoding="utf-8")
    if as_json:
        typer.echo(orjson.dumps(_object(new, old, changed, read), option=orjson.OPT_INDENT_2))
    else:
        _show(Console(highlight=False, width=_COLUMNS), new, None if old is None else changed, read)
    if not read.events:
        raise typer.Exit(Exit.PROBLEMS)


def _policy(path: Path) -> "PolicyFile":
    from models.policy_file import load
    from streams.trial.suite_file import read_text

    return load(read_text(path), str(path))


def _from_files(events: list[Path], mapping: Path | None, date: datetime | None, read: "Read", on_read: "Progress") -> "Iterator[Told]":
    from models.mapping_file import load_mapping
    from streams.trial.histories import mapped_events, read_events
    from streams.trial.suite_file import read_text

    if mapping is None:
        return read_events(events, read, on_read)
    mapped, secret = load_mapping(read_text(mapping), str(mapping)), None
    if mapped.needs_secret:
        from models.settings import Settings
        from streams.replay.run import secret_of

        secret = secret_of(Settings(), mapped)
    return mapped_events(events, mapped, date.date() if date else None, secret, read, on_read)


def _from_kafka(begin: datetime, end: datetime, read: "Read") -> "Iterator[Told]":
    import asyncio
    from datetime import UTC

    from models.settings import Settings
    from streams.trial.histories import told
    from streams.trial.kafka_range import kafka_range

    from_ms, to_ms = (round((each if each.tzinfo else each.replace(tzinfo=UTC)).timestamp() * 1000) for each in (begin, end))
    return told(iter(asyncio.run(kafka_range(Settings(), from_ms, to_ms))), read)


@contextmanager
def _progress(events: list[Path] | None) -> "Iterator[Progress]":
    """A bar on standard error, of the bytes of the files; nothing where nobody looks."""
    from rich.console import Console
    from rich.progress import Progress as Bar

    console = Console(stderr=True)
    with Bar(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("history", total=sum(each.stat().st_size for each in events) if events else None)
        waiting = 0

        def on_read(size: int) -> None:
            nonlocal waiting
            waiting += size
            if waiting >= _SHOWN_BYTES:
                bar.advance(task, waiting)
                waiting = 0

        yield on_read


def _object(new: "Outcome", old: "Outcome | None", changed: "list[Difference]", read: "Read") -> dict[str, Any]:
    return {
        "events": read.events,
        "left_out": read.left_out,
        "from": new.from_ms,
        "to": new.to_ms,
        "policy": _outcome(new),
        "against": None if old is None else _outcome(old),
        "differences": changed,
    }


def _outcome(outcome: "Outcome") -> dict[str, Any]:
    rules = [
        {"rule": rule, "alerts": len(outcome.of(rule)), "minutes": outcome.minutes(rule), "alerts_by_hour": outcome.hours(rule)}
        for rule in outcome.rules
    ]
    return {"rules": rules, "episodes": outcome.episodes, "targets": outcome.targets, "failures": outcome.failures}


def _show(console: "Console", new: "Outcome", changed: "list[Difference] | None", read: "Read") -> None:
    from rich.table import Table

    left_out = ", ".join(f"{count:,} {reason}" for reason, count in sorted(read.left_out.items()))
    span = f"{_day(new.from_ms)} to {_day(new.to_ms)} UTC: " if read.events else ""
    console.print(f"{span}{read.events:,} events" + (f", left out {left_out}" if left_out else ""))
    if not read.events:
        return
    table = Table("rule", "alerts", "quiet", "min open", "by hour of day 0 to 23", box=None, pad_edge=False, header_style="bold")
    for column in table.columns[1:4]:
        column.justify = "right"
    for rule in new.rules:
        quiet = sum(bool(each.suppressed_by) for each in new.of(rule))
        table.add_row(rule, f"{len(new.of(rule)):,}", f"{quiet:,}", f"{new.minutes(rule):,.0f}", _bars(new.hours(rule)))
    console.print(table)
    for name, tally in sorted(new.failures.items()):
        console.print(f"{name} failed {tally.times:,} times: {tally.error}", style="bold", markup=False)
    met = {kpi: days for kpi, days in new.met().items() if days.days}
    if met:
        table = Table("target", "days met", "of", "share", box=None, pad_edge=False, header_style="bold")
        for kpi, days in met.items():
            table.add_row(kpi, f"{days.met:,}", f"{days.days:,}", f"{100 * days.met / days.days:.0f} %")
        console.print(table)
    if changed is not None:
        _show_changed(console, changed)


def _show_changed(console: "Console", changed: "list[Difference]") -> None:
    from rich.table import Table

    if not changed:
        console.print("both policies alert alike")
        return
    table = Table(
        "differs from the other", "alerts", "other", "min open", "other", "new", "gone", box=None, pad_edge=False, header_style="bold"
    )
    for each in changed:
        numbers = (each.episodes, each.episodes_against, each.minutes, each.minutes_against, len(each.only), len(each.only_against))
        table.add_row(each.rule, *(f"{number:,.0f}" for number in numbers))
    console.print(table)


def _bars(hours: list[int]) -> str:
    most = max(hours)
    return "".join("·" if not count else _BARS[-(-count * len(_BARS) // most) - 1] for count in hours)


def _day(at_ms: int) -> str:
    from datetime import UTC

    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d %H:%M}"
