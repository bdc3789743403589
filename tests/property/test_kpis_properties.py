"""What holds of every KPI whatever was counted, and a second computation of each from the raw events."""

from collections.abc import Sequence
from statistics import variance
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.definitions import Ces, Csat, Definition, ServiceLevel, Target
from models.figures import Estimate, Kind, Live
from models.kpis import CATALOGUE, figures
from models.measures import FAMILIES, OFFSETS, SIZE, WIDTHS, Family, flat_zero, from_names, to_names, total
from models.records import KpiFigure
from models.statistics import Z_PAGE, Z_REPORT, Z_WARN, interval
from streams.engine.fold import FOLDS
from streams.engine.ticket import Mark, Step, Ticket

Raw = dict[str, Any]

SECONDS = st.integers(0, 120_000).map(lambda ms: ms / 1000)
WAITED = st.fixed_dictionaries({"type": st.sampled_from(["contact.answered", "contact.abandoned"]), "wait_seconds": SECONDS})
COMPLETED = st.fixed_dictionaries(
    {
        "type": st.just("contact.completed"),
        "talk_seconds": SECONDS,
        "hold_seconds": st.just(0.0) | SECONDS,
        "wrap_seconds": SECONDS,
        "holds": st.just(0),
        "resolved": st.none() | st.booleans(),
        "transferred": st.booleans(),
        "escalated": st.booleans(),
    }
)
ANSWERED = st.fixed_dictionaries(
    {
        "type": st.just("survey.response"),
        "survey": st.sampled_from(["csat", "nps", "ces", "esat", "enps"]),
        "score": st.integers(0, 10).map(float) | st.just(4.5),
        "scale_max": st.none(),
    }
)
INVITED = st.fixed_dictionaries({"type": st.just("survey.invited"), "survey": st.sampled_from(["csat", "nps", "ces"])})
POINTS = st.integers(0, 100_000).map(lambda milli: milli / 1000)
ITEMS = st.builds(SimpleNamespace, points=st.sampled_from([0.0, 0.5]), possible=st.sampled_from([0.0, 1.0]), critical=st.booleans())
EVALUATED = st.fixed_dictionaries(
    {
        "type": st.just("quality.evaluated"),
        "points": POINTS,
        "points_possible": POINTS | st.just(0.0),
        "automatic_fail": st.booleans(),
        "script_done": st.none() | st.integers(0, 9),
        "script_required": st.none() | st.integers(0, 9),
        "items": st.none() | st.lists(ITEMS, max_size=3),
    }
)
VISIT = st.fixed_dictionaries({"type": st.just("visit"), **dict.fromkeys(("again", "matured", "followed"), st.booleans())})
AFTER_MS = st.none() | st.integers(0, 10**9)
FORECAST = st.fixed_dictionaries({"type": st.just("forecast"), "expected": st.just(0.0) | POINTS, "offered": st.integers(0, 500)})
"""A closed interval."""
TICKET = st.fixed_dictionaries({"type": st.just("ticket"), "replied": AFTER_MS, "solved": AFTER_MS, "due": AFTER_MS})
"""A whole ticket, by the milliseconds since it was opened."""
MS = st.integers(0, 10**8)
STAFF = st.fixed_dictionaries(
    {"type": st.just("staff"), "busy": MS, "idle": MS, "kept": MS, "missed": MS, "done": st.integers(0, 3), "late": st.integers(0, 3)}
    | {"left": st.integers(0, 2), "headcount": MS}
)
"""What some agents come to, times in milliseconds."""
EVENTS = st.lists(WAITED | COMPLETED | ANSWERED | INVITED | EVALUATED | TICKET | FORECAST | STAFF | VISIT, max_size=30)
DEFINITIONS = st.builds(
    Definition,
    service_level=st.builds(ServiceLevel, threshold_seconds=st.sampled_from([0.0, 20.0, 60.0])),
    short_abandon_seconds=st.sampled_from([0.0, 5.0, 30.0]),
    abandon_rate_net_of_short=st.booleans(),
    csat=st.sampled_from([Csat(), Csat(scale_max=10, top_boxes=3)]),
    ces=st.sampled_from([Ces(), Ces(scale_max=5, direction="effort", boxes=2)]),
)
MANY = st.integers(0, 10**6)
LIVES = st.builds(
    Live,
    st.integers(3, 9),
    st.integers(0, 10**7),
    st.integers(0, 3),
    backlog=st.none() | MANY,
    backlog_overdue=MANY,
    agents_staffed=st.none() | MANY,
    agents_available=MANY,
) | st.just(Live(0, None, 0))


def ticket_flats(raw: Raw) -> list[list[int]]:
    steps = ((Step.OPENED, 0), (Step.REPLIED, raw["replied"]), (Step.SOLVED, raw["solved"]))
    ticket = Ticket()
    for step, at_ms in steps:
        if at_ms is not None:
            ticket = ticket.told(Mark(at_ms, step, raw["due"] if step is Step.OPENED else None, None, None))
    # Behind the measures stand the keys of bins.
    return [from_names(zip(FAMILIES[Family.TICKETS], vector, strict=False)) for vector in ticket.counts().values()]


def staff_flat(raw: Raw) -> list[int]:
    times = {"contact_ms": raw["busy"], "idle_ms": raw["idle"], "adherent_ms": raw["kept"], "scheduled_ms": raw["kept"] + raw["missed"]}
    courses = {"trainings_due": raw["done"] + raw["late"], "trainings_done": raw["done"]}
    return from_names(times | courses | {"agents_left": raw["left"], "headcount_ms": raw["headcount"]})


def counted(events: Sequence[Raw], definition: Definition) -> list[int]:
    """The flat vector of some events, by the engine's own fold."""
    flat = flat_zero()
    for raw in events:
        if raw["type"] == "ticket":
            flat = total([flat, *ticket_flats(raw)])
            continue
        if raw["type"] == "staff":
            flat = total([flat, staff_flat(raw)])
            continue
        if raw["type"] == "visit":
            of_window = {"matured": raw["matured"], "followed": raw["matured"] and raw["followed"]}
            flat = total([flat, from_names({"identified": 1, "repeats": raw["again"], **of_window})])
            continue
        if raw["type"] == "forecast":
            expected = {"forecast_milli": round(1000 * raw["expected"]), "forecast_offered": raw["offered"]}
            flat = total([flat, from_names(expected)])
            continue
        family, fold = FOLDS[raw["type"]]
        vector = [0] * WIDTHS[family]
        limits = (definition.csat.scale_max, definition.ces.scale_max) if raw["type"].startswith("survey") else definition.basis
        fold(SimpleNamespace(**raw), vector, *limits)
        low = OFFSETS[family]
        high = low + WIDTHS[family]  # Behind the measures stand the keys of bins.
        flat[low:high] = [a + b for a, b in zip(flat[low:high], vector, strict=False)]
    return flat


def mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def evaluated(events: Sequence[Raw]) -> dict[str, list[tuple[float, float]]]:
    """(had, to be had) of each evaluation, in points and in items of its script."""
    told = [e for e in events if e["type"] == "quality.evaluated"]
    points = [(0 if e["automatic_fail"] else min(e["points"], e["points_possible"]), e["points_possible"]) for e in told]
    script = [(min(e["script_done"] or 0, e["script_required"] or 0), e["script_required"] or 0) for e in told]
    return {"qa_score": [each for each in points if each[1]], "script_adherence": [each for each in script if each[1]]}


def complies(event: Raw) -> bool:
    missed = [item for item in event["items"] or () if item.critical and item.possible and not item.points]
    return not missed and not event["automatic_fail"]


def of_tickets(events: Sequence[Raw], step: str) -> list[int]:
    return [e[step] for e in events if e.get(step) is not None]


def recomputed(events: Sequence[Raw], definition: Definition) -> dict[str, float | None]:
    """Every KPI of the past straight from the events: no measures, no shared code."""
    waits = {kind: [e["wait_seconds"] for e in events if e["type"] == f"contact.{kind}"] for kind in ("answered", "abandoned")}
    answered, abandoned = waits["answered"], waits["abandoned"]
    x, short = definition.service_level.threshold_seconds, definition.short_abandon_seconds
    in_time, early = [w for w in answered if w <= x], [w for w in abandoned if w <= x]
    not_short = [w for w in abandoned if w > short]
    patient = not_short if definition.abandon_rate_net_of_short else abandoned
    done = [e for e in events if e["type"] == "contact.completed"]
    holds = [e["hold_seconds"] for e in done]

    def share(part: float, whole: float) -> float | None:
        return part / whole if whole else None

    def scores(survey: str, low: int, high: int) -> list[float]:
        told = [e["score"] for e in events if e["type"] == "survey.response" and e["survey"] == survey]
        return [score for score in told if low <= score <= high and score == round(score)]

    csat, nps, ces = scores("csat", 1, definition.csat.scale_max), scores("nps", 0, 10), scores("ces", 1, definition.ces.scale_max)
    esat, enps = scores("esat", 1, definition.csat.scale_max), scores("enps", 0, 10)
    pleased = [s for s in esat if s > definition.csat.scale_max - definition.csat.top_boxes]
    top = [s for s in csat if s > definition.csat.scale_max - definition.csat.top_boxes]
    easy = [s for s in ces if (s <= 2 if definition.ces.direction == "effort" else s >= 5)]
    net = mean([100 if s >= 9 else -100 if s <= 6 else 0 for s in nps])
    said = [e["resolved"] for e in done if e["resolved"] is not None]
    offered = len(answered) + len(abandoned)
    told = [e["survey"] for e in events if e["type"] == "survey.response"]
    asked = [e["survey"] for e in events if e["type"] == "survey.invited"]
    ratios = {name: share(sum(had for had, _ in of), sum(whole for _, whole in of)) for name, of in evaluated(events).items()}
    intervals = [e for e in events if e["type"] == "forecast"]
    expected = sum(e["expected"] for e in intervals)
    staff = {part: sum(e[part] for e in events if e["type"] == "staff") for part in ("busy", "idle", "kept", "missed", "left", "headcount")}
    courses = [on_time for e in events if e["type"] == "staff" for on_time in [True] * e["done"] + [False] * e["late"]]
    return {
        **ratios,
        "occupancy": share(staff["busy"], staff["busy"] + staff["idle"]),
        "schedule_adherence": share(staff["kept"], staff["kept"] + staff["missed"]),
        "training_completion": mean(courses),
        "attrition": share(staff["left"] * 365 * 24 * 3_600_000, staff["headcount"]),
        "forecast_deviation": share(sum(e["offered"] for e in intervals) - expected, expected),
        "repeat_rate": mean([e["again"] for e in events if e["type"] == "visit"]),
        "fcr": mean([not e["followed"] for e in events if e["type"] == "visit" and e["matured"]]),
        "service_level": share(len(in_time), offered),
        "service_level_answered_only": share(len(in_time), len(answered)),
        "service_level_abandons_count_against": share(len(in_time), offered),
        "service_level_early_abandons_ignored": share(len(in_time), offered - len(early)),
        "service_level_early_abandons_count_for": share(len(in_time) + len(early), offered),
        "service_level_short_abandons_excluded": share(len(in_time), len(answered) + len(not_short)),
        "offered": offered,
        "abandoned": len(abandoned),
        "asa": mean(answered),
        "avg_time_to_abandon": mean(abandoned),
        "abandon_rate": share(len(patient), len(answered) + len(patient)),
        "aht": mean([e["talk_seconds"] + e["hold_seconds"] + e["wrap_seconds"] for e in done]),
        "avg_hold": mean(holds),
        "avg_hold_held": mean([hold for hold in holds if hold]),
        "transfer_rate": mean([e["transferred"] for e in done]),
        "escalation_rate": mean([e["escalated"] for e in done]),
        "fcr_reported": mean(said),
        "first_response_mean": mean([replied / 1000 for replied in of_tickets(events, "replied")]),
        "resolution_time_mean": mean([solved / 1000 for solved in of_tickets(events, "solved")]),
        "turnaround_attainment": mean([e["solved"] <= e["due"] for e in events if None not in (e.get("due"), e.get("solved"))]),
        "csat": share(len(top), len(csat)),
        "nps": net,
        "ces": share(len(easy), len(ces)),
        "esat": share(len(pleased), len(esat)) if len(esat) >= 5 else None,
        "enps": mean([100 if s >= 9 else -100 if s <= 6 else 0 for s in enps]) if len(enps) >= 5 else None,
        "dissatisfaction": share(len([s for s in csat if s <= definition.csat.top_boxes]), len(csat)),
        "compliance_rate": mean([complies(e) for e in events if e["type"] == "quality.evaluated"]),
        **{f"response_rate_{survey}": share(told.count(survey), asked.count(survey)) for survey in ("csat", "nps", "ces")},
    }


def estimates(flat: Sequence[int], definition: Definition, live: Live | None = None) -> dict[str, Estimate]:
    """All that measures alone say: not quantiles, which are of bins, nor money, which is of periods."""
    shown = {name: kpi for name, kpi in CATALOGUE.items() if (live or not kpi.live) and not kpi.of_period and kpi.quantile is None}
    return {name: kpi.estimate(flat, live, definition) for name, kpi in shown.items()}


@given(EVENTS, DEFINITIONS)
def test_the_catalogue_equals_a_recomputation_from_the_raw_events(events: list[Raw], definition: Definition) -> None:
    found = estimates(counted(events, definition), definition)
    expected = recomputed(events, definition)
    assert expected.keys() == found.keys()
    for name, value in expected.items():
        assert found[name].value == (None if value is None else pytest.approx(value)), name


@given(EVENTS)
def test_the_variance_of_a_mean_is_that_of_its_observations_but_for_the_rounding_of_squares(events: list[Raw]) -> None:
    done = [e for e in events if e["type"] == "contact.completed"]
    observed = {
        "asa": [e["wait_seconds"] for e in events if e["type"] == "contact.answered"],
        "avg_time_to_abandon": [e["wait_seconds"] for e in events if e["type"] == "contact.abandoned"],
        "aht": [e["talk_seconds"] + e["hold_seconds"] + e["wrap_seconds"] for e in done],
        "avg_hold": [e["hold_seconds"] for e in done],
        "avg_hold_held": [e["hold_seconds"] for e in done if e["hold_seconds"]],
        "first_response_mean": [replied / 1000 for replied in of_tickets(events, "replied")],
        "resolution_time_mean": [solved / 1000 for solved in of_tickets(events, "solved")],
    }
    found = estimates(counted(events, Definition()), Definition())
    assert observed.keys() == {name for name, estimate in found.items() if estimate.kind is Kind.MEAN}
    for name, values in observed.items():
        n = len(values)
        if n < 2:
            assert found[name].variance is None
        else:
            exact = variance(values)
            assert exact - n / (n - 1) - 1e-6 <= (found[name].variance or 0.0) <= exact + 1e-6, name


@given(EVENTS)
def test_the_variance_of_a_ratio_is_that_of_the_residuals_around_it(events: list[Raw]) -> None:
    found = estimates(counted(events, Definition()), Definition())
    observed = evaluated(events)
    assert observed.keys() == {name for name, estimate in found.items() if estimate.kind is Kind.RATIO}
    for name, values in observed.items():
        n, estimate = len(values), found[name]
        assert estimate.n == n
        if n < 2:
            assert estimate.variance is None
        else:
            residuals = [had - (estimate.value or 0) * whole for had, whole in values]
            mean_whole = sum(whole for _, whole in values) / n
            assert estimate.variance == pytest.approx(sum(each**2 for each in residuals) / (n - 1) / mean_whole**2, abs=1e-9)


@given(EVENTS, EVENTS, DEFINITIONS)
def test_the_figure_of_a_whole_is_the_ratio_of_summed_parts(one: list[Raw], other: list[Raw], definition: Definition) -> None:
    parts = [estimates(counted(events, definition), definition) for events in (one, other)]
    for name, whole in estimates(total([counted(one, definition), counted(other, definition)]), definition).items():
        if CATALOGUE[name].anonymous:
            continue  # Parts may be hidden where the whole is not.
        if CATALOGUE[name].adds_up:
            assert whole.value == sum(part[name].value or 0 for part in parts)
            continue
        numerator, denominator = sum(part[name].numerator for part in parts), sum(part[name].denominator for part in parts)
        assert whole.denominator == pytest.approx(denominator)
        assert whole.numerator == pytest.approx(numerator)
        scale = 100 if whole.kind is Kind.POINTS else 1
        assert whole.value == (pytest.approx(scale * numerator / denominator) if denominator else None)


@given(EVENTS, DEFINITIONS, LIVES)
def test_a_value_lies_within_its_interval_and_a_page_asks_for_the_widest(events: list[Raw], definition: Definition, live: Live) -> None:
    for name, estimate in estimates(counted(events, definition), definition, live).items():
        bounds = [interval(estimate, z) for z in (Z_WARN, Z_REPORT, Z_PAGE)]
        if estimate.value is None:
            assert bounds == [None] * 3
            continue
        enclosed = [(low, high) for low, high in filter(None, bounds)]
        lows, highs = [low for low, _ in enclosed], [high for _, high in enclosed]
        assert all(low <= estimate.value <= high for low, high in enclosed), name
        assert lows == sorted(lows, reverse=True)
        assert highs == sorted(highs)


@given(EVENTS, DEFINITIONS, st.none() | LIVES, st.booleans(), st.booleans())
def test_every_figure_is_what_a_record_declares(
    events: list[Raw], definition: Definition, live: Live | None, mixed: bool, own_limits: bool
) -> None:
    aimed = definition.model_copy(update={"targets": {"asa": Target(target=20), "nps": Target(target=30, critical=0)}})
    flat = counted(events, definition)
    for name, found in figures(flat, live, aimed, mixed_basis=mixed, own_limits=own_limits).items():
        record = KpiFigure.model_validate(found)
        estimate = CATALOGUE[name].estimate(flat, live, aimed)
        assert record.model_dump(mode="json", exclude_unset=True) == found
        hidden = CATALOGUE[name].anonymous and record.value is None
        assert (record.value, record.numerator, record.denominator, record.n) == ((None,) * 4 if hidden else estimate[1:5])
        if record.value is None:
            assert record.status == ("insufficient" if hidden or CATALOGUE[name].matures else "not_applicable")
        else:
            assert record.status != "not_applicable"


FLATS = st.lists(st.integers(-(2**53), 2**53), min_size=SIZE, max_size=SIZE)


@given(FLATS, FLATS, FLATS)
def test_summing_is_associative_and_commutative_and_what_was_added_can_be_subtracted(a: list[int], b: list[int], c: list[int]) -> None:
    assert total([total([a, b]), c]) == total([a, total([b, c])]) == total([c, b, a])
    assert total([a, b, [-value for value in b]]) == a
    assert total([a]) == a
    assert total([]) == flat_zero()


@given(FLATS)
def test_measures_by_name_are_the_same_measures(flat: list[int]) -> None:
    assert from_names(to_names(flat)) == flat
