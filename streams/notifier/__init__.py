"""The notifier: carries intents of `outwatch.notifications` to pagers, chats, mail and webhooks, and what comes back to the engines."""

from streams.notifier.notifier import run_notifier

__all__ = ["run_notifier"]
