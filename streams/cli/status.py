"""`outwatch status`: how every partner stands, from Redis."""

from typing import Annotated, Literal

import typer

__all__ = ["status"]

WATCH_SECONDS = 1.0


def status(
    window: Annotated[
        Literal["5m", "15m", "30m", "1h", "4h", "24h", "7d", "30d", "today", "month"], typer.Option(help="Of the figures.")
    ] = "15m",
    watch: Annotated[bool, typer.Option("--watch", help="Show it anew every second, until Ctrl-C.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object, with --watch one a line.")] = False,
) -> None:
    """Show how every partner stands now, and what fires. Reads Redis only."""
    import contextlib
    import time

    import orjson
    from rich.console import Console
    from rich.live import Live

    from models.settings import Settings
    from streams.screen import overview_screen
    from streams.view_reader import connect, read_overview

    settings = Settings()
    client = connect(settings)
    if not watch:
        seen = read_overview(client, settings, window)
        if as_json:
            typer.echo(orjson.dumps(seen, option=orjson.OPT_INDENT_2))
        else:
            Console().print(overview_screen(seen))
        return
    with contextlib.suppress(KeyboardInterrupt):
        if as_json:
            while True:
                typer.echo(orjson.dumps(read_overview(client, settings, window)))
                time.sleep(WATCH_SECONDS)
        with Live(overview_screen(read_overview(client, settings, window)), auto_refresh=False) as live:
            while True:
                time.sleep(WATCH_SECONDS)
                live.update(overview_screen(read_overview(client, settings, window)), refresh=True)
