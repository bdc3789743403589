"""Who is on call, the report of a shift, and a wall that nobody touches."""

import re

import orjson
import pytest
from playwright.async_api import Route, expect

from models import clock
from tests.browser.conftest import Visit
from tests.browser.standing import Stand
from tests.waiting import until

pytestmark = [pytest.mark.redis, pytest.mark.asyncio(loop_scope="session")]

FITS = "() => [...document.querySelectorAll('.slab')].every((each) => each.getBoundingClientRect().bottom <= innerHeight + 6)"
SCROLLS = "() => document.documentElement.scrollHeight > innerHeight"


async def test_who_is_on_call_until_when_and_who_took_over_is_shown_and_a_click_takes_a_shift(stand: Stand, visit: Visit) -> None:
    page = (await visit(stand, "/oncall")).page
    duty = page.get_by_role("row", name=re.compile("^ops_primary"))
    await expect(duty).to_contain_text(re.compile(r"in 2[34]\sh"))
    await expect(page.get_by_text("Bo Lind takes ops_primary")).to_be_visible()
    over = page.locator(".track .over button")
    await over.click()
    dialog = page.get_by_role("dialog", name="Take over ops_primary")
    from_, to = [await dialog.get_by_label(name, exact=True).input_value() for name in ("From", "To")]
    assert from_ < to


async def test_a_viewer_sees_the_calendar_and_takes_nothing(stand: Stand, visit: Visit) -> None:
    page = (await visit(stand, "/oncall", role="viewer")).page
    await expect(page.locator(".track li").first).to_be_visible()
    await expect(page.locator("main").get_by_role("button")).to_have_count(0)


async def test_a_report_tells_of_the_shift_in_its_address_and_prints_without_its_buttons(stand: Stand, visit: Visit) -> None:
    page = (await visit(stand, "/report")).page
    await expect(page.get_by_role("heading", name=re.compile("^ops_primary"))).to_be_visible()
    await expect(page.locator(".report")).to_contain_text("Acme Care")
    shifts = page.get_by_label("Shift")
    if await shifts.locator("option").count() > 1:
        await shifts.select_option(index=1)
        await expect(page).to_have_url(re.compile("shift="))
    await page.emulate_media(media="print")
    await expect(page.get_by_role("button", name="Print")).to_be_hidden()
    await expect(page.locator("header.bar")).to_be_hidden()


async def test_a_wall_fills_any_screen_without_scrolling_the_worst_first(stand: Stand, visit: Visit) -> None:
    page = (await visit(stand, "/wall", role="viewer")).page
    tiles = page.locator(".slab")
    await expect(tiles).to_have_count(60)
    await expect(tiles.first.locator(".slab-state")).to_have_text("Critical")
    await expect(page.locator("header.bar")).to_be_hidden()
    for width, height in ((1920, 1080), (1366, 768), (1080, 1920)):
        await page.set_viewport_size({"width": width, "height": height})

        async def fills() -> bool:
            return bool(await page.evaluate(FITS))

        await until(fills)
        assert not await page.evaluate(SCROLLS)


async def test_a_wall_goes_through_its_pages_and_hides_the_pointer(stand: Stand, visit: Visit) -> None:
    watched = await visit(stand, path=None, role="viewer")
    page = watched.page
    await page.clock.install()
    await page.goto(f"{stand.url}/wall")
    number = page.locator(".wall-page")
    await expect(number).to_have_text("1 / 4")
    first = await page.locator(".slab-name").first.inner_text()
    await page.clock.run_for(12_500)
    await expect(number).to_have_text("2 / 4")
    await expect(page.locator(".slab-name").first).not_to_have_text(first)
    await expect(page.locator(".wall.rests")).to_have_count(1)


async def test_a_wall_says_largely_that_what_it_shows_is_old(stand: Stand, visit: Visit) -> None:
    page = (await visit(stand, "/wall", role="viewer")).page
    await expect(page.locator(".slab").first).to_be_visible()
    stand.lives = False
    try:
        await stand.say_lives(clock.now_ms() - 60_000)
        old = page.locator(".wall-old")
        await expect(old).to_have_text(re.compile(r"Data is \d+\ss old"))
        size = await old.evaluate("(node) => parseFloat(getComputedStyle(node).fontSize)")
        assert size >= 32
    finally:
        stand.lives = True
    await expect(old).to_be_empty()


async def test_a_wall_loads_itself_anew_when_a_newer_release_is_served(stand: Stand, visit: Visit) -> None:
    page = (await visit(stand, path=None, role="viewer")).page
    streams = 0

    async def stream(route: Route) -> None:
        nonlocal streams
        streams += 1
        if streams > 1:
            await route.continue_()
            return
        now = {"at": clock.now_ms(), "as_of": clock.now_ms()}
        frames = ({**now, "version": version} for version in ("1.0.0", "1.0.1"))
        body = "".join(f"event: now\ndata: {orjson.dumps(frame).decode()}\n\n" for frame in frames)
        await route.fulfill(content_type="text/event-stream", body=body)

    await page.route("**/api/v1/stream*", stream)
    async with page.expect_event("load"):
        await page.goto(f"{stand.url}/wall", wait_until="commit")
    async with page.expect_event("load"):
        pass
    await expect(page.locator(".slab").first).to_be_visible()
