"""What is published when: cadences, limits, and the end of what fell silent."""

import orjson
import pytest

from models.records import SCHEMA_VERSION
from models.windows import parse_record_key
from tests.conditions import START_MS
from tests.engines import SECOND, TOPICS, Rig, budget, event, partner_part, rule, shared_part
from tests.stories import DAY, HOUR, MINUTE


def call(rig: Rig, after_ms: int, *, partner: str = "acme", queue: str = "billing") -> None:
    at_ms = START_MS + after_ms
    rig.send(event("contact.abandoned", at_ms, f"{partner}{queue}{after_ms}", partner=partner, queue=queue), at_ms=at_ms)


SHORT = ("5m", "15m", "30m", "1h")
DAYS = ("24h", "7d", "30d", "today", "month")
ALL_WINDOWS = (*SHORT, "4h", *DAYS)


def keys(rig: Rig, after_ms: int) -> set[str]:
    """Which figures are written at that time."""
    return {each.key.decode() for each in rig.to(START_MS + after_ms) if each.topic == TOPICS.kpis and each.key}


@pytest.fixture
def rig() -> Rig:
    rig = Rig()
    rig.to(START_MS)
    call(rig, 0)
    rig.to(START_MS)
    return rig


def test_everything_is_published_at_first(rig: Rig) -> None:
    assert set(rig.figures()) == {f"acme/{scope}/{window}" for scope in ("all", "queue=billing") for window in ALL_WINDOWS}


def test_the_wider_a_window_the_later_it_comes(rig: Rig) -> None:
    call(rig, 500)
    assert keys(rig, 500) == set()
    whole = {f"acme/all/{window}" for window in SHORT}
    assert keys(rig, 1000) == whole
    call(rig, 1500)
    assert keys(rig, 2000) == whole
    call(rig, 4900)
    assert keys(rig, 5000) == whole | {f"acme/queue=billing/{window}" for window in SHORT}
    call(rig, 9000)
    keys(rig, 9000)
    assert keys(rig, 10_000) == {f"acme/queue=billing/{window}" for window in SHORT} | {"acme/all/4h", "acme/queue=billing/4h"}
    call(rig, 59_000)
    keys(rig, 59_000)
    assert keys(rig, 60_000) == {f"acme/{scope}/{window}" for scope in ("all", "queue=billing") for window in DAYS}


def test_windows_that_the_policy_does_not_keep_are_not_published_and_end_with_tombstones(rig: Rig) -> None:
    rig.policy(shared_part(windows=("15m", "4h")), at_ms=START_MS + SECOND)
    rig.to(START_MS + 20 * SECOND)
    rig.crash()
    rig.to(START_MS + 80 * SECOND)
    assert set(rig.figures()) == {f"acme/{scope}/{window}" for scope in ("all", "queue=billing") for window in ("15m", "4h")}
    rig.policy(shared_part(windows=("4h", "7d")), at_ms=START_MS + 80 * SECOND)
    rig.to(START_MS + 3 * MINUTE)
    assert rig.figures()["acme/queue=billing/7d"]["measures"]["abandoned"] == 1
    assert {key.split("/")[2] for key in rig.figures()} == {"4h", "7d"}


def test_a_scope_that_is_silent_in_every_window_that_is_kept_ends_with_a_tombstone(rig: Rig) -> None:
    rig.policy(shared_part(windows=("15m", "1h")), at_ms=START_MS + SECOND)
    rig.to(START_MS + 59 * MINUTE)
    assert rig.figures()["acme/queue=billing/1h"]["measures"]["abandoned"] == 1
    rig.to(START_MS + 63 * MINUTE)
    assert set(rig.figures()) == {"acme/all/15m", "acme/all/1h"}


@pytest.mark.parametrize("busy", [False, True])
def test_what_did_not_change_is_written_again_every_five_minutes(rig: Rig, busy: bool) -> None:
    """Also where something else of the partner changes all the time."""
    written = set[str]()
    for second in range(5, 300, 5):
        if busy:
            call(rig, second * SECOND, queue="sales")
        written |= keys(rig, second * SECOND)
    assert not [key for key in written if "billing" in key]
    assert bool(written) == busy
    assert keys(rig, 300 * SECOND) == set(rig.figures())


def test_who_waits_is_written_every_second_since_the_wait_grows(rig: Rig) -> None:
    rig.send(event("contact.queued", START_MS, "c"), at_ms=START_MS)
    for second in (1, 2, 3):
        assert "acme/all/5m" in keys(rig, second * 1000)
    assert rig.figures()["acme/all/5m"]["kpis"]["longest_wait"]["value"] == 3


def test_the_limits_let_the_whole_partners_come_first_and_lose_nothing() -> None:
    rig = Rig()
    rig.to(START_MS)
    for partner in ("a", "b", "c", "d"):
        call(rig, 0, partner=partner)
    rig.poll()
    written = rig.commit(budget(records=14))
    first = [each.key.decode() for each in written if each.topic == TOPICS.kpis and each.key]
    assert first == [f"{partner}/all/{window}" for partner in "abcd" for window in SHORT]
    allowed = 14
    while len(rig.figures()) < 80:
        rig.now_ms += 100
        allowed += 5
        rig.commit(budget(records=5))
        # What is begun is written whole, and what it was too much is saved by the commits after it.
        assert allowed - 14 < len([each for each in rig.written if each.topic == TOPICS.kpis]) <= allowed + 14
        assert allowed < 110
    rig.now_ms += 10 * SECOND
    assert rig.bodies(TOPICS.heartbeats, rig.commit())[0]["cadence_seconds"] == 5.0


def test_a_limit_of_bytes_holds_too_and_the_heartbeat_says_how_slow_it_became(rig: Rig) -> None:
    call(rig, 10 * SECOND)
    rig.poll()
    rig.now_ms = START_MS + 10 * SECOND
    assert {each.topic for each in rig.commit(budget(size=0))} == {TOPICS.heartbeats}
    rig.now_ms += 30 * SECOND
    (beat,) = rig.bodies(TOPICS.heartbeats, rig.commit(budget(size=0)))
    assert beat["cadence_seconds"] == 35.0


def test_a_scope_in_which_nothing_happens_for_thirty_days_ends_with_a_tombstone(rig: Rig) -> None:
    rig.to(START_MS + 23 * HOUR)
    assert rig.figures()["acme/queue=billing/24h"]["measures"]
    assert rig.figures()["acme/queue=billing/5m"]["measures"] == {}
    rig.to(START_MS + 30 * DAY)
    assert rig.figures()["acme/queue=billing/30d"]["measures"]
    assert rig.figures()["acme/queue=billing/7d"]["measures"] == {}
    rig.to(START_MS + 31 * DAY)
    assert {key.split("/")[1] for key in rig.figures()} == {"all"}
    assert rig.figures()["acme/all/30d"]["measures"] == {}


def test_a_tombstone_comes_also_after_a_crash_between_the_silence_and_its_commit(rig: Rig) -> None:
    rig.to(START_MS + 29 * DAY)
    rig.idle(START_MS + 31 * DAY)
    rig.commit(budget(records=0))
    rig.crash()
    rig.to(START_MS + 31 * DAY)
    rig.to(START_MS + 31 * DAY + 2 * MINUTE)
    assert {key.split("/")[1] for key in rig.figures()} == {"all"}


def test_a_scope_of_which_all_was_taken_back_ends_in_one_commit_with_its_row(rig: Rig) -> None:
    """Whatever the limits: after a crash nothing would tell of it."""
    told_ms = START_MS + MINUTE
    rig.send(event("ticket.opened", told_ms, "t1", contact_id="t", queue="sales"), at_ms=told_ms)
    rig.to(told_ms)
    rig.to(told_ms + MINUTE)
    assert rig.figures()["acme/queue=sales/5m"]["measures"] == {"opened": 1}
    rig.send(event("ticket.opened", START_MS, "t0", contact_id="t", queue="billing"), at_ms=told_ms + 2 * MINUTE)
    rig.poll()
    rig.commit(budget(records=0))
    rig.crash()
    rig.to(told_ms + 5 * MINUTE)
    assert rig.figures()["acme/queue=billing/1h"]["measures"]["opened"] == 1
    assert "acme/queue=sales/5m" not in rig.figures()


def test_a_partner_that_no_policy_names_and_nothing_is_left_of_is_forgotten(rig: Rig) -> None:
    rig.policy(partner_part("bolt"), at_ms=START_MS)
    call(rig, 0, partner="bolt")
    rig.to(START_MS + 40 * DAY)
    assert {key.split("/")[0] for key in rig.figures()} == {"bolt"}
    assert set(rig.snapshot()["partners"]) == {"bolt"}
    assert not [key for key in rig.changelog if b'"acme"' in key]
    rig.crash()
    call(rig, 40 * DAY)
    rig.to(START_MS + 40 * DAY + SECOND)
    assert rig.figures()["acme/all/5m"]["measures"]["abandoned"] == 1


def test_a_revision_never_goes_back_for_a_key_not_even_after_a_crash(rig: Rig) -> None:
    for second in range(1, 60, 2):
        call(rig, second * SECOND)
        rig.poll()
        rig.now_ms = START_MS + second * SECOND
        rig.commit(lands=second % 3 != 0)
        rig.to(START_MS + second * SECOND)
    revisions: dict[str, int] = {}
    for each in rig.written:
        if each.topic == TOPICS.kpis and each.key and each.value:
            revision = orjson.loads(each.value)["revision"]
            assert revision > revisions.get(each.key.decode(), 0)
            revisions[each.key.decode()] = revision


def test_records_carry_cloudevents_headers_a_version_and_keys_that_can_be_read() -> None:
    rig = Rig()
    rig.to(START_MS)
    call(rig, 0, partner="a/b", queue="x=ü %")
    for each in rig.to(START_MS + SECOND):
        headers = dict(each.headers)
        assert headers["ce_specversion"] == b"1.0"
        assert headers["ce_source"] == b"/outwatch/app"
        assert headers["schema_version"] == SCHEMA_VERSION.encode()
        assert headers["ce_id"]
        if each.topic == TOPICS.kpis:
            partner, scope, window = parse_record_key((each.key or b"").decode())
            body = orjson.loads(each.value or b"")
            assert (partner, str(scope), window) == (body["partner"], body["scope"], body["window"])
            assert headers["ce_subject"] == b"a/b"


def test_a_heartbeat_comes_every_five_seconds_and_nothing_else_where_nothing_happens() -> None:
    rig = Rig()
    rig.to(START_MS)
    topics = [[each.topic for each in rig.to(START_MS + second * SECOND)] for second in range(1, 11)]
    assert [len(each) for each in topics] == [0, 0, 0, 0, 1, 0, 0, 0, 0, 1]
    (beat,) = rig.bodies(TOPICS.heartbeats, rig.to(START_MS + 15 * SECOND))
    assert (beat["frontier"], beat["as_of"]) == (START_MS + 15 * SECOND,) * 2
    assert beat["evaluated_to"] == START_MS + 10 * SECOND


def test_a_transition_is_urgent_and_carries_where_it_was_decided() -> None:
    rig = Rig()
    rig.policy(shared_part(rule(owner="realtime")), partner_part(), at_ms=START_MS)
    rig.to(START_MS)
    call(rig, SECOND)
    rig.poll()
    assert not rig.engine.urgent
    rig.idle(START_MS + 15 * SECOND)
    assert rig.engine.urgent
    rig.commit()
    assert not rig.engine.urgent
    (body,) = rig.bodies(TOPICS.alerts)
    assert body["trace"] == {TOPICS.interactions: 1, TOPICS.policies: 2}
    assert (body["evaluated_at"], body["frontier"], body["late"]) == (START_MS + 10 * SECOND, START_MS + 15 * SECOND, False)
    (state,) = rig.compacted(TOPICS.alerts_state).values()
    assert (state["state"], state["fingerprint"]) == ("firing", body["fingerprint"])
    (row,) = [key for key in rig.changelog if b'"alert"' in key]
    assert body["fingerprint"].encode() in row
