"""The view in Redis, written together with the offsets that it was made from.

Every batch goes in one MULTI that holds only if the offsets are still those that the batch follows (WATCH). So the view and its
offsets are one, whatever happens between: a batch is applied once or not at all, a second projector finds the offsets moved and
goes on from there, and after a flush the offsets are gone with the view.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import orjson
from redis.asyncio import Redis
from redis.exceptions import WatchError

from models.topics import BROADCAST
from models.view import LAYOUT, Health, Keys
from models.windows import WINDOWS, parse_record_key
from streams.projector.projection import Command
from streams.projector.totals import Totals

__all__ = ["Positions", "ViewStore"]

Positions = Mapping[str, int]
"""By `topic:partition`: the next offset to be applied."""

_SCAN_COUNT: Final = 1000
_LAYOUT_FIELD: Final = "layout"
"""Among the offsets, so that it goes with them; no topic's partition is called so."""


class ViewStore:
    """Reads and writes the view of one installation."""

    def __init__(self, client: Redis, keys: Keys) -> None:
        self._client = client
        self._keys = keys

    async def positions(self) -> dict[str, int]:
        """Where the view stands; empty if there is none of this layout, as after a flush, or of an older release."""
        stored = {_text(field): int(value) for field, value in (await self._client.hgetall(self._keys.offsets)).items()}
        return stored if stored.pop(_LAYOUT_FIELD, None) == LAYOUT else {}

    async def begin(self, positions: Positions) -> None:
        """Delete what is there and begin a view at `positions`."""
        # The offsets go first and come last: whoever is interrupted in between, or is still writing, finds no view to go on with.
        await self._client.delete(self._keys.offsets)
        async for key in self._client.scan_iter(match=f"{self._keys.view}*", count=_SCAN_COUNT):
            await self._client.unlink(key)
        await self.add({_LAYOUT_FIELD: LAYOUT, **positions})

    async def add(self, positions: Positions) -> None:
        """Let the view also hold partitions that it did not know, as after an upgrade that reads another topic."""
        await self._client.execute_command(*self._set_offsets(positions))  # type: ignore[no-untyped-call]

    async def apply(self, commands: Sequence[Command], follows: Positions, leads_to: Positions) -> bool:
        """Carry out `commands` and move the offsets from `follows` to `leads_to`, all or nothing.

        Returns:
            False if the offsets are not `follows` (a flush, another projector): nothing was done.
        """
        async with self._client.pipeline(transaction=True) as pipe:
            await pipe.watch(self._keys.offsets)
            stored = await pipe.hmget(self._keys.offsets, list(follows))
            if [None if value is None else int(value) for value in stored] != list(follows.values()):
                return False
            pipe.multi()  # type: ignore[no-untyped-call]
            for command in commands:
                pipe.execute_command(*command)
            pipe.execute_command(*self._set_offsets(leads_to))
            try:
                await pipe.execute()
            except WatchError:
                return False
        return True

    async def totals(self) -> Totals:
        """What the view holds of every partner, to go on summing after a start."""
        totals = Totals()
        for partner in await self._client.hkeys(self._keys.policies):
            if _text(partner) != BROADCAST:
                totals.configure(_text(partner), configured=True)
        for window in WINDOWS:
            for key, value in (await self._client.hgetall(self._keys.figures(window.name, "all"))).items():
                partner_id, _, _ = parse_record_key(_text(key))
                totals.put(window.name, partner_id, orjson.loads(value))
        return totals

    async def say(self, health: Health) -> None:
        """Leave a sign of life."""
        await self._client.set(self._keys.projector, health.model_dump_json())

    def _set_offsets(self, positions: Positions) -> Command:
        return ("HSET", self._keys.offsets, *(part for position in positions.items() for part in position))


def _text(value: bytes | str) -> str:
    """What the client calls bytes or text; ours answers in bytes."""
    return value.decode() if isinstance(value, bytes) else value
