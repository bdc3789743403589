"""Logs that do not hold, days that are out of order, and times that are moved."""

from datetime import date
from pathlib import Path

import pytest

from models.errors import FileError
from models.mapping import Mapping
from models.mapping_file import example_mapping, load_mapping
from models.mapping_row import Dropped, DropReason
from streams.replay import LogFile, Shift, Tally, Timing, dated, in_order, read_rows
from streams.replay.shift import shifted
from tests.calls import COLUMNS, day_of_calls, write_csv

DAY = date(2031, 1, 4)


def mapping(dates: str = "") -> Mapping:
    return load_mapping(f"{example_mapping()}\n{dates}\n", "mapping.yaml")


def test_a_row_with_too_few_values_is_left_out_with_its_line(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "day.csv", day_of_calls(1, 20)[:3])
    path.write_text(f"{path.read_text()}\nAA0104,1\n")
    (place, row) = list(read_rows(LogFile(path, DAY), mapping()))[-1]
    assert place == (str(path), 6)
    assert row == Dropped(DropReason.MALFORMED, "2 values under 15 columns")


def test_a_line_that_is_no_json_object_is_left_out_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "day.jsonl"
    path.write_text('{"type": "PS"}\n\n{"type":\n[1]\n')
    rows = list(read_rows(LogFile(path, DAY), mapping()))
    assert [place.line for place, _ in rows] == [1, 3, 4]
    assert [isinstance(row, Dropped) and row.reason for _, row in rows] == [False, "malformed", "malformed"]


def test_a_mark_of_the_byte_order_is_no_part_of_a_column(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "day.csv", day_of_calls(1, 20)[:1])
    path.write_text(path.read_text(), encoding="utf-8-sig")
    assert len(list(read_rows(LogFile(path, DAY), mapping()))) == 1


def test_a_log_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "day.csv"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FileError, match="is not UTF-8"):
        list(read_rows(LogFile(path, DAY), mapping()))


def test_an_empty_log_lacks_every_column(tmp_path: Path) -> None:
    path = tmp_path / "day.csv"
    path.write_text("")
    with pytest.raises(FileError, match="q_start: no such column"):
        list(read_rows(LogFile(path, DAY), mapping()))


def test_a_file_has_the_date_of_its_name(tmp_path: Path) -> None:
    named = mapping('date: {file_name: "calls_%Y-%m-%d.csv"}')
    path = tmp_path / "calls_2031-01-04.csv"
    path.touch()
    assert LogFile.of(path, named, None).day == DAY
    assert LogFile.of(path, named, date(1999, 1, 4)).day == date(1999, 1, 4)
    with pytest.raises(FileError, match="rename the file"):
        LogFile.of(path.rename(tmp_path / "calls.csv"), named, None)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="is no file"):
        LogFile.of(tmp_path / "day.csv", mapping(), None)


def test_days_that_go_back_are_refused_with_the_line(tmp_path: Path) -> None:
    calls = [call for call in day_of_calls(1, 20) if call["outcome"] == "HANG"][:2]
    rows = [calls[0] | {"day": "2031-01-05"}, calls[1] | {"day": "2031-01-04"}]
    path = write_csv(tmp_path / "day.csv", rows, ["day", *COLUMNS])
    with pytest.raises(FileError, match=r"day\.csv:3: .*goes back from 2031-01-05 to 2031-01-04 \(sort the log by date"):
        list(dated([LogFile(path, None)], mapping("date: {column: day}"), Tally("UTC")))


def test_only_a_day_is_held_back_to_be_sorted(tmp_path: Path) -> None:
    days = [date(2031, 1, 4 + at) for at in range(3)]
    rows = [call | {"day": day.isoformat()} for day in days for call in day_of_calls(day.day, 60)]
    path = write_csv(tmp_path / "day.csv", rows, ["day", *COLUMNS])
    tally = Tally("UTC")
    events = in_order(dated([LogFile(path, None)], mapping("date: {column: day}"), tally), "UTC")
    next(events)
    assert tally.rows < len(rows) / 2
    times = [event["occurred_at"] for event in events]
    assert times == sorted(times)
    assert tally.rows == len(rows)


def test_a_log_of_whole_times_needs_no_date(tmp_path: Path) -> None:
    whole = load_mapping(
        "{version: 1, type: contact.abandoned, event_id: [id], fields: {partner_id: {column: who},"
        " occurred_at: {column: at}, wait_seconds: {column: wait}}}",
        "m.yaml",
    )
    path = tmp_path / "log.csv"
    path.write_text("id,who,at,wait\n1,a,2031-01-04T10:00:00Z,3\n2,a,2031-01-04T09:59:00Z,3\n3,b,2031-01-06T09:00:00Z,3\n")
    tally = Tally("UTC")
    ids = [event["event_id"] for event in in_order(dated([LogFile.of(path, whole, None)], whole, tally), "UTC")]
    assert ids == ["2", "1", "3"]
    assert tally.days == {("a", "2031-01-04"), ("b", "2031-01-06")}


EVENTS = [{"event_id": "a", "occurred_at": 1_000, "queued_at": 400}, {"event_id": "b", "occurred_at": 61_000}]


def moved(shift: Shift, speed: float | None = None) -> list[dict[str, int]]:
    events = shifted(EVENTS, Timing(shift, speed, 5_000_000))
    return [{name: value for name, value in event.items() if name != "event_id"} for event in events]


def test_times_are_kept() -> None:
    assert list(shifted(EVENTS, Timing(Shift.KEEP, None, 5_000_000))) == EVENTS


def test_times_are_moved_so_that_the_first_event_is_now() -> None:
    assert moved(Shift.NOW) == [{"occurred_at": 5_000_000, "queued_at": 4_999_400}, {"occurred_at": 5_060_000}]


def test_times_are_squeezed_by_the_speed() -> None:
    assert moved(Shift.SCALE, 60.0) == [{"occurred_at": 5_000_000, "queued_at": 4_999_990}, {"occurred_at": 5_001_000}]
