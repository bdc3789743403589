"""`docs/faults.md` names, for every fault of its table, tests that exist, and bounds that hold."""

import re
from pathlib import Path

from alerts.audit.seen import HELD_MAX
from models.settings import Settings
from models.view import TRANSITIONS_MAX
from streams import app, owner
from streams.engine import Limits, letters, partner
from streams.engine.panes import LEDGER_MS
from streams.health.auditor_metrics import AuditorMetrics
from streams.health.notifier_metrics import NotifierMetrics
from streams.health.projector_metrics import ProjectorMetrics
from streams.health.worker_metrics import WorkerMetrics
from streams.notifier.notifier import UNFINISHED_MAX
from streams.projector.source import BATCH_RECORDS_MAX, FETCH_BYTES_MAX
from streams.transport import RUN_MAX

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "faults.md").read_text()
TABLE = PAGE.partition("| # | fault |")[2].partition("\n\n")[0]
BUFFERS = PAGE.partition("## Buffers")[2].partition("\n## ")[0]
ROWS = dict(re.findall(r"^\| (\d+) \| (.+) \|$", TABLE, re.MULTILINE))


def test_every_fault_has_a_row() -> None:
    assert list(ROWS) == [str(number) for number in range(1, 22)]


def test_every_row_names_tests_that_exist() -> None:
    for number, row in ROWS.items():
        named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", row.split(" | ")[1])
        assert named, f"row {number} names no test"
        for path, name in named:
            assert f"def {name}(" in (ROOT / path).read_text(), f"row {number}: {path}::{name}"


def test_every_row_says_what_holds_and_what_a_user_sees() -> None:
    assert {number: len(row.split(" | ")) for number, row in ROWS.items()} == dict.fromkeys(ROWS, 4)


def test_the_bounds_of_the_buffers_are_those_of_the_code() -> None:
    limits, settings = Limits(), Settings()
    bounds = [
        f"| {app._BUFFERED_RUNS} runs of {RUN_MAX:,} records, ",
        f"| {owner._TURN_SECONDS * 1000:.0f} ms, ",
        f"| {settings.max_records_per_second:,} records and {settings.max_bytes_per_second / 1e6:.0f} MB a second ",
        f"| {limits.pending_outputs:,}, ",
        f"| {letters._BYTES_MAX // 1000} kB of the value, {letters._ERROR_CHARS_MAX:,} characters ",
        f"| {limits.seen_ids:,}, {limits.seen_horizon_ms // 60_000} minutes |",
        f"| {limits.open_contacts:,} each |",
        f"| {partner._CELLS_MAX} |",
        f"| {limits.unconfigured_partners:,} |",
        f"| {LEDGER_MS // 86_400_000} days, ",
        f"| {BATCH_RECORDS_MAX} records, beside {FETCH_BYTES_MAX >> 20} MiB ",
        f"| {UNFINISHED_MAX:,} a notifier |",
        f"| {HELD_MAX:,} of each |",
        f"| the newest {TRANSITIONS_MAX:,} |",
    ]
    assert [bound for bound in bounds if BUFFERS.count(bound) != 1] == []


def test_what_tells_that_a_buffer_is_full_is_measured() -> None:
    catalogues = (WorkerMetrics().catalogue, ProjectorMetrics().catalogue, NotifierMetrics().catalogue, AuditorMetrics().catalogue)
    assert set(re.findall(r"outwatch_\w+", BUFFERS)) <= {each.name for catalogue in catalogues for each in catalogue.described}
