"""The results as text, as a page and as a plot."""

from collections.abc import Iterator, Sequence
from html import escape
from statistics import median
from typing import Any, Final

from bench import lived, recovery
from bench.load import CHANNELS, EVENTS_A_SECOND, PARTNERS, QUEUES
from bench.run import FLOOR, FOUR, OUTWATCH, PLAIN, Results

PLOT: Final = "benchmarks.svg"
_COLOURS: Final = {FLOOR: "#9aa5b1", OUTWATCH: "#1f6feb", FOUR: "#58a6ff", PLAIN: "#d1495b"}
_WIDTH, _BAR, _LEFT = 760, 34, 250

_INTRODUCTION: Final = """\
# Benchmarks

Written by `make bench`: one machine, one run, the rivals in turns, every figure held against the truth before its time counts. What
counts are the ratios; the figures themselves move from machine to machine, and with what else runs on it.
"""

_PARTS: Final = {
    "decode": "bytes to events",
    "count": "routing, duplicates, live contacts, the fold",
    "close": "closing grid points: window totals, rules",
    "publish": "figures and their records",
    "rows": "rows of the state",
    "drain": "the rest of a commit",
}


def spread(values: Sequence[float], form: str = ",.0f") -> str:
    """The median, and from where to where."""
    return f"{median(values):{form}} ({min(values):{form}} to {max(values):{form}})"


def ratios(results: Results) -> list[str]:
    """The lines that the targets are about: medians of the turns, and from where to where."""

    wall, cpu = (spread(each, ".2f") for each in results.ratio(FLOOR))
    four_wall, four_cpu = (spread(each, ".2f") for each in results.ratio(FLOOR, FOUR))
    plain_wall, plain_cpu = (spread(each) for each in results.ratio(PLAIN))
    return [
        f"outwatch reaches {wall} of the floor by wall time and {cpu} by CPU (wanted: 0.25, later 0.5)",
        f"with four windows in place of ten it reaches {four_wall} by wall time and {four_cpu} by CPU",
        f"outwatch is {plain_wall} times plain Faust by wall time and {plain_cpu} times by CPU (wanted: 10)",
    ]


def page(results: Results, environment: dict[str, str]) -> str:
    """docs/benchmarks.md."""
    where = "\n".join(f"- {name}: {value}" for name, value in environment.items())
    rivals = "\n".join(f"| {name} | {spread(each.rates)} | {spread(each.cpu_us, ',.1f')} |" for name, each in results.rivals.items())
    parts = "\n".join(f"| {part} | {what} | {spread(_parts(results, part), ',.2f')} |" for part, what in _PARTS.items())
    whole = spread([sum(each["us_an_event"].values()) for each in results.engine], ",.1f")
    reached = "\n".join(f"- {line}" for line in ratios(results))
    sizes = results.sizes
    return f"""\
{_INTRODUCTION}
{where}
- load: {sizes.records:,} records of about 390 bytes, {EVENTS_A_SECOND:,} a second of stream time, 1 % of them twice, of {PARTNERS} partners
  x {QUEUES} queues, each of one of {len(CHANNELS)} channels, in 4 partitions: contacts that queue, are answered or abandoned,
  completed and rated;
  the first {sizes.few:,} for plain Faust; {sizes.repeats} repeats

## From a filled topic to committed figures

| what | events a second: median (range) | CPU µs an event: median (range) |
| --- | --- | --- |
{rivals}

{reached}

![events a second, and CPU an event]({PLOT})

- *The floor* reads, parses and counts records by partner and type in one process, and does nothing else.
- *outwatch* is the worker's own app: every KPI in all ten windows of the partner, its queues and its channels, closed minutes and
  quarter hours, the rules of `outwatch init` for every partner, duplicates, live contacts, and rows, records and offsets in one
  transaction a second and partition.
  Time runs from the first run that is applied to the commit after the last event. The backlog carries the times of its arrival, so every
  grid point is closed and judged as it would have been.
- *Plain Faust* keeps the same measures of whole partners in one hopping table (5 minutes by 10 seconds, in memory, with its changelog)
  and publishes the same KPIs once a second: no queues, channels, other windows, duplicates or rules.

## The engine alone

{sizes.engine:,} such events in memory, without Kafka and Faust.

| part | what | CPU µs an event: median (range) |
| --- | --- | --- |
{parts}
| all | | {whole} |

A KPI record costs {spread([each["us_a_record"] for each in results.engine])} µs, a row of the state \
{spread([each["us_a_row"] for each in results.engine])} µs.
"""


_RECOVERED: Final = {
    "python_seconds": "the process until it connects: imports, a look at the topics",
    "session_seconds": "until the one that is gone is missed",
    "rebalance_seconds": "until partitions are assigned",
    "fence_seconds": "producers started, the former owner fenced",
    "read_seconds": "the changelog read",
    "rebuild_seconds": "the engines rebuilt",
    "commit_seconds": "until every partition has committed",
    "seconds": "all",
    "cpu_seconds": "CPU of the worker, all",
    "memory_mb": "memory at most, MB",
    "records": "records in the log",
}


def recovery_page(results: recovery.Results, environment: dict[str, str]) -> str:
    """docs/recovery.md."""
    sizes, live = results.sizes, results.live_rows
    columns = {"live rows only": results.live.starts, "the log of all commits": results.lived.starts}
    columns |= {f"takeover after {name}": [each] for name, each in results.takeovers.items()}
    lines = [f"| seconds, median | {' | '.join(columns)} |", f"| --- |{' --- |' * len(columns)}"]
    for name, what in _RECOVERED.items():
        values = (f"{median(each[name] for each in starts):,.6g}" if name in starts[0] else "" for starts in columns.values())
        lines.append(f"| {what} | {' | '.join(values)} |")
    table = "\n".join(lines)
    where = "\n".join(f"- {name}: {value}" for name, value in environment.items())
    return f"""\
# Recovery

Written by `make bench`, or its part `python -m bench recovery`: how long a worker takes from its start to its first commits with the state
of a busy day, on one machine that the broker shares.

{where}

A worker with default settings holds {recovery.PARTITIONS} partitions of {sizes.partners} partners each, with
{lived.EVENTS_A_SECOND} events a second: {live:,} live rows of {results.live_bytes / live:,.0f} bytes, keys included, as the
product's engine left them. The log of all commits is that of the last {sizes.seconds / 3_600:,.3g} hours, a commit a second:
{results.written_records:,} records and {results.written_bytes / 1e9:,.2g} GB were written as fast as the broker took them,
but for the last {sizes.paced_seconds // 60} minutes, which came a commit a second; the cleaner has the shipped settings. In a takeover
two workers share the partitions and one gets the signal; the session is the default one of 12 s. A worker serves when each
partition has committed; what the limits of bytes and records left of its figures by then follows in the seconds after.

{table}

On disk when the last worker started: {results.live.log_bytes / 1e6:,.0f} MB of live rows, {results.lived.log_bytes / 1e6:,.0f} MB of
all commits.
"""


def _parts(results: Results, part: str) -> list[float]:
    return [each["us_an_event"][part] for each in results.engine]


def plot(results: Results) -> str:
    """An SVG of two groups of bars, each with its range."""
    lines: list[str] = []
    top = 10
    groups: tuple[tuple[str, Any, str], ...] = (
        ("events a second (more is better)", lambda series: series.rates, ",.0f"),
        ("CPU µs an event (less is better)", lambda series: series.cpu_us, ",.1f"),
    )
    for title, values_of, form in groups:
        lines.append(f'<text x="10" y="{top + 14}" font-weight="bold">{title}</text>')
        top += 24
        most = max(max(values_of(series)) for series in results.rivals.values())
        for name, series in results.rivals.items():
            lines += _bar(name, values_of(series), most, top, form)
            top += _BAR
        top += 16
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{top}" font-family="sans-serif" font-size="13">'
    return "\n".join([head, '<rect width="100%" height="100%" fill="white"/>', *lines, "</svg>", ""])


def _bar(name: str, values: Sequence[float], most: float, top: int, form: str) -> Iterator[str]:
    scale = (_WIDTH - _LEFT - 90) / most
    middle = top + _BAR // 2 - 3
    low, mid, high = (round(_LEFT + scale * value, 1) for value in (min(values), median(values), max(values)))
    yield f'<text x="10" y="{middle + 4}">{escape(name)}</text>'
    yield f'<rect x="{_LEFT}" y="{top}" width="{max(1.0, mid - _LEFT):.1f}" height="{_BAR - 8}" fill="{_COLOURS[name]}"/>'
    yield f'<path d="M{low} {middle}H{high}M{low} {middle - 5}V{middle + 5}M{high} {middle - 5}V{middle + 5}" stroke="black"/>'
    yield f'<text x="{high + 8}" y="{middle + 4}">{median(values):{form}}</text>'
