"""`outwatch run` as the release before this one: what was appended to rows since is neither written nor understood.

One measure of surveys (which the crash test's stream never counts), the last field of a partner's row, and the layout that goes with
them. Everything else is of today: this stands for a release before, and is none.
"""

from typing import Any

from models.measures import Family
from streams.cli import main
from streams.engine import panes, partner, rows

_rows: Any = rows
_pane: Any = panes.Pane
_partner: Any = partner.Partner
_rows.LAYOUT -= 1
_rows._PREFIX = bytes((rows.FORMAT, _rows.LAYOUT))
_listed, _to_row = _pane.listed, _partner.to_row


def listed(pane: panes.Pane) -> list[list[Any]]:
    cells = _listed(pane)
    assert not any(cell[-1] for cell in cells if cell[0] == Family.SURVEYS), "there is no such measure yet"
    return [cell[:-1] if cell[0] == Family.SURVEYS else cell for cell in cells]


_pane.listed = listed
_partner.to_row = lambda partner: _to_row(partner)[:-1]

if __name__ == "__main__":
    main()
