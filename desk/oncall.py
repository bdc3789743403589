"""Who is on call, at a moment and over some days: the policy's rotations, with the overrides of the view. Pure."""

from typing import Any, Final

from desk.users import Role, User
from models.notices import OverrideState
from models.oncall import Gap
from models.policy_spec import SharedPart
from models.windows import DAY_MS

__all__ = ["SCHEDULE_MAX_MS", "SCHEDULE_MS", "on_call", "schedule"]

SCHEDULE_MS: Final = 14 * DAY_MS
SCHEDULE_MAX_MS: Final = 35 * DAY_MS


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


def schedule(shared: SharedPart, overrides: list[OverrideState], user: User, from_ms: int, to_ms: int) -> dict[str, Any]:
    """Of [from, to) the fields of `desk.shapes.Schedule` but for these; a partner sees its own rotations, without what others said."""
    names, whole = {person.id: person.name for person in shared.people}, user.role is not Role.PARTNER
    found = []
    for spec in shared.rotations:
        if not user.sees(spec.partner):
            continue
        rotation = shared.calendar[spec.id]
        own = sorted((each for each in overrides if each.rotation == spec.id), key=lambda each: (each.from_, each.id))
        found.append(
            {
                "rotation": spec.id,
                "partner": spec.partner,
                "timezone": spec.timezone,
                "shifts": [
                    {
                        "from": begin_ms,
                        "to": end_ms,
                        "people": [names.get(person, person) for person in who.people],
                        "layer": who.layer,
                        "override": who.override,
                    }
                    for begin_ms, end_ms, who in rotation.schedule(from_ms, to_ms, own)
                ],
                "gaps": [{"from": gap.begin_ms, "to": gap.end_ms, "reason": gap.reason} for gap in rotation.gaps(from_ms, to_ms, own)],
                "overrides": [_override(each, names, whole=whole) for each in own if each.from_ < to_ms and each.to > from_ms],
                "takers": [{"id": person.id, "name": person.name} for person in shared.people if person.partner == spec.partner],
            }
        )
    return {"rotations": found}


def _override(each: OverrideState, names: dict[str, str], *, whole: bool) -> dict[str, Any]:
    comment = each.comment if whole else None
    when = {"from": each.from_, "to": each.to, "at": each.at}
    return {"id": each.id, "person": names.get(each.person, each.person), **when, "by": each.actor, "comment": comment}
