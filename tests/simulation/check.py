"""What must hold at the end of a schedule: the invariants I1 to I7 and I9 of `docs/faults.md`, against the oracle."""

from typing import Any

import orjson
from aiokafka import TopicPartition

from models.windows import parse_record_key
from tests.oracle import Transition
from tests.simulation.kafka import SimRecord
from tests.simulation.schedule import OUTPUTS, REFUSED, ROLLUPS, Outcome
from tests.simulation.story import END_MS, MIDNIGHT_MS, PARTITIONS, TOPICS, consult
from tests.simulation.worker import CHANGELOG
from tests.verdict import check_record, check_state, check_waiting, coordinates, is_transition, transition_of

__all__ = ["check"]

DAY_MS = 86_400_000


def check(outcome: Outcome) -> None:
    """Raises AssertionError for whatever does not hold."""
    assert [end for end in outcome.ends if end != "trouble"] == [], "a worker ended itself for no good reason"
    assert outcome.kept == [], "a worker that was stopped in order left something uncommitted"
    assert outcome.stale == [], "a worker went on with a state that was no longer the newest"
    numbers = set(range(PARTITIONS)) - {outcome.damaged}
    if outcome.damaged is not None and outcome.plan.damage is not None:
        assert REFUSED[outcome.plan.damage] in (outcome.refusal[outcome.damaged] or "")
        found = {tp: len(outcome.cluster.read(*tp)) for tp in outcome.at_damage}
        assert found == outcome.at_damage, "something was written to a partition that is refused"
    assert {number for number in numbers if outcome.refusal[number]} == set()
    oracle, reasons = consult(outcome.placed, numbers)
    check_state([outcome.states[number] for number in sorted(numbers)], oracle)
    _check_transactions(outcome)
    _check_positions(outcome, numbers)
    seen = {topic: [record for number in sorted(numbers) for record in outcome.cluster.read(topic, number)] for topic in OUTPUTS}
    _check_letters(seen, oracle.late, reasons)
    _check_alerts(seen, oracle.transitions())
    for topic in (TOPICS.kpis, *ROLLUPS, TOPICS.heartbeats):
        _check_revisions(seen[topic])
    beats = {record.partition: orjson.loads(record.value or b"")["frontier"] for record in seen[TOPICS.heartbeats]}
    assert set(beats.values()) == {END_MS}, "windows of an idle partition close too"
    if outcome.plan.figures:
        _check_figures(seen, oracle)


def _check_transactions(outcome: Outcome) -> None:
    """I3: in every transaction offsets and state are of one moment; I2: and neither goes back."""
    last: dict[TopicPartition, int] = {}
    for each in outcome.cluster.landed:
        rows = [record for record in each.records if record.topic == CHANGELOG]
        (row,) = [record for record in rows if record.key == b'["applied"]']
        assert row.value is not None
        applied = orjson.loads(row.value[2:])[0]
        assert each.offsets == {TopicPartition(topic, row.partition): at for topic, at in applied.items()}
        for tp, at in each.offsets.items():
            assert at >= last.get(tp, 0), f"{tp} went back to {at}"
            last[tp] = at


def _check_positions(outcome: Outcome, numbers: set[int]) -> None:
    """I9: everything is read; I3: and the group's offsets say so."""
    for number in numbers:
        for topic, applied in outcome.states[number]["applied"].items():
            tp = TopicPartition(topic, number)
            assert outcome.cluster.committed[tp] == applied
            assert applied == len(outcome.cluster.log(tp))


def _check_letters(seen: dict[str, list[SimRecord]], late: set[Any], reasons: dict[tuple[str, int, int], Any]) -> None:
    """I1 and I2: what could not count is there once, and says why."""
    assert coordinates(seen[TOPICS.late], "late") == sorted(late)
    assert coordinates(seen[TOPICS.dead_letters], "dlq") == sorted(reasons)
    for record in seen[TOPICS.dead_letters]:
        headers = dict(record.headers)
        where = (headers["dlq.topic"].decode(), int(headers["dlq.partition"]), int(headers["dlq.offset"]))
        assert headers["dlq.reason"].decode() == reasons[where]


def _check_alerts(seen: dict[str, list[SimRecord]], expected: dict[str, list[Transition]]) -> None:
    """I5: every transition by id, once and in order; what belongs to the past is marked; the present states."""
    told: dict[str, list[Transition]] = {}
    for record in seen[TOPICS.alerts]:
        body = orjson.loads(record.value or b"")
        if is_transition(body):
            each = transition_of(body)
            told.setdefault(each.fingerprint, []).append(each)
    assert told == expected
    present = {(record.key or b"").decode(): record.value for record in seen[TOPICS.alerts_state]}
    shown = {mark: orjson.loads(value)["state"] for mark, value in present.items() if value is not None}
    assert shown == {mark: made[-1].after for mark, made in expected.items() if made[-1].after != "ok"}


def _check_revisions(records: list[SimRecord]) -> None:
    """I6: what a reader sees never goes back."""
    revisions: dict[tuple[int, bytes | None], int] = {}
    for record in records:
        if record.value is not None:
            at, revision = (record.partition, record.key), orjson.loads(record.value)["revision"]
            assert revision > revisions.get(at, 0), f"{record.key!r} went back to {revision}"
            revisions[at] = revision


def _check_figures(seen: dict[str, list[SimRecord]], oracle: Any) -> None:
    """The last figures of every partner, queue, channel and window, and of the day that ended."""
    for key, value in _present(seen[TOPICS.kpis]):
        partner, scope, window = parse_record_key(key)
        start, end = oracle.window(window)
        assert (value["frontier"], value["from"], value["to"]) == (END_MS, start, end), key
        check_record(value, oracle, partner, str(scope), start, end)
        if window == "5m":
            check_waiting(value["kpis"], oracle, partner, str(scope))
    days = set()
    for key, value in _present(seen[TOPICS.rollups_1d]):
        partner, scope, date = parse_record_key(key)
        days.add((partner, str(scope), date))
        assert date == "2026-03-02"
        check_record(value, oracle, partner, str(scope), MIDNIGHT_MS - DAY_MS, MIDNIGHT_MS)
    places = {(name, scope) for name, counted in oracle.events.items() for each in counted for scope in ("all", f"queue={each.queue}")}
    wanted = {(*place, "2026-03-02") for place in places if oracle.measures(*place, MIDNIGHT_MS - DAY_MS, MIDNIGHT_MS)}
    assert wanted <= days
    assert {place for place in places if oracle.measures(*place, *oracle.window("30d"))} <= {
        (partner, str(scope)) for partner, scope, _ in (parse_record_key(key) for key, _ in _present(seen[TOPICS.kpis]))
    }


def _present(records: list[SimRecord]) -> list[tuple[str, dict[str, Any]]]:
    """The newest of each key."""
    newest = {(record.key or b"").decode(): record.value for record in records}
    return [(key, orjson.loads(value)) for key, value in newest.items() if value is not None]
