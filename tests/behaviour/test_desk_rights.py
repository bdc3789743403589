"""A desk needs no right to write: it reads the view as a user of Redis that may do nothing else."""

import shutil

import pytest
from redis.asyncio import Redis
from redis.exceptions import NoPermissionError

from desk.view import ViewReader
from models.history import Tier
from models.settings import Settings
from models.view import Keys
from models.windows import Scope
from tests.desks import fill, records
from tests.view_records import AT_MS

pytestmark = pytest.mark.redis
RIGHTS = ("+@read", "+@connection", "+@transaction")


@pytest.mark.skipif(shutil.which("redis-server") is None, reason="fakeredis knows no users")
async def test_all_that_a_desk_reads_is_read_with_rights_to_read_alone(redis_url: str, app_id: str) -> None:
    settings, name = Settings(redis_url=redis_url, app_id=app_id, partitions=2), f"desk-{app_id}"
    async with Redis.from_url(redis_url) as client:
        await fill(client, settings, records(settings))
        await client.execute_command("ACL", "SETUSER", name, "on", ">pass", f"~{app_id}*", *RIGHTS)  # type: ignore[no-untyped-call]
        try:
            async with Redis.from_url(redis_url, username=name, password="pass") as narrow:
                reader, scope = ViewReader(narrow, Keys(app_id)), Scope("all")
                look = await reader.look(["15m"])
                assert {*look.policies} == {"*", "acme", "boreal"}
                assert await reader.scopes("acme", "15m")
                assert await reader.windows("acme", scope)
                assert await reader.happened("acme")
                assert await reader.history("acme", scope, Tier.MINUTE, AT_MS - 3_600_000, AT_MS)
                assert await reader.packed(["acme"], scope, Tier.MINUTE, AT_MS - 3_600_000, AT_MS)
                with pytest.raises(NoPermissionError):
                    await narrow.delete(Keys(app_id).alerts)
        finally:
            await client.execute_command("ACL", "DELUSER", name)  # type: ignore[no-untyped-call]
