"""A desk on a real Redis, with a view as a projector writes it, and somebody of every role."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
from aiohttp import ClientResponse, ClientSession
from redis.asyncio import Redis

from desk import Desk, hashed
from models.escalation import TargetSpec
from models.incidents import Attention, IncidentMember, IncidentState, IncidentTold, Stage
from models.notices import AnnotationState, OverrideState, SilenceState
from models.notifications import NotifyReason, Target
from models.operation import Command
from models.policy_record import encode_policy, policy_key
from models.policy_spec import PartnerPart, SharedPart
from models.receivers import MailReceiver
from models.settings import Settings
from models.topics import partition_of
from models.view import Health, Keys
from models.windows import DAY_MS
from streams.health.desk_metrics import DeskMetrics
from streams.projector.projection import Projection, Record
from streams.projector.totals import Totals
from tests.view_records import AT_MS, alert_event, alert_state, heartbeat, kpi_record, outcome, rollup, stretch

PARTITIONS = 2
ROLES = ("viewer", "operator", "admin", "partner")
TOKENS = {role: f"token-of-the-{role}" for role in ROLES}
ACME_ALERT, BOREAL_ALERT = "a" * 32, "b" * 32
ACME_INCIDENT, BOREAL_INCIDENT = (f"00000000-0000-5000-8000-00000000000{number}" for number in (1, 2))
UNTOLD_INCIDENT = "00000000-0000-5000-8000-000000000003"


def users(path: Path) -> Path:
    """A file with one of each role; the partner is acme."""
    lines = [f"  - {{name: {role}, role: {role}, token_sha256: {hashed(token)}}}" for role, token in TOKENS.items() if role != "partner"]
    lines.append(f"  - {{name: partner, role: partner, partner: acme, token_sha256: {hashed(TOKENS['partner'])}}}")
    path.write_text("\n".join(["users:", *lines, ""]))
    return path


def incident(identity: str, partner: str, fingerprint: str, *, told: bool = True) -> tuple[bytes, bytes]:
    """The key and value of an incident; `told`: somebody on the partner's side was."""
    receiver = MailReceiver(id="duty", type="mail", to=("duty@example.com",), partner=partner)
    state = IncidentState(
        id=identity,
        partner=partner,
        partner_name=partner.title(),
        escalation="realtime_ops",
        labels={},
        severity="warning",
        attention=Attention.UNACKED,
        stage=Stage.STEP,
        epoch=1,
        loop=0,
        step=0,
        due_at=None,
        text="service level 40 %",
        open=1,
        members=(
            IncidentMember(
                fingerprint=fingerprint,
                episode="e1",
                rule="sl",
                scope="all",
                severity="warning",
                counted=None,
                text="service level 40 %",
                fired_at=AT_MS,
            ),
        ),
        members_dropped=0,
        told=(
            IncidentTold(
                receiver=receiver,
                target=Target(kind="partner", id="duty"),
                side="partner",
                loop=0,
                step=0,
                epoch=1,
                reason=NotifyReason.OPENED,
                notification="n1",
                at=AT_MS,
            ),
        )
        if told
        else (),
        timeline=(),
        timeline_dropped=0,
        held=None,
        assigned=TargetSpec(person="ana"),
        absorbed_by=None,
        unseen=True,
        opened_at=AT_MS,
        ended_at=None,
        resolved_by=None,
        calendar="c1",
        as_of=AT_MS,
        revision=1,
    )
    return identity.encode(), state.model_dump_json(by_alias=True).encode()


def alert(partner: str, fingerprint: str) -> tuple[bytes, bytes]:
    """The key and value of an alert under a fingerprint that reads as one."""
    _, value = alert_state(partner)
    return fingerprint.encode(), orjson.dumps({**orjson.loads(value), "fingerprint": fingerprint})


def _notices() -> Iterable[tuple[bytes, bytes]]:
    for partner in ("acme", "boreal", "*"):
        said = {"partner": partner, "actor": "ana", "at": AT_MS, "from": AT_MS}
        silence = SilenceState.model_validate(
            {**said, "id": f"s-{partner}", "matchers": {"rule": "x"}, "comment": "known", "until": AT_MS + 1}
        )
        note = AnnotationState.model_validate({**said, "id": f"n-{partner}", "kind": "outage", "text": "phones", "to": AT_MS + 1})
        for kind, each in (("silence", silence), ("annotation", note)):
            yield f"{kind}/{each.id}".encode(), each.model_dump_json(by_alias=True, exclude_none=True).encode()


def override(identity: str, rotation: str, person: str, from_ms: int, to_ms: int) -> tuple[bytes, bytes]:
    """The key and value of an override."""
    said = {"id": identity, "partner": "*", "actor": "ana", "at": AT_MS, "from": from_ms, "to": to_ms}
    state = OverrideState.model_validate({**said, "rotation": rotation, "person": person})
    return f"override/{identity}".encode(), state.model_dump_json(by_alias=True, exclude_none=True).encode()


def _policy(part: SharedPart | PartnerPart) -> tuple[bytes, bytes]:
    partner = part.id if isinstance(part, PartnerPart) else "*"
    return policy_key(partner, "current"), encode_policy(part, AT_MS).model_dump_json().encode()


def _person(identity: str, name: str, partner: str | None) -> dict[str, Any]:
    return {"id": identity, "name": name, "reach": {"mail": [f"{identity}@example.com"]}} | ({"partner": partner} if partner else {})


def _rotation(identity: str, person: str, partner: str | None) -> dict[str, Any]:
    layer = {"starts": "2026-01-05T09:00", "rrule": "FREQ=WEEKLY", "members": [person]}
    return {"id": identity, "timezone": "UTC", "layers": [layer]} | ({"partner": partner} if partner else {})


_LEVEL = {"severity": "warning", "enter": 0.8, "exit": 0.83, "for": 60}
_DUTIES = (("ops", "ana", "Ana Silva", None), ("acme_duty", "bia", "Bia", "acme"), ("boreal_duty", "cy", "Cy", "boreal"))
SHARED = SharedPart.model_validate(
    {
        "definition": {"targets": {"service_level": {"target": 0.8, "critical": 0.65}}},
        "rules": [{"id": "sl", "kpi": "service_level", "window": "15m", "direction": "below", "levels": [_LEVEL]}],
        "people": [*(_person(person, name, partner) for _, person, name, partner in _DUTIES), _person("bo", "Bo", "acme")],
        "rotations": [_rotation(rotation, person, partner) for rotation, person, _, partner in _DUTIES],
    }
)


def records(settings: Settings, at_ms: int = AT_MS) -> list[Record]:
    """Two partners with all that a view holds of them."""
    topics, found = settings.topics, list[Record]()

    def put(topic: str, *values: tuple[bytes, bytes], partition: int = 0) -> None:
        found.extend(Record(topic, partition, key, value) for key, value in values)

    for partner in ("acme", "boreal"):
        put(topics.policies, _policy(PartnerPart(id=partner, name=partner.title())))
        put(topics.kpis, kpi_record(partner, {"answered": 90, "answered_within": 80, "abandoned": 10}, at_ms=at_ms))
        put(topics.kpis, kpi_record(partner, {"answered": 9, "abandoned": 1}, scope="queue=a*b", at_ms=at_ms))
        minute_ms = at_ms - at_ms % 900_000
        for ago in range(1, 31):
            body = rollup({"answered": 9, "answered_within": 8, "abandoned": 1}, partner=partner, at_ms=minute_ms - ago * 60_000)
            put(topics.rollups_1m, stretch(body))
    put(topics.policies, _policy(SHARED))
    for number in range(PARTITIONS):
        put(topics.heartbeats, heartbeat(number, at_ms), partition=number)
    put(topics.alerts_state, alert("acme", ACME_ALERT), alert("boreal", BOREAL_ALERT), *_notices())
    put(topics.alerts_state, override("o-acme", "acme_duty", "bo", at_ms + DAY_MS, at_ms + 2 * DAY_MS))
    put(topics.incidents, incident(ACME_INCIDENT, "acme", ACME_ALERT), incident(BOREAL_INCIDENT, "boreal", BOREAL_ALERT))
    put(topics.incidents, incident(UNTOLD_INCIDENT, "acme", "c" * 32, told=False))
    put(topics.alerts, alert_event("acme", 1, at_ms=at_ms), alert_event("boreal", 2, at_ms=at_ms))
    put(topics.alerts, outcome("c-acme"), outcome("c-boreal", "boreal"))
    return found


async def fill(client: Redis, settings: Settings, some: Iterable[Record], at_ms: int = AT_MS) -> None:
    """Write records into the view as a projector does."""
    keys = Keys(settings.app_id)
    projection = Projection(settings.topics, keys, Totals())
    commands = [command for record in some for command in projection.project(record)]
    async with client.pipeline() as pipe:
        for command in (*commands, *projection.totals(), *projection.gathered()):
            pipe.execute_command(*command)
        health = Health(as_of=at_ms, worker="p1", lag_records=0, unreadable=0, rebuilds=1)
        pipe.set(keys.projector, health.model_dump_json())
        await pipe.execute()


class Served:
    """A desk that answers, and what it was asked to write."""

    def __init__(self, desk: Desk, settings: Settings, client: Redis, session: ClientSession, metrics: DeskMetrics) -> None:
        self.desk = desk
        self.metrics = metrics
        self.settings = settings
        self.client = client
        self.folder = Path(str(settings.desk_users)).parent
        self.session = session
        self.now_ms = AT_MS
        self.commands: list[Command] = []
        self.refuses = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.desk.port}"

    async def ask(self, path: str, role: str | None = "viewer", method: str = "GET", **more: Any) -> ClientResponse:
        """An answer, its body read; without a role nobody says who asks."""
        headers = {**({"Authorization": f"Bearer {TOKENS[role]}"} if role else {}), **more.pop("headers", {})}
        async with self.session.request(method, f"{self.url}{path}", headers=headers, **more) as response:
            await response.read()
            return response

    async def get(self, path: str, role: str = "viewer") -> Any:
        response = await self.ask(path, role)
        assert response.status == 200, await response.text()
        return await response.json()

    async def post(self, name: str, body: Any, role: str = "operator") -> ClientResponse:
        return await self.ask(f"/api/v1/{name}", role, "POST", json=body)


@asynccontextmanager
async def serving(redis_url: str, app_id: str, folder: Path, **more: Any) -> AsyncIterator[Served]:
    """A desk whose view is that of `records`."""
    settings = Settings(
        redis_url=redis_url, app_id=app_id, partitions=PARTITIONS, clock="log", desk_port=0, desk_users=users(folder / "users.yaml"), **more
    )
    stop = asyncio.Event()
    async with Redis.from_url(redis_url) as client, ClientSession() as session:

        async def send(command: Command) -> None:
            if served.refuses:
                msg = "no broker"
                raise ConnectionError(msg)
            served.commands.append(command)

        await fill(client, settings, records(settings))
        metrics = DeskMetrics()
        desk = Desk(settings, client, send, lambda: served.now_ms, metrics)
        served = Served(desk, settings, client, session, metrics)
        task = asyncio.create_task(desk.run(stop))
        try:
            async with asyncio.timeout(10):
                while desk.port == 0 or not desk.sees:
                    assert not task.done(), task.result()
                    await asyncio.sleep(0.01)
            yield served
        finally:
            stop.set()
            await asyncio.wait_for(task, 10)


def partition(partner: str) -> int:
    return partition_of(partner, PARTITIONS)
