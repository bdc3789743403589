"""What alerts raise.

OutwatchError
├── IncidentError     what is asked of an incident cannot be done
└── RowFormatError    a stored condition, or incident, of another format
"""

from models.errors import OutwatchError

__all__ = ["IncidentError", "RowFormatError"]


class IncidentError(OutwatchError):
    """Raised when what a command asks of an incident reads well and cannot be done."""


class RowFormatError(OutwatchError):
    """Raised when a stored condition or incident was written in a format that this release does not read."""
