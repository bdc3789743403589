"""Commands of operators: this release knows none yet, and says so to whoever sent one."""

from pydantic import ValidationError

from models.records import Command
from streams.engine.config import EngineConfig
from streams.engine.letters import Origin, SourceRecord
from streams.engine.output import Output, cloudevent

__all__ = ["outcome_of"]


def outcome_of(origin: Origin, record: SourceRecord, config: EngineConfig, now_ms: int) -> Output:
    """The outcome of a command, on `outwatch.alerts`: the audit of what was asked and what came of it."""
    try:
        command = Command.model_validate_json(record.value or b"null")
        identity, kind, partner, reason = command.id, command.type, command.partner, "this release knows no such command"
    except ValidationError as error:
        identity, kind, partner = f"{origin.partition}-{record.offset}", "unreadable", "*"
        reason = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors(include_url=False))[:500]
    body = {"id": identity, "command": kind, "partner": partner, "outcome": "refused", "reason": reason, "processed_at": now_ms}
    return cloudevent(config.topics.alerts, "command.outcome", config.source, partner, partner, identity, body)
