"""What the topic of policies keeps: every revision of every part, and which of them hold. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from models.errors import PolicyError, Problem
from models.operation import PolicyRecord
from models.policy_file import whole
from models.policy_record import decode_policy
from models.policy_spec import PartnerPart, PolicyFile, SharedPart
from models.rules import Rule
from models.topics import BROADCAST

__all__ = ["Revision", "Stored", "current", "history", "restored", "rule_since"]

Stored = Mapping[tuple[int, bytes], bytes]
"""The latest value of each (partition, key); what was deleted is not there."""

_FILE: Final = "outwatch.policies"


@dataclass(frozen=True, slots=True)
class Revision:
    """One part of a policy as it was applied."""

    partner: str
    """`*`: what all partners share."""
    revision: str
    applied_at: int
    """Epoch milliseconds, of the last time where it was applied more than once."""
    current: bool
    part: SharedPart | PartnerPart


def current(stored: Stored) -> list[Revision]:
    """What holds now: what is shared first, then partners by id.

    Raises:
        PolicyError: if a record does not read.
    """
    return sorted({each.partner: each for each in _revisions(stored) if each.current}.values(), key=lambda each: each.partner)


def history(stored: Stored) -> list[Revision]:
    """Every revision that there was, the newest first.

    Raises:
        PolicyError: if a record does not read.
    """
    found = {(each.partner, each.revision): each for each in sorted(_revisions(stored), key=lambda each: each.current)}
    return sorted(found.values(), key=lambda each: (-each.applied_at, each.partner, each.revision))


def rule_since(stored: Stored, rule: Rule) -> int | None:
    """When a rule that holds now was applied as it is, by what is shared; epoch milliseconds, None where that is not kept.

    Raises:
        PolicyError: if a record does not read.
    """
    since_ms = None
    for each in history(stored):
        if not isinstance(each.part, SharedPart):
            continue
        same = any(spec.id == rule.id and spec.compiled.revision == rule.revision for spec in each.part.rules)
        if same:
            since_ms = each.applied_at
        elif since_ms is not None:
            break
    return since_ms


def restored(stored: Stored, revision: str) -> PolicyFile:
    """The policy that holds now, with one part as it was under `revision`; a partner that is no longer named is named again.

    Raises:
        PolicyError: if there is no such revision, or it does not hold together with the other parts.
    """
    found = [each for each in history(stored) if each.revision == revision]
    if not found:
        remedy = "`outwatch policy history` lists them"
        raise PolicyError([Problem(_FILE, 0, revision, "is no revision of this topic", remedy)])
    parts = {each.partner: each.part for each in current(stored)}
    return _whole(parts | {each.partner: each.part for each in found})


def _whole(parts: Mapping[str, SharedPart | PartnerPart]) -> PolicyFile:
    shared = parts.get(BROADCAST)
    own = [part for part in parts.values() if isinstance(part, PartnerPart)]
    return whole(shared if isinstance(shared, SharedPart) else SharedPart(), own, _FILE)


def _revisions(stored: Stored) -> Iterator[Revision]:
    for (_, key), value in stored.items():
        change = decode_policy(key, value)
        if change.part is not None and change.revision is not None:
            applied_at = PolicyRecord.model_validate_json(value).applied_at
            yield Revision(change.partner, change.revision, applied_at, change.current, change.part)
