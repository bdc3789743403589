"""Who was told in a test of rules, and whether that is who should have been."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from alerts.page import FALLBACK, REASSIGNED
from models.notifications import Notification, Target
from streams.trial.suite import ToldSpec

__all__ = ["Page", "add", "differs", "wanted"]

_STEPS = {FALLBACK: "fallback", REASSIGNED: "handed over"}


@dataclass(slots=True)
class Page:
    """Somebody was told at a grid point, by however many receivers."""

    at_ms: int
    """From the start of the test."""
    kind: str
    reason: str
    step: int | str
    target: Target
    incident: str
    by: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        """In words."""
        target = self.target
        who = f"{target.kind} {target.id}" + (f" ({target.person})" if target.person not in (None, target.id) else "")
        step = f"step {self.step}" if isinstance(self.step, int) else self.step
        return f"{_moment(self.at_ms)} {self.kind} {who} by {', '.join(self.by)}, {step}, {self.reason}"


def add(told: list[Page], at_ms: int, page: Notification) -> None:
    """Take a notification; what reaches the same target by another receiver is one."""
    step = _STEPS.get(page.step, page.step + 1)
    same = (at_ms, page.kind, page.reason.value, step, page.target, page.incident)
    found = next((each for each in told if (each.at_ms, each.kind, each.reason, each.step, each.target, each.incident) == same), None)
    if found is None:
        found = Page(*same)
        told.append(found)
    found.by.append(page.receiver.id)


def differs(expected: Sequence[ToldSpec], told: Sequence[Page]) -> int | None:
    """The position of the first that is not as expected, of which there may be fewer; None: all are."""
    seen = _looked_at(expected, told)
    for at, (spec, page) in enumerate(zip(expected, seen, strict=False)):
        if not _is(spec, page):
            return at
    return None if len(expected) == len(seen) else min(len(expected), len(seen))


def wanted(expected: Sequence[ToldSpec], told: Sequence[Page], at: int) -> tuple[str, str]:
    """What was expected and what was seen at a position, in words."""
    seen = _looked_at(expected, told)
    return _said(expected[at]) if at < len(expected) else "nobody else to be told", str(seen[at]) if at < len(seen) else "nobody else"


def _looked_at(expected: Sequence[ToldSpec], told: Sequence[Page]) -> list[Page]:
    kinds = {"trigger", *(each.kind for each in expected)}
    return [each for each in told if each.kind in kinds]


def _is(spec: ToldSpec, page: Page) -> bool:
    return (
        (spec.at_ms, spec.kind) == (page.at_ms, page.kind)
        and spec.to in (page.target.id, page.target.person)
        and spec.step in (None, page.step)
        and spec.reason in (None, page.reason)
        and (spec.by is None or sorted(spec.by) == sorted(page.by))
    )


def _said(spec: ToldSpec) -> str:
    by = "" if spec.by is None else f" by {', '.join(spec.by)}"
    step = "" if spec.step is None else f", step {spec.step}" if isinstance(spec.step, int) else f", {spec.step}"
    return f"{_moment(spec.at_ms)} {spec.kind} {spec.to}{by}{step}{'' if spec.reason is None else f', {spec.reason}'}"


def _moment(at_ms: int) -> str:
    """As a file writes it."""
    return f"{at_ms / 60_000:g}m" if at_ms % 60_000 == 0 else f"{at_ms // 1000}s"
