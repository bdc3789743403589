"""State of a former release is read: a kept one gives the figures that it gave, and rows may end before what was appended since."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.measures import LAYOUT
from streams.engine import rows
from streams.engine.cells import decode
from streams.engine.lanes import vector_of
from tests.conditions import START_MS
from tests.engines import TOPICS, Rig
from tests.kept_state import LIVED_TO_MS, kept
from tests.stories import POLICY, Step, played, steps

KEPT = Path(__file__).parents[1] / "data" / "state"
CELL_FIELDS = 5
"""What names a cell, before its measures."""
PARTNER_FIELDS = 4
"""Of the first rows of partners."""
WITHOUT_SIDES = (POLICY[0].model_copy(update={"scopes": ()}), *POLICY[1:])
"""No release that wrote format 1 split partners by more than queues and channels."""


EACH = pytest.mark.parametrize("name", sorted(path.name for path in KEPT.iterdir()))


def test_a_state_is_kept_of_this_format_and_of_the_one_before() -> None:
    kept_formats = {number: {row[0] for row in kept(KEPT / f"format-{number}.jsonl").values()} for number in (rows.FORMAT - 1, rows.FORMAT)}
    assert kept_formats == {number: {number} for number in kept_formats}


def taken_over(name: str) -> Rig:
    rig = Rig(changelog=kept(KEPT / name), now_ms=LIVED_TO_MS)
    rig.crash()
    return rig


@EACH
def test_a_kept_state_gives_the_figures_that_it_gave(name: str) -> None:
    rig = taken_over(name)
    rig.commit()
    figures = rig.figures()
    lost = {"abandoned": 4, "abandoned_within": 4, "abandoned_wait_ms": 40_000, "abandoned_wait_s2": 400}
    assert figures["acme/all/24h"]["measures"] == lost | {"arrivals": 4, "csat_5": 4}
    assert figures["acme/channel=voice/24h"]["measures"] == {"csat_5": 4}
    last_hour = {"abandoned": 3, "abandoned_within": 3, "abandoned_wait_ms": 30_000, "abandoned_wait_s2": 300}
    assert figures["acme/queue=billing/1h"]["measures"] == last_hour
    waiting = figures["acme/all/5m"]["kpis"]
    assert (waiting["in_queue"]["value"], waiting["longest_wait"]["value"]) == (4, 10_820.0)
    panes = rig.snapshot()["partners"]["acme"]["panes"]
    assert {tier for tier, _ in panes} == {0, 1, 2, 3}
    assert sum(sum(vector) for cells in panes.values() for vector in cells.values()) == 7 * (10_000 + 100 + 1 + 1 + 1 + 1) + 3


@EACH
def test_a_kept_state_goes_on_where_it_stopped(name: str) -> None:
    rig = taken_over(name)
    state = rig.snapshot()
    assert state["applied"] == {TOPICS.interactions: 14, TOPICS.surveys: 7, TOPICS.policies: 2}
    assert (state["sequence"], state["counters"]) == (8, {"events": 21, "contacts_expired": 3})
    assert len(state["seen"]) == 6
    (condition,) = state["partners"]["acme"]["conditions"].values()
    assert (condition.phase, condition.started_ms) == ("firing", START_MS - 345_590_000)
    rig.commit()
    assert [rows.unpack_key(key)[0] for key, _ in rig.commits[-1].rows] == ["applied"], "nothing is written that did not change"
    assert TOPICS.alerts not in {each.topic for each in rig.written}, "and nobody is told again"


def as_written_before(parts: list[Any], value: bytes, spare: int) -> bytes:
    """A row as a release with fewer measures and fields wrote it: format 1, the layout before, and nothing of what was appended since."""
    before = bytes((1, LAYOUT - 1))
    if parts[0] in ("ids", "history"):
        return before + value[2:]
    if parts[0] == "pane":
        cells = decode((value,))
        listed = [[*cell[:CELL_FIELDS], *vector_of(cell.family, packed)] for cell, packed in cells.items()]
        return before + rows.pack([without_zeros(cell, spare) for cell in listed])[2:]
    content = rows.unpack(parts, value)
    content = content[:-3] if parts[0] == "partner" else content
    while parts[0] == "partner" and len(content) > PARTNER_FIELDS and not content[-1]:
        content = content[:-1]
    return before + rows.pack(content)[2:]


def without_zeros(cell: list[Any], spare: int) -> list[Any]:
    """The measures up to the last that counted anything, and `spare` more: those beyond were not known yet."""
    counted = max(at for at, measure in enumerate(cell) if measure and at >= CELL_FIELDS) + 1
    return cell[: counted + spare]


@settings(max_examples=60, deadline=None)
@given(steps(most=20), st.integers(0, 3))
def test_rows_that_end_before_what_was_appended_are_the_same_state(story: list[Step], spare: int) -> None:
    rig, _ = played(story, START_MS, WITHOUT_SIDES)
    state = without_sums(rig.snapshot())
    read = [(rows.unpack_key(key), key, value) for key, value in rig.changelog.items()]
    rig.changelog = {key: as_written_before(parts, value, spare) for parts, key, value in read if parts[0] not in ("sum", "usual")}
    rig.crash()
    for partner in state["partners"].values():
        partner["bins"] = {}  # A release that wrote format 1 had none.
    assert without_sums(rig.snapshot()) == state


def without_sums(state: dict[str, Any]) -> dict[str, Any]:
    """A state without what only shortens a start, what is usual and when something was heard, and what the rows of partners say of it."""
    for partner in state["partners"].values():
        partner["sums"] = partner["profile"] = {}
        partner["row"] = [*partner["row"][:-3], partner["row"][-2]]
    return state
