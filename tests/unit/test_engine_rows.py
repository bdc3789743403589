"""Rows of the state: they alone rebuild an engine, and what cannot be read is refused with its name."""

import tracemalloc

import pytest

from streams.engine import Engine, rows
from streams.engine.cells import Cell, decode
from streams.engine.lanes import vector_of
from streams.errors import CorruptRowError, NewerStateError
from tests.conditions import START_MS
from tests.engines import CONFIG, SECOND, Rig, Row, event
from tests.kept_state import lived
from tests.stories import DAY, HOUR, MINUTE


def kinds(rig: Rig) -> set[tuple[str, int]]:
    parts = [rows.unpack_key(key) for key in rig.changelog]
    return {(part[0], part[2] if part[0] == "pane" else 0) for part in parts}


def test_an_engine_is_rebuilt_from_rows_of_every_kind_and_tier() -> None:
    rig = lived()
    assert kinds(rig) == {("pane", tier) for tier in range(4)} | {
        (kind, 0) for kind in ("applied", "policy", "partner", "sum", "usual", "alert", "ids", "contacts", "tickets")
    }
    assert rig.rebuilt().snapshot() == rig.snapshot()


def test_a_rebuilt_engine_writes_nothing_that_did_not_change() -> None:
    rig = lived()
    rig.crash()
    rig.commit()
    assert [rows.unpack_key(key)[0] for key, _ in rig.commits[-1].rows] == ["applied"]


def test_late_events_into_every_tier_come_back() -> None:
    rig = lived()
    for number, late_ms in enumerate((30 * SECOND, 50 * MINUTE, 7 * HOUR, 60 * HOUR, 20 * DAY)):
        rig.send(event("contact.left", START_MS - late_ms, f"late{number}", queue="sales"), at_ms=START_MS + 21 * SECOND)
        rig.to(START_MS + 21 * SECOND)
        assert rig.rebuilt().snapshot() == rig.snapshot()


def test_a_pane_of_many_cells_is_written_in_chunks() -> None:
    rig = Rig()
    rig.idle(START_MS)
    for number in range(350):
        rig.send(event("contact.left", START_MS, f"e{number}", queue=f"{'q' * 120}{number}"), at_ms=START_MS)
    rig.to(START_MS)
    assert len([key for key in rig.changelog if b'"pane"' in key]) == 2
    assert rig.rebuilt().snapshot() == rig.snapshot()
    rig.to(START_MS + 40 * MINUTE)
    assert len([key for key in rig.changelog if b'"pane"' in key]) == 2, "the merged pane replaced the old one, both chunks"
    assert rig.rebuilt().snapshot() == rig.snapshot()


def test_more_cells_than_a_partner_may_have_count_as_other_and_are_counted() -> None:
    rig = Rig()
    rig.idle(START_MS)
    for number in range(450):
        rig.send(event("contact.left", START_MS, f"e{number}", queue=f"q{number}"), at_ms=START_MS)
    rig.to(START_MS)
    assert rig.engine.counters["cells_folded"] == 50
    assert rig.figures()["acme/queue=other/5m"]["measures"] == {"left": 50}
    assert rig.figures()["acme/all/5m"]["measures"] == {"left": 450}


@pytest.mark.parametrize(
    ("key", "value", "error"),
    [
        (rows.key("partner", "acme"), bytes((rows.FORMAT + 1, 1)) + b"[]", NewerStateError),
        (rows.key("applied"), bytes((rows.FORMAT, 9)) + b"[]", NewerStateError),
        (rows.key("ids", 7, 1), bytes((rows.FORMAT + 1, 1)), NewerStateError),
        (rows.key("alert", "f"), rows.pack([99, "sl"]), NewerStateError),
        (rows.key("timer", 7, "x"), rows.pack([]), NewerStateError),
        (rows.key("contacts", 1), b"", CorruptRowError),
        (rows.key("tickets", 1), rows.pack([["acme", "t1", [[1, 0]]]]), CorruptRowError),
        (rows.key("contacts", 1), rows.pack([])[:-1], CorruptRowError),
        (rows.key("pane", "nobody", 0, START_MS, 0), rows.pack([]), CorruptRowError),
        (rows.key("pane", "nobody", 0, START_MS, 0), bytes((rows.FORMAT + 1, 1)), NewerStateError),
        (rows.key("pane", "nobody", 0, START_MS, 0), b"", CorruptRowError),
        (rows.key("partner", "acme"), rows.pack({}), CorruptRowError),
        (rows.key("applied"), rows.pack([1]), CorruptRowError),
        (rows.key("ids", 7, 1), rows.pack_hashes([1]) + b"x", CorruptRowError),
        (b"no json", rows.pack([]), CorruptRowError),
        (b"{}", rows.pack([]), CorruptRowError),
    ],
)
def test_a_row_that_cannot_be_read_refuses_the_partition(key: bytes, value: bytes, error: type[Exception]) -> None:
    engine = Engine(0, CONFIG)
    engine.load([Row(key, value)])
    with pytest.raises(error):
        engine.loaded()


@pytest.mark.parametrize("value", [rows.PREFIX + b"short", rows.PREFIX + bytes((0, 9, 0, 0, 0)) + b"[[24,39]x"])
def test_a_pane_that_does_not_hold_refuses_the_partition(value: bytes) -> None:
    rig = lived()
    pane = next(key for key in rig.changelog if key.startswith(b'["pane","acme",0'))
    rig.changelog[pane] = value
    with pytest.raises(CorruptRowError, match="acme"):
        rig.rebuilt()


@pytest.mark.parametrize("tier", range(4))
def test_a_pane_of_a_newer_release_refuses_the_partition_whatever_its_tier(tier: int) -> None:
    rig = lived()
    pane = next(key for key in rig.changelog if key.startswith(b'["pane","acme",%d' % tier))
    rig.changelog[pane] = bytes((rows.FORMAT + 1, 1)) + rig.changelog[pane][rows.PREFIX_BYTES :]
    with pytest.raises(NewerStateError):
        rig.rebuilt()


def test_the_newest_value_of_a_row_counts_and_none_deletes_it() -> None:
    rig = lived()
    engine = Engine(0, CONFIG)
    for key, value in rig.changelog.items():
        engine.load([Row(key, b"stale"), Row(key, value)])
    gone = rows.key("pane", "gone", 0, START_MS, 0)
    engine.load([Row(gone, b"stale"), Row(gone, None)])
    engine.loaded()
    assert engine.snapshot() == rig.snapshot()


def test_the_table_reads_as_partners_panes_and_alerts() -> None:
    rig = lived()
    items = dict(rig.engine.items())
    assert {key[0] for key in items} == {"partner", "pane", "alert"}
    stored = {tuple(rows.unpack_key(key)): value for key, value in rig.changelog.items()}
    for key, content in items.items():
        if key[0] == "pane":
            cells = {cell: vector_of(cell.family, packed) for cell, packed in decode((stored[*key, 0],)).items()}
            assert {Cell(*each[:5]): tuple(each[5:]) for each in content} == cells
        else:
            assert rows.unpack(list(key), stored[key]) == rows.unpack(list(key), rows.pack(content))


def test_what_is_held_takes_the_memory_of_its_size() -> None:
    tracemalloc.start()
    held = [rows.kept([number]) for number in range(1000)]
    size = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert held[7] == b"[7]"
    assert size / len(held) < 200, "bytes; orjson's own takes 4,096"
