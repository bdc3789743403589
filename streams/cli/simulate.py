"""`outwatch simulate`: events of partners that do not exist."""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from streams.simulate import Incident

__all__ = ["simulate"]


def _seconds(text: str) -> float:
    from models.durations import to_seconds

    try:
        return to_seconds(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def _incidents(texts: list[str], zero_ms: int, names: set[str]) -> "tuple[Incident, ...]":
    from streams.simulate import Incident

    try:
        incidents = tuple(Incident.parse(text, zero_ms) for text in texts)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--incident") from None
    for incident in incidents:
        if incident.partner_id not in names:
            msg = f"{incident.partner_id} is not simulated: {', '.join(sorted(names))}"
            raise typer.BadParameter(msg, param_hint="--incident")
    return incidents


def simulate(
    *,
    partners: Annotated[int, typer.Option(min=1, max=10_000, help="How many; the first six are those of the example policy.")] = 6,
    rate: Annotated[float, typer.Option(min=0.01, help="Contacts a minute and partner when it is quietest.")] = 6.0,
    past: Annotated[float, typer.Option(parser=_seconds, metavar="DURATION", help="Stream time written at once before, such as 2h.")] = "0",  # type: ignore[assignment]
    length: Annotated[
        float | None, typer.Option("--for", parser=_seconds, metavar="DURATION", help="Stream time after the past; without it, for ever.")
    ] = None,
    speed: Annotated[float, typer.Option(min=0.001, help="Seconds of stream time a second; other than 1 only with --clock log.")] = 1.0,
    incident: Annotated[
        list[str] | None,
        typer.Option(metavar="PARTNER:START:END[:degrade]", help="Trouble, in seconds of stream time after the past. Repeatable."),
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed and past give the same contacts.")] = 1,
    clock: Annotated[Literal["wall", "log"] | None, typer.Option(help="Instead of OUTWATCH_CLOCK.")] = None,
) -> None:
    """Write events of simulated partners to the source topics, until --for is over or Ctrl-C."""
    import asyncio

    from models import clock as wall
    from models.settings import Settings
    from streams import simulate as simulation
    from streams.signals import stop_on_signals

    settings = Settings() if clock is None else Settings(clock=clock)
    if settings.clock == "wall" and speed != 1:
        msg = "a stream that is faster or slower than the clock on the wall needs --clock log"
        raise typer.BadParameter(msg, param_hint="--speed")
    stretch = simulation.Stretch(wall.now_ms(), round(past * 1000), None if length is None else round(length * 1000), speed)
    who = simulation.partners(partners)
    incidents = _incidents(incident or [], stretch.zero_ms, {partner.id for partner in who})
    config = simulation.Simulated(who, rate, future=settings.clock == "wall")

    async def run() -> int:
        return await simulation.simulate(
            settings,
            config,
            stretch,
            seed=seed,
            script=simulation.Script(incidents),
            stop=stop_on_signals(),
            on_past_written=lambda: typer.echo("the past is written, the stream goes on", err=True),
        )

    typer.echo(f"{asyncio.run(run())} events written", err=True)
