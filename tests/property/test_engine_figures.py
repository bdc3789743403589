"""Published figures are those of a plain recomputation from the events, whatever arrives when."""

from datetime import datetime
from typing import Any, NamedTuple

from hypothesis import example, given, settings
from hypothesis import strategies as st

from models.windows import GRID_MS, Scope, record_key
from tests import naive
from tests.conditions import START_MS
from tests.engines import TOPICS, Rig, limited, shared_part
from tests.stories import DAY, HOUR, MINUTE, Step, drawn_event, steps, topic_of

SETTLE_MS = 5_000
REPEAT_SECONDS = 100_000
SCOPES = ("all", "queue=billing", "queue=sales", "channel=voice", "channel=chat", "site=lisbon", "site=porto", "segment=refund/fee")


def settled(frontier_ms: int) -> int:
    at = frontier_ms - SETTLE_MS
    return at - at % GRID_MS


def counted(body: dict[str, Any]) -> dict[str, int]:
    """The measures that events count; when contacts expire is a test of its own."""
    return {name: count for name, count in naive.counts(body).items() if name != "expired"}


class Contract(NamedTuple):
    """Where a story takes place, and when it begins."""

    zone: str
    month_starts_on: int
    start_ms: int


def repeats(contract: Contract) -> naive.Repeats:
    return naive.Repeats(REPEAT_SECONDS * 1000, contract.zone)


def contracts() -> st.SearchStrategy[Contract]:
    """Zones off the hour, and stories over the ends of months and of summer time."""
    starts = ("2025-06-15T15:10:00", "2025-03-29T20:00:00", "2025-10-25T20:00:00", "2025-02-28T10:00:00")
    zones = ("UTC", "Asia/Kolkata", "Asia/Kathmandu", "Europe/Lisbon", "America/St_Johns")
    times = [round(datetime.fromisoformat(f"{start}+00:00").timestamp() * 1000) for start in starts]
    return st.builds(Contract, st.sampled_from(zones), st.sampled_from((1, 16, 28)), st.sampled_from(times))


def check_published(rig: Rig, events: list[dict[str, Any]], outputs: list[Any], contract: Contract) -> None:
    """Every record that was just written says what its exact window holds."""
    frontier_ms = rig.engine.frontier_ms
    for body in rig.bodies(TOPICS.kpis, outputs):
        place = (body["partner"], body["scope"], body["from"], body["to"])
        expected = naive.measures(events, *place, closed_ms=settled(frontier_ms), repeats=repeats(contract))
        assert expected == counted(body), (body["window"], *place)
        naive.check_durations(body, naive.durations(events, *place))
        assert frontier_ms - frontier_ms % GRID_MS + GRID_MS == body["to"]
        assert naive.window_start(body["window"], settled(frontier_ms), *contract[:2]) == body["from"], body["window"]


def check_view(rig: Rig, events: list[dict[str, Any]], contract: Contract) -> None:
    """What a new reader of the compacted topic sees is what is so now, and nothing is missing."""
    view, frontier_ms = rig.figures(), rig.engine.frontier_ms
    for window in naive.WINDOWS:
        start, end = naive.window_start(window, settled(frontier_ms), *contract[:2]), frontier_ms - frontier_ms % GRID_MS + GRID_MS
        for partner in {event["partner_id"] for event in events}:
            for scope in SCOPES:
                held = view.get(record_key(partner, Scope.parse(scope), window), {"measures": {}, "kpis": {}})
                naive.check_durations(held, naive.durations(events, partner, scope, start, end))
                place = (partner, scope, start, end)
                expected = naive.measures(events, *place, closed_ms=settled(frontier_ms), repeats=repeats(contract))
                assert expected == counted(held), (partner, scope, window)


def check_days(rig: Rig, events: list[dict[str, Any]], contract: Contract) -> None:
    """Closed days are what happened in them, and final once they are 49 hours old."""
    for body in rig.compacted(TOPICS.rollups_1d).values():
        assert naive.day_bounds(body["date"], body["timezone"]) == (body["from"], body["to"])
        place = (body["partner"], body["scope"], body["from"], body["to"])
        assert naive.measures(events, *place, closed_ms=settled(rig.engine.frontier_ms), repeats=repeats(contract)) == counted(body)
        naive.check_durations(body, naive.durations(events, *place))


def play(story: list[Step], contract: Contract, *, crashes: bool = False) -> Rig:
    # A ticket that is forgotten would count as another one.
    rig, at_ms, events = Rig(limited(tickets_horizon_ms=90 * DAY)), contract.start_ms, list[dict[str, Any]]()
    definition, calendar = (
        {"repeat_window_seconds": REPEAT_SECONDS},
        {"timezone": contract.zone, "month_starts_on": contract.month_starts_on},
    )
    rig.policy(shared_part(**calendar, definition=definition, scopes=("site", "segment")), at_ms=at_ms)
    rig.to(at_ms)
    for number, step in enumerate(story):
        at_ms += step.after_ms
        body = drawn_event(step, f"e{number}", at_ms)
        rig.send(body, at_ms=at_ms, topic=topic_of(body))
        events.append(body)
        check_published(rig, events, rig.to(at_ms), contract)
        if crashes and step.value % 5 == 0:
            rig.crash()
        if step.after_ms > MINUTE:
            check_view(rig, events, contract)
            check_days(rig, events, contract)
    assert rig.letters() == rig.letters(TOPICS.late) == []
    for after_ms in (11_000, 61_000, 20 * MINUTE, 2 * HOUR, 26 * HOUR, 6 * DAY):
        at_ms += after_ms
        check_published(rig, events, rig.to(at_ms), contract)
        if after_ms > MINUTE:
            check_view(rig, events, contract)
            check_days(rig, events, contract)
    return rig


@settings(max_examples=20, deadline=None)
@given(steps(most=15), contracts())
@example([Step(0, "survey.response", "acme", "billing", None, 0, 3)], Contract("UTC", 1, START_MS))
def test_every_record_holds_what_happened_in_its_exact_window(story: list[Step], contract: Contract) -> None:
    play(story, contract)


@settings(max_examples=15, deadline=None)
@given(steps(most=12), contracts())
def test_so_it_is_after_crashes(story: list[Step], contract: Contract) -> None:
    play(story, contract, crashes=True)


@settings(max_examples=15, deadline=None)
@given(steps(most=15, kinds=("volume.forecast", "volume.forecast", "contact.answered", "contact.abandoned", "contact.record")), contracts())
def test_so_it_is_of_forecasts_and_what_they_cover(story: list[Step], contract: Contract) -> None:
    play(story, contract, crashes=True)
