"""Metrics: what a commit adds, what a scrape shows, and that docs and rules speak of metrics that exist."""

import re
from pathlib import Path

import orjson
import pytest
from ruamel.yaml import YAML

from models.reasons import RejectReason
from streams.engine import Commit, Output, Sizes, SourceSign
from streams.health.auditor_metrics import AuditorMetrics
from streams.health.desk_metrics import DeskMetrics
from streams.health.docs import filled
from streams.health.notifier_metrics import NotifierMetrics
from streams.health.projector_metrics import ProjectorMetrics
from streams.health.worker_metrics import COUNTED, Arrivals, Look, WorkerMetrics
from tests.engines import SECOND, TOPICS, Rig, budget, event, partner_part, rule, shared_part

ROOT = Path(__file__).parents[2]
RULES = YAML(typ="safe").load(ROOT / "deploy" / "prometheus-rules.yaml")
_METRICS = (WorkerMetrics(), ProjectorMetrics(), NotifierMetrics(), AuditorMetrics(), DeskMetrics())
CATALOGUES = [each.catalogue for each in _METRICS]
DESCRIBED = [each for catalogue in CATALOGUES for each in catalogue.described]
NAMES = {each.name for each in DESCRIBED}
PIECES = {f"{each.name}_{piece}" for each in DESCRIBED if each.kind == "histogram" for piece in ("bucket", "sum", "count")}
NOW = 1_000_000


def commit(*, transitions: int = 0, topics: tuple[str, ...] = ()) -> Commit:
    records = [Output(topic, b"key", b"value", []) for topic in topics]
    return Commit(1, [(b"row", b"value")] * 3, records, {}, [{"kind": "fired", "partner": "acme"}] * transitions)


def scraped(metrics: WorkerMetrics, *looks: Look, lag: dict[tuple[str, int], int] | None = None) -> dict[str, float]:
    lines = metrics.text(looks, lag or {}, NOW).decode().splitlines()
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if not line.startswith("#"))}


def test_a_takeover_counts_no_event_twice() -> None:
    first, second = WorkerMetrics(), WorkerMetrics()
    first.counted({}, {"events": 100})
    first.counted({"events": 100}, {"events": 130})
    # The second reads 130 from the state; what the first counted after its last commit never was.
    second.counted({"events": 130}, {"events": 150, "duplicates": 2})
    assert scraped(first)["outwatch_events_total"] == 130
    assert scraped(second)["outwatch_events_total"] == 20
    assert scraped(second)["outwatch_duplicates_total"] == 2


def test_the_rest_of_a_counter_s_name_is_its_label() -> None:
    metrics = WorkerMetrics()
    metrics.counted({}, {"dead_letters.json": 2, "dead_letters.bug": 1, "late.past_ledger": 3, "misrouted.eu.cx.surveys": 4})
    seen = scraped(metrics)
    assert seen['outwatch_dead_letters_total{reason="json"}'] == 2
    assert seen['outwatch_dead_letters_total{reason="bug"}'] == 1
    assert seen['outwatch_late_total{reason="past_ledger"}'] == 3
    assert seen['outwatch_misrouted_total{topic="eu.cx.surveys"}'] == 4


def test_a_commit_counts_what_it_wrote_and_how_old_its_events_are() -> None:
    metrics = WorkerMetrics()
    metrics.committed(commit(transitions=2, topics=("k", "k", "h")), Arrivals(NOW - 4_000, NOW - 200), NOW, 0.03)
    metrics.committed(commit(), None, NOW, 0.02)
    seen = scraped(metrics)
    assert seen["outwatch_rows_written_total"] == 6
    assert (seen['outwatch_records_written_total{topic="k"}'], seen['outwatch_records_written_total{topic="h"}']) == (2, 1)
    assert seen['outwatch_transitions_total{kind="fired"}'] == 2
    assert (seen["outwatch_commit_seconds_count"], seen["outwatch_event_age_seconds_count"]) == (2, 1)
    assert seen["outwatch_event_age_seconds_sum"] == pytest.approx(0.2)
    assert seen["outwatch_publish_latency_seconds_sum"] == pytest.approx(4.0)


def test_a_transition_of_the_engine_has_the_fields_of_its_log_line_and_a_kind_to_count_by() -> None:
    rig, at_ms, metrics = Rig(), 1_700_000_000_000, WorkerMetrics()
    rig.policy(shared_part(rule()), partner_part(), at_ms=at_ms)
    rig.to(at_ms)
    rig.send(*(event("contact.answered", at_ms, f"e{number}", wait_seconds=600) for number in range(50)), at_ms=at_ms)
    rig.to(at_ms + 60 * SECOND)
    (fired,) = [transition for each in rig.commits for transition in each.transitions]
    assert fired.pop("reason").startswith("OK => FIRING: warning, below 0.8")
    assert fired == {"partner": "acme", "scope": "all", "rule": "sl", "from": "ok", "to": "firing", "kind": "fired"}
    metrics.committed(rig.commits[-1], None, NOW, 0.01)
    assert scraped(metrics)['outwatch_transitions_total{kind="fired"}'] == 1
    assert rig.engine.sizes(rig.now_ms)[:3] == (1, 50, 0)


def test_agents_are_known_after_they_went_home_and_staffed_only_before() -> None:
    rig, at_ms = Rig(), 1_700_000_000_000
    rig.policy(partner_part(), at_ms=at_ms)
    for number, state in enumerate(("available", "wrap", "offline")):
        rig.send(event("agent.state", at_ms, f"e{number}", agent_id=f"a{number}", state=state), at_ms=at_ms, topic=TOPICS.workforce)
    rig.to(at_ms + 60 * SECOND)
    seen = rig.engine.sizes(rig.now_ms)
    assert (seen.agents, seen.agents_staffed) == (3, 2)


def test_rollups_lag_as_far_as_the_limits_keep_closed_minutes_waiting() -> None:
    rig, at_ms = Rig(), 1_700_000_040_000
    rig.policy(partner_part(), at_ms=at_ms)
    rig.to(at_ms)
    for minute in range(8):
        rig.send(event("contact.answered", at_ms + minute * 60 * SECOND, f"e{minute}"), at_ms=at_ms + minute * 60 * SECOND)
        rig.poll()
        rig.idle(at_ms + minute * 60 * SECOND + 30 * SECOND)
        rig.commit(budget(0))
    assert 6 * 60 <= rig.engine.sizes(rig.now_ms).rollups_behind_seconds <= 8 * 60
    rig.commit()
    assert rig.engine.sizes(rig.now_ms).rollups_behind_seconds == 0


def test_arrivals_span_all_runs_also_those_out_of_order() -> None:
    assert Arrivals(50, 60).with_run(10, 20).with_run(55, 90) == Arrivals(10, 90)


def test_a_source_s_clock_ahead_of_ours_makes_no_negative_age() -> None:
    metrics = WorkerMetrics()
    metrics.committed(commit(), Arrivals(NOW + 5, NOW + 9), NOW, 0.03)
    assert scraped(metrics)["outwatch_event_age_seconds_sum"] == 0


def test_a_scrape_shows_what_is_held_now_and_forgets_what_was_given_away() -> None:
    metrics = WorkerMetrics()
    signs = [SourceSign("cx.interactions", "eu", True, NOW), SourceSign("cx.interactions", "", False, NOW - 91_000)]
    one = Look(1, refused=False, frontier_ms=NOW - 7_000, sizes=Sizes(3, 10, 2, 1, 40, 30, 0.0, 600.0), sources=signs)
    two = Look(2, refused=True, frontier_ms=0, sizes=Sizes(1, 5, 0, 0, 2, 1, 1.5, 0.0))
    seen = scraped(metrics, one, two, lag={("cx.surveys", 1): 12})
    assert seen['outwatch_frontier_behind_seconds{partition="1"}'] == 7
    assert 'outwatch_frontier_behind_seconds{partition="2"}' not in seen
    assert [seen[f'outwatch_partition_refused{{partition="{number}"}}'] for number in (1, 2)] == [0, 1]
    assert seen['outwatch_lag_records{partition="1",topic="cx.surveys"}'] == 12
    assert (seen["outwatch_partners"], seen["outwatch_seen_ids"], seen["outwatch_open_contacts"]) == (4, 15, 2)
    assert (seen["outwatch_agents_known"], seen["outwatch_agents_staffed"], seen["outwatch_open_tickets"]) == (42, 31, 1)
    assert (seen["outwatch_publish_behind_seconds"], seen["outwatch_rollups_behind_seconds"]) == (1.5, 600)
    assert seen['outwatch_source_silent{partition="1",source="eu",topic="cx.interactions"}'] == 0
    assert seen['outwatch_source_silent{partition="1",source="",topic="cx.interactions"}'] == 1
    later = scraped(metrics, two)
    assert not [name for name in later if 'partition="1"' in name]
    assert later["process_resident_memory_bytes"] > 1_000_000
    assert [value for name, value in later.items() if name.startswith("outwatch_build_info{")] == [1]


def test_every_counter_of_the_engine_is_a_metric() -> None:
    sources = "".join(path.read_text() for path in (ROOT / "streams" / "engine").glob("*.py"))
    names = set(re.findall(r"count(?:er)?s\[f?\"([a-z_]+)[.\"]", sources))
    assert len(names) > 5
    assert names == set(COUNTED)


def test_every_metric_has_a_unit_or_counts_and_says_what_it_is() -> None:
    for each in DESCRIBED:
        assert each.what.endswith("."), each.name
        assert each.kind != "counter" or each.name.endswith("_total")
        assert each.kind != "histogram" or each.name.endswith("_seconds")
        assert set(each.labels) <= {
            "partition",
            "topic",
            "source",
            "reason",
            "kind",
            "version",
            "python",
            "role",
            "type",
            "outcome",
            "route",
            "status",
        }


def test_the_page_has_the_metrics_and_rules_that_there_are() -> None:
    page = (ROOT / "docs" / "metrics.md").read_text()
    assert filled(page) == page, "run: python -m streams.health.docs"


def test_rules_have_the_shape_of_prometheus_and_say_what_to_do() -> None:
    names = []
    for group in RULES["groups"]:
        assert set(group) == {"name", "rules"}
        for each in group["rules"]:
            assert set(each) == {"alert", "expr", "for", "labels", "annotations"}
            assert re.fullmatch(r"Outwatch[A-Za-z]+", each["alert"])
            assert re.fullmatch(r"\d+[smh]", each["for"])
            assert each["labels"]["severity"] in {"page", "ticket"}
            assert set(each["annotations"]) == {"summary", "action"}
            names.append(each["alert"])
    assert len(names) == len(set(names)) >= 10


@pytest.mark.parametrize("file", ["prometheus-rules.yaml", "grafana-dashboard.json"])
def test_rules_and_dashboard_ask_for_metrics_that_exist(file: str) -> None:
    queries = re.sub(r"summary:.*|action:.*", "", (ROOT / "deploy" / file).read_text())
    asked = set(re.findall(r"\b((?:outwatch|process)_[a-z_]+)\b", queries))
    assert len(asked) > 10
    assert asked <= NAMES | PIECES | {"process_start_time_seconds"}


def test_a_rule_names_reasons_that_exist() -> None:
    reasons = set(re.findall(r'reason=~?"([a-z_|]+)"', (ROOT / "deploy" / "prometheus-rules.yaml").read_text()))
    assert {each for group in reasons for each in group.split("|")} <= set(RejectReason)


def test_panels_lie_beside_each_other_and_are_split_by_labels_that_their_metrics_have() -> None:
    labels = {each.name: set(each.labels) for each in DESCRIBED}
    places: set[tuple[int, int]] = set()
    for panel in orjson.loads((ROOT / "deploy" / "grafana-dashboard.json").read_bytes())["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & places, panel["title"]
        places |= cells
        for target in panel["targets"]:
            (name,) = set(re.findall(r"\b((?:outwatch|process)_[a-z_]+)\b", target["expr"]))
            split = {each for found in re.findall(r"by \(([a-z, ]+)\)", target["expr"]) for each in found.split(", ")}
            assert split <= labels[re.sub("_bucket$", "", name)] | {"le"}, target["expr"]
            assert set(re.findall(r"{{([a-z]+)}}", target["legendFormat"])) <= split | {"instance"}, target["legendFormat"]
