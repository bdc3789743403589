"""Exit codes of every `outwatch` command, so that scripts and supervisors can tell what happened, and the line that says why."""

from enum import IntEnum
from urllib.parse import urlsplit

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
    from aiokafka.errors import KafkaConnectionError, KafkaTimeoutError
    from pydantic import ValidationError
    from redis.exceptions import ConnectionError as RedisConnectionError
    from redis.exceptions import TimeoutError as RedisTimeoutError

    from models.errors import OutwatchError
    from models.settings import PREFIX, Settings
    from streams.errors import StreamError, TopicsError
    from streams.local.errors import LocalServiceError

    if isinstance(error, ValidationError) and error.title == Settings.__name__:
        problems = [
            f"{PREFIX}{str(problem['loc'][0]).upper()}: {problem['msg']} (it is {problem['input']!r})" for problem in error.errors()
        ]
        return Exit.USAGE, "\n".join(problems)
    if isinstance(error, KafkaConnectionError | KafkaTimeoutError):
        return Exit.UNREACHABLE, f"Kafka does not answer at {Settings().brokers} (set {PREFIX}BROKERS): {error}"
    if isinstance(error, RedisConnectionError | RedisTimeoutError):
        return Exit.UNREACHABLE, f"Redis does not answer at {_without_password(Settings().redis_url)} (set {PREFIX}REDIS_URL): {error}"
    if isinstance(error, LocalServiceError):
        return Exit.UNREACHABLE, str(error)
    if isinstance(error, StreamError) and not isinstance(error, TopicsError):
        return Exit.STOPPED, f"{type(error).__name__}: {error}"
    if isinstance(error, OutwatchError):
        return Exit.PROBLEMS, str(error)
    return None


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
