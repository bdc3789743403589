"""The house that the browser tests look at: so many partners, how each of them does, and the policy that they are held to. Pure."""

from collections.abc import Sequence
from enum import StrEnum
from functools import cached_property
from importlib.resources import files
from random import Random
from typing import Final, NamedTuple

from models.definitions import Definition
from models.policy_file import load
from models.policy_spec import PartnerPart, PolicyFile
from models.rule_forms import BalanceSpec
from models.rule_silence import SilenceSpec
from models.windows import MINUTE_MS

__all__ = ["SILENT_SOURCE", "Doing", "House", "Partner"]

SILENT_SOURCE: Final = "dialler-2"
"""What brings the contacts of those partners whose feed is silent."""


class Doing(StrEnum):
    """How a partner does."""

    FINE = "fine"
    CRITICAL = "critical"
    WARNING = "warning"
    HASTY = "hasty"
    """On target, and its customers are not content: a rule of balance fires."""
    QUIET = "quiet"
    """Too few contacts to judge."""
    SILENT = "silent"
    """Nothing comes, not even that its source lives."""
    NO_DATA = "no_data"
    """The policy names it, and nothing ever came."""
    UNKNOWN = "unknown"
    """No policy names it."""
    PENDING = "pending"
    RECOVERING = "recovering"


# A calm day: three quarters are fine, and every other state is there at least once among the first thirty.
_DOING: Final = {
    0: Doing.CRITICAL,
    3: Doing.WARNING,
    5: Doing.HASTY,
    8: Doing.QUIET,
    9: Doing.CRITICAL,
    11: Doing.SILENT,
    14: Doing.NO_DATA,
    17: Doing.RECOVERING,
    19: Doing.UNKNOWN,
    22: Doing.PENDING,
    26: Doing.WARNING,
    31: Doing.CRITICAL,
    38: Doing.WARNING,
}
_EVERY: Final = 67

_FIRST: Final = (
    "Acme Boreal Cascade Delta Evergreen Fabrikam Globex Hooli Initech Juniper Kestrel Lumen Mariner Nimbus Orchid Pelican Quarry Rowan"
)
_LAST: Final = "Care Contact Support Assist Desk Voice Line Reach CX BPO Answer Service"
_ZONES: Final = "Europe/Lisbon Europe/Helsinki America/Bogota Asia/Manila Africa/Johannesburg Europe/Paris Asia/Kolkata America/Sao_Paulo"


class Partner(NamedTuple):
    """A partner of the house."""

    number: int
    id: str
    name: str
    doing: Doing
    zone: str
    per_minute: float
    """Contacts, at its busiest."""
    level: float
    """Its usual service level."""
    began_ms: int
    """Since when it does what it does; before, it was fine."""

    @property
    def has_figures(self) -> bool:
        """Whether anything ever came of it."""
        return self.doing is not Doing.NO_DATA


class House:
    """So many partners at a moment: the same for the same arguments.

    Args:
        partners: how many.
        at_ms: when it is looked at, wall time.
        only: the first of them alone who does each of these.
    """

    def __init__(self, partners: int, at_ms: int, only: Sequence[Doing] | None = None) -> None:
        self.at_ms = at_ms
        found = tuple(_partner(number, at_ms) for number in range(partners))
        firsts = {partner.doing: partner for partner in reversed(found)}
        self.partners = found if only is None else tuple(firsts[doing] for doing in only)

    @cached_property
    def policy(self) -> PolicyFile:
        """The example policy, with these partners and two rules that it does not have."""
        named = "example_policy.yaml"
        example = load(files("models").joinpath(named).read_text(), named)
        more = (
            BalanceSpec.model_validate(
                {"id": "pace_over_quality", "type": "balance", "efficiency": "aht", "quality": "csat", "window": "24h"}
            ),
            SilenceSpec(id="feed_silent", type="feed_silence", owner="realtime desk"),
        )
        own = tuple(_part(each, example) for each in self.partners if each.doing is not Doing.UNKNOWN)
        return example.model_copy(update={"partners": own, "rules": (*example.rules, *more)})

    def definition(self, partner: Partner) -> Definition:
        """Under which its figures are counted."""
        return Definition() if partner.doing is Doing.UNKNOWN else self.policy.defaults.definition


def _partner(number: int, at_ms: int) -> Partner:
    first, last, zones = _FIRST.split(), _LAST.split(), _ZONES.split()
    series, at = divmod(number, len(first))
    draw = Random(number)
    doing = _DOING.get(number % _EVERY, Doing.FINE)
    return Partner(
        number=number,
        id=first[at].lower() if series == 0 else f"{first[at].lower()}-{series + 1}",
        name=f"{first[at]} {last[(at + series) % len(last)]}",
        doing=doing,
        zone=zones[number % len(zones)],
        per_minute=0.5 if doing is Doing.QUIET else draw.uniform(4, 30),
        level=draw.uniform(0.88, 0.96),
        began_ms=at_ms - draw.randrange(30, 110) * MINUTE_MS,
    )


def _part(partner: Partner, example: PolicyFile) -> PartnerPart:
    known = {each.id: each for each in example.partners}.get(partner.id, PartnerPart(id=partner.id, name=partner.name))
    said = {"name": partner.name, "timezone": partner.zone, **({"source": SILENT_SOURCE} if partner.doing is Doing.SILENT else {})}
    return PartnerPart.model_validate(known.model_dump(by_alias=True, exclude_unset=True) | said)
