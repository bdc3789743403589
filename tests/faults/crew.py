"""A crew of workers under a supervisor that starts each anew when it ends, and somebody who makes them end."""

import asyncio
import signal
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

from models.clock import now_ms
from models.settings import Settings
from streams import failpoints
from tests.waiting import until
from tests.workers import KILLED, RUN, Worker

__all__ = ["Crew"]

STARTING = 256 - signal.SIGTERM
"""What SIGTERM leaves a worker with that has not begun: it holds nothing that could be committed."""


class Crew:
    """`deaths` counts how workers ended: `SIGKILL`, `SIGTERM`, a failpoint's name, or an exit code that nobody asked for."""

    def __init__(self, settings: Settings, folder: Path, random: Random, program: Sequence[str] = RUN) -> None:
        self._settings = settings
        self._program = program
        self._folder = folder
        self._random = random
        self._workers: dict[int, Worker] = {}
        self._asked: dict[int, str] = {}
        self._next: dict[int, str] = {}
        self._slots: list[asyncio.Task[None]] = []
        self._stopping = False
        self._actions: list[str] = []
        self.deaths: Counter[str] = Counter()

    def hire(self) -> None:
        """Keep one more worker running."""
        self._slots.append(asyncio.create_task(self._keep(len(self._slots))))

    async def _keep(self, number: int) -> None:
        log_path = self._folder / f"worker-{number}.log"
        while not self._stopping:
            failpoint = self._next.pop(number, None)
            worker = self._workers[number] = Worker(self._settings, log_path, failpoint, self._program)
            try:
                code = await worker.ended(wait_seconds=600)
            finally:
                worker.kill()
            asked = self._asked.pop(number, None)
            how = failpoint.partition(":")[0] if failpoint is not None and code == KILLED and asked is None else asked
            self.deaths[how if how is not None and code in (0, KILLED, STARTING) else f"exit {code}"] += 1

    async def torment(self, committed_ms: Callable[[], int], wait_seconds: float = 30) -> None:
        """End one worker after another, by every way in turn, until cancelled; each time once every partition was committed again.

        Args:
            committed_ms: when the partition that was committed the longest ago was.
            wait_seconds: how long that may take.

        Raises:
            TimeoutError: if one is not within `wait_seconds`: a worker is stuck, or commits stall.
        """
        ended_ms = 0

        async def goes_on() -> bool:
            return committed_ms() > ended_ms

        while True:
            await until(goes_on, wait_seconds)
            await asyncio.sleep(self._random.uniform(0, 3))
            numbers = [number for number, worker in self._workers.items() if worker.alive() and worker.failpoint is None]
            if numbers:
                ended_ms = now_ms()
                self._end(self._random.choice(numbers))

    def _end(self, number: int) -> None:
        if not self._actions:
            self._actions = ["SIGKILL", "SIGTERM", *failpoints.NAMES]
            self._random.shuffle(self._actions)
        action = self._actions.pop()
        if action in failpoints.NAMES:
            # A commit's failpoint is passed by each partition each second.
            times = self._random.randint(1, 8) if action.startswith("commit") else 1
            self._next[number] = f"{action}:{times}"
            action = "SIGKILL"
        self._asked[number] = action
        self._workers[number].signal(signal.Signals[action])

    async def dismiss(self) -> list[int]:
        """SIGTERM to all; returns the exit codes of those that had begun and did not wait for a failpoint."""
        self._stopping = True
        alive = {number: worker for number, worker in self._workers.items() if worker.alive() and worker.failpoint is None}
        self._asked.update(dict.fromkeys(alive, "SIGTERM"))
        codes = await asyncio.gather(*(worker.terminate() for worker in alive.values()))
        for worker in self._workers.values():
            worker.signal(signal.SIGKILL)
        await asyncio.gather(*self._slots)
        return [code for code in codes if code != STARTING]

    def kill(self) -> None:
        """End what still runs."""
        for slot in self._slots:
            slot.cancel()
        for worker in self._workers.values():
            worker.kill()
