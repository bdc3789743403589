"""Recovery: how long a worker with a million rows takes from its start to its first commit, and what of it is what.

The state is lived by the product's engine (`bench.lived`) and written twice, under the topic settings that are shipped: once as its live
rows alone, once as the log of all commits of six hours. Most of it is written in minutes; the end comes a commit a second, for the
broker's cleaner to work as it does in six hours.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from signal import SIGKILL, SIGTERM, Signals
from tempfile import TemporaryDirectory
from typing import Any, Final, Self

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from bench.lived import Life, Row, partners, policy_of, renamed
from models.clock import now_ms
from models.settings import PREFIX, Settings
from streams.admin import create
from streams.batches import send_in_batches
from streams.local.kafka import LocalKafka
from streams.local.process import LeashedProcess
from streams.policies import apply_policy

PARTITIONS: Final = 24
_COMMITS_A_TRANSACTION: Final = 60
_ROWS_A_BATCH: Final = 1_000
_POLL_SECONDS: Final = 0.02
_SERVES_SECONDS_MAX: Final = 120.0
_SETTLED_SECONDS: Final = 5.0
_PREFIX: Final = "recovery."


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured."""

    partners: int
    """Of each of the 24 partitions."""
    seconds: int
    """Of load, in stream time."""
    allowance_seconds: int
    """For writing all of it."""
    paced_seconds: int
    """How much of it at the end is written as it would come, a commit a second: the cleaner works where something is written only."""
    repeats: int
    signals: tuple[Signals, ...]
    """That a worker is ended by, for another to take over."""


WHOLE: Final = Sizes(partners=40, seconds=6 * 3_600, allowance_seconds=1_320, paced_seconds=600, repeats=2, signals=(SIGKILL, SIGTERM))
QUICK: Final = Sizes(partners=1, seconds=60, allowance_seconds=5, paced_seconds=0, repeats=1, signals=())
"""20,000 rows, to see that it still runs."""


@dataclass(slots=True)
class Measured:
    """What was seen of one kind of log."""

    log_bytes: int = 0
    starts: list[dict[str, float]] = field(default_factory=list)


@dataclass(slots=True)
class Results:
    """All that was measured in one run."""

    sizes: Sizes
    live_rows: int = 0
    live_bytes: int = 0
    written_records: int = 0
    written_bytes: int = 0
    live: Measured = field(default_factory=Measured)
    lived: Measured = field(default_factory=Measured)
    takeovers: dict[str, dict[str, float]] = field(default_factory=dict)


async def run(sizes: Sizes, say: Callable[[str], None]) -> Results:
    """Measure."""
    results = Results(sizes)
    with TemporaryDirectory(prefix="outwatch-bench-") as folder, LocalKafka(Path(folder), None, say) as kafka:
        settings = Settings(brokers=kafka.bootstrap, partitions=PARTITIONS, replication=1, topic_prefix=_PREFIX, app_id="recovery-lived")
        live = settings.model_copy(update={"app_id": "recovery-live"})
        await create(settings)
        await create(live)
        end_ms = now_ms() + 1_000 * sizes.allowance_seconds
        await _write(settings, live, end_ms, results)
        say(f"{results.written_records:,} records written, of which {results.live_rows:,} rows live")
        for _ in range(sizes.repeats):
            for measured, which in ((results.live, live), (results.lived, settings)):
                measured.log_bytes = _size(Path(folder), which)
                measured.starts.append(await _start(which, Path(folder)))
                say(f"{which.app_id}: {measured.starts[-1]}")
        for signal in sizes.signals:
            results.takeovers[signal.name] = await _takeover(live, Path(folder), signal)
            say(f"taken over after {signal.name}: {results.takeovers[signal.name]}")
    return results


async def _write(settings: Settings, live: Settings, end_ms: int, results: Results) -> None:
    """Both logs."""
    sizes = results.sizes
    names = partners(settings, sizes.partners)
    own = [name.decode().strip('"') for each in names for name in each.values()]
    await apply_policy(settings, policy_of(own), end_ms - 1_000 * sizes.seconds)
    topic = settings.topics.policies
    async with AIOKafkaConsumer(bootstrap_servers=settings.brokers) as consumer:
        ends = await consumer.end_offsets([TopicPartition(topic, number) for number in range(PARTITIONS)])
    rows: dict[bytes, bytes] = {}
    life = Life(settings, sizes.partners, end_ms, sizes.seconds)
    async with _writer(settings) as producer:
        some: list[list[Row]] = []
        for at, commit in enumerate(life.commits()):
            for key, value in commit:
                rows.pop(key, None)
                if value is not None:
                    rows[key] = value
            some.append(commit)
            paced = sizes.seconds - at < sizes.paced_seconds
            if paced:
                await asyncio.sleep((end_ms - now_ms()) / 1_000 - (sizes.seconds - at))
            if len(some) == _COMMITS_A_TRANSACTION or paced or at == sizes.seconds:
                await _send(producer, settings, some, names, ends, results)
                some = []
        written = results.written_records, results.written_bytes
        listed = list(rows.items())
        batches: list[list[Row]] = [list(listed[at : at + _ROWS_A_BATCH]) for at in range(0, len(listed), _ROWS_A_BATCH)]
        await _send(producer, live, batches, names, ends, results)
    results.live_rows, results.live_bytes = results.written_records - written[0], results.written_bytes - written[1]
    results.written_records, results.written_bytes = written


@asynccontextmanager
async def _writer(settings: Settings) -> AsyncIterator[AIOKafkaProducer]:
    producer = AIOKafkaProducer(
        bootstrap_servers=settings.brokers, transactional_id="bench-recovery", max_batch_size=4 << 20, max_request_size=64 << 20
    )
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


async def _send(
    producer: AIOKafkaProducer,
    settings: Settings,
    commits: Iterable[list[Row]],
    names: list[dict[bytes, bytes]],
    ends: dict[TopicPartition, int],
    results: Results,
) -> None:
    """One transaction, each commit in a batch of its own in every partition."""
    topic = settings.topics.changelog(settings.app_id)
    async with producer.transaction():
        waiting: list[Any] = []
        for commit in commits:
            for number, own in enumerate(names):
                # What the engine's sources held is gone with it: a worker is to go on from where the topics end.
                applied = {settings.topics.policies: ends[TopicPartition(settings.topics.policies, number)]}
                rows = [renamed(row, own, applied) for row in commit]
                results.written_records += len(rows)
                results.written_bytes += sum(len(key) + len(value or b"") for key, value in rows)
                waiting += await send_in_batches(producer, topic, number, [(key, value, []) for key, value in rows])
        await asyncio.gather(*(batch.delivered for batch in waiting))


def _size(folder: Path, settings: Settings) -> int:
    """Of a changelog on the broker's disk, in bytes."""
    topic = settings.topics.changelog(settings.app_id)
    return sum(path.stat().st_size for path in folder.glob(f"log/{topic}-*/*.log"))


def _worker(settings: Settings, log_path: Path) -> LeashedProcess:
    """`outwatch run` as it is shipped."""
    chosen = settings.model_dump(mode="json", exclude_unset=True)
    variables = {f"{PREFIX}{name.upper()}": str(value) for name, value in chosen.items()}
    log_path.unlink(missing_ok=True)
    return LeashedProcess([sys.executable, "-m", "streams.cli", "run"], log_path, os.environ | variables)


def _logged(log_path: Path, message: str, after_ms: int = 0) -> dict[str, Any] | None:
    """The first line of a worker's log that says so, with `at_ms`."""
    for line in log_path.read_bytes().splitlines():
        if line.startswith(b"{") and line.endswith(b"}"):
            said: dict[str, Any] = orjson.loads(line)
            said["at_ms"] = round(datetime.fromisoformat(said["at"]).timestamp() * 1_000)
            if said["message"] == message and said["at_ms"] >= after_ms:
                return said
    return None


class _Heartbeats:
    """When each partition first committed, by our clock."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._consumer = AIOKafkaConsumer(bootstrap_servers=settings.brokers, isolation_level="read_committed", fetch_max_wait_ms=20)

    async def __aenter__(self) -> Self:
        await self._consumer.start()
        partitions = [TopicPartition(self._settings.topics.heartbeats, number) for number in range(PARTITIONS)]
        self._consumer.assign(partitions)
        await self._consumer.seek_to_end(*partitions)
        for each in partitions:
            await self._consumer.position(each)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._consumer.stop()

    async def of(self, worker: str, numbers: set[int]) -> int:
        """When the last of these partitions had a commit of that worker, as epoch milliseconds."""
        missing = set(numbers)
        async with asyncio.timeout(_SERVES_SECONDS_MAX):
            while missing:
                for partition, records in (await self._consumer.getmany(timeout_ms=20)).items():
                    if any(orjson.loads(each.value)["worker"] == worker for each in records):
                        missing.discard(partition.partition)
        return now_ms()


def _spent(pid: int) -> tuple[float, float]:
    """CPU seconds of a process, and its memory at most, in MB."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    ticks = sum(map(int, Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK"), next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1_024


async def _start(settings: Settings, folder: Path) -> dict[str, float]:
    """A worker that starts alone and takes everything: seconds by part, and memory."""
    log_path = folder / "worker.log"
    async with _Heartbeats(settings) as heartbeats:
        begun_ms = now_ms()
        with _worker(settings.model_copy(update={"worker": "starting"}), log_path) as worker:
            serves_ms = await heartbeats.of("starting", set(range(PARTITIONS)))
            cpu_seconds, memory_mb = _spent(worker.pid)
            worker.signal(SIGTERM)
            worker.wait()
    starts, assigned = _logged(log_path, "starts"), _logged(log_path, "assigned")
    assert starts is not None
    assert assigned is not None
    begins_ms = assigned["at_ms"] - 1_000 * assigned["seconds"]
    return {
        "python_seconds": (starts["at_ms"] - begun_ms) / 1_000,
        "session_seconds": 0.0,
        "rebalance_seconds": (begins_ms - starts["at_ms"]) / 1_000,
        **{name: assigned[name] for name in ("fence_seconds", "read_seconds", "rebuild_seconds", "records")},
        "commit_seconds": (serves_ms - assigned["at_ms"]) / 1_000,
        "seconds": (serves_ms - begun_ms) / 1_000,
        "cpu_seconds": cpu_seconds,
        "memory_mb": memory_mb,
    }


async def _takeover(settings: Settings, folder: Path, signal: Signals) -> dict[str, float]:
    """Two workers share the partitions and one goes: seconds from the signal until the other commits for all of them, by part."""
    going, staying = folder / "going.log", folder / "staying.log"
    async with _Heartbeats(settings) as heartbeats:
        with _worker(settings.model_copy(update={"worker": "going"}), going) as worker:
            await heartbeats.of("going", set(range(PARTITIONS)))
            with _worker(settings.model_copy(update={"worker": "staying"}), staying):
                shared = await _assigned(staying, now_ms() - 60_000)
                await heartbeats.of("staying", set(shared["holds"]))
                # The other has shared its part out, and reads none of it anew.
                await asyncio.sleep(_SETTLED_SECONDS)
                signalled_ms = now_ms()
                worker.signal(signal)
                taken = await _assigned(staying, signalled_ms)
                serves_ms = await heartbeats.of("staying", set(taken["took_over"]))
                begins = _logged(staying, "leaves", signalled_ms)
    assert begins is not None
    reads_ms = taken["at_ms"] - 1_000 * taken["seconds"]
    return {
        "session_seconds": (begins["at_ms"] - signalled_ms) / 1_000,
        "rebalance_seconds": (reads_ms - begins["at_ms"]) / 1_000,
        **{name: taken[name] for name in ("fence_seconds", "read_seconds", "rebuild_seconds", "records")},
        "commit_seconds": (serves_ms - taken["at_ms"]) / 1_000,
        "seconds": (serves_ms - signalled_ms) / 1_000,
    }


async def _assigned(log_path: Path, after_ms: int) -> dict[str, Any]:
    """The first assignment after that in which the worker took something over."""
    async with asyncio.timeout(_SERVES_SECONDS_MAX):
        while (said := _logged(log_path, "assigned", after_ms)) is None or not said["took_over"]:  # noqa: ASYNC110 - a file tells nobody
            await asyncio.sleep(_POLL_SECONDS)
    return said
