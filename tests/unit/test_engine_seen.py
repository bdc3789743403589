"""An event counts once, however often it is delivered within the horizon."""

from streams.engine.config import Limits
from tests.conditions import START_MS
from tests.engines import SECOND, TOPICS, Rig, event, limited
from tests.stories import MINUTE

HORIZON_MS = Limits().seen_horizon_ms


def queued(rig: Rig, identity: str, at_ms: int, partner: str = "acme") -> None:
    rig.send(event("contact.queued", at_ms, identity, partner=partner), at_ms=at_ms)


def test_a_duplicate_counts_once_in_a_run_across_runs_and_across_restarts() -> None:
    rig = Rig()
    rig.to(START_MS)
    queued(rig, "e", START_MS)
    queued(rig, "e", START_MS)
    rig.to(START_MS)
    queued(rig, "e", START_MS + 1)
    rig.to(START_MS + 1)
    rig.crash()
    queued(rig, "e", START_MS + HORIZON_MS - SECOND)
    rig.send(event("contact.record", START_MS + 5, "e"), at_ms=START_MS + HORIZON_MS - SECOND)
    rig.to(START_MS + HORIZON_MS - SECOND)
    assert rig.engine.counters["events"] == 1
    assert rig.engine.counters["duplicates"] == 4


def test_the_same_id_of_two_partners_counts_for_both() -> None:
    rig = Rig()
    queued(rig, "e", START_MS)
    queued(rig, "e", START_MS, "bolt")
    rig.to(START_MS)
    assert rig.engine.counters["events"] == 2


def test_ids_are_forgotten_after_the_horizon_and_their_rows_deleted() -> None:
    rig = Rig()
    queued(rig, "e", START_MS)
    rig.to(START_MS)
    assert [key for key in rig.changelog if b'"ids"' in key]
    rig.to(START_MS + HORIZON_MS + 2 * MINUTE)
    assert not [key for key in rig.changelog if b'"ids"' in key]
    assert rig.snapshot()["seen"] == set()


def test_more_ids_than_the_limit_are_forgotten_early_and_counted() -> None:
    rig = Rig(limited(seen_ids=3))
    for number in range(6):
        queued(rig, f"e{number}", START_MS + number * MINUTE)
        rig.to(START_MS + number * MINUTE)
    assert rig.engine.counters["seen_ids_forgotten_early"] == 3
    assert len(rig.snapshot()["seen"]) == 3
    rig.crash()
    assert len(rig.snapshot()["seen"]) == 3


def test_many_ids_are_written_in_chunks_and_each_only_once() -> None:
    rig = Rig()
    rig.idle(START_MS)
    for number in range(33_000):
        queued(rig, f"e{number}", START_MS)
    rig.to(START_MS)
    assert len([key for key in rig.changelog if b'"ids"' in key]) == 2
    queued(rig, "one more", START_MS)
    rig.poll()
    rig.commit()
    assert [len(value or b"") for key, value in rig.commits[-1].rows if b'"ids"' in key] == [10]
    before = rig.snapshot()
    rig.crash()
    assert rig.snapshot() == before


def test_a_producers_clock_neither_forgets_an_id_at_once_nor_keeps_it_for_ever() -> None:
    rig = Rig()
    rig.to(START_MS)
    for skew_ms in (-10 * HORIZON_MS, 10 * HORIZON_MS):
        for _ in range(2):
            rig.now_ms = START_MS
            body = event("contact.queued", START_MS - 11 * HORIZON_MS, f"e{skew_ms}")
            rig.send(body, at_ms=START_MS + skew_ms)
            follows = rig.engine.applied.get(TOPICS.interactions, 0)
            for _ in rig.engine.apply(TOPICS.interactions, follows, rig.logs[TOPICS.interactions][follows:], START_MS):
                pass
            rig.commit()
    assert rig.engine.counters["duplicates"] == 2
    rig.to(START_MS + 2 * HORIZON_MS)
    assert rig.snapshot()["seen"] == set()
