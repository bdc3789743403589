"""Partners as `outwatch.policies` tells them, all partitions: on which source each is, for storms. Pure."""

from collections.abc import Mapping
from urllib.parse import unquote

from pydantic import ValidationError

from models.operation import PolicyRecord
from models.policy_record import CURRENT

__all__ = ["Partners"]


class Partners:
    """Those whose policy names a source, as it holds now."""

    def __init__(self) -> None:
        self._sources: dict[str, str] = {}

    @property
    def sources(self) -> Mapping[str, str]:
        """By partner, the name of its source."""
        return self._sources

    def put(self, key: bytes, value: bytes | None) -> bool:
        """Take a record, of which None under the current key is a partner that left; False if it makes no sense, which changes nothing."""
        name, _, last = key.decode(errors="replace").rpartition("/")
        if last != CURRENT:
            return True
        partner = unquote(name)
        if value is None:
            self._sources.pop(partner, None)
            return True
        try:
            source = PolicyRecord.model_validate_json(value).part.get("source")
        except ValidationError:
            return False
        if isinstance(source, str):
            self._sources[partner] = source
        else:
            self._sources.pop(partner, None)
        return True
