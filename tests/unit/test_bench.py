"""What the benchmarks stand on: the load, its truth, and that no speed is reported of wrong figures."""

from collections import Counter

import pytest

from bench import flat, recovery
from bench.lived import Life, partners, renamed
from bench.load import Truth, arrivals
from bench.report import page, plot, ratios, recovery_page
from bench.run import FLOOR, FOUR, OUTWATCH, PLAIN, Results, Sizes, WrongError, _same
from models.decode import Rejection, decode_one
from models.settings import Settings
from streams.engine import Engine, EngineConfig
from tests.engines import Row

END_MS = 1_790_000_000_000


def test_the_load_is_readable_and_in_the_order_of_its_arrival() -> None:
    load = list(arrivals(3_000, END_MS))
    assert len(load) == 3_000
    assert [each.at_ms for each in load] == sorted(each.at_ms for each in load)
    assert not any(isinstance(decode_one(each.value), Rejection) for each in load)
    assert {each.event["type"] for each in load} == {
        "contact.queued",
        "contact.answered",
        "contact.abandoned",
        "contact.completed",
        "survey.response",
    }


def test_the_truth_counts_an_event_that_comes_twice_once() -> None:
    truth = Truth()
    first = next(each for each in arrivals(1_000, END_MS) if each.event["type"] == "contact.queued")
    truth.add(first)
    truth.add(first)
    assert (truth.records, truth.duplicates) == (2, 1)
    assert truth.measures == {first.partner: Counter(arrivals=1)}


def test_wrong_figures_have_no_speed() -> None:
    with pytest.raises(WrongError, match="in 1 places, such as b: 2, not 3"):
        _same("figures", {"a": 1, "b": 2}, {"a": 1, "b": 3})
    _same("figures", {"a": 1}, {"a": 1})


def test_the_report_gives_medians_and_their_ratios() -> None:
    results = Results(Sizes(1_000, 10, 100, 3))
    for name, seconds in ((FLOOR, (1.0, 2.0, 9.0)), (OUTWATCH, (4.0, 8.0, 9.0)), (FOUR, (4.0, 4.0, 9.0)), (PLAIN, (400.0, 800.0, 900.0))):
        results.rivals[name].measured = [{"events": 1_000, "seconds": each, "cpu_seconds": each / 2} for each in seconds]
    parts = dict.fromkeys(("decode", "count", "close", "publish", "rows", "drain"), 1.0)
    results.engine = [{"us_an_event": parts, "us_a_record": 60.0, "us_a_row": 5.0}]
    assert [line.split(" (wanted")[0] for line in ratios(results)] == [
        "outwatch reaches 0.25 (0.25 to 1.00) of the floor by wall time and 0.25 (0.25 to 1.00) by CPU",
        "with four windows in place of ten it reaches 0.50 (0.25 to 1.00) by wall time and 0.50 (0.25 to 1.00) by CPU",
        "outwatch is 100 (100 to 100) times plain Faust by wall time and 100 (100 to 100) times by CPU",
    ]
    assert "| outwatch | 125 (111 to 250) | 4,000.0 (2,000.0 to 4,500.0) |" in page(results, {})
    assert plot(results).count("<rect") == 1 + 8


def test_a_lived_state_is_one_that_an_engine_goes_on_from_under_the_names_of_any_partition() -> None:
    settings = Settings(partitions=3)
    names = partners(settings, 2)[1]
    live: dict[bytes, bytes] = {}
    for commit in Life(settings, 2, END_MS, 30).commits():
        for key, value in (renamed(row, names, {"cx.surveys": 7}) for row in commit):
            live.pop(key, None)
            if value is not None:
                live[key] = value
    engine = Engine(1, EngineConfig("bench", "bench", settings.topics, partitions=3))
    engine.load(Row(*row) for row in live.items())
    engine.loaded()
    state = engine.snapshot()
    assert {b'"%s"' % partner.encode() for partner in state["partners"]} == set(names.values())
    assert state["applied"] == {"cx.surveys": 7}
    assert {tier for partner in state["partners"].values() for tier, _ in partner["panes"]} == {0, 1, 2, 3}


def test_the_report_of_recoveries_has_a_column_for_each_way() -> None:
    results = recovery.Results(recovery.QUICK, live_rows=10, live_bytes=1_000, written_records=20, written_bytes=2_000)
    start = {"read_seconds": 1.5, "seconds": 4.0}
    results.live.starts, results.lived.starts, results.takeovers = [start], [start], {"SIGKILL": {"read_seconds": 0.5, "seconds": 14.0}}
    text = recovery_page(results, {"processor": "fast"})
    assert "| the changelog read | 1.5 | 1.5 | 0.5 |" in text
    assert "| all | 4 | 4 | 14 |" in text


def test_the_report_of_what_does_not_cost_has_a_line_for_each_case() -> None:
    case = flat.Case("ten windows", None, cpu_us=[14.0, 18.0, 15.0], records_a_second=[900.0] * 3, bytes_a_second=[4e6] * 3)
    assert "| ten windows | 15.0 (14.0 to 18.0) | 900 | 4.00 |" in flat.page([case])
