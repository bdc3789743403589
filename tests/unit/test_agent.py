"""One agent: what their states, shifts, service and courses count, whatever the order in which they were told."""

from typing import Any

import pytest

from models.measures import FAMILIES, Family
from models.windows import HOUR_MS
from streams.engine.agent import COURSES_MAX, FOREVER_MS, SHIFTS_MAX, Agent, Course, Doing, News, Said, Service, Shift, Stint

EXPIRY = 1_000
NAMES = FAMILIES[Family.WORKFORCE]


def stint(at_ms: int, doing: Doing, queue: str | None = None) -> Stint:
    return Stint(at_ms, Said(doing, queue, None, EXPIRY))


def shift(start_ms: int, end_ms: int, stamp_ms: int = 0, doing: Doing = Doing.AVAILABLE) -> Shift:
    return Shift(start_ms, end_ms, doing, stamp_ms, None, None)


def due(at_ms: int, due_ms: int) -> Course:
    return Course(at_ms, due_ms, "tone", None, None)


def done(at_ms: int) -> Course:
    return Course(at_ms, None, "tone", None, None)


def agent(*told: News) -> Agent:
    made = Agent()
    for news in told:
        if made.reach(news) is not None:
            made.put(news)
    return made


def counted(one: Agent, low_ms: int = 0, high_ms: int = 100_000) -> dict[str, int]:
    found: dict[str, int] = {}
    for start, end, *_, measure in (*one.parts(low_ms, high_ms), *one.serving(low_ms, high_ms)):
        found[NAMES[measure]] = found.get(NAMES[measure], 0) + (end - start or 1)
    return found


def test_time_on_contacts_and_in_wrap_up_is_contact_time_and_breaks_and_training_are_neither() -> None:
    doings = (Doing.AVAILABLE, Doing.ON_CONTACT, Doing.WRAP, Doing.BREAK, Doing.TRAINING, Doing.OFFLINE)
    one = agent(*(stint(100 * at, doing) for at, doing in enumerate(doings)))
    assert counted(one) == {"idle_ms": 100, "contact_ms": 200}
    assert counted(one, 50, 150) == {"idle_ms": 50, "contact_ms": 50}


def test_a_state_without_an_end_holds_until_it_expires_and_is_counted_there() -> None:
    assert counted(agent(stint(0, Doing.AVAILABLE))) == {"idle_ms": EXPIRY, "agents_expired": 1}
    assert counted(agent(stint(0, Doing.AVAILABLE), stint(EXPIRY, Doing.OFFLINE))) == {"idle_ms": EXPIRY}
    assert counted(agent(stint(0, Doing.OFFLINE))) == {}
    assert counted(agent(stint(0, Doing.BREAK)), EXPIRY, EXPIRY + 1) == {"agents_expired": 1}


def test_of_two_states_of_the_same_millisecond_one_holds_whichever_comes_first() -> None:
    both = stint(0, Doing.AVAILABLE), stint(0, Doing.WRAP)
    assert counted(agent(*both)) == counted(agent(*reversed(both))) == {"contact_ms": EXPIRY, "agents_expired": 1}


def test_an_agent_keeps_to_a_schedule_by_what_it_is_for() -> None:
    told: list[News] = [shift(0, 300), shift(300, 400, doing=Doing.BREAK), stint(0, Doing.ON_CONTACT), stint(200, Doing.BREAK)]
    assert counted(agent(*told, stint(350, Doing.AVAILABLE))) == {
        "contact_ms": 200,
        "idle_ms": 1000,
        "agents_expired": 1,
        "scheduled_ms": 400,
        "adherent_ms": 250,
    }


def test_without_a_state_scheduled_time_is_not_kept_to() -> None:
    assert counted(agent(shift(0, 300))) == {"scheduled_ms": 300}


def test_a_newer_schedule_replaces_the_whole_of_what_it_overlaps_and_what_is_older_still_comes_too_late() -> None:
    first, moved = shift(0, 800, 1), shift(700, 1500, 2)
    assert counted(agent(first, moved)) == counted(agent(moved, first)) == {"scheduled_ms": 800}
    cancelled = shift(1400, 1500, 3, Doing.OFFLINE)
    assert counted(agent(first, moved, cancelled)) == {}, "what was replaced does not come back"


def test_of_schedules_told_at_once_the_one_that_begins_last_holds() -> None:
    told: list[News] = [shift(0, 900, 1), shift(400, 500, 1, Doing.BREAK), stint(0, Doing.WRAP)]
    assert counted(agent(*told))["scheduled_ms"] == 900
    assert counted(agent(*told))["adherent_ms"] == 800


def test_staff_time_runs_from_joining_to_leaving_and_leaving_twice_is_leaving_once() -> None:
    joined, left = Service(100, True, "billing", None), Service(400, False, None, None)
    one = agent(left, joined, Service(500, False, None, None))
    assert counted(one) == {"headcount_ms": 300, "agents_left": 1}
    assert {part.queue for part in one.serving(0, 1000)} == {"billing"}, "who leaves is missed where they joined"
    twice = agent(joined, Service(300, True, "sales", None), left)
    assert list(twice.serving(0, 1000)) == list(agent(joined, left).serving(0, 1000)), "joining twice is joining once, where it was first"
    assert counted(agent(left)) == {"agents_left": 1}, "nobody told that they had joined"


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ([due(0, 500), done(500)], {"trainings_due": 1, "trainings_done": 1}),
        ([due(0, 500), done(501)], {"trainings_due": 1}),
        ([due(0, 500)], {"trainings_due": 1}),
        ([done(500)], {}),
        ([due(0, 500), due(400, 900), done(700)], {"trainings_due": 1, "trainings_done": 1}),
        ([due(0, 500), due(600, 900), done(700)], {"trainings_due": 2, "trainings_done": 1}),
        ([due(0, 500), done(300), due(400, 900)], {"trainings_due": 2, "trainings_done": 1}),
    ],
    ids=["in time", "late", "never", "never due", "put off", "due again", "due again after it was done"],
)
def test_a_course_counts_on_its_due_date(told: list[Course], expected: dict[str, int]) -> None:
    assert counted(agent(*told)) == counted(agent(*reversed(told))) == expected
    assert counted(agent(*told), 0, 500) == {}, "nothing is due before that"


def test_an_agent_is_looked_at_while_something_runs_or_is_to_come() -> None:
    one = agent(stint(100, Doing.AVAILABLE), stint(300, Doing.OFFLINE), shift(5_000, 6_000))
    assert [one.next_ms(at) for at in (0, 200, 300, 301, 5_500, 6_000)] == [100, 200, 300, 5_000, 5_500, None]
    assert agent(due(0, 700)).next_ms(100) == 700


def test_each_kind_of_news_has_a_limit_of_its_own() -> None:
    one = agent(*(stint(at, Doing.WRAP) for at in range(200)), *(shift(at, at + 1) for at in range(SHIFTS_MAX)))
    one = agent(*one.states(0, FOREVER_MS), *one.shifts, *(Course(0, 1, str(at), None, None) for at in range(COURSES_MAX)))
    assert one.full(stint(HOUR_MS - 1, Doing.BREAK))
    assert not one.full(stint(HOUR_MS, Doing.BREAK))
    assert one.full(shift(0, 2))
    assert one.full(done(0))
    assert not one.full(Course(2, None, "7", None, None))
    assert not one.full(Service(0, True, None, None))


def test_what_is_over_is_forgotten_but_for_the_state_that_holds_and_what_it_replaced_stays_replaced() -> None:
    one = agent(
        *(stint(at, Doing.AVAILABLE) for at in (0, 100, 200)), shift(0, 500, 1), shift(50, 90, 2), due(0, 50), Service(0, True, None, None)
    )
    assert one.forget(150, -1) == [0]
    assert [at for at, _ in one.states(0, FOREVER_MS)] == [100, 200]
    assert counted(one, 150, 1_000) == {"idle_ms": 850, "headcount_ms": 850}
    assert (one.shifts, one.courses) == ((), {})
    assert one.forget(10_000, 10_000) == [100, 200]
    assert one, "somebody of the staff is never forgotten"


def test_nothing_new_reaches_nowhere() -> None:
    told: list[Any] = [stint(5, Doing.WRAP), shift(0, 9), Service(3, True, None, None), due(0, 7)]
    assert [agent(*told).reach(each) for each in told] == [None] * 4
