"""Arguments of clients from the settings, and what is said of a refusal; no broker needed."""

import asyncio
import ssl
from pathlib import Path
from typing import Any, cast

import pytest
from aiokafka import AIOKafkaConsumer
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat, load_pem_private_key
from redis import Redis
from redis.exceptions import AuthenticationError, RedisError
from redis.exceptions import ConnectionError as RedisConnectionError

from models.settings import Settings
from streams.app import build_app
from streams.cli.exits import Exit, explain
from streams.connection import is_refused, kafka, kafka_refusal, redis, redis_refusal, stop_consumer
from streams.errors import CertificateError
from streams.local.service import free_port
from tests.certificates import Certificates

USER: dict[str, Any] = {"kafka_username": "worker", "kafka_password": "tops3cret"}


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates.make(tmp_path_factory.mktemp("certificates"))


def test_an_open_listener_needs_nothing_but_its_address() -> None:
    assert kafka(Settings()) == {"bootstrap_servers": "127.0.0.1:9092", "security_protocol": "PLAINTEXT"}


def test_sasl_proves_who_we_are_and_tls_checks_the_name(certificates: Certificates) -> None:
    settings = Settings(kafka_security_protocol="SASL_SSL", kafka_ssl_cafile=certificates.authority, **USER)
    arguments = kafka(settings)
    context = arguments.pop("ssl_context")
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert arguments == {
        "bootstrap_servers": "127.0.0.1:9092",
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "worker",
        "sasl_plain_password": "tops3cret",
    }


@pytest.mark.parametrize("protocol", ["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"])
def test_faust_is_given_the_same(protocol: Any) -> None:
    settings = Settings(kafka_security_protocol=protocol, **(USER if protocol.startswith("SASL") else {}))
    credentials = build_app(settings).conf.broker_credentials
    assert (credentials.protocol.value if credentials else "PLAINTEXT") == protocol
    assert "tops3cret" not in repr(credentials)


def test_redis_is_given_its_password_and_authorities_beside_the_url(certificates: Certificates) -> None:
    client = Redis.from_url(**redis(Settings(redis_url="rediss://desk:tops3cret@redis/1", redis_ssl_cafile=certificates.authority)))
    made = client.connection_pool.connection_kwargs
    assert (made["username"], made["password"], made["db"], made["ssl_ca_certs"]) == ("desk", "tops3cret", 1, str(certificates.authority))


def test_files_that_hold_no_certificates_are_wrong_usage(certificates: Certificates) -> None:
    authority = Settings(kafka_security_protocol="SSL", kafka_ssl_cafile=Path(__file__))
    own = Settings(kafka_security_protocol="SSL", kafka_ssl_certfile=certificates.authority)
    of_redis = Settings(redis_url="rediss://redis", redis_ssl_cafile=Path(__file__))
    for make, settings, named in (
        (kafka, authority, "OUTWATCH_KAFKA_SSL_CAFILE"),
        (kafka, own, "OUTWATCH_KAFKA_SSL_CERTFILE"),
        (redis, of_redis, "OUTWATCH_REDIS_SSL_CAFILE"),
    ):
        with pytest.raises(CertificateError, match=named) as caught:
            make(settings)
        explained = explain(caught.value)
        assert explained is not None
        assert explained[0] is Exit.USAGE


def test_an_encrypted_key_is_an_error_and_asks_nobody(certificates: Certificates, tmp_path: Path) -> None:
    key = load_pem_private_key(certificates.client.read_bytes(), password=None)
    keyfile = tmp_path / "key.pem"
    keyfile.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"tops3cret")))
    settings = Settings(kafka_security_protocol="SSL", kafka_ssl_certfile=certificates.client, kafka_ssl_keyfile=keyfile)
    with pytest.raises(CertificateError, match="the key not encrypted"):
        kafka(settings)


def test_a_broker_that_cannot_be_reached_refuses_nothing() -> None:
    assert asyncio.run(kafka_refusal(Settings(brokers=f"127.0.0.1:{free_port()}"))) is None


def _untrusted() -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError("certificate verify failed")
    error.verify_message = "certificate has expired"  # As OpenSSL sets it.
    return error


def _caused(by: Exception) -> RedisError:
    error = RedisConnectionError("Error 1 connecting")
    error.__cause__ = by
    return error


@pytest.mark.parametrize(
    ("error", "refused", "said"),
    [
        (AuthenticationError("invalid"), True, "refuses the password (set OUTWATCH_REDIS_PASSWORD"),
        (_caused(_untrusted()), True, "(set OUTWATCH_REDIS_SSL_CAFILE): certificate has expired"),
        (_caused(ConnectionRefusedError()), False, "does not answer (set OUTWATCH_REDIS_URL)"),
    ],
    ids=["password", "certificate", "away"],
)
def test_a_refusal_of_redis_is_told_from_its_absence(error: RedisError, refused: bool, said: str) -> None:
    assert is_refused(error) is refused
    assert said in redis_refusal(Settings(), error)


class _Waiting:
    """A consumer as aiokafka leaves it where a fetch waits for its next try."""

    def __init__(self) -> None:
        self.closed = False
        self._client = self

    async def stop(self) -> None:
        raise asyncio.CancelledError

    async def close(self) -> None:
        self.closed = True


async def test_a_consumer_is_stopped_while_a_fetch_waits_for_its_next_try() -> None:
    consumer = _Waiting()
    await stop_consumer(cast("AIOKafkaConsumer", consumer))
    assert consumer.closed


async def test_who_is_cancelled_while_it_stops_a_consumer_ends_as_cancelled() -> None:
    async def stopping() -> None:
        own = asyncio.current_task()
        assert own is not None
        own.cancel()
        await stop_consumer(cast("AIOKafkaConsumer", _Waiting()))

    with pytest.raises(asyncio.CancelledError):
        await asyncio.create_task(stopping())
