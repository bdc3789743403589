"""The policy of one partner, ready for the engine: how its figures are counted and which rules judge them.

Definitions are merged from the outside in: defaults, partner, channel, queue; the innermost that says something holds.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from operator import attrgetter
from typing import Any, Final, Literal

from models.criticality import Criticality, compiled, laid_over
from models.custom import NO_CUSTOMS, Customs
from models.definitions import Definition
from models.escalation import EscalationSpec
from models.hours import Schedule, compile_hours
from models.hours import content as hours_content
from models.inhibition import Inhibition
from models.kpis.finance import Baseline
from models.money import UNIT
from models.paging import Paging, compile_paging
from models.policy_spec import Baseline as BaselineSpec
from models.policy_spec import PartnerPart, SharedPart, to_json
from models.revisions import canonical, revision_of_members
from models.rule_base import RuleBase
from models.rules import Rule, Severity
from models.windows import SIDES, Scope, Side

__all__ = ["DEFAULT_SHARED", "PartnerPart", "PartnerPolicy", "SharedPart", "compile_partner", "merge"]

DEFAULT_SHARED: Final = SharedPart()
"""What holds before any policy was applied: the default definition, and no rules."""

_LIMITS: Final = {"service_level", "short_abandon_seconds"}
"""The fields of a definition that its basis is made of."""
_PLAIN: Final = (
    *("configured", "name", "timezone", "month_starts_on", "settle_ms", "contact_expiry_ms", "ticket_expiry_ms"),
    *("record_retention_ms", "agent_expiry_ms", "feed"),
)
"""The fields of a policy that are content as they are."""


def merge(*definitions: Definition) -> Definition:
    """One definition from several, each partial: a later one holds in the fields that it sets, down to a target's."""
    merged: dict[str, Any] = {}
    for each in definitions:
        _lay_over(merged, each.model_dump(exclude_unset=True))
    return Definition.model_validate(merged)


def _lay_over(base: dict[str, Any], over: dict[str, Any]) -> None:
    for key, value in over.items():
        if isinstance(value, dict):
            _lay_over(base.setdefault(key, {}), value)
        else:
            base[key] = value


@dataclass(frozen=True, slots=True)
class PartnerPolicy:
    """What holds for one partner; times are in milliseconds. Equal content has an equal `revision`, wherever it stood."""

    partner_id: str
    name: str
    configured: bool
    """False for a partner that no policy names: counted under the defaults, judged by no rule."""
    revision: str
    timezone: str
    """An IANA name that this machine knows."""
    month_starts_on: int
    windows: frozenset[str]
    """By name those that are kept: published, and there for rules."""
    settle_ms: int
    contact_expiry_ms: int
    ticket_expiry_ms: int
    record_retention_ms: int
    agent_expiry_ms: int
    repeats: bool
    """Whether any of its definitions asks for repeats."""
    feed: Literal["events", "records"]
    source: str | None
    """What brings its contacts, as `source.alive` names it."""
    rules: tuple[Rule, ...]
    """Those that apply, in the file's order."""
    base: Definition
    """The partner's own, merged with the defaults."""
    channels: dict[str, Definition]
    """Partial, by name; so are queues."""
    queues: dict[str, Definition]
    baselines: tuple[Baseline, ...] = ()
    """By the day that they hold from, earliest first."""
    customs: Customs = NO_CUSTOMS
    """The KPIs of the policy's own."""
    scopes: tuple[Side, ...] = ()
    """What the partner is split by beside queues and channels, each once and in the order of `SIDES`."""
    activities: tuple[dict[str, str], dict[str, str]] = ({}, {})
    """By contact reason, and by queue: the activity of events that name none."""
    hours: Schedule | None = None
    """When it is open; None: always."""
    maintenance: Schedule | None = None
    """When it is maintained; None: never."""
    inhibit: tuple[Inhibition, ...] = ()
    """Which alerts explain others."""
    paging: Paging | None = None
    """Whom its alerts may page; None: nobody."""
    outside: tuple[Rule, ...] | None = None
    """The rules while it is closed, where any of them has another ladder then."""
    criticality: Criticality | None = None
    """What matters most of it; None where nothing does more than the rest."""
    _merged: dict[tuple[str | None, str | None], Definition] = field(default_factory=dict, repr=False, compare=False)

    def rules_at(self, at_ms: int) -> tuple[Rule, ...]:
        """The rules with the ladders that hold at a time."""
        return self.rules if self.outside is None or self.hours is None or self.hours.holds(at_ms) else self.outside

    def told(self, severity: Severity, scope: Scope) -> Severity:
        """The severity that alerts of a scope are told with whose rule says this one."""
        return severity if self.criticality is None else self.criticality.told(severity, scope)

    def escalation_of(self, rule: Rule | None) -> EscalationSpec | None:
        """By which its alerts escalate; None: they page nobody, as those of a rule that is gone do."""
        return None if rule is None or self.paging is None else self.paging.escalation_of(rule.escalation)

    def definition(self, queue: str | None, channel: str | None) -> Definition:
        """How a contact of this queue and channel is counted; cached, so that one place is one object."""
        at = (queue if queue in self.queues else None, channel if channel in self.channels else None)
        found = self._merged.get(at)
        if found is None:
            found = self._merged[at] = self._merge(*at)
        return found

    def scope_definition(self, scope: Scope) -> Definition:
        """What the figures of a scope are held against: the partner's, with the overrides of that channel or queue."""
        return self.definition(
            scope.value if scope.dimension == "queue" else None,
            scope.value if scope.dimension == "channel" else None,
        )

    def reader(self, side: Side) -> Callable[[Any], str | None]:
        """What finds the name of a side in an event."""
        read: Callable[[Any], str | None] = attrgetter(side)
        by_reason, by_queue = self.activities
        if side != "activity" or not (by_reason or by_queue):
            return read
        return lambda event: event.activity or by_reason.get(event.reason) or by_queue.get(event.queue)

    def limits(self) -> tuple[frozenset[int], frozenset[int]]:
        """The service level thresholds, and the short-abandon limits, that contacts of any queue and channel are counted under (ms)."""
        partials = [each for each in (*self.channels.values(), *self.queues.values()) if each.model_fields_set & _LIMITS]
        thresholds, shorts = zip(*(merge(self.base, each).basis for each in (Definition(), *partials)), strict=True)
        return frozenset(thresholds), frozenset(shorts)

    def _merge(self, queue: str | None, channel: str | None) -> Definition:
        overrides = [*([self.channels[channel]] if channel is not None else []), *([self.queues[queue]] if queue is not None else [])]
        return merge(self.base, *overrides) if overrides else self.base


def compile_partner(shared: SharedPart, part: PartnerPart | None, partner_id: str) -> PartnerPolicy:
    """The policy of `partner_id`: its own part over the shared one, or the shared defaults alone where no policy names it."""
    # What events call their partner was not chosen in a policy: reserved ids stand here as well, so nothing is validated.
    own = part or PartnerPart.model_construct(id=partner_id, name=partner_id)
    base = merge(shared.definition, own.definition)
    timezone = own.timezone or shared.timezone
    scopes = _inherited("scopes", shared, own)
    activities = _activities(shared, own)
    specs = [spec for spec in shared.rules if part is not None and (spec.partners is None or partner_id in spec.partners)]
    hours = compile_hours(_inherited("hours", shared, own), timezone, _inherited("holidays", shared, own))
    rules = tuple(spec.compiled for spec in specs)
    critical = laid_over(shared.criticality, own.criticality)
    policy = PartnerPolicy(
        partner_id=partner_id,
        name=own.name,
        configured=part is not None,
        revision="",
        timezone=timezone,
        month_starts_on=own.month_starts_on or shared.month_starts_on,
        windows=frozenset(shared.windows),
        settle_ms=_ms(_inherited("settle_seconds", shared, own)),
        contact_expiry_ms=_ms(shared.contact_expiry_seconds),
        ticket_expiry_ms=_ms(shared.ticket_expiry_seconds),
        record_retention_ms=_ms(shared.record_retention_seconds),
        agent_expiry_ms=_ms(shared.agent_expiry_seconds),
        repeats=any(each.repeat_window_seconds for each in (base, *own.channels.values(), *own.queues.values())),
        feed=own.feed,
        source=own.source,
        rules=rules,
        base=base,
        channels=dict(own.channels),
        queues=dict(own.queues),
        scopes=tuple(side for side in SIDES if side in scopes),
        activities=activities,
        hours=hours,
        maintenance=compile_hours(_inherited("maintenance", shared, own), timezone),
        inhibit=shared.inhibit,
        outside=tuple(rule.outside or rule for rule in rules) if hours and any(rule.outside for rule in rules) else None,
        baselines=tuple(
            Baseline(round(each.cost_per_contact * UNIT), each.currency, each.since.isoformat()) for each in _baselines(shared, own)
        ),
        customs=shared.customs,
        criticality=None if critical is None else compiled(critical, *activities),
        paging=compile_paging(shared, own),
    )
    return replace(policy, revision=_revision(policy, shared, own, specs))


def _revision(policy: PartnerPolicy, shared: SharedPart, own: PartnerPart, specs: Sequence[RuleBase]) -> str:
    """What names the content; what a policy does not say is left out, so that what came later changes no revision."""
    content: dict[str, Any] = {name: getattr(policy, name) for name in _PLAIN}
    content |= {
        "windows": sorted(policy.windows),
        "definition": policy.base.model_dump(mode="json"),
        "channels": {name: to_json(partial) for name, partial in own.channels.items()},
        "queues": {name: to_json(partial) for name, partial in own.queues.items()},
        "baselines": [each.model_dump(mode="json") for each in _baselines(shared, own)],
        **hours_content(*(_inherited(name, shared, own) for name in ("hours", "holidays", "maintenance"))),
    }
    scopes = _inherited("scopes", shared, own)
    if scopes:
        content |= {"scopes": sorted(scopes), "activities": policy.activities}
    if shared.inhibit:
        content["inhibit"] = [each.model_dump(mode="json") for each in shared.inhibit]
    critical = laid_over(shared.criticality, own.criticality)
    if critical is not None:
        content["criticality"] = [critical.model_dump(mode="json", exclude_none=True), policy.activities]
    if own.source is not None:
        content["source"] = own.source
    if shared.kpis:
        content["kpis"] = [spec.model_dump(mode="json") for spec in shared.kpis]
    members = {name: canonical(value) for name, value in content.items()}
    if policy.paging is not None:
        contacts = {role: [to_json(each) for each in said] for role, said in own.contacts.items()}
        members |= {"paging": shared.paging, "escalation": canonical([policy.paging.escalation, contacts])}
    members["rules"] = f"[{','.join(spec.canonical for spec in specs)}]"
    return revision_of_members(members)


def _inherited(name: str, shared: SharedPart, own: PartnerPart) -> Any:  # noqa: ANN401 - of whichever field
    """What a partner says itself, else what all do."""
    said = getattr(own, name)
    return getattr(shared, name) if said is None else said


def _baselines(shared: SharedPart, own: PartnerPart) -> list[BaselineSpec]:
    """By the day that they hold from."""
    return sorted(_inherited("baselines", shared, own), key=lambda each: each.since)


def _activities(shared: SharedPart, own: PartnerPart) -> tuple[dict[str, str], dict[str, str]]:
    """By contact reason, and by queue: the partner's own over the shared ones, name by name."""
    return {**shared.activities.reasons, **own.activities.reasons}, {**shared.activities.queues, **own.activities.queues}


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
