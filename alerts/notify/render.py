"""A notification for its receiver, whichever type that is, and what the receiver's answer means."""

from typing import assert_never

from alerts.notify import alertmanager, mail, pagerduty, slack, teams, webhook
from alerts.notify.request import Answer, Circumstances, Letter, Request, Verdict, judge
from models.notifications import Notification
from models.receivers import (
    AlertmanagerReceiver,
    MailReceiver,
    PagerDutyReceiver,
    Receiver,
    SlackReceiver,
    TeamsReceiver,
    WebhookReceiver,
)

__all__ = ["read_answer", "render", "secrets_of"]


def secrets_of(receiver: Receiver) -> tuple[str, ...]:
    """The names of the secrets that a page to it is made with."""
    match receiver:
        case PagerDutyReceiver():
            return (receiver.routing_key,)
        case AlertmanagerReceiver():
            return () if receiver.bearer is None else (receiver.bearer,)
        case SlackReceiver():
            return (receiver.token,)
        case TeamsReceiver():
            return (receiver.webhook,)
        case WebhookReceiver():
            return () if receiver.signing is None else (receiver.signing,)
        case MailReceiver():
            return ()
        case _:
            assert_never(receiver)


def render(notification: Notification, with_: Circumstances) -> Request | Letter:
    """What is to be sent."""
    receiver = notification.receiver
    match receiver:
        case PagerDutyReceiver():
            return pagerduty.render(notification, receiver, with_)
        case AlertmanagerReceiver():
            return alertmanager.render(notification, receiver, with_)
        case SlackReceiver():
            return slack.render(notification, receiver, with_)
        case TeamsReceiver():
            return teams.render(notification, receiver, with_)
        case WebhookReceiver():
            return webhook.render(notification, receiver, with_)
        case MailReceiver():
            return mail.render(notification, receiver, with_)
        case _:
            assert_never(receiver)


def read_answer(receiver: Receiver, answer: Answer, now_ms: int) -> Verdict:
    """What an HTTP answer of the receiver means."""
    return slack.read_answer(answer, now_ms) if isinstance(receiver, SlackReceiver) else judge(answer, now_ms)
