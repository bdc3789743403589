"""The endpoints, in the loop that they tell of.

| path | answers |
| --- | --- |
| `/livez` | 200 as long as the loop turns; what stalls ends the process, so that no answer comes |
| `/readyz` | 200, or 503 with the reasons as JSON; with either what else an operator wants to know |
| `/metrics` | Prometheus' text format |
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Protocol

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST

from models.settings import Settings
from streams.health.readiness import Note, Obstacle

__all__ = ["Patient", "endpoints"]


class Patient(Protocol):
    """What the endpoints tell of."""

    def obstacles(self) -> Sequence[Obstacle]:
        """Why it is not ready; nothing if it is."""

    def notes(self) -> Sequence[Note]:
        """What an operator wants to know although it keeps nothing from being ready."""

    def metrics(self) -> bytes:
        """Its metrics in Prometheus' text format."""


@asynccontextmanager
async def endpoints(settings: Settings, patient: Patient) -> AsyncIterator[None]:
    """Answer until the context ends; does nothing where the port is 0.

    Raises:
        OSError: if the port is taken.
    """
    if settings.http_port == 0:
        yield
        return
    app = web.Application()
    answers = _Answers(patient)
    app.add_routes([web.get("/livez", answers.alive), web.get("/readyz", answers.ready), web.get("/metrics", answers.metrics)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, settings.http_host, settings.http_port).start()
        yield
    finally:
        await runner.cleanup()


class _Answers:
    def __init__(self, patient: Patient) -> None:
        self._patient = patient

    async def alive(self, _: web.Request) -> web.Response:
        return web.Response(text="alive\n")

    async def ready(self, _: web.Request) -> web.Response:
        found = self._patient.obstacles()
        told = [each._asdict() for each in self._patient.notes()]
        body = {"ready": not found, "reasons": [each._asdict() for each in found]} | ({"notes": told} if told else {})
        return web.json_response(body, status=HTTPStatus.SERVICE_UNAVAILABLE if found else HTTPStatus.OK)

    async def metrics(self, _: web.Request) -> web.Response:
        return web.Response(body=self._patient.metrics(), headers={"Content-Type": CONTENT_TYPE_LATEST})
