"""Commands of operators: what is asked for, done once, and what came of it.

`customer.erase` {customer: 16 hex digits} forgets a customer of every partner, by the 64-bit hash of the key; what was counted stays.
The others are those of `models.commands`. They hold in stream time from the time of their record on, so that a silence covers the
same grid points however far behind we read; under `clock: log` from the frontier on, since that is not the broker's clock.
"""

import traceback
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final, NamedTuple

from pydantic import BaseModel, Field, ValidationError

from alerts.aside import NOTHING, commented
from alerts.condition import Condition, Phase
from alerts.errors import IncidentError
from models.commands import ACK, ANNOTATE, COMMENT, EXPIRE, NO_PARTNER, PAYLOADS, SILENCE
from models.customers import ERASE
from models.notices import AnnotationState, OverrideState, SilenceState
from models.notifications import RESULT, NotificationResult
from models.oncall_commands import CANCEL, OVERRIDE
from models.operation import Command
from models.reasons import RejectReason
from models.records import Ack, Comment
from models.topics import BROADCAST
from models.windows import DAY_MS, GRID_MS, HOUR_MS
from streams.engine.aimed import misses
from streams.engine.attended import Beside
from streams.engine.done import Done
from streams.engine.incident_commands import INCIDENT_COMMANDS, acknowledge_of, answer, ask
from streams.engine.letters import Origin, SourceRecord, dead_letter
from streams.engine.output import Output, cloudevent
from streams.engine.state import State

__all__ = ["obey"]

_SILENCE_MAX_MS: Final = 366 * DAY_MS
_OVERRIDE_MAX_MS: Final = 366 * DAY_MS


class _Erase(BaseModel):
    customer: str = Field(pattern=r"^[0-9a-f]{16}$")


class _RefusedError(Exception):
    """Raised when a command reads well and cannot be done; the text says why."""


class _Asked(NamedTuple):
    """A command where it is to be done."""

    state: State
    command: Command
    payload: Any
    at_ms: int
    """Stream time from which on it holds."""


_Answer = tuple[str, Beside | None]


def obey(state: State, origin: Origin, record: SourceRecord, now_ms: int) -> tuple[list[Output], Beside | None]:
    """Do what a command asks for.

    Returns:
        Its outcome, on `outwatch.alerts`: the audit of what was asked and what came of it; before it the dead letter of what could
        not be read, or made our own code raise. And the condition beside which something else stands now, if one does.
    """
    letters: list[Output] = []
    identity, kind, partner, place = f"{origin.partition}-{record.offset}", "unreadable", "*", None
    at_ms = state.frontier.value_ms if state.config.clock_from_log else min(record.timestamp, now_ms)
    try:
        command = Command.model_validate_json(record.value or b"null")
        identity, kind, partner = command.id, command.type, command.partner
        if kind == RESULT:
            # There are many of them, one is no operator's, and to take one twice changes nothing: none is answered.
            answer(state, NotificationResult.model_validate(command.payload), at_ms)
            return letters, None
        done = state.done.of(identity)
        if done is None:
            reason, place = _do(state, command, at_ms)
            done = state.done.keep(identity, Done(at_ms, "applied", reason))
    except ValidationError as error:
        reason = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors(include_url=False))[:500]
        letters.append(dead_letter(state.config.topics.dead_letters, origin, record, RejectReason.INVALID, reason, now_ms))
        done = Done(at_ms, "refused", reason)
    except _RefusedError as error:
        done = state.done.keep(identity, Done(at_ms, "refused", str(error)))
    except Exception as error:  # noqa: BLE001 - whatever our own code raises, the worker and all other commands go on
        letters += _failed(state, origin, record, kind, at_ms, now_ms, error)
        if kind == RESULT:
            return letters, None
        # It is not taken for done: after an upgrade it may be asked for again under its id.
        done = Done(at_ms, "refused", f"outwatch failed at it, see the dead letters: {type(error).__name__}")
    body = {"id": identity, "command": kind, "partner": partner, "outcome": done.outcome, "reason": done.reason, "processed_at": now_ms}
    outcome = cloudevent(state.config.topics.alerts, "command.outcome", state.config.source, partner, partner, identity, body)
    return [*letters, outcome], place


def _failed(state: State, origin: Origin, record: SourceRecord, kind: str, at_ms: int, now_ms: int, error: Exception) -> list[Output]:
    """Count a command at which our own code raised; of its type one is a letter in an hour of stream time, after a restart perhaps two."""
    state.counters["commands_failed"] += 1
    if abs(at_ms - state.failed_ms.get(kind, -HOUR_MS)) < HOUR_MS:
        return []
    state.failed_ms[kind] = at_ms
    state.counters[f"dead_letters.{RejectReason.BUG}"] += 1
    why = "".join(traceback.format_exception(error))
    return [dead_letter(state.config.topics.dead_letters, origin, record, RejectReason.BUG, why, now_ms)]


def _do(state: State, command: Command, at_ms: int) -> _Answer:
    step = _STEPS.get(command.type)
    if step is None:
        msg = "this release knows no such command"
        raise _RefusedError(msg)
    model = PAYLOADS.get(command.type, _Erase)
    return step(_Asked(state, command, model.model_validate(command.payload), at_ms))


def _erase(asked: _Asked) -> _Answer:
    state, customer = asked.state, int(asked.payload.customer, 16)
    known = state.history.erase(customer)
    state.contributions.erase(customer)
    return f"forgotten of {known} partners of partition {state.partition}", None


def _silence(asked: _Asked) -> _Answer:
    state, command, payload, at_ms = asked
    if not at_ms < payload.until <= at_ms + _SILENCE_MAX_MS:
        msg = "it would be over already" if payload.until <= at_ms else "a silence ends within a year"
        raise _RefusedError(msg)
    said = {"id": command.id, "partner": command.partner, "actor": command.actor, "at": command.at, "from": at_ms}
    silence = SilenceState.model_validate(said | payload.model_dump(exclude_none=True))
    if not state.silences.put(silence):
        msg = f"there are {len(state.silences.held)} silences, as many as a partition keeps"
        raise _RefusedError(msg)
    _look_again(state, at_ms)
    of = state.partners.values() if command.partner == BROADCAST else filter(None, [state.partners.get(command.partner)])
    missed = misses(payload.matchers, of)
    return "silenced" if missed is None else f"silenced; it fits no alert so far: {missed}", None


def _expire(asked: _Asked) -> _Answer:
    state, _, payload, at_ms = asked
    silence = state.silences.held.get(payload.silence)
    if silence is None:
        msg = f"no silence {payload.silence} holds in partition {state.partition}"
        raise _RefusedError(msg)
    state.silences.put(silence.model_copy(update={"until": max(silence.from_, min(silence.until, at_ms))}))
    _look_again(state, at_ms)
    return "expired", None


def _look_again(state: State, at_ms: int) -> None:
    """Have every partner with open alerts looked at at the first grid point from `at_ms` on."""
    grid_ms = at_ms + -at_ms % GRID_MS
    for partner in state.partners.values():
        if not partner.asides:
            continue
        if grid_ms > partner.panes.closed_ms:
            state.want(partner, grid_ms)
        else:
            # After a restart nothing else would tell that the last grid point did not know of it yet.
            state.touch(partner, partner.panes.closed_ms + GRID_MS)


def _acknowledge(asked: _Asked) -> _Answer:
    state, command, payload, at_ms = asked
    place, condition = _alert(asked)
    if not condition.open:
        msg = f"the alert is {condition.phase}: only one that is open can be acknowledged"
        raise _RefusedError(msg)
    if payload.until is not None and payload.until <= at_ms:
        msg = "it would be over already"
        raise _RefusedError(msg)
    acknowledge_of(state, command, payload, at_ms)
    ack = Ack(actor=command.actor, at=at_ms, until=payload.until, comment=payload.comment)
    place.partner.asides[place.rule_id, place.scope] = replace(place.former, ack=ack)
    if payload.until is not None:
        state.want(place.partner, payload.until + -payload.until % GRID_MS)
    return f"acknowledged by {command.actor}", place


def _comment(asked: _Asked) -> _Answer:
    command = asked.command
    place, condition = _alert(asked)
    if condition.phase in (Phase.OK, Phase.PENDING):
        msg = "the alert is not open, and was not just resolved"
        raise _RefusedError(msg)
    comment = Comment(actor=command.actor, at=asked.at_ms, text=asked.payload.comment)
    place.partner.asides[place.rule_id, place.scope] = commented(place.former, comment)
    return f"commented by {command.actor}", place


def _incident(asked: _Asked) -> _Answer:
    try:
        return ask(*asked), None
    except IncidentError as error:
        raise _RefusedError(str(error)) from error


def _alert(asked: _Asked) -> tuple[Beside, Condition]:
    """The condition that a command names, with anything to tell."""
    partner = asked.state.partners.get(asked.command.partner)
    for (rule_id, scope), condition in partner.conditions.items() if partner is not None else ():
        if not condition.blank and condition.fingerprint == asked.payload.fingerprint:
            assert partner is not None
            return Beside(partner, rule_id, scope, partner.asides.get((rule_id, scope), NOTHING)), condition
    msg = f"{asked.command.partner} has no alert {asked.payload.fingerprint}"
    raise _RefusedError(msg)


def _annotate(asked: _Asked) -> _Answer:
    state, command, payload, _ = asked
    said = {"id": command.id, "partner": command.partner, "actor": command.actor, "at": command.at}
    if not state.annotations.put(AnnotationState.model_validate(said | payload.model_dump(by_alias=True))):
        msg = f"there are {len(state.annotations.held)} annotations, as many as a partition keeps"
        raise _RefusedError(msg)
    known = command.partner == BROADCAST or command.partner in state.partners
    return "annotated" if known else f"annotated; {NO_PARTNER}", None


def _override(asked: _Asked) -> _Answer:
    state, command, payload, at_ms = asked
    if not at_ms < payload.to <= at_ms + _OVERRIDE_MAX_MS:
        msg = "it would be over already" if payload.to <= at_ms else "an override ends within a year"
        raise _RefusedError(msg)
    said = {"id": command.id, "partner": command.partner, "actor": command.actor, "at": command.at}
    said |= payload.model_dump(by_alias=True, exclude_none=True)
    # Not before it was asked for: whom a grid point tells must not depend on whether this was read before it was closed.
    if not state.overrides.put(OverrideState.model_validate(said | {"from": max(payload.from_, at_ms)})):
        msg = f"there are {len(state.overrides.held)} overrides, as many as a partition keeps"
        raise _RefusedError(msg)
    return f"{payload.person} takes {payload.rotation}", None


def _cancel(asked: _Asked) -> _Answer:
    state, _, payload, at_ms = asked
    override = state.overrides.held.get(payload.override)
    if override is None or override.to <= at_ms:
        msg = f"no override {payload.override} holds, or will, in partition {state.partition}"
        raise _RefusedError(msg)
    if at_ms <= override.from_:
        state.overrides.expire(lambda each: each.id == override.id)
    else:
        state.overrides.put(override.model_copy(update={"to": at_ms}))
    return "cancelled", None


_STEPS: Final[dict[str, Callable[[_Asked], _Answer]]] = {
    ERASE: _erase,
    SILENCE: _silence,
    EXPIRE: _expire,
    ACK: _acknowledge,
    COMMENT: _comment,
    ANNOTATE: _annotate,
    OVERRIDE: _override,
    CANCEL: _cancel,
    **dict.fromkeys(INCIDENT_COMMANDS, _incident),
}
