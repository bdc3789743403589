"""One run of all rivals, in turns, each held against the truth before its time counts."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from bench.broker import PARTITIONS, ends, fill, make_topic, prepare, read_figures
from bench.child import child
from bench.load import Truth, arrivals
from bench.plain_faust import OUT, truth_of_windows
from bench.policy import policy
from models.clock import now_ms
from models.settings import Settings
from streams.admin import create
from streams.local.kafka import LocalKafka
from streams.policies import apply_policy

FLOOR: Final = "the floor: aiokafka, orjson, a dict"
OUTWATCH: Final = "outwatch"
FOUR: Final = "outwatch, 5m 15m 1h 24h alone"
PLAIN: Final = "plain Faust, hopping table"
_FEW: Final = "few"
_WINDOWS: Final = {FOUR: ("5m", "15m", "1h", "24h")}
"""That a rival keeps, if not all."""
Say = Callable[[str], None]


class WrongError(Exception):
    """Raised when a rival's figures are not the truth: its speed is worth nothing."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured."""

    records: int
    few: int
    """For plain Faust, which would take hours for all."""
    engine: int
    repeats: int


@dataclass(slots=True)
class Series:
    """What one rival did, repeat by repeat."""

    measured: list[dict[str, Any]] = field(default_factory=list)

    @property
    def rates(self) -> list[float]:
        """Events a second."""
        return [each["events"] / each["seconds"] for each in self.measured]

    @property
    def cpu_us(self) -> list[float]:
        """CPU microseconds an event."""
        return [1e6 * each["cpu_seconds"] / each["events"] for each in self.measured]


@dataclass(slots=True)
class Results:
    """All that was measured in one run."""

    sizes: Sizes
    rivals: dict[str, Series] = field(default_factory=lambda: {name: Series() for name in (FLOOR, OUTWATCH, FOUR, PLAIN)})
    engine: list[dict[str, Any]] = field(default_factory=list)

    def ratio(self, other: str, name: str = OUTWATCH) -> tuple[list[float], list[float]]:
        """How often outwatch's rate is that of another, by wall time and by CPU, turn by turn: a machine's speed moves meanwhile."""
        own, its = self.rivals[name], self.rivals[other]
        rates = [mine / theirs for mine, theirs in zip(own.rates, its.rates, strict=True)]
        return rates, [theirs / mine for mine, theirs in zip(own.cpu_us, its.cpu_us, strict=True)]


async def run(sizes: Sizes, say: Say) -> Results:
    """Measure.

    Raises:
        WrongError: if figures differ from the truth.
    """
    results = Results(sizes)
    with TemporaryDirectory(prefix="outwatch-bench-") as folder, LocalKafka(Path(folder), None, say) as kafka:
        settings = Settings(brokers=kafka.bootstrap, app_id="bench-0", partitions=PARTITIONS, replication=1)
        await prepare(settings)
        for name in (_FEW, OUT):
            await make_topic(settings, name)
        begun = time.monotonic()
        stream = arrivals(sizes.records, now_ms())
        few = list(islice(stream, sizes.few))
        truth = await fill(settings, settings.topics.interactions, chain(few, stream))
        await fill(settings, _FEW, few)
        windows = truth_of_windows(few)
        say(f"{sizes.records:,} records written in {time.monotonic() - begun:.0f} s, {truth.duplicates:,} of them twice")
        for repeat in range(sizes.repeats):
            await _floor(settings, truth, results)
            for at, name in enumerate((OUTWATCH, FOUR)):
                await _outwatch(settings.model_copy(update={"app_id": f"bench-{repeat}-{at}"}), truth, results, name)
            await _plain(settings.model_copy(update={"app_id": f"plain-{repeat}"}), sizes.few, windows, results)
            async with child("bench.engine", settings, sizes.engine) as measured:
                results.engine.append(measured)
            now = ", ".join(f"{name} {series.rates[-1]:,.0f}/s" for name, series in results.rivals.items())
            say(f"run {repeat + 1} of {sizes.repeats}: {now}")
    return results


async def _floor(settings: Settings, truth: Truth, results: Results) -> None:
    async with child("bench.floor", settings, settings.brokers, settings.topics.interactions, truth.records) as measured:
        _same("the floor", measured.pop("counted"), truth.by_type)
        results.rivals[FLOOR].measured.append(measured)


async def _outwatch(settings: Settings, truth: Truth, results: Results, name: str) -> None:
    await create(settings)
    await apply_policy(settings, policy(_WINDOWS.get(name)), now_ms())
    start = await ends(settings, settings.topics.kpis)
    async with child("bench.outwatch", settings, truth.records) as measured:
        _same("outwatch's figures", await read_figures(settings, start, truth), truth.measures)
        counters = measured.pop("counters")
        counted = {name: counters[name] for name in ("events", "duplicates")}
        _same("outwatch's counters", counted, {"events": truth.records - truth.duplicates, "duplicates": truth.duplicates})
        results.rivals[name].measured.append(measured)


async def _plain(settings: Settings, records: int, windows: dict[tuple[str, int], Counter[str]], results: Results) -> None:
    async with child("bench.plain_faust", settings, _FEW, records) as measured:
        found = {(partner, start): Counter(measures) for partner, start, measures in measured.pop("windows")}
        _same("plain Faust's windows", found, windows)
        results.rivals[PLAIN].measured.append(measured)


def _same(what: str, found: Any, truth: Any) -> None:
    if found != truth:
        differ = [key for key in {*found, *truth} if found.get(key) != truth.get(key)]
        msg = f"{what} are not the truth in {len(differ)} places, such as {differ[0]}: {found.get(differ[0])}, not {truth.get(differ[0])}"
        raise WrongError(msg)
