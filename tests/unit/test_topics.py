"""A partner lies in one partition of every topic, where the producers' own clients would put it."""

from zlib import crc32

import pytest
from aiokafka.partitioner import DefaultPartitioner
from hypothesis import given
from hypothesis import strategies as st

from models.topics import Partitioner, Topics, partition_of

TOPICS = Topics()


@given(partner=st.text("aé😀 -_.0", min_size=1), partitions=st.integers(1, 100))
def test_murmur2_is_where_a_kafka_client_puts_the_key(partner: str, partitions: int) -> None:
    everywhere = list(range(partitions))
    assert partition_of(partner, partitions) == DefaultPartitioner()(partner.encode(), everywhere, everywhere)


@pytest.mark.parametrize(
    ("key", "hashed"),
    [  # Apache Kafka's own test of Utils.murmur2.
        ("21", -973932308),
        ("foobar", -790332482),
        ("a-little-bit-long-string", -985981536),
        ("a-little-bit-longer-string", -1486304829),
        ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        ("abc", 479470107),
    ],
)
def test_murmur2_gives_kafkas_published_hashes(key: str, hashed: int) -> None:
    assert partition_of(key, 1 << 31) == hashed & 0x7FFFFFFF


@given(partner=st.text("aé😀 -_.0", min_size=1), partitions=st.integers(1, 100))
def test_crc32_is_librdkafkas_choice(partner: str, partitions: int) -> None:
    assert partition_of(partner, partitions, Partitioner.CRC32) == crc32(partner.encode()) % partitions


def test_crc32_is_the_common_one() -> None:
    assert partition_of("123456789", 1 << 32, Partitioner.CRC32) == 0xCBF43926


def test_every_topic_has_a_spec_and_the_prefix() -> None:
    topics = Topics("eu.")
    names = [spec.name for spec in topics.specs("app")]
    assert len(names) == len(set(names))
    assert set(topics.subscribed) < set(names)
    rollups = {topics.rollups_1m, topics.rollups_15m, topics.rollups_1d}
    written = {topics.kpis, topics.periods, topics.alerts, topics.alerts_state, topics.heartbeats, topics.late, topics.dead_letters}
    written |= {topics.incidents, topics.notifications}
    assert written | rollups | set(topics.subscribed) | {topics.changelog("app")} == set(names)
    assert all(name.startswith("eu.") for name in names if name != topics.changelog("app"))


@pytest.mark.parametrize("name", TOPICS.subscribed)
def test_what_is_read_carries_the_brokers_time(name: str) -> None:
    (spec,) = (each for each in TOPICS.specs("app") if each.name == name)
    assert spec.config["message.timestamp.type"] == "LogAppendTime"


def test_the_state_and_present_figures_are_compacted_and_never_deleted() -> None:
    cleanup = {spec.name: spec.config["cleanup.policy"] for spec in TOPICS.specs("app")}
    compacted = {name for name, policy in cleanup.items() if policy == "compact"}
    assert compacted == {TOPICS.kpis, TOPICS.alerts_state, TOPICS.incidents, TOPICS.policies, TOPICS.changelog("app")}
    for name in (TOPICS.rollups_1m, TOPICS.rollups_15m, TOPICS.rollups_1d):
        assert cleanup[name] == "compact,delete"


def test_what_is_deleted_says_for_how_long_it_is_kept() -> None:
    for spec in TOPICS.specs("app"):
        assert ("retention.ms" in spec.config) == ("delete" in spec.config["cleanup.policy"]), spec.name


def test_a_dead_letter_holds_whatever_a_source_topic_held() -> None:
    limits = {spec.name: int(spec.config.get("max.message.bytes", 1_048_588)) for spec in TOPICS.specs("app")}
    assert min(limits[TOPICS.dead_letters], limits[TOPICS.late]) >= max(limits[name] for name in TOPICS.subscribed)
