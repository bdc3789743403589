"""What may be asked of rotations on `outwatch.commands`. A swap is two overrides."""

from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from models.escalation import PersonId, RotationId

__all__ = ["CANCEL", "ONCALL_PAYLOADS", "OVERRIDE", "OncallCancel", "OncallOverride"]

OVERRIDE: Final = "oncall.override"
CANCEL: Final = "oncall.cancel"

_EpochMs = Annotated[int, Field(ge=0, le=2**53)]


class _Payload(BaseModel):
    model_config = ConfigDict(
        frozen=True, strict=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True, defer_build=True
    )


class OncallOverride(_Payload):
    """`oncall.override`: a person is on call in place of a rotation's own; the command's id is the override's."""

    rotation: RotationId
    person: PersonId
    from_: _EpochMs = Field(alias="from")
    """Inclusive."""
    to: _EpochMs
    """Exclusive."""
    comment: Annotated[str, Field(min_length=1, max_length=500)] | None = None

    @model_validator(mode="after")
    def _has_a_span(self) -> Self:
        if self.to <= self.from_:
            msg = "`to` must lie after `from`"
            raise ValueError(msg)
        return self


class OncallCancel(_Payload):
    """`oncall.cancel`: an override ends now, or never begins."""

    override: Annotated[str, Field(min_length=1, max_length=128)]


ONCALL_PAYLOADS: Final[dict[str, type[BaseModel]]] = {OVERRIDE: OncallOverride, CANCEL: OncallCancel}
"""By the command's type."""
