"""What `outwatch.policies` tells of storms, all partitions: on which source each partner is, and how many are one. Pure."""

from collections.abc import Mapping
from urllib.parse import unquote

from pydantic import ValidationError

from models.operation import PolicyRecord
from models.policy_record import CURRENT
from models.policy_spec import STORM_PARTNERS
from models.topics import BROADCAST

__all__ = ["Partners"]


class Partners:
    """Those whose policy names a source, as it holds now."""

    def __init__(self) -> None:
        self._sources: dict[str, str] = {}
        self.storm_min = STORM_PARTNERS
        """So many partners with one rule are a storm; 0: there are none."""

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
            part = PolicyRecord.model_validate_json(value).part
        except ValidationError:
            return False
        if partner == BROADCAST:
            said = part.get("storm_partners", STORM_PARTNERS)
            self.storm_min = said if isinstance(said, int) else self.storm_min
            return True
        source = part.get("source")
        if isinstance(source, str):
            self._sources[partner] = source
        else:
            self._sources.pop(partner, None)
        return True
