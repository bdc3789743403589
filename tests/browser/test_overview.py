"""The overview: who stands how and why, what is asked for by the address, and what is said where there is nothing."""

import re
from typing import Any, Final

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from playwright.async_api import Page, expect

from tests.browser.conftest import Visit
from tests.browser.house import Doing
from tests.browser.standing import Stand, imported
from tests.desks import TOKENS

pytestmark = [pytest.mark.redis, pytest.mark.asyncio(loop_scope="session")]

FIGURE: Final = {
    "value": 0.9,
    "unit": "ratio",
    "numerator": 90,
    "denominator": 100,
    "n": 100,
    "ci_low": 0.82,
    "ci_high": 0.94,
    "status": "ok",
    "target": 0.8,
    "critical": 0.65,
    "definition": "20 s",
}
FIRING: Final = {"state": "firing", "severity": "critical", "explanation": "why", "evidence": {"kpi": "asa"}, "order": 7, "fired_at": 5}


def js(value: Any) -> str:
    return orjson.dumps(value).decode()


def partner(state: str = "ok", **statuses: str) -> dict[str, Any]:
    kpis = {kpi: FIGURE | {"status": status} for kpi, status in statuses.items()}
    return {"partner": "acme", "name": "Acme", "state": state, "kpis": kpis}


async def names(page: Page) -> list[str]:
    found: list[str] = await page.locator("tbody tr a[data-row]").all_text_contents()
    return found


async def test_counts_filter_and_the_address_says_so_through_reload_and_back(stand: Stand, visit: Visit) -> None:
    page = (await visit(stand, "/")).page
    await expect(page.locator("tbody tr")).to_have_count(200)
    waiting = page.get_by_role("button", name=re.compile("stale or silent"))
    many = int(await waiting.locator(".count-number").inner_text())
    await waiting.click()
    await expect(page.locator("tbody tr")).to_have_count(many)
    await expect(page).to_have_url(f"{stand.url}/?state=stale")
    await page.reload()
    await expect(page.locator("tbody tr")).to_have_count(many)
    await expect(waiting).to_have_attribute("aria-pressed", "true")
    await page.go_back()
    await expect(page.locator("tbody tr")).to_have_count(200)


async def test_the_worst_stands_first_and_a_column_sorts_worst_first_then_the_other_way(stand: Stand, visit: Visit) -> None:
    page = (await visit(stand, "/")).page
    await expect(page.locator("tbody tr")).to_have_count(200)
    words = await page.locator("tbody .c-state").all_text_contents()
    order = ["Critical", "Silent feed", "Warning", "Recovering", "Stale", "No data", "Insufficient", "No target", "Not applicable", "OK"]
    assert words == sorted(words, key=order.index)
    head = page.get_by_role("columnheader", name=re.compile("Service level"))
    for way, factor in (("descending", 1), ("ascending", -1)):
        await head.get_by_role("button").click()
        await expect(head).to_have_attribute("aria-sort", way)
        shown = await page.locator("tbody .c-service_level .figure").all_text_contents()
        values = [float(each.removesuffix("%").strip()) for each in shown if each != "\u2013"]
        assert shown[len(values) :] == ["\u2013"] * (len(shown) - len(values)), "what has no value stands last either way"
        assert values == sorted(values, key=lambda value: factor * value)
    await head.get_by_role("button").click()
    await expect(page).to_have_url(f"{stand.url}/")


async def test_a_search_narrows_by_words_and_one_that_finds_nothing_says_so(stand: Stand, visit: Visit) -> None:
    page = (await visit(stand, "/")).page
    await expect(page.locator("tbody tr")).to_have_count(200)
    await page.keyboard.press("/")
    await page.keyboard.type("care ACME")
    await expect(page.locator("tbody tr")).to_have_count(
        len([each for each in stand.view.house.partners if each.name.startswith("Acme Care")])
    )
    await page.keyboard.type("x")
    await expect(page.get_by_text("Nothing matches.")).to_be_visible()
    await page.get_by_role("button", name="Show all partners").click()
    await expect(page.locator("tbody tr")).to_have_count(200)


async def test_my_partners_and_filters_are_kept_by_the_browser(stand: Stand, visit: Visit) -> None:
    page = (await visit(stand, "/?view=table&q=acme")).page
    await expect(page.locator("tbody tr").first).to_be_visible()
    mine = await names(page)
    await page.locator("tbody tr").first.hover()
    await page.get_by_role("button", name=f"{mine[0]} is one of my partners").click()
    await page.get_by_text("Filters").click()
    await page.get_by_label("Keep what is shown as").fill("The first")
    await page.get_by_role("button", name="Keep", exact=True).click()
    await page.goto(f"{stand.url}/")
    await page.get_by_role("button", name="My partners", exact=True).click()
    await expect(page.locator("tbody tr a[data-row]")).to_have_text([mine[0]])
    await page.get_by_text("Filters").click()
    await page.get_by_role("link", name="The first").click()
    await expect(page).to_have_url(f"{stand.url}/?q=acme&view=table")
    await expect(page.locator("tbody tr")).to_have_count(len(mine))


async def test_rows_are_gone_through_by_keys_and_opened_in_the_window_that_is_looked_at(stand: Stand, visit: Visit) -> None:
    page = (await visit(stand, "/?window=1h")).page
    await expect(page.locator("tbody tr")).to_have_count(200)
    links = page.locator("tbody tr a[data-row]")
    await links.first.focus()
    await page.keyboard.press("j")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("k")
    await expect(links.nth(1)).to_be_focused()
    path = await links.nth(1).get_attribute("href")
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(f"{stand.url}{path}?window=1h")


async def test_nothing_is_said_of_the_oldest_where_nobody_waits_and_quality_that_does_not_keep_up_is_marked(
    stand: Stand, visit: Visit
) -> None:
    page = (await visit(stand, "/?view=table")).page
    await expect(page.locator("tbody tr")).to_have_count(200)
    rows = await page.locator("tbody tr").evaluate_all(
        "rows => rows.map(row => ['.c-waiting', '.c-oldest', '.c-balance'].map(css => row.querySelector(css)?.textContent ?? ''))"
    )
    assert [oldest for waiting, oldest, _ in rows if waiting == "0"] == ["\u2013"] * len([1 for row in rows if row[0] == "0"])
    assert any(waiting == "0" for waiting, *_ in rows)
    hasty = next(each for each in stand.view.house.partners if each.doing is Doing.HASTY)
    await expect(page.locator(f"tbody [data-partner='{hasty.id}'] .c-balance")).to_have_text("Behind")


@pytest.mark.parametrize(
    ("row", "alerts", "state"),
    [
        (partner(service_level="ok", asa="no_target"), [], "ok"),
        (partner(service_level="ok", asa="warning"), [], "warning"),
        (partner(service_level="ok"), [FIRING], "critical"),
        (partner(service_level="ok"), [FIRING | {"state": "recovering"}], "recovering"),
        (partner(service_level="ok"), [FIRING | {"state": "pending"}], "ok"),
        (partner("stale", service_level="critical"), [FIRING], "stale"),
        (partner(service_level="ok"), [FIRING | {"evidence": {"kpi": "feed_silence"}}], "silent_feed"),
        (partner(service_level="insufficient", asa="no_target"), [], "insufficient"),
        (partner(service_level="no_target", asa="not_applicable"), [], "no_target"),
        ({**partner(), "kpis": {"csat": FIGURE | {"status": "insufficient", "target": None}}}, [], "no_target"),
        (partner(service_level="not_applicable"), [], "not_applicable"),
        (partner(), [], "no_data"),
        (partner("no_data"), [], "no_data"),
    ],
)
async def test_how_a_partner_stands_is_the_worst_of_its_alerts_and_figures_and_ok_only_if_a_figure_says_so(
    plain: Page, row: dict[str, Any], alerts: list[dict[str, Any]], state: str
) -> None:
    found = await imported(plain, "states", f"it.standing({js(row)}, {js(alerts)}, (kpi) => kpi)")
    assert found["state"] == state
    assert found["why"]


async def test_of_a_partner_with_a_target_that_too_little_says_anything_of_it_is_not_said_that_all_are_met(plain: Page) -> None:
    found = await imported(plain, "states", f"it.standing({js(partner(service_level='ok', csat='insufficient'))}, [], (kpi) => kpi)")
    assert found == {"state": "ok", "why": "every figure that can be judged meets its target, and no alert fires"}


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("it.quantity(0.8166, 'ratio')", "81.7\u202f%"),
        ("it.quantity(null, 'ratio')", "\u2013"),
        ("it.quantity(-0.05, 'change')", "-5.0\u202f%"),
        ("it.quantity(3.5, 'EUR')", "3.5\u202fEUR"),
        ("it.duration(0)", "0\u202fs"),
        ("it.duration(219)", "3\u202fmin 39\u202fs"),
        ("it.duration(7500)", "2\u202fh 5\u202fmin"),
        ("it.duration(273600)", "3\u202fd 4\u202fh"),
        ("it.age(null)", "\u2013"),
        ("it.age(119999)", "119\u202fs"),
        ("it.age(5400000)", "90\u202fmin"),
        ("it.zone()", "Europe/Lisbon"),
        ("it.figure({...FIGURE, value: 0.7997, status: 'warning'}).text", "79.97\u202f%"),
        ("it.figure({...FIGURE, value: null, n: 0, status: 'not_applicable'}).text", "\u2013"),
        ("it.figure({...FIGURE, value: null, n: 0, status: 'not_applicable'}).why", "nothing was counted in this window"),
        ("it.figure({...FIGURE, value: null, unit: 's'}, 'longest_wait').why", "nobody waits"),
        ("it.figure(undefined).why", "no data in this window"),
        ("it.told(FIGURE, 'service_level', 'Service level').split('\\n')[2]", "n 100 (90 of 100)"),
        ("it.told({...FIGURE, value: null, unit: 's'}, 'longest_wait', 'Oldest').split('\\n')[0]", "Oldest: nobody waits"),
    ],
)
async def test_figures_and_times_are_written_as_a_person_reads_them(plain: Page, call: str, said: str) -> None:
    assert await imported(plain, "format", call.replace("FIGURE", js(FIGURE))) == said


async def test_rows_are_put_in_order_with_as_few_moves_as_can_be_and_the_focus_stays(plain: Page) -> None:
    moved = await plain.evaluate(
        """async () => {
            const { h, keyed } = await import("/page/dom.js");
            const { rising } = await import("/page/rising.js");
            const list = document.createElement("div");
            document.body.append(list);
            const show = (ids) => keyed(list, ids, String, (id) => h("button", { id: `row-${id}` }));
            const watch = new MutationObserver(() => {});
            watch.observe(list, { childList: true });
            const wrong = [];
            let ids = [...Array(30).keys()];
            show(ids);
            for (let round = 0; round < 60; round += 1) {
                const focused = ids[(round * 7) % ids.length];
                document.getElementById(`row-${focused}`).focus();
                const places = new Map(ids.map((id, place) => [id, place]));
                const next = [...ids].sort((a, b) => ((a * 37 + round * 11) % 17) - ((b * 37 + round * 11) % 17) || a - b);
                if (round % 3 === 0) [next[0], next[29]] = [next[29], next[0]];
                watch.takeRecords();
                show(next);
                const moves = watch.takeRecords().reduce((sum, each) => sum + each.addedNodes.length, 0);
                const least = ids.length - rising(next.map((id) => places.get(id))).length;
                const stands = [...list.children].map((node) => Number(node.id.slice(4)));
                if (String(stands) !== String(next) || moves !== least) wrong.push([round, moves, least]);
                if (document.activeElement?.id !== `row-${focused}`) wrong.push([round, "focus"]);
                ids = next;
            }
            list.remove();
            return wrong;
        }"""
    )
    assert moved == []


async def test_a_partner_that_is_called_otherwise_is_so_everywhere_in_its_row(plain: Page) -> None:
    said = await plain.evaluate(
        """async (row) => {
            const { Table } = await import("/page/table.js");
            const table = new Table(document.createElement("div"), {});
            const columns = [{ id: "state", head: "" }, { id: "partner", head: "" }];
            const how = { columns, mine: new Set(), lines: {}, gone: new Set() };
            const show = (name) => table.update([{ id: "acme", name, row, state: "ok", balance: null }], how);
            show("Acme");
            show("Acme Care");
            return [table.body.querySelector("a").textContent, table.body.querySelector(".star").getAttribute("aria-label")];
        }""",
        partner(service_level="ok"),
    )
    assert said == ["Acme Care", "Acme Care is one of my partners"]


async def test_data_is_as_old_as_the_longer_of_two_clocks_says_since_one_may_sleep(plain: Page) -> None:
    ages = await plain.evaluate(
        """async () => {
            const { Store } = await import("/page/store.js");
            const store = new Store();
            const [performanceNow, dateNow] = [performance.now, Date.now];
            const [began, today] = [performance.now(), Date.now()];
            try {
                performance.now = () => began;
                Date.now = () => today;
                store.now({ at: 5000, as_of: 4000 });
                Date.now = () => today + 60000;
                const asleep = store.age();
                Date.now = () => today - 60000;
                performance.now = () => began + 3000;
                return [asleep, store.age()];
            } finally {
                [performance.now, Date.now] = [performanceNow, dateNow];
            }
        }"""
    )
    assert ages == [61_000, 4_000]


async def test_what_one_window_keeps_is_not_lost_by_another(stand: Stand, visit: Visit) -> None:
    page = (await visit(stand, "/?view=table&q=acme")).page
    other = await page.context.new_page()
    await other.goto(page.url)
    stars = [each.locator("tbody .star") for each in (page, other)]
    await expect(stars[1].nth(1)).to_be_attached()
    await page.locator("tbody tr").first.hover()
    await stars[0].first.click()
    await expect(stars[1].first).to_have_attribute("aria-pressed", "true")
    await other.locator("tbody tr").nth(1).hover()
    await stars[1].nth(1).click()
    for each in stars:
        await expect(each.first).to_have_attribute("aria-pressed", "true")
        await expect(each.nth(1)).to_have_attribute("aria-pressed", "true")


IDS: Final = st.lists(st.integers(0, 12).map(str), unique=True, max_size=8)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(shown=IDS, wanted=IDS)
async def test_rows_that_are_held_stay_and_new_ones_come_behind_them(plain: Page, shown: list[str], wanted: list[str]) -> None:
    found = await imported(plain, "arrange", f"it.held({js(shown)}, {js(wanted)})")
    assert found["ids"] == [*shown, *(each for each in wanted if each not in shown)]
    assert (found["moved"] == 0) == (found["ids"] == wanted)


OVERVIEW: Final = """async (frame) => {
    const { Store } = await import("/page/store.js");
    const { mount } = await import("/page/overview.js");
    const { Prefs } = await import("/page/prefs.js");
    const { Url } = await import("/page/url.js");
    const root = document.body.appendChild(document.createElement("div"));
    const api = { get: async () => ({ partners: {} }) };
    const keys = { on: () => () => {} };
    const app = { store: new Store(), stream: frame.stream ?? { state: "live" }, api, url: new Url(), session: { role: "viewer" },
      prefs: new Prefs(), keys, now: () => 0, say: () => {} };
    if (frame.snapshot) app.store.snapshot(frame.snapshot);
    const view = mount(root, app);
    view.update({});
    const said = root.innerText;
    const tiles = root.querySelectorAll(".tile").length;
    view.unmount();
    root.remove();
    return { said, tiles };
}"""
EMPTY: Final = {"at": 1_000, "as_of": 1_000, "window": "15m"}
HEALTH: Final = {"as_of": 1, "worker": "w", "lag_records": 0, "unreadable": 0, "rebuilds": 1}


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        ({"stream": {"state": "connecting"}}, "Connecting"),
        ({"stream": {"state": "lost"}}, "The desk does not answer."),
        ({"stream": {"state": "refused", "error": {"reason": "no_view"}}}, "Redis does not answer."),
        ({"snapshot": EMPTY}, "Nothing keeps the view."),
        ({"snapshot": {**EMPTY, "projector": [HEALTH]}}, "There is no partner yet."),
    ],
)
async def test_where_there_is_nothing_it_is_said_why_and_what_to_do(plain: Page, frame: dict[str, Any], said: str) -> None:
    found = await plain.evaluate(OVERVIEW, frame)
    assert said in found["said"]


async def test_few_partners_are_tiles_and_history_that_is_missing_is_said(plain: Page) -> None:
    few = {**EMPTY, "partners": [partner(service_level="ok")], "projector": [{**HEALTH, "history_left": 30, "history_begun_with": 120}]}
    found = await plain.evaluate(OVERVIEW, {"snapshot": few})
    assert found["tiles"] == 1
    assert "being filled again: 75\u202f%" in found["said"]


async def test_a_partner_is_taken_to_its_own_page_from_wherever_it_looks_for_others(stand: Stand, visit: Visit) -> None:
    page = (await visit(stand, "/?window=1h", "partner")).page
    await expect(page).to_have_url(f"{stand.url}/partner/acme?window=1h")
    await page.get_by_role("link", name="outwatch").click()
    await expect(page).to_have_url(f"{stand.url}/partner/acme?window=1h")
    await expect(page.get_by_role("link", name="Overview")).to_have_count(0)


async def test_a_wrong_token_is_told_so_and_a_right_one_leads_to_where_one_was_going(stand: Stand, visit: Visit) -> None:
    watched = await visit(stand, "/oncall", role=None)
    watched.allow("status of 401")
    page = watched.page
    await expect(page).to_have_url(f"{stand.url}/login?next=%2Foncall")
    await page.get_by_label("Token").fill("guess")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("nobody")
    await page.get_by_label("Token").fill(TOKENS["viewer"])
    await page.get_by_role("button", name="Log in").click()
    await expect(page).to_have_url(f"{stand.url}/oncall")
    await page.goto(f"{stand.url}/login#token={TOKENS['admin']}")
    await expect(page).to_have_url(f"{stand.url}/")
    await expect(page.get_by_role("button", name=re.compile("^viewer"))).to_be_visible()


@pytest.mark.parametrize("following", ["//elsewhere.example/", "/\\elsewhere.example", "//["])
async def test_a_link_logs_in_and_leads_nowhere_but_to_this_page(stand: Stand, visit: Visit, following: str) -> None:
    page = (await visit(stand, f"/login?next={following}#token={TOKENS['viewer']}", role=None)).page
    await expect(page).to_have_url(f"{stand.url}/")
