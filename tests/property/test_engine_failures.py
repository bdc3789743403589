"""Stories in which our own code raises at commands, at answers and at what alerts weigh: all else is as if those had been refused."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

import alerts.events
from alerts.errors import IncidentError
from models.criticality import Criticality, CriticalitySpec
from models.notifications import NotificationResult
from models.windows import HOUR_MS
from streams.engine import commands, incident_commands
from tests.engines import Rig
from tests.property.test_engine_paging import POLICY as PAGING
from tests.property.test_engine_paging import STORIES, Story, doing, intents
from tests.property.test_engine_suppression import lived

POLICY = (PAGING[0].model_copy(update={"criticality": CriticalitySpec.model_validate({"partner": {"risk": 3}})}), PAGING[1])
TYPES = 6
"""Types of commands that these stories have."""


class BrokenError(Exception):
    """What code with a bug raises."""


class _Unreadable:
    """Of which nobody can say what it weighs."""

    @staticmethod
    def parse(_: str) -> None:
        raise BrokenError


@contextmanager
def harmed(numbers: frozenset[int], *, raises: bool) -> Iterator[None]:
    """Commands at these places of the story and every second answer come to nothing, and alerts weigh nothing: by a bug, or in order."""
    ask, answer = incident_commands.ask, incident_commands.answer

    def asks(state: Any, command: Any, payload: Any, at_ms: int) -> str:
        said = ask(state, command, payload, at_ms) if int(command.id[1:]) not in numbers else None
        if said is None:
            raise BrokenError if raises else IncidentError
        return said

    def answers(state: Any, result: NotificationResult, at_ms: int) -> None:
        if int(result.notification[0], 16) % 2:
            answer(state, result, at_ms)
        elif raises:
            raise BrokenError

    with ExitStack() as held:
        held.enter_context(patch.object(commands, "ask", asks))
        held.enter_context(patch.object(commands, "answer", answers))
        held.enter_context(patch.object(Criticality, "of", lambda *_: None))
        if raises:
            held.enter_context(patch.object(alerts.events, "Scope", _Unreadable))
        yield


def left(rig: Rig) -> dict[str, Any]:
    """What the state holds, but what was counted, and which commands are done: one that raised may come again."""
    return {name: each for name, each in rig.snapshot().items() if name not in {"counters", "done", "sequence"}}


@settings(max_examples=12, deadline=None)
@given(STORIES, st.frozensets(st.integers(0, 9)), st.lists(st.booleans(), min_size=1, max_size=7))
def test_what_our_code_raises_at_stops_nobody_else(story: Story, numbers: frozenset[int], crashes: list[bool]) -> None:
    with harmed(numbers, raises=False):
        expected = lived(story, [], policy=POLICY, doing_of=doing)
    with harmed(numbers, raises=True):
        found = lived(story, [], policy=POLICY, doing_of=doing)
        crashed = lived(story, crashes, policy=POLICY, doing_of=doing)
    assert intents(found) == intents(expected)
    assert intents(crashed) == intents(expected)
    assert left(found) == left(expected)
    lasts_hours = 1 + (sum(seconds for _, seconds in story) + 600) * 1000 // HOUR_MS
    counters = found.engine.counters
    rules = {"sl", "waits"}
    assert counters.get("dead_letters.bug", 0) == len(found.letters()) <= (TYPES + len(rules)) * lasts_hours
    assert counters.get("commands_failed", 0) + counters.get("rules_failed", 0) >= len(found.letters())
