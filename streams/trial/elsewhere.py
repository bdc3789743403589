"""Elsewhere: what tallies do not count, counted by the very engine, without rules and closed only where it is asked for."""

from typing import Final

from models.policy_spec import PolicyFile
from models.windows import GRID_MS, Scope
from streams.engine.totals import ALL, flats
from streams.trial.driven import DrivenEngine, DrivenState
from streams.trial.offline import TOPICS, Offline, policy_records

__all__ = ["Elsewhere"]

_RUN_MAX: Final = 1_000


class Elsewhere:
    """Of one partner; costs some 20 µs an event."""

    def __init__(self, policy: PolicyFile, partner: str, at_ms: int) -> None:
        """Begin at `at_ms`, which is not after the first event."""
        self._state = DrivenState()
        self._engine = DrivenEngine(self._state)
        self._offline = Offline(self._engine)
        ruleless = policy.model_copy(update={"rules": (), "inhibit": ()})
        self._offline.send(TOPICS.policies, policy_records(ruleless, at_ms, partner), at_ms)
        self._engine.begin(at_ms - at_ms % GRID_MS)
        found = self._state.partner(partner)
        assert found is not None, "with one partition number every partner is at home"
        self._partner = found
        found.profile.kept = False
        self._run: list[tuple[bytes | None, bytes]] = []

    def take(self, at_ms: int, value: bytes) -> None:
        """An event that came at `at_ms`."""
        self._run.append((self._partner.key, value))
        if len(self._run) >= _RUN_MAX:
            self._flush(at_ms)

    def holds(self, scope: Scope, at_ms: int) -> bool:
        """Whether anything is counted in a scope in the 24 hours up to a grid point that is not before the one that was last asked for."""
        self._close(at_ms)
        return scope in self._partner.scopes()

    def measures(self, start_ms: int, end_ms: int) -> int:
        """The packed flat vector of the whole partner from one time to another, both of them edges of days; 0 where there is none."""
        self._close(end_ms)
        partner = self._partner
        return flats(partner.lifted([partner.panes.sum_between(start_ms, end_ms)])).get(ALL, 0)

    def forget(self) -> None:
        """Let go what a commit would."""
        self._engine.forget()

    def _close(self, grid_ms: int) -> None:
        """At a grid point, and at none that lies before."""
        self._flush(grid_ms)
        if grid_ms > self._partner.panes.closed_ms:
            self._state.slept_ms, self._partner.due_ms = grid_ms, None
            self._state.want(self._partner, grid_ms)
            self._engine.begin(grid_ms + self._partner.policy.settle_ms)

    def _flush(self, at_ms: int) -> None:
        if self._run:
            self._offline.send(TOPICS.interactions, self._run, at_ms)
            self._run = []
