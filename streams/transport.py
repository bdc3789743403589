"""The transport: Faust over Kafka, with a fetched run of one source partition handed to the agent as one message.

Registered as the scheme `kafkaruns://`. Faust spends 70 to 190 µs on a message before an agent sees it; a run of hundreds of records
costs that once. Offsets are committed with the state (`streams.holding`), so Faust's own acknowledgements and gaps are left out.

Private names of faust-streaming 0.15 that are used here are held by `tests/unit/test_faust_contract.py`.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar, Final, NamedTuple, cast

import aiokafka
from aiokafka.errors import NoOffsetForPartitionError, OffsetOutOfRangeError
from faust.transport.consumer import RecordMap
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage
from faust.types.transports import ConsumerT, SchedulingStrategyT

from streams.engine import Engine
from streams.fetched import records_of, whole_batches
from streams.holding import loss
from streams.owner import Owner

__all__ = ["RUN_MAX", "Consumer", "RunScheduler", "Transport"]

RUN_MAX: Final = 1_000
"""Records of a run: a fold of at most some ten milliseconds."""
_FETCH_WAIT_MS: Final = 250
"""How long the broker holds a fetch open; also how old the frontier of an idle source gets. Faust's is 1,500 ms."""
_NOTHING_ACTIVE_SECONDS: Final = 0.01


class _End(NamedTuple):
    """The broker had nothing more of a partition."""

    at_ms: int
    """When it said so."""
    upto: int
    """The offset after what had been handed on by then."""
    position: int
    """Where reading stood: beyond `upto` lie markers of transactions and what was aborted."""


class RunScheduler(SchedulingStrategyT):
    """Partitions in turn: a run of an opted-in topic, a record of any other."""

    def __init__(self, consumer: "Consumer") -> None:
        self._consumer = consumer

    @classmethod
    def map_from_records(cls, records: Any) -> Any:
        """Part of Faust's interface; `iterate` does all."""
        return records

    def iterate(self, records: Mapping[TP, Any]) -> Iterator[tuple[TP, Any]]:
        """Yield (partition, list of records) for runs and (partition, record) for the rest."""
        turns = {tp: self._turns(tp, fetched) for tp, fetched in records.items()}
        while turns:
            for tp in list(turns):
                try:
                    yield tp, next(turns[tp])
                except StopIteration:
                    del turns[tp]

    def _turns(self, tp: TP, fetched: list[Any]) -> Iterator[Any]:
        if not self._consumer.in_runs(tp):
            return iter(fetched)
        return iter([fetched[at : at + RUN_MAX] for at in range(0, len(fetched), RUN_MAX)])


class RebalanceListener(driver.ConsumerRebalanceListener):
    """Faust's, with heartbeats while state is read.

    aiokafka sends none between joining the group and the end of this callback, so that who reads for longer than a session would be
    taken for dead, its successor would fence it and be taken for dead in turn.
    """

    async def on_partitions_assigned(self, assigned: Iterable[Any]) -> None:
        """Faust's, in which the store reads the state."""
        self._thread._ensure_consumer()._coordinator._start_heartbeat_task()
        await super().on_partitions_assigned(assigned)


class ConsumerThread(driver.AIOKafkaConsumerThread):
    """Faust's, reading committed records only, answering sooner when there are none, and with whole batches."""

    async def on_start(self) -> None:
        """Faust's; nothing is fetched before there is an assignment."""
        await super().on_start()
        whole_batches(self._ensure_consumer(), cast("Consumer", self.consumer).in_runs)

    def _create_worker_consumer(self, transport: driver.Transport) -> aiokafka.AIOKafkaConsumer:
        consumer = super()._create_worker_consumer(transport)
        consumer._isolation_level = "read_committed"
        consumer._fetch_max_wait_ms = _FETCH_WAIT_MS
        return consumer


class Consumer(driver.Consumer):
    """See the module."""

    RebalanceListener: ClassVar[type[driver.ConsumerRebalanceListener]] = RebalanceListener

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.scheduler = RunScheduler(self)
        app = cast("Any", self.app)  # streams.app.OutwatchApp, which cannot be imported here
        self._owner: Owner = app.owner
        self._runs: frozenset[str] = frozenset(app.run_topics)
        self._policies: str = app.policies_topic
        self._next: dict[TP, int] = {}
        """By partition: the offset after the last run that was handed on."""
        self._ends: dict[TP, _End] = {}

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    def in_runs(self, tp: TP) -> bool:
        """Whether the topic is read in runs."""
        return tp.topic in self._runs

    def idle_since(self) -> dict[tuple[str, int], tuple[int, int]]:
        """By (topic, partition), where all is applied: the time of the broker's last answer that it had nothing more, and the position."""
        return {(tp.topic, tp.partition): (end.at_ms, end.position) for tp, end in self._ends.items() if self._applied(tp, end.upto)}

    def _applied(self, tp: TP, upto: int) -> bool:
        holding = self._owner.holdings.get(tp.partition)
        return holding is not None and holding.engine.applied.get(tp.topic, 0) >= upto

    def _policies_read(self, number: int) -> bool:
        end = self._ends.get(TP(self._policies, number))
        return end is not None and self._applied(TP(self._policies, number), end.upto)

    def _wanted(self, tp: TP) -> bool:
        """Whether a run of this partition may be fetched now."""
        holding = self._owner.holdings.get(tp.partition)
        if holding is None or holding.refused is not None:
            return False
        return tp.topic == self._policies or (self._policies_read(tp.partition) and self._heard(tp.partition, holding.engine))

    def _heard(self, number: int, engine: Engine) -> bool:
        """Whether of each source it is known that it has something, or has nothing: else a new state would count what it cannot judge."""
        unheard = {TP(topic, number) for topic in engine.unheard}
        return not unheard or unheard == {tp for tp, state, end in self._answered(unheard) if state.position < end}

    def _to_message(self, tp: TP, record: Any) -> ConsumerMessage:
        if type(record) is not list:
            return super()._to_message(tp, record)
        last = record[-1]
        follows = self._next.get(tp)
        if follows is None:
            follows = self._read_offset.get(tp) or 0
        self._next[tp] = last.offset + 1
        return ConsumerMessage(
            tp.topic,
            tp.partition,
            last.offset,
            last.timestamp / 1000,
            last.timestamp_type,
            None,
            None,
            cast("bytes", (follows, record)),  # decoded by nobody: streams.app hands it on as it is
            None,
            0,
            0,
            tp,
            generation_id=self.app.consumer_generation_id,
        )

    async def _getmany(self, active_partitions: set[TP] | None, timeout: float) -> RecordMap:  # noqa: ASYNC109 - Faust's signature
        # Faust resumes source partitions before it seeks them, and clears the stream queues after: what is fetched in between is lost.
        if active_partitions is not None:
            held = self.app.rebalancing
            assigned = set() if held else active_partitions
            active_partitions = {tp for tp in active_partitions if not self.in_runs(tp) or (not held and self._wanted(tp))}
            # What is fetched waits in the client until it is wanted, so that a position short of the end tells the same.
            self._note_ends(assigned - active_partitions, {})
            if not active_partitions:
                await self.sleep(_NOTHING_ACTIVE_SECONDS)
                return {}
        try:
            answered = await super()._getmany(active_partitions, timeout)
        except NoOffsetForPartitionError:
            return {}  # Assigned, and not sought yet: the group has no offset for what was never read, and `perform_seek` follows.
        except OffsetOutOfRangeError as error:
            for tp, position in error.args[0].items():
                await self._out_of_range(TP(tp.topic, tp.partition), position)
            return {}
        held = self.app.rebalancing
        fetched: dict[TP, list[Any]] = {}
        for tp, batches in answered.items():
            if not self.in_runs(tp):
                fetched[tp] = batches
            elif not held:
                fetched[tp] = records_of(batches)
        if not held:
            self._note_ends(active_partitions or set(), fetched)
        return cast("RecordMap", fetched)

    async def _out_of_range(self, tp: TP, position: int) -> None:
        """Refuse the partition of a source that lost what comes next, or was made anew, while it was read."""
        holding = self._owner.holdings.get(tp.partition)
        if holding is None or holding.refused is not None or not self.in_runs(tp):
            return
        start = (await self._thread.earliest_offsets(tp))[tp]
        if holding.engine.applied.get(tp.topic) is None:
            await self._seek(tp, start)  # Nothing was read yet: it begins where the log does.
            return
        lost = loss(tp.topic, tp.partition, position, start, (await self._thread.highwaters(tp))[tp])
        if lost is not None:
            self._owner.refuse(holding, lost)

    def _note_ends(self, active: set[TP], fetched: Mapping[TP, list[Any]]) -> None:
        """Note for which partitions this answer reached the end. No fetch is under way here, so positions stand still."""
        for tp, state, end in self._answered(active):
            if state.position >= end:
                records = fetched.get(tp)
                upto = records[-1].offset + 1 if records else self._next.get(tp, 0)
                self._ends[tp] = _End(state.timestamp, upto, state.position)

    def _answered(self, partitions: Iterable[TP]) -> Iterator[tuple[TP, Any, int]]:
        """Of these, the assigned ones that are read in runs and of which the broker told: with aiokafka's state, and the committed end."""
        subscription = self._thread._ensure_consumer()._subscription.subscription
        assignment = None if subscription is None else subscription.assignment
        if assignment is None:
            return
        for tp in partitions:
            if not self.in_runs(tp) or tp not in assignment.tps:
                continue
            state = assignment.state_value(tp)
            if state is None or not state.has_valid_position or state.timestamp is None:
                continue
            yield tp, state, state.highwater if state.lso is None else state.lso

    def lag_records(self) -> dict[tuple[str, int], int]:
        """By (topic, partition): how many offsets are not applied yet, markers of transactions included, as far as the broker told."""
        lag = {}
        for tp, state, end in self._answered(self.assignment()):
            holding = self._owner.holdings.get(tp.partition)
            if holding is not None:
                # Beyond the last record may lie markers, which are passed by reading and never applied.
                read_up = state.position >= end and self._applied(tp, self._next.get(tp, 0))
                lag[tp.topic, tp.partition] = 0 if read_up else max(0, end - holding.engine.applied.get(tp.topic, 0))
        return lag

    def partition_counts(self) -> dict[str, int]:
        """By topic that is read in runs: how many partitions it has, as far as the brokers told."""
        consumer = self._thread._consumer
        return {} if consumer is None else {topic: len(consumer.partitions_for_topic(topic) or ()) for topic in self._runs}

    async def _wait_next_records(self, timeout: float) -> tuple[RecordMap | None, set[TP] | None]:  # noqa: ASYNC109 - Faust's signature
        # As Faust's, which sleeps a whole second when every partition is paused.
        if not self.flow_active:
            await self.wait(self.can_resume_flow)  # type: ignore[arg-type] # Faust's own call
        try:
            self.not_waiting_next_records.set()
            active = None if self.app.client_only else self._get_active_partitions()
            if active is not None and not active:
                await self.sleep(_NOTHING_ACTIVE_SECONDS)
                return {}, active
            return await self._getmany(active_partitions=active, timeout=timeout), active
        finally:
            self.not_waiting_next_records.set()

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        if not self.in_runs(tp):
            await super()._add_gap(tp, offset_from, offset_to)

    def _new_offset(self, tp: TP) -> int | None:
        if not self.in_runs(tp):
            return super()._new_offset(tp)
        # Offsets are committed with the state; what Faust remembers of acknowledgements would only grow.
        self._acked[tp].clear()
        self._acked_index[tp].clear()
        return None

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Faust's check counts its own commits, of which there are none."""

    async def perform_seek(self) -> None:
        """Seek every source to the position that the state says; the group's committed offset is only a mirror.

        Faust would first ask for that of each of some hundred partitions, one after the other.
        """
        self._next.clear()
        self._ends.clear()
        assigned = self.assignment()
        wanted = {TP(*source): offset for source, offset in self._owner.positions().items() if TP(*source) in assigned}
        # All at once: each question goes to the consumer's thread, and some to the broker.
        begins = await self._thread.earliest_offsets(*[tp for tp, offset in wanted.items() if offset is None])
        await self._thread.seek_wait({tp: begins[tp] if offset is None else offset for tp, offset in wanted.items()})

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Accept no further runs, commit what was applied, and only then let go."""
        await self._owner.leave()
        await super().on_partitions_revoked(revoked)

    async def on_stop(self) -> None:
        """As when partitions are revoked, for the last time; the producers end after everything that uses them."""
        await self._owner.leave()
        await super().on_stop()
        await self._owner.close()


class Transport(driver.Transport):
    """`kafkaruns://host:port`."""

    Consumer: ClassVar[type[ConsumerT]] = Consumer
