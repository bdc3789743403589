"""The auditor's shell without a broker: what it does with what it cannot read, whom it tells, and what the command refuses."""

from collections import deque
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaConnectionError, KafkaError
from pydantic import TypeAdapter
from structlog.testing import capture_logs
from typer.testing import CliRunner

from alerts.audit.alarm import Alarm, Ring
from alerts.audit.breach import AuditReason, Breach, Terms
from alerts.audit.page import page
from alerts.audit.seen import Seen
from alerts.notify.render import render
from alerts.notify.request import Letter
from models.receivers import Receiver
from models.settings import Settings
from streams.auditor import watch as module
from streams.auditor.once import audit_once
from streams.auditor.source import AnewError, Source
from streams.cli import app
from tests.audits import NOW_MS
from tests.pages import CIRCUMSTANCES, RECEIVERS

TOPICS = Settings().topics
LOST = Breach(AuditReason.NO_HEARTBEAT, "partition 1", NOW_MS, "the last one was of w")


class Record(NamedTuple):
    """What counts of a Kafka record here."""

    topic: str
    value: bytes | None
    key: bytes = b"k"
    partition: int = 0
    offset: int = 0
    timestamp: int = NOW_MS


@dataclass
class Consumer:
    """Stands for aiokafka's: `runs` come one after the other."""

    runs: deque[list[Record]] = field(default_factory=deque)
    ends: dict[TopicPartition, int] = field(default_factory=dict)
    at: dict[TopicPartition, int] = field(default_factory=dict)

    async def end_offsets(self, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
        return {each: self.ends.get(each, 0) for each in partitions}

    async def position(self, partition: TopicPartition) -> int:
        return self.at.get(partition, 0)

    async def getmany(self, **_: int) -> dict[TopicPartition, list[Record]]:
        found: dict[TopicPartition, list[Record]] = {}
        for record in self.runs.popleft():
            place = TopicPartition(record.topic, record.partition)
            found.setdefault(place, []).append(record)
            self.at[place] = self.at.get(place, 0) + 1
        return found


@dataclass
class Group:
    """An answer of the brokers about a group, as aiokafka gives it."""

    groups: list[tuple[Any, ...]]

    async def describe_consumer_groups(self, names: list[str]) -> list["Group"]:
        assert names == ["outwatch-notify"]
        return [self]


async def source(monkeypatch: pytest.MonkeyPatch, *records: Record, members: int = 1, code: int = 0) -> tuple[Source, Consumer]:
    made, consumer = Source(Settings(partitions=1), Seen(NOW_MS)), Consumer(deque([list(records)]))
    for each in records:
        place = TopicPartition(each.topic, each.partition)
        consumer.ends[place] = consumer.ends.get(place, 0) + 1
    await made._consumer.stop()
    await made._admin.close()
    monkeypatch.setattr(made, "_consumer", consumer)
    monkeypatch.setattr(made, "_admin", Group([(code, "outwatch-notify", "Stable", "consumer", "range", [()] * members)]))
    return made, consumer


async def test_a_record_that_makes_no_sense_is_counted_and_the_others_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    beat = b'{"as_of": 1, "frontier": 2, "evaluated_to": 3, "worker": "w"}'
    bad = [Record(TOPICS.incidents, b"{"), Record(TOPICS.notifications, None), Record(TOPICS.commands, b'"notification.result"')]
    made, _ = await source(monkeypatch, *bad, Record(TOPICS.commands, b"no JSON, and not ours to read"), Record(TOPICS.heartbeats, beat))
    with capture_logs() as logs:
        await made.look(NOW_MS)
    assert (made.records, made.unreadable, made._seen.beats[0].worker) == (5, 3, "w")
    assert [line["event"] for line in logs] == ["unreadable"] * 3
    assert (made._seen.looked_ms, made._seen.notifier_ms) == (NOW_MS, NOW_MS)


async def test_a_group_without_members_is_no_notifier_and_one_that_may_not_be_asked_for_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    empty, _ = await source(monkeypatch, members=0)
    await empty.look(NOW_MS + 1)
    assert (empty._seen.looked_ms, empty._seen.notifier_ms) == (NOW_MS + 1, NOW_MS)
    refused, _ = await source(monkeypatch, code=30)
    with pytest.raises(KafkaError, match="outwatch-notify"):
        await refused.look(NOW_MS)
    assert refused._seen.looked_ms is None


async def test_a_topic_that_ends_before_what_was_read_of_it_was_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    made, consumer = await source(monkeypatch)
    consumer.at[TopicPartition(TOPICS.incidents, 0)] = 4
    with pytest.raises(AnewError, match=r"outwatch\.incidents ends at 0, after 4"):
        await made.look(NOW_MS)


class Scripted:
    """Stands for the source of a watch: does what the script says, one step a look."""

    script: deque[Exception | None]
    made = 0
    closed = 0

    def __init__(self, settings: Settings, seen: Seen) -> None:
        type(self).made += 1
        self.seen = seen
        self.records = self.unreadable = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        type(self).closed += 1

    async def begin(self, now_ms: int) -> None:
        self.seen.heartbeat(self.made, {"as_of": 1, "frontier": 2, "evaluated_to": 3, "worker": "w"})

    async def look(self, now_ms: int) -> None:
        error = self.script.popleft()
        if error is not None:
            raise error
        self.seen.looked(now_ms)


async def test_a_broker_that_is_away_is_said_once_and_what_was_seen_stays_but_topics_made_anew_are_read_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    script = deque([None, KafkaConnectionError("away"), KafkaConnectionError("away"), TimeoutError(), None, AnewError("ends"), None])
    monkeypatch.setattr(Scripted, "script", script, raising=False)
    monkeypatch.setattr(module, "Source", Scripted)
    watch = module.Watch(Settings(), NOW_MS)
    with capture_logs() as logs:
        looks = [(await watch.look(NOW_MS + at), watch.seen.looked_ms, set(watch.seen.beats)) for at in range(5)]
        assert looks == [(at in (0, 4), NOW_MS + 4 * (at == 4), {1}) for at in range(5)]
        assert [line["why"] for line in logs] == ["KafkaConnectionError: away", "TimeoutError"]
        assert not await watch.look(NOW_MS + 5)
        assert await watch.look(NOW_MS + 6)
    assert (set(watch.seen.beats), watch.seen.started_ms, Scripted.closed) == ({2}, NOW_MS, 1)


async def test_one_look_goes_on_while_there_is_more_to_read_and_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[int] = []

    async def look(watch: module.Watch, now_ms: int) -> bool:
        looks.append(now_ms)
        watch.records += (5, 5, 0, 7)[len(looks) - 1]
        return False

    monkeypatch.setattr(module.Watch, "look", look)
    found = await audit_once(Settings(), Terms())
    assert [each.reason for each in found] == [AuditReason.BLIND]
    assert len(looks) == 3


@pytest.mark.parametrize("kind", RECEIVERS)
def test_an_alarm_can_be_told_in_every_shape_and_asks_nobody_to_acknowledge_an_incident(kind: str) -> None:
    receiver = TypeAdapter[Receiver](Receiver).validate_python(RECEIVERS[kind])
    alarm = Alarm(Terms(hold_ms=0, recover_ms=0))
    alarm.look([LOST], NOW_MS)
    for ring in Ring:
        made = render(page(alarm, ring, NOW_MS, receiver, "outwatch", NOW_MS), CIRCUMSTANCES)
        said = str(made.message.get_body(["plain"])) if isinstance(made, Letter) else made.body.decode()
        # An end of PagerDuty says nothing but what ends.
        assert ("cannot be relied on" in " ".join(said.split())) == (ring is not Ring.ENDS)
        assert "incident.ack" not in said


def test_json_goes_with_a_look_only() -> None:
    done = CliRunner().invoke(app, ["audit", "--json"])
    assert (done.exit_code, "--json goes with --once" in done.output) == (2, True)


@pytest.mark.parametrize(("found", "code"), [((), 0), ((LOST,), 1)])
def test_the_table_says_what_holds_and_the_exit_code_whether_all_does(
    found: tuple[Breach, ...], code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def once(settings: Settings, terms: Terms) -> tuple[Breach, ...]:
        return found

    monkeypatch.setattr("streams.auditor.audit_once", once)
    monkeypatch.setenv("COLUMNS", "200")
    done = CliRunner().invoke(app, ["audit", "--once"])
    assert done.exit_code == code
    assert ("FAILS (no_heartbeat)" in done.output, done.output.count("holds")) == (code == 1, len(AuditReason) - code)
    told = CliRunner().invoke(app, ["audit", "--once", "--json"])
    assert (told.exit_code, '"holds": true' in told.output) == (code, code == 0)
