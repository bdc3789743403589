"""A replay on Kafka: logs in, events in the order of stream time out, then the days that the workers closed."""

import asyncio
import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Final

import orjson

from models.customers import CustomerError
from models.days import day_end
from models.mapping import Mapping
from models.settings import PREFIX, Settings
from models.windows import GRID_MS, MINUTE_MS
from streams.delivery import Delivery, Source
from streams.play import Player
from streams.produce import Feed
from streams.replay.closed_days import closed_days
from streams.replay.log_file import LogFile
from streams.replay.order import dated, in_order
from streams.replay.report import Report, make_report
from streams.replay.shift import Shift, Timing, shifted
from streams.replay.tally import Tally

__all__ = ["Deliveries", "replay", "secret_of", "write"]

_SETTLE_MS: Final = 15 * MINUTE_MS
"""How far after the last day's end the clock is moved: longer than any sensible `settle_seconds` of a policy."""


_SOURCES: Final[dict[str, Source]] = {
    "survey": "surveys",
    "quality": "quality",
    "agent": "workforce",
    "training": "workforce",
    "volume": "workforce",
    "cost": "finance",
    "revenue": "finance",
}
"""Where events go by the first word of their type, if not to the interactions."""


class Deliveries:
    """The events of the logs as deliveries, and what passed so far."""

    def __init__(self, logs: Sequence[LogFile], mapping: Mapping, timing: Timing, secret: str | None = None) -> None:
        self.mapping = mapping
        self.timing = timing
        self.tally = Tally(mapping.zone)
        self.source: Source = _SOURCES.get(mapping.type.partition(".")[0], "interactions")
        self.last_ms = 0
        """When the last event occurred."""
        self._events = shifted(in_order(dated(logs, mapping, self.tally, secret), mapping.zone), timing)

    def __iter__(self) -> Iterator[Delivery]:
        for event in self._events:
            self.last_ms = event["occurred_at"]
            yield Delivery(self.last_ms, self.source, event["partner_id"], orjson.dumps(event))


async def write(feed: Feed, deliveries: Deliveries, stop: asyncio.Event, on_progress: Callable[[str], None]) -> int | None:
    """Write the deliveries and, where times are kept, the clock: up to beyond the end of the last day.

    Returns:
        The end of the last day; None where no day closes by it: times are shifted, nothing was written, or `stop` was set.
    """
    keep = deliveries.timing.shift is Shift.KEEP
    events = iter(deliveries)
    first = next(events, None)
    if first is None:
        return None
    player = Player(feed, first.at_ms - first.at_ms % GRID_MS, clock=keep)

    def noted() -> Iterator[Delivery]:
        for delivery in itertools.chain((first,), events):
            if player.written % 1_000 == 0:
                on_progress(f"{player.written} events written")
            yield delivery

    # Shifted times follow the wall clock by themselves, squeezed or not.
    await player.play(noted(), to_ms=None, speed=deliveries.timing.speed if keep else 1.0, stop=stop)
    if stop.is_set() or not keep:
        return None
    end_ms = day_end(deliveries.last_ms, deliveries.mapping.zone)
    feed.advance(end_ms + _SETTLE_MS)
    await feed.flush()
    return end_ms


def secret_of(settings: Settings, mapping: Mapping) -> str | None:
    """What makes customer keys; None where the mapping makes none.

    Raises:
        CustomerError: if it is missing.
    """
    if not mapping.needs_secret:
        return None
    if settings.customer_secret is None:
        msg = f"the mapping makes customer keys: set {PREFIX}CUSTOMER_SECRET, or {PREFIX}CUSTOMER_SECRET_FILE to a file with it"
        raise CustomerError(msg)
    return settings.customer_secret.get_secret_value()


async def replay(
    settings: Settings,
    logs: Sequence[LogFile],
    mapping: Mapping,
    *,
    timing: Timing,
    report: bool,
    stop: asyncio.Event,
    on_progress: Callable[[str], None] = lambda _: None,
) -> Report:
    """Replay logs.

    Args:
        settings: of the installation; where times are kept its workers run with `clock: log`.
        logs: in order of their dates.
        mapping: how their rows become events.
        timing: what becomes of event times, and the speed.
        report: wait for the closed days; without, or where times are shifted, the report has none.
        stop: ends the writing or the waiting early.
        on_progress: is told what is being done, now and then.

    Raises:
        FileError: if a log does not hold.
        CustomerError: if the mapping needs the customers' secret and it is missing or too short.
        NobodyCountsError: if no worker counts what was written.
        TopicsError: if the source topic is not as the settings say.
        aiokafka.errors.KafkaError: if the brokers cannot be reached.
    """
    secret = secret_of(settings, mapping)
    for log in logs:
        # A wrong header or a missing date is found before anything is written.
        next(dated([log], mapping, Tally(mapping.zone), secret), None)
    deliveries = Deliveries(logs, mapping, timing, secret)
    async with Feed(settings, (deliveries.source,)) as feed:
        end_ms = await write(feed, deliveries, stop, on_progress)
    if end_ms is None or not report:
        return make_report(deliveries.tally, ())
    return make_report(deliveries.tally, await closed_days(settings, deliveries.tally, deliveries.source, end_ms, stop, on_progress))
