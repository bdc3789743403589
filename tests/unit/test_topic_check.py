"""What `outwatch topics check` says of a cluster."""

from dataclasses import replace

import pytest

from models.topics import TOMBSTONES_KEPT_MS, Topics
from streams import owner
from streams.topic_check import Finding, FoundTopic, Level, check_topics, grown

TOPICS = Topics("eu.")
SPECS = TOPICS.specs("app")


def as_they_must_be() -> dict[str, FoundTopic]:
    return {spec.name: FoundTopic(24, dict(spec.config)) for spec in SPECS}


def check(found: dict[str, FoundTopic], partitions: int = 24) -> list[Finding]:
    return check_topics(SPECS, found, partitions, "kafka:9092")


def with_config(name: str, **config: str) -> dict[str, FoundTopic]:
    found = as_they_must_be()
    changed = {key.replace("_", "."): value for key, value in config.items()}
    return found | {name: replace(found[name], config={**found[name].config, **changed})}


def test_nothing_is_said_of_topics_as_they_must_be() -> None:
    assert check(as_they_must_be()) == []


def test_other_topics_of_the_cluster_do_no_harm() -> None:
    assert check(as_they_must_be() | {"orders": FoundTopic(3, {})}) == []


def test_a_missing_topic_is_a_problem_with_its_remedy() -> None:
    found = as_they_must_be()
    del found[TOPICS.kpis]
    assert check(found) == [Finding("eu.outwatch.kpis", Level.PROBLEM, "does not exist", "outwatch topics create")]


def test_one_common_other_number_of_partitions_is_a_wrong_setting_and_said_once() -> None:
    (finding,) = check(as_they_must_be(), partitions=48)
    assert finding.level is Level.PROBLEM
    assert "24 partitions" in finding.message
    assert finding.remedy == "export OUTWATCH_PARTITIONS=24"


def test_more_partitions_of_all_topics_are_a_wrong_setting_or_all_were_grown_and_both_ways_out_are_said() -> None:
    (finding,) = check(as_they_must_be(), partitions=12)
    assert finding.level is Level.PROBLEM
    assert "the setting is wrong, or all of them were grown" in finding.message
    assert finding.remedy.startswith("export OUTWATCH_PARTITIONS=24 if they were created with 24; if they were grown from 12, ")
    assert "outwatch topics copy --from-prefix" in finding.remedy


def test_a_topic_with_a_number_of_its_own_must_be_made_anew() -> None:
    found = as_they_must_be()
    found[TOPICS.surveys] = replace(found[TOPICS.surveys], partitions=6)
    (finding,) = check(found)
    assert (finding.topic, finding.level) == (TOPICS.surveys, Level.PROBLEM)
    assert "6 partitions instead of 24" in finding.message
    assert "--delete --topic eu.cx.surveys && outwatch topics create" in finding.remedy


def test_a_topic_that_has_grown_is_left_for_a_copy_of_all() -> None:
    found = as_they_must_be()
    found[TOPICS.interactions] = replace(found[TOPICS.interactions], partitions=48)
    (finding,) = check(found)
    assert (finding.topic, finding.level) == (TOPICS.interactions, Level.PROBLEM)
    assert "outwatch topics copy --from-prefix" in finding.remedy


def test_more_partitions_than_a_worker_runs_with_are_found_and_fewer_are_a_matter_of_its_start() -> None:
    assert grown({TOPICS.interactions: 24, TOPICS.surveys: 0}, 24) == []
    (finding,) = grown({TOPICS.interactions: 24, TOPICS.surveys: 25}, 24)
    assert (finding.topic, finding.level) == (TOPICS.surveys, Level.PROBLEM)
    assert "25 partitions instead of 24" in finding.message
    assert "outwatch topics copy --from-prefix" in finding.remedy


@pytest.mark.parametrize(("name", "has"), [(TOPICS.kpis, "delete"), (TOPICS.alerts, "compact"), (TOPICS.rollups_1d, "compact")])
def test_wrong_cleanup_is_a_problem(name: str, has: str) -> None:
    (finding,) = check(with_config(name, cleanup_policy=has))
    assert (finding.topic, finding.level) == (name, Level.PROBLEM)
    assert f"has cleanup.policy {has} instead of" in finding.message


def test_the_order_of_cleanup_policies_does_not_matter() -> None:
    assert check(with_config(TOPICS.rollups_1d, cleanup_policy="delete,compact")) == []


def test_a_remedy_with_a_comma_in_its_value_is_bracketed_as_the_tool_wants_it() -> None:
    (finding,) = check(with_config(TOPICS.rollups_1d, cleanup_policy="delete"))
    assert finding.remedy == (
        "kafka-configs.sh --bootstrap-server kafka:9092 --alter --entity-type topics --entity-name eu.outwatch.rollups.1d"
        " --add-config 'cleanup.policy=[compact,delete]'"
    )


def test_create_time_on_an_input_is_a_remark_only() -> None:
    (finding,) = check(with_config(TOPICS.interactions, message_timestamp_type="CreateTime"))
    assert finding.level is Level.REMARK
    assert "'message.timestamp.type=LogAppendTime'" in finding.remedy


def test_the_time_type_of_an_output_is_not_looked_at() -> None:
    assert check(with_config(TOPICS.kpis, message_timestamp_type="LogAppendTime")) == []


def test_a_topic_that_refuses_large_records_is_a_problem() -> None:
    (finding,) = check(with_config(TOPICS.interactions, max_message_bytes="1048588"))
    assert finding.level is Level.PROBLEM
    assert "1048588" in finding.message


def test_late_compaction_is_a_remark_that_names_every_setting() -> None:
    (finding,) = check(with_config(TOPICS.changelog("app"), segment_ms="604800000", segment_bytes="1073741824"))
    assert finding.level is Level.REMARK
    assert finding.remedy.endswith("--entity-name app-state-changelog --add-config 'segment.bytes=16777216,segment.ms=60000'")


def test_tombstones_that_are_kept_longer_are_a_remark_and_shorter_a_problem() -> None:
    kept = int(TOPICS.specs("app")[-1].config["delete.retention.ms"])
    (finding,) = check(with_config(TOPICS.changelog("app"), delete_retention_ms="3600000"))
    assert (finding.level, "delete.retention.ms 3600000 instead of 300000" in finding.message) == (Level.REMARK, True)
    (finding,) = check(with_config(TOPICS.changelog("app"), delete_retention_ms=str(kept - 1)))
    assert finding.level is Level.PROBLEM
    assert "brings the row back" in finding.message
    assert finding.remedy.endswith(f"--entity-name app-state-changelog --add-config 'delete.retention.ms={kept}'")


def test_a_worker_may_not_read_the_changelog_for_longer_than_its_tombstones_are_kept() -> None:
    assert owner._RECOVERY_SECONDS * 2_000 < TOMBSTONES_KEPT_MS


def test_problems_come_before_remarks() -> None:
    found = with_config(TOPICS.interactions, message_timestamp_type="CreateTime")
    del found[TOPICS.late]
    assert [finding.level for finding in check(found)] == [Level.PROBLEM, Level.REMARK]
