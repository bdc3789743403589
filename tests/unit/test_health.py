"""The endpoints and what they ask: ready or why not, alive as long as the loop turns, and a stalled worker ended with its reason."""

import asyncio
import json
import re
import socket
import sys
from asyncio.subprocess import DEVNULL
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from models.settings import Settings
from streams.app import build_app
from streams.engine import Engine, EngineConfig, SourceSign
from streams.health import signs
from streams.health.readiness import Note, Noted, Obstacle, Unready, notes, obstacles
from streams.health.server import endpoints
from streams.health.signs import SignsOfLife
from streams.local.service import free_port

ROOT = Path(__file__).parents[2]
REFUSED = Obstacle(Unready.REFUSED, "partition 3: applied up to 9, but the log begins at 12")


class Ended(Exception):  # noqa: N818 - stands for the end of the process
    """What `end_process` does under test."""


@dataclass
class Patient:
    found: list[Obstacle] = field(default_factory=list)
    told: list[Note] = field(default_factory=list)

    def obstacles(self) -> Sequence[Obstacle]:
        return self.found

    def notes(self) -> Sequence[Note]:
        return self.told

    def metrics(self) -> bytes:
        return b"outwatch_events_total 1.0\n"


async def get(port: int, path: str) -> tuple[int, str, str]:
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}{path}") as answer:
        return answer.status, answer.content_type, await answer.text()


def test_a_worker_with_what_it_was_given_is_ready_and_so_is_one_without_partitions() -> None:
    assert obstacles(rebalancing=False, accepting=True, refused={}) == []


@pytest.mark.parametrize(
    ("rebalancing", "accepting", "reason"),
    [(True, True, Unready.REBALANCING), (True, False, Unready.REBALANCING), (False, False, Unready.JOINING)],
)
def test_who_shares_out_or_joins_is_not_ready(rebalancing: bool, accepting: bool, reason: Unready) -> None:
    (found,) = obstacles(rebalancing=rebalancing, accepting=accepting, refused={})
    assert found.reason is reason


def test_a_refused_partition_is_named_with_its_reason() -> None:
    why = "applied up to 9, but the log begins at 12"
    assert obstacles(rebalancing=False, accepting=True, refused={3: why}) == [REFUSED]


async def test_the_endpoints_answer() -> None:
    patient, port = Patient(), free_port()
    async with endpoints(Settings(http_port=port), patient):
        assert await get(port, "/livez") == (200, "text/plain", "alive\n")
        assert (await get(port, "/readyz"))[0] == 200
        patient.found = [REFUSED]
        status, kind, text = await get(port, "/readyz")
        assert (status, kind) == (503, "application/json")
        assert '"refused"' in text
        assert "the log begins at 12" in text
        status, kind, text = await get(port, "/metrics")
        assert (status, kind, text) == (200, "text/plain", "outwatch_events_total 1.0\n")
        assert (await get(port, "/"))[0] == 404
    with pytest.raises(aiohttp.ClientConnectionError):
        await get(port, "/livez")


async def test_a_source_that_is_silent_is_told_and_keeps_nobody_from_being_ready() -> None:
    eu = SourceSign("cx.interactions", "eu", lives=False, last_ms=1_760_000_000_000)
    signs = [(3, eu), (1, SourceSign("cx.interactions", "", lives=True, last_ms=5)), (2, eu._replace(last_ms=4))]
    detail = "cx.interactions, partitions 2, 3: source eu last said that it lives at 2025-10-09 08:53:20 UTC"
    patient, port = Patient(told=notes(signs)), free_port()
    assert patient.told == [Note(Noted.SOURCE_SILENT, detail)]
    async with endpoints(Settings(http_port=port), patient):
        status, _, text = await get(port, "/readyz")
    assert (status, json.loads(text)) == (200, {"ready": True, "reasons": [], "notes": [{"reason": "source_silent", "detail": detail}]})


async def test_the_health_check_of_the_image_is_content_when_it_is_ready() -> None:
    patient, port = Patient(), free_port()
    (command,) = re.findall(r"^HEALTHCHECK .* CMD (.*)$", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    program, *arguments = json.loads(command)
    assert program == "python"

    async def check() -> int:
        ran = await asyncio.create_subprocess_exec(sys.executable, *arguments, env={"OUTWATCH_HTTP_PORT": str(port)}, stderr=DEVNULL)
        return await asyncio.wait_for(ran.wait(), 20)

    async with endpoints(Settings(http_port=port), patient):
        assert await check() == 0
        patient.found = [REFUSED]
        assert await check() == 1
    assert await check() == 1


async def test_without_a_port_nothing_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket.socket, "bind", lambda *_: pytest.fail("it listens"))
    async with endpoints(Settings(http_port=0), Patient()):
        pass


async def test_a_port_that_is_taken_is_an_error_at_the_start() -> None:
    port = free_port()
    async with endpoints(Settings(http_port=port), Patient()):
        with pytest.raises(OSError, match="address already in use"):
            async with endpoints(Settings(http_port=port), Patient()):
                pass


@dataclass
class Held:
    """What the watchdog sees of a holding."""

    engine: Engine
    rounds: int = 0
    refused: str | None = None


@pytest.fixture
def life(monkeypatch: pytest.MonkeyPatch) -> SignsOfLife:
    settings = Settings(app_id="app", partitions=1, stall_seconds=10)
    app: Any = build_app(settings)
    app.owner.accepting = True
    app.owner.holdings[0] = Held(Engine(0, EngineConfig("app", "worker", settings.topics, 1)))

    def end_process(why: str, error: BaseException | None = None) -> None:
        raise Ended(why)

    monkeypatch.setattr(signs, "end_process", end_process)
    return SignsOfLife(app, settings)


def test_a_worker_that_stalls_is_ended_saying_why(life: Any) -> None:
    for _ in range(10):
        life.look()
    with pytest.raises(Ended, match=r"^stalled: commits: partition 0 stood still for 10 s$"):
        life.look()


def test_a_refused_partition_does_not_end_the_worker_of_the_others(life: Any) -> None:
    life._app.owner.holdings[0].refused = "its topic was made anew"
    for _ in range(30):
        life.look()
    assert [each.reason for each in life.obstacles()] == [Unready.REFUSED]


def test_before_it_has_joined_a_worker_answers_with_metrics_and_what_it_waits_for(life: Any) -> None:
    life._app.owner.holdings.clear()
    life._app.owner.accepting = False
    assert life._app.reader is None
    assert b"outwatch_partners 0.0" in life.metrics()
    assert [each.reason for each in life.obstacles()] == [Unready.JOINING]


async def test_a_loop_that_does_not_turn_is_seen_by_the_thread(life: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signs, "LOOK_SECONDS", 0.001)
    with pytest.raises(Ended, match=r"^stalled: loop: the event loop"):
        await asyncio.to_thread(life._watch_loop)
