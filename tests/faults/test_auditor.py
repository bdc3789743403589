"""The auditor through an outage of the broker: blind while it lasts, whole again after it, and nothing it could not see is told as lost."""

from pathlib import Path

import pytest

from streams.admin import create
from streams.local.kafka import LocalKafka
from tests.auditors import auditing, beating, pings, settings_of, told
from tests.pagers import serving

pytestmark = [pytest.mark.kafka, pytest.mark.redis, pytest.mark.long]


async def test_an_alarm_of_a_broker_that_is_gone_ends_when_it_is_back(
    private_kafka: LocalKafka, redis_url: str, app_id: str, tmp_path: Path
) -> None:
    async with serving() as pager:
        settings = settings_of(private_kafka.bootstrap, redis_url, app_id, tmp_path, pager)
        await create(settings)
        async with beating(settings, escalations=[]), auditing(settings) as auditor:
            await pager.until(lambda got: pings(got) >= 2)
            private_kafka.kill()
            await pager.until(lambda got: told(got) == [("incident.trigger", ("blind",))])
            before = pings(pager.got)
            private_kafka.start()
            await pager.until(lambda got: told(got)[-1] == ("incident.resolve", ()), 60)
            await pager.until(lambda got: pings(got) > before)
            assert auditor.obstacles() == []
