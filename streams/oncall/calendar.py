"""Who takes turns, and who is on call in another's place: of a policy file, or of what the topics hold now."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import orjson

from models.escalation import EscalationSpec
from models.incidents import Happening, IncidentState
from models.notices import OVERRIDE, OverrideState, notice_key
from models.oncall import Rotation, compile_rotation
from models.people import Contacts, PersonSpec
from models.policy_spec import PartnerPart, PolicyFile, SharedPart
from models.receivers import Receiver
from models.rotations import RotationSpec
from models.settings import Settings
from streams.policies import read_policies
from streams.policy_history import current
from streams.present import Present, read_present

__all__ = ["Calendar", "calendar_of", "overrides_of", "read_calendar", "read_incidents"]


@dataclass(frozen=True, slots=True)
class Calendar:
    """People and rotations by id."""

    people: dict[str, PersonSpec]
    specs: dict[str, RotationSpec]
    rotations: dict[str, Rotation]
    overrides: tuple[OverrideState, ...] = ()
    escalations: tuple[EscalationSpec, ...] = ()
    contacts: Mapping[str, Contacts] = field(default_factory=dict)
    """By partner."""
    receivers: Mapping[str, Receiver] = field(default_factory=dict)

    def names(self, people: Iterable[str]) -> str:
        """What people are called; by their id where no policy names them."""
        return ", ".join(self.people[each].name if each in self.people else each for each in people)


def calendar_of(policy: PolicyFile | SharedPart, partners: Iterable[PartnerPart], overrides: tuple[OverrideState, ...] = ()) -> Calendar:
    """That of a policy."""
    specs = {each.id: each for each in policy.rotations}
    people = {each.id: each.partner for each in policy.people}
    rotations = {each.id: compile_rotation(each, people) for each in policy.rotations}
    contacts = {each.id: each.contacts for each in partners}
    receivers = {each.id: each for each in policy.receivers}
    return Calendar({each.id: each for each in policy.people}, specs, rotations, overrides, policy.escalations, contacts, receivers)


def overrides_of(present: Present) -> tuple[OverrideState, ...]:
    """The overrides among what stands beside the alerts."""
    beginning = notice_key(OVERRIDE, "").encode()
    found = [OverrideState.model_validate(orjson.loads(value)) for (_, key), value in present.items() if key.startswith(beginning)]
    return tuple(sorted(found, key=lambda each: (each.from_, each.id)))


async def read_calendar(settings: Settings) -> Calendar:
    """That of the policy that holds, with the overrides; made beside the loop, which a large policy would stop.

    Raises:
        TopicsError: if a topic is not as it must be.
        PolicyError: if what was applied does not read.
        aiokafka.errors.KafkaError: if Kafka cannot be reached.
    """
    stored, present = await read_policies(settings), await read_present(settings, settings.topics.alerts_state)

    def made() -> Calendar:
        parts = [each.part for each in current(stored)]
        shared = next((each for each in parts if isinstance(each, SharedPart)), SharedPart())
        return calendar_of(shared, [each for each in parts if isinstance(each, PartnerPart)], overrides_of(present))

    return await asyncio.to_thread(made)


async def read_incidents(settings: Settings) -> list[IncidentState]:
    """The incidents that are open, or ended within 8 days, as far as reports of shifts look at them; read beside the loop.

    5,000 of them would stop it for a second; held whole, for 0.2 s at each collection of garbage.

    Raises:
        TopicsError: if the topic is not as it must be.
        aiokafka.errors.KafkaError: if Kafka cannot be reached.
    """
    present = await read_present(settings, settings.topics.incidents)
    return await asyncio.to_thread(lambda: [_reported(value) for value in present.values()])


def _reported(value: bytes) -> IncidentState:
    state = IncidentState.model_validate_json(value)
    taken = tuple(each for each in state.timeline if each.what is Happening.ACKNOWLEDGED)
    told = tuple(each for each in state.told if each.target.kind == "rotation")
    return state.model_copy(update={"members": (), "timeline": taken, "told": told})
