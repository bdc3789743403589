"""Where a page can go, as a policy says it: pagers, chats, mail and webhooks.

A receiver never holds a secret, only its name: a file of that name in the notifier's folder of secrets holds it, so that neither a
topic nor a record nor a log can show it.
"""

from collections.abc import Collection, Iterator, Sequence
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from models.finding import Finding
from models.policy_types import Name

__all__ = [
    "RECEIVERS",
    "AlertmanagerReceiver",
    "MailReceiver",
    "PagerDutyReceiver",
    "Receiver",
    "ReceiverId",
    "SecretName",
    "SlackReceiver",
    "TeamsReceiver",
    "WebhookReceiver",
    "is_read",
    "lint_receivers",
]

ReceiverId = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
SecretName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
"""The name of a file in the folder of secrets."""
Url = Annotated[str, Field(pattern=r"^https?://[^\s@]+$", max_length=1000)]
Address = Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$", max_length=254)]


class _Receiver(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)

    id: ReceiverId
    partner: Name | None = None
    """Whose it is, if it is on a partner's side: it is told of that partner alone, and never of the client's money."""


class PagerDutyReceiver(_Receiver):
    """A service of PagerDuty, by Events v2."""

    type: Literal["pagerduty"]
    routing_key: SecretName
    url: Url = "https://events.pagerduty.com/v2/enqueue"


class AlertmanagerReceiver(_Receiver):
    """An Alertmanager: its alerts are posted again every minute while they are open."""

    type: Literal["alertmanager"]
    url: Url
    """Its base, such as http://alertmanager:9093."""
    bearer: SecretName | None = None


class SlackReceiver(_Receiver):
    """A channel of Slack; an incident keeps to one thread."""

    type: Literal["slack"]
    channel: Annotated[str, Field(pattern=r"^[CGD][A-Z0-9]{2,20}$")]
    """Its id, such as C0123456789."""
    token: SecretName
    """Of a bot that may write there (chat:write)."""
    url: Url = "https://slack.com/api/chat.postMessage"


class TeamsReceiver(_Receiver):
    """A channel of Teams, by a Workflows webhook."""

    type: Literal["teams"]
    webhook: SecretName
    """Holds the address, which is itself the secret."""


class MailReceiver(_Receiver):
    """Addresses, by the notifier's mail server."""

    type: Literal["mail"]
    to: Annotated[tuple[Address, ...], Field(min_length=1, max_length=50)]


class WebhookReceiver(_Receiver):
    """A server of yours, signed as Standard Webhooks say; with `shape: alertmanager` in the form of an Alertmanager's webhook."""

    type: Literal["webhook"]
    url: Url
    signing: SecretName | None = None
    """`whsec_` and base64, or plain bytes."""
    shape: Literal["outwatch", "alertmanager"] = "outwatch"


Receiver = Annotated[
    PagerDutyReceiver | AlertmanagerReceiver | SlackReceiver | TeamsReceiver | MailReceiver | WebhookReceiver,
    Field(discriminator="type"),
]

RECEIVERS: Final[dict[str, type[BaseModel]]] = {
    "pagerduty": PagerDutyReceiver,
    "alertmanager": AlertmanagerReceiver,
    "slack": SlackReceiver,
    "teams": TeamsReceiver,
    "mail": MailReceiver,
    "webhook": WebhookReceiver,
}
"""By the type that a file names."""


def lint_receivers(receivers: Sequence[Receiver | None], partner_ids: Collection[str]) -> Iterator[Finding]:
    """What is wrong with receivers by their position in the file; None where one does not read."""
    seen: set[str] = set()
    for at, each in enumerate(receivers):
        if each is None:
            continue
        if each.id in seen:
            yield Finding(("receivers", at, "id"), f"{each.id!r} is there already", "give each receiver its own id")
        seen.add(each.id)
        if each.partner is not None and each.partner not in partner_ids:
            message = f"{each.partner!r} is no partner of this file"
            yield Finding(("receivers", at, "partner"), message, "name it under partners, or remove it here")


def is_read(receiver: Receiver) -> bool:
    """Whether somebody reads what comes there; what keeps alerts would open one that nothing ends."""
    return not isinstance(receiver, PagerDutyReceiver | AlertmanagerReceiver) and not (
        isinstance(receiver, WebhookReceiver) and receiver.shape == "alertmanager"
    )
