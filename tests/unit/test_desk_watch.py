"""One reader for all who look, also while Redis hangs."""

import asyncio
from collections.abc import Iterable
from typing import cast

from redis.exceptions import ConnectionError as RedisConnectionError

from desk.errors import UnavailableError
from desk.view import Look, ViewReader
from desk.watch import Watch


class Hanging:
    """A view that does not answer until it is let, and then fails."""

    def __init__(self) -> None:
        self.looks = 0
        self.let = asyncio.Event()

    async def look(self, _: Iterable[str]) -> Look:
        self.looks += 1
        await self.let.wait()
        msg = "gone"
        raise RedisConnectionError(msg)


async def test_those_who_wait_while_redis_hangs_are_all_refused_by_one_look() -> None:
    view = Hanging()
    watch = Watch(cast("ViewReader", view), lambda: 0, "wall", lambda _: 0)
    asking = [asyncio.create_task(watch.board("15m")) for _ in range(50)]
    await asyncio.sleep(0)
    view.let.set()
    told = await asyncio.gather(*asking, return_exceptions=True)
    assert (view.looks, {type(each) for each in told}) == (1, {UnavailableError})


async def test_who_asks_after_that_has_redis_looked_at_anew() -> None:
    view = Hanging()
    view.let.set()
    watch = Watch(cast("ViewReader", view), lambda: 0, "wall", lambda _: 0)
    for _ in range(2):
        (told,) = await asyncio.gather(watch.board("15m"), return_exceptions=True)
        assert isinstance(told, UnavailableError)
    assert view.looks == 2
