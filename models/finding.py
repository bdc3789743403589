"""What a linter found."""

from dataclasses import dataclass
from typing import Literal

from models.yaml_file import Path

__all__ = ["Finding"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong: where, what, and what to do."""

    path: Path
    message: str
    remedy: str
    level: Literal["error", "warning"] = "error"
