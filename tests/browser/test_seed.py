"""The seed of the browser tests is a view as a projector writes it: the API tells all of it by its own shapes."""

from pathlib import Path

import pytest
from redis.asyncio import Redis

from desk.shapes import Snapshot
from models import clock
from models.overview import PartnerState
from tests.browser.house import Doing, House
from tests.browser.seed import View, beats
from tests.desks import serving
from tests.view_records import AT_MS
from tests.waiting import until

pytestmark = [pytest.mark.redis]


def test_every_way_of_doing_is_among_the_first_forty_partners_and_most_are_fine() -> None:
    doing = [partner.doing for partner in House(40, AT_MS).partners]
    assert set(doing) == set(Doing)
    assert doing.count(Doing.FINE) > 20


def test_the_same_moment_gives_the_same_house() -> None:
    assert House(200, AT_MS).partners == House(200, AT_MS).partners


def test_a_worker_that_is_silent_leaves_its_heartbeat_behind() -> None:
    assert [value[1] for _, value in beats(AT_MS, AT_MS - 60_000)][:3] == [value[1] for _, value in beats(AT_MS)][:3]
    assert b'"as_of":%d' % (AT_MS - 60_000) in [value[1] for _, value in beats(AT_MS, AT_MS - 60_000)][3]


async def test_the_api_tells_the_seed_by_its_own_shapes(redis_url: str, app_id: str, tmp_path: Path) -> None:
    async with serving(redis_url, app_id, tmp_path) as served, Redis.from_url(redis_url) as client:
        served.now_ms = clock.now_ms()
        await View(client, served.settings, House(40, served.now_ms)).begin()

        async def shown() -> bool:
            return len((await served.get("/api/v1/partners"))["partners"]) == 40

        await until(shown)
        found = await served.get("/api/v1/snapshot")
        Snapshot.model_validate(found)
        states = {row["state"] for row in found["partners"]}
    assert states == set(PartnerState)
