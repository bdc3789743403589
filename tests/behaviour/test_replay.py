"""A log of calls through the command line, the broker and a worker: its closed days equal a computation over the file."""

import asyncio
import os
import random
import sys
from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from models.mapping_file import example_mapping, load_mapping
from models.settings import Settings
from streams.admin import create
from streams.replay import LogFile, Shift, Timing, replay
from streams.replay.closed_days import NobodyCountsError
from tests.calls import COLUMNS, day_of_calls, write_csv
from tests.replayed import assert_equals_the_oracle

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(180)]

OUTWATCH = Path(sys.executable).with_name("outwatch")
DAY = date(2031, 1, 4)


@pytest.fixture
def settings(kafka: str, app_id: str) -> Settings:
    return Settings(brokers=kafka, app_id=app_id, topic_prefix=f"{app_id}.", partitions=4, clock="log")


@pytest.fixture
def environment(settings: Settings) -> dict[str, str]:
    return os.environ | {f"OUTWATCH_{name.upper()}": str(value) for name, value in settings.model_dump(exclude_none=True).items()}


@pytest.fixture
async def worker(settings: Settings, environment: dict[str, str]) -> AsyncIterator[None]:
    assert (await create(settings)).findings == []
    process = await asyncio.create_subprocess_exec(OUTWATCH, "run", env=environment)
    yield
    process.terminate()
    async with asyncio.timeout(20):
        await process.wait()


async def outwatch(environment: dict[str, str], *arguments: str | Path) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        OUTWATCH, *arguments, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await process.communicate()
    print(err.decode())
    return process.returncode, out.decode()


async def replayed(environment: dict[str, str], *arguments: str | Path) -> dict[str, Any]:
    code, out = await outwatch(environment, "replay", "--json", *arguments)
    assert code == 0
    found: dict[str, Any] = orjson.loads(out)
    return found


async def test_a_day_without_a_date_equals_the_oracle(worker: None, environment: dict[str, str], tmp_path: Path) -> None:
    calls = day_of_calls(1)
    (tmp_path / "mapping.yaml").write_text(example_mapping())
    path = write_csv(tmp_path / "day.csv", calls)
    report = await replayed(environment, path, "--mapping", tmp_path / "mapping.yaml", "--date", DAY.isoformat())
    assert_equals_the_oracle(report, [(DAY.isoformat(), calls)])
    assert report["rows"] == len(calls)


async def test_days_in_one_file_with_their_columns_in_another_order_equal_the_oracle(
    worker: None, environment: dict[str, str], tmp_path: Path
) -> None:
    days = [((DAY + timedelta(days=at)).isoformat(), day_of_calls(at, 300)) for at in range(3)]
    columns = ["day", *COLUMNS]
    random.Random(1).shuffle(columns)
    path = write_csv(tmp_path / "month.csv", [call | {"day": day} for day, calls in days for call in calls], columns)
    (tmp_path / "mapping.yaml").write_text(f"{example_mapping()}\ndate: {{column: day}}\n")
    report = await replayed(environment, path, "--mapping", tmp_path / "mapping.yaml")
    assert_equals_the_oracle(report, days)


async def test_a_second_day_goes_on_where_the_first_ended(worker: None, environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "mapping.yaml").write_text(example_mapping())
    for at in (1, 2):
        day = (DAY + timedelta(days=at)).isoformat()
        # A call over midnight would stand on a day of both reports.
        calls = day_of_calls(at, 200, over_midnight=False)
        path = write_csv(tmp_path / f"{day}.csv", calls)
        report = await replayed(environment, path, "--mapping", tmp_path / "mapping.yaml", "--date", day)
        assert_equals_the_oracle(report, [(day, calls)])


async def test_an_export_of_tickets_becomes_the_days_on_which_its_steps_were_taken(
    worker: None, environment: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "mapping.yaml").write_text(example_mapping("tickets"))
    rows = [
        "id,status,group,form,channel,created_at,first_reply_at,solved_at,due_at",
        "T-1,closed,Boreal,Refund,mail,2031-01-04 09:00:00,2031-01-04 09:30:00,2031-01-05 12:00:00,2031-01-05 11:00:00",
        "T-2,open,Boreal,Refund,mail,2031-01-04 10:00:00,,,2031-01-05 11:00:00",
        "T-3,spam,Boreal,Refund,mail,2031-01-04 11:00:00,,,",
        "T-4,closed,Boreal,Refund,mail,2031-01-04 12:00:00,soon,,",
    ]
    (tmp_path / "tickets.csv").write_text("\n".join(rows) + "\n")
    report = await replayed(environment, tmp_path / "tickets.csv", "--mapping", tmp_path / "mapping.yaml")
    assert (report["rows"], report["events"], report["dropped"]) == (4, 4, {"merged": 1, "unreadable": 1})
    assert report["examples"]["unreadable"] == f"{tmp_path}/tickets.csv:5: first_reply_at: no date and time: 'soon'"
    counted = {day["date"]: day["all"]["measures"] for day in report["days"]}
    opened, solved = counted["2031-01-04"], counted["2031-01-05"]
    assert (opened["opened"], opened["first_replies"], opened["first_response_ms"]) == (2, 1, 1_800_000)
    assert (solved["solved"], solved["resolution_ms"], solved["solved_with_due"]) == (1, 27 * 3_600_000, 1)
    assert "solved_within_due" not in solved


async def test_stopping_ends_the_wait_for_a_worker(settings: Settings, tmp_path: Path) -> None:
    assert (await create(settings)).findings == []
    mapping = load_mapping(example_mapping(), "mapping.yaml")
    log = LogFile(write_csv(tmp_path / "day.csv", day_of_calls(1, 50)), DAY)
    stop = asyncio.Event()

    def waiting(progress: str) -> None:
        if "partitions" in progress:
            stop.set()

    async with asyncio.timeout(20):
        report = await replay(settings, [log], mapping, timing=Timing(Shift.KEEP, None, 0), report=True, stop=stop, on_progress=waiting)
    assert report.days == []
    assert report.problems


async def test_without_a_worker_the_wait_ends_and_says_what_to_start(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streams.replay.closed_days.PATIENCE_SECONDS", 2.0)
    assert (await create(settings)).findings == []
    mapping = load_mapping(example_mapping(), "mapping.yaml")
    log = LogFile(write_csv(tmp_path / "day.csv", day_of_calls(1, 50)), DAY)
    with pytest.raises(NobodyCountsError, match=f"does `outwatch run` run with OUTWATCH_CLOCK=log, OUTWATCH_APP_ID={settings.app_id} "):
        await replay(settings, [log], mapping, timing=Timing(Shift.KEEP, None, 0), report=True, stop=asyncio.Event())
