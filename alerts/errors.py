"""What alerts raise.

OutwatchError
└── RowFormatError    a stored condition of another format
"""

from models.errors import OutwatchError

__all__ = ["RowFormatError"]


class RowFormatError(OutwatchError):
    """Raised when a stored condition was written in a format that this release does not read."""
