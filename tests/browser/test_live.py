"""The page while things change: what stands still, breaks and comes back is said, and whoever is at a row keeps it."""

import re
from statistics import median
from typing import Any, Final

import orjson
import pytest
from playwright.async_api import CDPSession, Page, expect

from models import clock
from models.windows import MINUTE_MS
from streams.projector.projection import Record
from tests.browser.conftest import Visit
from tests.browser.house import Doing, Partner
from tests.browser.seed import figures
from tests.browser.standing import Stand
from tests.browser.trouble import Trouble, alert

pytestmark = [pytest.mark.redis, pytest.mark.asyncio(loop_scope="session")]

PATCH_MS_MAX: Final = 30.0
PATCHES: Final = 7
BROKEN = (r"Failed to load resource: net::ERR_", r"status of 503")
"""What a browser says by itself of a server that a test took away."""


async def tell(stand: Stand, *partners: Partner) -> None:
    """Other figures of these partners."""
    topic, now = stand.settings.topics.kpis, clock.now_ms()
    await stand.view.put([Record(topic, 0, *each) for partner in partners for each in figures(stand.view.house, partner, ["15m"], now)])


async def fire(stand: Stand, partner: Partner, severity: str | None) -> None:
    """An alert of a partner that was fine, or that it is over."""
    now = clock.now_ms()
    trouble = Trouble(partner, "service_level_low", "service_level", "15m", "firing", severity, 0.65, 0.7, now - MINUTE_MS)
    key, value = alert(trouble, SAID, now)
    await stand.view.put([Record(stand.settings.topics.alerts_state, 0, key, None if severity is None else value)])


SAID: Final[dict[str, Any]] = {
    "value": 0.41,
    "unit": "ratio",
    "numerator": 41,
    "denominator": 100,
    "n": 100,
    "ci_low": 0.3,
    "ci_high": 0.5,
    "definition": "abandons_count_against, 20 s",
}


def fine(stand: Stand, number: int = 0) -> Partner:
    """One of the partners that are fine."""
    return [partner for partner in stand.view.house.partners if partner.doing is Doing.FINE][number]


def row(page: Page, partner: Partner) -> Any:
    return page.locator(f"tbody [data-partner='{partner.id}']")


async def top(page: Page, partner: Partner) -> float:
    box = await row(page, partner).bounding_box()
    assert box is not None
    return float(box["y"])


async def test_a_figure_that_changes_is_shown_without_loading_anything_anew(stand: Stand, visit: Visit) -> None:
    partner = fine(stand)
    page = (await visit(stand, "/?sort=partner")).page
    cell = row(page, partner).locator("[data-kpi=in_queue] .figure")
    await expect(cell).not_to_be_empty()
    await stand.view.put(marked(stand, 777))
    await expect(cell).to_have_text("777")
    await tell(stand, partner)
    await expect(cell).not_to_have_text("777")


async def test_data_that_stands_still_is_said_to_be_old_while_the_connection_is_live(stand: Stand, visit: Visit) -> None:
    page = (await visit(stand)).page
    await expect(page.locator("tbody tr").first).to_be_visible()
    stand.lives = False
    try:
        await stand.say_lives(clock.now_ms() - 60_000)
        await expect(page.locator("#warning")).to_contain_text("no worker has reported since")
        await expect(page.locator("html.is-stale")).to_have_count(1)
        await expect(page.locator("header .age")).to_contain_text(re.compile(r"[67]\d\ss old"))
        await expect(page.locator("header .connection")).to_have_text("Live")
        await expect(row(page, fine(stand)).get_by_text("Stale")).to_be_visible()
    finally:
        stand.lives = True
    await expect(page.locator("#warning")).to_be_hidden()
    await expect(page.locator("html.is-stale")).to_have_count(0)


async def test_one_silent_worker_makes_its_partners_stale_and_no_others(stand: Stand, visit: Visit) -> None:
    page = (await visit(stand, "/?state=stale")).page
    before = await page.locator("tbody tr").count()
    stand.view.silent_since_ms = clock.now_ms() - 60_000
    try:
        await expect(page.locator("#warning")).to_contain_text("A worker has not reported since")
        await expect(page.locator("html.is-stale")).to_have_count(0)
        assert before < await page.locator("tbody tr").count() < len(stand.view.house.partners)
    finally:
        stand.view.silent_since_ms = None
    await expect(page.locator("#warning")).to_be_hidden()


async def test_a_desk_that_comes_back_is_watched_on_by_itself(stand: Stand, visit: Visit) -> None:
    watched = await visit(stand, "/?sort=partner")
    watched.allow(*BROKEN)
    page, partner = watched.page, fine(stand, 1)
    await expect(page.locator("header .connection")).to_have_text("Live")
    stand.kill_desk()
    await expect(page.locator("header .connection")).to_have_text("No connection")
    await expect(page.locator("#warning")).to_contain_text("No connection to the desk")
    await expect(row(page, partner)).to_be_visible()
    await stand.start_desk()
    await expect(page.locator("header .connection")).to_have_text("Live", timeout=25_000)
    await expect(page.locator("#warning")).to_be_hidden()


async def test_a_redis_that_is_away_is_named_and_what_is_shown_stays(stand: Stand, visit: Visit) -> None:
    watched = await visit(stand, "/?sort=partner")
    watched.allow(*BROKEN)
    page = watched.page
    await expect(row(page, fine(stand))).to_be_visible()
    stand.redis.kill()
    try:
        await expect(page.locator("#warning")).to_contain_text("Redis does not answer", timeout=30_000)
        await expect(row(page, fine(stand))).to_be_visible()
    finally:
        stand.redis.start()
        await stand.view.begin()
    await expect(page.locator("header .connection")).to_have_text("Live", timeout=30_000)
    await expect(page.locator("#warning")).to_be_hidden()


async def test_a_frame_that_changes_all_200_partners_is_patched_in_30_ms(stand: Stand, visit: Visit) -> None:
    """In CPU time of the page's thread, which others on the machine do not make longer: reading the frame, the patch, and its style."""
    page = (await visit(stand, "/?view=table&sort=partner")).page
    await expect(page.locator("tbody tr")).to_have_count(200)
    await expect(row(page, fine(stand)).locator(".spark, svg").first).to_be_visible()
    session = await page.context.new_cdp_session(page)
    await session.send("Performance.enable", {"timeDomain": "threadTicks"})
    last, took = stand.view.house.partners[-1], list[dict[str, float]]()
    shown = row(page, last).locator("[data-kpi=in_queue] .figure")
    for number in range(PATCHES):
        before = await spent_ms(session)
        await stand.view.put(marked(stand, 700 + number))
        await expect(shown).to_have_text(f"{700 + number}")
        after = await spent_ms(session)
        took.append({name: after[name] - before[name] for name in after})
    print("patches of 200 rows, ms of CPU:", [{name: round(value, 1) for name, value in each.items()} for each in took])
    assert median(each["ScriptDuration"] + each["RecalcStyleDuration"] for each in took) < PATCH_MS_MAX


async def spent_ms(session: CDPSession) -> dict[str, float]:
    found = {each["name"]: each["value"] * 1000 for each in (await session.send("Performance.getMetrics"))["metrics"]}
    return {name: found[name] for name in ("ScriptDuration", "RecalcStyleDuration", "LayoutDuration")}


def marked(stand: Stand, waiting: int) -> list[Record]:
    """Other figures of every partner, by which they can be told."""
    topic, now, found = stand.settings.topics.kpis, clock.now_ms(), list[Record]()
    for partner in stand.view.house.partners:
        for key, value in figures(stand.view.house, partner, ["15m"], now):
            record = orjson.loads(value)
            record["kpis"]["in_queue"] |= {"value": waiting, "numerator": waiting, "n": waiting}
            found.append(Record(topic, 0, key, orjson.dumps(record)))
    return found


async def test_a_row_stays_under_the_pointer_until_that_leaves(stand: Stand, visit: Visit) -> None:
    page = (await visit(stand, "/?view=table")).page
    pointed, worse = fine(stand, 2), fine(stand, 40)
    await row(page, pointed).scroll_into_view_if_needed()
    await row(page, pointed).hover()
    stood = await top(page, pointed)
    await fire(stand, worse, "critical")
    try:
        hint = page.locator("button.moved")
        await expect(hint).to_be_visible()
        await expect(row(page, worse).get_by_text("Critical", exact=True)).to_be_attached()
        assert await top(page, pointed) == stood
        await page.mouse.move(0, 0)
        await expect(hint).to_be_hidden()
        order = await page.locator("tbody tr").evaluate_all("rows => rows.map(row => row.dataset.partner)")
        assert order.index(worse.id) < order.index(pointed.id)
    finally:
        await fire(stand, worse, None)


async def test_the_focus_stays_where_it_is_while_rows_around_it_change(stand: Stand, visit: Visit) -> None:
    page = (await visit(stand, "/?view=table")).page
    focused, worse = fine(stand, 3), fine(stand, 41)
    link = row(page, focused).locator("a").first
    await link.focus()
    stood = await top(page, focused)
    await fire(stand, worse, "critical")
    try:
        await expect(page.locator("button.moved")).to_be_visible()
        await tell(stand, focused, worse)
        await expect(link).to_be_focused()
        assert await top(page, focused) == stood
        await page.keyboard.press("Tab")
        await page.keyboard.press("Tab")
        inside = "document.activeElement.closest('tbody tr') !== null"
        assert await page.evaluate(inside)
        await tell(stand, focused, worse)
        await expect(page.locator("button.moved")).to_be_visible()
        assert await top(page, focused) == stood
        await page.locator("button.moved").click()
        await expect(page.locator("button.moved")).to_be_hidden()
    finally:
        await fire(stand, worse, None)
