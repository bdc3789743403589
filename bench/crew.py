"""Workers as their users run them, and what they cost: CPU, memory, and what they say of themselves."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final

import aiohttp

from models.settings import PREFIX, Settings
from streams.local.process import LeashedProcess
from streams.local.service import free_port

__all__ = ["Crew", "cpu_seconds", "crew", "resident_bytes"]

_TICKS: Final = os.sysconf("SC_CLK_TCK")
_READY_SECONDS_MAX: Final = 120.0


def cpu_seconds(pid: int) -> float:
    """CPU seconds that a process has used, user and system."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def resident_bytes(pid: int) -> int:
    """Memory that a process holds now."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Crew:
    """Workers that run."""

    def __init__(self, workers: Sequence[LeashedProcess], ports: Sequence[int], session: aiohttp.ClientSession) -> None:
        self._workers = workers
        self._ports = ports
        self._session = session

    def cpu_seconds(self) -> list[float]:
        """Of each worker."""
        return [cpu_seconds(each.pid) for each in self._workers]

    def resident_bytes(self) -> list[int]:
        """Of each worker."""
        return [resident_bytes(each.pid) for each in self._workers]

    async def metrics(self) -> list[dict[str, float]]:
        """What each worker says; labels are part of a name."""
        return [dict(_samples(await self._get(port, "metrics"))) for port in self._ports]

    async def total(self, name: str) -> float:
        """The sum of a metric over its labels and all workers."""
        return sum(value for each in await self.metrics() for key, value in each.items() if key.partition("{")[0] == name)

    async def held(self) -> list[int]:
        """How many partition numbers each worker holds."""
        return [sum(name.startswith("outwatch_partition_refused{") for name in each) for each in await self.metrics()]

    async def ready(self) -> None:
        """Wait until every worker is.

        Raises:
            RuntimeError: if one has ended.
            TimeoutError: if one is not within two minutes.
        """
        async with asyncio.timeout(_READY_SECONDS_MAX):
            for worker, port in zip(self._workers, self._ports, strict=True):
                while not await self._is_ready(port):
                    if not worker.alive():
                        msg = f"a worker ended: {worker.tail()}"
                        raise RuntimeError(msg)
                    await asyncio.sleep(0.1)

    async def _is_ready(self, port: int) -> bool:
        try:
            async with self._session.get(f"http://127.0.0.1:{port}/readyz") as answer:
                return answer.ok
        except aiohttp.ClientError:
            return False

    async def _get(self, port: int, path: str) -> str:
        async with self._session.get(f"http://127.0.0.1:{port}/{path}") as answer:
            return await answer.text()


def _samples(text: str) -> Iterator[tuple[str, float]]:
    for line in text.splitlines():
        if not line.startswith("#"):
            name, _, value = line.rpartition(" ")
            yield name, float(value)


@asynccontextmanager
async def crew(settings: Settings, count: int, folder: Path) -> AsyncIterator[Crew]:
    """Run `outwatch run` `count` times until the end of the with statement, and wait until all are ready."""
    with ExitStack() as stack:
        ports = [free_port() for _ in range(count)]
        workers = [stack.enter_context(_worker(settings, port, folder)) for port in ports]
        async with aiohttp.ClientSession() as session:
            made = Crew(workers, ports, session)
            await made.ready()
            yield made


@contextmanager
def _worker(settings: Settings, port: int, folder: Path) -> Iterator[LeashedProcess]:
    own = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    chosen = {name: str(getattr(settings, name)) for name in settings.model_fields_set} | {"http_port": str(port)}
    variables = {f"{PREFIX}{name.upper()}": value for name, value in chosen.items()}
    log_path = folder / f"{settings.app_id}-{port}.log"
    with LeashedProcess([sys.executable, "-m", "streams.cli", "run"], log_path, own | variables) as process:
        yield process
