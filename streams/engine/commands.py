"""Commands of operators: what is asked for, done, and what came of it.

`customer.erase` {customer: 16 hex digits} forgets a customer of every partner, by the 64-bit hash of the key; what was counted stays.
"""

from typing import Final, Literal

from pydantic import BaseModel, Field, ValidationError

from models.customers import ERASE
from models.records import Command
from streams.engine.letters import Origin, SourceRecord
from streams.engine.output import Output, cloudevent
from streams.engine.state import State

__all__ = ["obey"]

_UNKNOWN: Final = "this release knows no such command"


class _Erase(BaseModel):
    customer: str = Field(pattern=r"^[0-9a-f]{16}$")


def obey(state: State, origin: Origin, record: SourceRecord, now_ms: int) -> Output:
    """Do what a command asks for; its outcome, on `outwatch.alerts`: the audit of what was asked and what came of it."""
    outcome: Literal["applied", "refused"] = "refused"
    identity, kind, partner = f"{origin.partition}-{record.offset}", "unreadable", "*"
    try:
        command = Command.model_validate_json(record.value or b"null")
        identity, kind, partner, reason = command.id, command.type, command.partner, _UNKNOWN
        if kind == ERASE:
            customer = int(_Erase.model_validate(command.payload).customer, 16)
            known = state.history.erase(customer)
            state.contributions.erase(customer)
            outcome, reason = "applied", f"forgotten of {known} partners of partition {origin.partition}"
    except ValidationError as error:
        reason = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors(include_url=False))[:500]
    body = {"id": identity, "command": kind, "partner": partner, "outcome": outcome, "reason": reason, "processed_at": now_ms}
    return cloudevent(state.config.topics.alerts, "command.outcome", state.config.source, partner, partner, identity, body)
