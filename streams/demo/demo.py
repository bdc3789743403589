"""The demo: one worker, the projector, six simulated partners, one incident, on this machine alone."""

import asyncio
import signal
from time import monotonic
from typing import Final, Self

from rich.console import Console, Group
from rich.live import Live

from models.clock import now_ms
from models.overview import Overview
from streams.demo.page import page
from streams.demo.pages import page_line
from streams.demo.stage import DemoError, Stage, stage
from streams.demo.story import Story
from streams.screen import overview_screen, transition_line
from streams.signals import stop_on_signals, wait_or_stop
from streams.simulate import Script, Simulated, Stretch, partners, simulate
from streams.view_reader import connect, read_overview, read_transitions

__all__ = ["run_demo"]

PARTNERS: Final = 6
SPEED: Final = 30.0
PAST_MS: Final = 2 * 3_600_000
WINDOW: Final = "15m"
LOOK_SECONDS: Final = 0.5
TABLE_SECONDS: Final = 10.0
"""Between two tables where there is no terminal to keep one on."""
FIRST_FIGURES_SECONDS_MAX: Final = 60.0


def run_demo(console: Console, seconds: float | None) -> bool:
    """Run until Ctrl-C, or until the alert has fired and resolved, or `seconds` after the first figures.

    Args:
        console: where it is shown; without a terminal in plain lines.
        seconds: None for without end.

    Returns:
        Whether the alert fired and resolved.

    Raises:
        DemoError: if one of its processes ends, or no figures come.
        streams.local.errors.LocalServiceError: if the brokers or Redis do not start.
    """
    # Until the loop runs, SIGTERM unwinds as Ctrl-C does, so that nothing is left.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    shown = page()
    console.print(str(shown), style="bold", highlight=False, soft_wrap=True)
    with stage(lambda line: console.print(line, style="dim", highlight=False), shown) as stand:
        return asyncio.run(_run(console, stand, seconds))


async def _run(console: Console, stand: Stage, seconds: float | None) -> bool:
    stop = stop_on_signals()
    script = Script()
    stretch = Stretch(now_ms(), PAST_MS, speed=SPEED)
    config = Simulated(partners(PARTNERS))

    def past_written() -> None:
        console.print(f"two hours of past are written; the stream goes on, {SPEED:.0f} times as fast", style="dim", highlight=False)

    simulation = asyncio.create_task(
        simulate(stand.settings, config, stretch, seed=1, script=script, stop=stop, on_past_written=past_written)
    )
    try:
        return await _watch(console, stand, Story(script), simulation, stop, seconds)
    finally:
        stop.set()
        await simulation


async def _watch(
    console: Console, stand: Stage, story: Story, simulation: "asyncio.Task[int]", stop: asyncio.Event, seconds: float | None
) -> bool:
    show = _Show(console, stand)
    with connect(stand.settings) as client, show:
        while not stop.is_set():
            stand.check()
            if simulation.done():
                simulation.result()
            seen = await asyncio.to_thread(read_overview, client, stand.settings, WINDOW)
            transitions = await asyncio.to_thread(read_transitions, client, stand.settings)
            at = monotonic()
            show.figures(seen, story, at)
            for event in story.news(transitions, at):
                show.console.print(transition_line(event), soft_wrap=True)
            for page in stand.pages.take():
                show.console.print(page_line(page), style="yellow", soft_wrap=True, highlight=False)
            since = story.seconds(at)
            if since is None and at - stand.broker_up_at > FIRST_FIGURES_SECONDS_MAX:
                msg = f"no figures came within {FIRST_FIGURES_SECONDS_MAX:.0f} s:\n{stand.processes['worker'].tail()}"
                raise DemoError(msg)
            if seconds is not None and since is not None and (story.over or since > seconds):
                break
            await wait_or_stop(stop, LOOK_SECONDS)
    if story.fired_after is not None:
        resolved = "" if story.resolved_after is None else f", resolved {story.resolved_after:.0f} s"
        console.print(f"the alert fired {story.fired_after:.0f} s{resolved} after the first figures", highlight=False)
    return story.over


class _Show:
    """The table: kept on a terminal, printed now and then elsewhere."""

    def __init__(self, console: Console, stand: Stage) -> None:
        self._stand = stand
        self._live = Live(console=console, auto_refresh=False) if console.is_terminal else None
        self._shown_at: float | None = None
        self.console = console

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def figures(self, seen: Overview, story: Story, at: float) -> None:
        """Show what the view holds, once it holds figures, and what the story says."""
        there = any(row.kpis for row in seen.partners)
        first = there and story.seconds(at) is None
        for line in story.go_on(at, figures=there):
            self.console.print(line, style="bold", highlight=False)
        if first:
            self.console.print(
                f"first figures {at - self._stand.broker_up_at:.1f} s after the broker was up", style="bold", highlight=False
            )
        if self._live is not None:
            if there:
                self._live.update(Group(str(self._stand.page), overview_screen(seen)), refresh=True)
        elif there and (self._shown_at is None or at - self._shown_at >= TABLE_SECONDS):
            self._shown_at = at
            self.console.print(overview_screen(seen))
