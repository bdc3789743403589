"""`outwatch tail`: figures or alerts as they are committed."""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from models.settings import Settings

__all__ = ["tail"]


def tail(
    what: Annotated[Literal["kpis", "alerts"], typer.Argument(help="Which topic.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print each record as it is, a JSON object a line.")] = False,
) -> None:
    """Follow a topic from now on, until Ctrl-C; only what is committed."""
    import asyncio
    import contextlib

    from models.settings import Settings

    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_tail(Settings(), what, as_json=as_json))


async def _tail(settings: "Settings", what: Literal["kpis", "alerts"], *, as_json: bool) -> None:
    import orjson
    from rich.console import Console

    from streams.follow import follow
    from streams.screen import alert_line, kpi_line

    console = Console(soft_wrap=True, highlight=False)
    async for record in follow(settings, getattr(settings.topics, what)):
        if record.value is None:
            key = (record.key or b"").decode(errors="replace")
            typer.echo(orjson.dumps({"key": key, "expired": True}) if as_json else f"{key}: expired")
        elif as_json:
            typer.echo(record.value)
        else:
            value = orjson.loads(record.value)
            console.print(kpi_line(value) if what == "kpis" else alert_line(value))
