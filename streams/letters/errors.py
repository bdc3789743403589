"""What handling dead letters raises.

OutwatchError
└── LettersError    dead letters cannot be handled now
"""

from models.errors import OutwatchError

__all__ = ["LettersError"]


class LettersError(OutwatchError):
    """Raised when another replay took over while this one was under way; what this one had committed stays."""
