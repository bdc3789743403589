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
    assert set(rig.figures()) == {f"acme/{scope}/{window}" for scope in ("all", "queue=billing") for window in ("5m", "15m", "1h", "24h")}


def test_the_whole_partner_comes_every_second_its_parts_every_five_and_wide_windows_every_minute(rig: Rig) -> None:
    call(rig, 500)
    assert keys(rig, 500) == set()
    whole = {f"acme/all/{window}" for window in ("5m", "15m", "1h")}
    assert keys(rig, 1000) == whole
    call(rig, 1500)
    assert keys(rig, 2000) == whole
    call(rig, 4900)
    assert keys(rig, 5000) == whole | {f"acme/queue=billing/{window}" for window in ("5m", "15m", "1h")}
    call(rig, 59_000)
    keys(rig, 59_000)
    assert keys(rig, 60_000) == {"acme/all/24h", "acme/queue=billing/24h"}


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
    written = rig.commit(budget(records=10))
    first = [each.key.decode() for each in written if each.topic == TOPICS.kpis and each.key]
    assert first == [f"{partner}/all/{window}" for partner in "abcd" for window in ("5m", "15m", "1h")]
    commits = 0
    while len(rig.figures()) < 32:
        rig.now_ms += 100
        assert len([each for each in rig.commit(budget(records=4)) if each.topic == TOPICS.kpis]) <= 7
        commits += 1
        assert commits < 20
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


def test_a_scope_in_which_nothing_happens_for_a_day_ends_with_a_tombstone(rig: Rig) -> None:
    rig.to(START_MS + 23 * HOUR)
    assert rig.figures()["acme/queue=billing/24h"]["measures"]
    assert rig.figures()["acme/queue=billing/5m"]["measures"] == {}
    rig.to(START_MS + DAY + 20 * MINUTE)
    assert {key.split("/")[1] for key in rig.figures()} == {"all"}
    assert rig.figures()["acme/all/24h"]["measures"] == {}


def test_a_tombstone_comes_also_after_a_crash_between_the_silence_and_its_commit(rig: Rig) -> None:
    rig.to(START_MS + 23 * HOUR)
    rig.idle(START_MS + DAY + 20 * MINUTE)
    rig.commit(budget(records=0))
    rig.crash()
    rig.to(START_MS + DAY + 20 * MINUTE)
    rig.to(START_MS + DAY + 22 * MINUTE)
    assert {key.split("/")[1] for key in rig.figures()} == {"all"}


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
