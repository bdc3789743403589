"""What every shift had to do with: the reports of those that are on call, and of those that were within the last 8 days. Pure.

They are computed when they are asked for, of the incidents that the view holds, as the notifier computes them at a handover.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from desk.errors import Refusal, UnavailableError
from desk.users import User
from desk.view import Look
from models.handover import concerns, shift_report
from models.incidents import INCIDENT_KEPT_MS, IncidentState
from models.notices import OverrideState
from models.oncall import Rotation, Segment
from models.people import Contacts
from models.policy_spec import SharedPart
from models.topics import BROADCAST
from models.windows import DAY_MS

__all__ = ["LIMIT_MAX", "reports"]

LIMIT_MAX: Final = 30
"""Of one rotation; with shifts of eight hours there are 25 in 8 days."""
_BACK_MS: Final = 40 * DAY_MS
"""A shift that began earlier is said to have begun then."""
_CONTACTS: Final[TypeAdapter[Contacts]] = TypeAdapter(Contacts)


def reports(
    shared: SharedPart, overrides: Sequence[OverrideState], look: Look, user: User, asked: tuple[str | None, int], now_ms: int
) -> list[dict[str, Any]]:
    """By rotation in the policy's order, the newest shift first; each with the fields of `desk.shapes.Report`.

    Args:
        shared: the policy's rotations, people and escalations.
        overrides: who was or is on call in another's place.
        look: the incidents, and the partners' contacts.
        user: a partner is told of its own rotations.
        asked: of which rotation, or of all; and at most how many of each.
        now_ms: the wall clock.

    Raises:
        UnavailableError: if a newer release wrote what they are made of.
    """
    name, limit = asked
    specs = [each for each in shared.rotations if user.sees(each.partner) and name in {None, each.id}]
    try:
        incidents = [IncidentState.model_validate(each.body) for each in look.incidents.values()]
        contacts = {
            partner: _CONTACTS.validate_python(each.body["part"].get("contacts", {}))
            for partner, each in look.policies.items()
            if partner != BROADCAST
        }
    except ValidationError as error:
        msg = f"incidents or contacts were written by another release than this desk is of: {error.error_count()} fields do not read"
        raise UnavailableError(Refusal.NO_VIEW, msg) from error
    names = {person.id: person.name for person in shared.people}
    found = list[dict[str, Any]]()
    for spec in specs:
        of = concerns(spec.id, spec.partner, shared.escalations, contacts)
        own = [each for each in incidents if of(each)]
        about = {"partner": spec.partner, "timezone": spec.timezone}
        for told in _reports(shared.calendar[spec.id], overrides, own, limit, now_ms):
            people = {part: [names.get(person, person) for person in told[part]] for part in ("people", "following")}
            found.append({**told, **about, **people})
    return found


def _reports(
    rotation: Rotation, overrides: Sequence[OverrideState], incidents: Iterable[IncidentState], limit: int, now_ms: int
) -> Iterator[Mapping[str, Any]]:
    for shift in _shifts(rotation, overrides, now_ms)[:limit]:
        present = shift.end_ms > now_ms
        until_ms = rotation.next_handover_ms(now_ms, overrides) if present else shift.end_ms
        following = () if until_ms is None else rotation.who(until_ms, overrides).people
        told = shift_report(rotation.id, shift._replace(end_ms=min(shift.end_ms, now_ms)), following, incidents, now_ms)
        yield {**told.model_dump(mode="json", by_alias=True), "to": until_ms, "present": present}


def _shifts(rotation: Rotation, overrides: Sequence[OverrideState], now_ms: int) -> list[Segment]:
    """Those that were not over 8 days ago, the newest first; the present one ends just after now."""
    found = list[Segment]()
    for each in rotation.schedule(now_ms - _BACK_MS, now_ms + 1, overrides):
        if found and found[-1].on_call.people == each.on_call.people:
            found[-1] = found[-1]._replace(end_ms=each.end_ms)
        else:
            found.append(each)
    return [each for each in reversed(found) if each.on_call.people and each.end_ms > now_ms - INCIDENT_KEPT_MS]
