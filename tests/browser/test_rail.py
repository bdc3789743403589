"""The rail: what fires, in an order that does not move under a hand; and what is to be heard of it."""

import re
from typing import Any, Final

import pytest
from playwright.async_api import Page, expect

from models import clock
from models.reasons import SuppressReason
from models.windows import MINUTE_MS
from streams.projector.projection import Record
from tests.browser.conftest import Visit
from tests.browser.house import Doing, Partner
from tests.browser.standing import Stand
from tests.browser.trouble import SILENCED, Trouble, alert, trouble_of

pytestmark = [pytest.mark.redis, pytest.mark.asyncio(loop_scope="session")]

FIGURE: Final[dict[str, Any]] = {
    "value": 0.41,
    "unit": "ratio",
    "numerator": 41,
    "denominator": 100,
    "n": 100,
    "ci_low": 0.3,
    "ci_high": 0.5,
    "definition": "abandons_count_against, 20 s",
}
TONES: Final = """
let tones = 0;
const Real = window.OscillatorNode;
window.OscillatorNode = class extends Real {
  constructor(context, options) { super(context, options); document.body.dataset.tones = tones += 1; }
};
"""


def fine(stand: Stand, number: int) -> Partner:
    """One of the partners that are fine."""
    return [partner for partner in stand.view.house.partners if partner.doing is Doing.FINE][number]


async def fire(
    stand: Stand, partner: Partner, severity: str | None, since_ms: int | None = None, held: tuple[SuppressReason, ...] = ()
) -> None:
    """An alert of a partner that was fine, or that it is gone; `since_ms`: which time of it."""
    now = clock.now_ms()
    since_ms = since_ms or now - MINUTE_MS
    trouble = Trouble(partner, "service_level_low", "service_level", "15m", "firing", severity, 0.65, 0.7, since_ms, held)
    key, value = alert(trouble, FIGURE, now)
    await stand.view.put([Record(stand.settings.topics.alerts_state, 0, key, None if severity is None else value)])


def card(page: Page, name: str) -> Any:
    return page.locator(".rail > .rail-list > .trouble", has=page.get_by_role("link", name=name, exact=True))


async def test_what_fires_is_ordered_says_who_was_told_and_folds_what_is_held_back(stand: Stand, visit: Visit) -> None:
    page = (await visit(stand)).page
    states = page.locator(".rail > .rail-list > .trouble .trouble-state")
    await expect(states.first).to_be_visible()
    words = await states.all_inner_texts()
    assert words == sorted(words, key=["Critical", "Warning"].index)
    acme = card(page, "Acme Care")
    await expect(acme.locator(".trouble-told")).to_contain_text("Step 2 · told bo by mail, bia by mail at")
    await expect(acme.locator(".trouble-told")).to_contain_text("owner realtime desk")
    runbook = acme.get_by_role("link", name="Runbook")
    await expect(runbook).to_have_attribute("rel", "noopener noreferrer")
    assert str(await runbook.get_attribute("href")).startswith("https://")
    await expect(page.locator(".trouble.taken .trouble-taken").first).to_contain_text("Taken by ana until")
    held = page.locator(".rail-held")
    await expect(held.locator("summary")).to_have_text("1 held back")
    await expect(held.locator(".trouble")).to_be_hidden()
    await held.locator("summary").click()
    await expect(held.locator(".trouble-held")).to_have_text("Nobody is told: silenced")


async def test_a_new_alert_waits_while_somebody_points_at_the_list_and_is_counted(stand: Stand, visit: Visit) -> None:
    partner = fine(stand, 20)
    page = (await visit(stand)).page
    first = card(page, "Acme Care")
    await first.locator(".trouble-text").hover()
    before = await first.bounding_box()
    try:
        await fire(stand, partner, "critical")
        moved = page.get_by_role("button", name="1 new: show")
        await expect(moved).to_be_visible()
        await expect(card(page, partner.name)).to_have_count(0)
        assert before is not None
        assert (await first.bounding_box() or {}).get("height") == before["height"]
        await moved.click()
        await expect(card(page, partner.name)).to_be_visible()
        await expect(moved).to_be_hidden()
        await card(page, partner.name).locator(".trouble-text").hover()
    finally:
        await fire(stand, partner, None)
    await expect(card(page, partner.name).locator(".trouble-state")).to_have_text("Over")
    await page.mouse.move(5, 5)
    await expect(card(page, partner.name)).to_have_count(0)


async def test_what_is_held_back_under_a_hand_is_not_said_to_be_over(stand: Stand, visit: Visit) -> None:
    partner, since_ms = fine(stand, 23), clock.now_ms() - MINUTE_MS
    page = (await visit(stand)).page
    fired = card(page, partner.name)
    try:
        await fire(stand, partner, "critical", since_ms)
        await fired.locator(".trouble-text").hover()
        await fire(stand, partner, "critical", since_ms, (SuppressReason.SILENCED,))
        await expect(fired.locator(".trouble-held")).to_have_text("Nobody is told: silenced")
        await expect(fired.locator(".trouble-state")).to_have_text("Critical")
        await page.mouse.move(5, 5)
        await expect(fired).to_have_count(0)
    finally:
        await fire(stand, partner, None)


async def test_a_silenced_alert_is_not_said_to_be_none(stand: Stand, visit: Visit) -> None:
    silenced = next(each for each in stand.view.house.partners if each.number == SILENCED)
    page = (await visit(stand, f"/partner/{silenced.id}")).page
    await expect(page.locator(".rail-none")).to_have_text("Nothing fires but what is held back.")


async def test_where_there_is_little_room_a_few_stand_there_and_more_when_they_are_asked_for(stand: Stand, visit: Visit) -> None:
    page = (await visit(stand, viewport={"width": 900, "height": 900})).page
    cards = page.locator(".rail > .rail-list > .trouble")
    await expect(cards).to_have_count(3)
    more = page.get_by_role("button", name=re.compile(r"^\d+ more$"))
    many = int((await more.inner_text()).split()[0])
    await more.click()
    await expect(cards).to_have_count(3 + min(40, many))


async def test_a_link_to_an_alert_marks_it_where_it_was_just_opened(stand: Stand, visit: Visit) -> None:
    acme = next(each for each in stand.view.house.partners if each.id == "acme")
    worst = next(trouble_of(acme)).fingerprint
    page = (await visit(stand, f"/partner/acme?alert={worst}")).page
    await expect(page.locator(".trouble.marked")).to_have_count(1)


async def test_the_alert_of_the_row_that_has_the_focus_is_acknowledged_by_a_key(stand: Stand, visit: Visit) -> None:
    page = (await visit(stand)).page
    await expect(card(page, "Acme Care")).to_be_visible()
    await card(page, "Acme Care").focus()
    await page.keyboard.press("a")
    dialog = page.get_by_role("dialog", name="Acknowledge Acme Care")
    await expect(dialog).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(dialog).to_be_hidden()
    await expect(card(page, "Acme Care")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(re.compile("/partner/acme[?]alert="))


async def test_a_sound_and_a_count_come_once_somebody_wants_them_and_not_twice(stand: Stand, visit: Visit) -> None:
    partner = fine(stand, 21)
    watched = await visit(stand, path=None)
    page = watched.page
    await page.add_init_script(TONES)
    await page.goto(f"{stand.url}/")
    await expect(card(page, "Acme Care")).to_be_visible()
    alarms = page.get_by_role("button", name="Alarms")
    await expect(alarms).to_have_text("Alarms: off")
    try:
        await fire(stand, partner, "critical")
        await expect(card(page, partner.name)).to_be_visible()
        await expect(page.locator("body[data-tones]")).to_have_count(0)
        await fire(stand, partner, None)
        await expect(card(page, partner.name)).to_have_count(0)
        for entry in ("Sound: off", "Title count: off"):
            await alarms.click()
            await page.get_by_role("menuitem", name=entry).click()
        await expect(alarms).to_have_text("Alarms: sound")
        await expect(page).to_have_title(re.compile(r"^\(\d+\) "))
        await expect(page.locator("body[data-tones]")).to_have_count(0)
        other, since_ms = fine(stand, 22), clock.now_ms() - MINUTE_MS
        await fire(stand, other, "warning", since_ms)
        await expect(card(page, other.name)).to_be_visible()
        await expect(page.locator("body")).to_have_attribute("data-tones", "1")
        await fire(stand, other, "critical", since_ms)
        await expect(page.locator("body")).to_have_attribute("data-tones", "5")
        await fire(stand, other, "warning", since_ms)
        await fire(stand, other, "critical", since_ms)
        await fire(stand, other, None)
        await expect(card(page, other.name)).to_have_count(0)
        await expect(page.locator("body")).to_have_attribute("data-tones", "5")
        await fire(stand, other, "warning", since_ms + 1)
        await expect(page.locator("body")).to_have_attribute("data-tones", "6")
    finally:
        for each in (partner, fine(stand, 22)):
            await fire(stand, each, None)


async def test_a_page_behind_others_counts_in_its_title_although_nothing_of_it_is_drawn(stand: Stand, visit: Visit) -> None:
    page = (await visit(stand, path=None)).page
    await page.add_init_script("window.requestAnimationFrame = () => 0; localStorage.setItem('outwatch', JSON.stringify({ title: true }));")
    await page.goto(f"{stand.url}/")
    await expect(page).to_have_title(re.compile(r"^\(\d+\) outwatch"))
