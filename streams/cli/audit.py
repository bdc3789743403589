"""`outwatch audit`: the auditor."""

from typing import Annotated

import typer

__all__ = ["audit"]


def audit(
    once: Annotated[bool, typer.Option("--once", help="Look once, print what holds and what does not, and end.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="With --once: print one JSON object.")] = False,
) -> None:
    """Watch whether outwatch can be relied on: ping a heartbeat elsewhere while it can, alarm without Kafka when it cannot."""
    import asyncio

    from alerts.audit.breach import Terms
    from models.settings import Settings
    from streams.auditor import audit_once, run_auditor
    from streams.cli.exits import Exit
    from streams.logs import configure_logging

    settings = Settings()
    if not once:
        if as_json:
            msg = "--json goes with --once"
            raise typer.BadParameter(msg)
        configure_logging()
        asyncio.run(run_auditor(settings))
        return
    found = asyncio.run(audit_once(settings, Terms(clock=settings.clock)))
    if as_json:
        import orjson

        told = [dict(zip(("reason", "what", "since", "detail"), each, strict=True)) for each in found]
        typer.echo(orjson.dumps({"holds": not found, "breaches": told}, option=orjson.OPT_INDENT_2))
    else:
        from rich.console import Console

        from streams.auditor.screen import audit_screen

        Console().print(audit_screen(found))
    raise typer.Exit(Exit.PROBLEMS if found else Exit.OK)
