"""At each handover of a rotation, the report of the shift before, to those whose shift begins or whom the rotation names.

Each rotation's reports are those of the notifier that holds its partition. Their ids are computed of rotation, time and receiver, so that
a notifier that takes over, or comes back after a crash, makes the same ones, of which Redis knows what went out.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from typing import Final
from uuid import UUID, uuid5

from models.handover import DUE_MS, Handover, concerns, due_handovers, shift_report
from models.incidents import IncidentState
from models.notifications import Fact, Notification, NotifyReason, Target
from models.people import receivers_of
from models.receivers import Receiver, is_read
from models.shift_report import ShiftIncident, ShiftPart, ShiftReport
from models.topics import BROADCAST
from streams.notifier.digests import LINES_MAX
from streams.oncall.calendar import Calendar

__all__ = ["Handovers", "reports"]

CALENDAR_MS: Final = 5 * 60_000
"""How old a calendar may be that says whether anything is due; before a report is made it is read again."""

_NAMES: Final = UUID("6f1d2c58-3f0b-4c55-9a0e-0d3a54f1c7be")


class Handovers:
    """What is due of the rotations that are ours.

    Args:
        read_calendar: what holds now.
        read_incidents: those that are open, or ended of late.
        is_ours: whether a rotation's reports are for us to send.
        now_ms: the wall clock.
    """

    def __init__(
        self,
        read_calendar: Callable[[], Awaitable[Calendar]],
        read_incidents: Callable[[], Awaitable[Sequence[IncidentState]]],
        is_ours: Callable[[str], bool],
        now_ms: Callable[[], int],
    ) -> None:
        self._read_calendar = read_calendar
        self._read_incidents = read_incidents
        self._is_ours = is_ours
        self._now_ms = now_ms
        self._calendar = Calendar({}, {}, {})
        self._read_at: int | None = None
        self._made: set[tuple[str, int]] = set()
        """Rotations and times of which we made the report: what Redis knows too, unless it is away."""

    async def take(self) -> list[Notification]:
        """The reports that became due; each is told once."""
        if self._read_at is None or self._now_ms() - self._read_at >= CALENDAR_MS:
            await self._look()
        if not self._due():
            return []
        # Somebody may have taken the shift since it was read.
        await self._look()
        due = self._due()
        if not due:
            return []
        incidents = await self._read_incidents()
        calendar, now_ms = self._calendar, self._now_ms()
        # Beside the loop, which sends pages meanwhile: of 5,000 incidents each report takes some 30 ms.
        made = await asyncio.to_thread(lambda: [each for handover in due for each in reports(handover, calendar, incidents, now_ms)])
        self._made = {each for each in self._made if each[1] > now_ms - DUE_MS} | {(each.rotation, each.shift.end_ms) for each in due}
        return made

    async def _look(self) -> None:
        self._calendar, self._read_at = await self._read_calendar(), self._now_ms()

    def _due(self) -> list[Handover]:
        calendar = self._calendar
        ours = [each for name, each in calendar.rotations.items() if self._is_ours(name)]
        return list(due_handovers(ours, calendar.overrides, self._now_ms(), self._made))


def reports(handover: Handover, calendar: Calendar, incidents: Iterable[IncidentState], now_ms: int) -> Iterator[Notification]:
    """One handover's report, to each receiver that is meant once."""
    rotation = calendar.specs[handover.rotation]
    of = concerns(rotation.id, rotation.partner, calendar.escalations, calendar.contacts)
    told = shift_report(rotation.id, handover.shift, handover.following, filter(of, incidents), now_ms)
    identity = uuid5(_NAMES, f"{rotation.id}/{told.to}")
    seen: set[tuple[str, str]] = set()
    for target, receiver in _readers(handover, calendar):
        # A partner's receiver is never told of another partner, whatever a policy that was not checked says.
        if not is_read(receiver) or receiver.partner not in {None, rotation.partner} or (receiver.type, receiver.id) in seen:
            continue
        seen.add((receiver.type, receiver.id))
        yield Notification(
            id=str(uuid5(identity, f"{receiver.type}/{receiver.id}")),
            incident=str(identity),
            partner=rotation.partner or BROADCAST,
            epoch=0,
            loop=0,
            step=0,
            kind="update",  # No page: it takes none of those that a person may get, and is not held back for them.
            reason=NotifyReason.HANDOVER,
            target=target,
            receiver=receiver,
            side="client" if receiver.partner is None else "partner",
            severity="warning",
            text=_text(told),
            facts=tuple(_facts(told, calendar)),
            members=0,
            labels={"rule": "handover", "rotation": rotation.id},
            opened_at=told.from_,
            ended_at=told.to,
            late=False,
            processed_at=now_ms,
        )


def _readers(handover: Handover, calendar: Calendar) -> Iterator[tuple[Target, Receiver]]:
    said = calendar.specs[handover.rotation].report
    people = handover.following if said is None else [each.person for each in said if each.person is not None]
    for name in people:
        if name in calendar.people:
            target = Target(kind="person", id=name, person=name)
            yield from ((target, each) for each in receivers_of(calendar.people[name], calendar.receivers))
    for each in said or ():
        if each.receiver is not None and each.receiver in calendar.receivers:
            yield Target(kind="receiver", id=each.receiver), calendar.receivers[each.receiver]


def _text(told: ShiftReport) -> str:
    counts = ", ".join(f"{count} {part}" for part, count in told.counts.items())
    return f"Handover of {told.rotation}: {counts if told.incidents else 'nothing fired'}"


def _facts(told: ShiftReport, calendar: Calendar) -> Iterator[Fact]:
    yield Fact(name="On call", value=f"{calendar.names(told.people)}, then {calendar.names(told.following)}")
    if not told.complete:
        yield Fact(name="Incomplete", value="It began over 8 days ago: incidents that ended early in it may be missing.")
    for each in told.incidents[:LINES_MAX]:
        yield Fact(name=f"{each.id[:8]} {each.severity}", value=_line(each, calendar))
    if told.incidents[LINES_MAX:]:
        yield Fact(name="and more", value=str(len(told.incidents) - LINES_MAX))


def _line(incident: ShiftIncident, calendar: Calendar) -> str:
    taken = calendar.names(dict.fromkeys(each.by for each in incident.taken))
    stands = "open" if ShiftPart.OPEN in incident.parts else "resolved"
    whose = f", taken by {taken}" if taken else ", seen by nobody" if ShiftPart.UNSEEN in incident.parts else ""
    return f"{stands}{whose}: {incident.text}"
