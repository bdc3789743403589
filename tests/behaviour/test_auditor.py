"""The auditor beside a real Kafka, a real notifier and a real server: pings while all holds, alarms without Kafka when it does not."""

from contextlib import AsyncExitStack
from pathlib import Path

import orjson
import pytest

from alerts.audit.breach import AuditReason, Terms
from models import clock
from streams.admin import create
from streams.auditor.once import audit_once
from streams.local.kafka import LocalKafka
from streams.local.service import free_port
from tests.auditors import TERMS, auditing, beating, pings, settings_of, told
from tests.notifiers import notifying, page, write
from tests.pagers import serving
from tests.waiting import until
from tests.workers import Worker, ask, metrics

pytestmark = [pytest.mark.kafka, pytest.mark.redis]


async def test_pings_stop_and_an_alarm_comes_when_the_notifier_is_gone_and_both_end_when_it_is_back(
    kafka: str, redis_url: str, app_id: str, tmp_path: Path
) -> None:
    """A page that nobody answers makes it worse; a receiver that refuses keeps nothing from the others."""
    async with AsyncExitStack() as stack:
        pager = await stack.enter_async_context(serving())
        settings = settings_of(kafka, redis_url, app_id, tmp_path, pager)
        await create(settings)
        await stack.enter_async_context(beating(settings))
        alive = AsyncExitStack()
        await alive.enter_async_context(notifying(settings))
        auditor = await stack.enter_async_context(auditing(settings))
        await pager.until(lambda got: pings(got) >= 3)
        assert not [*auditor.obstacles(), *auditor.notes()]
        assert await audit_once(settings, Terms(), again_seconds=0.1) == ()

        await alive.aclose()
        await write(settings, page(pager.url, 1, 1, "pagerduty", processed_at=clock.now_ms() - TERMS.result_ms))
        await pager.until(lambda got: len(told(got)) >= 1)
        before = pings(pager.got)
        await pager.until(lambda got: {"no_notifier", "no_result"} <= {name for _, names in told(got) for name in names})
        assert {kind for kind, _ in told(pager.got)} == {"incident.trigger"}
        assert pings(pager.got) == before
        assert {each.reason.value for each in auditor.notes()} == {"audit_fails"}
        found = await audit_once(settings, TERMS, again_seconds=0.1)
        assert {each.reason for each in found} == {AuditReason.NO_NOTIFIER, AuditReason.NO_RESULT}

        async with notifying(settings):
            await pager.until(lambda got: told(got)[-1] == ("incident.resolve", ()))
            await pager.until(lambda got: pings(got) > before)
        assert b'outwatch_audit_told_total{kind="ends"} 1.0' in auditor.metrics()
        assert b'outwatch_audit_told_total{kind="failed"} 1.0' in auditor.metrics(), "it is not tried more often than once a minute"


async def test_an_alarm_comes_although_kafka_is_gone(
    private_kafka: LocalKafka, redis_url: str, app_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streams.auditor.source.ANSWER_SECONDS", 1.0)
    async with serving() as pager:
        settings = settings_of(private_kafka.bootstrap, redis_url, app_id, tmp_path, pager)
        await create(settings)
        async with beating(settings, escalations=[]), auditing(settings) as auditor:
            await pager.until(lambda got: pings(got) >= 2)
            private_kafka.kill()
            await pager.until(lambda got: told(got) == [("incident.trigger", ("blind",))], 20)
            assert [each.reason for each in auditor.obstacles()] == ["blind"]
            before = pings(pager.got)
            (breach,) = await audit_once(settings, TERMS)
            assert breach.reason is AuditReason.BLIND
            assert pings(pager.got) == before


async def test_the_process_that_starts_without_a_broker_says_so_and_ends_in_order(redis_url: str, app_id: str, tmp_path: Path) -> None:
    """Its endpoints answer, its log is JSON, and no secret stands in it."""
    async with serving() as pager:
        (tmp_path / "none").mkdir()
        chosen = {"http_port": free_port(), "audit_ping_url": None, "audit_ping_seconds": 60.0, "secrets_dir": tmp_path / "none"}
        settings = settings_of("127.0.0.1:9", redis_url, app_id, tmp_path, pager).model_copy(update=chosen)
        with Worker(settings, tmp_path / "audit.log", program=("-m", "streams.cli", "audit")) as auditor:

            async def looked() -> bool:
                return (await metrics(settings)).get('outwatch_audit_looks_total{kind="blind"}', 0) >= 1

            await until(looked)
            assert (await ask(settings, "/livez"))[0] == 200
            status, body = await ask(settings, "/readyz")
            said = orjson.loads(body)
            assert (status, said["reasons"][0]["reason"], said["notes"][0]["reason"]) == (503, "blind", "no_secret")
            assert await auditor.terminate() == 0
        lines = [orjson.loads(line) for line in (tmp_path / "audit.log").read_text().splitlines()]
        assert {"cannot be told", "cannot see"} <= {line["message"] for line in lines}
        once = Worker(settings, tmp_path / "once.log", program=("-m", "streams.cli", "audit", "--once", "--json"))
        with once:
            assert await once.ended() == 1
        assert '"reason": "blind"' in (tmp_path / "once.log").read_text()
