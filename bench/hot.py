"""A partner with 60 % of the traffic, and 200,000 events at once: how long the others wait for their figures, with it and without.

python -m bench.hot
"""

import asyncio
import sys
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from bench.crew import crew
from bench.latency import Follower, Waits, following
from bench.live import EVERYBODY, Event, Live, play
from bench.policy import policy
from models.clock import now_ms
from models.settings import Settings
from models.topics import partition_of
from streams.admin import create
from streams.local.kafka import LocalKafka
from streams.policies import apply_policy
from streams.produce import Feed

__all__ = ["Hot", "hot", "table"]

PARTITIONS: Final = 12
HOT: Final = EVERYBODY[1]
_OTHERS: Final = tuple(name for name in EVERYBODY if name != HOT)
_NEIGHBOURS: Final = frozenset(name for name in _OTHERS if partition_of(name, PARTITIONS) == partition_of(HOT, PARTITIONS))
_SHARE: Final = 0.6
_CONTACTS: Final = 1_600
_CATCH_UP_SECONDS_MAX: Final = 240.0


@dataclass(frozen=True, slots=True)
class Hot:
    """What was seen."""

    others_per_second: float
    backlog: int
    without: dict[str, Waits]
    """By group: `hot`, `neighbours` (of its partition), `others`."""
    beside: dict[str, Waits]
    """From the burst on, until the backlog was in the figures."""
    caught_up_seconds: float


def group_of(partner: str) -> str:
    """How a partner stands to the hot one."""
    return "hot" if partner == HOT else "neighbours" if partner in _NEIGHBOURS else "others"


async def hot(seconds: float, others_per_second: float, backlog: int) -> Hot:
    """The others alone for a time, then beside a burst and 60 % of the traffic for as long, or until the burst is in the figures.

    Raises:
        TimeoutError: if it is not in time.
    """
    alone, others = (Live(others_per_second, _OTHERS, seed=seed, contacts=_CONTACTS) for seed in (1, 4))
    traffic = Live(others_per_second * _SHARE / (1 - _SHARE), [HOT], seed=2, contacts=_CONTACTS)
    burst = Live(2_000, [HOT], seed=3, contacts=_CONTACTS)
    with TemporaryDirectory(prefix="outwatch-hot-") as folder, LocalKafka(Path(folder)) as kafka:
        settings = Settings(brokers=kafka.bootstrap, app_id="hot", partitions=PARTITIONS, replication=1)
        await create(settings)
        await apply_policy(settings, policy(), now_ms())
        follower = Follower(group_of)
        async with crew(settings, 1, Path(folder)), following(settings, follower), Feed(settings, ("interactions",)) as feed:
            await play(feed, [alone], seconds, follower.written)
            await _caught_up(follower)
            without = dict(follower.waits)
            follower.waits.clear()
            begun_ms = now_ms()
            await _write(feed, list(islice(burst.events(begun_ms - 600_000), backlog)), begun_ms, follower)
            await play(feed, [others, traffic], seconds, follower.written)
            await _caught_up(follower)
    return Hot(others_per_second, backlog, without, dict(follower.waits), (now_ms() - begun_ms) / 1000)


async def _write(feed: Feed, events: list[Event], at_ms: int, follower: Follower) -> None:
    """All at once."""
    follower.written(event._replace(at_ms=at_ms) for event in events)
    for event in events:
        feed.put("interactions", event.partner, event.value)
    await feed.flush()


async def _caught_up(follower: Follower) -> None:
    async with asyncio.timeout(_CATCH_UP_SECONDS_MAX):
        while follower.missing:  # noqa: ASYNC110 - it reads what another process writes
            await asyncio.sleep(0.1)


def table(result: Hot) -> str:
    """What the page says."""
    lines = [
        "| partners | events | p50 s | p99 s | beside the hot one: events | p50 s | p99 s |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for group in ("others", "neighbours", "hot"):
        cells = [f"{waits.count:,} | {_show(waits.quantile(0.5))} | {_show(waits.quantile(0.99))}" for waits in _both(result, group)]
        lines.append(f"| {group} | {' | '.join(cells)} |")
    lines.append("")
    lines.append(f"{result.backlog:,} events at once, then 60 % of the traffic; the others send {result.others_per_second:,.0f} a second.")
    lines.append(f"All was in the figures {result.caught_up_seconds:.0f} s after the burst.")
    return "\n".join(lines)


def _both(result: Hot, group: str) -> tuple[Waits, Waits]:
    return result.without.get(group, Waits()), result.beside.get(group, Waits())


def _show(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


if __name__ == "__main__":
    sys.stdout.write(table(asyncio.run(hot(20, 400, 200_000))) + "\n")
