"""Rotations for tests, as a policy would say them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from models.notices import OverrideState
from models.oncall import Rotation, compile_rotation
from models.rotations import RotationSpec

__all__ = ["layer", "ms", "override", "rotation", "spec"]


def ms(text: str) -> int:
    """The moment that UTC calls so."""
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def layer(members: Sequence[Any], rrule: str = "FREQ=WEEKLY", starts: str = "2026-01-05T09:00", **fields: Any) -> dict[str, Any]:
    return {"starts": starts, "rrule": rrule, "members": members, **fields}


def spec(*layers: dict[str, Any], zone: str = "UTC", identity: str = "ops", **fields: Any) -> RotationSpec:
    return RotationSpec.model_validate({"id": identity, "timezone": zone, "layers": layers, **fields})


def rotation(*layers: dict[str, Any], zone: str = "UTC", **fields: Any) -> Rotation:
    return compile_rotation(spec(*layers, zone=zone, **fields))


def override(person: str, from_: str, to: str, identity: str = "o1", at: int = 0, of: str = "ops") -> OverrideState:
    said = {"id": identity, "partner": "*", "actor": "ana", "at": at, "from": ms(from_), "to": ms(to)}
    return OverrideState.model_validate({**said, "rotation": of, "person": person})
