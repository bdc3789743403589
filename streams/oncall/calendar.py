"""Who takes turns, and who is on call in another's place: of a policy file, or of what the topics hold now."""

from collections.abc import Iterable
from dataclasses import dataclass

import orjson

from models.notices import OVERRIDE, OverrideState, notice_key
from models.oncall import Rotation, compile_rotation
from models.people import PersonSpec
from models.policy_spec import PolicyFile, SharedPart
from models.rotations import RotationSpec
from models.settings import Settings
from streams.policies import read_policies
from streams.policy_history import current
from streams.present import Present, read_present

__all__ = ["Calendar", "calendar_of", "overrides_of", "read_calendar"]


@dataclass(frozen=True, slots=True)
class Calendar:
    """People and rotations by id."""

    people: dict[str, PersonSpec]
    specs: dict[str, RotationSpec]
    rotations: dict[str, Rotation]
    overrides: tuple[OverrideState, ...] = ()

    def names(self, people: Iterable[str]) -> str:
        """What people are called; by their id where no policy names them."""
        return ", ".join(self.people[each].name if each in self.people else each for each in people)


def calendar_of(policy: PolicyFile | SharedPart, overrides: tuple[OverrideState, ...] = ()) -> Calendar:
    """That of a policy."""
    specs = {each.id: each for each in policy.rotations}
    rotations = {each.id: compile_rotation(each) for each in policy.rotations}
    return Calendar({each.id: each for each in policy.people}, specs, rotations, overrides)


def overrides_of(present: Present) -> tuple[OverrideState, ...]:
    """The overrides among what stands beside the alerts."""
    beginning = notice_key(OVERRIDE, "").encode()
    found = [OverrideState.model_validate(orjson.loads(value)) for (_, key), value in present.items() if key.startswith(beginning)]
    return tuple(sorted(found, key=lambda each: (each.from_, each.id)))


async def read_calendar(settings: Settings) -> Calendar:
    """That of the policy that holds, with the overrides.

    Raises:
        TopicsError: if a topic is not as it must be.
        PolicyError: if what was applied does not read.
        aiokafka.errors.KafkaError: if Kafka cannot be reached.
    """
    parts = [each.part for each in current(await read_policies(settings))]
    shared = next((each for each in parts if isinstance(each, SharedPart)), SharedPart())
    return calendar_of(shared, overrides_of(await read_present(settings, settings.topics.alerts_state)))
