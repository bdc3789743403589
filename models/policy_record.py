"""Policies on `outwatch.policies`: one record a part, under a key that names its revision and under one that says which is current."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, unquote

from pydantic import ValidationError

from models.custom import lint_kpis
from models.errors import PolicyError, Problem
from models.inhibition import lint_inhibit
from models.oncall_lint import known_of, lint_oncall
from models.operation import PolicyRecord
from models.policy_lint import lint_rules
from models.policy_spec import PartnerPart, SharedPart, to_json
from models.revisions import revision_of
from models.topics import BROADCAST
from models.yaml_file import field_name

__all__ = ["CURRENT", "PolicyChange", "decode_policy", "encode_policy", "policy_key"]

CURRENT: Final = "current"
MAX_BYTES: Final = 500_000
"""Of a record: well under what a broker takes by default, also where it stands in a row of the state."""


@dataclass(frozen=True, slots=True)
class PolicyChange:
    """What a record says: `part` holds under `revision`, for all partners (`*`) or for one."""

    partner: str
    current: bool
    """Whether it holds from now on; else it is only kept under its revision."""
    revision: str | None
    part: SharedPart | PartnerPart | None
    """None under the current key: the policy no longer names the partner."""


def policy_key(partner: str, last: str) -> bytes:
    """The key of a part: the partner (`*`: shared) and a revision, or `current`."""
    return f"{quote(partner, safe=BROADCAST)}/{last}".encode()


def encode_policy(part: SharedPart | PartnerPart, applied_at_ms: int) -> PolicyRecord:
    """The record of a part, whose revision names its content.

    Raises:
        PolicyError: if it is too large for one record.
    """
    partner = part.id if isinstance(part, PartnerPart) else BROADCAST
    content = to_json(part)
    record = PolicyRecord(partner=partner, revision=revision_of(content), applied_at=applied_at_ms, part=content)
    size = len(record.model_dump_json().encode())
    if size > MAX_BYTES:
        raise PolicyError([_problem(partner, f"takes {size} bytes, and a record holds {MAX_BYTES}", "name fewer queues or rules")])
    return record


def decode_policy(key: bytes | None, value: bytes | None) -> PolicyChange:
    """Read a record of `outwatch.policies`.

    Raises:
        PolicyError: if it does not hold; all of it is refused.
    """
    partner, _, last = (key or b"").decode(errors="replace").partition("/")
    partner = unquote(partner)
    if not partner or not last:
        raise PolicyError([_problem(repr(key), "is no key of a policy", "write partner/revision or partner/current")])
    if value is None:
        return PolicyChange(partner, last == CURRENT, None, None)
    try:
        record = PolicyRecord.model_validate_json(value)
        model = SharedPart if partner == BROADCAST else PartnerPart
        part = model.model_validate(record.part)
    except ValidationError as error:
        found = [_problem(field_name((partner, *each["loc"])), each["msg"], "apply it with this release") for each in error.errors()]
        raise PolicyError(found) from None
    named = part.id if isinstance(part, PartnerPart) else BROADCAST
    if {record.partner, named} != {partner} or last not in {CURRENT, record.revision}:
        message = f"holds the part of {named!r} in revision {record.revision}"
        raise PolicyError([_problem(f"{partner}/{last}", message, "apply the policy again")])
    if isinstance(part, SharedPart):
        findings = list(lint_kpis(part.kpis)) or [
            each for each in lint_rules(part.rules, part.windows, part.customs.catalogue) if each.level == "error"
        ]
        findings += lint_inhibit(part.inhibit, [rule.compiled for rule in part.rules])
        known = known_of(*(record.part.get(name, ()) for name in ("people", "rotations", "receivers")))
        findings += [each for each in lint_oncall(part.people, part.rotations, (), known) if each.level == "error"]
        if findings:
            raise PolicyError([_problem(field_name(each.path), each.message, each.remedy) for each in findings])
    return PolicyChange(partner, last == CURRENT, record.revision, part)


def _problem(field: str, message: str, remedy: str) -> Problem:
    return Problem("outwatch.policies", 0, field, message, remedy)
