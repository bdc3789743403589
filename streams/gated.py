"""Why a rule alerted at a grid point, or did not: every gate, out of the alert's kept evidence, else out of closed stretches."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, NamedTuple

import orjson

from alerts import fingerprint
from alerts.gate import Gate
from alerts.gates import held_since, kept_gates
from models.criticality import said_by_rule
from models.errors import OutwatchError
from models.policy import PartnerPolicy
from models.rules import Rule
from models.settings import Settings
from models.topics import MINUTES_KEPT_MS, QUARTERS_KEPT_MS, partition_of
from models.windows import GRID_MS, Scope, record_key
from models.yaml_file import suggest
from streams.explained import newest, policies_in, records_of
from streams.past import Past, reading
from streams.policies import read_policies
from streams.policy_history import rule_since
from streams.recomputed.added import anchor
from streams.recomputed.kept import Kept
from streams.recomputed.rule import judged, reach_ms
from streams.recomputed.usual import since_of

__all__ = ["UNKNOWN", "Asked", "Gated", "Known", "NoRuleError", "explain_gates", "gated"]

Json = Mapping[str, Any]
_HEX: Final = frozenset("0123456789abcdef")
_FINGERPRINT_CHARACTERS: Final = 32
_PARTS: Final = (2, 3)


class NoRuleError(OutwatchError):
    """Raised when nothing is known of a fingerprint, or no such rule is judged for it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One rule in one scope of one partner."""

    partner: str
    rule: str
    scope: Scope


class Known(NamedTuple):
    """What is known beside events and stretches."""

    since_ms: int | None = None
    """When the rule began to hold as it is."""
    first_ms: int | None = None
    """When the first hour began of which anything of the partner is kept (`streams.recomputed.usual`)."""


UNKNOWN: Final = Known()


@dataclass(frozen=True, slots=True)
class Gated:
    """How one condition stood at a grid point, and why."""

    fingerprint: str
    partner: str
    rule: str
    scope: str
    at: int
    state: str
    """After its last change by then."""
    since: int | None
    """When that was; None where none is kept."""
    severity: str | None
    source: Literal["kept", "recomputed", "unknown"]
    said: str
    """Where the gates come from, and what is not the same as it was."""
    gates: tuple[Gate, ...]


def explain_gates(asked: Asked, at_ms: int, kept: Kept, events: Sequence[Json], known: Known = UNKNOWN) -> Gated:
    """Put together what is known. Pure.

    Args:
        asked: what it is about.
        at_ms: a grid point.
        kept: the policy of the partner, as it is now, and the closed stretches of the scope.
        events: its `models.records.AlertEvent`s, by time.
        known: what else is.

    Raises:
        NoRuleError: if there is no such rule now, and nothing was kept of that grid point.
    """
    before = [each for each in events if each["evaluated_at"] <= at_ms]
    last = before[-1] if before else None
    # What only tells that a page need not wait any more, or that it is worse, is no other phase.
    turned = next((each for each in reversed(before) if each["transition"]["from"] != each["transition"]["to"]), last)
    rule = next((each for each in kept.policy.rules_at(at_ms) if each.id == asked.rule), None)
    if last is not None and last["evaluated_at"] == at_ms:
        changed = "" if rule is None or rule.revision == last["rule"]["revision"] else "; the rule is another by now"
        source: Literal["kept", "recomputed", "unknown"] = "kept"
        said, found = f"the evidence of the alert event {last['id']}{changed}", kept_gates(rule, last)
    elif rule is None or asked.scope.dimension not in rule.scopes:
        remedy = suggest(asked.rule, [each.id for each in kept.policy.rules], "no policy has a rule for it")
        msg = f"no rule {asked.rule!r} is judged for {asked.partner}, {asked.scope} ({remedy})"
        raise NoRuleError(msg)
    else:
        held = held_since(rule, turned and last and {**turned, "severity": said_by_rule(last), "criticality": None}, at_ms)
        said, found = judged(rule, kept, at_ms, held, events=before, since_ms=known.since_ms, first_ms=known.first_ms)
        source = "recomputed" if found else "unknown"
        if found:
            found.append(_suppression(rule, at_ms, kept.policy))
        if (last is not None and last["rule"]["revision"] != rule.revision) or (known.since_ms or 0) > at_ms:
            said += "; by the rule as it is now, not as it was"
    return Gated(
        fingerprint(asked.rule, asked.partner, str(asked.scope)),
        asked.partner,
        asked.rule,
        str(asked.scope),
        at_ms,
        "ok" if last is None else last["transition"]["to"],
        None if turned is None else turned["evaluated_at"],
        None if last is None else last["severity"],
        source,
        said,
        tuple(found),
    )


def _suppression(rule: Rule, at_ms: int, policy: PartnerPolicy) -> Gate:
    """What the policy alone says of pages at that time."""
    closed = policy.hours is not None and rule.waits_outside_hours and not policy.hours.holds(at_ms)
    maintained = policy.maintenance is not None and policy.maintenance.holds(at_ms)
    if closed or maintained:
        return Gate("suppression", None, passed=False, said=f"a page would wait: {'out_of_hours' if closed else 'maintenance'}")
    return Gate("suppression", None, passed=None, said="neither hours nor maintenance; silences and inhibition are told at changes only")


async def gated(settings: Settings, name: str, at_ms: int, now_ms: int) -> Gated:
    """Read what the topics hold of a fingerprint, or of `PARTNER/RULE` or `PARTNER/RULE/SCOPE`, and explain it.

    Raises:
        NoRuleError: if nothing is known of it, or the time has not come yet.
        TopicsError: if the topics are not as they must be.
        aiokafka.errors.KafkaError: if Kafka cannot be reached.
    """
    at_ms -= at_ms % GRID_MS
    asked = _asked(name)
    if at_ms > now_ms:
        msg = "that time has not come yet, and nothing was judged then"
        raise NoRuleError(msg)
    stored = await read_policies(settings)
    async with reading(settings) as past:
        number = None if asked is None else partition_of(asked.partner, settings.partitions, settings.partitioner)
        wanted = name if asked is None else fingerprint(asked.rule, asked.partner, str(asked.scope))
        events: dict[str, Json] = {}
        async for record in records_of(past, [settings.topics.alerts], number, None):
            body = orjson.loads(record.value or b"{}")
            if body.get("fingerprint") == wanted:
                events[body["id"]] = body
        ordered = sorted(events.values(), key=lambda each: (each["evaluated_at"], each["started_at"] or 0, each["seq"]))
        if asked is None:
            if not ordered:
                msg = f"no alert of {name} is kept (of a rule that never alerted write PARTNER/RULE, or PARTNER/RULE/SCOPE)"
                raise NoRuleError(msg)
            asked = Asked(ordered[0]["partner"], ordered[0]["rule"]["id"], Scope.parse(ordered[0]["scope"]))
        policy = policies_in(stored).of(asked.partner)
        kept = Kept(policy, asked.scope, minutes_from_ms=now_ms - MINUTES_KEPT_MS, quarters_from_ms=now_ms - QUARTERS_KEPT_MS)
        rule = next((each for each in policy.rules if each.id == asked.rule), None)
        known = UNKNOWN
        if rule is not None:
            before = [each for each in ordered if each["evaluated_at"] <= at_ms]
            known = Known(rule_since(stored, rule))
            begin_ms = reach_ms(rule, kept, at_ms, anchor(rule, before, known.since_ms, at_ms))
            kept, first_ms = await _read(past, settings, asked, kept, (begin_ms, at_ms), whole=rule.compare is not None)
            known = known._replace(first_ms=first_ms)
    return explain_gates(asked, at_ms, kept, ordered, known)


async def _read(past: Past, settings: Settings, asked: Asked, kept: Kept, span: tuple[int, int], *, whole: bool) -> tuple[Kept, int | None]:
    """The stretches of a span of time; where the `whole` partner is asked for too, since when there is anything of it."""
    topics, (begin_ms, at_ms) = settings.topics, span
    number = partition_of(asked.partner, settings.partitions, settings.partitioner)

    async def read(topic: str, since_ms: int, scope: Scope) -> list[Json]:
        if at_ms < since_ms:
            return []
        found = await newest(past, [topic], number, max(begin_ms, since_ms), record_key(asked.partner, scope, ""))
        return list(found.values())

    quarters = await read(topics.rollups_15m, kept.quarters_from_ms, asked.scope)
    all_ = quarters
    if whole and asked.scope.dimension != "all":
        all_ = await read(topics.rollups_15m, kept.quarters_from_ms, Scope("all"))
    found = replace(
        kept,
        days=await read(topics.rollups_1d, 0, asked.scope),
        quarters=quarters,
        minutes=await read(topics.rollups_1m, kept.minutes_from_ms, asked.scope),
    )
    return found, since_of(all_, kept.policy.timezone)


def _asked(name: str) -> Asked | None:
    """What is named; None for a fingerprint."""
    if len(name) == _FINGERPRINT_CHARACTERS and set(name) <= _HEX:
        return None
    partner, *rest = name.split("/", 2)
    if 1 + len(rest) not in _PARTS or not all((partner, *rest)):
        msg = f"{name!r} is neither a fingerprint nor PARTNER/RULE or PARTNER/RULE/SCOPE (outwatch tail prints fingerprints)"
        raise NoRuleError(msg)
    try:
        return Asked(partner, rest[0], Scope.parse(rest[1]) if rest[1:] else Scope("all"))
    except ValueError as error:
        raise NoRuleError(str(error)) from None
