"""What aiokafka has fetched, a batch at once: taken record by record, a record costs as much as decoding its event.

Private names of aiokafka 0.14 that are used here are held by `tests/unit/test_faust_contract.py`.
"""

import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.consumer.fetcher import FetchResult, PartitionRecords

__all__ = ["Fetched", "records_of", "whole_batches"]


class _Records(list[Any]):
    """Those of a batch; aiokafka takes them for one record."""

    @property
    def offset(self) -> int:
        """Reading goes on after this."""
        last: int = self[-1].offset
        return last


class _Batch:
    """A batch with all its records in one."""

    def __init__(self, batch: Any, position: int) -> None:
        self._batch = batch
        self._position = position

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __next__(self) -> Any:
        """The next record, of a batch of markers."""
        return next(self._batch)

    def __iter__(self) -> Iterator[_Records]:
        """Its records, if there are any; a fetch begins in the middle of a batch, and the log may have been compacted."""
        records = _Records(self._batch)
        if records and records[0].offset < self._position:
            records = _Records(record for record in records if record.offset >= self._position)
        if records:
            yield records


class _Batches:
    """The batches of an answer."""

    def __init__(self, read: PartitionRecords) -> None:
        self._read = weakref.proxy(read)  # It holds us: nobody would free what it was fetched in while cycles are not looked for.
        self._records = read._records
        self.has_next: Callable[[], bool] = self._records.has_next

    def next_batch(self) -> _Batch:
        """The next, as `_Batch`."""
        return _Batch(self._records.next_batch(), self._read.next_fetch_offset)


class Fetched(OrderedDict[TopicPartition, Any]):
    """What aiokafka has fetched and not handed on, with whole batches in place of records.

    aiokafka would make a `ConsumerRecord` of each record, which tells nothing more: topic and partition are the run's.
    """

    def __init__(self, wanted: Callable[[TopicPartition], bool]) -> None:
        super().__init__()
        self._wanted = wanted

    def __setitem__(self, tp: TopicPartition, result: Any) -> None:
        """Take the answer of a fetch, records or an error."""
        if type(result) is FetchResult and self._wanted(tp):
            read = result._partition_records
            read._records, read._consumer_record = _Batches(read), _as_it_is
        super().__setitem__(tp, result)


def _as_it_is(_: TopicPartition, record: Any) -> Any:
    return record


def whole_batches(consumer: AIOKafkaConsumer, wanted: Callable[[TopicPartition], bool]) -> None:
    """Have a consumer, which has fetched nothing yet, hand on batches of the wanted partitions: see `records_of`."""
    consumer._fetcher._records = Fetched(wanted)


def records_of(batches: Iterable[Any]) -> list[Any]:
    """The records of batches, as the reader of batches made them: offset, timestamp, key, value and headers."""
    return list(chain.from_iterable(batches))
