"""Pasts by tallies against the engine, over days and weeks: all windows, and what tallies do not count."""

from random import Random
from typing import Any

import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from models.definitions import DEFAULT
from models.figures import Kind
from models.kpis import Kpi, families
from models.kpis.catalogue import CATALOGUE
from models.measures import OFFSETS, SIZE, WIDTHS, Family
from models.policy import PartnerPolicy, compile_partner
from models.policy_file import load, parts
from models.policy_spec import PolicyFile
from models.windows import DAY_MS
from streams.engine.fold import FOLDS
from streams.trial.counted import CountedPast
from streams.trial.histories import Read, Told, told
from streams.trial.past import Past, narrowed
from streams.trial.rest import ALL_KINDS, KINDS, can_rest, observed
from tests.engines import event

START_MS = 1_772_442_000_000
"""2026-03-02 09:00 UTC; clocks change in Lisbon on the 29th."""

BELOW = {"service_level": (0.8, 0.85), "csat": (0.6, 0.7), "nps": (0, 5), "fcr_reported": (0.6, 0.7), "aht": (300, 350)}
ABOVE = {"abandon_rate": (0.2, 0.15), "asa": (40, 30), "transfer_rate": (0.5, 0.4), "dissatisfaction": (0.3, 0.2), "avg_hold_held": (9, 8)}


def contact(draw: Random, number: int, at_ms: int) -> tuple[str, dict[str, Any]]:
    """What happens, and what is said of it."""
    drawn = draw.choices(
        ["answered", "abandoned", "left", "queued", "completed", "survey", "invited", "record", "ticket", "solved", "quality", "agent"],
        [9, 3, 1, 2, 4, 5, 1, 3, draw.choice([0, 1]), 1, 1, draw.random() < 0.1],
    )[0]
    began_ms, waited_ms = 1000 * draw.randint(60, 900), 1000 * draw.randint(0, 60)
    times = {"queued_at": at_ms - began_ms, "queue_exited_at": at_ms - began_ms + waited_ms, "updated_at": at_ms + draw.choice([0, 1000])}
    told_of = f"c{number - draw.choice([1, 2])}"
    kinds: dict[str, tuple[str, dict[str, Any]]] = {
        "answered": ("contact.answered", {"wait_seconds": draw.choice([4.0, 4.0, 50.0, 200.0]), "contact_id": told_of}),
        "abandoned": ("contact.abandoned", {"wait_seconds": draw.choice([2.0, 60.0])}),
        "left": ("contact.left", {"contact_id": told_of}),
        "queued": ("contact.queued", {"contact_id": f"c{number}"}),
        "completed": (
            "contact.completed",
            {"transferred": draw.random() < 0.5, "talk_seconds": draw.uniform(1, 900), "hold_seconds": draw.choice([0.0, 20.0])}
            | {"resolved": draw.random() < 0.6, "customer_key": f"k{draw.randrange(5)}"},
        ),
        "survey": ("survey.response", {"score": draw.choice([1, 2, 5]), "survey": draw.choice(["csat", "csat", "nps", "ces"])}),
        "invited": ("survey.invited", {}),
        "record": (
            "contact.record",
            {"outcome": draw.choice(["answered", "answered", "abandoned", "left", "not_queued"]), "wait_seconds": waited_ms / 1000}
            | {"talk_seconds": 30.0, "contact_id": f"r{draw.randrange(4)}"}
            | times,
        ),
        "ticket": ("ticket.opened", {"contact_id": f"t{draw.randrange(9)}"}),
        "solved": ("ticket.solved", {"contact_id": f"t{draw.randrange(9)}"}),
        "quality": ("quality.evaluated", {"points": draw.choice([1.0, 5.0])}),
        "agent": ("agent.state", {"state": draw.choice(["available", "offline"])}),
    }
    return kinds[drawn]


def stream(draw: Random) -> list[Told]:
    """Some hundred events in bursts, with nights and weeks between them; some come late, and some twice."""
    at_ms, made, pace_ms = START_MS, list[dict[str, Any]](), 1000 * draw.choice([60, 400, 3000])
    days = [0] * 40 + [draw.randint(0, 1), draw.randint(0, 6)]
    places: tuple[list[str | None], list[str | None]] = (
        draw.choice([["billing", "sales", None], ["one", "two", "three"]]),
        draw.choice([["voice", "chat", None], [None]]),
    )
    for number in range(draw.randint(30, 120)):
        at_ms += draw.choice([int(draw.expovariate(1 / pace_ms)), 3_000, int(draw.random() * draw.choice(days) * DAY_MS)])
        occurred_ms = at_ms - draw.choice([0] * 12 + [20_000, 700_000, 4_000_000, DAY_MS])
        kind, fields = contact(draw, number, occurred_ms)
        place = {name: value for name, choice in zip(("queue", "channel"), places, strict=True) if (value := draw.choice(choice))}
        made.append(event(kind, occurred_ms, f"{number}", **fields, **place))
        if draw.random() < 0.03:
            made.append(made[-1])
    return list(told(iter(map(orjson.dumps, made)), Read()))


def policy(draw: Random) -> PolicyFile:
    """Rules that can rest, over windows of every width, and whatever bears on when they page."""
    rules = list[dict[str, Any]]()
    for number in range(draw.randint(1, 4)):
        direction, kpis = draw.choice([("below", BELOW), ("above", ABOVE)])
        kpi = draw.choice(list(kpis))
        enter, leave = kpis[kpi]
        held = draw.choice([0, 60, 600])
        further: dict[str, Any] = {
            "severity": "critical",
            "enter": enter - 0.1 if direction == "below" else enter + 0.1,
            "exit": leave,
            "for": held,
        }
        rule: dict[str, Any] = {
            "id": f"rule-{number}",
            "kpi": kpi,
            "direction": direction,
            "runbook": "r",
            "recover_for": draw.choice([0, 300]),
        }
        rule["window"] = draw.choice(["5m", "15m", "30m", "1h", "4h", "24h", "7d", "30d", "today", "month"])
        rule["min_samples"], rule["on_missing"] = draw.choice([1, 3, 5, 12]), draw.choice(["hold", "ok", "no_data"])
        rule["scopes"] = draw.choice([["partner"], ["partner", "partner/queue"], ["partner/queue", "partner/channel"]])
        rule["levels"] = [{"severity": "warning", "enter": enter, "exit": leave, "for": held}, further][: draw.choice([1, 2])]
        rules.append(rule)
    definition: dict[str, Any] = {"targets": {"service_level": {"target": 0.8}, "asa": {"target": 30}, "qa_score": {"target": 0.8}}}
    if draw.random() < 0.3:
        definition["repeat_window_seconds"] = "2d"
    if draw.random() < 0.2:
        definition["targets"]["occupancy"] = {"target": 0.7}
    defaults: dict[str, Any] = {
        "timezone": draw.choice(["UTC", "Europe/Lisbon", "America/Bogota", "Asia/Kolkata"]),
        "definition": definition,
    }
    defaults |= {"settle_seconds": draw.choice([0, 5, 25])}
    defaults |= draw.choice([{}, {}, {"maintenance": {"mon-sun": "02:00-11:00"}}, {"hours": {"mon-fri": "10:00-15:00"}}])
    acme: dict[str, Any] = {"id": "acme", "name": "Acme", "channels": {"chat": {"service_level": {"threshold_seconds": 60}}}}
    inhibit = [{"source": {"rule": "rule-0"}, "target": {"rule": "rule-1"}}] if len(rules) > 1 and draw.random() < 0.5 else []
    said: dict[str, Any] = {"version": 1, "defaults": defaults, "partners": [acme], "rules": rules, "inhibit": inhibit}
    return narrowed(load(orjson.dumps(said).decode(), "p"))


def compiled(of: PolicyFile) -> PartnerPolicy:
    shared, own = parts(of)
    return compile_partner(shared, own["acme"], "acme")


def outcome(past: Past | CountedPast, events: list[Told], end_ms: int) -> tuple[list[tuple[Any, ...]], dict[str, tuple[int, int]]]:
    past.feed(events)
    seen = [
        (change.at_ms, after.rule_id, after.scope, after.seq, change.kind.value, str(after.severity), verdict.judged.aside.reasons)
        for verdict in past.end(end_ms)
        for change in verdict.judged.changes
        for after in [change.after]
    ]
    return sorted(seen), {kpi: (days.days, days.met) for kpi, days in past.days.items()}


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32))
@example(168).via("a ticket kept a queue there of which only queues and channels were judged")
@example(416).via("a contact that expired was counted when the day was closed")
@example(912).via("a record was taken back that was the last of its queue")
def test_tallies_come_to_what_the_engine_comes_to(seed: int) -> None:
    draw = Random(seed)
    events, of = stream(draw), policy(draw)
    assert can_rest(compiled(of))
    begin_ms, end_ms = events[0].at_ms, max(each.at_ms for each in events) + draw.choice([0, DAY_MS])
    found, expected = (outcome(kind(of, compiled(of), begin_ms), events, end_ms) for kind in (CountedPast, Past))
    assert found == expected


@pytest.mark.parametrize(("queues", "fires"), [(9, True), (1_000, False)])
def test_what_counts_in_a_cell_for_all_that_exceed_a_limit_is_no_sample_under_another_threshold(queues: int, *, fires: bool) -> None:
    acme: dict[str, Any] = {"id": "acme", "name": "A", "channels": {"chat": {"service_level": {"threshold_seconds": 60}}}}
    levels: list[dict[str, Any]] = [{"severity": "warning", "enter": 0.8, "exit": 0.9, "for": 0}]
    rule: dict[str, Any] = {"id": "low", "kpi": "service_level", "window": "1h", "direction": "below", "levels": levels, "runbook": "r"}
    of = narrowed(load(orjson.dumps({"version": 1, "partners": [acme], "rules": [rule]}).decode(), "p"))
    made = [
        event("contact.answered", START_MS + 15_000 * at, f"{at}", queue=f"q{at % queues}", channel="chat", wait_seconds=w)
        for at, w in enumerate([4.0] * 405 + [90.0] * 200)
    ]
    events = list(told(iter(map(orjson.dumps, made)), Read()))
    found, expected = (outcome(kind(of, compiled(of), START_MS), events, events[-1].at_ms) for kind in (CountedPast, Past))
    assert found == expected
    assert bool(found[0]) == fires


MANY: list[dict[str, Any]] = [
    event("contact.queued", START_MS, "1"),
    event("contact.answered", START_MS, "2", wait_seconds=4.0),
    event("contact.answered", START_MS, "3", wait_seconds=300.0),
    event("contact.abandoned", START_MS, "4", wait_seconds=2.0),
    event("contact.left", START_MS, "5"),
    event("contact.completed", START_MS, "6", hold_seconds=9.0, wrap_seconds=9.0, transferred=True, escalated=True, resolved=True),
    event("contact.completed", START_MS, "7", resolved=False),
    *(event("survey.response", START_MS, f"{survey}{score}", survey=survey, score=score) for survey in ("csat", "nps") for score in (1, 5)),
    event("survey.invited", START_MS, "8"),
    event("quality.evaluated", START_MS, "9"),
]


RESTING = [
    kpi
    for kpi in CATALOGUE.values()
    if kpi.family == families.INTERACTIONS or kpi.family in (families.CSAT, families.NPS, families.CES)
    if not kpi.live and kpi.estimate([0] * SIZE, None, DEFAULT).kind is not Kind.GAUGE
]


@pytest.mark.parametrize("kpi", RESTING, ids=lambda kpi: kpi.id)
def test_what_is_no_observation_of_a_kpi_does_not_move_it(kpi: Kpi) -> None:
    """Of the KPIs whose rules can rest: neither events of other kinds nor what only the engine counts does."""
    flat = [*range(100, 100 + SIZE)]
    before = kpi.estimate(flat, None, DEFAULT)
    flat[OFFSETS[Family.QUALITY] :] = range(SIZE - OFFSETS[Family.QUALITY])
    for each in told(iter(map(orjson.dumps, MANY)), Read()):
        if observed(kpi) not in (*KINDS.get(each.event.__class__, ()), ALL_KINDS):
            family, fold = FOLDS[each.event.type]
            vector = [0] * WIDTHS[family]
            fold(each.event, vector, 20_000, 5_000)
            for at, more in enumerate(vector[: WIDTHS[family]], OFFSETS[family]):
                flat[at] += more
    assert kpi.estimate(flat, None, DEFAULT) == before
