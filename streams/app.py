"""The Faust app: one agent over all source topics, one table, one timer."""

import asyncio
from typing import Any, Final, NoReturn, cast

import faust
from faust.auth import SASLCredentials, SSLCredentials
from faust.types import AppT, EventT, StreamT

from models.settings import Settings
from streams.connection import kafka
from streams.engine import EngineConfig
from streams.engine.letters import SourceRecord
from streams.errors import RunOperationError
from streams.owner import Owner, end_process
from streams.store import Table, Tables
from streams.transport import Consumer

__all__ = ["TABLE", "OutwatchApp", "build_app"]

TABLE: Final = "state"
_TICK_SECONDS: Final = 0.25
_BUFFERED_RUNS: Final = 16
_BATCHES_A_POLL: Final = 1_000
"""What is decompressed and made records of at a time (`streams.fetched`); the rest of an answer waits as the broker sent it."""
_METADATA_MS: Final = 15_000
"""How old what is known of the topics may get: so soon a worker sees that one was given more partitions. aiokafka's is five minutes."""


class _AsIs(faust.Schema[Any, Any]):
    """Hands a run on undecoded: one bad record must not throw the run away."""

    def loads_value(self, app: AppT, message: Any, *, loads: Any = None, serializer: Any = None) -> Any:
        """The run, as the transport made it."""
        return message.value


class RunStream(faust.Stream[Any]):
    """A stream of runs; what makes sense only for single messages is refused."""

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        msg = "this is a stream of runs: each event is (position it follows, list of records)"
        raise RunOperationError(msg)

    take = group_by = through = filter = items = join = left_join = inner_join = outer_join = contribute_to_stream = _refuse


class OutwatchApp(faust.App):
    """Faust's app, with what the transport and the store need to find."""

    owner: Owner
    run_topics: tuple[str, ...]
    policies_topic: str

    @property
    def reader(self) -> Consumer | None:
        """The consumer, once there is one: asking Faust for it would make one."""
        return cast("Consumer | None", self._consumer)

    def _create_directories(self) -> None:
        """Nothing is kept on disk: Faust would leave an empty tree in the working directory, or fail where that is read-only."""


def build_app(settings: Settings) -> OutwatchApp:
    """The worker's app; nothing is connected before it is started."""
    topics = settings.topics
    app = OutwatchApp(
        settings.app_id,
        broker=[f"kafkaruns://{server.strip()}" for server in settings.brokers.split(",")],
        broker_credentials=_credentials(settings),
        autodiscover=False,
        broker_heartbeat_interval=settings.session_timeout_seconds / 4,
        broker_max_poll_records=_BATCHES_A_POLL,
        broker_request_timeout=max(30.0, settings.session_timeout_seconds + 1),
        broker_session_timeout=settings.session_timeout_seconds,
        # A position that is gone is an error to be told of: any other value would go on elsewhere without a word.
        consumer_auto_offset_reset="none",
        consumer_metadata_max_age_ms=_METADATA_MS,
        stream_buffer_maxsize=_BUFFERED_RUNS,
        stream_wait_empty=True,
        table_standby_replicas=0,
        topic_allow_declare=False,
        topic_disable_leader=True,
        topic_partitions=settings.partitions,
        web_enabled=False,
        Stream=RunStream,
        Table=Table,
        TableManager=Tables,
    )
    config = EngineConfig(
        app_id=settings.app_id,
        worker=settings.worker,
        topics=topics,
        partitions=settings.partitions,
        partitioner=settings.partitioner,
        clock_from_log=settings.clock == "log",
        mask_letters=settings.dead_letter_mask,
    )
    app.owner = Owner(settings, config, topics.changelog(settings.app_id), lambda: app.rebalancing)
    app.run_topics = topics.subscribed
    app.policies_topic = topics.policies
    app.Table(TABLE, partitions=settings.partitions, store="panes://log")
    _add_agent(app)
    app.task(_keep_time(app))
    return app


def _credentials(settings: Settings) -> SASLCredentials | SSLCredentials | None:
    """As Faust wants them; which protocol they are for it sees by itself."""
    arguments = kafka(settings)
    context = arguments.get("ssl_context")
    if "sasl_mechanism" in arguments:
        return SASLCredentials(
            username=arguments["sasl_plain_username"],
            password=arguments["sasl_plain_password"],
            mechanism=arguments["sasl_mechanism"],
            ssl_context=context,
        )
    return None if context is None else SSLCredentials(context)


def _add_agent(app: OutwatchApp) -> None:
    @app.agent(app.topic(*app.run_topics, schema=_AsIs()), name="outwatch.engine", concurrency=1)
    async def engine(stream: StreamT[Any]) -> None:
        """Apply every run; nothing escapes from here."""
        async for event in cast("StreamT[EventT[Any]]", stream.events()):
            follows, records = cast("tuple[int, list[SourceRecord]]", event.value)
            await app.owner.apply(event.message.topic, event.message.partition, follows, records)


def _keep_time(app: OutwatchApp) -> Any:
    async def keep_time() -> None:
        """Move frontiers, close grid points and commit, every quarter of a second; ends the worker rather than stopping."""
        while not app.should_stop:
            await asyncio.sleep(_TICK_SECONDS)
            if app.owner.accepting and not app.rebalancing:
                try:
                    await app.owner.tick(cast("Consumer", app.consumer).idle_since())
                except Exception as error:  # noqa: BLE001 - a timer that died would leave figures standing
                    end_process("the timer failed", error)

    return keep_time
