"""Agents, tickets, evaluations, forecasts and money on Apache Kafka: from their topics to what a user reads."""

import asyncio
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner

from models.clock import now_ms
from models.policy_file import load
from models.reasons import RejectReason
from models.settings import Settings
from streams.admin import create
from streams.cli import app
from streams.delivery import Source
from streams.local.process import LeashedProcess
from streams.policies import apply_policy
from streams.produce import Feed
from tests.engines import event
from tests.stories import DAY, HOUR, MINUTE
from tests.waiting import until
from tests.workers import Worker, environment, following

pytestmark = [pytest.mark.kafka, pytest.mark.redis, pytest.mark.slow, pytest.mark.timeout(120)]

POLICY = """
version: 1
defaults: {settle_seconds: 0, definition: {min_samples: 1}}
partners:
  - {id: acme, name: Acme}
"""
MIDNIGHT = now_ms() // DAY * DAY - DAY
BEGIN = MIDNIGHT - HOUR
END = MIDNIGHT + 10 * MINUTE
Told = tuple[Source, dict[str, Any]]


def told(source: Source, kind: str, minute: float, **fields: Any) -> Told:
    """What happens so many minutes after the beginning, in the queue of bills."""
    at_ms = round(BEGIN + minute * MINUTE)
    identity = f"{kind}-{minute}-{fields.get('agent_id')}"
    return source, event(kind, at_ms, identity, queue="billing", **fields)


def good() -> list[Told]:
    """An hour of two agents, eight contacts, two tickets and an evaluation, and the money of the day."""
    day = {"period_start": MIDNIGHT - DAY, "period_end": MIDNIGHT}
    found = [
        told("workforce", "agent.joined", -10_000, agent_id="ann"),
        told("workforce", "agent.joined", -10_000, agent_id="bob"),
        told("workforce", "agent.scheduled", 0, agent_id="ann", **{"from": BEGIN, "to": BEGIN + 50 * MINUTE}),
        *(
            told("workforce", "agent.state", minute, agent_id="ann", state=state)
            for minute, state in ((0, "available"), (10, "on_contact"), (20, "wrap"), (25, "available"), (40, "offline"))
        ),
        told("workforce", "training.due", 0, agent_id="ann", due_at=BEGIN + 30 * MINUTE),
        told("workforce", "training.due", 0, agent_id="bob", due_at=BEGIN + 30 * MINUTE),
        told("workforce", "training.done", 20, agent_id="ann"),
        told("workforce", "agent.left", 30, agent_id="bob"),
        told("workforce", "volume.forecast", 0, interval_start=BEGIN, interval_end=BEGIN + 30 * MINUTE, offered=10),
        told("interactions", "contact.answered", -24 * 60),
        *(told("interactions", "contact.answered", minute) for minute in range(1, 9)),
        *(told("interactions", "contact.completed", minute) for minute in range(3, 11)),
        told("interactions", "ticket.opened", 1, contact_id="t1", due_at=BEGIN + HOUR),
        told("interactions", "ticket.replied", 11, contact_id="t1"),
        told("interactions", "ticket.solved", 31, contact_id="t1"),
        told("interactions", "ticket.opened", 2, contact_id="t2", due_at=BEGIN + HOUR),
        told("quality", "quality.evaluated", 5, points=8, points_possible=10),
        told("finance", "cost.reported", 50, amount="100.00", **day),
        told("finance", "revenue.reported", 50, amount=250, customers=10, customers_kept=9, **day),
    ]
    return sorted(found, key=lambda each: each[1]["occurred_at"])


BAD: list[tuple[Told, str]] = [
    (told("workforce", "agent.state", 11, agent_id="ann", state="asleep"), "state"),
    (told("workforce", "agent.state", 12, agent_id=None), "agent_id"),
    (told("workforce", "agent.scheduled", 13, **{"from": BEGIN, "to": BEGIN}), "to: must lie after `from`"),
    (told("workforce", "training.due", 14, due_at=BEGIN + 4000 * DAY), "due_at: more than two years"),
    (told("workforce", "volume.forecast", 15, interval_start=BEGIN + 1, interval_end=BEGIN + HOUR), "interval_start"),
    (told("interactions", "ticket.opened", 16, contact_id=""), "contact_id"),
    (told("quality", "quality.evaluated", 17, points=-1), "points"),
    (told("finance", "cost.reported", 18, currency="euro", period_start=MIDNIGHT - DAY, period_end=MIDNIGHT), "currency: not a code"),
    (told("finance", "revenue.reported", 19, amount="1,000", period_start=MIDNIGHT - DAY, period_end=MIDNIGHT), "amount: not a decimal"),
]
"""Events that cannot count, and what their letter must name."""

EXPECTED = {
    "occupancy": 15 / 40,
    "schedule_adherence": 40 / 50,
    "training_completion": 1 / 2,
    "forecast_deviation": -0.2,
    "first_response_mean": 600.0,
    "resolution_time_mean": 1800.0,
    "turnaround_attainment": 1.0,
    "qa_score": 0.8,
    "asa": 10.0,
}


@pytest.fixture
async def settings(kafka: str, redis_url: str, app_id: str) -> Settings:
    made = Settings(brokers=kafka, redis_url=redis_url, app_id=app_id, topic_prefix=f"{app_id}.", partitions=2, clock="log", replication=1)
    assert (await create(made)).findings == []
    await apply_policy(made, load(POLICY, "fleet.yaml"), now_ms())
    return made


async def write(settings: Settings) -> None:
    async with Feed(settings, ("interactions", "surveys", "quality", "workforce", "finance")) as feed:
        feed.advance(BEGIN - 2 * DAY)
        for source, body in [*good(), *(each for each, _ in BAD)]:
            feed.put(source, "acme", orjson.dumps(body))
        feed.advance(END)
        await feed.flush()


def figures(body: dict[str, Any], names: dict[str, float]) -> dict[str, float | None]:
    return {name: body["kpis"].get(name, {}).get("value") for name in names}


async def test_what_five_topics_tell_is_read_as_figures_days_and_periods_and_by_status(settings: Settings, tmp_path: Path) -> None:
    topics = settings.topics
    await write(settings)
    async with following(settings, topics.kpis, topics.rollups_1d, topics.periods, topics.dead_letters) as seen:

        def newest(topic: str, key: str) -> dict[str, Any]:
            found = [orjson.loads(each.value) for each in seen if (each.topic, each.key) == (topic, key.encode()) and each.value]
            return found[-1] if found else {"kpis": {}, "frontier": 0, "to": 0}

        async def told_all() -> bool:
            record, day = newest(topics.kpis, "acme/all/4h"), newest(topics.rollups_1d, f"acme/all/{date}")
            letters = [each for each in seen if each.topic == topics.dead_letters]
            return record["frontier"] == END and bool(day["kpis"]) and len(letters) == len(BAD) and period in [each.key for each in seen]

        date = datetime.fromtimestamp((MIDNIGHT - DAY) / 1000, UTC).date().isoformat()
        period = f"acme/all/{MIDNIGHT - DAY}-{MIDNIGHT}".encode()
        log = tmp_path / "projector.log"
        with Worker(settings, tmp_path / "worker.log") as worker:
            await until(told_all, 40)
            with LeashedProcess([sys.executable, "-m", "streams.cli", "project"], log, environment(settings)):
                shown = await shown_by_status(settings)
            assert await worker.terminate() == 0, worker.tail()
    for name, body in {
        "the window": newest(topics.kpis, "acme/all/4h"),
        "its queue": newest(topics.kpis, "acme/queue=billing/4h"),
        "the day": newest(topics.rollups_1d, f"acme/all/{date}"),
        "status": shown,
    }.items():
        assert figures(body, EXPECTED) == pytest.approx(EXPECTED), name
    gauges = newest(topics.kpis, "acme/all/1h")["kpis"]
    assert {name: gauges[name]["value"] for name in ("backlog", "backlog_overdue", "agents_staffed")} == {
        "backlog": 1,
        "backlog_overdue": 1,
        "agents_staffed": 0,
    }
    money = next(orjson.loads(each.value) for each in reversed(seen) if each.key == period)["kpis"]
    expected = {"cost_per_contact": 12.5, "revenue": 250.0, "retention": 0.9, "roi": 1.5}
    assert {name: money[name]["value"] for name in expected} == pytest.approx(expected)
    letters = [dict(each.headers) for each in seen if each.topic == topics.dead_letters]
    assert {each["dlq.reason"].decode() for each in letters} == {RejectReason.INVALID}
    errors = [each["dlq.error"].decode() for each in letters]
    for _, what in BAD:
        assert sum(what in error for error in errors) >= 1, (what, errors)


async def shown_by_status(settings: Settings) -> dict[str, Any]:
    """What `outwatch status` says of the partner, once the view has it."""
    arguments, chosen, rows = ["status", "--json", "--window", "4h"], environment(settings), list[dict[str, Any]]()

    async def there() -> bool:
        done = await asyncio.to_thread(CliRunner().invoke, app, arguments, env=chosen)
        rows[:] = [row for row in json.loads(done.output)["partners"] if row["kpis"]]
        return bool(rows)

    await until(there, 30)
    (row,) = rows
    assert row["name"] == "Acme"
    return row
