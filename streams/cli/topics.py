"""`outwatch topics`: make and check the topics, and copy what those of another installation hold."""

from typing import TYPE_CHECKING, Annotated

import typer

from streams.cli.exits import Exit

if TYPE_CHECKING:
    from streams.admin import Creation

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Make the topics of this installation, or check that they are as they must be.")

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@app.command()
def create(as_json: Json = False) -> None:
    """Make every topic that is missing, then check all; what exists is left as it is."""
    import asyncio

    from models.settings import Settings
    from streams import admin

    _report(asyncio.run(admin.create(Settings())), as_json=as_json)


@app.command()
def check(as_json: Json = False) -> None:
    """Say what is wrong with the topics, and the command that puts it right; ends with 1 if there is a problem."""
    import asyncio

    from models.settings import Settings
    from streams import admin

    _report(admin.Creation([], asyncio.run(admin.check(Settings()))), as_json=as_json)


@app.command()
def copy(
    from_prefix: Annotated[str, typer.Option("--from-prefix", help="OUTWATCH_TOPIC_PREFIX of the installation to copy from; '' for none.")],
) -> None:
    """Copy events into the topics of this new installation, each where its partner belongs: the way to another number of partitions.

    Times are kept. What was copied before is not copied again, so it is run until nothing is left: see docs/upgrades.md.
    """
    import asyncio

    from models.settings import Settings
    from streams.repartition import copy_sources

    copied = asyncio.run(copy_sources(Settings(), from_prefix, lambda line: typer.echo(line, err=True)))
    typer.echo(f"copied {copied.total()} records")


def _report(done: "Creation", *, as_json: bool) -> None:
    import orjson

    from streams.topic_check import Level

    if as_json:
        typer.echo(orjson.dumps(done, option=orjson.OPT_INDENT_2))
    else:
        for name in done.created:
            typer.echo(f"created {name}")
        for finding in done.findings:
            typer.echo(f"{finding.level}: {finding.topic}: {finding.message}\n  {finding.remedy}")
        if not done.findings:
            typer.echo("all topics are as they must be")
    if any(finding.level is Level.PROBLEM for finding in done.findings):
        raise typer.Exit(Exit.PROBLEMS)
