"""Holding what a test saw against what it expects."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from streams.trial.play import Json, Seen, play
from streams.trial.suite import CaseSpec, ExpectSpec
from streams.trial.suite_file import Trial, read_suite
from streams.trial.told import differs, wanted

__all__ = ["Failure", "Result", "run_suites"]

_REFUSED_SHOWN = 3
_TOLD_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Failure:
    """An expectation that did not hold."""

    line: int
    expected: str
    saw: str
    evidence: tuple[str, ...]
    """What was seen that it follows from, a line each."""


@dataclass(frozen=True, slots=True)
class Result:
    """Of one test."""

    file: str
    line: int
    name: str
    expectations: int
    failures: tuple[Failure, ...]


def run_suites(paths: Sequence[Path]) -> Iterator[Result]:
    """Run every test of these files, each as it is asked for.

    Raises:
        FileError: before any is run, with everything that is wrong with a file, or with its policy.
    """
    trials = [read_suite(path, str(path)) for path in paths]
    return (
        Result(trial.file, trial.line("tests", at), case.name, len(case.expect) + len(case.told or ()), tuple(_run(trial, at, case)))
        for trial in trials
        for at, case in enumerate(trial.suite.tests)
    )


def _run(trial: Trial, at: int, case: CaseSpec) -> list[Failure]:
    failures: list[Failure] = []
    seen = None
    for at_ms, seen in play(trial, case):
        for number, expected in enumerate(case.expect):
            if expected.at_ms == at_ms:
                failures += _held(expected, seen, trial.line("tests", at, "expect", number))
    if seen is not None and case.told is not None and (wrong := differs(case.told, seen.told)) is not None:
        where: list[str | int] = ["tests", at, "told", *([wrong] if wrong < len(case.told) else [])]
        evidence = tuple(map(str, seen.told[:_TOLD_SHOWN])) or ("nobody was told",)
        failures.append(Failure(trial.line(*where), *wanted(case.told, seen.told, wrong), evidence))
    if seen is not None and seen.refused:
        failures.append(Failure(trial.line("tests", at), "all to count", seen.refused[0], tuple(seen.refused[1:_REFUSED_SHOWN])))
    return sorted(failures, key=lambda each: each.line)


def _held(expected: ExpectSpec, seen: Seen, line: int) -> list[Failure]:
    state, came = seen.state(expected.rule, expected.scope), seen.transitions(expected.rule, expected.scope)
    kinds = [each["transition"]["kind"] for each in came]
    waits = [] if state is None else state["suppressed_by"]
    phase, severity = ("ok", None) if state is None else (state["state"], state["severity"])
    wrong = (
        expected.phase is not None and expected.phase != phase,
        expected.severity is not None and expected.severity != severity,
        expected.transitions is not None and [*expected.transitions] != kinds,
        expected.suppressed_by is not None and {*expected.suppressed_by} != {*waits},
    )
    if not any(wrong):
        return []
    where = f"{expected.rule} in {expected.scope} at {expected.at_ms / 60_000:g}m"
    wanted = [str(each) for each in (expected.severity, expected.phase) if each is not None]
    wanted += [] if expected.transitions is None else [f"transitions [{', '.join(expected.transitions)}]"]
    wanted += [] if expected.suppressed_by is None else [f"suppressed by [{', '.join(expected.suppressed_by)}]"]
    saw = f"{f'{severity} ' if severity else ''}{phase}" + ("" if expected.transitions is None else f", transitions [{', '.join(kinds)}]")
    saw += "" if expected.suppressed_by is None else f", suppressed by [{', '.join(waits)}]"
    return [Failure(line, f"{where} to be {', '.join(wanted)}", saw, (*_evidence(state, came), *seen.asked(expected.rule, expected.scope)))]


def _evidence(state: Json | None, came: list[Json]) -> list[str]:
    lines = [] if state is None else [state["explanation"]]
    return [*lines, came[-1]["transition"]["reason"] if came else "it never changed"]
