"""What an audit found, as a table for a person."""

from collections.abc import Sequence

from rich.table import Table

from alerts.audit.breach import PROMISES, AuditReason, Breach
from alerts.audit.page import by_reason
from alerts.notify.text import moment

__all__ = ["audit_screen"]

_SHOWN = 5


def audit_screen(found: Sequence[Breach]) -> Table:
    """A row for each thing that must be true; nothing is known of the others while the topics cannot be read."""
    split = by_reason(found)
    unknown = "unknown" if AuditReason.BLIND in split else "holds"
    table = Table(show_lines=False)
    for title in ("it must hold that", "", "since (UTC)", "what does not"):
        table.add_column(title, overflow="fold")
    for reason, promise in PROMISES.items():
        breaches = split.get(reason, [])
        shown = [f"{each.what}: {each.detail}" for each in breaches[:_SHOWN]]
        more = [f"and {len(breaches) - _SHOWN} more"] if breaches[_SHOWN:] else []
        since_ms = next((each.since_ms for each in breaches if each.since_ms is not None), None)
        state = f"FAILS ({reason})" if breaches else unknown
        table.add_row(promise, state, "" if since_ms is None else moment(since_ms)[:19].replace("T", " "), "\n".join([*shown, *more]))
    return table
