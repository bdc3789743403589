"""What is told of a condition: ids, reasons, sentences, records."""

import re

import orjson
import pytest

from alerts import Condition, Context, alert_event, alert_state, evaluate, fingerprint, retire
from alerts.explanation import explain
from alerts.ids import episode_id, event_id
from alerts.reason import span
from models.figures import Estimate, Kind
from models.records import AlertEvent, AlertState
from models.rules import Direction, Level, OnMissing, Severity
from models.windows import GRID_MS, MINUTE_MS
from tests.conditions import RULE, START_MS, drive, gauge, ratio, revised, sample

CONTEXT = Context("Delta Assist", START_MS + 75_000, START_MS + 80_000, 9, late=False, trace={"cx.interactions": 42})


def test_ids_are_the_same_everywhere_and_for_ever() -> None:
    alert = fingerprint("service_level_low", "delta", "all")
    assert alert == "d13ccfd40c412021bc5be53e9d8c2039"
    episode = episode_id(alert, START_MS)
    assert episode == "7530628b-cd15-56e8-85a7-dcc456c36d56"
    assert event_id(alert, episode, 2) == "ef7348982fcbca069542f6de6b6da389"


def test_ids_differ_where_parts_only_join_to_the_same_text() -> None:
    assert len({fingerprint("a", "b,c", "all"), fingerprint("a,b", "c", "all"), fingerprint("a", "b", "c,all")}) == 3


def test_reasons_say_what_was_compared() -> None:
    _, changes = drive(
        RULE, [ratio(0.7)] * 7 + [ratio(26 / 63, 63)] * 7 + [ratio(0.75)] * 13 + [ratio(0.9)] * 3 + [ratio(0.82)] + [ratio(0.9)] * 13
    )
    assert [change.reason for change in changes] == [
        "OK => PENDING: warning, below 0.8 (upper bound 0.769, n 100)",
        "PENDING => FIRING: warning, below 0.8 for 1m (upper bound 0.769, n 100)",
        "FIRING => FIRING: escalated to critical, below 0.65 for 1m (upper bound 0.558, n 63)",
        "FIRING => FIRING: eased from critical, not below 0.7 for 2m (value 0.75, n 100)",
        "FIRING => RECOVERING: not below 0.83 (value 0.9, n 100)",
        "RECOVERING => FIRING: below 0.83 again (value 0.82, n 100)",
        "FIRING => RECOVERING: not below 0.83 (value 0.9, n 100)",
        "RECOVERING => RESOLVED: not below 0.83 for 2m (value 0.9, n 100)",
    ]
    _, changes = drive(revised(on_missing=OnMissing.BREACHING), [None] * 7 + [ratio(0.9)])
    assert changes[1].reason == "PENDING => FIRING: critical, below 0.65 for 1m (no data)"
    _, changes = drive(RULE, [ratio(0.7), ratio(0.9)])
    assert changes[1].reason == "PENDING => OK: no longer surely below 0.8 (upper bound 0.939, n 100)"


def test_durations_read_as_policies_write_them() -> None:
    assert [span(ms) for ms in (0, 10_000, 60_000, 90_000, 3_600_000)] == ["0s", "10s", "1m", "90s", "1h"]


def test_sentences_at_each_stage() -> None:
    conditions, _ = drive(RULE, [ratio(26 / 63, 63)] * 7 + [ratio(0.9)] + [ratio(0.82)] + [ratio(0.9)] * 13)
    now_ms = START_MS + 30 * MINUTE_MS
    said = list(dict.fromkeys(explain(RULE, condition, "Delta Assist", now_ms) for condition in conditions))
    figure, counts = "Delta Assist: service level {} % in the last 15 min, ", " ({} contacts answered in time)"
    assert said == [
        figure.format(41) + "under 80 % since 15:10 UTC" + counts.format("26 of 63"),
        figure.format(90) + "past 83 % again after falling under 80 % at 15:10 UTC" + counts.format("90 of 100"),
        figure.format(82) + "not yet back over 83 % after falling under 80 % at 15:10 UTC" + counts.format("82 of 100"),
        figure.format(90) + "was under 80 % from 15:10 to 15:13 UTC" + counts.format("90 of 100"),
    ]


def test_sentences_of_other_units_and_sides() -> None:
    def said(kpi: str, unit: str, enter: float, estimate: Estimate | None, *, scope: str = "all") -> str:
        rule = revised(
            kpi=kpi,
            window="1h",
            direction=Direction.ABOVE,
            levels=(Level(Severity.WARNING, enter, enter, 0),),
            on_missing=OnMissing.BREACHING,
        )
        seen = sample(estimate, START_MS)._replace(unit=unit)
        condition, _ = evaluate(rule, Condition(rule.id, "delta", scope), seen, START_MS)
        return explain(rule, condition, "Delta Assist", START_MS + 24 * 60 * MINUTE_MS)

    since = "since 15 Jun 15:10 UTC"
    asa = Estimate(Kind.MEAN, 73.84, 7384, 100, 100, 900.0)
    assert said("asa", "s", 60, asa) == f"Delta Assist: average speed of answer 74 s in the last 1 h, over 60 s {since} (n 100)"
    assert (
        said("abandon_rate", "ratio", 0.05, ratio(0.1, 400), scope="queue=billing")
        == f"Delta Assist, queue billing: abandon rate 10 % in the last 1 h, over 5 % {since} (40 of 400 contacts abandoned)"
    )
    assert said("in_queue", "count", 10, gauge(12)) == f"Delta Assist: waiting now 12, over 10 {since}"
    assert said("asa", "s", 60, None) == f"Delta Assist: no average speed of answer in the last 1 h, over 60 s {since}"


def test_a_figure_next_to_its_threshold_does_not_read_like_it() -> None:
    conditions, _ = drive(revised(min_samples=1), [ratio(0.796, 100_000)])
    assert "service level 79.6 % in the last 15 min, under 80 %" in explain(RULE, conditions[-1], "Delta", START_MS)


@pytest.mark.parametrize("name", ["Delta" * 12, "Delta" * 60])
def test_a_sentence_is_whole_in_200_characters(name: str) -> None:
    conditions, _ = drive(RULE, [ratio(0.5)] * 7 + [ratio(0.82)])
    said = explain(RULE, conditions[-1], name, START_MS)
    assert len(said) <= 200
    assert re.search(r": service level .* UTC$|in time\)$", said)


def test_the_record_of_a_change_says_everything() -> None:
    _, changes = drive(RULE, [ratio(26 / 63, 63)] * 7)
    event = AlertEvent.model_validate_json(orjson.dumps(alert_event(RULE, changes[-1], CONTEXT)))
    fired_ms = START_MS + 6 * GRID_MS
    assert (event.transition.from_, event.transition.to, event.transition.kind) == ("pending", "firing", "fired")
    assert (event.severity, event.seq, event.late, event.trace) == ("critical", 2, False, {"cx.interactions": 42})
    assert (event.started_at, event.fired_at, event.ended_at, event.evaluated_at) == (START_MS, fired_ms, None, fired_ms)
    assert (event.rule.revision, event.rule.owner) == (RULE.revision, "realtime")
    seen = event.evidence
    assert (seen.enter, seen.exit, seen.for_seconds, seen.min_samples, seen.n, seen.numerator) == (0.65, 0.7, 60, 20, 63, 26)
    assert seen.ci_high is not None
    assert seen.ci_high < 0.65
    assert (seen.from_, seen.to, seen.quality) == (fired_ms - 15 * MINUTE_MS, fired_ms, "good")


def test_the_record_of_a_state_says_how_it_stands() -> None:
    conditions, _ = drive(RULE, [ratio(0.5)] * 7 + [None])
    now_ms = START_MS + 7 * GRID_MS
    state = AlertState.model_validate_json(orjson.dumps(alert_state(RULE, conditions[-1], CONTEXT, now_ms)))
    assert (state.state, state.quality, state.evidence.quality) == ("firing", "missing", "good")
    assert (state.since, state.evaluated_at, state.as_of, state.revision) == (START_MS + 6 * GRID_MS, now_ms, START_MS + 80_000, 9)


def test_an_alert_whose_rule_has_its_level_no_more_claims_no_threshold_of_another() -> None:
    day = revised(levels=(Level(Severity.CRITICAL, 0.2, 0.4, 0),))
    conditions, _ = drive(revised(levels=RULE.levels[:1]), [ratio(0.5)] * 8)
    ended, (change,) = evaluate(day, conditions[-1], sample(ratio(0.5), START_MS + 8 * GRID_MS), START_MS + 8 * GRID_MS)
    assert change.kind.value == "retired"
    said = explain(day, ended, "Delta Assist", START_MS + 8 * GRID_MS)
    assert (
        said
        == "Delta Assist: service level 50 % in the last 15 min, in breach from 15:10 to 15:11 UTC (50 of 100 contacts answered in time)"
    )


def test_an_alert_without_its_rule_still_says_what_it_was() -> None:
    conditions, _ = drive(RULE, [ratio(0.5)] * 7)
    _, changes = retire(conditions[-1], START_MS + 5 * MINUTE_MS)
    event = AlertEvent.model_validate_json(orjson.dumps(alert_event(None, changes[0], CONTEXT)))
    assert event.explanation == (
        "Delta Assist: service level 50 % in the last 15 min, no longer watched; in breach from 15:10 to 15:15 UTC"
        " (50 of 100 contacts answered in time)"
    )
    assert (event.rule.id, event.rule.owner, event.ended_at) == (RULE.id, None, START_MS + 5 * MINUTE_MS)
