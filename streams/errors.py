"""What streams raise.

OutwatchError
├── StreamError
│   ├── GapError             a run does not follow the last applied one
│   ├── StateError
│   │   ├── CorruptRowError  a row of the state cannot be read
│   │   └── NewerStateError  a newer release wrote it
│   ├── FencedError          another worker owns the partition now
│   ├── CommitError          Kafka refused a commit
│   ├── TopicsError          topics are missing or wrong
│   └── RunOperationError    an operation that makes no sense on a run
├── CertificateError         a certificate or key of the settings cannot be read
└── LocalServiceError        a local broker or Redis did not start
"""

from models.errors import OutwatchError

__all__ = [
    "CertificateError",
    "CommitError",
    "CorruptRowError",
    "FencedError",
    "GapError",
    "NewerStateError",
    "RunOperationError",
    "StateError",
    "StreamError",
    "TopicsError",
]


class CertificateError(OutwatchError):
    """Raised when a certificate or a key that a setting names cannot be read; the text names the setting."""


class StreamError(OutwatchError):
    """Raised when a worker cannot go on as it is."""


class GapError(StreamError):
    """Raised when a run does not begin where the last applied one ended."""


class StateError(StreamError):
    """Raised when the stored state cannot be used."""


class CorruptRowError(StateError):
    """Raised when a row of the state cannot be read."""


class NewerStateError(StateError):
    """Raised when a row was written by a newer release."""


class FencedError(StreamError):
    """Raised when another worker has taken the partition while we believed to own it."""


class CommitError(StreamError):
    """Raised when Kafka refuses the transaction of a commit."""


class TopicsError(StreamError):
    """Raised when topics are missing or wrong; the text names each with its remedy."""


class RunOperationError(StreamError, TypeError):
    """Raised when an operation on single messages is used on a stream of runs."""
