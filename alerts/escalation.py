"""Escalation: who is told of an incident, and who after that when nobody answers. Pure: deadlines are absolute, and come in as the time.

A step that tells nobody, since what it asks for does not hold, its shift is empty or all its pages failed, is followed by the next at
once; only where a loop told somebody its end waits before the next begins.
"""

from dataclasses import dataclass, field, replace
from typing import Final

from alerts.around import Around, Contact
from alerts.incident import UPDATE_MS, Incident, noted, severer
from alerts.page import FALLBACK, REASSIGNED, page, target_of, to_all
from models.escalation import EscalationSpec, TargetSpec, WhenSpec
from models.incidents import Happening, IncidentTold
from models.notifications import Notification, NotifyReason, Outcome, Target
from models.windows import GRID_MS

__all__ = ["TOLD_MAX", "Step", "begun", "due", "ends_loop", "next_of", "reach", "restarted", "tell"]

TOLD_MAX: Final = 100
"""Receivers of one incident: whoever is told is told the end too, so there is an end to whom."""

_FAILED: Final = (Outcome.REJECTED, Outcome.EXPIRED)

Step = tuple[Incident, tuple[Notification, ...]]
"""What became of an incident, and what is to be sent for it."""
Tier = tuple[int, int]
"""Loop and step."""


def begun(incident: Incident, at_ms: int) -> Incident:
    """The escalation begins, after the time in which others of the group may come."""
    return replace(incident, due_ms=at_ms + _ms(incident.policy.group_wait) + _ms(incident.policy.steps[0].after))


def restarted(incident: Incident, at_ms: int, why: NotifyReason) -> Incident:
    """From the first step on, of whose group nothing is waited for any more."""
    return replace(incident, loop=0, step=None, pages=(), why=why, due_ms=at_ms + _ms(incident.policy.steps[0].after))


def due(incident: Incident, around: Around) -> Step:
    """All that fell due by `around.at_ms`; in a past nothing does, up to where that was caught up on when it did, however slow we are."""
    at_ms, next_ms = around.at_ms, incident.next_ms
    if next_ms is None or next_ms > at_ms:
        return incident, ()
    if at_ms < around.head_ms and not 0 < incident.head_ms <= at_ms:
        return replace(incident, head_ms=around.head_ms), ()
    late, pages = incident.head_ms != 0, list[Notification]()
    incident = _lapsed(incident, at_ms)
    while not incident.quiet and incident.due_ms is not None and incident.due_ms <= at_ms:
        incident, told = _next(incident, around, late=late)
        pages += told
    if incident.update_owed and incident.updated_ms + UPDATE_MS <= at_ms:
        told_now = frozenset(each.receiver.id for each in pages)
        updates = to_all(incident, "update", NotifyReason.CHANGED, at_ms, told_now)
        pages += updates
        incident = replace(incident, update_owed=False, updated_ms=at_ms if updates else incident.updated_ms)
    if late and (pages or incident.quiet):
        incident = replace(incident, head_ms=0)
    return incident, tuple(pages)


def next_of(policy: EscalationSpec, tier: Tier | None, *, reached: bool = True) -> tuple[Tier, int] | None:
    """Who comes after a tier (None: the first), and after how many ms; None after the last. `reached`: its loop told somebody."""
    if tier is None:
        return (0, 0), 0
    loop, step = tier
    if step == FALLBACK:
        return None
    if step == REASSIGNED:
        return (0, 0), _ms(policy.loop_after)
    if step + 1 < len(policy.steps):
        return (loop, step + 1), _ms(policy.steps[step + 1].after)
    if loop + 1 < policy.loops and reached:
        return (loop + 1, 0), _ms(policy.loop_after) + _ms(policy.steps[0].after)
    return ((loop, FALLBACK), _ms(policy.loop_after) if reached else 0) if policy.fallback else None


def reach(incident: Incident, target: TargetSpec, around: Around) -> tuple[Contact, ...]:
    """Where a target is told now: a receiver that its policy names as it was when the incident opened."""
    for each in incident.receivers if target.receiver is not None else ():
        if each.id == target.receiver:
            return (Contact(each, None, "client" if each.partner is None else "partner"),)
    return around.directory.reach(target, around.at_ms)


def tell(incident: Incident, chosen: list[tuple[TargetSpec, Contact]], around: Around, reason: NotifyReason, *, late: bool = False) -> Step:
    """Page these for the present loop and step: a receiver is told once, as it was when it first was."""
    at_ms, step = around.at_ms, incident.step
    assert step is not None, "somebody is told at a step"
    known = {(each.receiver.type, each.receiver.id): each for each in incident.told}
    pages: dict[tuple[str, str], Notification] = {}
    for spec, contact in chosen:
        identity = contact.receiver.type, contact.receiver.id
        if identity in pages or (identity not in known and len(known) >= TOLD_MAX):
            continue
        before = known.get(identity)
        target, receiver = target_of(spec, contact.person), before.receiver if before else contact.receiver
        side, receipt = (before.side, before.receipt) if before else (contact.side, None)
        told = pages[identity] = page(incident, "trigger", reason, (target, receiver, side, receipt), at_ms, late=late, step=step)
        known[identity] = IncidentTold(
            receiver=receiver,
            target=target,
            side=side,
            loop=incident.loop,
            step=step,
            epoch=incident.epoch,
            reason=reason,
            notification=told.id,
            at=at_ms,
            receipt=receipt,
        )
    incident = replace(incident, told=tuple(known.values()), pages=tuple(each.id for each in pages.values()))
    names = ", ".join(_name(each.target, each.receiver.id) for each in pages.values())
    return noted(incident, at_ms, Happening.TOLD, f"{names}: {reason}"), tuple(pages.values())


def _next(incident: Incident, around: Around, *, late: bool) -> Step:
    """The tier that is due now."""
    policy, at_ms, due_ms = incident.policy, around.at_ms, incident.due_ms
    assert due_ms is not None, "something is due"
    found = next_of(policy, None if incident.step is None else (incident.loop, incident.step), reached=_reached(incident))
    if found is None:
        return noted(replace(incident, due_ms=None, pages=()), at_ms, Happening.EXHAUSTED), ()
    (loop, step), _ = found
    incident = replace(incident, loop=loop, step=step)
    after = next_of(policy, (loop, step))
    if after is not None and due_ms <= at_ms - GRID_MS and _is_past(policy, (loop, step), due_ms, at_ms):
        incident = noted(incident, at_ms, Happening.PASSED_OVER, f"{_called(step)}: long past")
        return replace(incident, due_ms=due_ms + after[1]), ()
    chosen = _chosen(incident, around)
    incident, why = chosen.incident, NotifyReason.FALLBACK if step == FALLBACK else incident.why
    if not chosen.contacts:
        # The next is due at once, unless this loop told somebody, who has the time between loops to answer.
        pause_ms = after[1] if after is not None and ends_loop(incident) else 0
        following = NotifyReason.EMPTY_SHIFT if chosen.empty else incident.why
        return replace(incident, why=following, due_ms=due_ms + pause_ms), ()
    incident, pages = tell(incident, chosen.contacts, around, why, late=late)
    # Whoever was told last has the time before the end of all to answer, too.
    last_ms = None if after is None else at_ms + after[1]
    incident = replace(incident, why=NotifyReason.NOT_ACKNOWLEDGED, due_ms=last_ms)
    return (incident if last_ms is not None else noted(incident, at_ms, Happening.EXHAUSTED)), pages


def _reached(incident: Incident) -> bool:
    """Whether the present loop told somebody whose page may have arrived."""
    return any(each.epoch == incident.epoch and each.loop == incident.loop and each.outcome not in _FAILED for each in incident.told)


def ends_loop(incident: Incident) -> bool:
    """Whether whoever is next is so after the time between loops, since the present one told somebody."""
    ahead = None if incident.step is None else next_of(incident.policy, (incident.loop, incident.step), reached=_reached(incident))
    return ahead is not None and ahead[0][0] > incident.loop


def _is_past(policy: EscalationSpec, tier: Tier, due_ms: int, at_ms: int) -> bool:
    """Whether those who come after a tier, and after all that is due with it, are due too."""
    later_ms, ahead = due_ms, next_of(policy, tier)
    while ahead is not None and later_ms == due_ms:
        later_ms += ahead[1]
        ahead = next_of(policy, ahead[0])
    return due_ms < later_ms <= at_ms


@dataclass(slots=True)
class _Chosen:
    """Whom a step means now."""

    incident: Incident
    contacts: list[tuple[TargetSpec, Contact]] = field(default_factory=list)
    empty: bool = False


def _chosen(incident: Incident, around: Around) -> _Chosen:
    at_ms, step = around.at_ms, incident.step
    assert step is not None, "a step was reached"
    targets, when = (incident.policy.fallback, WhenSpec()) if step == FALLBACK else _said(incident.policy, step)
    unmet = _unmet(incident, when, around)
    if unmet is not None:
        return _Chosen(noted(incident, at_ms, Happening.PASSED_OVER, f"{_called(step)}: {unmet}"))
    chosen, away = _Chosen(incident), when.hours == "responder_at_work"
    for target in targets:
        reached = reach(incident, target, around)
        if not reached:
            chosen.empty = True
            text = f"{_called(step)}: {_name(target_of(target, None))} means nobody now"
            emptied = replace(chosen.incident, empty_shifts=chosen.incident.empty_shifts + 1)
            chosen.incident = noted(emptied, at_ms, Happening.EMPTY_SHIFT, text)
        chosen.contacts += [(target, each) for each in reached if not (away and _is_away(each, around))]
    if not chosen.contacts and not chosen.empty:
        chosen.incident = noted(chosen.incident, at_ms, Happening.PASSED_OVER, f"{_called(step)}: nobody of it is at work")
    return chosen


def _called(step: int) -> str:
    return "fallback" if step == FALLBACK else f"step {step + 1}"


def _is_away(contact: Contact, around: Around) -> bool:
    return contact.person is not None and not around.directory.at_work(contact.person, around.at_ms)


def _said(policy: EscalationSpec, step: int) -> tuple[tuple[TargetSpec, ...], WhenSpec]:
    return policy.steps[step].tell, policy.steps[step].when


def _unmet(incident: Incident, when: WhenSpec, around: Around) -> str | None:
    """What of a step's conditions does not hold; None if all do."""
    if when.severity is not None and severer(when.severity, incident.severity):
        return f"not {when.severity}"
    if when.hours in {"partner_open", "partner_closed"}:
        is_open = around.directory.is_open(around.at_ms)
        if is_open != (when.hours == "partner_open"):
            return f"the partner is {'open' if is_open else 'closed'}"
    if when.criticality is not None and all((each.criticality or 0) < when.criticality for each in incident.open):
        return f"nothing of it weighs {when.criticality}"
    return None


def _lapsed(incident: Incident, at_ms: int) -> Incident:
    """Without what held its pages back up to now."""
    held, until_ms = incident.held, incident.absorbed_until_ms
    if held is not None and held.until is not None and held.until <= at_ms:
        incident = noted(replace(incident, held=None), at_ms, Happening.ACK_ENDED, f"{held.what} by {held.by}")
        incident = restarted(incident, at_ms, NotifyReason.ACK_ENDED)
    if incident.absorbed_by is not None and until_ms is not None and until_ms <= at_ms:
        incident = noted(replace(incident, absorbed_by=None, absorbed_until_ms=None), at_ms, Happening.ACK_ENDED, "the storm is over")
        incident = restarted(incident, at_ms, NotifyReason.ACK_ENDED)
    return incident


def _name(target: Target, receiver: str | None = None) -> str:
    said = f"{target.kind} {target.id}"
    if target.person is not None and target.person != target.id:
        said += f" ({target.person})"
    return said if receiver is None or receiver == target.id else f"{said} by {receiver}"


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
