"""`outwatch policy explain`: why a rule alerted at a time, or did not."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from streams.gated import Gated

__all__ = ["explain"]

_TIMES = ["%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M%z", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M"]
_MARKS = {True: "passed", False: "NOT PASSED", None: "not asked"}


def explain(
    name: Annotated[
        str, typer.Argument(metavar="FINGERPRINT", help="Of an alert; of a rule that never alerted PARTNER/RULE, or PARTNER/RULE/SCOPE.")
    ],
    at: Annotated[datetime, typer.Option(formats=_TIMES, help="In UTC, unless it says another offset; the grid point before it is told.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show every gate between a figure and an alert, passed or not: of kept evidence where the alert changed, else recomputed."""
    import asyncio
    from datetime import UTC

    import orjson

    from models.clock import now_ms
    from models.settings import Settings
    from streams.gated import gated

    moment = at if at.tzinfo else at.replace(tzinfo=UTC)
    found = asyncio.run(gated(Settings(), name, round(moment.timestamp() * 1000), now_ms()))
    if as_json:
        told = {each: getattr(found, each) for each in found.__slots__} | {"gates": [each._asdict() for each in found.gates]}
        typer.echo(orjson.dumps(told, option=orjson.OPT_INDENT_2))
        return
    _show(found)


def _show(found: "Gated") -> None:
    scope = "" if found.scope == "all" else f", {found.scope}"
    since = "" if found.since is None else f" since {_time(found.since)}"
    severity = f"{found.severity} " if found.severity and found.state != "ok" else ""
    typer.echo(f"{found.rule} of {found.partner}{scope} at {_time(found.at)}: {severity}{found.state}{since}")
    typer.echo(f"{found.source}: {found.said}")
    names = [f"{gate.severity} {gate.name}" if gate.severity else gate.name for gate in found.gates]
    width = max(map(len, names), default=0)
    for name, gate in zip(names, found.gates, strict=True):
        typer.echo(f"  {name:<{width}} {_MARKS[gate.passed]:<10}  {gate.said}")


def _time(at_ms: int) -> str:
    from datetime import UTC

    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"
