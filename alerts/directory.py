"""Who can be reached of a partner's incidents, as its policy says it and whoever took a shift over."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from alerts.around import Contact
from models.escalation import TargetSpec
from models.hours import Schedule
from models.notices import OverrideState
from models.paging import Paging
from models.people import ContactSpec, receivers_of

__all__ = ["PolicyDirectory"]


@dataclass(frozen=True, slots=True)
class PolicyDirectory:
    """Of one partner; see `alerts.around.Directory`. People, and members of rotations, of another partner's side are nobody here."""

    paging: Paging
    hours: Schedule | None = None
    """The partner's; None: always open."""
    overrides: Sequence[OverrideState] = ()

    @property
    def calendar(self) -> str:
        """The revision of the rotations."""
        return self.paging.calendar

    def reach(self, target: TargetSpec, at_ms: int) -> tuple[Contact, ...]:
        """Where a target is told at a time."""
        named: Iterable[TargetSpec | ContactSpec] = (target,)
        if target.partner is not None:
            named = self.paging.contacts.get(target.partner, ())
        return tuple(contact for each in named for contact in self._reach(each, at_ms))

    def at_work(self, person: str, at_ms: int) -> bool:
        """Whether a time lies in a person's hours."""
        found = self.paging.people.get(person)
        return found is None or found.at_work is None or found.at_work.holds(at_ms)

    def is_open(self, at_ms: int) -> bool:
        """Whether a time lies in the partner's hours."""
        return self.hours is None or self.hours.holds(at_ms)

    def _reach(self, named: TargetSpec | ContactSpec, at_ms: int) -> Iterator[Contact]:
        paging = self.paging
        if named.receiver is not None:
            receiver = paging.receivers.get(named.receiver)
            if receiver is not None:
                yield Contact(receiver, None, "client" if receiver.partner is None else "partner")
            return
        people: tuple[str, ...] = () if named.person is None else (named.person,)
        if named.rotation is not None:
            rotation = paging.rotations.get(named.rotation)
            people = () if rotation is None else rotation.who(at_ms, self.overrides).people
        for identity in people:
            person = paging.people.get(identity)
            for receiver in receivers_of(person, paging.receivers) if person is not None else ():
                theirs = person is not None and person.partner is not None
                yield Contact(receiver, identity, "partner" if theirs or receiver.partner is not None else "client")
