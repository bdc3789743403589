"""Asking for something on the page, as far as a real Kafka: it is sent, then what came of it is shown, by the pointer or by keys alone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import pytest_asyncio
from aiokafka import ConsumerRecord
from playwright.async_api import expect

from models.operation import Command
from models.topics import partition_of
from streams.admin import create
from tests.browser.conftest import Visit
from tests.browser.seed import PARTITIONS
from tests.browser.standing import Stand, standing
from tests.workers import following

pytestmark = [pytest.mark.kafka, pytest.mark.redis, pytest.mark.asyncio(loop_scope="session")]


@asynccontextmanager
async def answering(stand: Stand) -> AsyncIterator[list[ConsumerRecord]]:
    """Answers each command that comes by Kafka as a worker would, in the view."""

    async def answer() -> None:
        answered = 0
        while True:
            for record in commands[answered:]:
                await stand.view.answer(Command.model_validate_json(record.value or b""))
                answered += 1
            await asyncio.sleep(0.05)

    async with following(stand.settings, stand.settings.topics.commands) as commands:
        task = asyncio.create_task(answer())
        try:
            yield commands
        finally:
            task.cancel()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def desk(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Stand, list[ConsumerRecord]]]:
    """A small house, and what was asked for so far."""
    async with standing(tmp_path_factory.mktemp("commands"), 20, brokers=kafka, topic_prefix="browser.", replication=1) as stand:
        assert (await create(stand.settings)).findings == []
        async with answering(stand) as commands:
            yield stand, commands


async def test_an_alert_is_acknowledged_by_a_click_and_then_says_by_whom(desk: tuple[Stand, list[ConsumerRecord]], visit: Visit) -> None:
    stand, commands = desk
    page = (await visit(stand, "/partner/acme")).page
    await page.get_by_role("button", name="Acknowledge Acme Care").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Comment").fill("On it")
    await dialog.get_by_role("button", name="Acknowledge").click()
    await expect(dialog).to_contain_text("Done")
    await expect(dialog).to_be_hidden()
    (record,) = [each for each in commands if (each.key or b"") == b"acme"]
    command = Command.model_validate_json(record.value or b"")
    assert record.partition == partition_of("acme", PARTITIONS)
    assert (command.actor, command.payload["comment"]) == ("operator", "On it")
    await expect(page.get_by_text("operator").nth(1)).to_be_visible()


async def test_a_warning_is_acknowledged_by_keys_alone(desk: tuple[Stand, list[ConsumerRecord]], visit: Visit) -> None:
    stand, commands = desk
    before = len(commands)
    page = (await visit(stand, "/?view=table&sort=partner&q=delta")).page
    await expect(page.locator("tbody [data-partner=delta]")).to_be_visible()
    await page.keyboard.press("j")
    await expect(page.locator("tbody [data-partner=delta] a")).to_be_focused()
    await page.keyboard.press("a")
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_be_visible()
    await expect(page.locator("dialog :focus")).to_have_count(1)
    for _ in range(12):
        if await page.evaluate("document.activeElement.matches('dialog button[type=submit]')"):
            break
        await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(dialog).to_contain_text("Done")
    await expect(dialog).to_be_hidden()
    assert [each.key for each in commands[before:]] == [b"delta"]
    await expect(page.locator("tbody [data-partner=delta] a")).to_be_focused()


async def test_a_dialog_keeps_the_focus_and_gives_it_back_at_escape(desk: tuple[Stand, list[ConsumerRecord]], visit: Visit) -> None:
    stand, commands = desk
    before = len(commands)
    page = (await visit(stand)).page
    button = page.get_by_role("button", name="Acknowledge").first
    await button.focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog")).to_be_visible()
    for _ in range(20):
        await page.keyboard.press("Tab")
        # Past the last the browser's own bar comes, where the document has no focus.
        assert await page.evaluate("document.activeElement === document.body || document.activeElement.closest('dialog') !== null")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(button).to_be_focused()
    assert len(commands) == before
