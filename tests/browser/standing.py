"""What stands under a browser test: a Redis with a house in it, a desk as its users run it, and a page that nothing may be wrong with."""

import asyncio
import re
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final

from playwright.async_api import BrowserContext, ConsoleMessage, Page, Request
from pydantic import SecretStr
from redis.asyncio import Redis
from redis.exceptions import RedisError

from models import clock
from models.settings import Settings
from streams.local.redis import LocalRedis
from streams.local.service import free_port
from tests.browser.house import Doing, House
from tests.browser.seed import PARTITIONS, View
from tests.desks import TOKENS, users
from tests.waiting import until
from tests.workers import Worker, ask

__all__ = ["Stand", "Watched", "chromium_path", "imported", "log_in", "standing"]

DESK: Final = ("-m", "streams.cli", "desk")
READY_SECONDS_MAX: Final = 60.0
SECRET: Final = "the secret of the desks of these tests"


class Stand:
    """A desk before a view that lives: every second its workers say so.

    Args:
        redis: runs already.
        settings: of the desk.
        client: of the Redis.
        folder: for its log.
        house: what stands in the view.
    """

    def __init__(self, redis: LocalRedis, settings: Settings, client: Redis, folder: Path, house: House) -> None:
        self.redis = redis
        self.settings = settings
        self.view = View(client, settings, house)
        self.lives = True
        """Whether workers and the projector say that they live."""
        self._log = folder / "desk.log"
        self._desk: Worker | None = None

    @property
    def url(self) -> str:
        """Of the page."""
        return f"http://127.0.0.1:{self.settings.desk_port}"

    async def start_desk(self) -> None:
        """Return when it shows what stands in Redis."""
        self._desk = Worker(self.settings, self._log, program=DESK)

        async def ready() -> bool:
            return (await ask(self.settings, "/readyz"))[0] == 200

        await until(ready, READY_SECONDS_MAX)

    def kill_desk(self) -> None:
        """End it by SIGKILL."""
        assert self._desk is not None
        self._desk.kill()

    async def say_lives(self, at_ms: int) -> None:
        """Write signs of life as of that time."""
        await self.view.live(at_ms, 0)

    async def live(self) -> None:
        """Say every second that all is well, as long as it is."""
        while True:
            if self.lives:
                with suppress(RedisError):
                    await self.say_lives(clock.now_ms())
            await asyncio.sleep(1)

    async def close(self) -> None:
        """End the desk."""
        if self._desk is not None:
            self._desk.stop()


@asynccontextmanager
async def standing(folder: Path, partners: int, only: Sequence[Doing] | None = None, **more: Any) -> AsyncIterator[Stand]:
    """A stand for the length of a with statement; `more`: settings."""
    redis = LocalRedis(folder / "redis")
    redis.start()
    settings = Settings(
        redis_url=redis.url,
        app_id="browser",
        partitions=PARTITIONS,
        desk_port=free_port(),
        http_port=free_port(),
        desk_users=users(folder / "users.yaml"),
        # So that a session outlives the desk that began it.
        desk_secret=SecretStr(SECRET),
        **more,
    )
    async with Redis.from_url(redis.url) as client:
        stand = Stand(redis, settings, client, folder, House(partners, clock.now_ms(), only))
        living = None
        try:
            await stand.view.begin()
            living = asyncio.create_task(stand.live())
            await stand.start_desk()
            yield stand
        finally:
            if living is not None:
                living.cancel()
            await stand.close()
            redis.kill()


def chromium_path() -> str | None:
    """Where the system's Chromium is."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


async def log_in(context: BrowserContext, url: str, role: str) -> None:
    """Give a browser the session of a role."""
    answer = await context.request.post(f"{url}/api/v1/session", data={"token": TOKENS[role]})
    assert answer.status == 200, await answer.text()


async def imported(page: Page, module: str, call: str) -> Any:
    """What an expression over a module of the page, `it`, comes to."""
    return await page.evaluate(f"async () => {{ const it = await import('/page/{module}.js'); return {call}; }}")


class Watched:
    """A page of which every message, error and request is noted.

    Args:
        page: the page.
        origin: from where alone anything may come.
    """

    def __init__(self, page: Page, origin: str) -> None:
        self.page = page
        self.origin = origin
        self.wrong: list[str] = []
        self.asked: list[str] = []
        """The paths of all requests."""
        self._allowed: list[str] = []
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.wrong.append(f"error: {error}"))
        page.on("request", self._request)

    def allow(self, *patterns: str) -> None:
        """Messages that a test causes on purpose: of a server that it ended."""
        self._allowed += patterns

    def check(self) -> None:
        """See that nothing was wrong."""
        wrong = [each for each in self.wrong if not any(re.search(pattern, each) for pattern in self._allowed)]
        assert not wrong, "\n".join(wrong)

    def _console(self, message: ConsoleMessage) -> None:
        self.wrong.append(f"{message.type}: {message.text} ({message.location.get('url', '')})")

    def _request(self, request: Request) -> None:
        if request.url.startswith(self.origin):
            self.asked.append(request.url.removeprefix(self.origin))
        elif not request.url.startswith("data:"):
            self.wrong.append(f"off origin: {request.url}")
