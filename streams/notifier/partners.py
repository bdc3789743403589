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

    def put(self, key: bytes, value: bytes | None) -> None:
        """Take a record; None under the current key is a partner that left. What cannot be read changes nothing, as in a worker."""
        name, _, last = key.decode(errors="replace").rpartition("/")
        if last != CURRENT:
            return
        partner = unquote(name)
        if value is None:
            self._sources.pop(partner, None)
            return
        try:
            source = PolicyRecord.model_validate_json(value).part.get("source")
        except ValidationError:
            return
        if isinstance(source, str):
            self._sources[partner] = source
        else:
            self._sources.pop(partner, None)
