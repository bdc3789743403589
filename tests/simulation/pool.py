"""Schedules on all cores: seeds in chunks, each chunk in whichever process is free."""

import gc
import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from typing import NamedTuple

import pytest

from tests.simulation.check import check
from tests.simulation.schedule import Outcome, Simulator

__all__ = ["Tally", "checked", "processes", "run_all", "simulator"]

_CHUNK = 50


class Tally(NamedTuple):
    """What came of some schedules, all of which passed."""

    schedules: int = 0
    failed_calls: int = 0
    """In all of them: a schedule without trouble proves little."""
    cpu_seconds: float = 0.0


@contextmanager
def simulator() -> Iterator[Simulator]:
    """A simulator; the product's modules are themselves again after it."""
    with pytest.MonkeyPatch.context() as patch:
        yield Simulator(patch)


def checked(simulator: Simulator, seed: int) -> Outcome:
    """Run one schedule and hold it against the oracle; whatever is raised says how to run it again."""
    try:
        outcome = simulator.run(seed)
        check(outcome)
    except Exception as error:
        error.add_note(f"again: SIM_SEED={seed} pytest tests/property/test_simulation.py")
        raise
    return outcome


def _run(seeds: Sequence[int]) -> Tally:
    begun, failed_calls = time.process_time(), 0
    with simulator() as each:
        for seed in seeds:
            failed_calls += checked(each, seed).cluster.failures
    return Tally(len(seeds), failed_calls, time.process_time() - begun)


def _calm() -> None:
    """What was imported is not looked through again and again; what a schedule leaves is small."""
    gc.freeze()
    gc.set_threshold(100_000)


def processes() -> ProcessPoolExecutor:
    """One for each core, begun anew: a fork of a process that has threads may hang."""
    return ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn"), initializer=_calm)


def run_all(seeds: Sequence[int]) -> Tally:
    """Run them all, or raise what the first that does not hold raised; one alone runs here, where a debugger can see it."""
    chunks = [seeds[at : at + _CHUNK] for at in range(0, len(seeds), _CHUNK)]
    if len(seeds) == 1:
        return _run(seeds)
    with processes() as pool:
        try:
            tallies = list(pool.map(_run, chunks))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return Tally(*map(sum, zip(*tallies, strict=True)))
