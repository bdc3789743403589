"""`outwatch run` as a release before this one: it writes format 1, a layout before ours and rows without what was appended since.

Panes are lists in JSON, without bins and the last measure of surveys (which the crash test's stream never counts), and a partner's
row lacks its last field, and what that is of. What this release writes it refuses. Everything else is of today: this stands for a
release before, and is none.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from models.bins import Bins
from models.measures import Family
from streams.cli import main
from streams.engine import panes, partner, rows, sums
from streams.engine.cells import CELLS_A_ROW, Cell

_rows: Any = rows
_panes: Any = panes
_partner: Any = partner.Partner
_sums: Any = sums.Sums
_rows.FORMAT, _rows.LAYOUT = 1, rows.PREFIX[1] - 1
_rows.PREFIX = bytes((_rows.FORMAT, _rows.LAYOUT))
_to_row = _partner.to_row


def encode(vectors: Mapping[Cell, Sequence[int]], _: Mapping[Cell, Bins]) -> tuple[bytes, ...]:
    assert not any(vector[-1] for cell, vector in vectors.items() if cell.family == Family.SURVEYS), "there is no such measure yet"
    listed = [[*cell, *(vector[:-1] if cell.family == Family.SURVEYS else vector)] for cell, vector in vectors.items()]
    return tuple(rows.pack(listed[at : at + CELLS_A_ROW]) for at in range(0, len(listed), CELLS_A_ROW))


_panes.encode = encode
_partner.to_row = lambda partner: _to_row(partner)[:-1]
_sums.drain = lambda _: iter(())

if __name__ == "__main__":
    main()
