"""What fires in the house, whom it was told to, and what people said of it: as records. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import md5
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

from models.escalation import TargetSpec
from models.incidents import Attention, Happening, IncidentEntry, IncidentHeld, IncidentMember, IncidentState, IncidentTold, Stage
from models.kpis import CATALOGUE
from models.notices import AnnotationState, OverrideState, SilenceState, notice_key
from models.notifications import NotifyReason, Outcome, Side, Target
from models.reasons import SuppressReason
from models.receivers import MailReceiver
from models.records import AlertEvent, AlertState
from models.rules import Severity
from models.windows import DAY_MS, HOUR_MS, MINUTE_MS, window
from tests.browser.house import Doing, House, Partner

__all__ = ["SILENCED", "Trouble", "alert", "incident", "notices", "transitions", "trouble_of"]

KeyValue = tuple[bytes, bytes]

_STEP_MS: Final = 10 * MINUTE_MS
_ACKNOWLEDGED: Final = {9, 26}
"""Numbers of partners whose incident somebody looks after."""
SILENCED: Final = 38
"""Number of the partner whose alert is silenced."""
_ORDER: Final = {"critical": 200, "warning": 100}


@dataclass(frozen=True, slots=True)
class Trouble:
    """An alert of the house."""

    partner: Partner
    rule: str
    kpi: str
    window: str
    state: str
    severity: str | None
    enter: float | None
    exit: float | None
    since_ms: int
    suppressed_by: tuple[SuppressReason, ...] = ()

    @property
    def fingerprint(self) -> str:
        """Names it."""
        return md5(f"{self.partner.id} {self.rule}".encode(), usedforsecurity=False).hexdigest()

    @property
    def episode(self) -> str:
        """Names this time."""
        return f"{self.fingerprint[:8]}-{self.since_ms}"

    @property
    def acknowledged(self) -> bool:
        """Whether somebody looks after it."""
        return self.partner.number in _ACKNOWLEDGED


def trouble_of(partner: Partner) -> Iterator[Trouble]:
    """The alerts of a partner."""
    since_ms = partner.began_ms + 6 * MINUTE_MS
    silenced = (SuppressReason.SILENCED,) if partner.number == SILENCED else ()
    low, asa, abandons = ("service_level_low", "service_level"), ("asa_high", "asa"), ("abandon_rate_high", "abandon_rate")
    match partner.doing:
        case Doing.CRITICAL:
            yield Trouble(partner, *low, "15m", "firing", "critical", 0.65, 0.7, since_ms)
            yield Trouble(partner, *asa, "15m", "firing", "critical", 60, 45, since_ms + 2 * MINUTE_MS)
            yield Trouble(partner, *abandons, "15m", "firing", "warning", 0.1, 0.08, since_ms + 3 * MINUTE_MS)
        case Doing.WARNING:
            yield Trouble(partner, *low, "15m", "firing", "warning", 0.8, 0.83, since_ms, silenced)
        case Doing.HASTY:
            yield Trouble(partner, "pace_over_quality", "csat", "24h", "firing", "warning", None, None, since_ms)
        case Doing.SILENT:
            yield Trouble(partner, "feed_silent", "feed_silence", "24h", "firing", "critical", 0.0, 0.0, since_ms)
        case Doing.PENDING:
            yield Trouble(partner, *low, "15m", "pending", "warning", 0.8, 0.83, since_ms)
        case Doing.RECOVERING:
            yield Trouble(partner, *low, "15m", "recovering", "warning", 0.8, 0.83, since_ms)


def _shown(value: float | None, unit: str) -> str:
    return "nothing" if value is None else f"{value * 100:.1f} %" if unit == "ratio" else f"{value:.0f} {unit}"


def _explained(trouble: Trouble, figure: dict[str, Any]) -> str:
    name, title = trouble.partner.name, CATALOGUE[trouble.kpi].title if trouble.kpi in CATALOGUE else "Silence"
    if trouble.rule == "feed_silent":
        return f"{name}: nothing was heard of its contacts for longer than chance explains"
    if trouble.rule == "pace_over_quality":
        return f"{name}: handle time fell by 30 % while customer satisfaction fell by 21 points, each by more than chance"
    side = "under" if trouble.kpi == "service_level" else "over"
    value, limit = _shown(figure["value"], figure["unit"]), _shown(trouble.enter, figure["unit"])
    return f"{name}: {title} {value} in the last 15 min, {side} {limit} (n = {figure['n']})"


def _said(trouble: Trouble, figure: dict[str, Any], at_ms: int) -> dict[str, Any]:
    fired_ms = None if trouble.state == "pending" else trouble.since_ms + MINUTE_MS
    names = ("definition", "value", "unit", "ci_low", "ci_high")
    numbers = {name: figure[name] or 0 for name in ("numerator", "denominator", "n")}
    evidence = {name: figure[name] for name in names} | numbers
    said: dict[str, Any] = {
        "fingerprint": trouble.fingerprint,
        "episode": trouble.episode,
        "seq": 2,
        "partner": trouble.partner.id,
        "scope": "all",
        "rule": {"id": trouble.rule, "revision": "r1", "owner": "realtime desk", "runbook": f"https://runbooks.example/{trouble.rule}"},
        "severity": trouble.severity,
        "order": _ORDER.get(trouble.severity or "", 0),
        "evidence": {
            "kpi": trouble.kpi,
            "window": trouble.window,
            "enter": trouble.enter,
            "exit": trouble.exit,
            "for_seconds": 60,
            "min_samples": 30,
            "quality": "good",
            "from": at_ms - window(trouble.window).width_ms,
            "to": at_ms,
            **evidence,
        },
        "explanation": _explained(trouble, figure),
        "started_at": trouble.since_ms,
        "fired_at": fired_ms,
        "ended_at": None,
        "evaluated_at": at_ms - at_ms % 10_000,
        "frontier": at_ms,
        "suppressed_by": trouble.suppressed_by,
    }
    if trouble.rule == "pace_over_quality":
        of = {name: said["evidence"][name] for name in ("window", "from", "to")} | evidence
        before = {name: value for name, value in of.items() if name not in {"window", "definition", "unit"}}
        said["evidence"]["parts"] = [{**of, "kpi": kpi, "state": "breached", "before": before} for kpi in ("aht", trouble.kpi)]
    if trouble.kpi == "service_level" and fired_ms is not None:
        said["rule"]["suggested_action"] = "Ask the partner for staffing and open the overflow queue."
        said["attribution"] = _driven(trouble, figure)
    return said


def _driven(trouble: Trouble, figure: dict[str, Any]) -> dict[str, Any]:
    value, before, n = figure["value"] or 0.0, trouble.partner.level, figure["n"] or 0
    change, driver = value - before, {"dimension": "queue"}
    shares = (("billing", 0.78, 0.45), ("technical", 0.16, 0.35), ("sales", 0.06, 0.2))
    drivers = [
        {**driver, "key": key, "effect": change * share, "rate_effect": change * share * 0.94, "mix_effect": change * share * 0.06}
        | {"share": share, "n": round(n * part)}
        for key, share, part in shares
    ]
    text = f"service level fell by {-change * 100:.1f} points; queue billing explains 78 % of it"
    span = {"from": trouble.since_ms - 15 * MINUTE_MS, "to": trouble.since_ms}
    return {"value_before": before, "change": change, "drivers": drivers, "text": text, **span}


def alert(trouble: Trouble, figure: dict[str, Any], at_ms: int) -> KeyValue:
    """The key and value of its present state.

    Args:
        trouble: which.
        figure: the fields of `models.records.KpiFigure` that it is about.
        at_ms: when.
    """
    ack = {"actor": "ana", "at": trouble.since_ms + 4 * MINUTE_MS, "until": at_ms + HOUR_MS, "comment": "Called the floor, two agents back"}
    of_people = {"ack": ack, "comments": [{"actor": "bo", "at": at_ms - 3 * MINUTE_MS, "text": "Overflow is open."}]}
    more = {"state": trouble.state, "quality": "good", "since": trouble.since_ms, "as_of": at_ms, "revision": 7}
    record = AlertState.model_validate(_said(trouble, figure, at_ms) | more | (of_people if trouble.acknowledged else {}))
    return trouble.fingerprint.encode(), record.model_dump_json(by_alias=True).encode()


def transitions(trouble: Trouble, figure: dict[str, Any], at_ms: int) -> Iterator[KeyValue]:
    """Its firing, and one of the day before that is over."""
    kinds = [("fired", "pending", "firing", trouble.since_ms + MINUTE_MS)] if trouble.state != "pending" else []
    if trouble.rule != "feed_silent":
        before_ms = trouble.since_ms - DAY_MS
        kinds += [("fired", "pending", "firing", before_ms), ("resolved", "recovering", "ok", before_ms + 38 * MINUTE_MS)]
    for kind, before, after, when_ms in sorted(kinds, key=lambda each: each[3]):
        reason = f"{before.upper()} => {after.upper()}: {'past' if kind == 'fired' else 'back within'} the level for 60s"
        said = _said(trouble, figure, at_ms) | {"evaluated_at": when_ms, "frontier": when_ms, "processed_at": when_ms, "late": False}
        shown = {"id": f"{trouble.episode}-{kind}-{when_ms}", "trace": {}}
        shown |= {"transition": {"from": before, "to": after, "kind": kind, "reason": reason}}
        ended = {"ended_at": when_ms, "fired_at": before_ms, "started_at": before_ms} if kind == "resolved" else {"fired_at": when_ms}
        record = AlertEvent.model_validate(said | shown | ended)
        yield trouble.partner.id.encode(), record.model_dump_json(by_alias=True).encode()


def _told(step: int, person: str, at_ms: int, side: Side, partner: str | None = None) -> IncidentTold:
    return IncidentTold(
        receiver=MailReceiver(id=f"mail-{person}", type="mail", to=(f"{person}@example.com",), partner=partner),
        target=Target(kind="person" if step else "rotation", id=person if step else "ops_primary", person=person),
        side=side,
        loop=0,
        step=step,
        epoch=1,
        reason=NotifyReason.NOT_ACKNOWLEDGED if step else NotifyReason.OPENED,
        notification=f"n-{person}-{at_ms}",
        at=at_ms,
        outcome=Outcome.SENT,
    )


def incident(partner: Partner, alerts: list[tuple[Trouble, str]], at_ms: int) -> KeyValue:
    """The key and value of the incident that these alerts of a partner are, each with what it says."""
    first, text = alerts[0]
    opened_ms = first.since_ms + MINUTE_MS
    waits_ms = at_ms - opened_ms
    told = [_told(0, "ana", opened_ms + 30_000, "client")]
    told += [_told(1, "bo", opened_ms + _STEP_MS, "client")] if waits_ms > _STEP_MS and not first.acknowledged else []
    if partner.id == "acme":
        told.append(_told(1, "bia", opened_ms + _STEP_MS, "partner", "acme"))
    held = (
        IncidentHeld(what=Attention.ACKED, by="ana", at=first.since_ms + 4 * MINUTE_MS, until=at_ms + HOUR_MS)
        if first.acknowledged
        else None
    )
    lines = [IncidentEntry(at=opened_ms, what=Happening.OPENED, text=text)]
    lines += [IncidentEntry(at=each.at, what=Happening.TOLD, by=each.target.person, text="by mail") for each in told]
    lines += [] if held is None else [IncidentEntry(at=held.at, what=Happening.ACKNOWLEDGED, by=held.by)]
    identity = str(uuid5(NAMESPACE_URL, first.episode))
    state = IncidentState(
        id=identity,
        partner=partner.id,
        partner_name=partner.name,
        escalation="realtime_ops",
        labels={},
        severity=Severity(first.severity or "warning"),
        attention=Attention.UNACKED if held is None else Attention.ACKED,
        stage=Stage.PAUSED if held else Stage.STEP if waits_ms < 2 * _STEP_MS else Stage.EXHAUSTED,
        epoch=1,
        loop=0,
        step=max(each.step for each in told),
        due_at=None if held or waits_ms >= 2 * _STEP_MS else opened_ms + (_STEP_MS if waits_ms < _STEP_MS else 2 * _STEP_MS),
        text=text,
        open=len(alerts),
        members=tuple(_member(*each) for each in alerts),
        members_dropped=0,
        told=tuple(told),
        timeline=tuple(sorted(lines, key=lambda each: each.at)),
        timeline_dropped=0,
        held=held,
        assigned=TargetSpec(person="ana") if held else None,
        absorbed_by=None,
        unseen=held is None,
        opened_at=opened_ms,
        ended_at=None,
        resolved_by=None,
        calendar="c1",
        as_of=at_ms,
        revision=3,
    )
    return identity.encode(), state.model_dump_json(by_alias=True).encode()


def _member(trouble: Trouble, text: str) -> IncidentMember:
    severity = Severity(trouble.severity or "warning")
    return IncidentMember(
        fingerprint=trouble.fingerprint,
        episode=trouble.episode,
        rule=trouble.rule,
        scope="all",
        severity=severity,
        counted=severity,
        text=text[:200],
        runbook=f"https://runbooks.example/{trouble.rule}",
        fired_at=trouble.since_ms + MINUTE_MS,
        suppressed_by=trouble.suppressed_by,
    )


def notices(house: House) -> Iterator[KeyValue]:
    """Silences, annotations and an override: what people said beside the alerts."""
    at_ms, partners = house.at_ms, house.partners

    def said(identity: str, partner: str, actor: str, from_ms: int) -> dict[str, Any]:
        return {"id": identity, "partner": partner, "actor": actor, "at": from_ms, "from": from_ms}

    first = partners[0].id
    silences = [
        said("s-all", "*", "bo", at_ms - HOUR_MS)
        | {"matchers": {"rule": "csat_low"}, "comment": "New survey form", "until": at_ms + DAY_MS}
    ]
    if len(partners) > SILENCED:
        matchers = {"partner": partners[SILENCED].id, "rule": "service_level_low"}
        quiet = said("s-one", partners[SILENCED].id, "ana", at_ms - 2 * HOUR_MS)
        silences.append(quiet | {"matchers": matchers, "comment": "Known: training until noon", "until": at_ms + 2 * HOUR_MS})
    spans = [
        (first, "ana", "pilot", "Pilot of the new routing", at_ms - 5 * HOUR_MS, at_ms - 2 * HOUR_MS, None),
        (first, "bia", "dispute", "We count 31 more within 20 s", at_ms - 90 * MINUTE_MS, at_ms - 75 * MINUTE_MS, "service_level"),
        ("*", "bo", "outage", "Telephony of the carrier was down", at_ms - DAY_MS, at_ms - DAY_MS + 40 * MINUTE_MS, None),
        (partners[-1].id, "ana", "release", "New knowledge base", at_ms - 3 * HOUR_MS, at_ms - 3 * HOUR_MS + MINUTE_MS, None),
    ]
    notes = [
        said(f"n-{number}", partner, actor, from_ms) | {"kind": kind, "text": text, "to": to_ms} | ({"kpi": kpi} if kpi else {})
        for number, (partner, actor, kind, text, from_ms, to_ms, kpi) in enumerate(spans)
    ]
    swap = said("o-1", "*", "bo", at_ms + DAY_MS) | {
        "rotation": "ops_primary",
        "person": "bo",
        "comment": "Swapped with Ana",
        "to": at_ms + DAY_MS * 3 // 2,
    }
    for kind, model, found in (
        ("silence", SilenceState, silences),
        ("annotation", AnnotationState, notes),
        ("override", OverrideState, [swap]),
    ):
        for each in found:
            record = model.model_validate(each)
            yield notice_key(kind, each["id"]).encode(), record.model_dump_json(by_alias=True, exclude_none=True).encode()
