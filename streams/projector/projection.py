"""What a record of the topics does to the view: Redis commands. Pure."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import orjson

from models.errors import PolicyError
from models.happened import KINDS, line
from models.history import BLOCK_MS, KEPT_MS, Tier, pack, place_of
from models.policy_record import CURRENT, decode_policy
from models.topics import BROADCAST, Topics
from models.view import HAPPENED_KEPT_MS, HAPPENED_MAX, OUTCOMES_MAX, TRANSITIONS_MAX, Keys
from models.windows import parse_record_key
from streams.projector.totals import Totals

__all__ = ["Command", "Projection", "Record", "UnreadableError", "together"]

Command = tuple[str | bytes | int, ...]
"""A Redis command with its arguments."""


_ONE_FIELD: Final = 4
"""(HSET, key, field, value)."""


class UnreadableError(ValueError):
    """Raised when a record of our own topics makes no sense; the view goes on without it."""


class Record(NamedTuple):
    """What counts of a Kafka record; a `value` of None is a tombstone."""

    topic: str
    partition: int
    key: bytes
    value: bytes | None


@dataclass(slots=True)
class _Block:
    """What a batch says of the stretches under one key: a command for all of them takes a third of the time of one for each."""

    fields: dict[str, bytes | None]
    until_ms: int = 0

    def commands(self, key: str) -> list[Command]:
        found = _fields(key, self.fields)
        return [found[0], ("PEXPIREAT", key, self.until_ms), *found[1:]] if found and found[0][0] == "HSET" else found


@dataclass(slots=True)
class _Happened:
    """What a batch says of what happened to a partner."""

    lines: list[int | bytes]
    """Scores and members in turn."""
    until_ms: int = 0

    def commands(self, key: str) -> list[Command]:
        # A line that is read again is the same member: nothing stands there twice.
        return [("ZADD", key, *self.lines), ("ZREMRANGEBYRANK", key, 0, -HAPPENED_MAX - 1), ("PEXPIREAT", key, self.until_ms)]


class Projection:
    """Turns records into commands, and keeps the totals of what it saw."""

    def __init__(self, topics: Topics, keys: Keys, totals: Totals) -> None:
        self._keys = keys
        self._totals = totals
        self._of_topic: dict[str, Callable[[Record], list[Command]]] = {
            topics.kpis: self._figures,
            topics.alerts: self._transition,
            topics.alerts_state: self._alert,
            topics.incidents: self._incident,
            topics.heartbeats: self._heartbeat,
            topics.policies: self._policy,
        }
        self._blocks: dict[str, _Block] = {}
        self._happened: dict[str, _Happened] = {}
        """By partner."""
        self._tier_of_topic = {
            topics.rollups_1m: Tier.MINUTE,
            topics.rollups_15m: Tier.QUARTER,
            topics.rollups_1d: Tier.DAY,
        }

    @property
    def present(self) -> tuple[str, ...]:
        """The topics of what is so now."""
        return tuple(self._of_topic)

    @property
    def history(self) -> tuple[str, ...]:
        """The topics of closed stretches: the shortest first, since a day that is charted is mostly the last."""
        return tuple(self._tier_of_topic)

    def go_on_with(self, totals: Totals) -> None:
        """Forget what was summed, for what the view holds."""
        self._totals = totals
        self._blocks.clear()
        self._happened.clear()

    def totals(self) -> list[Command]:
        """The commands for the totals that changed since the last call."""
        return [_set_or_delete(self._keys.totals, window.encode(), total) for window, total in self._totals.drain().items()]

    def gathered(self) -> list[Command]:
        """The commands for what the records since the last call come to together: blocks of history, and what happened to partners."""
        found = [command for key, block in self._blocks.items() for command in block.commands(key)]
        found += [command for partner, told in self._happened.items() for command in told.commands(self._keys.happened(partner))]
        self._blocks.clear()
        self._happened.clear()
        return found

    def project(self, record: Record) -> list[Command]:
        """The commands of one record.

        Raises:
            UnreadableError: if it makes no sense.
        """
        try:
            tier = self._tier_of_topic.get(record.topic)
            return self._of_topic[record.topic](record) if tier is None else self._stretch(tier, record)
        except (PolicyError, ValueError, KeyError, TypeError) as error:
            msg = f"{type(error).__name__}: {error}"
            raise UnreadableError(msg) from error

    def _figures(self, record: Record) -> list[Command]:
        partner, scope, window = parse_record_key(record.key.decode())
        if scope.dimension == "all":
            self._totals.put(window, partner, None if record.value is None else orjson.loads(record.value))
        return [_set_or_delete(self._keys.figures(window, scope.dimension), record.key, record.value)]

    def _stretch(self, tier: Tier, record: Record) -> list[Command]:
        whose, _, last = record.key.decode().rpartition("/")
        _, separator, scope = whose.partition("/")
        if not separator or not last:
            msg = f"not a key of a stretch: {record.key!r}"
            raise ValueError(msg)
        if tier is not Tier.DAY and scope != "all":
            return []  # Of parts of a partner the view keeps days alone.
        place = place_of(tier, last)
        block = self._blocks.setdefault(self._keys.history(whose, place), _Block({}))
        if record.value is None:
            block.fields[place.field] = None
            return []
        body = orjson.loads(record.value)
        block.fields[place.field] = pack(body)
        # By the wall time of the commit: the stream's own may be another year, and a view that is built anew keeps nothing longer.
        block.until_ms = max(block.until_ms, body["as_of"] + KEPT_MS[tier] + BLOCK_MS[tier])
        return []

    def _alert(self, record: Record) -> list[Command]:
        kind, _, identity = record.key.partition(b"/")
        if identity:
            return [_set_or_delete(self._keys.notices(kind.decode()), identity, record.value)]
        return [_set_or_delete(self._keys.alerts, record.key, record.value)]

    def _transition(self, record: Record) -> list[Command]:
        event: dict[str, Any] = orjson.loads(record.value or b"null")
        if "transition" in event and event["transition"]["kind"] in KINDS:
            # All of it is read before anything is kept: half a line would make Redis refuse the batch, again and again.
            said, until_ms = (int(event["evaluated_at"]), line(event)), event["processed_at"] + HAPPENED_KEPT_MS
            told = self._happened.setdefault(event["partner"], _Happened([]))
            told.lines += said
            told.until_ms = max(told.until_ms, until_ms)
        # What came of a command stands in the same topic.
        key, most = (self._keys.outcomes, OUTCOMES_MAX) if "outcome" in event else (self._keys.transitions, TRANSITIONS_MAX)
        return [("ZADD", key, int(event["processed_at"]), record.value or b""), ("ZREMRANGEBYRANK", key, 0, -most - 1)]

    def _incident(self, record: Record) -> list[Command]:
        return [_set_or_delete(self._keys.incidents, record.key, record.value)]

    def _heartbeat(self, record: Record) -> list[Command]:
        return [_set_or_delete(self._keys.heartbeats, b"%d" % record.partition, record.value)]

    def _policy(self, record: Record) -> list[Command]:
        # The shared part stands in every partition; one of them is enough, and keeps two that are read apart from overtaking.
        if not record.key.endswith(b"/" + CURRENT.encode()) or (record.key.startswith(BROADCAST.encode()) and record.partition):
            return []
        change = decode_policy(record.key, record.value)
        if change.partner != BROADCAST:
            self._totals.configure(change.partner, configured=record.value is not None)
        return [_set_or_delete(self._keys.policies, change.partner.encode(), record.value)]


def together(commands: Iterable[Command]) -> list[Command]:
    """Commands that come to the same, one for all fields of a hash: each that is sent and answered costs more than what it carries."""
    hashes: dict[str, dict[Any, Any]] = {}
    found = list[Command]()
    for command in commands:
        # What is said of a field last holds; `_set_or_delete` says one thing of one field.
        if command[0] == "HSET" and len(command) == _ONE_FIELD:
            hashes.setdefault(str(command[1]), {})[command[2]] = command[3]
        elif command[0] == "HDEL" and len(command) == _ONE_FIELD - 1:
            hashes.setdefault(str(command[1]), {})[command[2]] = None
        else:
            found.append(command)
    for key, fields in hashes.items():
        found += _fields(key, fields)
    return found


def _fields(key: str, fields: Mapping[Any, bytes | None]) -> list[Command]:
    """Set what has a value and delete what has none."""
    kept = [part for field, value in fields.items() if value is not None for part in (field, value)]
    gone = [field for field, value in fields.items() if value is None]
    return [*([("HSET", key, *kept)] if kept else []), *([("HDEL", key, *gone)] if gone else [])]


def _set_or_delete(key: str, field: bytes, value: bytes | None) -> Command:
    return ("HDEL", key, field) if value is None else ("HSET", key, field, value)
