"""Live: who waits, which tickets are open and which agents are there, by scope, at one moment.

Of queues and channels it is known that nobody waits. Of a side, such as a team, it is not, unless those who queue name theirs: what was
counted in the last 24 hours tells, and without that a figure is missing rather than 0.
"""

from typing import Final

from models.figures import Live
from models.measures import M
from models.windows import SIDES, Scope
from streams.engine import contacts
from streams.engine.lanes import lanes
from streams.engine.partner import Partner
from streams.engine.tickets import Place
from streams.engine.totals import flats, scopes_of

__all__ = ["Lives"]

_NOBODY: Final = Live(0, None, 0)
_NOTHING: Final = Live(0, None, 0, 0, 0)
_NOBODY_STAFFED: Final = Live(0, None, 0, agents_staffed=0)
_NOTHING_STAFFED: Final = Live(0, None, 0, 0, 0, 0)
_UNKNOWN: Final = Live(None, None, 0)


_QUEUED: Final = lanes(M.arrivals)
_OPENED: Final = lanes(M.opened, M.tickets_expired)
_STAFFED: Final = lanes(M.contact_ms, M.idle_ms)


class Lives:
    """Of one partner, as it is before `at_ms`."""

    def __init__(self, partner: Partner, at_ms: int) -> None:
        self._nothing = _nothing(partner, at_ms)
        staffed = partner.roster.staffed(at_ms)
        self.found: dict[Scope, Live] = {}
        """By scope; those without anybody are left out."""
        self._quiet: dict[str, Live] = {}
        if partner.waits or partner.backlog.open or staffed:
            self._find(partner, at_ms, staffed)
        if partner.policy.scopes:
            self._quieten(partner)

    def of(self, scope: Scope) -> Live:
        """What is there in a scope, if only nobody."""
        return self.found.get(scope) or self._quiet.get(scope.dimension) or self._nothing

    def _find(self, partner: Partner, at_ms: int, staffed: dict[Place, tuple[int, int]]) -> None:
        rest, asked = self._nothing[3:], 3 if partner.policy.scopes else 2  # Sides may be known that no policy asks for any more.
        for scope, (count, oldest_ms, past) in _queued(partner.waits, at_ms, asked).items():
            self.found[scope] = Live(count, at_ms - oldest_ms, past, *(_UNKNOWN[3:] if scope.dimension in SIDES else rest))
        for place, opened, overdue in partner.backlog.at(at_ms):
            for scope in scopes_of(*place[:asked]) if opened else ():
                have = self._have(scope)
                backlog = (have.backlog or 0) + opened
                self.found[scope] = have._replace(backlog=backlog, backlog_overdue=have.backlog_overdue + overdue)
        for place, (there, available) in staffed.items():
            for scope in scopes_of(*place[:asked]):
                have = self._have(scope)
                staff = (have.agents_staffed or 0) + there
                self.found[scope] = have._replace(agents_staffed=staff, agents_available=have.agents_available + available)

    def _have(self, scope: Scope) -> Live:
        return self.found.get(scope) or (_UNKNOWN if scope.dimension in SIDES else self._nothing)

    def _quieten(self, partner: Partner) -> None:
        """Find out of which sides it is known that nobody is there, and say so."""
        counted = flats(partner.lifted(partner.totals.presence())).items()
        aside = {scope: live for scope, live in self.found.items() if scope.dimension in SIDES}
        for side in partner.policy.scopes:
            seen = [packed for scope, packed in counted if scope.dimension == side]
            found = [live for scope, live in aside.items() if scope.dimension == side]
            queued, opened, staffed = (any(packed & mask for packed in seen) for mask in (_QUEUED, _OPENED, _STAFFED))
            self._quiet[side] = Live(
                0 if queued or any(live.waiting is not None for live in found) else None,
                None,
                0,
                backlog=0 if opened or any(live.backlog is not None for live in found) else None,
                agents_staffed=0 if staffed or any(live.agents_staffed is not None for live in found) else None,
            )
        for scope, live in aside.items():
            quiet = self._quiet.get(scope.dimension, _UNKNOWN)
            self.found[scope] = live._replace(
                waiting=quiet.waiting if live.waiting is None else live.waiting,
                backlog=quiet.backlog if live.backlog is None else live.backlog,
                agents_staffed=quiet.agents_staffed if live.agents_staffed is None else live.agents_staffed,
            )


def _nothing(partner: Partner, at_ms: int) -> Live:
    """That nobody waits, no ticket is open, and no agent is there: as far as it was known before `at_ms` that there may be any."""
    if not partner.roster.staffs(at_ms):
        return _NOTHING if partner.takes_tickets else _NOBODY
    return _NOTHING_STAFFED if partner.takes_tickets else _NOBODY_STAFFED


def _queued(waits: contacts.Waits, at_ms: int, asked: int) -> dict[Scope, list[int]]:
    """By scope, of those who queued before `at_ms`: how many, since when the first, and how many longer than their threshold.

    So many parts of a place are looked at as are `asked` for.
    """
    places: dict[contacts.Place, list[int]] = {}
    for queued_ms, place, within_ms in waits.waiting():
        if queued_ms >= at_ms:
            continue  # Else a grid point would see what happened after it, if it is looked at, and not if it is skipped.
        entry = places.get(place)
        if entry is None:
            entry = places[place] = [0, queued_ms, 0]
        entry[0] += 1
        entry[1] = min(entry[1], queued_ms)
        if at_ms - queued_ms > within_ms:
            entry[2] += 1
    found: dict[Scope, list[int]] = {}
    for place, (count, oldest_ms, past) in places.items():
        for scope in scopes_of(*place[:asked]):
            have = found.get(scope)
            if have is None:
                found[scope] = [count, oldest_ms, past]
            else:
                have[:] = have[0] + count, min(have[1], oldest_ms), have[2] + past
    return found
