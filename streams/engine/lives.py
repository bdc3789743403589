"""What is so now, by scope: who waits, which tickets are open, and which agents are there."""

from typing import Final

from models.figures import Live
from models.windows import Scope
from streams.engine.contacts import Waits
from streams.engine.partner import Partner
from streams.engine.totals import scopes_of

__all__ = ["lives", "nobody"]

_NOBODY: Final = Live(0, None, 0)
_NOTHING: Final = Live(0, None, 0, 0, 0)
_NOBODY_STAFFED: Final = Live(0, None, 0, agents_staffed=0)
_NOTHING_STAFFED: Final = Live(0, None, 0, 0, 0, 0)


def nobody(partner: Partner, at_ms: int) -> Live:
    """That nobody waits, no ticket is open, and no agent is there: as far as it was known before `at_ms` that there may be any."""
    if not partner.roster.staffs(at_ms):
        return _NOTHING if partner.takes_tickets else _NOBODY
    return _NOTHING_STAFFED if partner.takes_tickets else _NOBODY_STAFFED


def lives(partner: Partner, at_ms: int) -> dict[Scope, Live]:
    """Who queued before `at_ms` and waits, which tickets are open, and who is there, by scope; scopes without any are left out."""
    waits, nothing = partner.waits, nobody(partner, at_ms)
    staffed = partner.roster.staffed(at_ms)
    if not waits and not partner.backlog.open and not staffed:
        return {}
    rest = nothing[3:]
    found = {scope: Live(count, at_ms - oldest_ms, past, *rest) for scope, (count, oldest_ms, past) in _queued(waits, at_ms).items()}
    for (queue, channel), opened, overdue in partner.backlog.at(at_ms):
        for scope in scopes_of(queue, channel) if opened else ():
            live = found.get(scope, nothing)
            found[scope] = live._replace(backlog=(live.backlog or 0) + opened, backlog_overdue=live.backlog_overdue + overdue)
    for (queue, channel), (there, available) in staffed.items():
        for scope in scopes_of(queue, channel):
            live = found.get(scope, nothing)
            staff = (live.agents_staffed or 0) + there
            found[scope] = live._replace(agents_staffed=staff, agents_available=live.agents_available + available)
    return found


def _queued(waits: Waits, at_ms: int) -> dict[Scope, list[int]]:
    """By scope, of those who queued before `at_ms`: how many, since when the first, and how many longer than their threshold."""
    by_cell: dict[tuple[str | None, str | None], list[int]] = {}
    for queued_ms, queue, channel, within_ms in waits.waiting():
        if queued_ms >= at_ms:
            continue  # Else a grid point would see what happened after it, if it is looked at, and not if it is skipped.
        entry = by_cell.get((queue, channel))
        if entry is None:
            entry = by_cell[queue, channel] = [0, queued_ms, 0]
        entry[0] += 1
        entry[1] = min(entry[1], queued_ms)
        if at_ms - queued_ms > within_ms:
            entry[2] += 1
    found: dict[Scope, list[int]] = {}
    for (queue, channel), (count, oldest_ms, past) in by_cell.items():
        for scope in scopes_of(queue, channel):
            have = found.get(scope)
            if have is None:
                found[scope] = [count, oldest_ms, past]
            else:
                have[:] = have[0] + count, min(have[1], oldest_ms), have[2] + past
    return found
