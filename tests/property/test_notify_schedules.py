"""Random schedules of everything that may befall notifiers: no page is lost, and no trigger follows its resolve.

The real lanes, course and delivery, between a log, a Redis and receivers in memory. A schedule writes pages, lets requests succeed, fail,
or be taken while their answer is lost, kills the notifier, hands its partition to another, and empties Redis.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from alerts.notify.request import Verdict
from models.notifications import Notification, Outcome
from models.operation import Command
from streams.health.notifier_metrics import NotifierMetrics
from streams.notifier.delivery import Delivery
from streams.notifier.incidents import Incidents
from streams.notifier.lanes import Lanes
from streams.notifier.leases import LEASE_MS, Lease, Leases, Taken
from streams.notifier.progress import Progress
from streams.notifier.results import Commands
from streams.notifier.sender import Sender
from tests.notifiers import state, uuid
from tests.pages import AT_MS, notification

INCIDENTS = 2
RECEIVERS = ("pager", "chat")
METRICS = NotifierMetrics()

ACTIONS = (
    "write",
    "write",
    "end",
    "read",
    "read",
    "answer",
    "answer",
    "fail",
    "lose",
    "reject",
    "wait",
    "commit",
    "kill",
    "hand_over",
    "flush",
)


@dataclass
class World:
    """What outlives a notifier."""

    now_ms: int = AT_MS
    log: list[Notification] = field(default_factory=list)
    states: dict[str, bytes] = field(default_factory=dict)
    committed: Progress = field(default_factory=lambda: Progress(0, 0))
    leases: dict[str, tuple[int, int]] = field(default_factory=dict)
    marks: dict[str, Outcome] = field(default_factory=dict)
    taken: list[Notification] = field(default_factory=list)
    results: dict[str, tuple[str, str]] = field(default_factory=dict)
    lost: Counter[str] = field(default_factory=Counter)
    """By notification, how often it was taken and nobody heard so."""
    flushes: int = 0
    epochs: Counter[int] = field(default_factory=Counter)
    over: set[int] = field(default_factory=set)

    def write(self, incident: int, *, end: bool) -> None:
        """What an incident has to tell next, to all its receivers."""
        if incident in self.over or (end and not self.epochs[incident]):
            return
        self.epochs[incident] += 1
        epoch = self.epochs[incident]
        over = {"kind": "resolve", "reason": "resolved", "ended_at": self.now_ms} if end else {}
        for name in RECEIVERS:
            where = {"id": name, "type": "webhook", "url": "https://pages.example/"}
            page = notification(
                "webhook",
                id=uuid(len(self.log), 1),
                incident=uuid(incident),
                epoch=epoch,
                receiver=where,
                target={"kind": "receiver", "id": name, "person": None},
                processed_at=self.now_ms,
                **over,
            )
            self.log.append(page)
        self.states[uuid(incident)] = state(page, ended_at=self.now_ms if end else None).model_dump_json().encode()
        if end:
            self.over.add(incident)


class FakeLeases:
    """As `Leases`, in memory and in the world's time."""

    def __init__(self, world: World, owner: int) -> None:
        self.world, self.owner = world, owner

    async def take(self, identity: str) -> Taken:
        if identity in self.world.marks:
            return Taken(Lease.DONE, self.world.marks[identity])
        owner, until_ms = self.world.leases.get(identity, (self.owner, 0))
        if owner != self.owner and until_ms > self.world.now_ms:
            return Taken(Lease.OTHERS)
        await self.renew(identity)
        return Taken(Lease.OURS)

    async def renew(self, identity: str) -> None:
        self.world.leases[identity] = (self.owner, self.world.now_ms + LEASE_MS)

    async def release(self, identity: str) -> None:
        self.world.leases.pop(identity, None)

    async def done(self, identity: str, outcome: Outcome, receipt: str | None = None, thread: tuple[str, str] = ("", "")) -> None:
        self.world.marks[identity] = outcome
        self.world.leases.pop(identity, None)

    async def thread(self, thread: tuple[str, str]) -> str | None:
        return None

    async def admit(self, person: str, page: str, now_ms: int) -> bool | None:
        return None


class Process:
    """A notifier from its start to its end."""

    def __init__(self, world: World, number: int) -> None:
        self.world = world
        self.lanes = Lanes(8, 4)
        self.incidents = Incidents()
        for identity, value in world.states.items():
            self.incidents.put(identity.encode(), value)
        self.at = world.committed.offset
        self.lanes.go_on(0, Progress.of(world.committed.offset, world.committed.words()))
        self.asked: dict[asyncio.Future[Verdict], Notification] = {}
        self.tasks: set[asyncio.Task[None]] = set()
        leases, clock = cast("Leases", FakeLeases(world, number)), lambda: world.now_ms
        sender, commands = cast("Sender", self), cast("Commands", self)
        self.delivery = Delivery(self.lanes, self.incidents, leases, sender, commands, METRICS, clock, awake=lambda: True)

    async def deliver(self, page: Notification, receipt: str | None, before: Callable[[], Awaitable[None]]) -> Verdict:
        await before()
        future: asyncio.Future[Verdict] = asyncio.get_running_loop().create_future()
        self.asked[future] = page
        return await future

    async def surely(self, command: Command) -> None:
        payload: dict[str, Any] = command.payload
        self.world.results[command.id] = (payload["notification"], payload["outcome"])

    async def go_on(self) -> None:
        """Send what is due, until all waits for an answer or for time."""
        while True:
            for intent in self.lanes.take(self.world.now_ms):
                task = asyncio.ensure_future(self.delivery.carry(intent))
                self.tasks.add(task)
            before = (len(self.asked), len(self.tasks), len(self.lanes))
            for _ in range(20):
                await asyncio.sleep(0)
            for task in [each for each in self.tasks if each.done()]:
                task.result()
                self.tasks.discard(task)
            if before == (len(self.asked), len(self.tasks), len(self.lanes)):
                return

    def read(self) -> None:
        """The next record."""
        if self.at < len(self.world.log):
            page = self.world.log[self.at]
            if self.at % 3 and page.incident in self.world.states:  # Elsewhere its incident is read later.
                self.incidents.put(page.incident.encode(), self.world.states[page.incident])
            self.incidents.saw(page)
            self.lanes.add(page, (0, self.at), self.world.now_ms)
            self.at += 1

    def answer(self, which: int, kind: str, *, taken: bool) -> None:
        """A receiver answers one of those that wait, or its answer is lost."""
        if self.asked:
            future = [*self.asked][which % len(self.asked)]
            page = self.asked.pop(future)
            if taken:
                self.world.taken.append(page)
                self.world.lost[page.id] += kind != "sent"
            future.set_result(Verdict(kind, "said"))  # type: ignore[arg-type]

    def commit(self) -> None:
        self.world.committed = self.lanes.progress().get(0, self.world.committed)

    async def kill(self, which: int) -> None:
        """Of what was under way some was taken, and nobody heard so."""
        for number, page in enumerate(self.asked.values()):
            if (which >> number) & 1:
                self.world.taken.append(page)
                self.world.lost[page.id] += 1
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)


class Schedule:
    """Plays a schedule; a method an action."""

    def __init__(self) -> None:
        self.world = World()
        self.process = Process(self.world, 0)
        self.number = 0

    def begin_anew(self) -> None:
        self.number += 1
        self.process = Process(self.world, self.number)

    async def write(self, which: int) -> None:
        self.world.write(which % INCIDENTS, end=False)

    async def end(self, which: int) -> None:
        self.world.write(which % INCIDENTS, end=True)

    async def read(self, which: int) -> None:
        for _ in range(1 + which % 4):
            self.process.read()

    async def answer(self, which: int) -> None:
        self.process.answer(which, "sent", taken=True)

    async def fail(self, which: int) -> None:
        self.process.answer(which, "again", taken=False)

    async def lose(self, which: int) -> None:
        self.process.answer(which, "again", taken=True)

    async def reject(self, which: int) -> None:
        self.process.answer(which, "rejected", taken=False)

    async def wait(self, which: int) -> None:
        self.world.now_ms += 5_000 * (which % 10)

    async def commit(self, which: int) -> None:
        self.process.commit()

    async def kill(self, which: int) -> None:
        await self.process.kill(which)
        self.begin_anew()

    async def hand_over(self, which: int) -> None:
        self.process.lanes.hold([0])
        while self.process.asked:
            self.process.answer(0, "sent" if which % 2 else "again", taken=bool(which % 2))
        await self.process.go_on()
        self.process.commit()
        self.begin_anew()

    async def flush(self, which: int) -> None:
        self.world.flushes += 1
        self.world.marks.clear()
        self.world.leases.clear()

    async def play(self, steps: list[tuple[str, int]]) -> World:
        """All steps; then every receiver answers, and time goes by until nothing is left."""
        world = self.world
        for action, which in steps:
            world.now_ms += 200
            await getattr(self, action)(which)
            await self.process.go_on()
        while self.process.at < len(world.log) or len(self.process.lanes):
            self.process.read()
            self.process.answer(0, "sent", taken=True)
            world.now_ms += 1_000
            await self.process.go_on()
        self.process.commit()
        return world


STEPS = st.lists(st.tuples(st.sampled_from(ACTIONS), st.integers(0, 255)), min_size=20, max_size=80)
TOLD = [("write", 0), ("read", 3), ("answer", 0), ("answer", 0)]
ENDED = [*TOLD, ("end", 0), ("read", 3), ("answer", 0), ("answer", 0)]


@settings(max_examples=100, deadline=None)
@example([*TOLD, ("kill", 0)])
@example([*ENDED, ("flush", 0), ("kill", 0)])
@example([("write", 0), ("read", 3), ("commit", 0), ("kill", 0)])
@example([("write", 0), ("read", 3), ("end", 0), ("read", 3), ("answer", 3), ("answer", 2)])
@given(STEPS)
def test_no_schedule_loses_a_page_or_lets_a_trigger_follow_its_resolve(schedule: list[tuple[str, int]]) -> None:
    hold(schedule)


@pytest.mark.long
@pytest.mark.timeout(900)
@settings(max_examples=2000, deadline=None)
@given(STEPS)
def test_none_of_many_schedules_does(schedule: list[tuple[str, int]]) -> None:
    hold(schedule)


def hold(schedule: list[tuple[str, int]]) -> None:
    world = asyncio.run(Schedule().play(schedule))
    assert world.committed.offset == len(world.log)
    told = {identity for identity, _ in world.results.values()}
    assert told == {page.id for page in world.log}, "each has an outcome"
    taken = Counter(page.id for page in world.taken)
    for page in world.log:
        outcomes = {outcome for identity, outcome in world.results.values() if identity == page.id}
        assert outcomes <= {"sent", "stale", "rejected"}
        assert "sent" not in outcomes or taken[page.id]
        assert page.kind != "resolve" or outcomes & {"sent", "rejected"}, "an end is never stale"
    assert all(copies <= 1 + world.lost[identity] + world.flushes for identity, copies in taken.items())
    for incident in range(INCIDENTS):
        for name in RECEIVERS:
            kinds = [page.kind for page in world.taken if (page.incident, page.receiver.id) == (uuid(incident), name)]
            if "resolve" in kinds:
                assert "trigger" not in kinds[kinds.index("resolve") :], kinds
