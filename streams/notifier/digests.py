"""Digests: what is told together in one message with the count. Pure.

A person gets at most so many pages in ten minutes; what would come beyond waits for a digest, and so does what is old and over.
"""

from collections import deque
from collections.abc import Sequence
from typing import Final, NamedTuple
from uuid import UUID, uuid5

from alerts.notify.text import moment
from models.notifications import Fact, Notification, NotifyReason
from streams.notifier.lanes import Intent

__all__ = ["PAGES_MAX", "PAGES_SPAN_MS", "Digest", "Digests", "Pages", "page_of"]

PAGES_MAX: Final = 5
PAGES_SPAN_MS: Final = 10 * 60_000
GATHER_MS: Final = 60_000
"""From its first line on."""
LINES_MAX: Final = 20
"""Shown; the rest is counted."""

_NAMES: Final = UUID("3f0f2b7e-7a0e-4f5a-9d52-6f8a4a4b6a01")

Reader = tuple[str | None, str]
"""A person, and the receiver by which that is told."""


def page_of(notification: Notification) -> str:
    """What counts as one page of a person, by however many receivers it is told."""
    return f"{notification.incident}/{notification.epoch}/{notification.loop}/{notification.step}"


class Pages:
    """When each person was paged of late."""

    def __init__(self) -> None:
        self._of: dict[str, deque[tuple[int, str]]] = {}

    def admit(self, person: str, page: str, now_ms: int) -> bool:
        """Whether a page may go out now; it counts if it may."""
        self._of = {each: pages for each, pages in self._of.items() if pages[-1][0] > now_ms - PAGES_SPAN_MS}
        held = self._of.setdefault(person, deque())
        while held and held[0][0] <= now_ms - PAGES_SPAN_MS:
            held.popleft()
        if any(page == each for _, each in held):
            return True
        if len(held) >= PAGES_MAX:
            return False
        held.append((now_ms, page))
        return True


class Digest(NamedTuple):
    """A message, and what it tells of."""

    notification: Notification
    intents: Sequence[Intent]
    reader: Reader


class Digests:
    """What waits to be told together."""

    def __init__(self) -> None:
        self._waiting: dict[Reader, tuple[int, list[Intent]]] = {}
        self._told_ms: dict[Reader, int] = {}

    def add(self, intent: Intent, now_ms: int) -> None:
        """It is to be a line."""
        reader = (intent.notification.target.person, intent.notification.receiver.id)
        due_ms = max(now_ms + GATHER_MS, self._told_ms.get(reader, 0) + PAGES_SPAN_MS)
        self._waiting.setdefault(reader, (due_ms, []))[1].append(intent)

    def next_due_ms(self) -> int | None:
        """When the next is to be told; None: nothing waits."""
        return min((due_ms for due_ms, _ in self._waiting.values()), default=None)

    def take(self, now_ms: int) -> list[Digest]:
        """Those that are due."""
        due = [reader for reader, (due_ms, _) in self._waiting.items() if due_ms <= now_ms]
        made = []
        for reader in due:
            intents = self._waiting.pop(reader)[1]
            made.append(Digest(_digest(intents, now_ms), intents, reader))
        return made

    def told(self, digest: Digest, now_ms: int) -> None:
        """It went out: the next of this reader waits."""
        self._told_ms = {reader: at_ms for reader, at_ms in self._told_ms.items() if at_ms > now_ms - PAGES_SPAN_MS}
        self._told_ms[digest.reader] = now_ms

    def keep(self, held: Sequence[Intent]) -> None:
        """Forget all others, which are another's now."""
        kept = set(map(id, held))
        for reader, (due_ms, intents) in [*self._waiting.items()]:
            ours = [intent for intent in intents if id(intent) in kept]
            self._waiting[reader] = (due_ms, ours)
            if not ours:
                del self._waiting[reader]

    def give_way(self, number: int) -> list[Intent]:
        """Let so many go, the oldest first; fewer if fewer wait."""
        ordered = sorted(self.waiting(), key=lambda intent: intent.notification.processed_at)
        self.keep(ordered[number:])
        return ordered[:number]

    def waiting(self) -> list[Intent]:
        """Everything that is to be a line."""
        return [intent for _, intents in self._waiting.values() for intent in intents]


def _digest(intents: Sequence[Intent], now_ms: int) -> Notification:
    pages = [intent.notification for intent in intents]
    first, last = pages[0], pages[-1]
    lines = [Fact(name=f"{moment(page.opened_at)} {page.severity}", value=page.text) for page in pages[:LINES_MAX]]
    if pages[LINES_MAX:]:
        lines.append(Fact(name="and more", value=str(len(pages) - LINES_MAX)))
    partners = len({page.partner for page in pages})
    identity = uuid5(_NAMES, " ".join(page.id for page in pages))
    return last.model_copy(
        update={
            "id": str(identity),
            "incident": str(identity),
            "kind": "trigger",
            "reason": NotifyReason.DIGEST,
            "severity": "critical" if any(page.severity == "critical" for page in pages) else "warning",
            "text": f"{len(pages)} more pages of {partners} partner{'s' * (partners > 1)} were held back: see outwatch incident list",
            "facts": tuple(lines),
            "members": len(pages),
            "runbook": None,
            "suggested_action": None,
            "labels": {"rule": "digest"},
            "opened_at": first.opened_at,
            "ended_at": None,
            "receipt": None,
            "late": False,
            "processed_at": now_ms,
        }
    )
