"""Mail: plain text and simple HTML. The mails of an incident are one thread, since all answer to the same made-up first one.

A mail that is sent twice has the same Message-ID, which most mailboxes show once. Source: RFC 5322, RFC 3834 (Auto-Submitted).
"""

from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate
from html import escape
from typing import Final

from alerts.notify.page import details, link, title
from alerts.notify.request import Circumstances, Letter
from alerts.notify.text import cut, one_line
from models.notifications import Notification
from models.receivers import MailReceiver

__all__ = ["SUBJECT_MAX", "render"]

SUBJECT_MAX: Final = 200
_VALUE_MAX: Final = 2000


def render(notification: Notification, receiver: MailReceiver, with_: Circumstances) -> Letter:
    """The mail."""
    domain = with_.sender.rpartition("@")[2]
    thread = f"<{notification.incident}@{domain}>"
    message = EmailMessage(policy=SMTP)
    message["Subject"] = cut(_printable(title(notification)), SUBJECT_MAX)
    message["From"] = Address("outwatch", addr_spec=with_.sender)
    message["To"] = ", ".join(receiver.to)
    message["Date"] = formatdate(with_.now_ms / 1000)
    message["Message-ID"] = f"<{notification.id}@{domain}>"
    message["In-Reply-To"] = message["References"] = thread
    message["Auto-Submitted"] = "auto-generated"
    if notification.kind == "trigger" and notification.severity == "critical":
        message["Importance"] = "high"
    shown = {one_line(name): cut(value, _VALUE_MAX) for name, value in details(notification).items()}
    lines = [notification.text, "", *(f"{name}: {value}" for name, value in shown.items())]
    message.set_content("\n".join(map(_lines, lines)) + "\n")
    message.add_alternative(_html(notification, shown), subtype="html")
    return Letter(message, receiver.to)


def _html(notification: Notification, shown: dict[str, str]) -> str:
    rows = "".join(
        f'<tr><th align="left">{escape(_printable(name))}</th><td>{escape(_lines(value))}</td></tr>' for name, value in shown.items()
    )
    runbook = link(notification)
    linked = "" if runbook is None else f'<p><a href="{escape(runbook)}">Runbook</a></p>'
    return f"<p><b>{escape(_lines(title(notification)))}</b></p><table>{rows}</table>{linked}"


def _lines(text: str) -> str:
    """Without control characters, which a mail does not carry; line breaks are kept."""
    return "\n".join(_printable(line) for line in text.splitlines())


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)
