"""A log of calls, replayed into engines, gives to the last digit what a straightforward computation over the file gives."""

import random
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import orjson
import pytest

from models.mapping import Mapping
from models.mapping_file import example_mapping, load_mapping
from tests.calls import COLUMNS, day_of_calls, write_csv, write_jsonl
from tests.replayed import assert_equals_the_oracle, replay_in_memory

DAY = date(2031, 1, 4)


def mapping(**changes: str) -> Mapping:
    text = example_mapping()
    for before, after in changes.items():
        text = text.replace({"date": '# date: {file_name: "calls_%Y-%m-%d.csv"}', "zone": "zone: UTC"}[before], after)
    return load_mapping(text, "mapping.yaml")


@pytest.mark.parametrize("seed", range(3))
async def test_a_day_equals_the_oracle(tmp_path: Path, seed: int) -> None:
    calls = day_of_calls(seed)
    report, _ = await replay_in_memory([write_csv(tmp_path / "day.csv", calls)], mapping(), DAY)
    assert_equals_the_oracle(report, [(DAY.isoformat(), calls)])
    assert len(report.days) == 2, "calls over midnight stand on both days"
    assert report.rows == len(calls)
    assert report.events == report.rows - sum(report.dropped.values())
    assert set(report.dropped) == {"phantom", "negative_duration"}


async def test_columns_in_any_order_and_json_lines_give_the_same(tmp_path: Path) -> None:
    calls = day_of_calls(1)
    columns = list(COLUMNS)
    random.Random(1).shuffle(columns)
    plain, _ = await replay_in_memory([write_csv(tmp_path / "day.csv", calls)], mapping(), DAY)
    mixed, _ = await replay_in_memory([write_csv(tmp_path / "mixed.csv", calls, ["more", *columns])], mapping(), DAY)
    lines, _ = await replay_in_memory([write_jsonl(tmp_path / "day.jsonl", calls)], mapping(), DAY)
    assert plain.days == mixed.days == lines.days


async def test_several_days_in_files_of_their_own_equal_the_oracle(tmp_path: Path) -> None:
    days = [((DAY + timedelta(days=at)).isoformat(), day_of_calls(at, 200)) for at in range(4)]
    paths = [write_csv(tmp_path / f"calls_{day}.csv", calls) for day, calls in days]
    report, _ = await replay_in_memory(paths, mapping(date='date: {file_name: "calls_%Y-%m-%d.csv"}'), None)
    assert_equals_the_oracle(report, days)
    assert len(report.days) == 5
    assert report.total.all.offered == sum(day.all.offered for day in report.days)


async def test_several_days_in_one_file_with_a_date_column_equal_the_oracle(tmp_path: Path) -> None:
    days = [((DAY + timedelta(days=at)).isoformat(), day_of_calls(at, 200)) for at in range(4)]
    calls = [call | {"day": day.replace("-", "")[2:]} for day, rows in days for call in rows]
    path = write_csv(tmp_path / "month.csv", calls, ["day", *COLUMNS])
    report, _ = await replay_in_memory([path], mapping(date='date: {column: day, format: "%y%m%d"}'), None)
    assert_equals_the_oracle(report, days)


async def test_what_is_written_is_in_order_with_the_clock_between_and_at_the_end(tmp_path: Path) -> None:
    calls = day_of_calls(1)
    _, feed = await replay_in_memory([write_csv(tmp_path / "day.csv", calls)], mapping(), DAY)
    assert len(feed.records) == 4, "the clock goes to every partition"
    for records in feed.records.values():
        bodies = [orjson.loads(record.value or b"") for record in records]
        times = [body["to"] if body["type"] == "clock.advanced" else body["occurred_at"] for body in bodies]
        assert times == sorted(times)
        clock = [body for body in bodies if body["type"] == "clock.advanced"]
        assert all(body["topics"] == ["cx.interactions"] for body in clock)
        steps = {after["to"] - before["to"] for before, after in pairwise(clock[:-1])}
        assert steps == {10_000}
        assert clock[-1]["to"] % 86_400_000 == 15 * 60_000


async def test_calls_that_share_a_number_all_count(tmp_path: Path) -> None:
    calls = day_of_calls(1)
    _, feed = await replay_in_memory([write_csv(tmp_path / "day.csv", calls)], mapping(), DAY)
    ids = [body["event_id"] for log in feed.records.values() for r in log if "event_id" in (body := orjson.loads(r.value or b""))]
    assert len({call["call_id"] for call in calls}) < len(calls)
    assert len(set(ids)) == len(ids)


async def test_days_closed_in_another_zone_are_said(tmp_path: Path) -> None:
    report, _ = await replay_in_memory([write_csv(tmp_path / "day.csv", day_of_calls(1, 50))], mapping(zone="zone: Asia/Tokyo"), DAY)
    assert any("the zone of its policy; the mapping says Asia/Tokyo" in problem for problem in report.problems)
