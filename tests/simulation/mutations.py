"""The product broken in one place at a time: what a simulator is worth is how soon it finds that out."""

import inspect
from dataclasses import dataclass
from textwrap import dedent
from typing import Any, Final

import pytest

from streams.engine import Engine, stored
from streams.holding import Holding
from streams.owner import Owner
from tests.simulation.pool import checked, simulator

__all__ = ["MUTATIONS", "SCHEDULES_MAX", "found_in"]

SCHEDULES_MAX: Final = 1_000
"""Within so many schedules each must be found."""


@dataclass(frozen=True)
class Mutation:
    """Another text for a part of one function."""

    broken: str
    """What the product does wrong then."""
    within: Any
    """A class, or a dict of functions."""
    name: str
    old: str
    new: str

    def apply(self, patch: pytest.MonkeyPatch) -> None:
        """Put the broken function where the sound one is.

        Raises:
            AssertionError: if the text is not there, or more than once: the product has changed, and this must change with it.
        """
        sound = self.within[self.name] if isinstance(self.within, dict) else inspect.getattr_static(self.within, self.name)
        function: Any = sound.fget if isinstance(sound, property) else sound
        text = dedent(inspect.getsource(function))
        assert text.count(self.old) == 1, f"{self.name} has no such text: {self.old}"
        made: dict[str, Any] = {}
        # Its globals are the module's own, in which the simulator stands in for clients and clocks.
        exec(text.replace(self.old, self.new), function.__globals__, made)
        broken = made[function.__name__]
        if isinstance(self.within, dict):
            patch.setitem(self.within, self.name, broken)
        else:
            patch.setattr(self.within, self.name, broken)


_FENCE = "await asyncio.gather(*(holding.producer.start() for holding in new))"
_LAP = '\n        hit("recovery.fenced")\n        laps.append(perf_counter())\n        '
_READ = "records = await read_changelog(reader, new)"

MUTATIONS: Final = (
    Mutation("no offsets in the commit", Holding, "commit", "if offsets:", "if False:"),
    Mutation("a partner's row is not written", Engine, "_rows", "if partner.row_changed:", "if False:"),
    Mutation("panes are not written", Engine, "_rows", "drain()\n        if", "drain() if False else ()\n        if"),
    Mutation("a letter of several is left out", Engine, "drain", "*state.outputs,", "*state.outputs[:1],"),
    Mutation("seen ids are not loaded", stored._STEPS, "ids", "state.seen.load(", "str.format('', "),
    Mutation("the frontier is not loaded", stored._STEPS, "applied", "state.frontier.load(frontier)", "pass"),
    Mutation("the revision is not loaded", stored._STEPS, "applied", "state.sequence = sequence", "pass"),
    Mutation("conditions are not loaded", stored._STEPS, "alert", "conditions[", "conditions.copy()["),
    Mutation("a stop without a last commit", Owner, "leave", "await self.commit(everything=True)", "pass"),
    Mutation("waiting contacts are not loaded", stored._STEPS, "contacts", "state.contacts.load(", "str.format('', "),
    Mutation("a refused partition goes on", Owner, "refuse", "holding.refused = why", "pass"),
    Mutation("only the last batch is asked whether it was delivered", Holding, "commit", "in batches))", "in batches[-1:]))"),
    Mutation("runs are applied during a rebalance", Owner, "_open_for_runs", "self.accepting and not self._rebalancing()", "True"),
    Mutation("a commit that waited for a refused one goes on", Holding, "commit", "if self.broken:", "if False:"),
    Mutation(
        "a changelog is read before its former owner is fenced",
        Owner,
        "_take_over",
        f"{_FENCE}{_LAP}{_READ}",
        f"{_READ}{_LAP}{_FENCE}",
    ),
    Mutation("a holding is kept although others wrote", Owner, "_take_over", "] != self.holdings[number].end", "] == -1"),
)


def found_in(mutation: int) -> tuple[int | None, str]:
    """In which schedule, counted from 1 in the order of seeds, one of MUTATIONS is found out, and by what; None if in none of them."""
    with simulator() as each, pytest.MonkeyPatch.context() as patch:
        MUTATIONS[mutation].apply(patch)
        for seed in range(SCHEDULES_MAX):
            try:
                checked(each, seed)
            except Exception as error:  # noqa: BLE001 - whatever a broken product does but pass
                return seed + 1, f"{type(error).__name__}: {error}"[:160]
    return None, ""
