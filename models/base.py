"""What every model of something on the wire is made of: frozen, nothing that is not declared, and no number that JSON cannot hold."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Payload", "Record", "SentMs"]

SentMs = Annotated[int, Field(ge=0, le=2**53)]
"""Of what others send: exact in every language's numbers."""


class Record(BaseModel):
    """What outwatch writes."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True, defer_build=True)


class Payload(Record):
    """What a command asks for: nothing is taken for what it is not."""

    model_config = ConfigDict(strict=True)
