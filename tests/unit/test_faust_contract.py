"""What we use of Faust's and aiokafka's private parts is there and behaves as needed: an upgrade fails here and not at night."""

import gc
import inspect
import re
import weakref
from collections.abc import Callable
from typing import Any
from unittest.mock import MagicMock

import aiokafka
import faust
import pytest
from aiokafka.consumer import fetcher
from aiokafka.consumer.group_coordinator import CoordinatorGroupRebalance, GroupCoordinator
from aiokafka.consumer.subscription_state import Assignment, Subscription, SubscriptionState, TopicPartitionState
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from faust import stores, transport
from faust.app import base as app_base
from faust.stores import base as store_base
from faust.tables.base import Collection
from faust.tables.manager import TableManager
from faust.tables.recovery import Recovery
from faust.transport import consumer as faust_consumer
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage
from faust.types.settings import Settings as FaustSettings
from faust.types.transports import SchedulingStrategyT
from mode import worker as mode_worker
from mode.utils.collections import ManagedUserDict
from mode.utils.queues import FlowControlEvent

from models.settings import Settings
from streams.app import build_app
from streams.fetched import Fetched, records_of
from streams.store import Store, Tables
from streams.transport import Consumer, ConsumerThread, RebalanceListener, RunScheduler, Transport
from streams.worker import Worker

OVERRIDDEN: list[tuple[type, type, str]] = [
    (RebalanceListener, driver.ConsumerRebalanceListener, "on_partitions_assigned"),
    (Consumer, driver.Consumer, "_new_consumer_thread"),
    (Consumer, driver.Consumer, "_to_message"),
    (Consumer, driver.Consumer, "_getmany"),
    (Consumer, driver.Consumer, "_wait_next_records"),
    (Consumer, driver.Consumer, "_add_gap"),
    (Consumer, driver.Consumer, "_new_offset"),
    (Consumer, driver.Consumer, "verify_event_path"),
    (Consumer, driver.Consumer, "perform_seek"),
    (Consumer, driver.Consumer, "on_partitions_revoked"),
    (Consumer, driver.Consumer, "on_stop"),
    (ConsumerThread, driver.AIOKafkaConsumerThread, "_create_worker_consumer"),
    (ConsumerThread, driver.AIOKafkaConsumerThread, "on_start"),
    (RunScheduler, SchedulingStrategyT, "iterate"),
    (Store, store_base.Store, "persisted_offset"),
    (Store, store_base.Store, "on_rebalance"),
    (Tables, TableManager, "on_start"),
    (Worker, faust.Worker, "_setup_logging"),
]


def source(of: Any) -> str:
    return inspect.getsource(of)


def batch_of(offsets: tuple[int, ...], producer: int = -1) -> bytes:
    """A batch as the broker keeps it, whose first offset stands in its first eight bytes, before what its checksum covers."""
    epoch = 0 if producer >= 0 else -1
    batch = DefaultRecordBatchBuilder(2, 0, int(producer >= 0), producer, epoch, epoch, 1 << 16)
    for offset in offsets:
        headers = [("trace", b"t-1")]
        batch.append(offset - offsets[0], timestamp=1_700_000_000_000 + offset, key=b"acme", value=b"{}", headers=headers)
    return offsets[0].to_bytes(8, "big") + bytes(batch.build())[8:]


def in_order(text: str, *parts: str) -> bool:
    """Whether the parts stand in the text one after the other."""
    return re.search(".*?".join(map(re.escape, parts)), text, re.DOTALL) is not None


def parameters(of: Callable[..., Any]) -> list[str]:
    return list(inspect.signature(of).parameters)


@pytest.mark.parametrize(("ours", "theirs", "name"), OVERRIDDEN, ids=lambda each: each if isinstance(each, str) else each.__qualname__)
def test_what_we_override_exists_and_is_called_alike(ours: type, theirs: type, name: str) -> None:
    assert parameters(getattr(ours, name)) == parameters(getattr(theirs, name))
    assert inspect.iscoroutinefunction(getattr(ours, name)) == inspect.iscoroutinefunction(getattr(theirs, name))


def test_both_plug_ins_are_found_by_their_schemes() -> None:
    assert transport.by_url("kafkaruns://localhost:9092") is Transport
    assert stores.by_url("panes://log") is Store


def test_a_store_without_a_host_would_be_memory() -> None:
    """Yarl holds `panes://` for false; the table names a host for that reason."""
    assert "self._store or self.app.conf.store" in source(Collection._new_store)


def test_the_apps_settings_are_fausts() -> None:
    app = build_app(Settings(app_id="contract"))
    unknown = [name for name in app._default_options[1] if not hasattr(FaustSettings, name)]
    assert unknown == []
    assert app.conf.table_standby_replicas == 0, "a standby would be fenced as if we owned it"
    assert app.conf.stream_wait_empty
    assert app.conf.broker_session_timeout <= app.conf.broker_request_timeout, "or Faust refuses to start"


def test_a_message_takes_what_a_run_gives() -> None:
    expected = ["topic", "partition", "offset", "timestamp", "timestamp_type", "headers", "key", "value", "checksum"]
    expected += ["serialized_key_size", "serialized_value_size", "tp", "time_in", "time_out", "time_total", "generation_id"]
    assert parameters(ConsumerMessage.__init__)[1:] == expected


def test_runs_come_in_turn_and_are_bounded_and_other_topics_stay_single() -> None:
    scheduler = RunScheduler(MagicMock(in_runs=lambda tp: tp.topic != "other"))
    fetched = {TP("a", 0): list(range(2500)), TP("b", 0): list(range(10)), TP("other", 0): ["x", "y"]}
    turns = [(tp.topic, len(each) if isinstance(each, list) else each) for tp, each in scheduler.iterate(fetched)]
    assert turns == [("a", 1000), ("b", 10), ("other", "x"), ("a", 1000), ("other", "y"), ("a", 500)]


class TestWhatFaustDoes:
    def test_it_iterates_by_the_consumers_scheduler_and_makes_a_message_of_each(self) -> None:
        text = source(faust_consumer.Consumer.getmany)
        assert in_order(text, "self._wait_next_records(timeout)", "self.scheduler.iterate(records)", "to_message(tp, record)")

    def test_it_follows_what_it_read_by_the_messages_offset(self) -> None:
        text = source(faust_consumer.Consumer._drain_messages)
        assert in_order(
            text, "offset >= r_offset", "self._add_gap(tp, r_offset + 1, offset)", "callback(message)", "set_read_offset(tp, offset)"
        )

    def test_it_commits_what_new_offset_says(self) -> None:
        assert in_order(source(faust_consumer.Consumer._filter_committable_offsets), "offset = self._new_offset(tp)", "offset is not None")
        made = source(faust_consumer.Consumer.__init__)
        for name in ("_acked = defaultdict(list)", "_acked_index = defaultdict(set)", "_read_offset = defaultdict", "self.scheduler ="):
            assert name in made

    def test_it_resumes_before_it_seeks_and_clears_its_queues_after(self) -> None:
        """What is fetched in between would be lost: nothing of ours is handed on while `app.rebalancing`."""
        text = source(Recovery.on_recovery_completed)
        steps = ("resume_partitions(", "perform_seek()", "flow_control.resume()", "resume_flow()", "on_rebalance_end()")
        assert in_order(text, *steps)
        assert in_order(source(FlowControlEvent.resume), "self._resume.set()", "self.clear()")

    def test_rebalancing_is_set_before_anything_is_awaited_and_until_all_is_ready(self) -> None:
        assert in_order(
            source(driver.ConsumerRebalanceListener.on_partitions_revoked), "on_rebalance_start()", "thread.on_partitions_revoked"
        )
        assert "self.rebalancing = True" in source(app_base.App.on_rebalance_start)
        assert "self.rebalancing = False" in source(app_base.App.on_rebalance_end)

    def test_it_waits_for_tables_and_does_nothing_else_at_a_start(self) -> None:
        steps = ("await self.sleep(1.0)", "if not self.should_stop:", "await self._update_channels()", "await self.recovery.start()")
        assert in_order(source(TableManager.on_start), *steps)
        assert source(TableManager.on_start).count("await") == 3
        assert type(build_app(Settings()).tables) is Tables

    def test_it_seeks_nothing_but_what_the_group_committed(self) -> None:
        """So we need not have it ask: we seek all sources ourselves, and the table's changelog is read by our store."""
        text = source(faust_consumer.Consumer.perform_seek)
        assert in_order(text, "await self.seek_to_committed()", "read_offset.update(", "self._committed_offset.update(")
        assert text.count("await") == 1

    def test_it_asks_the_stores_before_it_recovers(self) -> None:
        text = source(TableManager.on_rebalance)
        assert in_order(text, "table.on_rebalance", "self.recovery.on_rebalance")
        assert "await self.data.on_rebalance(" in source(Collection.on_rebalance)

    def test_it_has_nothing_to_recover_where_the_last_offset_is_the_one_before_the_end(self) -> None:
        assert "table.persisted_offset(tp)" in source(Recovery._add)
        assert "value - 1" in source(Recovery._build_highwaters)
        assert "v > 0" in source(Recovery.need_recovery)

    def test_it_revokes_partitions_by_way_of_the_consumer_and_then_the_app(self) -> None:
        text = source(faust_consumer.Consumer.on_partitions_revoked)
        assert "self._on_partitions_revoked" in text
        assert "_consumer_wait_empty" in source(app_base.App._on_partitions_revoked)

    def test_it_makes_directories_only_where_we_say_that_it_shall_not(self) -> None:
        assert "self._create_directories()" in source(app_base.App.on_first_start)

    def test_it_asks_whether_a_message_is_of_the_present_generation(self) -> None:
        assert "message.generation_id != self.app.consumer_generation_id" in source(faust.Stream._py_aiter)

    def test_its_worker_sets_up_logging_and_a_spinner_that_may_be_none(self) -> None:
        assert "self._setup_logging()" in source(mode_worker.Worker)
        assert "if self.spinner" in source(faust.Worker._on_startup_end_spinner)

    def test_its_stream_has_the_operations_that_a_stream_of_runs_refuses(self) -> None:
        names = ("take", "group_by", "through", "filter", "items", "join", "left_join", "inner_join", "outer_join", "contribute_to_stream")
        assert [name for name in names if not callable(getattr(faust.Stream, name, None))] == []

    def test_a_table_tells_before_it_asks_its_store(self) -> None:
        assert in_order(source(ManagedUserDict.__setitem__), "self.on_key_set(key, value)", "self.data[key] = value")
        assert in_order(source(ManagedUserDict.__delitem__), "self.on_key_del(key)", "self.data[key]")
        assert in_order(source(ManagedUserDict.clear), "self.on_clear()", "self.data.clear()")

    def test_a_schema_decodes_by_loads_value(self) -> None:
        assert parameters(faust.Schema.loads_value) == ["self", "app", "message", "loads", "serializer"]

    def test_its_thread_offers_what_we_ask_of_it(self) -> None:
        thread = driver.AIOKafkaConsumerThread
        assert parameters(thread.earliest_offsets) == ["self", "partitions"]
        assert parameters(driver.Consumer._seek) == ["self", "partition", "offset"]
        assert parameters(thread.seek_wait) == ["self", "partitions"]
        assert in_order(source(thread._seek_wait), "consumer.seek(tp, offset)", "self.consumer._read_offset[tp] = offset")
        assert "raise ConsumerNotStarted" in source(thread._ensure_consumer)
        assert "if not self.consumer.flow_active" in source(thread._fetch_records)


class TestWhatAiokafkaDoes:
    def test_isolation_and_wait_are_read_when_the_consumer_starts(self) -> None:
        """They are set on a consumer that was made and not yet started."""
        started = source(aiokafka.AIOKafkaConsumer.start)
        assert "isolation_level=self._isolation_level" in started
        assert "fetch_max_wait_ms=self._fetch_max_wait_ms" in started
        assert in_order(source(driver.AIOKafkaConsumerThread.on_start), "self._create_consumer(", "self._consumer.start()")

    async def test_a_partitions_state_says_where_its_end_is_and_when_that_was_asked(self) -> None:
        assert isinstance(SubscriptionState.subscription, property)
        assert "self._assignment" in source(Subscription)
        assert parameters(Assignment.state_value) == ["self", "tp"]
        state = TopicPartitionState(MagicMock())
        assert (state.highwater, state.lso, state.timestamp, state.has_valid_position) == (None, None, None, False)
        assert isinstance(TopicPartitionState.position, property)

    async def test_what_is_known_of_the_topics_is_as_young_as_we_say(self) -> None:
        assert "metadata_max_age_ms=conf.consumer_metadata_max_age_ms" in source(driver.AIOKafkaConsumerThread._create_worker_consumer)
        assert parameters(aiokafka.AIOKafkaConsumer.partitions_for_topic) == ["self", "topic"]

    def test_the_end_is_noted_with_every_answer_before_its_records_are_handed_out(self) -> None:
        text = source(fetcher.Fetcher._proc_fetch_request)
        assert in_order(
            text, "tp_state.highwater = highwater", "tp_state.lso = lso", "tp_state.timestamp = now_ms", "if records.has_next()"
        )

    async def test_whole_batches_are_handed_out_from_where_the_fetch_began(self) -> None:
        made = b"".join(batch_of(offsets) for offsets in ((0, 1), (2,), (5, 6)))
        tp = TP("cx.interactions", 3)
        read = fetcher.PartitionRecords(tp, MemoryRecords(made), [], 1, None, None, True, fetcher.READ_COMMITTED)
        fetched = Fetched(lambda each: each == tp)
        state = MagicMock(paused=False, position=1)
        assignment = MagicMock(active=True, state_value=lambda _: state)
        fetched[tp] = result = fetcher.FetchResult(tp, assignment=assignment, partition_records=read, backoff=0)
        # What counts as so many records for aiokafka is so many batches.
        batches = result.getall(2)
        assert [[record.offset for record in batch] for batch in batches] == [[1], [2]]
        state.consumed_to.assert_called_with(3)
        state.position = 3
        (record, last) = records_of(result.getall(100))
        assert (record.offset, record.timestamp, record.timestamp_type) == (5, 1_700_000_000_005, 0)
        assert (record.key, record.value, list(record.headers)) == (b"acme", b"{}", [("trace", b"t-1")])
        assert last.offset == 6
        state.consumed_to.assert_called_with(7)
        assert not result.has_more()

    async def test_aborted_batches_are_skipped_and_a_broken_one_is_told(self) -> None:
        tp, records = TP("cx.interactions", 3), []
        for broken in (False, True):
            made = bytearray(batch_of((0, 1), producer=7) + batch_of((2, 3), producer=8))
            made[-1] ^= broken
            read = fetcher.PartitionRecords(tp, MemoryRecords(bytes(made)), [(7, 0)], 0, None, None, True, fetcher.READ_COMMITTED)
            Fetched(lambda _: True)[tp] = fetcher.FetchResult(tp, assignment=MagicMock(), partition_records=read, backoff=0)
            if broken:
                with pytest.raises(aiokafka.errors.CorruptRecordException):
                    records_of(read)
            else:
                records = records_of(read)
        assert [record.offset for record in records] == [2, 3]

    async def test_what_was_fetched_is_freed_with_its_last_record(self) -> None:
        """Megabytes at a time, while cycles are not looked for."""
        tp, answers = TP("cx.interactions", 3), Fetched(lambda _: True)
        read = fetcher.PartitionRecords(tp, MemoryRecords(batch_of((0, 1))), [], 0, None, None, True, fetcher.READ_COMMITTED)
        answers[tp] = fetcher.FetchResult(tp, assignment=MagicMock(), partition_records=read, backoff=0)
        held = weakref.ref(read)
        gc.disable()
        try:
            assert len(records_of(read)) == 2
            answers.clear()
            del read
            assert held() is None
        finally:
            gc.enable()

    async def test_a_topic_that_is_not_read_in_runs_keeps_aiokafkas_records(self) -> None:
        tp = TP("other", 3)
        read = fetcher.PartitionRecords(tp, MemoryRecords(batch_of((0,))), [], 0, None, None, True, fetcher.READ_COMMITTED)
        Fetched(lambda _: False)[tp] = fetcher.FetchResult(tp, assignment=MagicMock(), partition_records=read, backoff=0)
        assert [type(record) for record in read] == [aiokafka.ConsumerRecord]

    def test_what_is_fetched_is_kept_where_we_stand_in(self) -> None:
        assert "self._records[tp] = FetchResult(" in source(fetcher.Fetcher._proc_fetch_request)
        assert source(fetcher.Fetcher.__init__).count("self._records = collections.OrderedDict()") == 1

    def test_no_heartbeat_is_sent_before_a_rebalances_callback_returns(self) -> None:
        """So our listener starts them, once there is a generation and a member to send them for."""
        coordinator = GroupCoordinator
        text = source(coordinator.ensure_active_group)
        assert in_order(text, "self._stop_heartbeat_task()", "self._do_rejoin_group(", "self._start_heartbeat_task()")
        assert "if self._heartbeat_task is None" in source(coordinator._start_heartbeat_task)
        assert in_order(source(coordinator._on_join_complete), "on_partitions_assigned(")
        assert "self._coordinator.generation = req_generation" in source(CoordinatorGroupRebalance)

    def test_a_transaction_is_aborted_when_its_body_raises(self) -> None:
        text = source(aiokafka.producer.producer.TransactionContext)
        assert in_order(text, "abort_transaction()", "commit_transaction()")


def test_a_position_that_is_gone_is_told_and_takes_no_record_of_others_with_it() -> None:
    assert in_order(source(fetcher.Fetcher), "!= OffsetResetStrategy.NONE", "OffsetOutOfRangeError({tp: fetch_offset})")
    assert in_order(source(fetcher.Fetcher.fetched_records), "elif drained:", "return drained", "res_or_error.check_raise()")
    assert build_app(Settings()).conf.consumer_auto_offset_reset == "none"


def test_what_nobody_answered_since_is_not_idle_since() -> None:
    """Else a broker or a fetcher that is silent would read as partners of whom nothing came."""
    tp, state = TP("cx.interactions", 0), MagicMock(position=5, highwater=5, lso=5, timestamp=1_000, has_valid_position=True)
    consumer, read = object.__new__(Consumer), MagicMock(applied={"cx.interactions": 5})
    consumer._runs, consumer._next, consumer._ends = frozenset({tp.topic}), {tp: 5}, {}
    consumer._owner = MagicMock(holdings={0: MagicMock(engine=read)})
    consumer._thread = MagicMock()
    assignment = consumer._thread._ensure_consumer()._subscription.subscription.assignment
    assignment.tps, assignment.state_value.return_value = {tp}, state
    for _ in range(2):  # Asked again, with no answer in between.
        consumer._note_ends({tp}, {})
        assert consumer.idle_since() == {("cx.interactions", 0): (1_000, 5)}
    state.timestamp, state.highwater, state.lso = 2_000, 6, 6
    consumer._note_ends({tp}, {})
    assert consumer.idle_since() == {("cx.interactions", 0): (1_000, 5)}, "now there is more"


async def test_a_partition_that_is_assigned_and_not_sought_yet_ends_no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """The group has no offset for a topic in which nothing ever stood; Faust seeks it a moment after it was assigned."""

    async def not_sought(*_: Any) -> None:
        raise aiokafka.errors.NoOffsetForPartitionError(TP("outwatch.commands", 2))

    monkeypatch.setattr(driver.Consumer, "_getmany", not_sought)
    assert await Consumer._getmany(object.__new__(Consumer), None, 0.1) == {}
    assert "NoOffsetForPartitionError" in source(fetcher.Fetcher._update_fetch_positions)
