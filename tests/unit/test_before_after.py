"""Before and after what an annotation notes: equal spans, every figure with its interval, and whether the difference is beyond noise."""

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from models.days import day_start
from models.notices import AnnotationState
from models.policy import compile_partner
from models.windows import DAY_MS, HOUR_MS, MINUTE_MS, QUARTER_MS, Scope
from streams import annotated
from streams.annotated import BeforeAfter, NoAnnotationError
from streams.cli import app
from streams.recomputed.before_after import NotYetError, Spans, Verdict, changes, remarks, spans
from streams.recomputed.kept import Kept
from tests.engines import SECOND, Rig, budget, event, partner_part, rule, shared_part
from tests.past import kept_of

AT_MS = 1_760_000_400_000
"""On a full quarter of an hour."""
WEEK_MS = 7 * DAY_MS
ALL = Scope("all")


def note(kind: str = "release", from_ms: int = AT_MS, to_ms: int | None = None, **changes: Any) -> AnnotationState:
    said = {"id": "n1", "partner": "acme", "actor": "ann", "at": 1, "kind": kind, "text": "new script"}
    return AnnotationState.model_validate(said | {"from": from_ms, "to": to_ms or from_ms + MINUTE_MS} | changes)


def held(closed_ms: int, zone: str = "UTC") -> Kept:
    policy = compile_partner(shared_part(), partner_part(timezone=zone), "acme")
    return Kept(policy, ALL, minutes_from_ms=closed_ms - 2 * DAY_MS, quarters_from_ms=closed_ms - 90 * DAY_MS)


@pytest.mark.parametrize(
    ("found", "passed_ms", "asked_ms", "width_ms"),
    [
        (note(), 10 * MINUTE_MS, None, 10 * MINUTE_MS),
        (note(), 100 * MINUTE_MS, None, HOUR_MS),
        (note(), 20 * HOUR_MS, None, 20 * HOUR_MS),
        (note(), 60 * HOUR_MS, None, 2 * DAY_MS),
        (note(), 17 * DAY_MS, None, 2 * WEEK_MS),
        (note(), 17 * DAY_MS, 3 * DAY_MS, 3 * DAY_MS),
        (note(), 60 * DAY_MS, None, 4 * WEEK_MS),
        (note("pilot", AT_MS, AT_MS + 9 * DAY_MS), 20 * DAY_MS, None, WEEK_MS),
    ],
)
def test_spans_are_as_long_as_can_be_in_whole_weeks_else_days_else_hours(
    found: AnnotationState, passed_ms: int, asked_ms: int | None, width_ms: int
) -> None:
    closed_ms = AT_MS + passed_ms
    before, after = spans(found, held(closed_ms), closed_ms, asked_ms)
    assert (before, after) == ((AT_MS - width_ms, AT_MS), (AT_MS, AT_MS + width_ms))


def test_an_outage_is_left_out_itself_and_what_follows_a_release_is_not() -> None:
    closed_ms = AT_MS + 3 * HOUR_MS
    outage = note("outage", AT_MS, AT_MS + HOUR_MS)
    assert spans(outage, held(closed_ms), closed_ms) == Spans((AT_MS - 2 * HOUR_MS, AT_MS), (AT_MS + HOUR_MS, closed_ms))
    release = note("release", AT_MS, AT_MS + HOUR_MS)
    assert spans(release, held(closed_ms), closed_ms).after == (AT_MS, closed_ms)


def test_where_only_longer_stretches_are_kept_the_spans_begin_and_end_with_them() -> None:
    from_ms = AT_MS + 100 * SECOND
    closed_ms = from_ms + 3 * DAY_MS
    before, after = spans(note(from_ms=from_ms), held(closed_ms), closed_ms)
    assert (before[1], after[0]) == (AT_MS, AT_MS + QUARTER_MS)
    closed_ms = from_ms + 100 * DAY_MS
    kept = held(closed_ms, "Asia/Kolkata")
    before, after = spans(note(from_ms=from_ms), kept, closed_ms)
    midnight_ms = day_start(from_ms, "Asia/Kolkata")
    assert (before, after) == (
        (midnight_ms - 4 * WEEK_MS, midnight_ms),
        (midnight_ms + DAY_MS, midnight_ms + DAY_MS + 4 * WEEK_MS),
    )


@pytest.mark.parametrize("passed_ms", [-HOUR_MS, 0, 59 * SECOND])
def test_before_anything_has_closed_there_is_nothing_to_compare(passed_ms: int) -> None:
    with pytest.raises(NotYetError, match="nothing after it has closed yet"):
        spans(note(), held(AT_MS + passed_ms), AT_MS + passed_ms)


def test_of_a_short_pilot_long_ago_nothing_is_kept() -> None:
    closed_ms = AT_MS + 200 * DAY_MS
    with pytest.raises(NotYetError, match="too short, or too long ago"):
        spans(note("pilot", AT_MS, AT_MS + HOUR_MS), held(closed_ms), closed_ms)


def lived(*, before: int, after: int, contacts: int = 60) -> Kept:
    """An hour with so many contacts of 60 in time, and one after it."""
    rig = Rig()
    rig.policy(shared_part(rule(), windows=["15m"]), partner_part(), at_ms=AT_MS - HOUR_MS)
    rig.to(AT_MS - HOUR_MS)
    for begin_ms, good in ((AT_MS - HOUR_MS, before), (AT_MS, after)):
        for number in range(contacts):
            at_ms = begin_ms + number * MINUTE_MS
            wait = 5.0 if number * 7 % contacts < good else 60.0
            rig.send(event("contact.answered", at_ms, f"e{at_ms}", wait_seconds=wait), at_ms=at_ms)
        rig.to(begin_ms + HOUR_MS)
    rig.to(AT_MS + HOUR_MS + MINUTE_MS)
    rig.commit(budget())
    return kept_of(rig, ALL)


HOURS = Spans((AT_MS - HOUR_MS, AT_MS), (AT_MS, AT_MS + HOUR_MS))


def test_a_figure_that_got_better_beyond_noise_says_by_how_much() -> None:
    found = {each.kpi.id: each for each in changes(lived(before=30, after=54), HOURS)}
    better = found["service_level"]
    assert (better.before.numerator, better.before.n, better.after.numerator, better.after.n) == (30, 60, 54, 60)
    assert (better.verdict, better.better) == (Verdict.BEYOND_NOISE, True)
    assert better.apart is not None
    assert better.apart.difference == pytest.approx(0.4)
    assert 0 < better.apart.low < 0.4 < better.apart.high < 1
    assert found["asa"].better is True
    assert "csat" not in found
    assert "in_queue" not in found


def test_one_that_chance_explains_is_within_noise_and_neither_better_nor_worse() -> None:
    found = next(each for each in changes(lived(before=40, after=42), HOURS) if each.kpi.id == "service_level")
    assert (found.verdict, found.better) == (Verdict.WITHIN_NOISE, None)


def test_few_contacts_say_nothing() -> None:
    found = next(each for each in changes(lived(before=2, after=10, contacts=10), HOURS) if each.kpi.id == "service_level")
    assert found.verdict is Verdict.TOO_FEW


def test_a_figure_of_one_span_alone_is_told_as_such() -> None:
    kept, late = lived(before=30, after=54), Spans((AT_MS - 2 * HOUR_MS, AT_MS - HOUR_MS), (AT_MS, AT_MS + HOUR_MS))
    assert {each.verdict for each in changes(kept, late)} == {Verdict.ONE_SIDED}


def test_what_was_counted_under_other_limits_is_not_judged() -> None:
    kept = lived(before=30, after=54)
    mixed = [each | {"mixed_basis": each["from"] < AT_MS} for each in map(dict, kept.quarters)]
    other = Kept(kept.policy, ALL, quarters=mixed, quarters_from_ms=0, minutes_from_ms=AT_MS + DAY_MS)
    found = {each.kpi.id: each.verdict for each in changes(other, HOURS)}
    assert (found["service_level"], found["asa"]) == (Verdict.OTHER_LIMITS, Verdict.BEYOND_NOISE)


def test_it_says_what_a_reader_should_know_first() -> None:
    kept = lived(before=30, after=54)
    found = list(changes(kept, HOURS))
    said = remarks(kept, HOURS, found)
    weeks, chance = said
    assert weeks.startswith("the spans are not of whole weeks")
    assert chance == "by chance alone one in twenty figures is beyond noise, so 0.3 of these 6"
    later = Kept(compile_partner(shared_part(), partner_part(timezone="Asia/Kolkata"), "acme"), ALL, kept.days, kept.quarters, kept.minutes)
    assert remarks(later, HOURS, found)[0].startswith("the policy has changed")


NOTES = [note(), note(id="n2", partner="*"), note(id="n21")]


def test_an_annotation_is_named_by_its_id_or_how_that_begins() -> None:
    assert annotated._one("n1", NOTES).id == "n1"
    assert annotated._one("n2", NOTES).id == "n2"
    assert annotated._one("n21", NOTES).id == "n21"
    for wrong, said in (("n", "3 annotations begin with n"), ("x", "no annotation x")):
        with pytest.raises(NoAnnotationError, match=said):
            annotated._one(wrong, NOTES)


@pytest.mark.parametrize(
    ("number", "partner", "said"),
    [(1, None, "say of which with --partner"), (1, "acne", "write acme"), (0, "bolt", "is of acme, not of bolt")],
)
def test_of_whom_it_is_must_be_known(number: int, partner: str | None, said: str) -> None:
    with pytest.raises(NoAnnotationError, match=said):
        annotated._whose(NOTES[number], partner, ["acme"])


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = lived(before=30, after=54)
    found = tuple(changes(kept, HOURS))
    told = BeforeAfter(note(), "acme", ALL, HOURS, found, tuple(remarks(kept, HOURS, found)))

    async def read(*_: object) -> BeforeAfter:
        return told

    async def listed(_: object) -> list[AnnotationState]:
        return NOTES

    monkeypatch.setattr(annotated, "before_after", read)
    monkeypatch.setattr(annotated, "annotations", listed)


@pytest.mark.usefixtures("shown")
def test_a_person_sees_a_table_and_a_program_json() -> None:
    screen = CliRunner().invoke(app, ("annotation", "show", "n1"), env={"COLUMNS": "120", "TERM": "dumb"})
    assert screen.exit_code == 0
    (line,) = [line for line in screen.output.splitlines() if line.startswith("Service level ")]
    assert " ".join(line.split()) == "Service level 50 % 60 90 % 60 +40.0 pp +24.1 pp to +53.4 pp better, beyond noise"
    told = json.loads(CliRunner().invoke(app, ("annotation", "show", "n1", "--json")).output)
    (level,) = [each for each in told["kpis"] if each["kpi"] == "service_level"]
    assert (level["before"], level["verdict"], level["better"]) == (
        {"value": 0.5, "numerator": 30, "denominator": 60, "n": 60},
        "beyond_noise",
        True,
    )
    assert told["before"] == {"from": AT_MS - HOUR_MS, "to": AT_MS}
    assert told["annotation"]["from"] == AT_MS


@pytest.mark.usefixtures("shown")
def test_what_is_noted_is_listed() -> None:
    told = CliRunner().invoke(app, ("annotation", "list"))
    assert told.output.splitlines()[:2] == ["n1  release  2025-10-09 09:00 UTC to 2025-10-09 09:01 UTC  acme  ann", "    new script"]
    assert "all partners" in told.output
