"""`outwatch notify`: the notifier; `outwatch notify test`: a page that says that it is a test."""

from pathlib import Path
from typing import Annotated

import typer

from streams.cli.exits import Exit

__all__ = ["notify"]

notify = typer.Typer(invoke_without_command=True, help="Send pages to pagers, chats, mail and webhooks, until it is told to end.")


@notify.callback()
def run(context: typer.Context) -> None:
    """Send pages until SIGTERM or Ctrl-C. Any number share the work."""
    if context.invoked_subcommand is not None:
        return
    import asyncio

    from models.settings import Settings
    from streams.logs import configure_logging
    from streams.notifier import run_notifier

    settings = Settings()
    configure_logging()
    asyncio.run(run_notifier(settings))


@notify.command("test")
def send_one(
    target: Annotated[str, typer.Argument(metavar="TARGET", help="A receiver or a person of the policy.")],
    policy: Annotated[
        Path | None, typer.Option("--policy", metavar="FILE", exists=True, dir_okay=False, help="Instead of what was applied.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Send a page that says that it is a test, directly, and show what each receiver answered."""
    import asyncio
    from getpass import getuser

    import orjson

    from models.clock import now_ms
    from models.policy_file import load, parts
    from models.policy_spec import SharedPart
    from models.settings import Settings
    from streams.notifier.trial import send_test
    from streams.policies import read_policies
    from streams.policy_history import current

    settings = Settings()
    if policy is not None:
        shared = parts(load(policy.read_text(encoding="utf-8"), str(policy)))[0]
    else:
        held = [each.part for each in current(asyncio.run(read_policies(settings)))]
        shared = next((part for part in held if isinstance(part, SharedPart)), SharedPart())
    tried = asyncio.run(send_test(settings, shared, target, getuser(), now_ms))
    if as_json:
        told = [{"receiver": each.id, "type": each.type, "outcome": verdict.kind, "detail": verdict.detail} for each, verdict in tried]
        typer.echo(orjson.dumps(told))
    else:
        for each, verdict in tried:
            outcome = "not taken, a later try may succeed" if verdict.kind == "again" else verdict.kind
            typer.echo(f"{each.id} ({each.type}): {outcome}: {verdict.detail}")
    if any(verdict.kind != "sent" for _, verdict in tried):
        raise typer.Exit(Exit.PROBLEMS)
