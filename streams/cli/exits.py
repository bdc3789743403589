"""Exit codes of every `outwatch` command, so that scripts and supervisors can tell what happened, and the line that says why."""

from enum import IntEnum

__all__ = ["Exit", "explain"]


class Exit(IntEnum):
    """What a command ends with."""

    OK = 0
    """Done."""
    PROBLEMS = 1
    """Problems were found: wrong topics, a refused policy, an alert that did not come."""
    USAGE = 2
    """A wrong option or setting; nothing was done."""
    UNREACHABLE = 3
    """Kafka or Redis cannot be reached; the message names the setting."""
    STOPPED = 4
    """A worker ended itself without committing: a fence, a gap, a row it cannot read, a refused write."""


def explain(error: Exception) -> tuple[Exit, str] | None:
    """The exit code and one line for an error that a user can act on; None for a bug, which deserves its traceback."""
    # Whatever can raise these is imported by now, and nothing of it when all goes well.
    from pydantic import ValidationError

    from models.errors import OutwatchError
    from models.settings import Settings, settings_problems
    from streams.errors import CertificateError, StreamError, TopicsError

    if isinstance(error, ValidationError) and error.title == Settings.__name__:
        return Exit.USAGE, "\n".join(settings_problems(error))
    if isinstance(error, CertificateError):
        return Exit.USAGE, str(error)
    unreachable = _unreachable(error)
    if unreachable is not None:
        return Exit.UNREACHABLE, unreachable
    if isinstance(error, StreamError) and not isinstance(error, TopicsError):
        return Exit.STOPPED, f"{type(error).__name__}: {error}"
    if isinstance(error, OutwatchError):
        return Exit.PROBLEMS, str(error)
    return None


def _unreachable(error: Exception) -> str | None:
    import asyncio

    from aiokafka.errors import KafkaConnectionError, KafkaError, KafkaTimeoutError
    from redis.exceptions import ConnectionError as RedisConnectionError
    from redis.exceptions import TimeoutError as RedisTimeoutError

    from models.settings import PREFIX, Settings
    from streams.connection import kafka_refusal, redis_refusal
    from streams.local.errors import LocalServiceError

    if isinstance(error, KafkaConnectionError | KafkaTimeoutError):
        settings = Settings()
        refusal = asyncio.run(kafka_refusal(settings))
        silent = f"Kafka does not answer at {settings.brokers} (set {PREFIX}BROKERS)"
        return refusal or (silent if "Unable to bootstrap" in str(error) else f"{silent}: {error}")
    if isinstance(error, KafkaError) and "Authorization" in type(error).__name__:
        return f"Kafka does not allow that to our user (docs/security.md lists the rights): {type(error).__name__}: {error}"
    if isinstance(error, RedisConnectionError | RedisTimeoutError):
        return redis_refusal(Settings(), error)
    return str(error) if isinstance(error, LocalServiceError) else None
