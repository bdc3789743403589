"""Dead letters on a real broker: listed, shown, and sent back to their topics, each once, whatever is cut off or goes on beside it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiokafka import AIOKafkaProducer, ConsumerRecord
from typer.testing import CliRunner, Result

from models import clock
from models.reasons import RejectReason
from models.settings import Settings
from models.topics import partition_of
from streams.admin import create
from streams.cli import app
from streams.letters import LettersError, NoReplay, Selection, find, replay_letters
from streams.letters.letter import REPLAYED_FROM
from streams.letters.replay import _send
from streams.occurrences import occurrences
from tests.letters import AT_MS, letter_record, value_of
from tests.waiting import until
from tests.workers import Worker, read_all

pytestmark = pytest.mark.kafka

PARTITIONS = 3
HOME = partition_of("acme", PARTITIONS)
KEY = "k3y0facustomerk3y0facustomer2345"
LIMIT = 10_000


@pytest.fixture
def settings(kafka: str, app_id: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Of an installation with its topics, also in the environment."""
    made = Settings(brokers=kafka, app_id=app_id, topic_prefix=f"{app_id}.", partitions=PARTITIONS)
    for name in made.model_fields_set:
        monkeypatch.setenv(f"OUTWATCH_{name.upper()}", str(getattr(made, name)))
    return made


@asynccontextmanager
async def producer(settings: Settings, transactional_id: str | None = None) -> AsyncIterator[AIOKafkaProducer]:
    made = AIOKafkaProducer(bootstrap_servers=settings.brokers, transactional_id=transactional_id, max_request_size=2 << 20)
    await made.start()
    try:
        yield made
    finally:
        await made.stop()


async def put(settings: Settings, *letters: dict[str, Any]) -> None:
    """Write letters of records of `cx.interactions` as a worker does."""
    async with producer(settings) as sender:
        for each in letters:
            own: dict[str, Any] = {
                "value": value_of("a"),
                "partition": HOME,
                "topics": settings.topics,
                "topic": settings.topics.interactions,
            } | each
            record = letter_record(**own)
            await sender.send_and_wait(record.topic, record.value, record.key, partition=record.partition, headers=record.headers)


def cli(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["dead-letters", *arguments], env={"COLUMNS": "200"})


async def run_cli(*arguments: str) -> Result:
    return await asyncio.to_thread(cli, *arguments)


def went(records: list[ConsumerRecord]) -> list[tuple[int, bytes | None, bytes | None]]:
    return [(record.partition, record.key, record.value) for record in records]


async def test_a_letter_goes_back_to_where_its_key_belongs_with_its_bytes_and_headers(settings: Settings) -> None:
    await create(settings)
    value = b'{ "spacing": "kept",' + value_of("a")[1:]
    elsewhere = (HOME + 1) % PARTITIONS
    await put(settings, {"value": value, "reason": RejectReason.MISROUTED, "partition": elsewhere})
    done = await replay_letters(settings, Selection(), LIMIT, AT_MS)
    (record,) = await read_all(settings, settings.topics.interactions)
    assert (done.written, done.refused) == (1, {})
    assert went([record]) == [(HOME, b"acme", value)]
    at = f"{settings.topics.dead_letters}/{elsewhere}/0".encode()
    assert list(record.headers) == [("trace", b"t-1"), (REPLAYED_FROM, at)]


async def test_a_second_replay_of_a_letter_is_refused(settings: Settings) -> None:
    await create(settings)
    await put(settings, {"offset": 1}, {"offset": 2})
    at = f"{settings.topics.dead_letters}/{HOME}/0"
    first = await run_cli("replay", at)
    again = await run_cli("replay", at, "--json")
    both = await run_cli("replay", "--reason", "bug")
    assert (first.exit_code, first.stdout) == (0, "1 replayed\n")
    assert (again.exit_code, orjson.loads(again.stdout)) == (
        1,
        {"dry_run": False, "replayed": 0, "refused": {"replayed": 1}, "left_over": 0},
    )
    assert (both.exit_code, both.stdout) == (0, "1 replayed\n1 not: replayed\n")
    assert len(await read_all(settings, settings.topics.interactions)) == 2
    listed = orjson.loads((await run_cli("list", "--json")).stdout)
    assert [letter["replayed"] for letter in listed["letters"]] == [True, True]


async def test_a_dry_run_writes_nothing_and_a_limit_leaves_the_rest(settings: Settings) -> None:
    await create(settings)
    await put(settings, *({"offset": number, "partition": number % PARTITIONS} for number in range(7)))
    dry = await replay_letters(settings, Selection(), 4, AT_MS, dry_run=True)
    assert (dry.written, dry.left_over) == (4, 3)
    assert await read_all(settings, settings.topics.interactions) == []
    assert (await replay_letters(settings, Selection(), 4, AT_MS)).written == 4
    last = await replay_letters(settings, Selection(), 4, AT_MS)
    assert (last.written, last.left_over, last.refused) == (3, 0, {NoReplay.REPLAYED: 4})
    assert len(await read_all(settings, settings.topics.interactions)) == 7


async def test_what_can_not_go_back_is_counted_and_the_rest_goes(settings: Settings) -> None:
    await create(settings)
    await put(
        settings,
        {"value": b"{" * 950_000, "reason": RejectReason.INVALID},
        {"value": b"no json", "reason": RejectReason.JSON},
        {"key": None},
        {"topic": settings.topics.policies, "reason": RejectReason.INVALID},
        {"key": None, "reason": RejectReason.NO_KEY},
    )
    done = await run_cli("replay", "--since", "90000d", "--json")
    assert done.exit_code == 1
    assert orjson.loads(done.stdout)["refused"] == {"cut": 1, "unreadable": 1, "no_partner": 1, "not_a_source": 1}
    assert went(await read_all(settings, settings.topics.interactions)) == [(HOME, b"acme", value_of("a"))]


async def test_a_replay_that_was_cut_off_leaves_nothing_and_can_not_end_late(settings: Settings) -> None:
    await create(settings)
    await put(settings, {})
    async with producer(settings, f"{settings.topic_prefix}outwatch-dead-letters") as cut_off:
        await cut_off.begin_transaction()
        mark = [(REPLAYED_FROM, f"{settings.topics.dead_letters}/{HOME}/0".encode())]
        await cut_off.send_and_wait(settings.topics.interactions, b"half", key=b"acme", partition=HOME, headers=mark)
        await cut_off.send_and_wait(settings.topics.dead_letters, key=mark[0][1], partition=HOME, headers=mark)
        assert (await replay_letters(settings, Selection(), LIMIT, AT_MS)).written == 1
        with pytest.raises(Exception, match=r"(?i)fenced|invalid|epoch"):
            await cut_off.commit_transaction()
    assert went(await read_all(settings, settings.topics.interactions)) == [(HOME, b"acme", value_of("a"))]


async def test_another_replay_ends_this_one_and_together_they_replay_once(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    await create(settings)
    await put(settings, *({"offset": number} for number in range(4)))
    monkeypatch.setattr("streams.letters.replay._BATCH_RECORDS", 1)
    sent = 0

    async def send(*arguments: Any) -> None:
        nonlocal sent
        sent += 1
        if sent == 2:
            monkeypatch.setattr("streams.letters.replay._send", _send)
            assert (await replay_letters(settings, Selection(), LIMIT, AT_MS)).written == 3
        await _send(*arguments)

    monkeypatch.setattr("streams.letters.replay._send", send)
    with pytest.raises(LettersError, match="another replay began; 1 letters"):
        await replay_letters(settings, Selection(), LIMIT, AT_MS)
    values = [dict(record.headers)[REPLAYED_FROM] for record in await read_all(settings, settings.topics.interactions)]
    assert len(values) == len(set(values)) == 4


async def test_a_marker_behind_the_open_transaction_of_a_worker_is_waited_for(settings: Settings) -> None:
    await create(settings)
    await put(settings, {})
    async with producer(settings, f"{settings.app_id}-worker") as worker:
        await worker.begin_transaction()
        letter = letter_record(value_of("b"), offset=9, partition=HOME, topic=settings.topics.interactions, topics=settings.topics)
        await worker.send_and_wait(letter.topic, letter.value, letter.key, partition=HOME, headers=letter.headers)
        other = (HOME + 1) % PARTITIONS
        await put(settings, {"partition": other})

        async def finish() -> None:
            await worker.commit_transaction()

        # The first replay must wait too, since what is committed may lie behind; so the worker commits while it reads.
        first = asyncio.create_task(replay_letters(settings, Selection(source=settings.topics.interactions), LIMIT, AT_MS))
        done, _ = await asyncio.wait([first], timeout=1.5)
        assert not done
        await finish()
        assert (await first).written == 3


async def test_letters_are_found_by_time_reason_and_partner(settings: Settings) -> None:
    await create(settings)
    now_ms = clock.now_ms()
    await put(settings, {"at_ms": AT_MS}, {"at_ms": now_ms, "reason": RejectReason.FUTURE}, {"key": b"delta", "at_ms": now_ms})
    since = await run_cli("list", "--since", "1h", "--json")
    assert [letter["reason"] for letter in orjson.loads(since.stdout)["letters"]] == ["future", "bug"]
    one = await run_cli("list", "--since", "1h", "--reason", "bug", "--partner", "delta")
    assert "1 bug of" in one.stdout
    assert "delta" in one.stdout
    assert "no dead letters" in (await run_cli("list", "--until", "2001-01-01T00:00:00Z")).stdout
    newest = await find(settings, Selection(), 1, values=False)
    assert ([letter.failed_at_ms for letter in newest.letters], sum(newest.counts.values())) == ([now_ms], 3)


async def test_a_letter_is_shown_by_either_coordinates_and_masked_unless_asked(settings: Settings) -> None:
    await create(settings)
    await put(settings, {"value": value_of("a", customer_key=KEY, comment="call me"), "error": f"Traceback\nValueError: {KEY}"})
    source = f"{settings.topics.interactions}/{HOME}/7"
    for where in (source, f"{settings.topics.dead_letters}/{HOME}/0", settings.topics.interactions):
        shown = await run_cli("show", where)
        assert shown.exit_code == 0
        assert KEY not in shown.stdout
        assert '"comment": "***"' in shown.stdout
    assert KEY in (await run_cli("show", source, "--unmasked")).stdout
    assert KEY not in (await run_cli("list")).stdout
    absent = await run_cli("show", f"{settings.topics.interactions}/{HOME}/8")
    assert (absent.exit_code, absent.stderr) == (1, f"no dead letter of {settings.topics.interactions}/{HOME}/8\n")


@pytest.mark.parametrize(
    "arguments",
    [
        *(("replay",), ("replay", "nowhere"), ("replay", "--source", "cx.nowhere")),
        *(("list", "--reason", "mood"), ("list", "--since", "yesterday"), ("list", "--since", "2h", "--until", "3h")),
        *(("show", "a/b/c"), ("show", "cx.nowhere")),
    ],
)
def test_what_makes_no_sense_is_wrong_usage(arguments: tuple[str, ...]) -> None:
    assert cli(*arguments).exit_code == 2


@pytest.mark.slow
async def test_a_customer_stands_where_events_came_in_and_nowhere_else(settings: Settings, tmp_path: Path) -> None:
    """A worker counts every kind of event of a customer: nothing of it is in the state, and of what is written in letters only."""
    await create(settings)
    now_ms = clock.now_ms()
    person: dict[str, Any] = {"customer_key": KEY, "partner_id": "acme"}
    survey = {"survey": "csat", "score": 5, "scale_max": 5, "comment": f"I am {KEY}"}
    events: list[dict[str, Any]] = [
        {"type": "contact.queued", "contact_id": "c-waits"},
        {"type": "contact.queued", "contact_id": "c-1"},
        {"type": "contact.answered", "contact_id": "c-1", "wait_seconds": 5},
        {"type": "contact.abandoned", "contact_id": "c-2", "wait_seconds": 5},
        {"type": "contact.completed", "contact_id": "c-1", "talk_seconds": 60, "wrap_seconds": 5, "resolved": True},
        {"type": "contact.left", "contact_id": "c-3", "outcome": "callback"},
        {"type": "contact.record", "outcome": "answered", "wait_seconds": 3, "talk_seconds": 9},
        {"type": "ticket.opened", "contact_id": "t-open"},
        {"type": "survey.invited", "survey": "csat"},
        {"type": "survey.response", **survey},
        {"type": "contact.answered", "wait_seconds": -1},
        {"type": "contact.answered", "wait_seconds": 1, "occurred_at": now_ms + 3_600_000},
        {"type": "contact.answered", "wait_seconds": 1, "occurred_at": now_ms - 40 * 86_400_000},
    ]
    async with producer(settings) as sender:
        for number, each in enumerate(events):
            event = {"event_id": f"e-{number}", "occurred_at": now_ms, **person, **each}
            topic = settings.topics.surveys if event["type"].startswith("survey") else settings.topics.interactions
            await sender.send_and_wait(topic, orjson.dumps(event), b"acme", partition=HOME)
    topics = settings.topics
    with Worker(settings, tmp_path / "worker.log") as worker:

        async def counted() -> bool:
            figures = [each for each in await read_all(settings, topics.kpis) if each.key == b"acme/all/15m"]
            measures = orjson.loads(figures[-1].value)["measures"] if figures else {}
            letters = await read_all(settings, topics.dead_letters, topics.late)
            return len(letters) == 3 and measures.get("handled") == 2 and measures.get("csat_invited") == 1

        try:
            await until(counted, 30)
        except TimeoutError:
            raise AssertionError(worker.tail()) from None
        await worker.terminate()
    rows = await read_all(settings, topics.changelog(settings.app_id))
    assert any(each.value and b"c-waits" in each.value for each in rows), "the name of a contact is kept while it waits"
    found = [each async for each in occurrences(settings, KEY)]
    by_topic = {topic: sum(each.topic == topic for each in found) for topic in {each.topic for each in found}}
    assert by_topic == {topics.interactions: 11, topics.surveys: 2, topics.dead_letters: 2, topics.late: 1}
    assert KEY not in (tmp_path / "worker.log").read_text()
    told = await asyncio.to_thread(CliRunner().invoke, app, ["erase", "--customer-key", KEY, "--json"])
    said = orjson.loads(told.stdout)
    assert (told.exit_code, len(said["found"]), said["in_state"]) == (1, 16, 0)
    day_ms = 86_400_000
    assert abs(said["gone_ms"] - (now_ms + 90 * day_ms)) < day_ms
    nobody = await asyncio.to_thread(CliRunner().invoke, app, ["erase", "--customer-key", "nobody-at-all"])
    assert (nobody.exit_code, nobody.stdout) == (0, "0 records hold this key, 0 of them in the state\n")


@pytest.mark.slow
async def test_a_worker_counts_what_was_replayed_though_it_was_masked(settings: Settings, tmp_path: Path) -> None:
    """From the producer that chose the wrong partition to the figure."""
    masking = settings.model_copy(update={"dead_letter_mask": True})
    await create(settings)
    topics, elsewhere = settings.topics, (HOME + 1) % PARTITIONS
    event = {"event_id": "e", "type": "contact.abandoned", "wait_seconds": 9, "partner_id": "acme", "occurred_at": clock.now_ms()}
    async with producer(settings) as sender:
        await sender.send_and_wait(topics.interactions, orjson.dumps(event | {"customer_key": KEY}), b"acme", partition=elsewhere)
    with Worker(masking, tmp_path / "worker.log") as worker:

        async def letters() -> bool:
            return len(await read_all(settings, topics.dead_letters)) == 1

        async def figure() -> bool:
            figures = [each for each in await read_all(settings, topics.kpis) if each.key == b"acme/all/15m"]
            return bool(figures) and orjson.loads(figures[-1].value)["measures"].get("abandoned") == 1

        try:
            await until(letters, 30)
            assert not await figure()
            assert [each.topic async for each in occurrences(settings, KEY)] == [topics.interactions]
            assert (await replay_letters(settings, Selection(reasons=frozenset({"misrouted"})), LIMIT, AT_MS)).written == 1
            await until(figure, 30)
        except TimeoutError:
            raise AssertionError(worker.tail()) from None
        await worker.terminate()
    again = await replay_letters(settings, Selection(reasons=frozenset({"misrouted"})), LIMIT, AT_MS)
    assert (again.written, again.refused) == (0, {NoReplay.REPLAYED: 1})
