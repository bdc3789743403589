"""`outwatch explain` on Apache Kafka, with the worker that counted: all of it comes out of the topics."""

import asyncio
import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner, Result

from models.clock import now_ms
from models.policy_file import load
from models.settings import Settings
from models.topics import partition_of
from models.windows import GRID_MS
from streams.admin import create
from streams.cli import app
from streams.policies import apply_policy
from streams.produce import Feed
from tests import naive
from tests.engines import SECOND, event
from tests.stories import DAY, HOUR, MINUTE
from tests.waiting import until
from tests.workers import Worker, counters, environment, following, heartbeats

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(120)]

WIDE = ("7d", "30d", "month", "today")
POLICY = """
version: 1
defaults: {settle_seconds: 0, scopes: [site]}
partners:
  - {id: acme, name: Acme}
  - {id: quiet, name: Quiet}
kpis:
  - id: quickly_taken
    unit: ratio
    better: higher
    perspective: customer
    numerator: {count: contact.answered, where: {wait_seconds: {lt: 20}}}
    denominator: {count: contact.answered}
rules: []
"""


@pytest.fixture
async def settings(kafka: str, app_id: str) -> Settings:
    made = Settings(brokers=kafka, app_id=app_id, topic_prefix=f"{app_id}.", partitions=2, clock="log", replication=1)
    assert (await create(made)).findings == []
    await apply_policy(made, load(POLICY, "explain.yaml"), now_ms())
    return made


async def explain(settings: Settings, *arguments: str, columns: int = 120) -> Result:
    chosen = environment(settings) | {"COLUMNS": str(columns)}
    return await asyncio.to_thread(CliRunner().invoke, app, ["explain", *arguments], env=chosen)


async def test_a_figure_is_the_sum_of_closed_stretches_and_what_is_still_open(settings: Settings, tmp_path: Path) -> None:
    begin_ms = (now_ms() - 2 * HOUR) // HOUR * HOUR
    to_ms = begin_ms + 20 * MINUTE + 30 * SECOND

    def contact(second: int, queue: str) -> bytes:
        fields: dict[str, Any] = {"wait_seconds": second % 40, "queue": queue, "site": "lisbon" if queue == "sales" else "porto"}
        return orjson.dumps(event("contact.answered", begin_ms + second * SECOND, f"a{second}", **fields))

    assert "'quiet' has no figures yet" in str((await explain(settings, "quiet", "asa")).exception)
    async with Feed(settings, ("interactions",)) as feed, following(settings, settings.topics.heartbeats) as seen:
        for second in range(0, 20 * 60 + 30, 30):
            feed.put("interactions", "acme", contact(second, "billing" if second % 60 else "sales"))
            if second == 600:
                feed.advance(begin_ms + 10 * MINUTE)
        feed.put("interactions", "acme", b"{")
        feed.put("interactions", "acme", orjson.dumps(event("contact.answered", begin_ms - 60 * DAY, "old")))
        feed.advance(to_ms)
        await feed.flush()
        with Worker(settings, tmp_path / "worker.log") as worker:

            async def counted() -> bool:
                beats = heartbeats(seen, settings)
                return counters(seen, settings)["events"] == 41 and min(each["frontier"] for each in beats.values()) == to_ms

            await until(counted, 40)
            assert await worker.terminate() == 0, worker.tail()
    told = json.loads((await explain(settings, "acme", "service_level", "--json")).output)
    check_sums(told, settings, to_ms)
    assert (told["late"], told["dead_letters"]) == ({"past_ledger": 1}, {"json": 1})
    interactions = settings.topics.interactions
    at_least, at_most = (told["offsets"][name]["offsets"].get(interactions, 0) for name in ("at_least", "at_most"))
    assert at_least <= 41 < at_most, "forty-one contacts, and what came with them"
    for scope in ("queue=sales", "site=lisbon"):
        part_of = json.loads((await explain(settings, "acme", "asa", "--json", "--scope", scope, "--window", "1h")).output)
        assert [part["topic"].rpartition(".")[2] for part in part_of["stretches"]] == ["15m", *["1m"] * 5]
        assert (part_of["sum"]["n"], part_of["left"]["denominator"], part_of["left"]["reasons"]) == (20, 1, ["open"])
    own = json.loads((await explain(settings, "acme", "quickly_taken", "--json", "--window", "1h")).output)
    assert own["kpi"]["formula"] == "contact.answered where wait_seconds < 20 / contact.answered"
    assert (own["record"]["figure"]["numerator"], own["record"]["figure"]["denominator"]) == (21, 41)
    assert (own["sum"]["numerator"], own["left"]["numerator"], own["sum"]["n"], own["left"]["reasons"]) == (20, 1, 40, ["open"])
    variant = json.loads((await explain(settings, "acme", "service_level_answered_only", "--json")).output)
    assert (variant["record"]["figure"]["n"], variant["sum"]["n"], variant["left"]["denominator"]) == (30, 28, 2)
    for columns in (80, 120):
        screen = (await explain(settings, "acme", "service_level", columns=columns)).output
        assert "The record differs from that sum by" in screen
        assert max(map(len, screen.splitlines())) <= columns
    await check_refusals(settings)


async def test_wide_windows_are_sums_of_days_then_quarter_hours_then_minutes(settings: Settings, tmp_path: Path) -> None:
    to_ms = (now_ms() - HOUR) // HOUR * HOUR + 20 * MINUTE + 30 * SECOND
    begin_ms = to_ms - 20 * DAY
    contacts = [event("contact.answered", at_ms, f"a{at_ms}", wait_seconds=at_ms // HOUR % 40) for at_ms in range(begin_ms, to_ms, HOUR)]
    contacts.append(event("contact.answered", to_ms - MINUTE, "last"))
    interactions = settings.topics.interactions
    async with Feed(settings, ("interactions",)) as feed, following(settings, settings.topics.heartbeats, settings.topics.kpis) as seen:
        feed.advance(begin_ms)
        for number, body in enumerate(contacts):
            feed.put("interactions", "acme", orjson.dumps(body))
            feed.advance(min(to_ms, begin_ms + (number + 1) * HOUR))
        feed.put("interactions", "acme", b"{")
        feed.put("interactions", "acme", orjson.dumps(event("contact.answered", begin_ms - 60 * DAY, "old")))
        await feed.flush()
        with Worker(settings, tmp_path / "worker.log") as worker:
            written = len(contacts) + 2
            number = partition_of("acme", settings.partitions)

            async def published() -> bool:
                beat = heartbeats(seen, settings).get(number, {"offsets": {}, "frontier": 0, "counters": {}})
                counted: int = sum(beat["counters"].get(name, 0) for name in ("events", "dead_letters.json", "late.past_ledger"))
                return counted == written and beat["frontier"] == to_ms

            await until(published, 60)
            assert await worker.terminate() == 0, worker.tail()
        with Worker(settings, tmp_path / "another.log") as another:

            async def up_to_date() -> bool:
                # Wide windows are written once a minute, and by a worker that begins within its first seconds.
                newest = {each.key: orjson.loads(each.value) for each in seen if each.topic == settings.topics.kpis and each.value}
                keys = [f"acme/all/{window}".encode() for window in WIDE]
                return all(key in newest and newest[key]["frontier"] == to_ms for key in keys)

            await until(up_to_date, 40)
            assert await another.terminate() == 0, another.tail()
    days, quarters, minutes = (settings.topics.rollups_1d, settings.topics.rollups_15m, settings.topics.rollups_1m)
    for window in WIDE:
        told = json.loads((await explain(settings, "acme", "asa", "--window", window, "--json")).output)
        record = told["record"]
        assert record["from"] == naive.window_start(window, to_ms // GRID_MS * GRID_MS), window
        within = [body for body in contacts if record["from"] <= body["occurred_at"]]
        assert record["figure"]["denominator"] == len(within), window
        assert record["figure"]["numerator"] == sum(body["wait_seconds"] for body in within), window
        assert told["sum"]["denominator"] + told["left"]["denominator"] == len(within), window
        assert set(told["left"]["reasons"]) <= {"open"}, window
        edges = [(part["from"], part["to"]) for part in told["stretches"]]
        assert all(before[1] <= after[0] for before, after in pairwise(edges)), window
        topics = [part["topic"] for part in told["stretches"]]
        assert topics == sorted(topics, key=(days, quarters, minutes).index), "the coarsest first"
        assert topics.count(days) == to_ms // DAY - max(record["from"], begin_ms) // DAY, window
        assert {quarters, minutes} <= set(topics) or to_ms % DAY < HOUR, window
        assert (told["late"], told["dead_letters"]) == ({"past_ledger": 1}, {"json": 1}), window
        ends = {at: told["offsets"][at]["offsets"][interactions] for at in ("at_least", "at_most")}
        assert written <= ends["at_least"] <= ends["at_most"], "all events, and the clock between them"
        screen = (await explain(settings, "acme", "asa", "--window", window)).output
        assert "late          1 past_ledger since the window began" in screen
        assert "dead letters  1 json since the window began" in screen


def check_sums(told: dict[str, Any], settings: Settings, to_ms: int) -> None:
    """The last 15 minutes: fifteen whole minutes but for what the window cuts and what had not closed."""
    figure, record = told["record"]["figure"], told["record"]
    assert (record["to"], figure["denominator"]) == (to_ms + 10 * SECOND, 30)
    assert {part["topic"] for part in told["stretches"]} == {settings.topics.rollups_1m}
    assert [part["from"] for part in told["stretches"]] == [to_ms - 30 * SECOND - minutes * MINUTE for minutes in range(14, 0, -1)]
    assert told["sum"]["denominator"] == sum(part["denominator"] for part in told["stretches"]) == 28
    assert told["left"]["denominator"] == 2
    assert told["left"]["reasons"] == ["part_of_a_minute", "open"]


async def check_refusals(settings: Settings) -> None:
    """Whoever asks for what there is not is told what there is."""
    for arguments, expected in (
        (("acmee", "asa"), "no figures of a partner 'acmee' (write acme)"),
        (("acme", "asa", "--scope", "queue=bill"), "(write queue=billing)"),
        (("acme", "asa", "--window", "2h"), "(write one of "),
    ):
        assert expected in str((await explain(settings, *arguments)).exception)
    for kpi, expected in (
        ("assa", "'assa' is no KPI (write asa)\n"),
        ("fcr", "fcr does not stand in a window '15m' (write one of 24h, 7d, 30d, today, month)\n"),
        ("savings", f"savings stands in no window, but in the records of reported periods, on {settings.topics.periods}\n"),
    ):
        refused = await explain(settings, "acme", kpi)
        assert (refused.exit_code, refused.stderr) == (1, expected)
    assert "The record has no such figure" in (await explain(settings, "quiet", "asa")).output
