"""`outwatch demo`, as a newcomer runs it: from nothing to an alert that fires and resolves, and gone on Ctrl-C."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Queue
from time import monotonic
from urllib.request import Request, urlopen

import pytest

pytestmark = [pytest.mark.kafka, pytest.mark.redis]

FIRST_FIGURES_SECONDS_MAX = 20.0
FIRED_SECONDS_MAX = 60.0
RESOLVED_SECONDS_MAX = 150.0
END_SECONDS_MAX = 5.0
START_SECONDS_MAX = 120.0


def left_over(mark: str) -> list[str]:
    """The command lines of processes that inherited the mark: whatever the demo started, and what that started."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if f"DEMO_MARK={mark}".encode() in (process / "environ").read_bytes().split(b"\0"):
                found.append((process / "cmdline").read_text().replace("\0", " "))
        except OSError:  # It ended while we looked, or is not ours.
            continue
    return found


def left_over_after_a_while(mark: str) -> list[str]:
    deadline = monotonic() + END_SECONDS_MAX
    while (left := left_over(mark)) and monotonic() < deadline:
        threading.Event().wait(0.1)
    return left


class Demo:
    """A running demo and its output, line by line."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        self.lines: Queue[str] = Queue()
        self.seen: list[str] = []
        self.reader = threading.Thread(target=self._read)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for line in lines:
                self.lines.put(line)

    def until(self, pattern: str, wait_seconds: float) -> re.Match[str]:
        deadline = monotonic() + wait_seconds
        while True:
            self.seen.append(self.lines.get(timeout=max(0.01, deadline - monotonic())))
            if found := re.search(pattern, self.seen[-1]):
                return found


@contextmanager
def demo(mark: str, *arguments: str) -> Iterator[Demo]:
    """In a session of its own, so that a signal reaches the demo alone, as the terminal's Ctrl-C reaches its leader."""
    environment = {**os.environ, "DEMO_MARK": mark, "COLUMNS": "200", "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        [sys.executable, "-m", "streams.cli", "demo", *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    running = Demo(process)
    try:
        yield running
    except BaseException:
        sys.stderr.write("".join(running.seen))
        raise
    finally:
        process.kill()
        process.wait()
        running.reader.join()


def end(running: Demo) -> int:
    began = monotonic()
    running.process.send_signal(signal.SIGINT)
    code = running.process.wait(END_SECONDS_MAX)
    assert monotonic() - began <= END_SECONDS_MAX
    return code


def answer(url: str, token: str | None) -> bytes:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    with urlopen(Request(url, headers=headers), timeout=10) as response:
        read: bytes = response.read()
        return read


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_partner_degrades_its_alert_fires_and_resolves_and_ctrl_c_leaves_nothing(app_id: str) -> None:
    with demo(app_id) as running:
        page = running.until(r"^the page: (http://127.0.0.1:\d+)/login#token=(\S+)$", START_SECONDS_MAX)
        assert len(running.seen) == 1, "the address comes before all else"
        took = running.until(r"first figures (\S+) s after the broker was up", START_SECONDS_MAX)
        began = monotonic()
        assert float(took[1]) <= FIRST_FIGURES_SECONDS_MAX
        running.until(r"Acme Care .* ok", FIRST_FIGURES_SECONDS_MAX)
        assert b"<html" in answer(page[1], None)
        shown = json.loads(answer(f"{page[1]}/api/v1/partners", page[2]))["partners"]
        assert {row["partner"] for row in shown} >= {"acme", "delta"}
        running.until(r"delta service_level_low PENDING => FIRING: warning, below 0.8", FIRED_SECONDS_MAX)
        assert monotonic() - began <= FIRED_SECONDS_MAX
        running.until(r"pages ana \((opened|worse)\): Delta Assist", FIRED_SECONDS_MAX)
        running.until(r"delta service_level_low RECOVERING => RESOLVED", RESOLVED_SECONDS_MAX)
        assert monotonic() - began <= RESOLVED_SECONDS_MAX
        assert end(running) == 0
    assert left_over(app_id) == []


def test_ctrl_c_while_it_starts_leaves_nothing(app_id: str) -> None:
    with demo(app_id) as running:
        running.until(r"starting Apache Kafka", START_SECONDS_MAX)
        assert end(running) == 0
    # A process that was just being started is ended by its leash, a moment after us.
    assert left_over_after_a_while(app_id) == []


def test_a_demo_that_is_killed_leaves_nothing(app_id: str) -> None:
    with demo(app_id) as running:
        running.until(r"starting the projector", START_SECONDS_MAX)
        assert len(left_over(app_id)) > 1
        running.process.kill()
    assert left_over_after_a_while(app_id) == []
