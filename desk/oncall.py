"""Who is on call at a moment: the policy's rotations, with the overrides of the view. Pure."""

from typing import Any

from desk.users import User
from models.notices import OverrideState
from models.oncall import Gap
from models.policy_spec import SharedPart

__all__ = ["on_call"]


def on_call(shared: SharedPart, overrides: list[OverrideState], user: User, at_ms: int) -> list[dict[str, Any]]:
    """By rotation in the policy's order, the fields of `desk.shapes.OnCallNow.rotations`; a partner sees its own rotations."""
    names = {person.id: person.name for person in shared.people}
    found = []
    for spec in shared.rotations:
        if not user.sees(spec.partner):
            continue
        rotation = shared.calendar[spec.id]
        who = rotation.who(at_ms, overrides)
        gap: Gap | None = next(rotation.gaps(at_ms, at_ms + 1, overrides), None)
        found.append(
            {
                "rotation": spec.id,
                "people": [names.get(person, person) for person in who.people],
                "layer": who.layer,
                "override": who.override,
                "until": rotation.next_handover_ms(at_ms, overrides),
                "gap": None if gap is None else gap.reason,
            }
        )
    return found
