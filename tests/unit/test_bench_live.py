"""The load of the soak, and how waiting is measured."""

from collections import Counter
from itertools import islice

import orjson
import pytest

from bench.latency import Follower, Waits
from bench.live import Event, Live
from bench.soak import Minute, Soak
from models.decode import Rejection, decode_one

START_MS = 1_790_000_000_000


def test_a_live_load_is_steady_in_order_readable_and_never_repeats_an_id_but_for_a_second_delivery() -> None:
    load = Live(500, contacts=300)
    events = list(islice(load.events(START_MS), 5_000))
    assert [each.at_ms for each in events] == sorted(each.at_ms for each in events)
    assert (events[-1].at_ms - START_MS) / 1000 == pytest.approx(10, rel=0.02), "5,000 events at 500 a second, over many rounds"
    assert not any(isinstance(decode_one(each.value), Rejection) for each in events)
    bodies = [orjson.loads(each.value) for each in events]
    assert all(body["occurred_at"] <= each.at_ms for body, each in zip(bodies, events, strict=True))
    counted = Counter(body["event_id"] for body, each in zip(bodies, events, strict=True) if each.counts)
    assert set(counted.values()) == {1}


def test_two_loads_of_one_partner_share_no_id() -> None:
    first, second = (
        {orjson.loads(each.value)["event_id"] for each in islice(Live(500, ["a"], seed=seed, contacts=100).events(START_MS), 1_000)}
        for seed in (1, 2)
    )
    assert not first & second


def test_an_event_waits_until_a_figure_holds_as_many() -> None:
    follower = Follower()
    follower.written(Event(START_MS + at, "acme", b"", counts=at != 20) for at in (0, 10, 20, 500))
    assert follower.missing == 3, "what is delivered twice counts once"
    follower._figure("acme", 2, START_MS + 1_000)
    follower._figure("acme", 2, START_MS + 2_000)
    assert (follower.missing, follower.waits["all"].count) == (1, 2)
    follower._figure("acme", 3, START_MS + 3_000)
    assert follower.missing == 0
    assert follower.waits["all"].quantile(1) == pytest.approx(2.5, abs=0.011)


def test_quantiles_of_waits_say_what_a_share_did_not_exceed() -> None:
    waits = Waits()
    assert waits.quantile(0.5) is None
    waits.add(100, 99)
    waits.add(5_000)
    assert [waits.quantile(share) for share in (0.5, 0.99, 1)] == [0.11, 0.11, 5.01]


def test_growth_is_fitted_once_memory_has_settled() -> None:
    minutes = [Minute(60, 1, None, None, None, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1.0)] * 20
    result = Soak(1.0, 1, minutes, Waits(), Waits(), 0, 0, {})
    assert result.slope([float(min(at, 15)) for at in range(20)]) == pytest.approx(0)
    assert result.slope([float(at) for at in range(20)]) == pytest.approx(60)
    assert Soak(1.0, 1, minutes[:3], Waits(), Waits(), 0, 0, {}).slope([1.0, 2.0, 3.0]) is None
