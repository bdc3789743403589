"""The people of a simulated partner: who takes which contact, and what is told of them.

Each belongs to one line. As many are there as are needed: where nobody is free, somebody's shift begins, of one who has rested or of a
new one. A shift has a break, and ends with the contact that it ends in.
"""

from dataclasses import dataclass
from typing import Any, Final

from models.windows import DAY_MS, HOUR_MS, MINUTE_MS, QUARTER_MS
from streams.simulate.config import Line
from streams.simulate.outbox import Outbox

__all__ = ["Staff"]

_SHIFT_MS: Final = 8 * HOUR_MS
_BREAK_MS: Final = 30 * MINUTE_MS
_REST_MS: Final = 14 * HOUR_MS
_COURSE: Final = "new product"
_TARDY: Final = 0.2
"""Share of shifts that are begun late."""
_FORGETFUL: Final = 0.01
"""Share of shifts whose end is never told."""
_LEAVES: Final = 0.002
"""Share of shifts after which somebody leaves for good: about a third of them in a year."""
_TRAINED: Final = 0.85
"""Share who complete a course by the day that it is due."""
_ASKED: Final = 0.25
"""Share of shifts after which somebody is asked how they like it here."""


@dataclass(slots=True, eq=False)
class _Agent:
    id: str
    free_ms: int
    """When their last contact or break is over; of those at home, since when."""
    break_ms: int | None = None
    """None once it was taken."""
    ends_ms: int = 0


class Staff:
    """Of one partner, from `begin_ms` on."""

    def __init__(self, outbox: Outbox, begin_ms: int) -> None:
        self._outbox = outbox
        self._begin_ms = begin_ms
        self._hired = 0
        self._there: dict[Line, list[_Agent]] = {}
        self._home: dict[Line, list[_Agent]] = {}
        """Who went home first comes first."""

    def serve(self, at_ms: int, times: tuple[int, int, int], line: Line) -> str:
        """Who takes a contact of the line that came at `at_ms`: the one who is idle the longest.

        Args:
            at_ms: when it came.
            times: when it is answered, when the talk is over, and when the wrap-up is, in ms.
            line: the line.

        Returns:
            The agent's id.
        """
        answered_ms, spoken_ms, done_ms = times
        there = self._there.setdefault(line, [])
        for each in list(there):
            self._relieve(each, at_ms, line)
        free = [each for each in there if each.free_ms < answered_ms]
        agent = min(free, key=lambda each: each.free_ms) if free else self._begin(at_ms, line)
        for state_ms, state in ((answered_ms, "on_contact"), (spoken_ms, "wrap"), (done_ms, "available")):
            self._state(agent, state_ms, state, line)
        agent.free_ms = done_ms
        return agent.id

    def _relieve(self, agent: _Agent, at_ms: int, line: Line) -> None:
        """A break, or the end of a shift, once it is due and they are free."""
        if agent.free_ms >= at_ms:
            return
        if at_ms >= agent.ends_ms:
            self._end(agent, at_ms, line)
        elif agent.break_ms is not None and at_ms >= agent.break_ms:
            agent.break_ms, agent.free_ms = None, at_ms + _BREAK_MS + round(self._outbox.random.gauss(0, 1) * MINUTE_MS)
            self._state(agent, at_ms, "break", line)
            self._state(agent, agent.free_ms, "available", line)

    def _begin(self, at_ms: int, line: Line) -> _Agent:
        """Somebody's shift begins, or began before the world did."""
        random, home = self._outbox.random, self._home.setdefault(line, [])
        agent = home.pop(0) if home and home[0].free_ms + _REST_MS <= at_ms else self._hire(at_ms, line)
        late_ms = round(random.uniform(1, 10) * MINUTE_MS) if random.random() < _TARDY else 0
        worked_ms = round(random.uniform(0, _SHIFT_MS - HOUR_MS)) if at_ms < self._begin_ms + QUARTER_MS else 0
        from_ms, agent.ends_ms = at_ms - late_ms, at_ms - late_ms + _SHIFT_MS - worked_ms
        break_ms = from_ms + _SHIFT_MS // 2 - worked_ms
        agent.break_ms = break_ms if break_ms > at_ms else None
        self._told(agent, at_ms, "agent.scheduled", line, {"from": from_ms, "to": agent.ends_ms, "activity": "contacts"})
        if agent.break_ms is not None:
            self._told(agent, at_ms, "agent.scheduled", line, {"from": break_ms, "to": break_ms + _BREAK_MS, "activity": "break"})
        self._state(agent, at_ms, "available", line)
        self._there[line].append(agent)
        return agent

    def _hire(self, at_ms: int, line: Line) -> _Agent:
        random = self._outbox.random
        self._hired += 1
        agent = _Agent(f"{self._outbox.partner_id}-a{self._hired:03d}", at_ms - 1)
        since_ms = round(random.uniform(1, 700) * DAY_MS) if at_ms < self._begin_ms + DAY_MS else 0
        self._told(agent, at_ms - since_ms, "agent.joined", line, {}, since_ms)
        due_ms = at_ms + round(random.uniform(0.25, 8) * HOUR_MS)
        self._told(agent, at_ms, "training.due", line, {"course": _COURSE, "due_at": due_ms})
        if random.random() < _TRAINED:
            self._told(agent, random.randint(at_ms + 1, due_ms), "training.done", line, {"course": _COURSE})
        return agent

    def _end(self, agent: _Agent, at_ms: int, line: Line) -> None:
        random = self._outbox.random
        self._there[line].remove(agent)
        agent.free_ms = at_ms
        if random.random() >= _FORGETFUL:
            self._state(agent, at_ms, "offline", line)
        if random.random() < _ASKED:
            about = {"queue": line.queue, "channel": line.channel, "survey": "esat"}
            self._outbox.event(at_ms, "survey.invited", about, "surveys")
            answer = {"score": random.choice((2, 3, 4, 4, 5)), "scale_max": 5}
            self._outbox.event(at_ms + MINUTE_MS, "survey.response", about | answer, "surveys")
        if random.random() < _LEAVES:
            self._told(agent, at_ms, "agent.left", line, {"reason": "resigned"})
        else:
            self._home[line].append(agent)

    def _state(self, agent: _Agent, at_ms: int, state: str, line: Line) -> None:
        self._told(agent, at_ms, "agent.state", line, {"state": state})

    def _told(self, agent: _Agent, at_ms: int, kind: str, line: Line, fields: dict[str, Any], late_ms: int = 0) -> None:
        about = {"agent_id": agent.id, "queue": line.queue, "channel": line.channel}
        self._outbox.event(at_ms, kind, about | fields, "workforce", late_ms)
