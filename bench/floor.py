"""The floor: aiokafka, orjson and a dict. Nothing that reads JSON from Kafka in Python can be faster, and it does nothing else.

A process of its own: `python -m bench.floor BROKERS TOPIC RECORDS` prints one JSON object.
"""

import asyncio
import sys
from collections import Counter, defaultdict
from time import perf_counter, process_time
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition

from bench.broker import PARTITIONS


async def main(brokers: str, topic: str, records: int) -> dict[str, Any]:
    """Read and count `records`."""
    consumer = AIOKafkaConsumer(bootstrap_servers=brokers, enable_auto_commit=False, max_partition_fetch_bytes=1 << 20)
    await consumer.start()
    places = [TopicPartition(topic, number) for number in range(PARTITIONS)]
    consumer.assign(places)
    await consumer.seek_to_beginning(*places)
    counted: defaultdict[str, Counter[str]] = defaultdict(Counter)
    read, begun, cpu = 0, perf_counter(), process_time()
    while read < records:
        for run in (await consumer.getmany(timeout_ms=1_000, max_records=4_000)).values():
            for record in run:
                event = orjson.loads(record.value)
                counted[event["partner_id"]][event["type"]] += 1
            read += len(run)
    measured = {"events": read, "seconds": perf_counter() - begun, "cpu_seconds": process_time() - cpu}
    await consumer.stop()
    return {**measured, "counted": counted}


if __name__ == "__main__":
    sys.stdout.buffer.write(orjson.dumps(asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))))
