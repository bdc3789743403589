"""When the owner commits, and how much it lets an engine publish: by the clock, however long a commit takes."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import pytest

from models.settings import Settings
from streams.engine import Budget
from streams.owner import Owner
from tests.engines import CONFIG

START_MS = 1_760_000_000_000
TICK_MS = 250


@dataclass
class Clock:
    ms: int = START_MS

    def __call__(self) -> int:
        return self.ms


class StillEngine:
    """Has nothing to say that cannot wait."""

    urgent = False

    def advance(self) -> Iterator[None]:
        return iter(())


@dataclass
class SlowHolding:
    """Takes its time to commit."""

    clock: Clock
    takes_ms: int
    partition: int = 0
    engine: Any = field(default_factory=StillEngine)
    refused: str | None = None
    committed_ms: int = 0
    commits: list[tuple[int, Budget]] = field(default_factory=list)

    async def commit(self, budget: Budget, _: object) -> None:
        self.commits.append((self.clock.ms, budget))
        self.clock.ms += self.takes_ms


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr("streams.owner.now_ms", made)
    return made


def owned(*holdings: SlowHolding, per_second: int = 2000) -> Owner:
    owner = Owner(Settings(app_id="app", partitions=4, max_records_per_second=per_second), CONFIG, "changelog", lambda: False)
    untyped: dict[int, Any] = dict(enumerate(holdings))
    owner.holdings = untyped
    return owner


async def ticks(owner: Owner, clock: Clock, until_ms: int) -> None:
    """As the worker's timer does: it sleeps between ticks, and a tick lasts as long as its commits."""
    while clock.ms < START_MS + until_ms:
        clock.ms += TICK_MS
        await owner.tick({})


@pytest.mark.parametrize("takes_ms", [0, 40, 240, 490])
async def test_commits_begin_a_second_apart_however_long_they_take(takes_ms: int, clock: Clock) -> None:
    holding = SlowHolding(clock, takes_ms)
    await ticks(owned(holding), clock, 60_000)
    begun = [at_ms for at_ms, _ in holding.commits]
    gaps = [later - sooner for sooner, later in pairwise(begun)]
    assert max(gaps) <= 1_000 + TICK_MS // 2
    assert min(gaps) >= 1_000 - TICK_MS // 2


@pytest.mark.parametrize("takes_ms", [0, 700, 1_400])
async def test_what_may_be_published_follows_the_time_that_went_by(takes_ms: int, clock: Clock) -> None:
    holdings = [SlowHolding(clock, takes_ms // 2, number) for number in range(2)]
    await ticks(owned(*holdings), clock, 60_000)
    for holding in holdings:
        first, *later = holding.commits
        allowed = sum(budget.records for _, budget in later)
        seconds = (later[-1][0] - first[0]) / 1000
        assert allowed / seconds == pytest.approx(2000 / 2, rel=0.02), "half of the worker's, of each second"


async def test_a_pause_does_not_save_up_what_may_be_published(clock: Clock) -> None:
    holding = SlowHolding(clock, 0)
    owner = owned(holding)
    await owner.tick({})
    clock.ms += 3_600_000
    await owner.tick({})
    assert [budget.records for _, budget in holding.commits] == [4000, 4000], "two seconds of it at most"


async def test_what_is_urgent_is_committed_at_once_and_publishes_no_more_for_it(clock: Clock) -> None:
    holding = SlowHolding(clock, 0)
    owner = owned(holding)
    await owner.tick({})
    holding.engine.urgent = True
    clock.ms += TICK_MS
    await owner.tick({})
    assert [budget.records for _, budget in holding.commits] == [4000, 500]
