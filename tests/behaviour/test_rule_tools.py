"""`outwatch policy backtest --from --to` and `outwatch policy explain` on Apache Kafka: all of it comes out of the topics."""

import asyncio
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiokafka import AIOKafkaProducer
from typer.testing import CliRunner, Result

from alerts import fingerprint
from models.clock import now_ms
from models.policy_file import whole
from models.rule_forms import DriftSpec
from models.settings import Settings
from models.topics import partition_of
from models.windows import GRID_MS, HOUR_MS, MINUTE_MS
from streams.admin import create
from streams.cli import app
from streams.engine import Budget
from streams.policies import apply_policy
from tests.engines import SECOND, Rig, event, partner_part, rule, shared_part
from tests.workers import environment

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(120)]

SPEC = rule(levels=[{"severity": "warning", "enter": 0.8, "exit": 0.83, "for": 60}], min_samples=10, recover_for=60)
DRIFT = DriftSpec.model_validate({"id": "creep", "type": "drift", "kpi": "asa", "direction": "above", "reference": 100})
SHARED = shared_part(SPEC, DRIFT, settle_seconds=0)


@pytest.fixture
async def settings(kafka: str, app_id: str) -> Settings:
    made = Settings(brokers=kafka, app_id=app_id, topic_prefix=f"{app_id}.", partitions=2, replication=1)
    assert (await create(made)).findings == []
    return made


async def outwatch(settings: Settings, *arguments: str) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, app, ["policy", *arguments], env=environment(settings) | {"COLUMNS": "160"})


def events(begin_ms: int) -> list[dict[str, Any]]:
    """Five good minutes, then ten bad ones."""
    return [
        event("contact.answered", begin_ms + second * SECOND, f"{second}", wait_seconds=5.0 if second < 300 else 60.0)
        for second in range(0, 900, 5)
    ]


async def write(settings: Settings, records: list[tuple[str, bytes | None, bytes | None]]) -> None:
    """(topic, key, value), all of the partner acme."""
    number = partition_of("acme", settings.partitions)
    async with AIOKafkaProducer(bootstrap_servers=settings.brokers, linger_ms=5) as producer:
        for topic, key, value in records:
            name = f"{settings.topic_prefix}{topic}"
            await producer.send(name, value, key=key, partition=number)
        await producer.flush()


async def test_a_range_of_the_source_topics_is_run_through_a_policy(settings: Settings, tmp_path: Path) -> None:
    begin_ms = (now_ms() - 2 * HOUR_MS) // MINUTE_MS * MINUTE_MS
    await write(settings, [("cx.interactions", b"acme", orjson.dumps(each)) for each in events(begin_ms)])
    file = tmp_path / "policy.json"
    file.write_text(whole(SHARED, [partner_part()], "p").model_dump_json(by_alias=True, exclude_unset=True))
    first, last = (f"{name}={_iso(at_ms)}" for name, at_ms in (("--from", begin_ms), ("--to", now_ms() + MINUTE_MS)))
    done = await outwatch(settings, "backtest", first, last, "--json", str(file))
    found = orjson.loads(done.output)
    assert (found["events"], found["left_out"]) == (180, {})
    before = await outwatch(settings, "backtest", first, f"--to={_iso(begin_ms + MINUTE_MS)}", "--json", str(file))
    assert orjson.loads(before.output)["events"] == 0
    (episode,) = [each for each in found["policy"]["episodes"] if each["rule"] == "sl"]
    assert (episode["partner"], episode["rule"], episode["ended_ms"]) == ("acme", "sl", None)
    assert begin_ms + 6 * MINUTE_MS < episode["fired_ms"] < begin_ms + 9 * MINUTE_MS


async def test_a_rule_is_explained_out_of_alerts_and_closed_minutes(settings: Settings) -> None:
    begin_ms = (now_ms() - 2 * HOUR_MS) // MINUTE_MS * MINUTE_MS
    rig = Rig()
    rig.idle(begin_ms)
    rig.policy(SHARED, partner_part(), at_ms=begin_ms)
    for each in events(begin_ms):
        rig.send(each, at_ms=each["occurred_at"])
    for minute in range(1, 16):
        rig.to(begin_ms + minute * MINUTE_MS)
    rig.commit(Budget(10**6, 10**9))
    told = [each for each in rig.written if each.topic.endswith(("alerts", "1m", "15m", "1d"))]
    await write(settings, [(each.topic, each.key, each.value) for each in told])
    await apply_policy(settings, whole(SHARED, [partner_part()], "p"), begin_ms)

    fired_ms = next(at_ms for _, kind, at_ms, _ in rig.alerts() if kind == "fired")
    name = fingerprint("sl", "acme", "all")
    kept = orjson.loads((await outwatch(settings, "explain", name, "--at", _iso(fired_ms), "--json")).output)
    assert (kept["source"], kept["state"], kept["rule"]) == ("kept", "firing", "sl")
    assert {each["name"]: each["passed"] for each in kept["gates"]}["bound"] is True

    shown = (await outwatch(settings, "explain", "acme/sl", "--at", _iso(begin_ms + 5 * MINUTE_MS + GRID_MS // 2))).output.splitlines()
    assert shown[0].startswith("sl of acme at ")
    assert shown[0].endswith(": ok")
    assert shown[1] == "recomputed: 5 closed stretches of the window"
    assert shown[2].split() == ["figure", "passed", "100", "%", "in", "the", "window", "5m", "(60", "of", "60)"]

    quarter_ms = begin_ms + 15 * MINUTE_MS - begin_ms % (15 * MINUTE_MS)
    drift = orjson.loads((await outwatch(settings, "explain", "acme/creep", "--at", _iso(quarter_ms), "--json")).output)
    assert drift["source"] == "recomputed"
    assert [each["name"] for each in drift["gates"]][2:5] == ["asa enter", "asa total", "asa exit"]
    assert f"; added up from {_iso(begin_ms)[:16].replace('T', ' ')} on" in drift["said"]
    early = orjson.loads((await outwatch(settings, "explain", "acme/creep", "--at", _iso(begin_ms - HOUR_MS), "--json")).output)
    assert early["said"].endswith("; by the rule as it is now, not as it was")

    ahead = await outwatch(settings, "explain", "acme/sl", "--at", _iso(now_ms() + HOUR_MS))
    assert "has not come yet" in str(ahead.exception)
    unknown = await outwatch(settings, "explain", "0" * 32, "--at", _iso(begin_ms))
    assert "no alert of 00000000000000000000000000000000 is kept" in str(unknown.exception)


def _iso(at_ms: int) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S")
