"""A log of a call centre's day, made up, with the columns and the dirt that such logs have.

One row a call, no date column, sorted by the text of the entry time. A call first talks to a machine (vru), may then wait (q) and be
served (ser). The dirt: `call_id` repeats; PHANTOM rows; machines whose clock ran backwards, so that a duration is negative; callers who
hang up before they queue, or while somebody already picked up; answered calls that never queued; answered calls without a service;
services that begin a second before the wait ends; calls over midnight, whose clock times go on past 24:00 or wrap to 0:00.
"""

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from random import Random

__all__ = ["COLUMNS", "MIDNIGHT", "day_of_calls", "write_csv", "write_jsonl"]

COLUMNS = (
    *("vru+line", "call_id", "type", "vru_entry", "vru_exit", "vru_time", "q_start", "q_exit", "q_time"),
    *("outcome", "ser_start", "ser_exit", "ser_time", "server", "server_abv"),
)
MIDNIGHT = 86_400
_TYPES = ("PS", "NW", "NE", "IN", "TT", "PE")
_NONE = "0:00:00"

Call = dict[str, str]


def _clock(at: int, *, wraps: bool) -> str:
    at = at % MIDNIGHT if wraps else at
    return f"{at // 3600}:{at // 60 % 60:02d}:{at % 60:02d}"


def _call(random: Random, number: int, entry: int, kind: str, *, wraps: bool) -> Call:
    """One call that enters at `entry` seconds of the day."""
    queues = kind in ("served", "hung up", "phantom", "picked up too late", "backwards", "never served")
    serves = kind in ("served", "straight through", "phantom", "picked up too late", "backwards")
    vru = random.randint(0, 40)
    if kind == "backwards":
        vru = -random.randint(1, 90)
    waited = random.choice((0, 5, 20, 21, random.randint(0, 400))) if queues else 0
    exit_vru = entry + vru
    exit_queue = exit_vru + waited
    start = max(entry, exit_queue - random.randint(0, 1)) if kind != "picked up too late" else exit_queue + random.randint(0, 9)
    served = random.randint(0, 900) if serves else 0

    def clock(at: int) -> str:
        return _clock(at, wraps=wraps)

    return {
        "vru+line": f"AA{random.randint(101, 116):04d}",
        "call_id": str(number),
        "type": random.choices(_TYPES, (60, 16, 8, 8, 5, 3))[0],
        "vru_entry": clock(entry),
        "vru_exit": clock(exit_vru),
        "vru_time": str(vru),
        "q_start": clock(exit_vru) if queues else _NONE,
        "q_exit": clock(exit_queue) if queues else _NONE,
        "q_time": str(waited),
        "outcome": {"phantom": "PHANTOM", "hung up": "HANG", "gone before": "HANG", "picked up too late": "HANG"}.get(kind, "AGENT"),
        "ser_start": clock(start) if serves else _NONE,
        "ser_exit": clock(start + served) if serves else _NONE,
        "ser_time": str(served),
        "server": "NO_SERVER" if kind in ("phantom", "gone before", "hung up", "picked up too late") else "ANAT",
        "server_abv": "NO_",
    }


_KINDS = {
    "served": 50,
    "straight through": 12,
    "hung up": 25,
    "gone before": 8,
    "phantom": 2,
    "picked up too late": 1,
    "never served": 1,
    "backwards": 1,
}


def day_of_calls(seed: int, calls: int = 600, *, over_midnight: bool = True) -> list[Call]:
    """A day of `calls` calls, with some of every kind, and some of most kinds over midnight in both ways of writing it."""
    random = Random(seed)
    made: list[Call] = []
    kinds = [*_KINDS, *random.choices(list(_KINDS), list(_KINDS.values()), k=calls - len(_KINDS))]
    last = MIDNIGHT - (200 if over_midnight else 3000)
    for number, kind in enumerate(kinds):
        entry = round(random.triangular(600, last, 12 * 3600))
        made.append(_call(random, 1000 + number, entry, kind, wraps=False))
    for number, kind in enumerate(kind for kind in _KINDS if kind != "backwards" and over_midnight):
        for wraps in (False, True):
            entry = MIDNIGHT - random.randint(1, 60)
            made.append(_call(random, 5000 + 2 * number + wraps, entry, kind, wraps=wraps))
    made += [_at_midnight(random, 6000 + starts, starts=starts) for starts in (False, True) if over_midnight]
    for call in random.sample(made, len(made) // 25):
        # The number of a call repeats on another line.
        made.append(_call(random, int(call["call_id"]), random.randint(600, MIDNIGHT - 3000), "served", wraps=False))
        made[-1]["vru+line"] = "AA0201"
    return sorted(made, key=lambda call: call["vru_entry"])


def _at_midnight(random: Random, number: int, *, starts: bool) -> Call:
    """A caller whose wait begins or ends at midnight, which is written like no time at all."""
    call = _call(random, number, MIDNIGHT - 30, "gone before", wraps=True)
    if starts:
        return call | {"vru_exit": _NONE, "vru_time": "30", "q_start": _NONE, "q_exit": "0:00:25", "q_time": "25"}
    return call | {"vru_exit": "23:59:40", "vru_time": "10", "q_start": "23:59:40", "q_exit": _NONE, "q_time": "20"}


def write_csv(path: Path, calls: Sequence[Call], columns: Sequence[str] = COLUMNS) -> Path:
    """Write the calls with the columns in the order given."""
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(calls)
    return path


def write_jsonl(path: Path, calls: Sequence[Call]) -> Path:
    """Write the calls as JSON Lines."""
    path.write_text("".join(f"{json.dumps(call)}\n" for call in calls))
    return path
