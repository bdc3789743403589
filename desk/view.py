"""Reading the view: one consistent look at Redis for everybody who looks at the desk."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import orjson
from redis.asyncio import Redis

from models.history import Place, Stretch, Tier, blocks, fields, unpack
from models.notices import ANNOTATION, SILENCE, OverrideState
from models.view import Keys
from models.windows import DIMENSIONS, WINDOWS, Scope, parse_record_key, record_key

__all__ = ["Figures", "Look", "Read", "ViewReader", "overrides_in"]

_OVERRIDE: Final = "override"
_SCAN_COUNT: Final = 500
_PARTNERS_AT_ONCE: Final = 50


class Read(NamedTuple):
    """A record of the view."""

    raw: bytes
    body: Any


Hash = Mapping[str, Read]
"""By field."""


class Figures(NamedTuple):
    """Of one window."""

    partners: Hash
    """By key of the record: of whole partners."""
    total: Read | None


@dataclass(frozen=True, slots=True)
class Look:
    """What stood in Redis at one moment."""

    windows: Mapping[str, Figures] = field(default_factory=dict)
    alerts: Hash = field(default_factory=dict)
    incidents: Hash = field(default_factory=dict)
    silences: Hash = field(default_factory=dict)
    annotations: Hash = field(default_factory=dict)
    overrides: Hash = field(default_factory=dict)
    heartbeats: Hash = field(default_factory=dict)
    policies: Hash = field(default_factory=dict)
    outcomes: Sequence[Read] = ()
    """Oldest first."""
    projector: Read | None = None

    @property
    def complete(self) -> bool:
        """Whether the view holds all of the past that it keeps."""
        return self.projector is not None and self.projector.body.get("history_left", 0) == 0


class ViewReader:
    """Remembers what it read, so that what has not changed is not parsed again.

    Raises:
        redis.exceptions.RedisError: by every method, if Redis cannot be asked.
    """

    def __init__(self, client: Redis, keys: Keys) -> None:
        self._client = client
        self._keys = keys
        self._last = Look()

    async def look(self, windows: Iterable[str]) -> Look:
        """All that the desk shows, with the figures of whole partners in these windows."""
        keys, last, named = self._keys, self._last, tuple(windows)
        hashes = (
            keys.alerts,
            keys.incidents,
            keys.notices(SILENCE),
            keys.notices(ANNOTATION),
            keys.notices(_OVERRIDE),
            keys.heartbeats,
            keys.policies,
        )
        async with self._client.pipeline(transaction=True) as pipe:
            for key in (*hashes, *(keys.figures(window, "all") for window in named)):
                pipe.hgetall(key)
            pipe.hgetall(keys.totals)
            pipe.zrange(keys.outcomes, 0, -1)
            pipe.get(keys.projector)
            found: list[Any] = await pipe.execute()
        *stored, totals, outcomes, projector = found
        before = (last.alerts, last.incidents, last.silences, last.annotations, last.overrides, last.heartbeats, last.policies)
        alerts, incidents, silences, annotations, overrides, heartbeats, policies = (
            _hash(raw, known) for raw, known in zip(stored[: len(hashes)], before, strict=True)
        )
        figures = {}
        for window, raw in zip(named, stored[len(hashes) :], strict=True):
            known = last.windows.get(window, Figures({}, None))
            total = totals.get(window.encode())
            figures[window] = Figures(_hash(raw, known.partners), None if total is None else _read(total, known.total))
        told = {each.raw: each for each in last.outcomes}
        self._last = Look(
            windows=figures,
            alerts=alerts,
            incidents=incidents,
            silences=silences,
            annotations=annotations,
            overrides=overrides,
            heartbeats=heartbeats,
            policies=policies,
            outcomes=tuple(_read(each, told.get(each)) for each in outcomes),
            projector=None if projector is None else _read(projector, last.projector),
        )
        return self._last

    async def scopes(self, partner: str, window: str) -> list[Any]:
        """The figures of the parts of one partner, by dimension and name."""
        prefix = record_key(partner, Scope("all"), "").split("/")[0]
        found: dict[str, Any] = {}
        for dimension in DIMENSIONS[1:]:
            async for name, value in self._client.hscan_iter(
                self._keys.figures(window, dimension), match=f"{_escaped(prefix)}/*", count=_SCAN_COUNT
            ):
                found[name.decode()] = orjson.loads(value)
        order = {dimension: number for number, dimension in enumerate(DIMENSIONS)}
        scopes = {name: parse_record_key(name)[1] for name in found}
        return [found[name] for name in sorted(found, key=lambda each: (order[scopes[each].dimension], scopes[each].value))]

    async def windows(self, partner: str, scope: Scope) -> list[Any]:
        """The figures of one scope of a partner in every window that is kept, the narrowest first."""
        async with self._client.pipeline(transaction=True) as pipe:
            for each in WINDOWS:
                pipe.hget(self._keys.figures(each.name, scope.dimension), record_key(partner, scope, each.name))
            found: list[bytes | None] = await pipe.execute()
        return [orjson.loads(value) for value in found if value is not None]

    async def happened(self, partner: str) -> list[Any]:
        """The lines of a partner that the view keeps, oldest first."""
        found: Any = await self._client.zrange(self._keys.happened(partner), 0, -1)
        return [orjson.loads(value) for value in found]

    async def history(self, partner: str, scope: Scope, tier: Tier, from_ms: int, to_ms: int) -> list[Stretch]:
        """The stretches of that length that lie in [from, to), in order of time."""
        whose = record_key(partner, scope, "").removesuffix("/")
        async with self._client.pipeline(transaction=False) as pipe:
            for block in blocks(tier, from_ms, to_ms):
                pipe.hvals(self._keys.history(whose, Place(tier, block, "")))
            found: list[list[bytes]] = await pipe.execute()
        stretches = (unpack(value) for values in found for value in values)
        return sorted(each for each in stretches if from_ms <= each.from_ms and each.to_ms <= to_ms)

    async def packed(self, partners: Sequence[str], scope: Scope, tier: Tier, from_ms: int, to_ms: int) -> dict[str, list[bytes]]:
        """The stretches of several partners in [from, to) as they are packed, by partner; not of days."""
        by_block: dict[str, list[str]] = {}
        for place in fields(tier, from_ms, to_ms):
            by_block.setdefault(place.block, []).append(place.field)
        found: dict[str, list[bytes]] = {}
        # A few partners at a time: whoever waits for Redis or for this process comes in between.
        for begin in range(0, len(partners), _PARTNERS_AT_ONCE):
            some = partners[begin : begin + _PARTNERS_AT_ONCE]
            async with self._client.pipeline(transaction=False) as pipe:
                for partner in some:
                    whose = record_key(partner, scope, "").removesuffix("/")
                    for block, names in by_block.items():
                        pipe.hmget(self._keys.history(whose, Place(tier, block, "")), names)
                told: list[list[bytes | None]] = await pipe.execute()
            for at, partner in enumerate(some):
                answers = told[at * len(by_block) : (at + 1) * len(by_block)]
                found[partner] = [value for answer in answers for value in answer if value is not None]
        return found


def overrides_in(look: Look) -> list[OverrideState]:
    """Who is on call in another's place; of what a newer release wrote, what this one knows."""
    return [OverrideState.model_validate(each.body, extra="ignore") for each in look.overrides.values()]


def _hash(raw: Mapping[bytes, bytes], known: Hash) -> dict[str, Read]:
    found = {}
    for name, value in raw.items():
        field_name = name.decode()
        found[field_name] = _read(value, known.get(field_name))
    return found


def _read(value: bytes, known: Read | None) -> Read:
    return known if known is not None and known.raw == value else Read(value, orjson.loads(value))


def _escaped(text: str) -> str:
    """Text as a glob of Redis that means it; names in keys are percent-encoded, and some signs of globs are not."""
    return "".join(f"\\{letter}" if letter in "*?[]\\^-" else letter for letter in text)
