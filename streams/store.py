"""The store of the state table: fences the former owner and rebuilds the engines before Faust's own recovery has anything to do.

Registered as the scheme `panes://`. It needs a host (`panes://log`): yarl holds `panes://` for false, and Faust would fall back to
memory without a word. Rows are written by the engines' transactions, never through the table, whose own producer stands outside them.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NoReturn

from faust.stores.base import Store as FaustStore
from faust.types import TP, EventT

from streams.errors import StreamError
from streams.owner import Owner

__all__ = ["Store"]


class Store(FaustStore[Any, Any]):
    """Reads as a mapping of the rows' keys to what the engines hold; cannot be written."""

    @property
    def _owner(self) -> Owner:
        return self.app.owner  # type: ignore[attr-defined,no-any-return] # streams.app.OutwatchApp

    def persisted_offset(self, tp: TP) -> int | None:
        """The last offset of the changelog that is in the engine: all of it, so Faust has nothing left to recover."""
        end = self._owner.end_of(tp.partition)
        return None if end is None else end - 1

    async def on_rebalance(self, assigned: set[TP], revoked: set[TP], newly_assigned: set[TP], generation_id: int = 0) -> None:
        """Hold what was assigned; standby replicas are off, so all of it is ours to write."""
        changelog = self.table.changelog_topic.get_topic_name()
        numbers = {tp.partition for tp in assigned if tp.topic == changelog}
        held = {(tp.topic, tp.partition) for tp in assigned}
        await self._owner.assign(numbers, held)

    def apply_changelog_batch(self, batch: Iterable[EventT[Any]], to_key: Callable[[Any], Any], to_value: Callable[[Any], Any]) -> NoReturn:
        """Faust found something to recover, so that what was read is not all: the state would be wrong."""
        msg = f"Faust recovers {sum(1 for _ in batch)} rows that were not read at the assignment"
        raise StreamError(msg)

    def __getitem__(self, key: Any) -> Any:
        """What the engines hold under a key such as `("partner", "acme")`; for looking at, not for work: all keys are gone through."""
        for found, value in self._items():
            if found == key:
                return value
        raise KeyError(key)

    def __setitem__(self, key: Any, value: Any) -> NoReturn:
        self._refuse()

    def __delitem__(self, key: Any) -> NoReturn:
        self._refuse()

    def _refuse(self) -> NoReturn:
        msg = "rows are written by the engine's transactions; Faust would send this one outside of them"
        raise TypeError(msg)

    def __iter__(self) -> Iterator[Any]:
        return (key for key, _ in self._items())

    def _items(self) -> Iterator[tuple[tuple[str | int, ...], Any]]:
        for holding in self._owner.holdings.values():
            yield from holding.engine.items()

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _clear(self) -> None:
        self._refuse()

    def reset_state(self) -> None:
        """Nothing of it is kept outside the engines."""

    async def backup_partition(self, tp: Any, flush: bool = True, purge: bool = False, keep: int = 1) -> None:  # noqa: FBT001, FBT002
        """The changelog is the backup."""

    def restore_backup(self, tp: Any, latest: bool = True, backup_id: int = 0) -> None:  # noqa: FBT001, FBT002
        """The changelog is the backup."""
