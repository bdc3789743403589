"""The engine alone, in memory: where the time of an event and of a record goes, without Kafka and Faust.

`python -m bench.engine RECORDS [SCOPE ...]` prints one JSON object; scopes, such as `site team`, are what the policy splits partners by.
The engines drain once for every `EVENTS_A_COMMIT` events, about what a worker that catches up reads in a second; wall time moves on by a
second with it.
"""

import gc
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import wraps
from time import process_time
from typing import Any, Final

import orjson

from bench.broker import PARTITIONS
from bench.load import arrivals
from bench.policy import policy
from models.decode import decode_run
from models.policy_file import parts
from models.policy_record import CURRENT, encode_policy, policy_key
from models.settings import Settings
from models.topics import BROADCAST, partition_of
from streams.engine import Budget, Engine, EngineConfig
from streams.trial.offline import Record

RUN: Final = 1_000
EVENTS_A_COMMIT: Final = 60_000
END_MS: Final = 1_790_000_000_000


class Stopwatch:
    """CPU seconds by name; what runs inside another is taken off that one."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self._inner = [0.0]

    def timed(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """`function`, its own time counted as `name`."""

        @wraps(function)
        def call(*arguments: Any, **named: Any) -> Any:
            begun = process_time()
            self._inner.append(0.0)
            try:
                return function(*arguments, **named)
            finally:
                whole = process_time() - begun
                self.seconds[name] += whole - self._inner.pop()
                self._inner[-1] += whole

        return call


def engines(watch: Stopwatch, settings: Settings, windows: Sequence[str] | None = None, scopes: Sequence[str] = ()) -> list[Engine]:
    """An engine a partition, with the policy applied (with these windows alone, if any are named, and scopes), every step timed."""
    topics = settings.topics
    config = EngineConfig(app_id="bench", worker="bench", topics=topics, partitions=PARTITIONS)
    made = [Engine(number, config) for number in range(PARTITIONS)]
    shared, own = parts(policy(windows, scopes))
    start_ms = END_MS - 3_600_000
    for number, engine in enumerate(made):
        mine = {BROADCAST: shared} | {name: part for name, part in own.items() if partition_of(name, PARTITIONS) == number}
        records = []
        for at, (name, part) in enumerate(mine.items()):
            value = encode_policy(part, start_ms).model_dump_json().encode()
            records.append(Record(topics.policies, number, at, start_ms, policy_key(name, CURRENT), value))
        finish(engine.apply(topics.policies, 0, records, start_ms))
        publisher: Any = engine._publisher
        publisher.publish = watch.timed("publish", publisher.publish)
        inner: Any = engine
        inner._close = watch.timed("close", inner._close)
        rows = inner._rows
        inner._rows = watch.timed("rows", lambda rows=rows: list(rows()))
    return made


def finish(steps: Iterator[None]) -> None:
    """Take every step."""
    for _ in steps:
        pass


def runs(count: int, topic: str) -> list[list[Record]]:
    """The load in runs, partitions in turn as the transport hands them on."""
    waiting: list[list[Record]] = [[] for _ in range(PARTITIONS)]
    done: list[list[Record]] = []
    offsets = [0] * PARTITIONS
    for arrival in arrivals(count, END_MS):
        number = partition_of(arrival.partner, PARTITIONS)
        waiting[number].append(Record(topic, number, offsets[number], arrival.at_ms, arrival.partner.encode(), arrival.value))
        offsets[number] += 1
        if len(waiting[number]) == RUN:
            done.append(waiting[number])
            waiting[number] = []
    return done + [run for run in waiting if run]


def play(watch: Stopwatch, made: Sequence[Engine], load: Sequence[Sequence[Record]]) -> Counter[str]:
    """Apply the load, with a commit of every engine for each `EVENTS_A_COMMIT` events; what they wrote, and how often."""
    settings, written, now_ms, applied = Settings(partitions=PARTITIONS), Counter[str](), END_MS, 0
    topic = settings.topics.interactions
    apply = watch.timed("count", lambda run, now_ms: finish(made[run[0].partition].apply(topic, run[0].offset, run, now_ms)))
    drain = watch.timed("drain", lambda engine, now_ms: engine.drain(now_ms, Budget(500, 1_250_000)))
    for run in load:
        for engine in made:
            for other in (*settings.topics.sources[1:], settings.topics.commands, settings.topics.policies):
                engine.idle(other, now_ms)
        apply(run, now_ms)
        applied += len(run)
        if applied // EVENTS_A_COMMIT != (applied - len(run)) // EVENTS_A_COMMIT or run is load[-1]:
            now_ms += 1_000
            written["rounds"] += 1
            for engine in made:
                commit = drain(engine, now_ms)
                size = sum(len(each.value or b"") for each in commit.records)
                written.update(records=len(commit.records), rows=len(commit.rows), record_bytes=size)
    return written


def measure(count: int, scopes: Sequence[str] = ()) -> dict[str, Any]:
    """Microseconds an event by part, and a record's."""
    settings = Settings(partitions=PARTITIONS)
    load = runs(count, settings.topics.interactions)
    gc.freeze()
    gc.disable()  # What cycles cost depends on what else lives in the process.
    watch = Stopwatch()
    made = engines(watch, settings, scopes=scopes)
    written = play(watch, made, load)
    records, rows = written["records"], written["rows"]
    decoding = watch.timed("decode", decode_run)
    for run in load:
        decoding([record.value for record in run], [record.headers for record in run])
    seconds = watch.seconds
    seconds["count"] -= seconds["decode"]
    return {
        "events": count,
        "records": records,
        "rows": rows,
        "us_an_event": {name: 1e6 * spent / count for name, spent in sorted(seconds.items())},
        "us_a_record": 1e6 * seconds["publish"] / records,
        "us_a_row": 1e6 * seconds["rows"] / rows,
    }


def main(arguments: Sequence[str]) -> None:
    """Measure and print."""
    sys.stdout.buffer.write(orjson.dumps(measure(int(arguments[0]), arguments[1:])) + b"\n")


if __name__ == "__main__":
    main(sys.argv[1:])
