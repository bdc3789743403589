"""A backtest, which closes only what could matter, against the engine that closes every grid point."""

from collections.abc import Sequence
from itertools import accumulate
from random import Random
from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from models.policy_file import load
from models.policy_spec import PolicyFile
from models.windows import GRID_MS
from streams.trial.backtest import backtest
from streams.trial.histories import Read, told
from streams.trial.offline import TOPICS, Offline, policy_records
from streams.trial.past import narrowed, past_of
from tests.engines import event

START_MS = 1_772_442_000_000
"""2026-03-02 09:00 UTC."""

_LEVELS = {"below": [0.8, 0.85, 0.5, 0.6], "above": [0.2, 0.15, 0.5, 0.4]}


def moments(draw: Random) -> list[tuple[int, str, str | None, int]]:
    """Seconds since the one before, what it is, where, and how many seconds it comes late."""
    goods, late = ["good"] * draw.randint(1, 9), [0] * 9 + draw.choice([[0], [20, 700]])

    def gap() -> int:
        return draw.choice(
            [draw.randint(0, 5), draw.randint(0, 40), draw.randint(40, 900), 3 if draw.random() < 0.9 else draw.randint(900, 9_000)]
        )

    what = [*goods, "bad", "gone", "queued", "rated", "done"]
    return [(gap(), draw.choice(what), draw.choice(["billing", "sales", None]), draw.choice(late)) for _ in range(draw.randint(30, 200))]


FORMS: tuple[dict[str, Any], ...] = (
    {
        "kpi": "service_level",
        "window": "adaptive",
        "direction": "below",
        "min_samples": 5,
        "levels": [{"severity": "warning", "enter": 0.8, "exit": 0.85, "for": 60}],
    },
    {
        "kpi": "asa",
        "window": "15m",
        "direction": "outside",
        "min_samples": 3,
        "levels": [{"severity": "warning", "enter": [5, 60], "exit": [6, 50], "for": 60}],
    },
    {
        "when": {"all": [{"kpi": "asa", "above": 40, "exit": 30}, {"not": {"kpi": "csat", "below": 0.1, "window": "1h"}}]},
        "window": "15m",
        "severity": "critical",
        "for": 60,
        "min_samples": 3,
    },
    {"type": "balance", "efficiency": "asa", "quality": "csat", "window": "1h", "min_samples": 3},
    {"type": "drift", "kpi": "asa", "direction": "above", "reference": 20, "min_samples": 3},
)
"""Rules that are judged otherwise, one of each kind."""


def some_forms(draw: Random) -> list[dict[str, Any]]:
    """None, mostly."""
    return draw.sample(FORMS, draw.choice([0, 0, 1, 2]))


def some_rules(draw: Random) -> list[tuple[str, str, int, str, int]]:
    """KPI, window, samples, what silence means, and for how long."""
    silences = draw.choice([["hold", "ok", "no_data"], ["hold", "ok", "zero", "breaching", "no_data"]])
    kpis = draw.choice([["service_level", "abandon_rate", "asa", "transfer_rate", "csat"], ["service_level", "in_queue", "wait_p90"]])
    return [
        (
            draw.choice(kpis),
            draw.choice(["5m", "15m", "1h", "24h", "today"]),
            draw.choice([1, 3, 5, 12, 25]),
            draw.choice(silences),
            draw.choice([0, 60, 600]),
        )
        for _ in range(draw.randint(1, 3))
    ]


def stream(drawn: list[tuple[int, str, str | None, int]]) -> list[dict[str, Any]]:
    at_ms, made = START_MS, []
    kinds: dict[str, tuple[str, dict[str, Any]]] = {
        "good": ("contact.answered", {"wait_seconds": 4.0}),
        "bad": ("contact.answered", {"wait_seconds": 200.0}),
        "gone": ("contact.abandoned", {"wait_seconds": 60.0}),
        "queued": ("contact.queued", {}),
        "rated": ("survey.response", {"score": 2}),
        "done": ("contact.completed", {"transferred": True}),
    }
    for number, (gap_seconds, what, queue, late_seconds) in enumerate(drawn):
        at_ms += 1000 * gap_seconds
        kind, fields = kinds[what]
        made.append(event(kind, at_ms - 1000 * late_seconds, f"{number}", **fields, **({"queue": queue} if queue else {})))
    return made


def policy(drawn: list[tuple[str, str, int, str, int]], forms: Sequence[dict[str, Any]] = (), *, closed: bool = False) -> PolicyFile:
    """With `closed` partners are open for an hour, and the first rule goes by a milder ladder outside it."""
    found = list[dict[str, Any]]()
    for number, (kpi, window, min_samples, on_missing, held) in enumerate(drawn):
        direction = "below" if kpi in ("service_level", "csat") else "above"
        one = 60.0 if kpi in ("asa", "wait_p90") else 1.0
        enter, leave, severe, left = (one * each if direction == "above" else each for each in _LEVELS[direction])
        found.append(
            {
                "id": f"rule-{number}",
                "kpi": kpi,
                "window": "1h" if kpi == "in_queue" and window not in ("5m", "15m", "1h") else window,
                "direction": direction,
                "min_samples": min_samples,
                "on_missing": on_missing,
                "recover_for": held,
                "runbook": "r",
                "scopes": ["partner", "partner/queue"],
                "levels": [
                    {"severity": "warning", "enter": enter, "exit": leave, "for": held},
                    {"severity": "critical", "enter": severe, "exit": left, "for": held},
                ],
            }
        )
    found += [form | {"id": f"form-{at}", "runbook": "r"} for at, form in enumerate(forms)]
    defaults: dict[str, Any] = {}
    if closed:
        defaults["hours"] = {"mon-fri": "10:00-11:00"}
        found[0]["outside_hours"] = found[0]["levels"][1:]
    return load(
        orjson.dumps({"version": 1, "defaults": defaults, "partners": [{"id": "acme", "name": "Acme"}], "rules": found}).decode(), "p"
    )


def live(rules_of: PolicyFile, events: list[dict[str, Any]], end_ms: int) -> list[tuple[Any, ...]]:
    """What the engine writes that closes every grid point."""
    offline = Offline()
    begin_ms = events[0]["occurred_at"] - events[0]["occurred_at"] % GRID_MS
    offline.send(TOPICS.policies, policy_records(rules_of, begin_ms), begin_ms)
    offline.tick(begin_ms)
    # One that comes late comes right behind those before it.
    left = list(zip(accumulate((each["occurred_at"] for each in events), max), events, strict=True))
    for tick in range(begin_ms + GRID_MS, end_ms + 1, GRID_MS):
        while left and left[0][0] < tick:
            at_ms, each = left.pop(0)
            offline.tick(at_ms)
            offline.send(TOPICS.interactions, [(b"acme", orjson.dumps(each))], at_ms)
        offline.tick(tick)
    seen = [orjson.loads(each.value or b"") for each in offline.take(end_ms) if each.topic == TOPICS.alerts]
    return sorted(
        (each["evaluated_at"], each["rule"]["id"], each["scope"], each["seq"], each["transition"]["kind"], each["severity"])
        for each in seen
    )


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 2**32))
def test_conditions_change_as_if_every_grid_point_were_closed(seed: int) -> None:
    draw = Random(seed)
    events, rules_of = stream(moments(draw)), policy(some_rules(draw), some_forms(draw), closed=draw.random() < 0.3)
    end_ms = max(each["occurred_at"] for each in events)
    end_ms += GRID_MS - end_ms % GRID_MS
    past = past_of(narrowed(rules_of), "acme", events[0]["occurred_at"])
    past.feed(list(told(iter(map(orjson.dumps, events)), Read())))
    found = [change for verdict in past.end(end_ms) for change in verdict.judged.changes]
    assert sorted(
        (change.at_ms, change.after.rule_id, change.after.scope, change.after.seq, change.kind.value, change.after.severity)
        for change in found
    ) == live(rules_of, events, end_ms)


def test_the_outcome_of_nothing_is_empty() -> None:
    (outcome,) = backtest([policy([("asa", "1h", 1, "hold", 0)])], iter(()), Read())
    assert (outcome.episodes, outcome.rules, outcome.met()) == ((), (), {})
