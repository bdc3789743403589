"""A condition: the durable state of one rule in one scope of one partner."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from alerts.errors import RowFormatError
from alerts.gate import Quality
from alerts.hold import Hold
from alerts.ids import episode_id, fingerprint
from models.reasons import SuppressReason
from models.records import Attribution, Circumstances, Evidence
from models.rules import Severity
from models.windows import MINUTE_MS

__all__ = ["RESOLVED_KEPT_MS", "ROW_FORMAT", "Change", "ChangeKind", "Condition", "Phase"]

RESOLVED_KEPT_MS: Final = 15 * MINUTE_MS
"""How long a resolved alert stays to be seen before it is forgotten."""

ROW_FORMAT: Final = 1
_UNTOLD: Final[tuple[Any, ...]] = (None, None, 0.0, None)
"""What a row means that ends before its evidence, or before a field that was appended since."""


class Phase(StrEnum):
    """Where a condition stands."""

    OK = "ok"
    PENDING = "pending"
    """Breached, not yet for long enough: silent."""
    FIRING = "firing"
    RECOVERING = "recovering"
    """Past the mildest exit, not yet for long enough: still open."""
    RESOLVED = "resolved"


class ChangeKind(StrEnum):
    """What a change means to whoever is told."""

    PENDING = "pending"
    FIRED = "fired"
    ESCALATED = "escalated"
    """A higher severity: clears an acknowledgement."""
    EASED = "eased"
    """A lower severity: an update only."""
    RECOVERING = "recovering"
    REFIRED = "refired"
    """Recovery was broken off: silent."""
    RESOLVED = "resolved"
    CLEARED = "cleared"
    """Nothing is left to remember: the caller writes the tombstone."""
    RETIRED = "retired"
    """Ended because its rule, level or partner is gone."""
    SUPPRESSION_ENDED = "suppression_ended"
    """Nothing of the condition changed: it still fires, and what its page waited for is over (`alerts.aside`)."""


@dataclass(frozen=True, slots=True)
class Condition:
    """Built with its identity alone it is OK and has seen nothing; such a one needs no row."""

    rule_id: str
    partner: str
    scope: str
    """As `models.windows.Scope` writes it."""
    revision: str = ""
    """Of the rule that it was last judged by."""
    phase: Phase = Phase.OK
    severity: Severity | None = None
    """While PENDING the severest that accrues, while open the present one, then the last one."""
    quality: Quality = Quality.MISSING
    since_ms: int = 0
    """The grid point at which the phase began; 0 for OK."""
    started_ms: int | None = None
    """The grid point of the first breach: it names the episode."""
    fired_ms: int | None = None
    ended_ms: int | None = None
    seq: int = 0
    """Changes so far, since it was last OK."""
    holds: tuple[Hold | None, ...] = ()
    """A level each, mildest first: of leaving for those that are on, of entering for those above; empty before the first judgement."""
    evidence: Evidence | None = None
    """What was seen at the last change."""
    attribution: Attribution | None = None
    """What the change was put down to when it last fired or escalated."""
    total: float = 0.0
    """What has added up, under a rule that adds up (`alerts.drift`)."""
    circumstances: Circumstances | None = None
    """What it was like then."""

    @property
    def open(self) -> bool:
        """Whether it has fired and not ended."""
        return self.phase in (Phase.FIRING, Phase.RECOVERING)

    @property
    def blank(self) -> bool:
        """Whether there is nothing to remember: it is OK and nothing accrues. It needs no row."""
        return self.phase is Phase.OK and not any(self.holds) and not self.total

    @property
    def fingerprint(self) -> str:
        """See `alerts.ids`."""
        return fingerprint(self.rule_id, self.partner, self.scope)

    @property
    def episode(self) -> str | None:
        """See `alerts.ids`; None while there is none."""
        return None if self.started_ms is None else episode_id(self.fingerprint, self.started_ms)

    def to_row(self) -> list[Any]:
        """A list of what JSON can hold, the format's number first."""
        return [
            ROW_FORMAT,
            self.rule_id,
            self.partner,
            self.scope,
            self.revision,
            self.phase.value,
            self.severity and self.severity.value,
            self.quality.value,
            self.since_ms,
            self.started_ms,
            self.fired_ms,
            self.ended_ms,
            self.seq,
            [hold and list(hold) for hold in self.holds],
            self.evidence and self.evidence.model_dump(mode="json", by_alias=True),
            self.attribution and self.attribution.model_dump(mode="json", by_alias=True),
            *self._appended(),
        ]

    def _appended(self) -> list[Any]:
        """What releases appended, up to the last that is anything: rows of other conditions are what they were."""
        told = [self.total, self.circumstances and self.circumstances.model_dump(mode="json", by_alias=True)]
        while told and not told[-1]:
            told.pop()
        return told

    @classmethod
    def from_row(cls, row: list[Any]) -> "Condition":
        """The inverse of `to_row`.

        Raises:
            RowFormatError: if the row is of another format.
        """
        if row[0] != ROW_FORMAT:
            msg = f"a condition's row has format {row[0]!r}, this release reads {ROW_FORMAT}"
            raise RowFormatError(msg)
        _, rule_id, partner, scope, revision, phase, severity, quality, since_ms, started_ms, fired_ms, ended_ms, seq, holds, *told = row
        # Of most conditions what releases appended is nothing.
        evidence, attribution, total, circumstances = (*told, *_UNTOLD[len(told) :])
        return cls(
            rule_id=rule_id,
            partner=partner,
            scope=scope,
            revision=revision,
            phase=Phase(phase),
            severity=severity and Severity(severity),
            quality=Quality(quality),
            since_ms=since_ms,
            started_ms=started_ms,
            fired_ms=fired_ms,
            ended_ms=ended_ms,
            seq=seq,
            holds=tuple(hold and Hold(*hold) for hold in holds),
            evidence=evidence and Evidence.model_validate(evidence),
            attribution=attribution and Attribution.model_validate(attribution),
            total=total,
            circumstances=circumstances and Circumstances.model_validate(circumstances),
        )


@dataclass(frozen=True, slots=True)
class Change:
    """One transition of a condition."""

    kind: ChangeKind
    before: Phase
    after: Condition
    """Right after the change, with the facts of its episode even where that has just been forgotten."""
    reason: str
    at_ms: int
    """The grid point that decided."""
    waited: tuple[SuppressReason, ...] = ()
    """What the page waited for that may be sent now."""
