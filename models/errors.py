"""What models raise.

OutwatchError
├── TimeError          unreadable or impossible time
├── FieldError         a field of an event whose value makes no sense
└── FileError          a file that does not hold; carries every problem with file, line, field and remedy
    └── PolicyError    a policy file or a policy record
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

__all__ = ["FieldError", "FileError", "OutwatchError", "PolicyError", "Problem", "TimeError"]


class OutwatchError(Exception):
    """Raised when outwatch itself has something to say; every other error of ours is one of these."""


class TimeError(OutwatchError, ValueError):
    """Raised when a timestamp cannot be read, or lies before 1980."""


class FieldError(OutwatchError, ValueError):
    """Raised when a field of an event reads well and makes no sense; the message names it and says what to send."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a file: where, what, and what to do. A warning does not refuse the file."""

    file: str
    line: int
    field: str
    message: str
    remedy: str
    level: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.level}: {self.field}: {self.message} ({self.remedy})"


class FileError(OutwatchError):
    """Raised when a file is refused; nothing of it is used."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in problems))


class PolicyError(FileError):
    """Raised when a policy file or record is refused; the last good one stays."""
