"""What a straightforward computation over a log of calls gives; it shares no code with the product, and imports none.

Each measure stands on the day of its own time: an arrival on that of queueing, wait and abandon on that of the queue's end, handle time
on that of the end of service. `python -m tests.oracle_day FILE DATE` prints the figures of a file.
"""

import csv
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

__all__ = ["Oracle", "figures", "oracle"]

DAY = 86_400

Oracle = tuple[dict[tuple[str, str], Counter[str]], Counter[str]]
"""((date, type) -> counts, dropped rows by reason)."""


def _seconds(text: str, entry: int) -> int:
    hours, minutes, seconds = text.split(":")
    at = int(hours) * 3600 + int(minutes) * 60 + int(seconds)
    return at + DAY if at < entry else at


def oracle(days: Iterable[tuple[str, Iterable[dict[str, str]]]]) -> Oracle:
    """Count the calls of days: (ISO date, rows)."""
    counts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    dropped: Counter[str] = Counter()
    for day, rows in days:
        for row in rows:
            vru, wait, service = int(row["vru_time"]), int(row["q_time"]), int(row["ser_time"])
            if row["outcome"] == "PHANTOM":
                dropped["phantom"] += 1
                continue
            if vru < 0 or wait < 0 or service < 0:
                dropped["negative_duration"] += 1
                continue
            entry = _seconds(row["vru_entry"], 0)
            queued = row["q_start"] != "0:00:00" or row["q_exit"] != "0:00:00" or wait > 0
            served = row["ser_start"] != "0:00:00" or row["ser_exit"] != "0:00:00" or service > 0
            gone = _seconds(row["q_exit"] if queued else row["vru_exit"], entry)

            def of(at: int, day: str = day, kind: str = row["type"]) -> Counter[str]:
                return counts[(date.fromisoformat(day) + timedelta(days=at // DAY)).isoformat(), kind]

            if queued:
                of(_seconds(row["q_start"], entry))["arrivals"] += 1
            if row["outcome"] == "AGENT":
                answered = gone if queued or not served else _seconds(row["ser_start"], entry)
                if not queued:
                    of(answered)["arrivals"] += 1
                of(answered)["answered"] += 1
                of(answered)["answered in 20"] += wait <= 20
                of(answered)["waited"] += wait
                ended = _seconds(row["ser_exit"], entry) if served else gone
                of(ended)["handled"] += 1
                of(ended)["served"] += service
            elif queued:
                of(gone)["abandoned"] += 1
                of(gone)["abandoned in 20"] += wait <= 20
                of(gone)["abandoned in 5"] += wait <= 5
                of(gone)["waited in vain"] += wait
            else:
                of(gone)["not queued"] += 1
    return counts, dropped


def figures(count: Counter[str]) -> dict[str, Any]:
    """The figures of one or several days and types, summed."""
    a, a20, b, b20, b5 = (count[name] for name in ("answered", "answered in 20", "abandoned", "abandoned in 20", "abandoned in 5"))

    def ratio(part: int, whole: int) -> float | None:
        return part / whole if whole else None

    return {
        "offered": a + b,
        "answered": a,
        "abandoned": b,
        "service_level": {
            "answered_only": ratio(a20, a),
            "abandons_count_against": ratio(a20, a + b),
            "early_abandons_ignored": ratio(a20, a + b - b20),
            "early_abandons_count_for": ratio(a20 + b20, a + b),
            "short_abandons_excluded": ratio(a20, a + b - b5),
        },
        "asa_seconds": ratio(count["waited"], a),
        "aht_seconds": ratio(count["served"], count["handled"]),
    }


def main() -> None:
    path, day = Path(sys.argv[1]), sys.argv[2]
    with path.open(newline="") as file:
        counts, dropped = oracle([(day, csv.DictReader(file))])
    for (on, kind), count in sorted(counts.items()):
        print(on, kind, figures(count), dict(count))
    total: Counter[str] = Counter()
    for count in counts.values():
        total.update(count)
    print("all", figures(total), dict(total))
    print("dropped", dict(dropped))


if __name__ == "__main__":
    main()
