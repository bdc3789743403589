"""What the topics hold of an annotation: itself, and what was counted before and after it. Workers are not asked."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from models.errors import OutwatchError
from models.notices import ANNOTATION, AnnotationState, notice_key
from models.settings import Settings
from models.topics import BROADCAST, MINUTES_KEPT_MS, QUARTERS_KEPT_MS, partition_of
from models.windows import Scope, record_key
from models.yaml_file import suggest
from streams.explained import newest, policies_in
from streams.past import Past, reading
from streams.policies import read_policies
from streams.present import read_present
from streams.recomputed.before_after import Change, Spans, changes, remarks, spans
from streams.recomputed.kept import Kept

__all__ = ["BeforeAfter", "NoAnnotationError", "annotations", "before_after"]

Json = Mapping[str, Any]
_BEATS_MS = 60_000


class NoAnnotationError(OutwatchError):
    """Raised when there is no such annotation, or it is not known of whom."""


@dataclass(frozen=True, slots=True)
class BeforeAfter:
    """What changed with what an annotation notes."""

    note: AnnotationState
    partner: str
    scope: Scope
    spans: Spans
    changes: tuple[Change, ...]
    remarks: tuple[str, ...]


async def annotations(settings: Settings) -> list[AnnotationState]:
    """All that are kept, by when they begin.

    Raises:
        TopicsError: if the topics are not as they must be.
        aiokafka.errors.KafkaError: if Kafka cannot be reached.
    """
    prefix = notice_key(ANNOTATION, "").encode()
    stored = await read_present(settings, settings.topics.alerts_state)
    found = {key: AnnotationState.model_validate_json(value) for (_, key), value in stored.items() if key.startswith(prefix)}
    return sorted(found.values(), key=lambda each: (each.from_, each.id))


async def before_after(
    settings: Settings, identity: str, partner: str | None, scope: Scope, span_ms: int | None, now_ms: int
) -> BeforeAfter:
    """Read what was counted before and after what an annotation notes, and compare it.

    Raises:
        NoAnnotationError: if there is no such annotation, or none of that partner.
        NotYetError: if there is nothing to compare with yet.
        TopicsError: if the topics are not as they must be.
        aiokafka.errors.KafkaError: if Kafka cannot be reached.
    """
    note = _one(identity, await annotations(settings))
    stored = policies_in(await read_policies(settings))
    whose = _whose(note, partner, stored.partner_ids)
    number = partition_of(whose, settings.partitions, settings.partitioner)
    topics = settings.topics
    async with reading(settings) as past:
        beats = await newest(past, [topics.heartbeats], number, now_ms - _BEATS_MS) or await newest(past, [topics.heartbeats], number, None)
        policy = stored.of(whose)
        closed_ms = max((each["frontier"] for each in beats.values()), default=0) - policy.settle_ms
        kept = Kept(policy, scope, minutes_from_ms=closed_ms - MINUTES_KEPT_MS, quarters_from_ms=closed_ms - QUARTERS_KEPT_MS)
        of = spans(note, kept, closed_ms, span_ms)
        kept = await _read(past, settings, kept, number, of.before[0])
    found = tuple(changes(kept, of))
    return BeforeAfter(note, whose, scope, of, found, tuple(remarks(kept, of, found)))


async def _read(past: Past, settings: Settings, kept: Kept, number: int, since_ms: int) -> Kept:
    topics, prefix = settings.topics, record_key(kept.policy.partner_id, kept.scope, "")
    days, quarters, minutes = [
        list((await newest(past, [topic], number, since_ms, prefix)).values())
        for topic in (topics.rollups_1d, topics.rollups_15m, topics.rollups_1m)
    ]
    return replace(kept, days=days, quarters=quarters, minutes=minutes)


def _one(identity: str, notes: list[AnnotationState]) -> AnnotationState:
    found = [each for each in notes if each.id.startswith(identity)]
    exact = [each for each in found if each.id == identity]
    if len(found) != 1 and not exact:
        what = f"{len(found)} annotations begin with {identity}" if found else f"no annotation {identity}"
        msg = f"{what} (outwatch annotation list shows what there is)"
        raise NoAnnotationError(msg)
    return (exact or found)[0]


def _whose(note: AnnotationState, partner: str | None, configured: list[str]) -> str:
    if note.partner == BROADCAST:
        if partner is None:
            msg = f"{note.id} is of all partners: say of which with --partner"
            raise NoAnnotationError(msg)
        if partner not in configured:
            msg = f"no policy names a partner {partner!r} ({suggest(partner, configured, None if configured else 'there are none at all')})"
            raise NoAnnotationError(msg)
        return partner
    if partner not in (None, note.partner):
        msg = f"{note.id} is of {note.partner}, not of {partner}"
        raise NoAnnotationError(msg)
    return note.partner
