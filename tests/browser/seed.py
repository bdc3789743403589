"""A view of a house full of partners, and a desk that shows it: for the browser tests, and for whoever works on the page.

`python -m tests.browser.seed --partners 200 --port 8090` starts a Redis and a desk on this machine, prints the address and a token of each
role, and lets figures change every second until Ctrl-C. Commands are answered at once, without Kafka: an alert that is acknowledged is so.
"""

import argparse
import asyncio
import tempfile
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import orjson
from redis.asyncio import Redis

from desk import Desk
from models import clock
from models.commands import ACK
from models.operation import Command
from models.settings import Settings
from models.view import Keys
from models.windows import DAY_MS, HOUR_MS, MINUTE_MS, QUARTER_MS
from streams.health.desk_metrics import DeskMetrics
from streams.local.redis import LocalRedis
from streams.projector.projection import Projection, Record
from streams.projector.totals import Totals
from streams.signals import stop_on_signals, wait_or_stop
from streams.trial.offline import policy_records
from tests.browser.floor import CHANNELS, QUEUES, counted, waiting
from tests.browser.house import SILENT_SOURCE, Doing, House, Partner
from tests.browser.trouble import alert, incident, notices, transitions, trouble_of
from tests.desks import TOKENS, fill, users
from tests.view_records import kpi_record, outcome, rollup, stretch
from tests.waiting import until

__all__ = ["PARTITIONS", "View", "beats", "figures", "history", "present"]

PARTITIONS: Final = 4
_WINDOWS_MS: Final = {
    "5m": 5 * MINUTE_MS,
    "15m": QUARTER_MS,
    "30m": 2 * QUARTER_MS,
    "1h": HOUR_MS,
    "4h": 4 * HOUR_MS,
    "24h": DAY_MS,
    "7d": 7 * DAY_MS,
    "30d": 30 * DAY_MS,
    "today": DAY_MS // 2,
    "month": 20 * DAY_MS,
}
_CHANGING: Final = ("5m", "15m")
_DEEP: Final = 6
"""So many partners have history for long charts."""


def figures(house: House, partner: Partner, windows: Iterable[str], at_ms: int) -> Iterator[tuple[bytes, bytes]]:
    """The present figures of a whole partner."""
    for name in windows if partner.has_figures else ():
        live = waiting(partner, at_ms) if _WINDOWS_MS[name] <= HOUR_MS else None
        measures = counted(partner, at_ms - _WINDOWS_MS[name], at_ms)
        known = partner.doing is not Doing.UNKNOWN
        yield kpi_record(
            partner.id, measures, window_name=name, at_ms=at_ms, live=live, definition=house.definition(partner), configured=known
        )


def _parts(house: House, partner: Partner, at_ms: int) -> Iterator[tuple[bytes, bytes]]:
    for scope, share in _shares():
        worse = 0.12 if scope == "queue=billing" and partner.doing in (Doing.CRITICAL, Doing.WARNING) else 0.0
        measures = counted(partner, at_ms - QUARTER_MS, at_ms, share, worse=worse)
        yield kpi_record(partner.id, measures, scope=scope, at_ms=at_ms, definition=house.definition(partner))


def _shares() -> Iterator[tuple[str, float]]:
    for dimension, shares in (("queue", QUEUES), ("channel", CHANNELS)):
        yield from ((f"{dimension}={name}", share) for name, share in shares.items())


def beats(at_ms: int, silent_since_ms: int | None = None) -> Iterator[tuple[int, tuple[bytes, bytes]]]:
    """The heartbeats of every partition; `silent_since_ms`: of the last one none came since."""
    for number in range(PARTITIONS):
        last_ms = at_ms if silent_since_ms is None or number < PARTITIONS - 1 else silent_since_ms
        beat = {
            "partition": number,
            "frontier": last_ms,
            "as_of": last_ms,
            "revision": 1,
            "evaluated_to": last_ms,
            "worker": f"worker-{number}",
        }
        more = {"offsets": {}, "counters": {}, "cadence_seconds": 1.0, "sources": {"": True, SILENT_SOURCE: False}}
        yield number, (b"%d" % number, orjson.dumps(beat | more))


def present(settings: Settings, house: House) -> list[Record]:
    """What is so now: policy, figures, alerts, incidents, what was said, signs of life."""
    topics, at_ms, found = settings.topics, house.at_ms, list[Record]()

    def put(topic: str, values: Iterable[tuple[bytes, bytes]]) -> None:
        found.extend(Record(topic, 0, key, value) for key, value in values)

    put(topics.policies, policy_records(house.policy, at_ms))
    for partner in house.partners:
        own = list(figures(house, partner, _WINDOWS_MS, at_ms))
        put(topics.kpis, own)
        if partner.has_figures and partner.doing is not Doing.SILENT:
            put(topics.kpis, _parts(house, partner, at_ms))
        firing = []
        for trouble in trouble_of(partner):
            figure = _figure(own, trouble.window, trouble.kpi)
            key, value = alert(trouble, figure, at_ms)
            put(topics.alerts_state, [(key, value)])
            put(topics.alerts, transitions(trouble, figure, at_ms))
            if trouble.state == "firing" and not trouble.suppressed_by:
                firing.append((trouble, orjson.loads(value)["explanation"]))
        if firing:
            put(topics.incidents, [incident(partner, firing, at_ms)])
    put(topics.alerts_state, notices(house))
    put(topics.alerts, [outcome("c-before", at_ms=at_ms - MINUTE_MS)])
    found.extend(Record(topics.heartbeats, number, *beat) for number, beat in beats(at_ms))
    return found


def _figure(own: Iterable[tuple[bytes, bytes]], window: str, kpi: str) -> dict[str, Any]:
    for key, value in own:
        kpis = orjson.loads(value)["kpis"]
        if key.decode().endswith(f"/{window}") and kpi in kpis:
            return dict(kpis[kpi])
    return {"value": None, "unit": "s", "definition": "now", **dict.fromkeys(("numerator", "denominator", "n", "ci_low", "ci_high"))}


def history(settings: Settings, house: House) -> list[Record]:
    """Closed stretches: of everybody two hours by minutes, a day by quarter hours and 35 days; of the first few much more."""
    topics, at_ms, found = settings.topics, house.at_ms, list[Record]()
    for partner in house.partners:
        deep = partner.number < _DEEP
        spans = (
            (topics.rollups_1m, MINUTE_MS, 480 if deep else 120),
            (topics.rollups_15m, QUARTER_MS, 96 * (14 if deep else 1)),
            (topics.rollups_1d, DAY_MS, 400 if deep else 35),
        )
        for topic, width_ms, many in spans if partner.has_figures else ():
            end_ms = at_ms - at_ms % width_ms
            for from_ms in range(end_ms - many * width_ms, end_ms, width_ms):
                measures = counted(partner, from_ms, from_ms + width_ms)
                if measures:
                    body = rollup(measures, partner=partner.id, at_ms=from_ms, width_ms=width_ms)
                    body["final"] = from_ms + width_ms < at_ms - 35 * MINUTE_MS
                    found.append(Record(topic, 0, *stretch(body, _date(from_ms) if width_ms == DAY_MS else None)))
    return found


def _date(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d")


class View:
    """The view in Redis: written whole once, then as figures change.

    Args:
        client: of the Redis.
        settings: whose view.
        house: what stands in it.
    """

    def __init__(self, client: Redis, settings: Settings, house: House) -> None:
        self._client = client
        self._settings = settings
        self.house = house
        self._totals = Totals()
        self._projection = Projection(settings.topics, Keys(settings.app_id), self._totals)
        self._next = 0
        self.silent_since_ms: int | None = None
        """From when on the last partition's worker says nothing; None: it lives."""

    async def begin(self) -> None:
        """Write all that is so now."""
        await self.put(present(self._settings, self.house))
        await fill(self._client, self._settings, (), self.house.at_ms)

    async def go_back(self) -> None:
        """Write what is past."""
        found = await asyncio.to_thread(history, self._settings, self.house)
        await fill(self._client, self._settings, found, self.house.at_ms)

    async def put(self, some: Iterable[Record]) -> None:
        """Write records as a projector does."""
        commands = [command for record in some for command in self._projection.project(record)]
        async with self._client.pipeline() as pipe:
            for command in (*commands, *self._projection.gathered(), *self._projection.totals()):
                pipe.execute_command(*command)
            await pipe.execute()

    async def live(self, at_ms: int, changing: int) -> None:
        """What a second brings: signs of life, and other figures of the next so many partners."""
        topics, partners = self._settings.topics, self.house.partners
        some = [partners[(self._next + number) % len(partners)] for number in range(min(changing, len(partners)))]
        self._next = (self._next + len(some)) % len(partners)
        records = [Record(topics.kpis, 0, *each) for partner in some for each in figures(self.house, partner, _CHANGING, at_ms)]
        records += [Record(topics.heartbeats, number, *beat) for number, beat in beats(at_ms, self.silent_since_ms)]
        await self.put(records)
        await fill(self._client, self._settings, (), at_ms)

    async def answer(self, command: Command) -> None:
        """What comes of a command where no worker is: it is applied, and of what it asks the acknowledgement of an alert is done."""
        at_ms, topics, partner = clock.now_ms(), self._settings.topics, command.partner
        done = {"id": command.id, "command": command.type, "partner": partner, "outcome": "applied", "reason": f"by {command.actor}"}
        records = [Record(topics.alerts, 0, partner.encode(), orjson.dumps(done | {"processed_at": at_ms}))]
        key = str(command.payload.get("fingerprint", "")).encode()
        raw = await self._client.hget(Keys(self._settings.app_id).alerts, key) if command.type == ACK else None
        if raw is not None:
            ack = {"actor": command.actor, "at": at_ms, "until": command.payload.get("until"), "comment": command.payload.get("comment")}
            records.append(Record(topics.alerts_state, 0, key, orjson.dumps({**orjson.loads(raw), "ack": ack})))
        await self.put(records)


async def _serve(redis_url: str, folder: Path, partners: int, port: int, changing: int) -> None:
    settings = Settings(
        redis_url=redis_url, app_id="seed", partitions=PARTITIONS, desk_port=port, desk_users=users(folder / "users.yaml"), _env_file=None
    )
    stop = stop_on_signals()
    async with Redis.from_url(redis_url) as client:
        view = View(client, settings, House(partners, clock.now_ms()))
        await view.begin()
        desk = Desk(settings, client, view.answer, clock.now_ms, DeskMetrics())
        serving = asyncio.create_task(desk.run(stop))

        async def listens() -> bool:
            return desk.port != 0 or serving.done()

        await until(listens)
        print(f"http://127.0.0.1:{desk.port}/   {partners} partners, {changing} of them change each second; Ctrl-C ends it", flush=True)
        for role, token in TOKENS.items():
            print(f"  {role:<9} {token}", flush=True)
        past = asyncio.create_task(view.go_back())
        while not stop.is_set() and not serving.done():
            await view.live(clock.now_ms(), changing)
            await wait_or_stop(stop, 1.0)
        await past
        await serving


def main() -> None:
    """Serve until Ctrl-C."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--partners", type=int, default=200)
    parser.add_argument("--port", type=int, default=0, help="0 is any that is free")
    parser.add_argument("--changes", type=int, default=20, help="partners whose figures change each second")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="outwatch-seed-", ignore_cleanup_errors=True) as folder, LocalRedis(Path(folder)) as redis:
        asyncio.run(_serve(redis.url, Path(folder), chosen.partners, chosen.port, chosen.changes))


if __name__ == "__main__":
    main()
