"""An engine without a broker: what would be written to its topics goes in, what it would write comes out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import orjson

from models.policy_file import parts
from models.policy_record import CURRENT, encode_policy, policy_key
from models.policy_spec import PolicyFile
from models.topics import BROADCAST, Topics
from streams.engine import Budget, Engine, EngineConfig, Output

__all__ = ["TOPICS", "Offline", "Record", "clock", "policy_records"]

TOPICS: Final = Topics()
CONFIG: Final = EngineConfig("trial", "trial", TOPICS, partitions=1, clock_from_log=True)
"""The stream's own clock, so that nothing depends on when this runs; one partition number, so that every partner is at home."""
_NO_FIGURES: Final = 0
"""Of a commit's budget: transitions are not counted in it, and figures have no reader here."""


@dataclass(slots=True)
class Record:
    """As `streams.engine.letters.SourceRecord` wants it."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]] = ()


def policy_records(policy: PolicyFile, at_ms: int, partner: str | None = None) -> list[tuple[bytes, bytes]]:
    """What applying a policy would write, as (key, value): of the shared part and all partners', or of one partner's alone."""
    shared, own = parts(policy)
    mine = {BROADCAST: shared} | {name: part for name, part in own.items() if partner in (None, name)}
    return [(policy_key(name, CURRENT), encode_policy(part, at_ms).model_dump_json().encode()) for name, part in mine.items()]


def clock(to_ms: int) -> bytes:
    """That everything before `to_ms` was written: all events go through the topic that this stands on, whatever their kind."""
    return orjson.dumps({"type": "clock.advanced", "to": to_ms})


class Offline:
    """One engine; the order of the calls is the order of the stream."""

    def __init__(self, engine: Engine | None = None) -> None:
        self.engine = Engine(0, CONFIG) if engine is None else engine
        self._offsets = dict.fromkeys(TOPICS.subscribed, 0)

    def send(self, topic: str, records: Iterable[tuple[bytes | None, bytes]], at_ms: int) -> None:
        """Have these (key, value) read, as written at `at_ms`."""
        first = self._offsets[topic]
        run = [Record(topic, 0, offset, at_ms, key, value) for offset, (key, value) in enumerate(records, first)]
        if run:
            self._offsets[topic] = first + len(run)
            for _ in self.engine.apply(topic, first, run, at_ms):
                pass

    def tick(self, to_ms: int) -> None:
        """Everything before `to_ms` was sent: close and judge every grid point up to there."""
        self.send(TOPICS.interactions, [(None, clock(to_ms))], to_ms)

    def take(self, now_ms: int) -> list[Output]:
        """The transitions, letters and outcomes of commands since the last call."""
        commit = self.engine.drain(now_ms, Budget(_NO_FIGURES, _NO_FIGURES))
        return [] if commit is None else commit.records
