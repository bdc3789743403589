"""A backtest of a year: a million events of 20 partners, judged by 10 rules, on one core.

python -m bench.backtest [EVENTS]
"""

import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from heapq import heappop, heappush
from pathlib import Path
from time import process_time
from typing import Any, Final

import orjson

import models
from bench.load import contact_events
from models.policy_file import load
from models.policy_spec import PartnerPart, PolicyFile, RuleSpec
from models.windows import DAY_MS, HOUR_MS
from streams.trial.backtest import backtest
from streams.trial.histories import Read, told

PARTNERS: Final = 20
YEAR_DAYS: Final = 365
BEGIN_MS: Final = 1_767_225_600_000
"""2026-01-01, a Thursday."""
_EVENTS_A_CONTACT: Final = 3.16
_HOURS: Final = range(8, 20)
_MORE: Final = (
    ("transfers_high", "transfer_rate", "24h", "above", 0.3),
    ("aht_high", "aht", "1h", "above", 150),
    ("abandons_of_the_day", "abandon_rate", "24h", "above", 0.2),
    ("service_level_of_the_day", "service_level", "24h", "below", 0.7),
    ("csat_of_the_day", "csat", "24h", "below", 0.4),
)


def policy() -> PolicyFile:
    """The five rules of the example, and five more, of which four look at a day."""
    path = Path(models.__file__).with_name("example_policy.yaml")
    example = load(path.read_text(encoding="utf-8"), path.name)
    first = example.partners[0]
    partners = tuple(
        PartnerPart(id=f"partner-{number:03}", name=f"{number}", timezone=first.timezone, channels=first.channels)
        for number in range(PARTNERS)
    )
    more = []
    for name, kpi, window, direction, enter in _MORE:
        level = {"severity": "warning", "enter": enter, "exit": enter, "for": 600}
        more.append(RuleSpec.model_validate({"id": name, "kpi": kpi, "window": window, "direction": direction, "levels": [level]}))
    return example.model_copy(update={"partners": partners, "rules": (*example.rules, *more)})


def year(count: int, seed: int = 1) -> Iterator[dict[str, Any]]:
    """`count` events of a year in the order of their times: on working days from 8 to 20, as many in each hour."""
    draw = random.Random(seed)
    days = [day for day in range(YEAR_DAYS) if day % 7 not in (2, 3)]
    open_ms = len(days) * len(_HOURS) * HOUR_MS
    contacts = int(count / _EVENTS_A_CONTACT * 1.02)
    pending: list[tuple[int, int, dict[str, Any]]] = []
    made = 0
    for contact in range(contacts):
        at = contact * open_ms // contacts
        day, within = divmod(at, len(_HOURS) * HOUR_MS)
        queued_ms = BEGIN_MS + days[day] * DAY_MS + _HOURS[0] * HOUR_MS + within
        while pending and pending[0][0] <= queued_ms and made < count:
            yield heappop(pending)[2]
            made += 1
        for step, event in enumerate(contact_events(draw, f"partner-{draw.randrange(PARTNERS):03}", contact, queued_ms)):
            heappush(pending, (event["occurred_at"], 8 * contact + step, event))
    while pending and made < count:
        yield heappop(pending)[2]
        made += 1


@dataclass(frozen=True, slots=True)
class Cost:
    """What was measured."""

    events: int
    episodes: int
    seconds: float
    """Of CPU, from text to outcome."""


def measure(count: int) -> Cost:
    """Run the year."""
    lines = [orjson.dumps(each) for each in year(count)]
    read, begun = Read(), process_time()
    (outcome,) = backtest([policy()], told(iter(lines), read), read)
    return Cost(read.events, len(outcome.episodes), process_time() - begun)


def line(cost: Cost) -> str:
    """It in words."""
    each = 1e6 * cost.seconds / cost.events
    return f"backtest of a year, {PARTNERS} partners, 10 rules: {cost.events:,} events in {cost.seconds:.1f} CPU s, {each:.1f} µs each"


if __name__ == "__main__":
    print(line(measure(int(sys.argv[1]) if sys.argv[1:] else 1_000_000)))
