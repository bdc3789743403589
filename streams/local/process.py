"""One child process on a leash: it ends when we say so, and at the latest when we end."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

LEASH = Path(__file__).with_name("leash.py")


class LeashedProcess:
    """A program started in a session of its own, so that Ctrl-C reaches us and not it, with its output in a file.

    Args:
        argv: the program and its arguments.
        log_path: where its output is appended.
        env: its environment; ours when None.
    """

    def __init__(self, argv: Sequence[str], log_path: Path, env: Mapping[str, str] | None = None) -> None:
        self.log_path = log_path
        with log_path.open("ab") as log:
            self._leash = subprocess.Popen(
                [sys.executable, "-I", "-S", str(LEASH), *argv],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=env,
                start_new_session=True,
            )
        assert self._leash.stdout is not None
        with self._leash.stdout as announced:
            line = announced.readline()
        if not line:
            self.wait()
            msg = f"{argv[0]} cannot be started: {self.tail()}"
            raise OSError(msg)
        self.pid = int(line)

    def __enter__(self) -> Self:
        """Hold it for the length of a with statement."""
        return self

    def __exit__(self, *_: object) -> None:
        """End it."""
        self.stop()

    def alive(self) -> bool:
        """Whether the program still runs (a frozen one does)."""
        return self._leash.poll() is None

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the program itself; nothing happens once it has ended."""
        # The leash reaps the program and ends with it, so while the leash runs the id is the program's or fresh from it.
        if self.alive():
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:
                return

    def wait(self, wait_seconds: float | None = None) -> int:
        """Wait for the end and return the exit code; TimeoutExpired when it still runs after `wait_seconds`."""
        code = self._leash.wait(wait_seconds)
        self._let_go()
        return code

    def stop(self, wait_seconds: float = 10.0) -> None:
        """SIGTERM, then SIGKILL when it has not ended after `wait_seconds`; a frozen one is woken first."""
        self.signal(signal.SIGTERM)
        self.signal(signal.SIGCONT)
        try:
            self.wait(wait_seconds)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        self.signal(signal.SIGKILL)
        self.wait()

    def tail(self, lines: int = 20) -> str:
        """Give the last lines that it wrote."""
        return "\n".join(self.log_path.read_text(errors="replace").splitlines()[-lines:])

    def _let_go(self) -> None:
        if self._leash.stdin is not None:
            self._leash.stdin.close()
