"""What aiokafka has fetched, as records that cost nothing to make.

Private names of aiokafka 0.14 that are used here are held by `tests/unit/test_faust_contract.py`.
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.consumer.fetcher import FetchResult

__all__ = ["Fetched", "plain_records"]


class Fetched(OrderedDict[TopicPartition, Any]):
    """What aiokafka has fetched and not handed on: its runs come as the reader of batches makes their records.

    aiokafka would make a `ConsumerRecord` of each, which costs 1 µs, a sixth of what we spend on an event, and tells nothing more:
    topic and partition are the run's.
    """

    def __init__(self, in_runs: Callable[[TopicPartition], bool]) -> None:
        super().__init__()
        self._in_runs = in_runs

    def __setitem__(self, tp: TopicPartition, result: Any) -> None:
        """Take the answer of a fetch, records or an error."""
        if type(result) is FetchResult and self._in_runs(tp):
            result._partition_records._consumer_record = _as_it_is
        super().__setitem__(tp, result)


def _as_it_is(_: TopicPartition, record: Any) -> Any:
    return record


def plain_records(consumer: AIOKafkaConsumer, wanted: Callable[[TopicPartition], bool]) -> None:
    """Have a consumer, which has fetched nothing yet, hand on the wanted partitions' records as they are."""
    consumer._fetcher._records = Fetched(wanted)
