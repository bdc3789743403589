"""One browser, one desk and one house for all tests of a process; a browser's context and its login for each test."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from tests.browser.standing import Stand, Watched, chromium_path, log_in, standing
from tests.services import lacking

Visit = Callable[..., Awaitable[Watched]]

_WAIT_MS = 30_000


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of the system's Chromium."""
    return chromium_path() or lacking("no Chromium on the path (Debian: apt-get install chromium)")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(chromium: str) -> AsyncIterator[Browser]:
    """One browser."""
    expect.set_options(timeout=_WAIT_MS)
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path=chromium)
        yield launched
        await launched.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def stand(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stand]:
    """A house of 200 partners, without Kafka."""
    async with standing(tmp_path_factory.mktemp("stand"), 200) as stood:
        yield stood


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def plain(browser: Browser, stand: Stand) -> AsyncIterator[Page]:
    """A page to which modules may be brought: it shows nothing but where to log in."""
    page = await browser.new_page(timezone_id="Europe/Lisbon", locale="en-GB")
    await page.goto(f"{stand.url}/login")
    yield page
    await page.close()


@pytest_asyncio.fixture(loop_scope="session")
async def visit(browser: Browser) -> AsyncIterator[Visit]:
    """Opens a path of a stand (None: none yet) as a role, in a context of its own; whatever is wrong with such a page fails the test."""
    contexts: list[BrowserContext] = []
    pages: list[Watched] = []

    async def opened(stand: Stand, path: str | None = "/", role: str | None = "operator", **options: object) -> Watched:
        chosen = {"viewport": {"width": 1440, "height": 900}, "timezone_id": "Europe/Lisbon", "locale": "en-GB", **options}
        context = await browser.new_context(**chosen)  # type: ignore[arg-type] # of options by name
        contexts.append(context)
        context.set_default_timeout(_WAIT_MS)
        if role is not None:
            await log_in(context, stand.url, role)
        watched = Watched(await context.new_page(), stand.url)
        pages.append(watched)
        if path is not None:
            await watched.page.goto(f"{stand.url}{path}")
        return watched

    yield opened
    for context in contexts:
        await context.close()
    for each in pages:
        each.check()
