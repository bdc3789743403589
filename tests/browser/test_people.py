"""Who looks at the page: what a role may see and do there, how one logs in, and that an address is the whole state."""

import re
from typing import Final

import orjson
import pytest
from playwright.async_api import Route, expect

from models import clock
from models.policy_record import CURRENT, encode_policy, policy_key
from models.policy_spec import PartnerPart
from streams.projector.projection import Record
from tests.browser.conftest import Visit
from tests.browser.standing import Stand
from tests.desks import TOKENS

pytestmark = [pytest.mark.redis, pytest.mark.asyncio(loop_scope="session")]

ACTS: Final = re.compile(r"^(Acknowledge|Snooze|Silence|Comment|Annotate|Dispute|Take|Resolve|Reassign|Hand over|Expire|End)\b")
MARKUP: Final = '<img src=x onerror="document.title=`broken`"><b>&amp;'
REFUSED: Final = (r"status of 40[134]",)
"""What a browser says by itself of an answer that a test provokes."""


async def test_a_viewer_sees_everything_and_no_button_that_it_may_not_press(stand: Stand, visit: Visit) -> None:
    watched = await visit(stand, "/", "viewer")
    await expect(watched.page.locator("tbody tr")).to_have_count(200)
    for path in ("/", "/partner/acme", "/oncall", "/report"):
        await watched.page.goto(f"{stand.url}{path}")
        await expect(watched.page.locator("header .connection")).to_have_text("Live")
        await expect(watched.page.locator("#view h1, #view h2").first).to_be_attached()
        assert await watched.page.get_by_role("button", name=ACTS).count() == 0, path


async def test_an_operator_has_them(stand: Stand, visit: Visit) -> None:
    page = (await visit(stand, "/", "operator")).page
    await expect(page.get_by_role("button", name=re.compile("^Acknowledge")).first).to_be_visible()


async def test_a_partner_sees_its_own_alone_in_every_answer_whatever_it_asks_for(stand: Stand, visit: Visit) -> None:
    watched = await visit(stand, None, "partner")
    watched.allow(*REFUSED)
    others = {partner.id for partner in stand.view.house.partners} - {"acme"}
    names = {partner.name for partner in stand.view.house.partners} - {"Acme Care"}
    bodies: list[tuple[str, str]] = []

    async def kept(route: Route) -> None:
        response = await route.fetch()
        bodies.append((response.url, await response.text()))
        await route.fulfill(response=response)

    # A stream has no end to wait for: its frames are held against roles in tests/behaviour, and what the page made of them here.
    await watched.page.route(re.compile(r"/api/v1/(?!stream)"), kept)
    for path in ("/", "/partner/acme", "/partner/boreal", "/oncall", "/report", "/wall", "/?window=1h"):
        await watched.page.goto(f"{stand.url}{path}")
        await expect(watched.page.locator("header .connection")).to_have_text("Live")
        shown = await watched.page.locator("body").inner_text()
        assert [name for name in names if name in shown] == [], path
    await watched.page.unroute_all(behavior="ignoreErrors")
    assert len(bodies) > 5
    for url, body in bodies:
        said = re.findall(r'"(?:partner|id)":"([^"]*)"', body)
        assert others.isdisjoint(said), url
        assert [name for name in names if name in body] == [], url


async def test_a_partner_comes_to_its_own_page(stand: Stand, visit: Visit) -> None:
    page = (await visit(stand, "/", "partner")).page
    await expect(page).to_have_url(f"{stand.url}/partner/acme")
    await expect(page.locator("h1")).to_contain_text("Acme Care")


async def test_whoever_is_nobody_logs_in_and_comes_to_where_they_wanted(stand: Stand, visit: Visit) -> None:
    watched = await visit(stand, "/?state=critical", None)
    watched.allow(*REFUSED)
    page = watched.page
    await expect(page).to_have_url(re.compile("/login"))
    await page.get_by_label("Token").fill("not a token")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("nobody")
    await page.get_by_label("Token").fill(TOKENS["operator"])
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(f"{stand.url}/?state=critical")
    await expect(page.locator("tbody tr").first).to_be_visible()
    # The session became another meanwhile, as where it is renewed: the page ends that one.
    anew = await page.context.request.post(f"{stand.url}/api/v1/session", data={"token": TOKENS["operator"]})
    assert anew.ok
    await page.get_by_role("button", name="theme and log out").click()
    await page.get_by_role("menuitem", name="Log out").click()
    await expect(page).to_have_url(re.compile("/login"))
    await page.goto(f"{stand.url}/")
    await expect(page).to_have_url(re.compile("/login"))


async def test_a_link_with_a_token_logs_in_by_a_click_and_leaves_no_token_behind(stand: Stand, visit: Visit) -> None:
    watched = await visit(stand, f"/login#token={TOKENS['viewer']}", None)
    await expect(watched.page.get_by_role("button", name="viewer, viewer")).to_be_visible()
    assert watched.page.url == f"{stand.url}/"
    assert not [path for path in watched.asked if TOKENS["viewer"] in path]


async def test_the_address_is_the_state_through_a_reload_and_back_and_forward(stand: Stand, visit: Visit) -> None:
    page = (await visit(stand, "/")).page
    rows = page.locator("tbody tr")
    await expect(rows).to_have_count(200)
    await page.get_by_role("searchbox").fill("acme")
    await expect(page).to_have_url(re.compile("q=acme"))
    few = len([partner for partner in stand.view.house.partners if "acme" in f"{partner.id} {partner.name}".lower()])
    await expect(rows).to_have_count(few)
    await page.reload()
    await expect(rows).to_have_count(few)
    await expect(page.get_by_role("searchbox")).to_have_value("acme")
    await page.locator("tbody tr a").first.click()
    await expect(page).to_have_url(re.compile("/partner/"))
    await page.go_back()
    await expect(rows).to_have_count(few)
    await page.go_forward()
    await expect(page).to_have_url(re.compile("/partner/"))


async def test_markup_in_the_name_of_a_partner_stays_text(stand: Stand, visit: Visit) -> None:
    watched = await visit(stand, "/?sort=partner", "operator")
    partner = stand.view.house.partners[4]
    topic, now = stand.settings.topics.policies, clock.now_ms()

    async def named(name: str) -> None:
        record = encode_policy(PartnerPart(id=partner.id, name=name), now).model_dump_json().encode()
        await stand.view.put([Record(topic, 0, policy_key(partner.id, CURRENT), record)])

    await named(MARKUP)
    try:
        await expect(watched.page.get_by_role("link", name=MARKUP).first).to_be_visible()
        for path in (f"/partner/{partner.id}", "/wall", "/report"):
            await watched.page.goto(f"{stand.url}{path}")
            await expect(watched.page.locator("header .connection, .wall").first).to_be_attached()
            assert await watched.page.locator("img").count() == 0
        assert "broken" not in await watched.page.title()
    finally:
        await named(partner.name)


async def test_every_answer_of_the_page_forbids_what_is_not_its_own(stand: Stand, visit: Visit) -> None:
    watched = await visit(stand, None, "viewer")
    answer = await watched.page.goto(f"{stand.url}/")
    assert answer is not None
    policy = (await answer.header_value("content-security-policy")) or ""
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert orjson.loads(await (await watched.page.request.get(f"{stand.url}/api/v1/session")).body())["role"] == "viewer"
