"""`outwatch demo`: everything on this machine."""

from typing import Annotated

import typer

from streams.cli.exits import Exit

__all__ = ["demo"]


def demo(
    seconds: Annotated[
        float | None,
        typer.Option(min=1, help="End this long after the first figures, or once the alert has resolved; with 1 if it did not."),
    ] = None,
) -> None:
    """Run the whole thing here: Kafka, Redis, a worker, six simulated partners, one that degrades. Ctrl-C ends it."""
    import contextlib

    from rich.console import Console

    from streams.demo import run_demo

    with contextlib.suppress(KeyboardInterrupt):
        if not run_demo(Console(), seconds) and seconds is not None:
            raise typer.Exit(Exit.PROBLEMS)
