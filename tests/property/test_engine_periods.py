"""The record of every reported period is that of a plain recomputation, whatever was told when, and over crashes."""

from dataclasses import dataclass
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engines import TOPICS, Rig, event, partner_part, shared_part
from tests.naive import day_bounds
from tests.stories import DAY, HOUR

ZONE = "Europe/Berlin"
DATES = [f"2026-{month}-{day:02}" for month, days in (("03", range(23, 32)), ("04", range(1, 5))) for day in days]
"""Days around the one of 23 hours."""
DAYS = [day_bounds(date, ZONE) for date in DATES]
BEGAN_MS = DAYS[0][0] - DAY


@dataclass(frozen=True, slots=True)
class Step:
    """Time passes, and an amount or a contact is told of."""

    after_ms: int
    flow: str | None
    first: int
    days: int
    amount: int
    line: str | None
    currency: str
    version: int
    crash: bool


STEPS = st.lists(
    st.builds(
        Step,
        st.sampled_from([0, 0, HOUR, 9 * HOUR, DAY, 3 * DAY]),
        st.sampled_from(["cost", "revenue", "revenue", None, None, None]),
        st.integers(0, 7),
        st.sampled_from([1, 1, 1, 2, 3]),
        st.integers(-500, 5000),
        st.sampled_from([None, None, None, "fees"]),
        st.sampled_from(["EUR", "EUR", "EUR", "EUR", "USD"]),
        st.integers(0, 3),
        st.booleans(),
    ),
    min_size=1,
    max_size=20,
)

Key = tuple[str, int, int, str | None, str]


def newest(told: list[Step]) -> dict[Key, int]:
    """By flow, first day, number of days, line and currency: the amount of the highest version, and of two of these the greater."""
    found: dict[Key, tuple[int, int]] = {}
    for each in told:
        key = (str(each.flow), each.first, each.days, each.line, each.currency)
        found[key] = max(found.get(key, (-1, 0)), (each.version, each.amount))
    return {key: amount for key, (_, amount) in found.items()}


def summed(facts: dict[Key, int], flow: str, first: int, days: int) -> tuple[int, str] | None:
    """The sum and its currency, by marking each day that each line covers; None if they do not cover these days and no others, or twice."""
    window = set(range(first, first + days))
    parts = [
        (set(range(at, at + length)), (line, currency), amount) for (of, at, length, line, currency), amount in facts.items() if of == flow
    ]
    parts = [each for each in parts if each[0] & window]
    marks = [(day, line) for covered, line, _ in parts for day in covered]
    if not parts or len(set(marks)) < len(marks) or {day for day, _ in marks} != window or len({line[1] for _, line, _ in parts}) > 1:
        return None
    return sum(amount for _, _, amount in parts), parts[0][1][1]


def expected(facts: dict[Key, int], contacts: list[int], first: int, days: int) -> dict[str, float | None]:
    """What the figures of these days come to."""
    count = sum(DAYS[first][0] <= at_ms < DAYS[first + days - 1][1] for at_ms in contacts)
    cost, revenue, before = (summed(facts, flow, at, days) for flow, at in (("cost", first), ("revenue", first), ("revenue", first - days)))
    avoided = 2 * count if cost and cost[1] == "EUR" else None
    known = bool(cost and cost[0] > 0 and avoided is not None and (not revenue or revenue[1] == "EUR"))
    untold = not any(of == "revenue" and at < first + days and first < at + length for of, at, length, *_ in facts)
    found: dict[str, float | None] = {
        "cost_per_contact": cost[0] / count if cost and count else None,
        "savings": avoided - cost[0] if cost and avoided is not None else None,
        "roi": ((avoided or 0) + (revenue or (0,))[0] - cost[0]) / cost[0] if cost and known and (revenue or untold) else None,
        "revenue": revenue[0] if revenue else None,
        "revenue_growth": None,
    }
    if revenue and before and before[0] > 0 and before[1] == revenue[1]:
        found["revenue_growth"] = (revenue[0] - before[0]) / before[0]
    touched = {of for of, at, length, *_ in facts if at < first + days and first < at + length}
    of_flow = {"cost": ("cost_per_contact", "savings", "roi"), "revenue": ("revenue", "revenue_growth")}
    return {name: found[name] for flow in ("cost", "revenue") if flow in touched for name in of_flow[flow]}


def check(rig: Rig, told: list[Step], contacts: list[int], over_ms: int) -> None:
    facts = newest(told)
    present: dict[tuple[int, int], Any] = {(body["from"], body["to"]): body for body in rig.compacted(TOPICS.periods).values()}
    due = {(first, days) for _, first, days, _, _ in facts if DAYS[first + days - 1][1] <= over_ms}
    assert present.keys() == {(DAYS[first][0], DAYS[first + days - 1][1]) for first, days in due}
    for first, days in due:
        body = present[DAYS[first][0], DAYS[first + days - 1][1]]
        assert body["period"] == f"{DATES[first]}..{DATES[first + days - 1]}"
        values = {name: figure["value"] for name, figure in body["kpis"].items()}
        assert values == expected(facts, contacts, first, days), body
        assert all((figure["value"] is None) == (figure["reason"] is not None) for figure in body["kpis"].values())


@settings(max_examples=25, deadline=None)
@given(STEPS)
def test_periods_are_what_was_told_of_them(story: list[Step]) -> None:
    rig, at_ms = Rig(), BEGAN_MS
    baselines = [{"from": "2020-01-01", "cost_per_contact": 2, "currency": "EUR"}]
    rig.policy(shared_part(timezone=ZONE), partner_part(baselines=baselines), at_ms=at_ms - DAY)
    rig.to(at_ms)
    rig.send(event("contact.completed", at_ms, "the first"), at_ms=at_ms)
    told, contacts = list[Step](), list[int]()
    for number, step in enumerate(story):
        at_ms += step.after_ms
        if step.flow is None:
            contacts.append(min(at_ms, DAYS[step.first][0] + step.amount % 23 * HOUR))
            rig.send(event("contact.completed", contacts[-1], f"c{number}"), at_ms=at_ms)
        else:
            told.append(step)
            fields: dict[str, Any] = {
                "amount": step.amount,
                "currency": step.currency,
                "line": step.line,
                "updated_at": BEGAN_MS + step.version,
            }
            fields |= {"period_start": DAYS[step.first][0], "period_end": DAYS[step.first + step.days - 1][1]}
            rig.send(event(f"{step.flow}.reported", at_ms, f"f{number}", **fields), at_ms=at_ms, topic=TOPICS.finance)
        rig.to(at_ms + HOUR - 1)
        at_ms += HOUR - 1
        if step.crash:
            rig.crash()
        check(rig, told, contacts, at_ms - 5_000)
    for days in (2, 9, 33, 70):
        rig.to(at_ms + days * DAY)
        check(rig, told, contacts, at_ms + days * DAY - 5_000)
    rig.crash()
    rig.bodies(TOPICS.periods)
    assert rig.letters() == rig.letters(TOPICS.late) == []
