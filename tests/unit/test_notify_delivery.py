"""What becomes of a page on its way: digests, a second sending, a partition that goes, and a bug of ours."""

import asyncio

import pytest

from models.notifications import Outcome
from streams.notifier.delivery import LeavingError
from streams.notifier.digests import GATHER_MS, PAGES_MAX
from streams.notifier.results import result_of
from tests.notifiers import page, uuid
from tests.property.test_notify_schedules import METRICS, Process, World

PERSON = {"kind": "person", "id": "ana", "person": "ana"}


def write(world: World, count: int) -> None:
    for number in range(count):
        world.log.append(page("https://pages.example", number, number, target=PERSON, processed_at=world.now_ms))


async def begun(count: int) -> Process:
    world = World()
    write(world, count)
    process = Process(world, 0)
    for _ in range(count):
        process.read()
    await process.go_on()
    return process


async def answer_all(process: Process, kind: str = "sent") -> None:
    while process.asked:
        process.answer(0, kind, taken=kind == "sent")
        await process.go_on()


def outcomes(process: Process) -> list[str]:
    return sorted(outcome for _, outcome in process.world.results.values())


async def test_the_sixth_page_of_a_person_waits_for_a_digest_which_is_told_with_the_count() -> None:
    process = await begun(PAGES_MAX + 2)
    await answer_all(process)
    assert outcomes(process) == ["sent"] * PAGES_MAX
    assert process.lanes.progress()[0].offset == PAGES_MAX, "the others are not done with"
    process.world.now_ms += GATHER_MS
    (digest,) = process.delivery.digests.take(process.world.now_ms)
    telling = asyncio.ensure_future(process.delivery.tell(digest))
    await process.go_on()
    await answer_all(process)
    await telling
    assert outcomes(process) == ["digested"] * 2 + ["sent"] * PAGES_MAX
    assert process.lanes.progress()[0].offset == PAGES_MAX + 2
    assert process.world.marks.keys() == {uuid(number, 1) for number in range(PAGES_MAX + 2)}


@pytest.mark.parametrize(("kind", "expected"), [("again", []), ("rejected", ["rejected"] * 2)])
async def test_a_digest_that_is_not_taken_is_tried_again_or_each_of_its_lines_is_refused(kind: str, expected: list[str]) -> None:
    process = await begun(PAGES_MAX + 2)
    await answer_all(process)
    process.world.now_ms += GATHER_MS
    (digest,) = process.delivery.digests.take(process.world.now_ms)
    telling = asyncio.ensure_future(process.delivery.tell(digest))
    await process.go_on()
    await answer_all(process, kind)
    await telling
    assert outcomes(process) == expected + ["sent"] * PAGES_MAX
    assert len(process.delivery.digests.waiting()) == (0 if expected else 2)
    assert process.delivery.digests.next_due_ms() == (None if expected else process.world.now_ms + GATHER_MS)


async def test_a_page_whose_partition_goes_is_left_to_the_next_notifier_between_two_tries() -> None:
    process = await begun(1)
    (intent,) = (each for each in process.lanes.take(process.world.now_ms + 1) or [*process.lanes._in_flight])
    process.lanes.hold([0])
    with pytest.raises(LeavingError):
        await process.delivery._go_on(intent)


async def test_where_too_much_is_unfinished_the_oldest_line_of_a_digest_gives_way_and_is_counted() -> None:
    process = await begun(PAGES_MAX + 3)
    await answer_all(process)
    assert len(process.lanes) == 3
    for intent, age_ms in zip(process.delivery.digests.waiting(), (0, 2_000, 1_000), strict=True):
        intent.notification = intent.notification.model_copy(update={"processed_at": process.world.now_ms - age_ms})
    before = METRICS.catalogue.text()
    await process.delivery.make_room(2)
    assert outcomes(process) == ["expired"] * 2 + ["sent"] * PAGES_MAX
    assert [each.place for each in process.delivery.digests.waiting()] == [(0, PAGES_MAX)]
    assert (len(process.lanes), process.lanes.progress()[0].offset) == (1, PAGES_MAX)
    assert METRICS.catalogue.text() != before
    await process.delivery.make_room(2)
    await process.delivery.make_room(2)
    assert (len(process.lanes), process.delivery.digests.next_due_ms()) == (0, None)


async def test_what_fails_gives_way_before_what_waits_for_a_digest() -> None:
    process = await begun(PAGES_MAX + 2)
    for kind in ("again", "sent"):
        process.answer(0, kind, taken=kind == "sent")
        await process.go_on()
    await process.delivery.make_room(5)
    assert outcomes(process) == ["expired", "sent"]
    assert len(process.delivery.digests.waiting()) == 2
    process.world.now_ms += 600_000
    await process.go_on()
    assert len(process.asked) == PAGES_MAX - 2, "what was given up is not tried again"


def test_a_result_says_of_which_receiver_it_is_unless_that_took_the_page() -> None:
    said = [
        result_of(page("https://pages.example", 1, 1), each, "x" * 490, None, 0).payload["detail"]
        for each in (Outcome.SENT, Outcome.REJECTED)
    ]
    assert said[0] == "x" * 490
    assert said[1].startswith("webhook hook: xxx")
    assert len(said[1]) <= 500
