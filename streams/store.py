"""The store of the state table: fences the former owner and rebuilds the engines before Faust's own recovery has anything to do.

Registered as the scheme `panes://`. It needs a host (`panes://log`): yarl holds `panes://` for false, and Faust would fall back to
memory without a word. Rows are written by the engines' transactions, never through the table, whose own producer stands outside them.
"""

from collections.abc import Callable, Iterable
from typing import Any, NoReturn

import faust
from faust.stores.base import Store as FaustStore
from faust.tables import TableManager
from faust.types import TP, EventT

from streams.errors import StreamError
from streams.owner import Owner

__all__ = ["Store", "Table", "Tables"]


def _refuse(*_: Any, **__: Any) -> NoReturn:
    msg = "rows are written by the engine's transactions; Faust would send this one outside of them"
    raise TypeError(msg)


class Table(faust.Table[Any, Any]):
    """The state as a Faust table: it can be read. Faust sends what is written to a table before it asks the store."""

    on_key_set = on_key_del = on_clear = _refuse


class Tables(TableManager):
    """Faust's, which would wait a second for tables that agents might still name: ours is there before the app starts."""

    async def on_start(self) -> None:
        """Faust's, at once."""
        await self._update_channels()
        await self.recovery.start()


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

    @property
    def data(self) -> dict[tuple[str | int, ...], Any]:  # type: ignore[override] # what Faust's mapping reads from
        """What the engines hold, by keys such as `("partner", "acme")`; for looking at, not for work: it is put together each time."""
        return {key: value for holding in self._owner.holdings.values() for key, value in holding.engine.items()}

    def _clear(self) -> None:
        _refuse()

    def reset_state(self) -> None:
        """Nothing of it is kept outside the engines."""

    async def backup_partition(self, tp: Any, flush: bool = True, purge: bool = False, keep: int = 1) -> None:  # noqa: FBT001, FBT002
        """The changelog is the backup."""

    def restore_backup(self, tp: Any, latest: bool = True, backup_id: int = 0) -> None:  # noqa: FBT001, FBT002
        """The changelog is the backup."""
