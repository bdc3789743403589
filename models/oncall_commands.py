"""What may be asked of rotations on `outwatch.commands`. A swap is two overrides."""

from typing import Annotated, Final, Self

from pydantic import BaseModel, Field, model_validator

from models.base import Payload, SentMs
from models.escalation import PersonId, RotationId

__all__ = ["CANCEL", "ONCALL_PAYLOADS", "OVERRIDE", "OncallCancel", "OncallOverride"]

OVERRIDE: Final = "oncall.override"
CANCEL: Final = "oncall.cancel"


class OncallOverride(Payload):
    """`oncall.override`: a person is on call in place of a rotation's own; the command's id is the override's."""

    rotation: RotationId
    person: PersonId
    from_: SentMs = Field(alias="from")
    """Inclusive."""
    to: SentMs
    """Exclusive."""
    comment: Annotated[str, Field(min_length=1, max_length=500)] | None = None

    @model_validator(mode="after")
    def _has_a_span(self) -> Self:
        if self.to <= self.from_:
            msg = "`to` must lie after `from`"
            raise ValueError(msg)
        return self


class OncallCancel(Payload):
    """`oncall.cancel`: an override ends now, or never begins."""

    override: Annotated[str, Field(min_length=1, max_length=128)]


ONCALL_PAYLOADS: Final[dict[str, type[BaseModel]]] = {OVERRIDE: OncallOverride, CANCEL: OncallCancel}
"""By the command's type."""
