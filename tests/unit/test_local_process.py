"""A leashed process ends when it is told to, and at the latest when its starter ends."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from streams.local.process import LeashedProcess

PYTHON = [sys.executable, "-I", "-S", "-u", "-c"]
SLEEP = [*PYTHON, "import time; print('up', flush=True); time.sleep(300)"]
DEAF = [*PYTHON, "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(300)"]


def exists(pid: int) -> bool:
    """Whether a process of this id runs; one that has ended and waits to be reaped does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def until(condition: object, wait_seconds: float = 20.0) -> None:
    assert callable(condition)
    deadline = time.monotonic() + wait_seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


def started(argv: list[str], tmp_path: Path) -> LeashedProcess:
    process = LeashedProcess(argv, tmp_path / "log")
    until(lambda: "up" in process.tail())
    return process


def test_stop_ends_the_program(tmp_path: Path) -> None:
    process = started(SLEEP, tmp_path)
    process.stop()
    assert not process.alive()
    assert not exists(process.pid)


def test_stop_kills_what_ignores_it_after_the_wait(tmp_path: Path) -> None:
    process = started(DEAF, tmp_path)
    process.stop(wait_seconds=0.2)
    assert not exists(process.pid)


def test_stop_ends_a_frozen_program(tmp_path: Path) -> None:
    process = started(SLEEP, tmp_path)
    process.signal(signal.SIGSTOP)
    process.stop(wait_seconds=20)
    assert not exists(process.pid)


def test_kill_is_not_put_off_and_may_be_repeated(tmp_path: Path) -> None:
    process = started(DEAF, tmp_path)
    process.kill()
    process.kill()
    assert not exists(process.pid)


def test_the_exit_code_is_the_program_s(tmp_path: Path) -> None:
    assert LeashedProcess([*PYTHON, "raise SystemExit(7)"], tmp_path / "log").wait(20) == 7


def test_a_program_that_is_absent_is_an_error_with_its_reason(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"(?s)/absent/program cannot be started:.*No such file"):
        LeashedProcess(["/absent/program"], tmp_path / "log")


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_the_program_dies_with_its_starter(tmp_path: Path, how: signal.Signals) -> None:
    starter_code = (
        "import sys, time; from pathlib import Path; from streams.local.process import LeashedProcess\n"
        f"print(LeashedProcess({DEAF!r}, Path(sys.argv[1])).pid, flush=True); time.sleep(300)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", starter_code, str(tmp_path / "log")], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as starter:
        assert starter.stdout is not None
        pid = int(starter.stdout.readline())
        assert exists(pid)
        os.kill(starter.pid, how)
    until(lambda: not exists(pid))


def test_ctrl_c_does_not_reach_the_program(tmp_path: Path) -> None:
    process = started(SLEEP, tmp_path)
    try:
        assert os.getpgid(process.pid) != os.getpgid(0)
        assert os.getsid(process.pid) != os.getsid(0)
    finally:
        process.kill()
