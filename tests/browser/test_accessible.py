"""Whoever uses the page, on whatever screen: axe finds nothing wrong in any view, light or dark, wide or narrow."""

from collections.abc import AsyncIterator
from importlib.resources import files
from typing import Any, Final

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.browser.conftest import Visit
from tests.browser.house import Doing
from tests.browser.standing import Stand, standing

pytestmark = [pytest.mark.redis, pytest.mark.asyncio(loop_scope="session")]

AXE: Final = files("axe_playwright_python").joinpath("axe.min.js").read_text()
WIDTHS: Final = (360, 900, 1440)
VIEWS: Final = {
    "overview": "/?view=table",
    "tiles": "/?view=tiles",
    "partner": "/partner/acme",
    "explanation": "/partner/acme?explain=service_level:15m",
    "on call": "/oncall",
    "report": "/report",
    "wall": "/wall",
}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def small(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stand]:
    """A house of a few partners, who do badly in every way that there is: axe looks at each element, and many are alike."""
    async with standing(tmp_path_factory.mktemp("small"), 40, only=tuple(Doing)) as stand:
        yield stand


async def violations(page: Page, scheme: str = "light") -> list[str]:
    """What axe finds, a line each; in the dark of contrast alone, since nothing else there is another."""
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(AXE)
    asked = {"resultTypes": ["violations"], **({"runOnly": ["color-contrast"]} if scheme == "dark" else {})}
    found: dict[str, Any] = await page.evaluate("(asked) => axe.run(document, asked)", asked)
    return [
        f"{each['id']}: {node['html'][:160]} {node['failureSummary'][:200]}" for each in found["violations"] for node in each["nodes"][:3]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("view", VIEWS)
async def test_axe_finds_nothing(small: Stand, visit: Visit, view: str, scheme: str) -> None:
    page = (await visit(small, VIEWS[view], color_scheme=scheme)).page
    await expect(page.locator("#view h1").first).to_be_attached()
    if view == "explanation":
        await expect(page.get_by_role("dialog")).to_contain_text("Wilson")
    found = {}
    for width in WIDTHS:
        await page.set_viewport_size({"width": width, "height": 900})
        if said := await violations(page, scheme):
            found[width] = said
    assert found == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_where_one_logs_in_and_in_dialogs(small: Stand, visit: Visit, scheme: str) -> None:
    login = (await visit(small, "/login", None, color_scheme=scheme)).page
    await expect(login.get_by_label("Token")).to_be_visible()
    assert await violations(login, scheme) == []
    page = (await visit(small, "/", color_scheme=scheme)).page
    await page.get_by_role("button", name="Acknowledge").first.click()
    await expect(page.get_by_role("dialog")).to_be_visible()
    for width in WIDTHS:
        await page.set_viewport_size({"width": width, "height": 900})
        assert await violations(page, scheme) == []
    await page.keyboard.press("Escape")
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog")).to_be_visible()
    assert await violations(page, scheme) == []


@pytest.mark.parametrize("view", VIEWS)
async def test_no_view_is_wider_than_a_narrow_screen(small: Stand, visit: Visit, view: str) -> None:
    page = (await visit(small, VIEWS[view], viewport={"width": 360, "height": 740})).page
    await expect(page.locator("#view h1").first).to_be_attached()
    assert await page.evaluate("document.documentElement.scrollWidth") <= 360
