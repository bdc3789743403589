"""What was written and what is kept, held against the oracle: what every test of a whole stream asserts."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from models.measures import FAMILIES, Family
from tests.oracle import Oracle, Transition

__all__ = ["check_record", "check_state", "check_waiting", "coordinates", "is_transition", "transition_of"]

LENGTHS = (10_000, 60_000, 900_000, 86_400_000)


def check_panes(states: list[dict[str, Any]], oracle: Oracle) -> None:
    stored: dict[tuple[str, int, int, str, str], Counter[str]] = {}
    for state in states:
        for partner, kept in state["partners"].items():
            for (tier, start), cells in kept["panes"].items():
                for (family, queue, channel, within, short), vector in cells.items():
                    if family == Family.WORKFORCE:
                        continue  # Time is spread over panes; the records of every window and day hold it.
                    if family == 0:
                        assert (within, short) == (oracle.threshold(partner, queue), 5000)
                    named = {name: count for name, count in zip(FAMILIES[family], vector, strict=True) if count}
                    stored.setdefault((partner, tier, start, queue, channel), Counter()).update(named)
    places = {key[:3] for key in stored}
    expected: dict[tuple[str, int, int, str, str], Counter[str]] = {}
    for partner, events in oracle.events.items():
        for event in events:
            found = [(tier, event.at - event.at % length) for tier, length in enumerate(LENGTHS)]
            (place,) = [place for place in found if (partner, *place) in places]
            expected.setdefault((partner, *place, event.queue, event.channel), Counter()).update(event.adds)
    wrong = {key: (+expected.get(key, Counter()), stored.get(key)) for key in expected.keys() | stored.keys()}
    assert {key: pair for key, pair in wrong.items() if pair[0] != pair[1]} == {}


def check_state(states: list[dict[str, Any]], oracle: Oracle) -> None:
    """Of the engines' snapshots, one a partition: panes, seen ids, waiting contacts and counters."""
    check_panes(states, oracle)
    ids, arrived = set[int]().union(*(state["seen"] for state in states)), oracle.hashes()
    assert ids == arrived, f"of {len(arrived)} ids {len(arrived - ids)} are forgotten, and {len(ids - arrived)} never came"
    stored = [
        (partner, contact, each[0], *each[1][:2])
        for state in states
        for partner, waits in state["contacts"][0].items()
        for contact, each in waits.items()
    ]
    waiting = [
        (partner, contact, each.at, each.queue, each.channel)
        for partner, waits in oracle.waiting.items()
        for contact, each in waits.items()
    ]
    assert sorted(stored) == sorted(waiting)
    counters: Counter[str] = Counter()
    for state in states:
        counters.update(state["counters"])
    dead = sum(count for name, count in counters.items() if name.startswith("dead_letters."))
    got = (counters["events"], counters["duplicates"], dead, counters["late.past_ledger"], counters["contacts_expired"])
    expected = (oracle.counts["events"], oracle.counts["duplicates"], len(oracle.dead), len(oracle.late), oracle.counts["contacts_expired"])
    assert got == expected
    assert sum(got[:4]) == oracle.counts["produced"]


def coordinates(records: Iterable[Any], prefix: str) -> list[tuple[str, int, int]]:
    """Of the source records in letters, in order, doubles and all."""
    named = [dict(record.headers) for record in records]
    return sorted((each[f"{prefix}.topic"].decode(), int(each[f"{prefix}.partition"]), int(each[f"{prefix}.offset"])) for each in named)


def is_transition(body: dict[str, Any]) -> bool:
    """Whether an event of an alert is a change of its condition, which the oracle knows, not of what stands beside it."""
    return bool(body["transition"]["kind"] != "suppression_ended")


def transition_of(body: dict[str, Any]) -> Transition:
    """What a record of `outwatch.alerts` says."""
    change, evidence = body["transition"], body["evidence"]
    return Transition(
        *(body["id"], body["fingerprint"], body["episode"], body["seq"], body["severity"], change["from"], change["to"], change["kind"]),
        *(evidence["numerator"], evidence["denominator"]),
        *(body["started_at"], body["fired_at"], body["ended_at"], body["evaluated_at"]),
    )


def check_record(record: dict[str, Any], oracle: Oracle, partner: str, scope: str, start: int, end: int) -> None:
    """The measures and figures of one record, over [start, end)."""
    measures = oracle.measures(partner, scope, start, end)
    assert {name: count for name, count in record["measures"].items() if not name.endswith("_bins")} == measures, (partner, scope, start)
    for kpi, figure in oracle.figures(measures).items():
        shown = record["kpis"][kpi]
        assert (shown["value"], shown["numerator"], shown["denominator"]) == figure, (partner, scope, kpi)


def check_waiting(shown: dict[str, Any], oracle: Oracle, partner: str, scope: str) -> None:
    """The live figures of one record: how many wait, and for how long the longest."""
    waits = [each.at for each in oracle.waiting[partner].values() if scope in ("all", f"queue={each.queue}", f"channel={each.channel}")]
    assert shown["in_queue"]["value"] == len(waits)
    assert shown["longest_wait"]["value"] == ((oracle.frontier - min(waits)) / 1000 if waits else None)
