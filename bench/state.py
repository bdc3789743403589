"""What state costs: memory, rows at rest, and what is written while it lives; of engines in memory, without Kafka.

    python -m bench.state [PARTNERSxCONTACTS_A_DAY[xSITES] ...]

A ledger of 35 days is filled as contacts that come by chance fill it, so many a day and partner; then each queue of each partner has
an event a second, so that everything that is published changes. With sites the policy splits partners by site, and events name one of
so many: what a site costs is the difference to a run without, by their number.
"""

import gc
import os
import random
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from math import exp
from typing import Final

import orjson

from bench.crew import resident_bytes
from bench.engine import finish
from models.policy_record import CURRENT, encode_policy, policy_key
from models.policy_spec import SharedPart
from models.settings import Settings
from models.topics import BROADCAST
from models.windows import DAY_MS, GRID_MS, HOUR_MS, MINUTE_MS, WINDOWS
from streams.engine import Budget, Engine, EngineConfig
from streams.trial.offline import Record

__all__ = ["Cost", "cost", "table"]

QUEUES: Final = 14
CHANNELS: Final = 5
SCOPES: Final = 1 + QUEUES + CHANNELS
_TIERS: Final = ((35 * DAY_MS, DAY_MS), (48 * HOUR_MS, 15 * MINUTE_MS), (5 * HOUR_MS, MINUTE_MS), (35 * MINUTE_MS, GRID_MS))
"""(from how long ago, how far apart) panes lie as they will be held at the end."""
_RATED: Final = 0.25
_END_MS: Final = 1_790_000_000_000
_LIVE_SECONDS: Final = 60
_IDS: Final = 200_000
_PRODUCT: Final = Budget(2_000, 5_000_000)
"""What a worker publishes in a second: what it has in hand meanwhile is bounded by that too."""
_UNBOUND: Final = Budget(10**12, 10**12)


@dataclass(frozen=True, slots=True)
class Cost:
    """What was measured."""

    partners: int
    contacts_a_day: float
    """Of each partner."""
    sites: int
    """Of each partner."""
    state_bytes: int
    """Of memory, for the ledgers."""
    rows: int
    row_bytes: int
    """Keys and values, at rest."""
    records_a_second: float
    record_bytes_a_second: float
    rows_a_second: float
    row_bytes_a_second: float
    """Where each queue of each partner has an event a second, and no limit binds."""
    id_bytes: float
    """Of memory, for a remembered event id."""

    @property
    def scopes(self) -> int:
        """Of all partners."""
        return self.partners * (SCOPES + self.sites)


class _Bench:
    """One engine, and the rows that its changelog keeps."""

    def __init__(self, partners: int, sites: int = 0) -> None:
        settings = Settings(partitions=1)
        self._topics = settings.topics
        self._topic = settings.topics.interactions
        self._engine = Engine(0, EngineConfig(app_id="bench", worker="bench", topics=settings.topics, partitions=1))
        self._names = [f"partner-{number:03}" for number in range(partners)]
        self._draw = random.Random(1)
        self._offset, self._sites = 0, sites
        if sites:
            value = encode_policy(SharedPart(scopes=("site",)), 0).model_dump_json().encode()
            split = Record(self._topics.policies, 0, 0, 0, policy_key(BROADCAST, CURRENT), value)
            finish(self._engine.apply(self._topics.policies, 0, [split], 0))
        self.sizes: dict[bytes, int] = {}
        self.written: Counter[str] = Counter()

    def events(self, at_ms: int, what: str, share: float = 1.0) -> Iterator[Record]:
        """A contact of each queue of each partner, or of a share of them, and ratings of some."""
        for name in self._names:
            for queue in range(QUEUES):
                if self._draw.random() >= share:
                    continue
                common = {"partner_id": name, "queue": f"queue-{queue}", "channel": f"channel-{queue % CHANNELS}", "occurred_at": at_ms}
                if self._sites:
                    common["site"] = f"site-{self._draw.randrange(self._sites)}"
                identity = f"{what}-{at_ms}-{queue}"
                yield self._record(at_ms, name, common | {"type": "contact.answered", "event_id": f"a{identity}", "wait_seconds": 7})
                if self._draw.random() >= _RATED:
                    continue
                rating = {"type": "survey.response", "event_id": f"s{identity}", "survey": "csat", "score": 4}
                yield self._record(at_ms, name, common | rating)

    def _record(self, at_ms: int, name: str, event: dict[str, object]) -> Record:
        self._offset += 1
        return Record(self._topic, 0, self._offset - 1, at_ms, name.encode(), orjson.dumps(event))

    def apply(self, records: list[Record], at_ms: int) -> None:
        """Count what arrived at `at_ms`, and let time go on to there."""
        if records:
            finish(self._engine.apply(self._topic, records[0].offset, records, at_ms))
        for topic in self._topics.subscribed:
            self._engine.idle(topic, at_ms)
        finish(self._engine.advance())

    def drain(self, now_ms: int, budget: Budget) -> None:
        """Commit: rows take the places of older ones under their keys."""
        commit = self._engine.drain(now_ms, budget)
        if commit is None:
            return
        for key, value in commit.rows:
            self.written.update(rows=1, row_bytes=len(key) + len(value or b""))
            if value is None:
                self.sizes.pop(key, None)
            else:
                self.sizes[key] = len(key) + len(value)
        self.written.update(records=len(commit.records), record_bytes=sum(len(each.value or b"") for each in commit.records))


def cost(partners: int, contacts_a_day: float, sites: int = 0) -> Cost:
    """Measure partners of whom each has so many contacts a day, evenly over its queues, and over its sites if it has any."""
    bench = _Bench(partners, sites)
    before = _resident()
    for at_ms, step_ms in _moments():
        share = 1 - exp(-contacts_a_day / QUEUES * step_ms / DAY_MS)
        bench.apply(list(bench.events(at_ms, "past", share)), at_ms)
        bench.drain(at_ms, _PRODUCT)
    state = _resident() - before
    rows, row_bytes = len(bench.sizes), sum(bench.sizes.values())
    bench.written.clear()
    for second in range(1, _LIVE_SECONDS + 1):
        at_ms = _END_MS + 1000 * second
        bench.apply(list(bench.events(at_ms, "live")), at_ms)
        bench.drain(at_ms, _UNBOUND)
    written = bench.written
    records, record_bytes, changed, changed_bytes = (
        written[name] / _LIVE_SECONDS for name in ("records", "record_bytes", "rows", "row_bytes")
    )
    return Cost(partners, contacts_a_day, sites, state, rows, row_bytes, records, record_bytes, changed, changed_bytes, _id_bytes())


def _moments() -> Iterator[tuple[int, int]]:
    """When each pane of each tier begins, and how long it is, as they will lie at the end."""
    for (ago_ms, step_ms), (until_ms, _) in zip(_TIERS, (*_TIERS[1:], (0, 0)), strict=True):
        for at_ms in range(_END_MS - ago_ms, _END_MS - until_ms, step_ms):
            yield at_ms, step_ms


def _id_bytes() -> float:
    """What an id more takes: one partner, one pane, many events."""
    bench = _Bench(1)
    bench.apply([], _END_MS)
    before, ids = _resident(), 0
    while ids < _IDS:
        records = list(bench.events(_END_MS, f"id-{ids}"))
        ids += len(records)
        bench.apply(records, _END_MS)
    return (_resident() - before) / ids


def _resident() -> int:
    gc.collect()
    return resident_bytes(os.getpid())


def table(each: Cost) -> str:
    """What the page says."""
    scopes, windows = each.scopes, each.scopes * len(WINDOWS)
    lines = {
        "memory of a partner's scope, MB": f"{each.state_bytes / scopes / 1e6:.3f}",
        "memory of a scope and window, kB": f"{each.state_bytes / windows / 1e3:.1f}",
        "rows at rest of a partner": f"{each.rows / each.partners:,.0f}",
        "rows at rest of a scope, kB": f"{each.row_bytes / scopes / 1e3:.1f}",
        "KPI records a second and partner": f"{each.records_a_second / each.partners:.1f}",
        "bytes of a KPI record": f"{each.record_bytes_a_second / each.records_a_second:,.0f}",
        "rows written a second and partner": f"{each.rows_a_second / each.partners:.2f}",
        "changelog, kB a second and partner": f"{each.row_bytes_a_second / each.partners / 1e3:.1f}",
        "memory of a remembered id, bytes": f"{each.id_bytes:.0f}",
    }
    head = f"| {each.partners} partners x {SCOPES + each.sites} scopes, {each.contacts_a_day:,.0f} contacts a day each | |\n| --- | --- |\n"
    return head + "\n".join(f"| {name} | {value} |" for name, value in lines.items())


if __name__ == "__main__":
    for name in sys.argv[1:] or ("20x2000", "20x200"):
        how_many, how_often, *sites = name.split("x")
        sys.stdout.write(table(cost(int(how_many), float(how_often), *map(int, sites))) + "\n\n")
