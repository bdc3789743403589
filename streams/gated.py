"""Why a rule alerted at a grid point, or did not: every gate, out of the alert's kept evidence, else out of closed stretches."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import orjson

from alerts import Sample, fingerprint
from alerts.gates import Gate, gates, kept_gates
from models.adaptive import adaptive_windows
from models.errors import OutwatchError
from models.explain import estimate_of, tiles
from models.policy import PartnerPolicy
from models.rules import ADAPTIVE, Rule
from models.settings import Settings
from models.topics import MINUTES_KEPT_MS, QUARTERS_KEPT_MS, partition_of
from models.windows import GRID_MS, MINUTE_MS, Calendar, Scope, Window, record_key, window
from models.yaml_file import suggest
from streams.explained import newest, policies_of, records_of
from streams.past import reading

__all__ = ["Asked", "Gated", "NoRuleError", "explain_gates", "gated"]

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


def explain_gates(
    asked: Asked, at_ms: int, policy: PartnerPolicy, events: Sequence[Json], stretches: Mapping[str, Sequence[Json]]
) -> Gated:
    """Put together what is known. Pure.

    Args:
        asked: what it is about.
        at_ms: a grid point.
        policy: of the partner, as it is now.
        events: its `models.records.AlertEvent`s, by time.
        stretches: the records of closed stretches of the scope, by topic, the topic of the longest first.

    Raises:
        NoRuleError: if there is no such rule now, and nothing was kept of that grid point.
    """
    before = [each for each in events if each["evaluated_at"] <= at_ms]
    last = before[-1] if before else None
    rule = next((each for each in policy.rules_at(at_ms) if each.id == asked.rule), None)
    if last is not None and last["evaluated_at"] == at_ms:
        changed = "" if rule is None or rule.revision == last["rule"]["revision"] else "; the rule is another by now"
        source: Literal["kept", "recomputed", "unknown"] = "kept"
        said, found = f"the evidence of the alert event {last['id']}{changed}", kept_gates(rule, last)
    elif rule is None or asked.scope.dimension not in rule.scopes:
        remedy = suggest(asked.rule, [each.id for each in policy.rules], "no policy has a rule for it")
        msg = f"no rule {asked.rule!r} is judged for {asked.partner}, {asked.scope} ({remedy})"
        raise NoRuleError(msg)
    else:
        source, said, found = _recomputed(asked, rule, at_ms, policy, stretches)
        if last is not None and last["rule"]["revision"] != rule.revision:
            said += "; by the rule as it is now, not as it was"
    return Gated(
        fingerprint(asked.rule, asked.partner, str(asked.scope)),
        asked.partner,
        asked.rule,
        str(asked.scope),
        at_ms,
        "ok" if last is None else last["transition"]["to"],
        None if last is None else last["evaluated_at"],
        None if last is None else last["severity"],
        source,
        said,
        tuple(found),
    )


def _recomputed(
    asked: Asked, rule: Rule, at_ms: int, policy: PartnerPolicy, stretches: Mapping[str, Sequence[Json]]
) -> tuple[Literal["recomputed", "unknown"], str, list[Gate]]:
    kpi, definition = policy.customs.catalogue[rule.kpi], policy.scope_definition(asked.scope)
    if kpi.live:
        return "unknown", f"{kpi.id} is of who waits at one moment: it is kept where the alert changes, and nowhere else", []
    if rule.compare is not None:
        return "unknown", "what was usual then is kept where the alert changes, and nowhere else", []
    if rule.form is not None:
        return "unknown", "what a rule saw that looks at several figures is kept where the alert changes, and nowhere else", []
    for each in _windows(rule, policy):
        begin_ms = each.start(at_ms, Calendar(policy.timezone, policy.month_starts_on))
        found = tiles(begin_ms, at_ms, stretches)
        estimate = estimate_of(kpi, [stretch for _, stretch in found], definition, policy.customs)
        sample = Sample(estimate, kpi.describe(definition), kpi.unit.value, begin_ms, at_ms, each.name)
        if estimate.n >= rule.min_samples:
            break
    cut = "" if at_ms % MINUTE_MS == 0 and begin_ms % MINUTE_MS == 0 else "; of the minutes at its ends, only whole ones"
    return (
        "recomputed",
        f"{len(found)} closed stretches of the window{cut}",
        [*gates(rule, sample, at_ms=at_ms), _suppression(rule, at_ms, policy)],
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
        NoRuleError: if nothing is known of it.
        TopicsError: if the topics are not as they must be.
        aiokafka.errors.KafkaError: if Kafka cannot be reached.
    """
    at_ms -= at_ms % GRID_MS
    asked = _asked(name)
    topics, policies = settings.topics, await policies_of(settings)
    async with reading(settings) as past:
        number = None if asked is None else partition_of(asked.partner, settings.partitions, settings.partitioner)
        wanted = name if asked is None else fingerprint(asked.rule, asked.partner, str(asked.scope))
        events: dict[str, Json] = {}
        async for record in records_of(past, [topics.alerts], number, None):
            body = orjson.loads(record.value or b"{}")
            if body.get("fingerprint") == wanted:
                events[body["id"]] = body
        ordered = sorted(events.values(), key=lambda each: (each["evaluated_at"], each["started_at"] or 0, each["seq"]))
        if asked is None:
            if not ordered:
                msg = f"no alert of {name} is kept (of a rule that never alerted write PARTNER/RULE, or PARTNER/RULE/SCOPE)"
                raise NoRuleError(msg)
            asked = Asked(ordered[0]["partner"], ordered[0]["rule"]["id"], Scope.parse(ordered[0]["scope"]))
        policy = policies.of(asked.partner)
        rule = next((each for each in policy.rules if each.id == asked.rule), None)
        stretches: dict[str, list[Json]] = {}
        if rule is not None:
            begin_ms = _windows(rule, policy)[-1].start(at_ms, Calendar(policy.timezone, policy.month_starts_on))
            number = partition_of(asked.partner, settings.partitions, settings.partitioner)
            kept = {topics.rollups_1d: now_ms, topics.rollups_15m: QUARTERS_KEPT_MS, topics.rollups_1m: MINUTES_KEPT_MS}
            for topic, kept_ms in kept.items():
                if at_ms >= now_ms - kept_ms:
                    found = await newest(past, [topic], number, begin_ms, record_key(asked.partner, asked.scope, ""))
                    stretches[topic] = list(found.values())
    return explain_gates(asked, at_ms, policy, ordered, stretches)


def _windows(rule: Rule, policy: PartnerPolicy) -> Sequence[Window]:
    """In which the figure of a rule may be judged, narrowest first."""
    if rule.window != ADAPTIVE:
        return (window(rule.window),)
    return adaptive_windows(policy.customs.catalogue[rule.kpi], policy.windows)


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
