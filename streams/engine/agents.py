"""Agents: what is known of each, and what their time counts as it passes.

Nothing of an agent's time is counted before its pane is closed: what is open accrues when a grid point is closed, so that a figure holds
the time up to there, whatever the order in which it was told. News of what was before corrects the panes that it lies in. Time on the
staff is settled by quarters of an hour, since nobody leaves by the second and staff at home must not keep a partner from lying idle.
The state holds a row an agent and one for each hour of an agent's states.
"""

import itertools
from collections.abc import Iterable, Iterator
from typing import Any, Final

from models.measures import FAMILIES, WIDTHS, Family
from models.windows import GRID_MS, HOUR_MS, MINUTE_MS
from streams.engine import rows
from streams.engine.agent import FOREVER_MS, HEADCOUNT, Agent, Course, Doing, News, Part, Said, Service, Shift, Stint
from streams.engine.panes import LEDGER_MS, PaneStore

__all__ = ["Agents", "Changes", "Roster"]

_QUARTER_MS: Final = 15 * MINUTE_MS
_WIDTH: Final = WIDTHS[Family.WORKFORCE]
_EXPIRED: Final = FAMILIES[Family.WORKFORCE].index("agents_expired")

Place = tuple[str | None, str | None, str]
"""Queue, channel, and sides."""
Changes = dict[tuple[int, str | None, str | None, str], list[int]]
"""By time (ms), queue, channel and sides: what each measure changes by."""


class Roster:
    """The agents of one partner."""

    __slots__ = (
        "_changed",
        "_changes",
        "_hours",
        "_limits",
        "_said",
        "_serving",
        "_stated",
        "_wakes",
        "dropped",
        "expired",
        "held",
        "partner_id",
    )

    def __init__(self, partner_id: str, limit: int, horizon_ms: int) -> None:
        self.partner_id = partner_id
        self._limits = limit, horizon_ms
        self.held: dict[str, Agent] = {}
        self.dropped = 0
        """What the limits refused since it was last asked."""
        self.expired = 0
        """States that expired since it was last asked."""
        self._wakes: dict[str, int] = {}
        """From when on an agent counts, or is staffed, without a further event."""
        self._serving: set[str] = set()
        """The agents whose service counts something that is not settled."""
        self._stated: set[str] = set()
        """Of whom any state is known."""
        self._said: dict[Said, Said] = {}
        self._changes: Changes = {}
        """What is to be counted otherwise than it is."""
        self._changed: set[str] = set()
        self._hours: set[tuple[str, int]] = set()
        """Agents, and hours of agents' states, whose row is to be written."""

    def __bool__(self) -> bool:
        """Whether any agent is known."""
        return bool(self.held)

    def oldest_ms(self, closed_ms: int) -> int:
        """What happened before this is not known any more, so that nothing before it can be corrected."""
        return closed_ms - closed_ms % HOUR_MS - self._limits[1]

    def take_changes(self) -> Changes:
        """What is to be counted otherwise since this was last asked; together, since agents share their panes."""
        changes, self._changes = self._changes, {}
        return changes

    def tell(self, agent_id: str, news: News, panes: PaneStore) -> bool:
        """Take what was told of an agent; whether anything is to be counted otherwise: see `take_changes`."""
        agent = self.held.get(agent_id) or Agent()
        reach = agent.reach(news)
        if reach is None:
            return False
        if agent.full(news) or (agent_id not in self.held and len(self.held) >= self._limits[0]):
            self.dropped += 1
            return False
        low, high = self._settled(news, panes)
        low, high = max(reach[0], low), max(reach[0], low, min(reach[1], high))
        before = list(agent.touched(news, low, high))
        if isinstance(news, Stint):
            news = news._replace(said=self._said.setdefault(news.said, news.said))
            self._hours.add((agent_id, news.at_ms - news.at_ms % HOUR_MS))
        else:
            self._changed.add(agent_id)
        agent.put(news)
        self.held[agent_id] = agent
        self._plan(agent_id, agent, panes.closed_ms)
        after = list(agent.touched(news, low, high))
        if before == after:
            return False
        for parts, by in ((before, -1), (after, 1)):
            _spread(parts, panes, by, self._changes)
        return True

    def _settled(self, news: News, panes: PaneStore) -> tuple[int, int]:
        """Of what stretch everything of this kind was counted."""
        if isinstance(news, Service):
            return panes.ledger_start(), _quarter(panes.closed_ms)
        if isinstance(news, Course):
            return panes.ledger_start(), panes.closed_ms
        return self.oldest_ms(panes.closed_ms), panes.closed_ms

    def _plan(self, agent_id: str, agent: Agent, closed_ms: int) -> None:
        """Note from when on an agent is to be looked at."""
        wake_ms = agent.next_ms(closed_ms)
        if wake_ms is None:
            self._wakes.pop(agent_id, None)
        else:
            self._wakes[agent_id] = wake_ms
        (self._serving.add if agent.serves(_quarter(closed_ms)) else self._serving.discard)(agent_id)
        (self._stated.add if agent.times else self._stated.discard)(agent_id)

    def settle(self, low_ms: int, panes: PaneStore) -> None:
        """Have counted what counts now that the panes from `low_ms` on are closed: see `take_changes`."""
        high_ms = panes.closed_ms
        parts: list[Part] = []
        awake = [agent_id for agent_id, wake_ms in self._wakes.items() if wake_ms < high_ms]
        for agent_id in awake:
            parts += self.held[agent_id].parts(low_ms, high_ms)
        self.expired += sum(part.measure == _EXPIRED for part in parts)
        low, high = _quarter(max(low_ms, panes.ledger_start())), _quarter(high_ms)
        if low < high:
            for agent_id in sorted(self._serving):
                parts += self.held[agent_id].serving(low, high)
                awake.append(agent_id)
        for agent_id in awake:
            self._plan(agent_id, self.held[agent_id], high_ms)
        if low_ms // HOUR_MS != high_ms // HOUR_MS:
            self._forget(high_ms)
        _spread(parts, panes, 1, self._changes)

    def _forget(self, closed_ms: int) -> None:
        """Drop what nothing can correct any more, and who was not heard of as long as the ledger reaches back."""
        oldest_ms, unheard_ms = self.oldest_ms(closed_ms), closed_ms - LEDGER_MS
        for agent_id, agent in list(self.held.items()):
            known = agent.shifts, agent.service, len(agent.courses)
            self._hours.update((agent_id, at_ms - at_ms % HOUR_MS) for at_ms in agent.forget(oldest_ms, unheard_ms))
            if known != (agent.shifts, agent.service, len(agent.courses)):
                self._changed.add(agent_id)
            self._plan(agent_id, agent, closed_ms)
            if not agent:
                del self.held[agent_id]

    def next_change_ms(self, closed_ms: int, agent_id: str | None = None) -> int | None:
        """The next grid point at which anybody, or that agent, counts, is staffed or forgotten; None if there is none."""
        if not self.held:
            return None
        wakes = self._wakes.values() if agent_id is None else [self._wakes[agent_id]] if agent_id in self._wakes else []
        wake_ms = min(wakes, default=FOREVER_MS)
        edge_ms = _quarter(closed_ms) + _QUARTER_MS if self._serving else closed_ms - closed_ms % HOUR_MS + HOUR_MS
        return min(max(wake_ms - wake_ms % GRID_MS, closed_ms) + GRID_MS, edge_ms)

    def staffs(self, at_ms: int) -> bool:
        """Whether it is known of any agent what they did before `at_ms`."""
        return bool(self._stated) and any(self.held[agent_id].times[0] < at_ms for agent_id in self._stated)

    def staffed(self, at_ms: int) -> dict[Place, tuple[int, int]]:
        """By cell, how many are there just before `at_ms`, and how many of them are available."""
        found: dict[Place, tuple[int, int]] = {}
        for agent_id, wake_ms in self._wakes.items():
            said = self.held[agent_id].doing(at_ms) if wake_ms <= at_ms else None
            if said is not None:
                place = said.queue, said.channel, said.sides
                staffed, available = found.get(place, (0, 0))
                found[place] = staffed + 1, available + (said.doing == Doing.AVAILABLE)
        return found

    def places(self) -> set[Place]:
        """The cells in which anybody is, or was, of whom it is known."""
        return {(said.queue, said.channel, said.sides) for said in self._said}

    def drain(self) -> Iterator[tuple[bytes, bytes | None]]:
        """The rows that changed since the last call."""
        for agent_id in sorted(self._changed):
            agent = self.held.get(agent_id, _NOBODY)
            kinds = agent.service, agent.shifts, itertools.chain.from_iterable(agent.courses.values())
            content = [[[*news] for news in kind] for kind in kinds]
            yield rows.key("agent", self.partner_id, agent_id), rows.pack(content) if any(content) else None
        for agent_id, hour_ms in sorted(self._hours):
            states = self.held.get(agent_id, _NOBODY).states(hour_ms, hour_ms + HOUR_MS)
            value = rows.pack([[at_ms, *said] for at_ms, said in states]) if states else None
            yield rows.key("states", self.partner_id, agent_id, hour_ms), value
        self._changed.clear()
        self._hours.clear()

    def load(self, agent_id: str, content: list[list[list[Any]]]) -> None:
        """Take the stored row of an agent."""
        agent = self.held.setdefault(agent_id, Agent())
        service, shifts, courses = content
        agent.plan(tuple(Shift(*each) for each in shifts))
        told: list[News] = [*(Service(*each) for each in service), *(Course(*each) for each in courses)]
        for news in told:
            agent.put(news)

    def load_states(self, agent_id: str, content: list[list[Any]]) -> None:
        """Take the stored row of an hour of an agent's states."""
        agent = self.held.setdefault(agent_id, Agent())
        for at_ms, *rest in content:
            said = Said(*rest)
            agent.put(Stint(at_ms, self._said.setdefault(said, said)))

    def loaded(self, closed_ms: int) -> None:
        """Go on from the rows that were taken."""
        for agent_id, agent in self.held.items():
            self._plan(agent_id, agent, closed_ms)


class Agents:
    """The agents of one partition number."""

    def __init__(self, limit: int, horizon_ms: int) -> None:
        self._limits = limit, horizon_ms
        self.by_partner: dict[str, Roster] = {}

    def of(self, partner_id: str) -> Roster:
        """The agents of a partner."""
        return self.by_partner.setdefault(partner_id, Roster(partner_id, *self._limits))

    def release(self, partner_id: str) -> None:
        """Hold nothing for a partner that is gone; call after `drain`."""
        if not self.by_partner[partner_id]:
            del self.by_partner[partner_id]

    def take_counts(self) -> tuple[int, int]:
        """How much the limits refused, and how many states expired, since the last call."""
        found = self.by_partner.values()
        counts = sum(roster.dropped for roster in found), sum(roster.expired for roster in found)
        for roster in found:
            roster.dropped = roster.expired = 0
        return counts

    def drain(self) -> Iterator[tuple[bytes, bytes | None]]:
        """The rows of this commit."""
        for roster in self.by_partner.values():
            yield from roster.drain()

    def snapshot(self) -> dict[tuple[str, str], tuple[Any, ...]]:
        """All that is known of each agent by partner and id, for comparison."""
        return {
            (roster.partner_id, agent_id): (agent.states(0, FOREVER_MS), agent.service, sorted(agent.shifts), agent.courses)
            for roster in self.by_partner.values()
            for agent_id, agent in roster.held.items()
        }


_NOBODY: Final = Agent()


def _quarter(at_ms: int) -> int:
    return at_ms - at_ms % _QUARTER_MS


def _spread(parts: Iterable[Part], panes: PaneStore, by: int, changes: Changes) -> None:
    """Add to `changes` what the parts count, `by` times; time on the staff in the pane in which its quarter of an hour begins."""
    for start, end, queue, channel, sides, measure in parts:
        at_ms = start
        while at_ms < end or at_ms == start == end:
            pane_ms, until_ms = panes.span(at_ms)
            if measure == HEADCOUNT and until_ms - pane_ms < _QUARTER_MS:
                pane_ms, until_ms = _quarter(at_ms), _quarter(at_ms) + _QUARTER_MS
            vector = changes.get((pane_ms, queue, channel, sides))
            if vector is None:
                vector = changes[pane_ms, queue, channel, sides] = [0] * _WIDTH
            vector[measure] += by * (min(end, until_ms) - at_ms if start < end else 1)
            at_ms = until_ms
