"""The policies that hold in one partition number: the last good shared part and partners' parts, kept as rows of the state."""

from collections.abc import Iterator
from typing import Any

from models.policy import DEFAULT_SHARED, PartnerPart, PartnerPolicy, SharedPart, compile_partner
from models.policy_record import PolicyChange
from models.policy_spec import to_json
from models.topics import BROADCAST
from streams.engine import rows

__all__ = ["Policies"]


class Policies:
    """A part holds once it was taken; what it changes for partners is the engine's to spread."""

    def __init__(self) -> None:
        self._shared: SharedPart = DEFAULT_SHARED
        self._parts: dict[str, PartnerPart] = {}
        self._changed: set[str] = set()

    def take(self, change: PolicyChange) -> bool:
        """Take what a record says; true if something became current."""
        if not change.current:
            return False
        if isinstance(change.part, SharedPart):
            self._shared = change.part
        elif isinstance(change.part, PartnerPart):
            self._parts[change.partner] = change.part
        elif change.partner == BROADCAST:
            self._shared = DEFAULT_SHARED
        else:
            self._parts.pop(change.partner, None)
        self._changed.add(change.partner)
        return True

    def of(self, partner_id: str) -> PartnerPolicy:
        """What holds for a partner now."""
        return compile_partner(self._shared, self._parts.get(partner_id), partner_id)

    @property
    def settle_ms(self) -> int:
        """The shared time that a grid point waits for stragglers."""
        return round(self._shared.settle_seconds * 1000)

    @property
    def partner_ids(self) -> list[str]:
        """The partners that have a part here."""
        return sorted(self._parts)

    def drain(self) -> Iterator[tuple[bytes, bytes | None]]:
        """The rows that changed since the last call."""
        for partner in sorted(self._changed):
            part = self._shared if partner == BROADCAST else self._parts.get(partner)
            yield rows.key("policy", partner), None if part is None else rows.pack(to_json(part))
        self._changed.clear()

    def load(self, partner: str, part: dict[str, Any]) -> None:
        """Take a stored row."""
        if partner == BROADCAST:
            self._shared = SharedPart.model_validate(part)
        else:
            self._parts[partner] = PartnerPart.model_validate(part)
