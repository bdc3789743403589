"""Silences, annotations and overrides as they stand beside the alerts on `outwatch.alerts.state`, under keys of their own."""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Final, Literal

from pydantic import Field

from models.base import Record
from models.commands import AnnotationKind, Matchers
from models.escalation import PersonId, RotationId
from models.records import EpochMs
from models.topics import BROADCAST

__all__ = ["ANNOTATION", "OVERRIDE", "SILENCE", "AnnotationState", "OverrideState", "SilenceState", "notice_key"]

SILENCE: Final = "silence"
ANNOTATION: Final = "annotation"
OVERRIDE: Final = "override"


def notice_key(kind: str, identity: str) -> str:
    """The key of a silence, an annotation or an override; no fingerprint of an alert has a slash in it."""
    return f"{kind}/{identity}"


class _Notice(Record):
    id: str
    """Of the command that made it."""
    partner: str
    """`*`: of all partners, written by one partition alone."""
    actor: str
    at: EpochMs
    """When it was asked for, as its sender said."""
    from_: EpochMs = Field(alias="from")
    """Inclusive, in stream time."""


class SilenceState(_Notice):
    """`outwatch.alerts.state`, key silence/ID: a silence until it is over; then a tombstone."""

    record: Literal["silence"] = "silence"
    matchers: Matchers
    comment: str
    until: EpochMs
    """Exclusive."""

    def holds(self, at_ms: int, alert: Mapping[str, str]) -> bool:
        """Whether it silences an alert of this partner, rule, scope and severity at `at_ms`."""
        return self.from_ <= at_ms < self.until and self.fits(alert)

    def fits(self, alert: Mapping[str, str]) -> bool:
        """Whether it means such an alert."""
        if self.partner not in (BROADCAST, alert["partner"]):
            return False
        return all(fnmatchcase(alert[name], glob) for name, glob in self.matchers if glob is not None)


class AnnotationState(_Notice):
    """`outwatch.alerts.state`, key annotation/ID: what happened, or will; a tombstone 760 days after it."""

    record: Literal["annotation"] = "annotation"
    kind: AnnotationKind
    text: str
    kpi: str | None = None
    """The KPI that is meant; without it, all."""
    to: EpochMs
    """Exclusive."""


class OverrideState(_Notice):
    """`outwatch.alerts.state`, key override/ID: who is on call in place of a rotation's own; a tombstone 14 days after it."""

    record: Literal["override"] = "override"
    rotation: RotationId
    person: PersonId
    comment: str | None = None
    to: EpochMs
    """Exclusive."""
