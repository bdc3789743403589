"""Ctrl-C and SIGTERM as an event, so that what is under way ends in order."""

import asyncio
import signal

__all__ = ["stop_on_signals", "wait_or_stop"]


def stop_on_signals() -> asyncio.Event:
    """An event of the running loop that SIGINT or SIGTERM sets; a second signal ends the process at once."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()

    def begin(number: signal.Signals) -> None:
        stop.set()
        loop.remove_signal_handler(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, begin, number)
    return stop


async def wait_or_stop(stop: asyncio.Event, wait_seconds: float) -> None:
    """Return after `wait_seconds`, or as soon as `stop` is set."""
    try:
        async with asyncio.timeout(wait_seconds):
            await stop.wait()
    except TimeoutError:
        return
