"""How long each topic keeps what: the table of `docs/data-protection.md`. `python -m models.retention` writes it, a test holds it."""

from pathlib import Path
from typing import Final

from models.readme import fill
from models.settings import Settings
from models.topics import Topics

__all__ = ["DOCUMENT", "filled"]

DOCUMENT: Final = Path(__file__).parent.parent / "docs" / "data-protection.md"

_DAY_MS: Final = 86_400_000


def _customers() -> dict[str, str]:
    """What stands of customers in a topic; in those that are not named, nothing."""
    topics = Topics()
    events = "`customer_key`, `contact_id`, `comment`, and whatever else the producer sends"
    letters = "the whole event; under `OUTWATCH_DEAD_LETTER_MASK` without what is personal, where it is JSON"
    changelog = topics.changelog(str(Settings.model_fields["app_id"].default))
    return {
        **dict.fromkeys(topics.sources, events),
        topics.dead_letters: letters,
        topics.late: letters,
        changelog: "`contact_id` while a contact waits, or 15 minutes where its end came first; of a ticket while it is open (90 days"
        " unless the policy says otherwise), and 48 hours after the last that was heard of it; 64-bit hashes of `event_id` for 15 minutes,"
        " and of the `contact_id` of contact records for 48 hours; where a definition has a repeat window, hashes of the `customer_key` and"
        " chain of handled contacts for that long, 48 hours and a day",
        topics.commands: "nothing of customers; who of the staff asked for what",
        topics.incidents: "nothing of customers; who of the staff was told, looks after or commented what, and their addresses",
        topics.notifications: "nothing of customers; who of the staff is told what, and their addresses",
        topics.alerts_state: "nothing of customers; who of the staff silences, looks after or commented what, or is on call for another",
    }


def _table() -> str:
    lines = ["| topic | kept for | of customers |", "| --- | --- | --- |"]
    held = _customers()
    for spec in Topics().specs(str(Settings.model_fields["app_id"].default)):
        days = None if spec.retention_ms is None else spec.retention_ms // _DAY_MS
        kept = "the newest of each key" if days is None else "1 day" if days == 1 else f"{days} days"
        lines.append(f"| `{spec.name}` | {kept} | {held.get(spec.name, 'nothing')} |")
    return "\n".join(lines) + "\n"


def filled(text: str) -> str:
    """The document `text` with its table written anew."""
    return fill(text, {"retention": _table()})


if __name__ == "__main__":
    DOCUMENT.write_text(filled(DOCUMENT.read_text()))
