"""The report of a replay: totals by summing, nothing for nothing, and what is missing is said."""

from typing import Any

from models.mapping_row import Dropped, Place
from streams.replay import Tally, make_report


def rollup(partner: str, date: str, measures: dict[str, int], timezone: str = "UTC") -> dict[str, Any]:
    kpis = {"service_level": {"definition": "abandons_count_against, 20 s"}}
    return {"partner": partner, "date": date, "timezone": timezone, "measures": measures, "kpis": kpis}


def tally(*days: tuple[str, str]) -> Tally:
    return Tally("UTC", rows=3, events=2, days=set(days), certain=set(days))


PUBLISHED = {"answered": 1000, "abandoned": 60, "answered_within": 860, "abandoned_within": 20, "abandoned_short": 10}


def test_the_five_service_levels_are_the_published_ones() -> None:
    report = make_report(tally(("a", "2031-01-04")), [rollup("a", "2031-01-04", PUBLISHED)])
    level = report.days[0].all.service_level
    assert {name: round(100 * (value or 0), 2) for name, value in level.items()} == {
        "answered_only": 86.0,
        "abandons_count_against": 81.13,
        "early_abandons_ignored": 82.69,
        "early_abandons_count_for": 83.02,
        "short_abandons_excluded": 81.9,
    }


def test_totals_are_sums_of_measures_never_means_of_ratios() -> None:
    small = {"answered": 1, "answered_within": 0, "answered_wait_ms": 60_000}
    large = {"answered": 99, "answered_within": 99}
    days = [rollup("a", "2031-01-04", small), rollup("b", "2031-01-04", large), rollup("a", "2031-01-05", large)]
    report = make_report(tally(("a", "2031-01-04"), ("b", "2031-01-04"), ("a", "2031-01-05")), days)
    assert report.days[0].all.service_level["answered_only"] == 0.99
    assert report.days[0].all.asa_seconds == 0.6
    assert report.total.partners["a"].service_level["answered_only"] == 0.99
    assert report.total.all.offered == 199
    assert [day.date for day in report.days] == ["2031-01-04", "2031-01-05"]


def test_a_figure_of_nothing_is_none() -> None:
    figures = make_report(tally(("a", "2031-01-04")), [rollup("a", "2031-01-04", {"not_queued": 3})]).days[0].all
    assert figures.offered == 0
    assert set(figures.service_level.values()) == {None}
    assert (figures.asa_seconds, figures.aht_seconds) == (None, None)


def test_a_day_that_did_not_close_is_said() -> None:
    report = make_report(tally(("a", "2031-01-04"), ("b", "2031-01-04")), [rollup("a", "2031-01-04", PUBLISHED)])
    assert report.problems == ["no closed day 2031-01-04 of b"]


def test_days_cut_in_another_zone_are_said() -> None:
    report = make_report(tally(("a", "2031-01-04")), [rollup("a", "2031-01-04", PUBLISHED, "Asia/Tokyo")])
    assert report.problems == ["the days of a are closed in Asia/Tokyo, the zone of its policy; the mapping says UTC"]


def test_rows_are_counted_by_reason_with_the_first_of_each() -> None:
    counted = Tally("UTC")
    counted.take([{"type": "contact.record", "partner_id": "a", "occurred_at": 0, "queued_at": -1}])
    counted.drop(Dropped("phantom", "outcome: PHANTOM"), Place("day.csv", 3))
    counted.drop(Dropped("phantom", "outcome: PHANTOM"), Place("day.csv", 9))
    report = make_report(counted, [])
    assert (report.rows, report.events, report.dropped) == (3, 1, {"phantom": 2})
    assert report.examples == {"phantom": "day.csv:3: outcome: PHANTOM"}
    assert counted.days == counted.certain == {("a", "1970-01-01"), ("a", "1969-12-31")}
