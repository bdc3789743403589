"""Playing deliveries: where the ticks stand, and what stopping writes."""

import asyncio

import orjson

from streams.delivery import Delivery
from streams.play import Player, Tick, ticked


def at(*times_ms: int) -> list[Delivery]:
    return [Delivery(at_ms, "interactions", "acme", b"{}") for at_ms in times_ms]


class FakeFeed:
    """Remembers what reached the broker, in order."""

    def __init__(self) -> None:
        self.buffer: list[int | str] = []
        self.written: list[int | str] = []
        self.flushes = 0
        self.flushed = asyncio.Event()

    @property
    def buffered(self) -> int:
        return len(self.buffer)

    def put(self, source: str, partner_id: str, value: bytes) -> None:
        self.buffer.append(orjson.loads(value))

    def advance(self, to_ms: int) -> None:
        self.buffer.append(f"to {to_ms}")

    async def flush(self) -> None:
        self.flushes += 1
        if self.buffer:
            self.flushed.set()
        self.written += self.buffer
        self.buffer = []


def numbered(*times_ms: int) -> list[Delivery]:
    return [Delivery(at_ms, "interactions", "acme", str(at_ms).encode()) for at_ms in times_ms]


def test_a_tick_stands_after_all_that_was_delivered_before_it_and_before_what_is_delivered_at_it() -> None:
    one, two, three = at(9_999, 10_000, 31_000)
    assert list(ticked([one, two, three], 0, 40_000)) == [one, Tick(10_000), two, Tick(20_000), Tick(30_000), three, Tick(40_000)]


def test_ticks_begin_after_the_moment_that_was_reached() -> None:
    assert list(ticked([], 10_000, 30_000)) == [Tick(20_000), Tick(30_000)]


def test_without_an_end_the_last_delivery_is_the_end() -> None:
    (only,) = at(12_000)
    assert list(ticked([only], 0, None)) == [Tick(10_000), only]


async def test_everything_is_written_with_the_clock_between() -> None:
    feed = FakeFeed()
    player = Player(feed, 0, clock=True)  # type: ignore[arg-type]
    await player.play(numbered(5_000, 15_000), to_ms=20_000, speed=None, stop=asyncio.Event())
    assert feed.written == [5_000, "to 10000", 15_000, "to 20000"]
    assert (player.at_ms, player.written) == (20_000, 2)


async def test_a_second_stretch_goes_on_where_the_first_ended() -> None:
    feed = FakeFeed()
    player = Player(feed, 0, clock=True)  # type: ignore[arg-type]
    await player.play(numbered(5_000), to_ms=10_000, speed=None, stop=asyncio.Event())
    await player.play(numbered(12_000), to_ms=20_000, speed=None, stop=asyncio.Event())
    assert feed.written == [5_000, "to 10000", 12_000, "to 20000"]


async def test_under_a_clock_on_the_wall_no_clock_is_written() -> None:
    feed = FakeFeed()
    await Player(feed, 0, clock=False).play(numbered(5_000, 15_000), to_ms=None, speed=None, stop=asyncio.Event())  # type: ignore[arg-type]
    assert feed.written == [5_000, 15_000]


async def test_at_a_pace_nothing_is_written_before_its_time() -> None:
    feed = FakeFeed()
    loop = asyncio.get_running_loop()
    began = loop.time()
    await Player(feed, 0, clock=True).play(numbered(10, 20_000), to_ms=None, speed=100.0, stop=asyncio.Event())  # type: ignore[arg-type]
    assert loop.time() - began >= 0.2
    assert feed.written == [10, "to 10000", "to 20000", 20_000]


async def test_stopping_ends_a_pause_at_once_and_leaves_what_is_not_due() -> None:
    feed, stop = FakeFeed(), asyncio.Event()
    playing = asyncio.create_task(
        Player(feed, 0, clock=True).play(numbered(0, 3_600_000), to_ms=None, speed=1.0, stop=stop)  # type: ignore[arg-type]
    )
    async with asyncio.timeout(5):
        await feed.flushed.wait()
        stop.set()
        await playing
    assert feed.written == [0]


async def test_what_is_buffered_is_bounded() -> None:
    feed = FakeFeed()
    await Player(feed, 0, clock=False).play(numbered(*range(12_000)), to_ms=None, speed=None, stop=asyncio.Event())  # type: ignore[arg-type]
    assert feed.flushes == 3
    assert len(feed.written) == 12_000
