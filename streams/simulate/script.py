"""Trouble in a simulation: written down before, or begun and ended while it runs."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

__all__ = ["Incident", "IncidentKind", "Script", "Trouble"]


class IncidentKind(StrEnum):
    """What goes wrong."""

    DEGRADE = "degrade"
    """Waits six times as long, four times as many abandons, ratings down."""


class Trouble(NamedTuple):
    """What an incident does to a contact that arrives during it."""

    wait_factor: float
    abandon_factor: float
    satisfied_factor: float


TROUBLES: Final = {IncidentKind.DEGRADE: Trouble(6.0, 4.0, 0.5)}
ORDINARY: Final = Trouble(1.0, 1.0, 1.0)


@dataclass(frozen=True, slots=True)
class Incident:
    """Trouble of one partner from `start_ms` to before `end_ms` of stream time."""

    partner_id: str
    start_ms: int
    end_ms: int
    kind: IncidentKind = IncidentKind.DEGRADE

    @classmethod
    def parse(cls, text: str, zero_ms: int) -> "Incident":
        """Read `partner:start:end[:kind]`, times in seconds of stream time after `zero_ms`.

        Raises:
            ValueError: for anything else.
        """
        partner_id, *rest = text.split(":")
        try:
            start, end, *kind = rest
            incident = cls(partner_id, zero_ms + round(float(start) * 1000), zero_ms + round(float(end) * 1000), *map(IncidentKind, kind))
        except (ValueError, TypeError):
            incident = None
        if incident is None or not partner_id or incident.start_ms >= incident.end_ms:
            msg = f"not an incident: {text!r} (write partner:start_seconds:end_seconds:degrade)"
            raise ValueError(msg)
        return incident


class Script:
    """The trouble of a simulation; `begin` and `end` take effect on the contacts that arrive from then on."""

    def __init__(self, incidents: tuple[Incident, ...] = ()) -> None:
        self._incidents = incidents
        self._open: dict[str, IncidentKind] = {}

    def begin(self, partner_id: str, kind: IncidentKind = IncidentKind.DEGRADE) -> None:
        """Let trouble begin now."""
        self._open[partner_id] = kind

    def end(self, partner_id: str) -> None:
        """Let the trouble that was begun end now."""
        self._open.pop(partner_id, None)

    def trouble(self, partner_id: str, at_ms: int) -> Trouble:
        """What a contact that arrives at `at_ms` meets."""
        kind = self._open.get(partner_id)
        for incident in self._incidents:
            if incident.partner_id == partner_id and incident.start_ms <= at_ms < incident.end_ms:
                kind = incident.kind
        return ORDINARY if kind is None else TROUBLES[kind]
