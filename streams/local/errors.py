"""What can go wrong with a local service.

LocalServiceError
└── JarError
"""


class LocalServiceError(RuntimeError):
    """Raised when a local service does not start, or ends before it is ready; carries the tail of its log."""


class JarError(LocalServiceError):
    """Raised when Kafka's jars cannot be had, or are not the ones that the lock file names."""
