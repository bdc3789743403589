"""Asking for something on the page: what is sent, what is said of it, and what came of it."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from fnmatch import fnmatchcase
from typing import Any, Final

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from playwright.async_api import Page, Route, expect

from models import clock
from models.windows import HOUR_MS, MINUTE_MS
from streams.projector.projection import Record
from tests.browser.conftest import Visit
from tests.browser.standing import Stand

pytestmark = [pytest.mark.redis, pytest.mark.asyncio(loop_scope="session")]

ACME: Final = "Acme Care"


@asynccontextmanager
async def taking(page: Page, name: str, identity: str) -> AsyncIterator[list[dict[str, Any]]]:
    """A desk that takes a command under that id: the bodies of those that were sent."""
    sent: list[dict[str, Any]] = []

    async def take(route: Route) -> None:
        sent.append(orjson.loads(route.request.post_data or "null"))
        await route.fulfill(status=202, json={"id": identity, "command": name, "partner": "acme"})

    await page.route(f"**/api/v1/{name}", take)
    yield sent
    await page.unroute(f"**/api/v1/{name}")


async def answer(stand: Stand, identity: str, outcome: str, reason: str) -> None:
    """What a worker says of a command."""
    told = {"id": identity, "command": "x", "partner": "acme", "outcome": outcome, "reason": reason, "processed_at": clock.now_ms()}
    await stand.view.put([Record(stand.settings.topics.alerts, 0, b"acme", orjson.dumps(told))])


def card(page: Page, name: str = ACME) -> Any:
    return page.locator(".trouble", has=page.get_by_role("link", name=name, exact=True))


async def chosen(page: Page, entry: str) -> Any:
    """The dialog of an entry of the menu beside the first alert."""
    await card(page).get_by_role("button", name="More").click()
    await page.get_by_role("menuitem", name=entry).click()
    return page.get_by_role("dialog")


async def test_an_acknowledgement_says_until_when_and_what_came_of_it_and_gives_the_focus_back(stand: Stand, visit: Visit) -> None:
    page = (await visit(stand)).page
    button = card(page).get_by_role("button", name="Acknowledge")
    async with taking(page, "acknowledge", "ack-1") as sent:
        await button.click()
        dialog = page.get_by_role("dialog")
        await dialog.get_by_label("30 min").check()
        await dialog.get_by_label("Comment").fill("Calling them")
        now_ms = clock.now_ms()
        await dialog.get_by_role("button", name="Acknowledge").click()
        await expect(dialog.get_by_role("status")).to_contain_text("Sent")
        await expect(dialog).to_be_visible()
        await answer(stand, "ack-1", "applied", "acknowledged by operator")
        await expect(dialog.get_by_role("status")).to_have_text("Done: acknowledged by operator.")
    await expect(dialog).to_be_hidden()
    await expect(button).to_be_focused()
    (body,) = sent
    assert set(body) == {"incident", "until", "comment"}, "three alerts are one incident"
    assert body["comment"] == "Calling them"
    assert abs(body["until"] - now_ms - 30 * MINUTE_MS) < MINUTE_MS


async def test_what_is_refused_says_why_and_can_be_sent_again(stand: Stand, visit: Visit) -> None:
    page = (await visit(stand)).page
    async with taking(page, "snooze", "snooze-1") as sent:
        dialog = await chosen(page, "Snooze")
        await dialog.get_by_role("button", name="Snooze").click()
        await expect(dialog.get_by_role("status")).to_contain_text("Sent")
        await answer(stand, "snooze-1", "refused", "it is over already")
        await expect(dialog.get_by_role("status")).to_have_text("Not done: it is over already.")
        await expect(dialog.get_by_role("button", name="Snooze")).to_be_enabled()
    assert len(sent) == 1


async def test_what_nobody_answers_for_15_s_is_said_and_watched_on(stand: Stand, visit: Visit) -> None:
    watched = await visit(stand, path=None)
    page = watched.page
    await page.clock.install()
    await page.goto(f"{stand.url}/")
    async with taking(page, "comment", "comment-1"):
        dialog = await chosen(page, "Comment")
        await dialog.get_by_label("Comment").fill("Looking")
        await dialog.get_by_role("button", name="Comment").click()
        await expect(dialog.get_by_role("status")).to_contain_text("Sent")
        await page.clock.fast_forward(15_000)
        await expect(dialog.get_by_role("status")).to_contain_text("not answered for 15 s")
        await dialog.get_by_role("button", name="Close").click()
        await answer(stand, "comment-1", "applied", "commented by operator")
        await expect(page.locator("#messages")).to_contain_text("commented by operator")


async def test_what_is_wrong_stands_beside_its_field_which_gets_the_focus(stand: Stand, visit: Visit) -> None:
    watched = await visit(stand)
    watched.allow(r"status of 422")
    page = watched.page
    dialog = await chosen(page, "Silence")
    await dialog.get_by_role("button", name="Silence").click()
    why = dialog.get_by_role("textbox", name="Why")
    await expect(why).to_be_focused()
    await expect(why).to_have_attribute("aria-invalid", "true")
    await expect(dialog.get_by_text("This is needed.")).to_be_visible()
    await dialog.get_by_label("at a time").check()
    await dialog.get_by_label("Silence for, at").fill("2020-01-01T00:00")
    await why.fill("Training")
    await dialog.get_by_role("button", name="Silence").click()
    await expect(dialog.get_by_text("That is over already.")).to_be_visible()
    await page.keyboard.press("Escape")
    dialog = await chosen(page, "Hand over")
    await dialog.get_by_label("Called").fill("nobody")
    await dialog.get_by_role("button", name="Hand over").click()
    await expect(dialog.get_by_text(re.compile("there is no person 'nobody'"))).to_be_visible()
    await expect(dialog.get_by_label("Called")).to_be_focused()


async def test_a_silence_says_what_it_would_cover_while_it_is_written(stand: Stand, visit: Visit) -> None:
    page = (await visit(stand)).page
    dialog = await chosen(page, "Silence")
    covers = dialog.locator(".dialog-beside")
    await expect(covers).to_contain_text("It covers 1 alert that fires now:")
    await expect(covers.get_by_role("listitem")).to_contain_text(ACME)
    await dialog.get_by_label("Rule").fill("")
    await expect(covers).to_contain_text("It covers 3 alerts that fire now:")
    await dialog.get_by_label("Partner").fill("nobody-*")
    await expect(covers).to_have_text("It covers no alert that fires now.")
    await dialog.get_by_label("Partner").fill("*")
    await expect(covers).to_contain_text(re.compile(r"It covers \d+ alerts that fire now of \d+ partners:"))


GLOBS: Final = st.text("ab*?[]!-.=", max_size=6)


async def test_a_silence_fits_on_the_page_what_it_fits_in_a_worker(stand: Stand, visit: Visit) -> None:
    page = (await visit(stand, "/login", role=None)).page
    tried: list[tuple[str, str]] = []

    @settings(max_examples=300, suppress_health_check=list(HealthCheck), database=None)
    @given(GLOBS, st.text("ab-.=]", max_size=5))
    def collect(glob: str, text: str) -> None:
        tried.append((glob, text))

    collect()
    found = await page.evaluate(
        "async (pairs) => { const { fits } = await import('/page/glob.js'); return pairs.map((each) => fits(...each)); }", tried
    )
    assert [(*pair, fits) for pair, fits in zip(tried, found, strict=True)] == [(*pair, fnmatchcase(pair[1], pair[0])) for pair in tried]
    assert any(found)


async def test_an_annotation_is_of_the_partner_and_of_the_hour_before(stand: Stand, visit: Visit) -> None:
    page = (await visit(stand)).page
    async with taking(page, "annotate", "note-1") as sent:
        dialog = await chosen(page, "Annotate")
        await dialog.get_by_label("What happened").fill("Carrier down")
        now_ms = clock.now_ms()
        await dialog.get_by_role("button", name="Annotate").click()
        await expect(dialog.get_by_role("status")).to_contain_text("Sent")
    (body,) = sent
    assert {name: body[name] for name in ("partner", "kind", "text")} == {"partner": "acme", "kind": "outage", "text": "Carrier down"}
    assert body["to"] - body["from"] == HOUR_MS
    assert abs(body["to"] - now_ms) < 2 * MINUTE_MS
