"""Local services for tests: a missing one skips on a laptop and fails in CI, where nothing may go untested unseen."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn, Protocol, TypeVar

import pytest

from streams.local.errors import LocalServiceError


class Runs(Protocol):
    """A service, or several that make one."""

    name: str

    def start(self) -> None:
        """Return when it answers."""

    def kill(self) -> None:
        """End it by SIGKILL."""


S = TypeVar("S", bound=Runs)


def lacking(msg: str) -> NoReturn:
    """Something that a test needs is not there."""
    if os.environ.get("CI") == "true":
        pytest.fail(msg, pytrace=False)
    pytest.skip(msg)


@contextmanager
def running(service: S) -> Iterator[S]:
    """Run a service for the length of a with statement."""
    try:
        service.start()
    except (LocalServiceError, OSError) as error:
        lacking(f"{service.name} does not start: {error}")
    try:
        yield service
    finally:
        # What a test left open need not be said goodbye to.
        service.kill()
