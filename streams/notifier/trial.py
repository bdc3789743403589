"""A test page: sent directly, with the answer shown; nothing of it goes by Kafka or Redis."""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple
from uuid import UUID, uuid5

from alerts.notify.request import Verdict
from models.errors import OutwatchError
from models.notifications import Notification, NotifyReason, Target
from models.people import receivers_of
from models.policy_spec import SharedPart
from models.receivers import Receiver
from models.settings import Settings
from models.yaml_file import suggest
from streams.notifier.secrets import SecretsFolder
from streams.notifier.sender import Sender

__all__ = ["NoTargetError", "Tried", "marked_page", "meant", "send_test"]

_NAMES: Final = UUID("8a7a5a0c-6a0b-4f6e-8a52-4b0c9b8f1f60")


class NoTargetError(OutwatchError):
    """Raised when a policy names no such receiver or person, or a person whom nothing reaches."""


class Tried(NamedTuple):
    """A receiver, and what it answered."""

    receiver: Receiver
    verdict: Verdict


def meant(shared: SharedPart, name: str) -> tuple[Target, tuple[Receiver, ...]]:
    """A receiver, or a person by all that reaches her.

    Raises:
        NoTargetError: if there is none.
    """
    receivers = {each.id: each for each in shared.receivers}
    people = {each.id: each for each in shared.people}
    if name in receivers:
        return Target(kind="receiver", id=name), (receivers[name],)
    if name not in people:
        remedy = suggest(name, [*receivers, *people]) if receivers or people else "add receivers: or people:"
        msg = f"the policy names no receiver and no person {name!r} ({remedy})"
        raise NoTargetError(msg)
    found = receivers_of(people[name], receivers)
    if not found:
        msg = f"nothing reaches {name} (add reach: with mail or receivers)"
        raise NoTargetError(msg)
    return Target(kind="person", id=name, person=name), found


def marked_page(target: Target, receiver: Receiver, actor: str, now_ms: int) -> Notification:
    """A page that says that it is a test."""
    identity = str(uuid5(_NAMES, f"{target.id}/{receiver.id}/{now_ms}"))
    return Notification(
        id=identity,
        incident=identity,
        partner=receiver.partner or "test",
        epoch=0,
        loop=0,
        step=0,
        kind="trigger",
        reason=NotifyReason.TEST,
        target=target,
        receiver=receiver,
        side="client" if receiver.partner is None else "partner",
        severity="warning",
        text=f"outwatch: a test page for {target.id} by {receiver.id}, sent by {actor}. Nothing is wrong."[:200],
        members=0,
        labels={"rule": "test"},
        opened_at=now_ms,
        late=False,
        processed_at=now_ms,
    )


async def send_test(settings: Settings, shared: SharedPart, name: str, actor: str, now_ms: Callable[[], int]) -> Sequence[Tried]:
    """Send a test page once by each receiver that is meant.

    Raises:
        NoTargetError: if there is none.
    """
    target, receivers = meant(shared, name)
    async with Sender(settings, SecretsFolder(settings.secrets_dir), now_ms) as sender:
        return [Tried(each, await sender.once(marked_page(target, each, actor, now_ms()), None)) for each in receivers]
