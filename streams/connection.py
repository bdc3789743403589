"""Connections: the one place that makes the arguments of Kafka's and Redis' clients from the settings, and says why one was refused.

    AIOKafkaConsumer(**kafka(settings), isolation_level="read_committed")
    Redis.from_url(**redis(settings))

The arguments hold passwords: they go into a client and nowhere else.
"""

import asyncio
import ssl
from pathlib import Path
from typing import Any, Final, TypeVar

from aiokafka import AIOKafkaConsumer
from aiokafka.conn import collect_hosts, create_conn
from aiokafka.errors import KafkaError, SaslAuthenticationFailed, UnsupportedSaslMechanismError
from aiokafka.protocol.metadata import MetadataRequest
from redis.exceptions import AuthenticationError, RedisError

from models.settings import PREFIX, Settings
from streams.errors import CertificateError

__all__ = ["is_refused", "kafka", "kafka_refusal", "redis", "redis_refusal", "stop_consumer"]

_Error = TypeVar("_Error", bound=BaseException)

REDIS_TIMEOUT_SECONDS: Final = 5.0
_LOOK_SECONDS: Final = 3.0
"""For each broker that is asked why it refuses us."""


def kafka(settings: Settings) -> dict[str, Any]:
    """What every aiokafka client is made with: where the brokers are, and how to prove who we are.

    Raises:
        CertificateError: if a certificate or a key cannot be read.
    """
    protocol = settings.kafka_security_protocol
    arguments: dict[str, Any] = {"bootstrap_servers": settings.brokers, "security_protocol": protocol}
    if protocol.endswith("SSL"):
        arguments["ssl_context"] = _ssl_context(settings)
    if settings.kafka_username is not None and settings.kafka_password is not None:
        arguments |= {
            "sasl_mechanism": settings.kafka_sasl_mechanism,
            "sasl_plain_username": settings.kafka_username,
            "sasl_plain_password": settings.kafka_password.get_secret_value(),
        }
    return arguments


def redis(settings: Settings) -> dict[str, Any]:
    """What every client of the view is made with, for `from_url` of `redis.Redis` and `redis.asyncio.Redis`.

    Raises:
        CertificateError: if the certificates cannot be read.
    """
    arguments: dict[str, Any] = {
        "url": settings.redis_url,
        "socket_timeout": REDIS_TIMEOUT_SECONDS,
        "socket_connect_timeout": REDIS_TIMEOUT_SECONDS,
    }
    if settings.redis_password is not None:
        arguments["password"] = settings.redis_password.get_secret_value()
    if settings.redis_ssl_cafile is not None:
        _trusting("redis_ssl_cafile", settings.redis_ssl_cafile)  # The client would find out when it connects, and try again.
        arguments["ssl_ca_certs"] = str(settings.redis_ssl_cafile)
    return arguments


def _trusting(setting: str, cafile: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=cafile)
    except (ssl.SSLError, OSError) as error:
        msg = f"{PREFIX}{setting.upper()}: {cafile} holds no certificates that can be read: {error}"
        raise CertificateError(msg) from error


def _ssl_context(settings: Settings) -> ssl.SSLContext:
    context = _trusting("kafka_ssl_cafile", settings.kafka_ssl_cafile)
    if settings.kafka_ssl_certfile is not None:
        try:
            # An empty password, so that an encrypted key is an error and not a prompt that nobody sees.
            context.load_cert_chain(settings.kafka_ssl_certfile, settings.kafka_ssl_keyfile, password="")
        except (ssl.SSLError, OSError) as error:
            files = f"{PREFIX}KAFKA_SSL_CERTFILE, {PREFIX}KAFKA_SSL_KEYFILE"
            msg = f"{files}: not a certificate with its key, both PEM, the key not encrypted: {error}"
            raise CertificateError(msg) from error
    return context


async def kafka_refusal(settings: Settings) -> str | None:
    """Why the brokers refuse a connection, with the setting to look at; None if one accepts it, or none can be reached at all.

    aiokafka only says that it could not bootstrap, whatever the cause; so each broker is asked once more.
    """
    arguments = kafka(settings)
    servers = arguments.pop("bootstrap_servers")
    for host, port, _ in collect_hosts(servers):
        try:
            async with asyncio.timeout(_LOOK_SECONDS):
                connection = await create_conn(host, port, **arguments)
                try:
                    # A listener that wants a user lets anybody connect, and ends it at the first question.
                    await connection.send(MetadataRequest([]))
                    return None
                finally:
                    await connection.close()
        except (KafkaError, OSError) as error:  # TimeoutError is an OSError.
            why = _why(settings, error)
            if why is not None:
                return f"Kafka at {host}:{port} {why}"
    return None


def _why(settings: Settings, error: Exception) -> str | None:
    """What a broker that can be reached did to us; None for one that cannot."""
    # aiokafka raises the certificate's error as it is, and what ends a connection later as the cause of its own.
    untrusted = _find(error, ssl.SSLCertVerificationError)
    if untrusted is not None:
        return f"shows a certificate that is not trusted (set {PREFIX}KAFKA_SSL_CAFILE): {untrusted.verify_message}"
    if isinstance(error, SaslAuthenticationFailed):
        return f"refuses the user {settings.kafka_username} (set {PREFIX}KAFKA_USERNAME and {PREFIX}KAFKA_PASSWORD): {error}"
    if isinstance(error, UnsupportedSaslMechanismError):
        return f"does not know {settings.kafka_sasl_mechanism} (set {PREFIX}KAFKA_SASL_MECHANISM): {error}"
    if isinstance(error, KafkaError | ssl.SSLError | ConnectionResetError):
        protocol = settings.kafka_security_protocol
        wants = f"its listener speaks something else, or wants a certificate ({PREFIX}KAFKA_SSL_CERTFILE)"
        return f"ends a connection with {PREFIX}KAFKA_SECURITY_PROTOCOL={protocol}: {wants} ({type(error).__name__})"
    return None


async def stop_consumer(consumer: AIOKafkaConsumer) -> None:
    """Stop it, also while no broker answers: aiokafka 0.14 lets a fetch that waits to try again end `stop` before it closed."""
    task = asyncio.current_task()
    try:
        await consumer.stop()
    except asyncio.CancelledError:
        if task is not None and task.cancelling():
            raise
        await consumer._client.close()  # noqa: SLF001


def is_refused(error: RedisError) -> bool:
    """Whether Redis turned us away for what we are, which no further try will change."""
    return isinstance(error, AuthenticationError) or _find(error, ssl.SSLError) is not None


def redis_refusal(settings: Settings, error: RedisError) -> str:
    """Why Redis cannot be used, with the setting to look at."""
    at = f"Redis at {settings.redis_url}"
    untrusted = _find(error, ssl.SSLCertVerificationError)
    if untrusted is not None:
        return f"{at} shows a certificate that is not trusted (set {PREFIX}REDIS_SSL_CAFILE): {untrusted.verify_message}"
    if isinstance(error, AuthenticationError):
        return f"{at} refuses the password (set {PREFIX}REDIS_PASSWORD, or the user in {PREFIX}REDIS_URL): {error}"
    return f"{at} does not answer (set {PREFIX}REDIS_URL): {error}"


def _find(error: BaseException | None, kind: type[_Error]) -> _Error | None:
    while error is not None and not isinstance(error, kind):
        error = error.__cause__ or error.__context__
    return error
