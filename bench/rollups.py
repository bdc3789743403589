"""What the records of closed minutes and quarter hours cost: CPU and bytes, of one engine in memory.

`python -m bench.rollups` prints one JSON object: an hour of 200 partners of 9 scopes in which something happens every minute.
"""

import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

import orjson

from bench.engine import Stopwatch, finish
from models.settings import Settings
from models.windows import MINUTE_MS
from streams.engine import Budget, Engine, EngineConfig
from streams.trial.offline import Record

PARTNERS: Final = 200
QUEUES: Final = 5
CHANNELS: Final = 3
MINUTES: Final = 60
_BEGIN_MS: Final = 1_790_000_000_000 // (15 * MINUTE_MS) * 15 * MINUTE_MS
_UNBOUND: Final = 10**12


def _events(at_ms: int, offset: int) -> Iterator[Record]:
    """A contact of each queue and channel of each partner."""
    for partner in range(PARTNERS):
        for number in range(QUEUES * CHANNELS):
            name = f"partner-{partner:03}"
            event = {"partner_id": name, "queue": f"queue-{number % QUEUES}", "channel": f"channel-{number % CHANNELS}"} | {
                "type": "contact.record",
                "event_id": f"{at_ms}-{number}",
                "occurred_at": at_ms,
                "outcome": "answered",
                "wait_seconds": 10 + number,
                "talk_seconds": 200 + number,
            }
            yield Record("cx.interactions", 0, offset, at_ms, name.encode(), orjson.dumps(event))
            offset += 1


def measure() -> dict[str, Any]:
    """CPU of the records and their bytes, by topic."""
    topics = Settings(partitions=1).topics
    engine = Engine(0, EngineConfig(app_id="bench", worker="bench", topics=topics, partitions=1))
    watch, counts, offset = Stopwatch(), Counter[str](), 0
    inner: Any = engine
    publish = inner._rollups.publish
    inner._rollups.publish = watch.timed("rollups", lambda *arguments: list(publish(*arguments)))
    for minute in range(MINUTES):
        at_ms = _BEGIN_MS + minute * MINUTE_MS
        records = list(_events(at_ms, offset))
        offset += len(records)
        finish(engine.apply("cx.interactions", records[0].offset, records, at_ms))
        for topic in topics.subscribed:
            engine.idle(topic, at_ms + 20_000)
        finish(engine.advance())
        commit = engine.drain(at_ms + 20_000, Budget(_UNBOUND, _UNBOUND))
        for output in commit.records if commit else ():
            if ".rollups." in output.topic:
                counts[f"{output.topic} records"] += 1
                counts[f"{output.topic} bytes"] += len(output.value or b"")
                heads = len(output.key or b"") + sum(len(name) + len(content) for name, content in output.headers)
                counts[f"{output.topic} bytes of keys and headers"] += heads
    records_of_all = sum(count for name, count in counts.items() if name.endswith("records"))
    return {"us_a_record": 1e6 * watch.seconds["rollups"] / records_of_all, **counts}


if __name__ == "__main__":
    sys.stdout.buffer.write(orjson.dumps(measure(), option=orjson.OPT_INDENT_2) + b"\n")
