"""What the desk counts; whoever runs it says where that goes."""

from typing import Protocol

from desk.errors import Refusal

__all__ = ["Metrics"]


class Metrics(Protocol):
    """Takes counts."""

    def answered(self, route: str, status: int) -> None:
        """A request was answered."""

    def refused(self, reason: Refusal) -> None:
        """A request was refused."""

    def commanded(self, command: str) -> None:
        """A command was written."""

    def viewers(self, number: int) -> None:
        """So many streams are open."""

    def forgotten(self) -> None:
        """Of a user or an address it was forgotten how often it asked."""

    def slow(self) -> None:
        """A viewer took a frame too slowly, and was let go."""
