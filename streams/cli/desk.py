"""`outwatch desk`: the API; `outwatch desk token`: a token for somebody, and what the file of users says of it."""

from typing import Annotated

import typer

__all__ = ["desk"]

desk = typer.Typer(invoke_without_command=True, help="Serve the API of the desk, from the view in Redis.")


@desk.callback()
def run(context: typer.Context) -> None:
    """Serve until SIGTERM or Ctrl-C. Any number may stand side by side."""
    if context.invoked_subcommand is not None:
        return
    import asyncio

    from models.settings import Settings
    from streams.desk_process import run_desk
    from streams.logs import configure_logging

    settings = Settings()
    configure_logging()
    asyncio.run(run_desk(settings))


@desk.command()
def token(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Whose it is.")],
    role: Annotated[str, typer.Option("--role", help="viewer, operator, admin or partner.")] = "viewer",
    partner: Annotated[str | None, typer.Option("--partner", metavar="ID", help="Of the role partner: whose figures.")] = None,
) -> None:
    """Draw a token: it is printed once, and kept nowhere; the file of users takes the line below it."""
    from secrets import token_urlsafe

    from streams.desk_process import found

    drawn = token_urlsafe(32)
    of = f", partner: {partner}" if partner is not None else ""
    typer.echo(f"token: {drawn}")
    typer.echo(f"  - {{name: {name}, role: {role}{of}, token_sha256: {found('hashed')(drawn)}}}")
