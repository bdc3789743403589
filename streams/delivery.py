"""An event on its way into a source topic."""

from typing import Literal, NamedTuple

__all__ = ["Delivery", "Source"]

Source = Literal["interactions", "surveys", "quality", "workforce", "finance"]
"""The source topics that simulation and replay feed, as `models.topics.Topics` names them."""


class Delivery(NamedTuple):
    """An event, when and where it is written."""

    at_ms: int
    """Stream time, which may be long after the event occurred."""
    source: Source
    partner_id: str
    value: bytes
