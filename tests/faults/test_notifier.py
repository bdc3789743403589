"""Notifiers killed at any moment, shared out anew, without Redis and without a broker: no page is lost, none follows its end."""

import asyncio
import signal
from collections import Counter
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from random import Random

import pytest

from models.notifications import Notification
from models.settings import Settings
from streams.admin import create
from streams.local.kafka import LocalKafka
from streams.local.redis import LocalRedis
from streams.local.service import free_port
from tests.notifiers import page, results, settings_for, state, write
from tests.pagers import Got, Pager, serving
from tests.waiting import until
from tests.workers import Worker, metrics

pytestmark = [pytest.mark.kafka, pytest.mark.redis, pytest.mark.slow]

NOTIFY = ("-m", "streams.cli", "notify")
PARTNERS = tuple(f"partner{number}" for number in range(5))
TROUBLES = (500, 503, "close", "accept_then_close", (429, 1))


async def installed(kafka: str, redis_url: str, app_id: str, folder: Path) -> Settings:
    settings = settings_for(kafka, redis_url, app_id, folder)
    await create(settings)
    return settings


class Story:
    """Incidents that open, get worse and end, for a pager and a webhook each."""

    def __init__(self, settings: Settings, pager: Pager, random: Random) -> None:
        self.settings, self.pager, self.random = settings, pager, random
        self.pages: list[Notification] = []
        self._epochs: Counter[int] = Counter()
        self._over: set[int] = set()

    async def go_on(self, incident: int, *, end: bool) -> None:
        if incident in self._over:
            return
        self._epochs[incident] += 1
        over = {"kind": "resolve", "reason": "resolved"} if end else {}
        told: list[Notification] = []
        for kind in ("pagerduty", "webhook"):
            number = len(self.pages) + len(told)
            where = {"partner": PARTNERS[incident % len(PARTNERS)], "epoch": self._epochs[incident]}
            told.append(page(self.pager.url, incident, number, kind, **where, **over))
        if end:
            self._over.add(incident)
        await write(self.settings, state(told[0], ended_at=told[0].processed_at if end else None), *told)
        self.pages += told

    async def play(self, count: int, pause_seconds: float) -> None:
        begun = len(self._epochs)
        incidents = range(begun, begun + count)
        for incident in incidents:
            await self.go_on(incident, end=False)
            if self.random.random() < 0.5:
                await self.go_on(self.random.randrange(begun, incident + 1), end=self.random.random() < 0.7)
            await asyncio.sleep(self.random.uniform(0, 2 * pause_seconds))
        for incident in incidents:
            await self.go_on(incident, end=True)

    def trouble(self, count: int) -> None:
        """Receivers answer as troubled ones do, at random."""
        for path in ("/pagerduty", "/hook"):
            steps = [202] * 4 * count + [self.random.choice(TROUBLES) for _ in range(count)]
            self.random.shuffle(steps)
            self.pager.script[path].extend(steps)

    async def told(self, wait_seconds: float) -> None:
        """Wait until each page came to something, then look at what came in."""

        async def all_told() -> bool:
            return {identity for identity, _ in await results(self.settings)} == {each.id for each in self.pages}

        await until(all_told, wait_seconds)

    def check(self, lost_answers: int) -> None:
        taken = [each for each in self.pager.got if each.taken]
        hooks = Counter(each.headers["webhook-id"] for each in taken if each.path == "/hook")
        ended = {each.incident for each in self.pages if each.kind == "resolve"}
        assert ended == {each.incident for each in self.pages}
        for each in self.pages:
            if each.kind == "resolve":
                seen = [got.body["event_action"] for got in taken if got.path == "/pagerduty" and got.body["dedup_key"] == each.incident]
                assert "resolve" in seen
                assert "trigger" not in seen[seen.index("resolve") :], seen
                if each.receiver.type == "webhook":
                    assert hooks[each.id]
        assert sum(hooks.values()) - len(hooks) <= lost_answers

    async def sent(self) -> Iterable[str]:
        return {identity for identity, outcome in await results(self.settings) if outcome == "sent"}


def _at_least(count: int, got: list[Got]) -> bool:
    return len(got) >= count


async def kill_again_and_again(settings: Settings, folder: Path, pager: Pager, random: Random, times: int) -> None:
    """Each time while pages come in; the next takes its partitions over once the group has missed it."""
    for number in range(times):
        worker = settings.model_copy(update={"worker": f"notifier-{number}"})
        wanted = len(pager.got) + random.randint(1, 4)
        with Worker(worker, folder / "notify.log", program=NOTIFY) as notifier:
            await pager.until(partial(_at_least, wanted), 30)
            await asyncio.sleep(random.uniform(0, 0.5))
            notifier.kill()


async def survive_kills(settings: Settings, folder: Path, seed: int, kills: int, incidents: int, wait_seconds: float) -> None:
    random = Random(seed)
    async with serving() as pager:
        story = Story(settings, pager, random)
        story.trouble(incidents // 2)
        telling = asyncio.create_task(story.play(incidents, kills * 8 / incidents))
        await kill_again_and_again(settings, folder, pager, random, kills)
        await telling
        pager.script.clear()
        with Worker(settings, folder / "notify.log", program=NOTIFY) as notifier:
            await story.told(wait_seconds)
            assert await notifier.terminate() == 0
        # Beside answers that were lost, what was being sent when it was killed, four of a receiver at most, may have been taken.
        story.check(incidents + 4 * kills)
        assert {each.id for each in story.pages if each.kind == "resolve"} <= set(await story.sent())


async def test_a_notifier_that_is_killed_again_and_again_loses_no_page(
    kafka: str, redis_url: str, app_id: str, tmp_path: Path, seed: int
) -> None:
    settings = await installed(kafka, redis_url, app_id, tmp_path)
    await survive_kills(settings, tmp_path, seed, kills=1, incidents=4, wait_seconds=60)


@pytest.mark.long
@pytest.mark.timeout(900)
async def test_nor_does_one_that_is_killed_many_times_while_receivers_fail(
    kafka: str, redis_url: str, app_id: str, tmp_path: Path, seed: int
) -> None:
    settings = await installed(kafka, redis_url, app_id, tmp_path)
    await survive_kills(settings, tmp_path, seed, kills=12, incidents=60, wait_seconds=180)


async def test_without_redis_and_with_another_notifier_every_page_comes_once(
    kafka: str, private_redis: LocalRedis, app_id: str, tmp_path: Path, seed: int
) -> None:
    """Redis ends while pages come in, then a second notifier joins and the first one leaves: nobody is killed, so nothing comes twice."""
    settings = await installed(kafka, private_redis.url, app_id, tmp_path)
    one, two = (settings.model_copy(update={"worker": name, "http_port": free_port()}) for name in ("one", "two"))
    async with serving() as pager:
        story = Story(settings, pager, Random(seed))
        with Worker(one, tmp_path / "one.log", program=NOTIFY) as first, Worker(two, tmp_path / "two.log", program=NOTIFY) as second:
            telling = asyncio.create_task(story.play(6, 0.5))
            await pager.until(partial(_at_least, 2), 30)
            private_redis.kill()
            await pager.until(partial(_at_least, 6), 30)
            assert await first.terminate() == 0
            await telling
            await story.told(40)
            failures = (await metrics(two)).get("outwatch_notify_redis_failures_total", 0)
            assert await second.terminate() == 0
        assert failures > 0
        story.check(0)
        assert {outcome for _, outcome in await results(settings)} <= {"sent", "stale"}


async def away(settings: Settings, broker: LocalKafka, folder: Path, seed: int, away_seconds: float) -> None:
    async with serving() as pager:
        story = Story(settings, pager, Random(seed))
        with Worker(settings, folder / "notify.log", program=NOTIFY) as notifier:
            pager.script["/hook"].extend([503] * 4)
            await story.play(3, 0.05)
            await pager.until(partial(_at_least, 1), 30)
            broker.kill()
            await asyncio.sleep(away_seconds)
            broker.start()
            await story.play(3, 0.05)
            await story.told(90)
            assert notifier.alive()
            assert await notifier.terminate() == 0
        story.check(0)


@pytest.mark.long
async def test_one_that_was_frozen_sends_no_page_that_another_passed_over(kafka: str, app_id: str, tmp_path: Path) -> None:
    """Without Redis: the receiver fails, the first notifier is frozen before it tries again, and the incident ends meanwhile."""
    settings = await installed(kafka, "redis://127.0.0.1:1/0", app_id, tmp_path)
    one, two = (settings.model_copy(update={"worker": name}) for name in ("one", "two"))
    async with serving() as pager:
        pager.script["/hook"].extend([503] * 3)
        first = page(pager.url, 1, 1)
        last = page(pager.url, 1, 2, kind="resolve", reason="resolved", epoch=2)
        with Worker(one, tmp_path / "one.log", program=NOTIFY) as frozen:
            await write(settings, state(first), first)
            await pager.until(partial(_at_least, 3), 30)
            await asyncio.sleep(0.5)  # It says that it will try again, and waits.
            frozen.signal(signal.SIGSTOP)
            await write(settings, state(last, ended_at=last.processed_at), last)
            with Worker(two, tmp_path / "two.log", program=NOTIFY) as second:
                await pager.until(partial(_at_least, 4), 40)
                await asyncio.sleep(8)  # Now the first one's next try is overdue.
                frozen.signal(signal.SIGCONT)
                await asyncio.sleep(5)
                assert await frozen.terminate() == 0
                assert await second.terminate() == 0
        assert [(each.headers["webhook-id"], each.taken) for each in pager.got] == [(first.id, False)] * 3 + [(last.id, True)]
        assert await results(settings) == {(first.id, "stale"): 1, (last.id, "sent"): 1}


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.parametrize("away_seconds", [3.0, 60.0])
async def test_a_broker_that_goes_away_is_waited_for(
    private_kafka: LocalKafka, redis_url: str, app_id: str, tmp_path: Path, seed: int, away_seconds: float
) -> None:
    settings = await installed(private_kafka.bootstrap, redis_url, app_id, tmp_path)
    await away(settings, private_kafka, tmp_path, seed, away_seconds)
