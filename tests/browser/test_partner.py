"""The page of one partner: its figures, what they were, why they are so, and what may be said of them."""

import asyncio
import re
from typing import Any, Final

import orjson
import pytest
import pytest_asyncio
from playwright.async_api import Page, Route, expect

from models import clock
from models.windows import MINUTE_MS
from streams.projector.projection import Record
from tests.browser.conftest import Visit
from tests.browser.seed import figures
from tests.browser.standing import Stand, imported
from tests.desks import fill
from tests.view_records import rollup, stretch
from tests.waiting import until

pytestmark = [pytest.mark.redis, pytest.mark.asyncio(loop_scope="session")]

PAST: Final = 100
GAP: Final = range(40, 60)
"""Minutes ago in which nothing was counted."""
PROVISIONAL: Final = 30


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def acme(stand: Stand) -> str:
    """The path of a partner of whom a hundred minutes are known, but for twenty in between."""
    at_ms = clock.now_ms() // MINUTE_MS * MINUTE_MS
    records = []
    for ago in (each for each in range(1, PAST + 1) if each not in GAP):
        body = rollup({"answered": 45, "answered_within": 40, "abandoned": 5}, partner="acme", at_ms=at_ms - ago * MINUTE_MS)
        body["final"] = ago > PROVISIONAL
        records.append(Record(stand.settings.topics.rollups_1m, 0, *stretch(body)))
    await fill(stand.view._client, stand.settings, records, at_ms)
    return "/partner/acme"


async def tell_acme(stand: Stand) -> None:
    """Figures of a moment later."""
    partner = next(each for each in stand.view.house.partners if each.id == "acme")
    told = figures(stand.view.house, partner, ["15m"], clock.now_ms())
    await stand.view.put([Record(stand.settings.topics.kpis, 0, *each) for each in told])


def point(from_: int, to: int, value: float | None, *, final: bool = True) -> dict[str, Any]:
    return {"from": from_, "to": to, "value": value, "ci_low": 0.1, "ci_high": 0.9, "final": final}


async def test_efficiency_stands_beside_quality_and_every_window_is_told(visit: Visit, stand: Stand, acme: str) -> None:
    page = (await visit(stand, acme)).page
    await expect(page.locator("h1")).to_have_text("Acme Care")
    sheets = page.locator(".sheets > section")
    await expect(sheets.locator("h2")).to_have_text(["Efficiency", "Quality"])
    level = sheets.first.get_by_role("row", name="Service level", exact=False).first
    await expect(level).to_contain_text(re.compile(r"Critical.*%.*≥\s80.0\s%.*\d+ / \d+"))
    windows = page.locator(".windows tbody tr")
    kept = {
        each["window"]
        for each in await page.evaluate("fetch('/api/v1/partners/acme/figures').then((a) => a.json()).then((a) => a.figures)")
    }
    await expect(windows).to_have_count(len(kept))
    await expect(windows.locator("button.figure").first).to_have_text(re.compile(r"[\d.]+\s%"))
    fired, now = page.locator(".driver-block").first, page.locator(".driver-block").last
    await expect(fired.locator("li").first).to_contain_text(re.compile(r"queue billing.*\u2212[\d.]+ points.*of what moved"))
    await expect(now).to_contain_text("under the target of")


async def test_no_line_crosses_a_time_in_which_nothing_was_counted_and_what_may_change_is_dashed(plain: Page) -> None:
    points = orjson.dumps([point(0, 10, 0.5), point(10, 20, 0.6), point(40, 50, 0.7), point(50, 60, 0.8, final=False), point(60, 70, None)])
    made = await imported(plain, "history", f"it.columns({points.decode()})")
    assert made["x"] == [5, 15, 30, 45, 55, 65]
    assert made["final"] == [0.5, 0.6, None, 0.7, None, None], "a gap, and no value is none"
    assert made["open"] == [None, None, None, 0.7, 0.8, None], "dashed from the last final point on"
    assert made["low"][2] is None
    assert made["at"] == [0, 1, -1, 2, 3, 4]
    assert await imported(plain, "history", "it.alone([1, null, 2, 3, null, 4])") == [0, 5]


async def test_points_are_as_wide_as_a_span_needs_and_as_is_kept_so_far_back(plain: Page) -> None:
    day, now = 86_400_000, 1_800_000_000_000

    async def step(said: dict[str, str], scope: str = "all") -> Any:
        return (await imported(plain, "history", f"it.asked({orjson.dumps(said).decode()}, '{scope}', {now})"))["step"]

    steps = [await step({"range": each}) for each in ("1h", "8h", "24h", "7d", "30d", "13mo", "nonsense")]
    assert steps == ["1m", "5m", "15m", "1h", "4h", "1d", "5m"]
    assert await step({"range": "1h"}, "queue=billing") == "1d", "parts are kept by the day"
    assert await step({"from": str(now - 3_600_000)}) == "1m"
    assert await step({"from": str(now - 3 * day), "to": str(now - 3 * day + 3_600_000)}) == "15m", "minutes are gone after two days"
    assert await step({"from": str(now - 100 * day), "to": str(now - 99 * day)}) == "1d"
    assert await step({"from": str(now), "to": str(now - 1)}) == "5m", "a span that is none is not asked for"


async def test_what_the_parts_do_adds_up_to_what_is_missed(plain: Page) -> None:

    def figure(numerator: int, denominator: int) -> dict[str, Any]:
        return {"value": numerator / denominator, "numerator": numerator, "denominator": denominator, "unit": "ratio"}

    scopes = [{"scope": f"queue={name}", "kpis": {"sl": figure(*each)}} for name, each in {"a": (10, 50), "b": (40, 50)}.items()]
    scopes.append({"scope": "channel=voice", "kpis": {"sl": figure(20, 50)}})
    asked = f"it.contributions({orjson.dumps(figure(50, 100)).decode()}, {orjson.dumps(scopes).decode()}, 'sl', 0.8)"
    first, second = await imported(plain, "contributions", asked)
    assert (first["dimension"], second["dimension"]) == ("queue", "channel"), "what covers the whole comes first"
    assert [each["scope"] for each in first["parts"]] == ["queue=a", "queue=b"]
    assert sum(each["effect"] for each in first["parts"]) == pytest.approx(0.5 - 0.8)
    percentile = orjson.dumps({"value": 12.5, "numerator": 95, "denominator": 100, "unit": "s"}).decode()
    assert await imported(plain, "contributions", f"it.contributions({percentile}, [], 'wait_p95', 10)") == []


async def test_a_figure_is_explained_with_what_it_was_made_of_and_the_address_says_so(visit: Visit, stand: Stand, acme: str) -> None:
    page = (await visit(stand, acme)).page
    await page.locator(".sheets button.figure").first.click()
    panel = page.get_by_role("dialog")
    await expect(panel.get_by_role("heading", level=2)).to_have_text("Service level: why this number")
    for said in (
        "Numerator",
        "Denominator",
        "Observations (n)",
        "Wilson",
        "Target",
        "under the critical bound",
        "Counted up to",
        "A_X / (A + B)",
    ):
        await expect(panel).to_contain_text(said)
    await expect(panel.locator(".command code")).to_have_text("outwatch explain acme service_level --window 15m")
    assert "explain=service_level%3A15m%3Aall" in page.url
    await panel.get_by_role("button", name="Copy").focus()
    counted = panel.get_by_text("Counted up to").locator("..")
    before = await counted.inner_text()
    await tell_acme(stand)
    await expect(counted).not_to_have_text(before, timeout=15_000)
    await expect(panel.get_by_role("button", name="Copy")).to_be_focused()
    await page.reload()
    await expect(panel).to_contain_text("why this number")
    await page.keyboard.press("Escape")
    await expect(panel).to_have_count(0)
    assert "explain" not in page.url
    await page.go_back()
    await expect(panel).to_contain_text("why this number")


async def test_nothing_is_said_of_a_figure_before_it_is_known_which_way_is_better(visit: Visit, stand: Stand, acme: str) -> None:
    page = (await visit(stand, None)).page
    told = asyncio.Event()

    async def late(route: Route) -> None:
        await told.wait()
        await route.continue_()

    await page.route("**/api/v1/catalogue", late)
    await page.goto(f"{stand.url}{acme}?explain=service_level")
    await expect(page.locator(".partner-page .empty")).to_contain_text("Reading")
    told.set()
    await expect(page.get_by_role("dialog")).to_contain_text("under the critical bound")


async def test_a_chart_is_read_and_a_span_of_it_chosen_by_keys_alone(visit: Visit, stand: Stand, acme: str) -> None:
    page = (await visit(stand, f"{acme}?range=1h")).page
    plot = page.locator(".plot")
    await expect(plot).to_have_attribute("aria-label", re.compile(r"Service level of Acme Care: \d+ points from 80.0\s% to 80.0\s%"))
    readout = page.locator(".readout")
    await expect(readout).to_contain_text(re.compile(r"80.0\s%.*40 / 50, n 50.*95\s%.*provisional"))
    await plot.focus()
    await page.keyboard.press("Home")
    await expect(readout).not_to_contain_text("provisional")
    first = await readout.inner_text()
    await page.keyboard.press("ArrowRight")
    await expect(readout).not_to_have_text(first)
    await page.keyboard.press("Shift+ArrowRight")
    await page.keyboard.press("Shift+ArrowRight")
    bar = page.locator(".span-bar")
    await expect(bar.get_by_role("button", name="Dispute")).to_be_visible()
    await bar.get_by_role("link", name="Zoom in").click()
    await expect(page).to_have_url(re.compile(r"from=\d+&to=\d+"))
    await page.locator(".points summary").click()
    await expect(page.locator(".points tbody tr")).to_have_count(3)


async def test_what_happened_is_marked_on_the_chart_and_said_when_it_is_looked_at(visit: Visit, stand: Stand, acme: str) -> None:
    page = (await visit(stand, acme)).page
    mark = page.locator(".marks button.critical")
    await expect(mark).to_have_count(1)
    await mark.focus()
    await expect(page.locator(".readout")).to_contain_text("Service level")
    assert "Service level" in (await mark.get_attribute("aria-label") or "")


async def test_a_part_is_looked_at_alone_and_the_way_back_is_there(visit: Visit, stand: Stand, acme: str) -> None:
    page = (await visit(stand, acme)).page
    await page.get_by_label("Filter parts by name").fill("bill")
    await expect(page.locator(".scopes tbody tr")).to_have_count(1)
    await page.locator(".scopes tbody a").click()
    await expect(page.locator(".head-part")).to_contain_text("Figures are of queue billing alone")
    await expect(page.locator(".course h2")).to_have_text("Service level, queue billing")
    assert "scope=queue%3Dbilling" in page.url
    await page.get_by_role("link", name="Back to the whole partner").click()
    await expect(page.locator(".head-part")).to_be_hidden()


async def test_points_of_another_figure_are_dimmed_until_its_own_are_there(visit: Visit, stand: Stand, acme: str) -> None:
    page = (await visit(stand, acme)).page
    come = asyncio.Event()

    async def late(route: Route) -> None:
        await come.wait()
        await route.continue_()

    await expect(page.locator(".readout strong")).not_to_be_empty()
    await page.route("**/api/v1/kpis/acme/asa?*", late)
    await page.locator("a.pick", has_text="Average speed of answer").click()
    await tell_acme(stand)
    try:
        await expect(page.locator(".course.is-reading")).to_contain_text("The past of it is being read")
        await expect(page.locator(".readout strong")).to_be_empty()
    finally:
        come.set()
    await expect(page.locator(".course.is-reading")).to_have_count(0)
    await expect(page.locator(".readout strong")).not_to_be_empty()


async def test_a_partner_that_is_no_more_is_not_shown_as_it_was(visit: Visit, stand: Stand) -> None:
    page = (await visit(stand, "/oncall")).page
    stood = """new Promise((resolve) => {
        const answers = [{ window: "15m", scopes: [], partner: { name: "Acme" } }, { scope: "all", figures: [] }];
        const gone = Object.assign(new Error("none"), { status: 404 });
        const get = async () => answers.shift() ?? Promise.reject(gone);
        const app = { api: { get }, url: { current: () => ({ path: "", params: {} }) }, store: { partners: new Map(), window: "15m" } };
        const study = new it.Study(app, "acme");
        const rows = [];
        study.addEventListener("change", () => {
            rows.push(study.row);
            if (rows.length === 1) return study.load();
            study.close();
            resolve([rows, study.problem.status]);
        });
    })"""
    assert await imported(page, "study", stood) == [[{"name": "Acme"}, None], 404]


async def test_the_arrows_scroll_a_list_that_has_the_focus(visit: Visit, stand: Stand, acme: str) -> None:
    page = (await visit(stand, acme)).page
    happened = page.locator(".happened")
    await expect(happened.locator("li").first).to_be_visible()
    await happened.evaluate("node => { node.style.maxHeight = '40px'; node.style.overflowY = 'auto'; }")
    await happened.focus()
    await page.keyboard.press("ArrowDown")

    async def scrolled() -> bool:
        return bool(await happened.evaluate("node => node.scrollTop") > 0)

    await until(scrolled, 10)
    await expect(happened).to_be_focused()


async def test_the_timeline_is_narrowed_to_a_kind(visit: Visit, stand: Stand, acme: str) -> None:
    page = (await visit(stand, acme)).page
    lines = page.locator(".happened li")
    await expect(lines.filter(has_text="Incident opened")).to_have_count(1)
    await page.get_by_role("button", name="Notes and disputes").click()
    await expect(lines.filter(has_text="Incident opened")).to_have_count(0)
    await expect(lines.filter(has_text="Dispute")).to_have_count(1)


async def test_a_partner_looks_at_itself_and_is_told_of_no_other(visit: Visit, stand: Stand, acme: str) -> None:
    seen = await visit(stand, "/partner/boreal", "partner")
    seen.allow("status of 404")
    await expect(seen.page.locator(".empty")).to_contain_text("There is no partner boreal")
    await seen.page.goto(f"{stand.url}{acme}")
    await expect(seen.page.locator("h1")).to_have_text("Acme Care")
    await expect(seen.page.get_by_role("button", name="Dispute a figure")).to_be_visible()
    await expect(seen.page.get_by_role("button", name="Annotate")).to_have_count(0)


async def test_a_command_line_means_what_it_says_whatever_a_name_is(plain: Page) -> None:
    line = await imported(plain, "reasons", "it.command({partner: `o'x; rm`, kpi: 'asa', window: '1h', scope: 'queue=a b'})")
    assert line == "outwatch explain 'o'\\''x; rm' asa --window 1h --scope 'queue=a b'"


JUDGED: Final[list[tuple[dict[str, Any], bool, str]]] = [
    ({"status": "ok", "value": 0.9}, False, "90.0 % meets the target of 80.0 %."),
    ({"status": "warning", "value": 0.7}, False, "70.0 % is under the target of 80.0 %."),
    ({"status": "critical", "value": 0.5}, False, "50.0 % is under the critical bound of 65.0 %."),
    ({"status": "ok", "value": 0.9}, True, "Nobody counts it at the moment, so nobody knows how it stands now."),
    ({"status": "insufficient", "value": 0.9, "n": 3}, False, "3 were observed, and the policy judges from 20 on."),
    ({"status": "insufficient", "n": None}, False, "Fewer than 5 employees answered, so that nothing is told of it."),
    ({"status": "insufficient", "n": 90}, False, "It is known some time after what it is of: a value will come."),
    ({"status": "no_target", "value": 0.9}, False, "The policy has no target to hold it against."),
]


async def test_why_a_figure_is_judged_so_is_said_in_a_sentence(plain: Page) -> None:
    for said, stale, expected in JUDGED:
        figure = {"value": None, "unit": "ratio", "n": 100, "target": 0.8, "critical": 0.65, "holds_from": None, **said}
        about = orjson.dumps({"stale": stale, "minSamples": 20}).decode()
        found = await imported(plain, "reasons", f"it.verdict({orjson.dumps(figure).decode()}, {about})")
        assert found.replace("\u202f", " ") == expected


async def test_an_interval_has_its_unit_once_and_one_that_is_not_known_is_a_dash(plain: Page) -> None:
    ends = [("ratio", 0.621, 0.873), ("s", 61, 82.4), ("s", 277, 302), ("points", -12, 8.5), ("ratio", None, None), ("s", 90, None)]
    said = []
    for unit, low, high in ends:
        figure = orjson.dumps({"unit": unit, "ci_low": low, "ci_high": high}).decode()
        said.append((await imported(plain, "cells", f"it.interval({figure})")).replace("\u202f", " "))
    assert said == ["62.1–87.3 %", "61.0–82.4 s", "4:37–5:02 min", "-12.0–8.5", "–", "from 90 s"]
