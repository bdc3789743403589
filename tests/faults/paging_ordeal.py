"""The ordeal of pages: a stream with incidents in it, while every process that has a part in them is killed again and again."""

import asyncio
import signal
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import orjson
from aiokafka import ConsumerRecord
from redis.asyncio import Redis

from models.incident_commands import INCIDENT_ACK, INCIDENT_REASSIGN, INCIDENT_RESOLVE, INCIDENT_SNOOZE
from models.operation import Command
from models.policy_file import load
from models.settings import Settings
from models.view import Keys
from streams.admin import create
from streams.asking import send
from streams.notifier.notifier import IN_FLIGHT_MAX
from streams.policies import apply_policy
from streams.produce import Feed
from tests.faults.crew import Crew
from tests.faults.paging_stream import GRID_MS, PERSON_MAX, START_MS, grids, policy
from tests.faults.paging_verdict import (
    check_incidents,
    check_intents,
    check_received,
    check_results,
    check_steps,
    unharmed,
)
from tests.notifiers import results, settings_for
from tests.pagers import Pager, serving
from tests.waiting import until
from tests.workers import RUN, Worker, following, heartbeats, read_all

__all__ = ["Ordeal", "Programs", "ordeal"]

MINUTE_MS = 60_000
TROUBLES = (500, 503, "close", "accept_then_close", (429, 1))
TROUBLE_PART = 0.05
LOST_SECONDS = 75.0
"""Longer than a takeover, and than what failed waits to be tried again."""
CLI = ("-m", "streams.cli")


class Ordeal(NamedTuple):
    """How much is played, and over how long; `rest_seconds` passes from the end of one process to the next one's, about."""

    minutes: int
    seconds: float
    rest_seconds: float
    commands: int = 1
    """How often the stream stands still and people ask for something."""
    falls: int = 0
    """Of the broker."""
    workers: int = 2
    beside: tuple[str, ...] = ("project",)
    """Commands that run too, and are killed."""


def _nothing() -> None:
    return


class Programs(NamedTuple):
    """What is run; another one where the product is broken on purpose."""

    run: Sequence[str] = RUN
    notify: Sequence[str] = (*CLI, "notify")


AS_IT_IS = Programs()


class Kept:
    """A program under a supervisor that starts it anew when it ends."""

    def __init__(self, settings: Settings, folder: Path, program: Sequence[str], name: str) -> None:
        self.name = name
        self._settings = settings
        self._log = folder / f"{name}.log"
        self._program = program
        self._child: Worker | None = None
        self._task = asyncio.create_task(self._keep())

    async def _keep(self) -> None:
        while True:
            with Worker(self._settings, self._log, program=self._program) as child:
                self._child = child
                await child.ended(wait_seconds=600)

    def kill(self) -> None:
        """End it at once; it comes back."""
        if self._child is not None:
            self._child.signal(signal.SIGKILL)

    async def leave(self) -> None:
        """End it for good."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


async def installed(kafka: str, redis_url: str, app_id: str, folder: Path, pager: Pager) -> Settings:
    settings = settings_for(kafka, redis_url, app_id, folder, partitions=4, clock="log")
    assert (await create(settings)).findings == []
    await apply_policy(settings, load(policy(pager.url), "paging.yaml"), START_MS)
    return settings


def trouble(pager: Pager, random: Random) -> None:
    """Receivers answer as troubled ones do, at random."""
    for path in ("/hook", "/last", "/desk", "/pager"):
        pager.script[path].extend(random.choice(TROUBLES) if random.random() < TROUBLE_PART else 202 for _ in range(2000))


def asked(incidents: Sequence[dict[str, Any]], at_ms: int) -> list[Command]:
    """Something of each open incident, in turn: taken, taken for a while, put off, handed over, closed, or nothing."""
    ways: list[tuple[str, dict[str, Any]] | None] = [
        (INCIDENT_ACK, {}),
        (INCIDENT_ACK, {"until": at_ms + 3 * MINUTE_MS}),
        None,
        (INCIDENT_SNOOZE, {"until": at_ms + 2 * MINUTE_MS}),
        (INCIDENT_REASSIGN, {"to": {"receiver": "last"}}),
        (INCIDENT_RESOLVE, {}),
        None,
    ]
    made = []
    for number, each in enumerate(sorted(incidents, key=lambda each: each["id"])):
        way = ways[number % len(ways)]
        if way is not None:
            payload = {"incident": each["id"], **way[1]}
            name = f"{way[0]}-{each['id']}-{at_ms}"
            made.append(Command(id=name, type=way[0], actor="ana", at=at_ms, partner=each["partner"], payload=payload))
    return made


class Run:
    """One ordeal under way; `seen` is what a committed reader sees of heartbeats, alerts and incidents."""

    def __init__(self, settings: Settings, seen: list[ConsumerRecord], plan: Ordeal, seed: int) -> None:
        self.settings = settings
        self.seen = seen
        self.plan = plan
        self.seed = seed
        self.random = Random(seed)
        self.deaths: Counter[str] = Counter()
        self.calm = False
        self.alarm = ""
        """What the auditor finds at the end."""

    def committed_ms(self) -> int:
        """When the partition was committed that was so the longest ago; none was while workers are to be left alone."""
        if self.calm:
            return 0
        last = {each.partition: each.timestamp for each in self.seen if each.topic == self.settings.topics.heartbeats}
        return min(last.values()) if len(last) == self.settings.partitions else 0

    async def reached(self, to_ms: int) -> None:
        """Wait until every partition's frontier is there, as committed."""

        async def there() -> bool:
            beats = heartbeats(self.seen, self.settings).values()
            return len(beats) == self.settings.partitions and all(each["frontier"] == to_ms for each in beats)

        await until(there, 90)

    def incidents(self) -> dict[str, dict[str, Any]]:
        """As they stand, by id."""
        topic = self.settings.topics.incidents
        return {each.key.decode(): orjson.loads(each.value) for each in self.seen if each.topic == topic and each.value is not None}

    async def command(self, at_ms: int) -> None:
        """Ask something of the open incidents while the stream stands still, so that every run is asked the same at the same time."""
        self.calm = True
        await self.reached(at_ms)
        self.calm = False
        made = asked([each for each in self.incidents().values() if each["ended_at"] is None], at_ms)
        assert made, "the stream must have open incidents where it stands still"
        for each in made:
            await send(self.settings, each)

        async def answered() -> bool:
            bodies = [orjson.loads(each.value) for each in self.seen if each.topic == self.settings.topics.alerts]
            outcomes = {each["id"]: each["outcome"] for each in bodies if "outcome" in each}
            assert set(outcomes.values()) <= {"applied"}, bodies
            return outcomes.keys() >= {each.id for each in made}

        await until(answered, 60)

    async def play(self, restart: Callable[[], None]) -> int:
        """Write the stream at a steady rate, with commands and falls of the broker as often as planned; returns where it ends."""
        plan, count = self.plan, self.plan.minutes * 60_000 // GRID_MS
        asking = {count * (each + 1) // (plan.commands + 1) for each in range(plan.commands)}
        falling = {count * (each + 1) // (plan.falls + 1) + 5 for each in range(plan.falls)}
        end_ms, begun = START_MS, time.monotonic()
        async with Feed(self.settings, ["interactions"]) as feed:
            for number, (end_ms, events) in enumerate(grids(self.seed, plan.minutes), 1):
                for each in events:
                    feed.put("interactions", each["partner_id"], orjson.dumps(each))
                feed.advance(end_ms)
                await feed.flush()
                stopped = time.monotonic()
                if number in asking:
                    await self.command(end_ms)
                if number in falling:
                    await asyncio.to_thread(restart)
                    self.deaths["broker"] += 1
                begun += time.monotonic() - stopped
                await asyncio.sleep(max(0.0, begun + number * plan.seconds / count - time.monotonic()))
        return end_ms

    async def harm(self, kept: Sequence[Kept]) -> None:
        """Kill all that is kept, and empty Redis, in turn and at random times, until cancelled."""
        turns: list[Kept | None] = []
        while True:
            await asyncio.sleep(self.random.uniform(0.5, 1.5) * self.plan.rest_seconds)
            if not turns:
                turns = [*kept, None]
                self.random.shuffle(turns)
            victim = turns.pop()
            if victim is not None:
                victim.kill()
            else:
                async with Redis.from_url(self.settings.redis_url) as client:
                    await client.flushall()
            self.deaths["Redis" if victim is None else victim.name] += 1

    async def told(self) -> None:
        """Wait until every page came to something, or to nothing for so long that it is lost; then until the view shows what is."""
        pages = {orjson.loads(each.value)["id"] for each in await read_all(self.settings, self.settings.topics.notifications)}
        last, since = set[str](), time.monotonic()

        async def answered() -> bool:
            nonlocal last, since
            found = {identity for identity, _ in await results(self.settings)}
            if found != last:
                last, since = found, time.monotonic()
            return found >= pages or time.monotonic() - since > LOST_SECONDS

        async def shown() -> bool:
            async with Redis.from_url(self.settings.redis_url, decode_responses=True) as client:
                held = await client.hgetall(Keys(self.settings.app_id).incidents)
            return {name: orjson.loads(each) for name, each in held.items()} == self.incidents()

        await until(answered, 240)
        await until(shown, 60)


async def run(settings: Settings, folder: Path, plan: Ordeal, seed: int, programs: Programs, restart: Callable[[], None]) -> Run:
    """Play the stream amid trouble, and wait until every page came to something."""
    topics, crew, kept = settings.topics, Crew(settings, folder, Random(seed), programs.run), list[Kept]()
    async with following(settings, topics.heartbeats, topics.alerts, topics.incidents) as seen:
        here = Run(settings, seen, plan, seed)
        try:
            for _ in range(plan.workers):
                crew.hire()
            kept += [Kept(settings, folder, programs.notify, f"notifier {number}") for number in (1, 2)]
            kept += [Kept(settings, folder, (*CLI, each), each) for each in plan.beside]
            troubles = [asyncio.create_task(crew.torment(here.committed_ms, 180)), asyncio.create_task(here.harm(kept))]
            playing = asyncio.create_task(here.play(restart))
            await asyncio.wait({playing, *troubles}, return_when=asyncio.FIRST_COMPLETED)
            assert not any(each.done() for each in troubles), [each.exception() for each in troubles if each.done()]
            for task in troubles:
                task.cancel()
            await here.reached(await playing)
            await here.told()
            with Worker(settings, folder / "once.log", program=(*CLI, "audit", "--once")) as once:
                here.alarm = "" if await once.ended(60) == 0 else once.tail(40)
            assert set(await crew.dismiss()) <= {0}
        finally:
            for each in kept:
                await each.leave()
            crew.kill()
        here.deaths += crew.deaths
        return here


async def check(settings: Settings, pager: Pager, seed: int, deaths: Counter[str]) -> None:
    """Hold what was committed, and what came in, against a run in which nothing happened."""
    topics = settings.topics
    intents = [orjson.loads(each.value) for each in await read_all(settings, topics.notifications)]
    incidents = {each.key.decode(): orjson.loads(each.value) for each in await read_all(settings, topics.incidents)}
    expected = unharmed(settings, await read_all(settings, topics.policies, topics.interactions, topics.commands))
    check_intents([orjson.loads(each.value or b"") for each in expected if each.topic == topics.notifications], intents)
    check_incidents(
        {(each.key or b"").decode(): orjson.loads(each.value or b"") for each in expected if each.topic == topics.incidents}, incidents
    )
    check_steps(incidents.values())
    outcomes: dict[str, set[str]] = {}
    for identity, outcome in await results(settings):
        outcomes.setdefault(identity, set()).add(outcome)
    persons = Counter(each["target"]["person"] for each in intents if each["kind"] == "trigger")
    assert max(count for name, count in persons.items() if name is not None) <= PERSON_MAX
    told = check_results(intents, outcomes, incidents)
    lost = sum(each.taken and each.step == "accept_then_close" for each in pager.got)
    kills = sum(count for name, count in deaths.items() if name.startswith("notifier"))
    doubles = check_received(intents, outcomes, pager.got, lost + IN_FLIGHT_MAX * kills)
    print(
        f"OUTWATCH_TEST_SEED={seed}: {len(incidents)} incidents, {len(intents)} pages: {dict(told)}, {doubles} came again; {dict(deaths)}"
    )


async def ordeal(
    kafka: str,
    redis_url: str,
    app_id: str,
    folder: Path,
    seed: int,
    plan: Ordeal,
    restart: Callable[[], None] = _nothing,
    programs: Programs = AS_IT_IS,
) -> None:
    """Play a stream amid trouble; everything must come out as if nothing had happened."""
    print(f"OUTWATCH_TEST_SEED={seed}")
    async with serving() as pager:
        settings = await installed(kafka, redis_url, app_id, folder, pager)
        trouble(pager, Random(seed))
        here = await run(settings, folder, plan, seed, programs, restart)
        await check(settings, pager, seed, here.deaths)
        assert here.alarm == ""
