"""Live contacts: who waits now, whatever the order of what is told about them."""

from itertools import permutations

import pytest

from streams.engine.contacts import EARLY_CLOSE_MS
from tests.conditions import START_MS
from tests.engines import SECOND, Rig, event, limited, shared_part
from tests.stories import DAY, HOUR, MINUTE

CLOSES = ("contact.answered", "contact.abandoned", "contact.completed", "contact.left")


@pytest.fixture
def rig() -> Rig:
    rig = Rig()
    rig.to(START_MS)
    tell(rig, "contact.queued", "other", -HOUR, queue="sales", channel="chat")
    tell(rig, "contact.answered", "other", -HOUR, queue="sales", channel="chat")
    return rig


def tell(rig: Rig, kind: str, contact: str, after_ms: int = 0, **fields: str) -> None:
    at_ms = START_MS + after_ms
    identity = f"{kind}-{contact}-{after_ms}"
    rig.send(event(kind, at_ms, identity, contact_id=contact, **fields), at_ms=max(at_ms, rig.engine.frontier_ms))


def live(rig: Rig, scope: str = "all", after_ms: int = 30 * SECOND) -> tuple[float, float | None, float]:
    """Waiting, longest wait in seconds, waiting past 20 s, as published at that time."""
    rig.to(START_MS + after_ms)
    kpis = rig.figures()[f"acme/{scope}/5m"]["kpis"]
    return kpis["in_queue"]["value"], kpis["longest_wait"]["value"], kpis["waiting_past_threshold"]["value"]


def test_gauges_stand_in_each_scope_of_windows_up_to_an_hour(rig: Rig) -> None:
    tell(rig, "contact.queued", "a", queue="billing", channel="voice")
    tell(rig, "contact.queued", "b", 15 * SECOND, queue="billing")
    assert live(rig) == live(rig, "queue=billing") == (2, 30, 1)
    assert live(rig, "channel=voice") == (1, 30, 1)
    assert "in_queue" in rig.figures()["acme/all/1h"]["kpis"]
    assert "in_queue" not in rig.figures()["acme/all/24h"]["kpis"]


@pytest.mark.parametrize("kind", CLOSES)
def test_whatever_comes_first_of_answered_abandoned_completed_and_left_closes_it(rig: Rig, kind: str) -> None:
    tell(rig, "contact.queued", "a")
    assert live(rig) == (1, 30, 1)
    tell(rig, kind, "a", 31 * SECOND)
    assert live(rig, after_ms=32 * SECOND) == (0, None, 0), "and it is published although nobody waits any more"


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_order_of_delivery_leaves_no_ghost(rig: Rig, order: tuple[int, ...]) -> None:
    told = [("contact.queued", 0), ("contact.answered", 10), ("contact.completed", 20)]
    for step in order:
        kind, seconds = told[step]
        tell(rig, kind, "a", seconds * SECOND)
        rig.to(START_MS + 21 * SECOND)
        rig.crash()
    assert live(rig) == (0, None, 0)


def test_an_answer_without_a_wait_leaves_no_ghost_whichever_came_first(rig: Rig) -> None:
    tell(rig, "contact.answered", "a")
    tell(rig, "contact.queued", "a")
    tell(rig, "contact.queued", "b")
    tell(rig, "contact.answered", "b")
    assert live(rig) == (0, None, 0)


def test_a_contact_queued_twice_waits_once_since_the_first(rig: Rig) -> None:
    tell(rig, "contact.queued", "a")
    tell(rig, "contact.queued", "a", 10 * SECOND)
    assert live(rig) == (1, 30, 1)
    tell(rig, "contact.left", "a", 30 * SECOND)
    assert live(rig, after_ms=31 * SECOND) == (0, None, 0)


def test_a_contact_queued_again_after_its_close_waits_again(rig: Rig) -> None:
    tell(rig, "contact.queued", "a")
    tell(rig, "contact.left", "a", 5 * SECOND)
    tell(rig, "contact.queued", "a", 10 * SECOND)
    assert live(rig) == (1, 20, 0)


def test_a_close_that_came_early_outlives_a_second_wait_and_a_restart(rig: Rig) -> None:
    tell(rig, "contact.answered", "a", 5 * SECOND)
    tell(rig, "contact.queued", "a", 10 * SECOND)
    tell(rig, "contact.answered", "a", 15 * SECOND)
    rig.to(START_MS + 15 * SECOND)
    before = rig.snapshot()
    rig.crash()
    assert rig.snapshot() == before
    tell(rig, "contact.queued", "a", 1 * SECOND)
    assert live(rig) == (0, None, 0), "the first opening comes last, and its close is remembered"


@pytest.mark.parametrize("commits", [True, False])
@pytest.mark.parametrize(("told_ms", "waiting"), [(EARLY_CLOSE_MS, 0), (EARLY_CLOSE_MS + 1, 1)])
def test_whether_an_opening_comes_too_late_is_a_matter_of_its_own_time(rig: Rig, *, told_ms: int, waiting: int, commits: bool) -> None:
    tell(rig, "contact.answered", "a", 5 * SECOND)
    rig.poll()
    rig.now_ms = told_at = START_MS + 5 * SECOND + told_ms
    if commits:
        rig.idle(told_at)
        rig.commit()
    rig.send(event("contact.queued", START_MS + SECOND, "late", contact_id="a"), at_ms=told_at)
    rig.poll()
    assert len(rig.snapshot()["contacts"][0].get("acme", {})) == waiting


def test_a_close_that_is_told_too_late_for_its_opening_is_not_remembered(rig: Rig) -> None:
    for identity, late_ms in (("a", EARLY_CLOSE_MS), ("b", EARLY_CLOSE_MS + 1)):
        rig.send(event("contact.answered", START_MS, identity, contact_id=identity), at_ms=START_MS + late_ms)
    rig.poll()
    assert rig.snapshot()["contacts"][1] == {("acme", "a"): START_MS}


def test_an_early_close_is_forgotten_in_time(rig: Rig) -> None:
    tell(rig, "contact.answered", "a", 5 * SECOND)
    tell(rig, "contact.answered", "b", MINUTE)
    rig.to(START_MS + 2 * EARLY_CLOSE_MS + MINUTE)
    assert rig.snapshot()["contacts"][1] == {("acme", "b"): START_MS + MINUTE}
    rig.to(START_MS + 2 * EARLY_CLOSE_MS + 2 * MINUTE)
    assert not rig.snapshot()["contacts"][1]
    rig.crash()
    assert not rig.snapshot()["contacts"][1]


def test_a_partner_that_never_queues_contacts_has_few_closes_remembered() -> None:
    rig = Rig()
    rig.send(*(event("contact.answered", START_MS, f"e-{at}", contact_id=f"c-{at}") for at in range(150)), at_ms=START_MS)
    rig.to(START_MS)
    assert len(rig.snapshot()["contacts"][1]) == 100
    rig.to(START_MS + 2 * EARLY_CLOSE_MS + MINUTE)
    rig.crash()
    rig.send(event("contact.answered", START_MS + HOUR, "e", contact_id="a"), at_ms=START_MS + HOUR)
    assert rig.snapshot()["contacts"] == ({}, {}), "it is believed to queue none"


def test_the_very_first_opening_may_come_after_its_close() -> None:
    rig = Rig()
    rig.send(event("contact.answered", START_MS, "e", contact_id="a"), at_ms=START_MS)
    rig.crash()
    rig.send(event("contact.queued", START_MS - 10 * SECOND, "q", contact_id="a"), at_ms=START_MS)
    rig.to(START_MS + 30 * SECOND)
    assert rig.snapshot()["contacts"] == ({}, {})


def test_a_contact_that_never_closes_expires_and_is_counted(rig: Rig) -> None:
    tell(rig, "contact.queued", "a", queue="billing")
    rig.to(START_MS + 4 * HOUR)
    assert live(rig, "queue=billing", 4 * HOUR + 5 * SECOND)[0] == 1
    rig.crash()
    assert live(rig, "queue=billing", 4 * HOUR + 20 * SECOND) == (0, None, 0)
    assert rig.engine.counters["contacts_expired"] == 1
    assert rig.figures()["acme/queue=billing/5m"]["measures"] == {"expired": 1}
    rig.crash()
    rig.to(START_MS + 5 * HOUR)
    assert rig.engine.counters["contacts_expired"] == 1
    assert rig.snapshot()["contacts"] == ({}, {})


def test_contacts_beyond_the_limit_are_not_watched_and_counted() -> None:
    rig = Rig(limited(open_contacts=2))
    rig.to(START_MS)
    for contact in "abc":
        tell(rig, "contact.queued", contact)
    assert live(rig)[0] == 2
    assert rig.engine.counters["contacts_dropped"] == 1
    tell(rig, "contact.left", "a", 31 * SECOND)
    tell(rig, "contact.queued", "d", 31 * SECOND)
    assert live(rig, after_ms=35 * SECOND)[0] == 2


def test_the_rows_of_contacts_are_rewritten_when_most_of_them_are_dead() -> None:
    rig = Rig()
    rig.to(START_MS)
    tell(rig, "contact.queued", "stays")
    for number in range(300):
        tell(rig, "contact.queued", f"c{number}")
        tell(rig, "contact.left", f"c{number}", SECOND)
        if number % 40 == 0:
            rig.to(START_MS + number * 100)
    rig.to(START_MS + MINUTE)
    chunks = [key for key in rig.changelog if key.startswith(b'["contacts"')]
    assert sum(len(rig.changelog[key]) for key in chunks) < 1000
    before = rig.snapshot()
    rig.crash()
    assert rig.snapshot() == before
    assert live(rig, after_ms=2 * MINUTE)[0] == 1


@pytest.mark.parametrize(("scopes", "rows"), [((), 3), (("site",), 6)])
def test_many_contacts_are_written_in_chunks(scopes: tuple[str, ...], rows: int) -> None:
    rig = Rig()
    rig.idle(START_MS)
    rig.policy(shared_part(scopes=scopes), at_ms=START_MS)
    for number in range(1200):
        tell(rig, "contact.queued", f"{'c' * 100}{number}", queue="q" * 128, channel="v" * 128, site="s" * 128)
    rig.to(START_MS)
    assert len([key for key in rig.changelog if key.startswith(b'["contacts"')]) == rows
    before = rig.snapshot()
    rig.crash()
    assert rig.snapshot() == before


def test_of_a_partner_that_is_gone_nothing_is_held() -> None:
    """Names that producers make up come and go; what is held for them must not grow with their number."""
    rig = Rig()
    rig.send(event("contact.queued", START_MS, "q", contact_id="a"), event("contact.left", START_MS, "l", contact_id="a"), at_ms=START_MS)
    rig.to(START_MS)
    state = rig.engine._state
    assert (list(state.contacts.by_partner), list(state.tickets.by_partner)) == (["acme"], ["acme"])
    for days in range(1, 38):
        rig.to(START_MS + days * DAY)
    assert (state.partners, state.contacts.by_partner, state.tickets.by_partner) == ({}, {}, {})
    rig.send(event("contact.queued", START_MS + 38 * DAY, "again", contact_id="a"), at_ms=START_MS + 38 * DAY)
    rig.to(START_MS + 38 * DAY)
    assert list(rig.snapshot()["contacts"][0]) == ["acme"]
