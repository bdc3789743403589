"""The frontier: what moves it, what does not, and where runs are cut by it."""

from dataclasses import replace

from tests.conditions import START_MS
from tests.engines import CONFIG, SECOND, TOPICS, Rig, event, partner_part, rule, shared_part
from tests.stories import HOUR, MINUTE

STRICT = rule(levels=[{"severity": "warning", "enter": 0.95, "exit": 0.95, "for": 0}])


def queued(identity: str, at_ms: int, **fields: str) -> dict[str, object]:
    return event("contact.queued", at_ms, identity, **fields)


def test_it_is_unknown_until_every_source_was_heard_of_and_then_the_lowest() -> None:
    rig = Rig()
    rig.idle(START_MS, *TOPICS.subscribed[1:])
    assert rig.engine.frontier_ms == 0
    rig.send(queued("e", START_MS), at_ms=START_MS - 7)
    rig.poll()
    assert rig.engine.frontier_ms == START_MS - 7
    rig.idle(START_MS + 5, TOPICS.interactions)
    assert rig.engine.frontier_ms == START_MS


def test_a_state_that_is_new_is_judged_from_the_first_record_on() -> None:
    """What lies in a first run that is long would else be counted, and judged only where the run ends."""
    found = []
    for polls in ((29,), range(30)):
        rig = Rig()
        rig.policy(shared_part(rule()), partner_part(), at_ms=START_MS)
        rig.idle(START_MS + HOUR, *TOPICS.subscribed[1:])
        for minute in range(30):
            at_ms = START_MS + minute * MINUTE
            rig.send(event("contact.answered", at_ms, f"e{minute}", wait_seconds=90.0 if 5 <= minute < 8 else 1.0), at_ms=at_ms)
            if minute in polls:
                rig.poll()
        rig.commit()
        found.append(rig.alerts())
    assert [kind for _, kind, _, _ in found[0]] == ["fired", "resolved", "cleared"]
    assert found[0] == found[1]


def test_it_never_goes_back_not_even_by_a_restart() -> None:
    rig = Rig()
    rig.to(START_MS)
    rig.send(queued("e", START_MS), at_ms=START_MS - HOUR)
    rig.to(START_MS - HOUR)
    assert rig.engine.frontier_ms == START_MS
    rig.crash()
    rig.idle(START_MS - MINUTE)
    assert rig.engine.frontier_ms == START_MS


def test_a_timestamp_of_the_future_counts_as_now() -> None:
    rig = Rig()
    rig.idle(START_MS)
    rig.send(queued("e", START_MS), at_ms=START_MS + HOUR)
    for topic in TOPICS.subscribed[1:]:
        rig.engine.idle(topic, START_MS + 2 * HOUR)
    for _ in rig.engine.apply(TOPICS.interactions, 0, rig.logs[TOPICS.interactions], START_MS + 3):
        pass
    assert rig.engine.frontier_ms == START_MS + 3


def test_what_a_wrong_clock_says_of_events_moves_nothing() -> None:
    rig = Rig()
    rig.to(START_MS)
    rig.send(queued("ahead", START_MS + 4 * MINUTE), queued("behind", START_MS - HOUR), at_ms=START_MS + 1)
    rig.to(START_MS + 1)
    assert rig.engine.frontier_ms == START_MS + 1
    assert "in_queue" in rig.figures()["acme/all/5m"]["kpis"]
    assert rig.figures()["acme/all/5m"]["kpis"]["in_queue"]["value"] == 1, "who queues in four minutes does not wait yet"


def test_a_run_is_cut_where_its_timestamps_pass_a_due_grid_point() -> None:
    """A late event that arrives after a grid point fell due is not seen at it, in whatever run it came."""
    found = []
    for together in (True, False):
        rig = Rig()
        rig.policy(shared_part(STRICT), partner_part(), at_ms=START_MS)
        rig.to(START_MS)
        rig.idle(START_MS + MINUTE, *(topic for topic in TOPICS.subscribed if topic != TOPICS.interactions))
        calls = [(START_MS + 1, 14), (START_MS + 2, 14), (START_MS + 3, 15), (START_MS + 4, 15)]  # seconds after the start
        for number, (at_ms, arrives) in enumerate(calls):
            kind = "contact.abandoned" if number >= 2 else "contact.answered"
            rig.send(event(kind, at_ms, f"e{number}"), at_ms=START_MS + arrives * SECOND)
            if not together:
                rig.poll()
        rig.poll()
        rig.to(START_MS + MINUTE)
        found.append([(at_ms - START_MS, kind) for _, kind, at_ms, _ in rig.alerts()])
    assert found == [[(20 * SECOND, "fired")]] * 2, "both abandoned calls came when the first grid point was due already"


def test_settle_is_waited_for_before_a_grid_point_is_judged() -> None:
    rig = Rig()
    rig.policy(shared_part(rule(), settle_seconds=30), partner_part(), at_ms=START_MS)
    rig.to(START_MS)
    rig.send(event("contact.abandoned", START_MS + 1, "e"), at_ms=START_MS + 2)
    rig.to(START_MS + 39 * SECOND)
    assert rig.alerts() == []
    rig.to(START_MS + 40 * SECOND)
    assert [(kind, at_ms) for _, kind, at_ms, _ in rig.alerts()] == [("fired", START_MS + 10 * SECOND)]


def test_after_downtime_the_past_is_judged_as_it_would_have_been() -> None:
    found = []
    for down in (False, True):
        rig = Rig()
        rig.policy(shared_part(rule()), partner_part(), at_ms=START_MS)
        rig.to(START_MS)
        for minute, kind in enumerate(["contact.answered", *["contact.abandoned"] * 4, *["contact.answered"] * 40]):
            at_ms = START_MS + minute * MINUTE
            rig.send(event(kind, at_ms, f"e{minute}"), at_ms=at_ms)
            if not down:
                rig.to(at_ms)
        if down:
            rig.idle(START_MS + HOUR, *TOPICS.subscribed[1:])
        rig.to(START_MS + HOUR)
        found.append(rig.alerts())
    assert found[0] == found[1]
    assert [kind for _, kind, *_ in found[0]] == ["fired", "resolved", "cleared"]


def test_under_the_logs_clock_only_its_records_move_it() -> None:
    rig = Rig(replace(CONFIG, clock_from_log=True))
    both = [TOPICS.interactions, TOPICS.surveys]

    def tick(topic: str, to_ms: int) -> None:
        rig.send({"type": "clock.advanced", "to": to_ms, "topics": both}, at_ms=START_MS + HOUR, topic=topic, key=None)
        rig.poll(topic)

    rig.idle(START_MS + HOUR)
    assert rig.engine.frontier_ms == 0
    tick(TOPICS.interactions, START_MS)
    assert rig.engine.frontier_ms == 0, "the other topic that it feeds is not there yet"
    tick(TOPICS.surveys, START_MS - 20 * SECOND)
    assert rig.engine.frontier_ms == START_MS - 20 * SECOND
    rig.send(queued("e", START_MS + HOUR), at_ms=START_MS + 2 * HOUR)
    rig.poll()
    rig.idle(START_MS + 3 * HOUR)
    assert rig.engine.frontier_ms == START_MS - 20 * SECOND
    tick(TOPICS.surveys, START_MS + MINUTE)
    tick(TOPICS.interactions, START_MS - MINUTE)
    assert rig.engine.frontier_ms == START_MS, "it never goes back"
    rig.commit()
    assert rig.letters() == []
    rig.crash()
    assert rig.engine.frontier_ms == START_MS


def test_under_the_logs_clock_events_behind_a_tick_do_not_count_for_its_grid_points() -> None:
    rig = Rig(replace(CONFIG, clock_from_log=True))
    rig.policy(shared_part(STRICT), partner_part(), at_ms=START_MS)
    for number, (kind, at_ms) in enumerate([("contact.answered", START_MS), ("contact.abandoned", START_MS + 12 * SECOND)]):
        rig.send(event(kind, at_ms, f"e{number}"), at_ms=START_MS)
        rig.send({"type": "clock.advanced", "to": START_MS + 15 * SECOND + number * 10 * SECOND}, at_ms=START_MS, key=None)
    rig.poll()
    rig.commit()
    assert [(kind, at_ms) for _, kind, at_ms, _ in rig.alerts()] == [("fired", START_MS + 20 * SECOND)]


def test_a_partner_first_seen_long_after_the_frontier_stood_still_is_closed_once() -> None:
    rig = Rig()
    rig.to(START_MS)
    later = START_MS + 40 * 24 * HOUR
    rig.idle(later, *TOPICS.subscribed[1:])
    rig.send(queued("e", later), at_ms=later)
    assert sum(1 for _ in rig.steps(TOPICS.interactions)) <= 1
    rig.idle(later + 16 * SECOND)
    assert rig.snapshot()["partners"]["acme"]["row"][0] == later + 10 * SECOND
