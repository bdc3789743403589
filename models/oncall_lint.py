"""What is wrong with people, rotations and contacts although each of them reads well. Pure; paths are those of the file."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from models.finding import Finding
from models.oncall import COVERAGE_MS, GapReason, compile_rotation
from models.people import Contacts, ContactSpec, PersonSpec
from models.policy_spec import PartnerPart
from models.receivers import Receiver, is_read
from models.recurrence import Recurrence
from models.rotations import LayerSpec, ReportTarget, RotationSpec
from models.shifts import compile_layer
from models.wall import local_of, moment_ms
from models.windows import DAY_MS
from models.yaml_file import Path, suggest

__all__ = ["Known", "known_of", "lint_oncall", "lint_reports"]

_OVERLAP_MS: Final = 400 * DAY_MS
_GAPS_MAX: Final = 5
"""Gaps that are told of one rotation."""

_Ids = Mapping[str, str | None]
"""Of what is there, also if it does not read: on which partner's side it is; None: the client's."""


@dataclass(frozen=True, slots=True)
class Known:
    """What may be named."""

    people: _Ids
    rotations: _Ids
    receivers: _Ids | None = None
    """None: any."""
    partners: frozenset[str] | None = None
    """None: any."""


def known_of(people: Sequence[Any], rotations: Sequence[Any], receivers: Sequence[Any], partners: Sequence[Any] | None = None) -> Known:
    """What parts of a policy name, as JSON data that may not even read."""
    return Known(_sides(people), _sides(rotations), _sides(receivers), None if partners is None else frozenset(_sides(partners)))


def _sides(parts: Sequence[Any]) -> _Ids:
    return {str(each["id"]): each.get("partner") for each in parts if isinstance(each, Mapping) and "id" in each}


def lint_oncall(
    people: Sequence[PersonSpec | None],
    rotations: Sequence[RotationSpec | None],
    partners: Sequence[PartnerPart | None],
    known: Known,
    at_ms: int | None = None,
) -> Iterator[Finding]:
    """People, rotations and partners' contacts by their position in the file, None where one does not read; with a time, also gaps."""
    yield from _lint_people(people, known)
    for at, rotation in enumerate(rotations):
        wrong = list(_lint_rotation(("rotations", at), rotation, known)) if rotation is not None else []
        yield from wrong
        if rotation is not None and at_ms is not None and not any(each.level == "error" for each in wrong):
            yield from _lint_coverage(("rotations", at), rotation, at_ms)
    yield from _lint_ids("rotations", rotations, known)
    for at, partner in enumerate(partners):
        if partner is not None:
            yield from _lint_contacts(("partners", at, "contacts"), partner.id, partner.contacts, known)


def _lint_people(people: Sequence[PersonSpec | None], known: Known) -> Iterator[Finding]:
    """People by their position in the file; None where one does not read."""
    yield from _lint_ids("people", people, known)
    for at, person in enumerate(people):
        if person is None:
            continue
        path: Path = ("people", at)
        if not person.reach.mail and not person.reach.receivers:
            yield Finding(path, f"nobody can reach {person.id}", "add reach: with mail: or receivers:")
        for number, receiver in enumerate(person.reach.receivers):
            yield from _lint_named((*path, "reach", "receivers", number), "receiver", receiver, known.receivers, (person.partner,))


def _lint_rotation(path: Path, rotation: RotationSpec, known: Known) -> Iterator[Finding]:
    for number, layer in enumerate(rotation.layers):
        here: Path = (*path, "layers", number)
        yield from _lint_members((*here, "members"), layer, rotation.partner, known.people)
        yield from _lint_layer(here, layer, rotation.timezone)
    for number, target in enumerate(rotation.report or ()):
        yield from _lint_target((*path, "report", number), target, known, rotation.partner)


def lint_reports(
    rotations: Sequence[RotationSpec | None], people: Sequence[PersonSpec | None], receivers: Sequence[Receiver | None]
) -> Iterator[Finding]:
    """Who is named to be told of shifts, and is not, since nothing that reaches him shows a report; all by their position in the file."""
    shows = {each.id: is_read(each) for each in receivers if each is not None}
    reads = {each.id: bool(each.reach.mail) or any(shows.get(name, True) for name in each.reach.receivers) for each in people if each}
    for at, rotation in enumerate(rotations):
        for number, target in enumerate((rotation.report or ()) if rotation is not None else ()):
            name = target.receiver or target.person or ""
            if not (shows if target.receiver else reads).get(name, True):
                message = f"{name} is told of no shift: a pager or an Alertmanager would take the report for an alert"
                yield Finding(("rotations", at, "report", number), message, "name one with mail or a chat", "warning")


def _lint_contacts(path: Path, partner: str, contacts: Contacts, known: Known) -> Iterator[Finding]:
    """Contacts of one partner, who are on its side, or the client's people for it."""
    for role, told in contacts.items():
        for at, each in enumerate(told):
            yield from _lint_target((*path, role, at), each, known, partner)


def _lint_target(path: Path, target: ContactSpec | ReportTarget, known: Known, partner: str | None) -> Iterator[Finding]:
    """That it is there, and on a partner's side or the client's."""
    for kind, name in target.model_dump(exclude_none=True).items():
        ids = {"person": known.people, "rotation": known.rotations, "receiver": known.receivers}[kind]
        yield from _lint_named((*path, kind), kind, name, ids, (partner, None))


def _lint_coverage(path: Path, rotation: RotationSpec, at_ms: int) -> Iterator[Finding]:
    """When nobody will be on call in the 14 days from `at_ms` on."""
    zone = ZoneInfo(rotation.timezone)
    gaps = list(compile_rotation(rotation).gaps(at_ms, at_ms + COVERAGE_MS))
    for gap in gaps[:_GAPS_MAX]:
        begin, end = (f"{local_of(each, zone):%Y-%m-%d %H:%M}" for each in (gap.begin_ms, gap.end_ms))
        empty = gap.reason is GapReason.EMPTY_SHIFT
        what = "the shift is empty" if empty else "nobody is on call"
        remedy = "name somebody" if empty else "add a layer before the others, or hours: in which somebody must be"
        yield Finding(path, f"{what} from {begin} to {end} ({rotation.timezone})", remedy)
    if len(gaps) > _GAPS_MAX:
        yield Finding(path, f"nobody is on call in {len(gaps) - _GAPS_MAX} more spans of these 14 days", "mend the first ones")


def _lint_ids(section: str, specs: Sequence[PersonSpec | RotationSpec | None], known: Known) -> Iterator[Finding]:
    """That each is there once, and on the side of a partner that is."""
    seen: set[str] = set()
    for at, spec in enumerate(specs):
        if spec is None:
            continue
        if spec.id in seen:
            yield Finding((section, at, "id"), f"{spec.id!r} is there already", "give each its own id")
        seen.add(spec.id)
        if spec.partner is not None and known.partners is not None and spec.partner not in known.partners:
            remedy = suggest(spec.partner, known.partners, "name it under partners, or remove it here")
            yield Finding((section, at, "partner"), f"{spec.partner!r} is no partner of this file", remedy)


def _lint_named(path: Path, kind: str, name: str, ids: _Ids | None, sides: tuple[str | None, ...]) -> Iterator[Finding]:
    """That what is named is there, and on one of these sides."""
    if ids is None:
        return
    if name not in ids:
        yield Finding(path, f"{name!r} is no {kind} of this policy", suggest(name, ids, f"add it under {_SECTIONS[kind]}"))
    elif ids[name] not in sides:
        message = f"{name} is on the side of {_side(ids[name])}, not of {_side(sides[0])}"
        yield Finding(path, message, f"name a {kind} of {_side(sides[0])}")


_SECTIONS: Final = {"person": "people", "rotation": "rotations", "receiver": "receivers"}


def _side(partner: str | None) -> str:
    return partner or "the client"


def _lint_members(path: Path, layer: LayerSpec, partner: str | None, people: _Ids) -> Iterator[Finding]:
    seen: set[tuple[str, ...]] = set()
    for number, turn in enumerate(layer.turns):
        here: Path = (*path, number)
        for at, person in enumerate(turn):
            within = here if isinstance(layer.members[number], str) else (*here, at)
            yield from _lint_named(within, "person", person, people, (partner,))
            if person in turn[:at]:
                yield Finding(within, f"{person} has this shift twice", "remove one")
        if turn and turn in seen:
            yield Finding(here, f"{' and '.join(turn)} takes more than one turn", "remove one unless that is meant", "warning")
        seen.add(turn)


def _lint_layer(path: Path, spec: LayerSpec, zone: str) -> Iterator[Finding]:
    first = Recurrence(spec.rrule, datetime.fromisoformat(spec.starts)).nth(0)
    if first is None:
        yield Finding((*path, "rrule"), f"{spec.rrule} never occurs from {spec.starts} on", "write a rule that does")
        return
    if spec.until is not None and first >= datetime.fromisoformat(spec.until):
        yield Finding((*path, "until"), f"is before the first shift begins, {first:%Y-%m-%dT%H:%M}", "write a later one")
    layer = compile_layer(spec, zone)
    for number, each in enumerate(spec.except_ or ()):
        if not layer.recurrence.has(datetime.fromisoformat(each)):
            yield Finding((*path, "except", number), f"no shift begins at {each}", "write when one does, or remove it")
    from_ms = moment_ms(max(first, layer.from_), layer.zone)
    meets = layer.overlap(from_ms, from_ms + _OVERLAP_MS)
    if meets is not None:
        message = f"the shift of {meets:%Y-%m-%d %H:%M} begins before the one before it is over"
        yield Finding((*path, "lasts"), message, "write a shorter one, or leave it out: until the next one begins")
