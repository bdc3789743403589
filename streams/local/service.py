"""What the local Kafka and the local Redis have in common: a port, a process, and being ready."""

import random
import signal
import socket
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self

from streams.local.errors import LocalServiceError
from streams.local.process import LeashedProcess

HOST = "127.0.0.1"
READY_SECONDS_MAX = 60.0
_POLL_SECONDS = 0.05
_ANSWER_SECONDS_MAX = 2.0
# Below the ports that the kernel gives to outgoing connections: a client that keeps trying the port of a broker that is
# down would otherwise be given that very port, connect to itself, and keep the broker from coming back.
_PORTS = range(20_000, 32_000)
_PORT_TRIES_MAX = 200


def say_nothing(_: str) -> None:
    """Drop a line of progress."""


def port_is_free(port: int) -> bool:
    """Whether a server can listen on this port of the loopback address."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """Draw a port that nobody listens on now."""
    for _ in range(_PORT_TRIES_MAX):
        port = random.choice(_PORTS)
        if port_is_free(port):
            return port
    msg = f"{_PORT_TRIES_MAX} ports of {_PORTS.start}..{_PORTS.stop - 1} tried on {HOST}, none is free"
    raise LocalServiceError(msg)


def exchange(port: int, request: bytes) -> bytes:
    """Send a request to a port of the loopback address and return the first bytes of the answer; OSError if there is none."""
    with socket.create_connection((HOST, port), timeout=_ANSWER_SECONDS_MAX) as connection:
        connection.sendall(request)
        return connection.recv(65_536)


class LocalService(ABC):
    """A server on loopback that this process starts, freezes, kills and ends.

    Args:
        data_dir: its files and its log; made when absent, kept at the end.
        port: where it listens; a free one when None. It stays the same over restarts.
        on_progress: is told each step, in a line.
    """

    name: str

    def __init__(self, data_dir: Path, port: int | None = None, on_progress: Callable[[str], None] = say_nothing) -> None:
        self.data_dir = data_dir
        self.port = free_port() if port is None else port
        self._on_progress = on_progress
        self._process: LeashedProcess | None = None

    @abstractmethod
    def _prepare(self) -> Sequence[str]:
        """Do what comes before a start, and return the command that starts the server."""

    @abstractmethod
    def _answers(self) -> bool:
        """Whether the server does its work; OSError counts as no."""

    def __enter__(self) -> Self:
        """Start it for the length of a with statement."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End it."""
        self.stop()

    def start(self) -> None:
        """Start it and return when it answers; LocalServiceError after 60 s or when it ends before."""
        assert self._process is None, f"{self.name} runs already"
        self.data_dir.mkdir(parents=True, exist_ok=True)
        command = self._prepare()
        began = time.monotonic()
        self._process = LeashedProcess(command, self.data_dir / f"{self.name}.log")
        try:
            self._wait_until_ready(self._process, began + READY_SECONDS_MAX)
        except BaseException:  # Ctrl-C as well: who has not got the service will not stop it.
            self.kill()
            raise
        self._on_progress(f"{self.name} answers on {HOST}:{self.port} after {time.monotonic() - began:.1f} s")

    def _wait_until_ready(self, process: LeashedProcess, deadline: float) -> None:
        while True:
            if not process.alive():
                msg = f"{self.name} ended before it was ready:\n{process.tail()}"
                raise LocalServiceError(msg)
            try:
                if self._answers():
                    return
            except OSError:
                pass  # It does not listen yet.
            if time.monotonic() > deadline:
                msg = f"{self.name} is not ready after {READY_SECONDS_MAX:.0f} s:\n{process.tail()}"
                raise LocalServiceError(msg)
            time.sleep(_POLL_SECONDS)

    @property
    def pid(self) -> int:
        """The process id of the server, which must run."""
        assert self._process is not None, f"{self.name} does not run"
        return self._process.pid

    def wait(self) -> None:
        """Wait until it ends by itself, which is a LocalServiceError."""
        assert self._process is not None, f"{self.name} does not run"
        code = self._process.wait()
        msg = f"{self.name} ended with {code}:\n{self._process.tail()}"
        raise LocalServiceError(msg)

    def stop(self, wait_seconds: float = 10.0) -> None:
        """End it by SIGTERM, by SIGKILL after `wait_seconds`; nothing when it does not run."""
        if self._process is not None:
            self._process.stop(wait_seconds)
            self._process = None

    def kill(self) -> None:
        """End it by SIGKILL; nothing when it does not run."""
        if self._process is not None:
            self._process.kill()
            self._process = None

    def restart(self) -> None:
        """End it if it runs, and start it on the same port and data."""
        self.stop()
        self.start()

    def pause(self) -> None:
        """Freeze it (SIGSTOP): connections stay open and nothing answers."""
        assert self._process is not None, f"{self.name} does not run"
        self._process.signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Thaw it (SIGCONT)."""
        assert self._process is not None, f"{self.name} does not run"
        self._process.signal(signal.SIGCONT)
