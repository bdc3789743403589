"""Everything that the demo runs on, in one place on this machine, gone when it ends: brokers, Redis, topics, policy, processes."""

import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from time import monotonic
from typing import Final

from pydantic import SecretStr

from models.clock import now_ms
from models.errors import OutwatchError
from models.policy_file import load
from models.settings import LOCAL, PREFIX, Settings
from streams.admin import create
from streams.demo.page import Page
from streams.demo.pages import Pages
from streams.local.kafka import LocalKafka
from streams.local.process import LeashedProcess
from streams.local.redis import LocalRedis
from streams.policies import apply_policy

__all__ = ["DemoError", "Stage", "stage"]

PARTITIONS: Final = 4
STOP_SECONDS_MAX: Final = 2.5
"""For all processes together: Ctrl-C ends the demo within 5 s."""

_POLICY: Final = "example_policy.yaml"


class DemoError(OutwatchError):
    """Raised when a process of the demo ends by itself; carries the tail of its log."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What stands, and since when: `broker_up_at` is on the monotonic clock, in seconds."""

    settings: Settings
    broker_up_at: float
    processes: dict[str, LeashedProcess]
    pages: Pages
    page: Page

    def check(self) -> None:
        """See that every process runs.

        Raises:
            DemoError: if one has ended.
        """
        for name, process in self.processes.items():
            if not process.alive():
                msg = f"the {name} ended:\n{process.tail()}"
                raise DemoError(msg)


@contextmanager
def stage(say: Callable[[str], None], page: Page) -> Iterator[Stage]:
    """Set everything up for the length of a with statement, and say each step; nothing of it is left afterwards.

    Raises:
        streams.local.errors.LocalServiceError: if the brokers or Redis do not start.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="outwatch-demo-", ignore_cleanup_errors=True)))
        kafka = LocalKafka(folder / "kafka", on_progress=say)
        redis = LocalRedis(folder / "redis", on_progress=say)
        pages = Pages(stack)
        settings = Settings(
            brokers=kafka.bootstrap,
            redis_url=redis.url,
            # The clock of a stream belongs to its application id, so each demo has its own.
            app_id=f"demo-{now_ms()}",
            topic_prefix="",
            partitions=PARTITIONS,
            replication=1,
            clock="log",
            notify_networks="127.0.0.0/8",
            desk_port=page.port,
            desk_users=page.users(folder),
            **LOCAL,
        )
        processes: dict[str, LeashedProcess] = {}

        def begin(name: str, command: str) -> None:
            say(f"starting the {name}: outwatch {command}")
            argv = [sys.executable, "-m", "streams.cli", command]
            processes[name] = LeashedProcess(argv, folder / f"{name}.log", _environment(settings))

        # Killed rather than stopped: nothing of theirs is kept, and a broker takes seconds to say goodbye.
        stack.callback(kafka.kill)
        stack.callback(redis.kill)
        stack.callback(_end, processes)
        redis.start()
        # The page wants Redis alone, and is there while the brokers start.
        begin("desk", "desk")
        kafka.start()
        broker_up_at = monotonic()
        asyncio.run(_prepare(settings, pages, say))
        for name, command in (("worker", "run"), ("projector", "project"), ("notifier", "notify")):
            begin(name, command)
        yield Stage(settings, broker_up_at, processes, pages, page)


async def _prepare(settings: Settings, pages: Pages, say: Callable[[str], None]) -> None:
    made = await create(settings)
    if made.findings:
        raise DemoError("\n".join(map(str, made.findings)))
    say(f"made {len(made.created)} topics with {settings.partitions} partitions: outwatch topics create")
    policy = pages.reached(load(files("models").joinpath(_POLICY).read_text(), _POLICY))
    await apply_policy(settings, policy, now_ms())
    say(f"applied models/{_POLICY}: outwatch policy apply")


def _environment(settings: Settings) -> dict[str, str]:
    """Ours, with these settings in place of any others; each process names itself."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    ours = settings.model_dump(exclude={"worker"}, exclude_none=True)
    # No process of the demo wants a secret, and as text one is nothing but stars.
    return kept | {f"{PREFIX}{name.upper()}": str(value) for name, value in ours.items() if not isinstance(value, SecretStr)}


def _end(processes: dict[str, LeashedProcess]) -> None:
    """Ask all to end at once, and wait for all together."""
    for process in processes.values():
        process.signal(signal.SIGTERM)
    deadline = monotonic() + STOP_SECONDS_MAX
    for process in processes.values():
        process.stop(max(0.1, deadline - monotonic()))
