"""The policies as the view holds them, compiled once for as long as they stand."""

from typing import Final, NamedTuple, TypeVar

from pydantic import ValidationError

from desk.errors import Refusal, UnavailableError
from desk.view import Look, Read
from models.policy import DEFAULT_SHARED, PartnerPart, PartnerPolicy, SharedPart, compile_partner
from models.topics import BROADCAST

__all__ = ["Policies"]

_HELD_MAX: Final = 2_000


_Part = TypeVar("_Part", SharedPart, PartnerPart)


class _Held(NamedTuple):
    shared: bytes
    own: bytes
    policy: PartnerPolicy


class Policies:
    """Compiles what is asked for; of more than 2,000 partners it forgets."""

    def __init__(self) -> None:
        self._shared: tuple[bytes, SharedPart] = (b"", DEFAULT_SHARED)
        self._held: dict[str, _Held] = {}

    def shared(self, look: Look) -> SharedPart:
        """What holds for every partner.

        Raises:
            UnavailableError: if a newer release wrote it.
        """
        read = look.policies.get(BROADCAST)
        if read is None:
            return DEFAULT_SHARED
        if self._shared[0] != read.raw:
            self._shared = (read.raw, _part(SharedPart, read))
        return self._shared[1]

    def of(self, partner: str, look: Look) -> PartnerPolicy:
        """A partner's, also of one that no policy names.

        Raises:
            UnavailableError: if a newer release wrote it.
        """
        shared, own = look.policies.get(BROADCAST), look.policies.get(partner)
        raw = b"" if shared is None else shared.raw, b"" if own is None else own.raw
        held = self._held.get(partner)
        if held is None or held[:2] != raw:
            part = None if own is None else _part(PartnerPart, own)
            if len(self._held) >= _HELD_MAX:
                self._held.clear()
            held = self._held[partner] = _Held(*raw, compile_partner(self.shared(look), part, partner))
        return held.policy


def _part(model: type[_Part], read: Read) -> _Part:
    try:
        return model.model_validate(read.body["part"])
    except ValidationError as error:
        msg = f"the policy was written by another release than this desk is of: {error.error_count()} fields do not read"
        raise UnavailableError(Refusal.NO_VIEW, msg) from error
