"""`outwatch erase`: what is kept of a customer, and until when."""

from typing import Annotated, Any, Final

import typer

from streams.cli.exits import Exit

__all__ = ["erase"]

KEY_LENGTH_MIN: Final = 8
"""A shorter text, above all none, stands in records that have nothing to do with the customer."""


def _key(text: str) -> str:
    if len(text) < KEY_LENGTH_MIN:
        msg = f"{text!r} is no customer's key: under {KEY_LENGTH_MIN} characters it would be found in what others sent"
        raise typer.BadParameter(msg)
    return text


def erase(
    customer_key: Annotated[str, typer.Option(parser=_key, metavar="KEY", help="As in events: a keyed hash, never a telephone number.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Look for a customer in every topic, have the workers forget it, and say when Kafka deletes what is found.

    Records cannot be deleted from a log one by one: they go by age. Ends with 1 while something is left.
    """
    import asyncio

    import orjson
    from rich.console import Console

    from models import clock
    from models.settings import Settings
    from streams.erasure import ask_to_forget
    from streams.occurrences import Occurrence, occurrences

    settings = Settings()

    async def look() -> list[Occurrence]:
        with Console(stderr=True).status("") as status:
            return [each async for each in occurrences(settings, customer_key, status.update)]

    found = asyncio.run(look())
    changelog = settings.topics.changelog(settings.app_id)
    state = sum(each.topic == changelog for each in found)
    asked = asyncio.run(ask_to_forget(settings, customer_key, clock.now_ms())) if state else None
    gone_ms = max((each.expires_ms or 0 for each in found), default=None)
    said: dict[str, Any] = {"found": found, "in_state": state, "command": asked, "gone_ms": gone_ms}
    if as_json:
        typer.echo(orjson.dumps(said, option=orjson.OPT_INDENT_2))
    else:
        for each in found:
            until = (
                "kept until its key is written again" if each.expires_ms is None else f"deleted by age after {_time(each.expires_ms)} UTC"
            )
            typer.echo(f"{each.topic}/{each.partition}/{each.offset}: {until}")
        typer.echo(f"{len(found)} records hold this key, {state} of them in the state")
        if asked is not None:
            typer.echo(f"the workers are asked to forget it: {asked}; what came of it is on {settings.topics.alerts}")
    if found:
        raise typer.Exit(Exit.PROBLEMS)


def _time(at_ms: int) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M")
