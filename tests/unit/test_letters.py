"""A dead letter: what its record says, whether it is meant, whether it can go back, and what is shown of it."""

from dataclasses import replace

import orjson
import pytest

from models.reasons import RejectReason
from models.topics import Topics
from streams.engine.letters import Origin, dead_letter
from streams.letters.letter import REPLAYED_FROM, Coordinates, Letter, Marker, read_record
from streams.letters.selection import NoReplay, Selection, hindrance
from streams.letters.shown import shown
from tests.engines import CONFIG, TOPICS, Record, Rig, event
from tests.letters import AT_MS, letter_record, value_of

SECRET = "k3yofacustomer"
SAID = value_of("a", customer_key=SECRET, crm={"Customer-Name": "Ann"}, comment="call me on +49 30 901820")


def letter(record: Record) -> Letter:
    read = read_record(record)
    assert isinstance(read, Letter)
    return read


def test_a_letter_says_where_its_record_was_and_keeps_its_bytes_key_and_headers() -> None:
    read = letter(letter_record(SAID))
    assert (str(read.at), str(read.source)) == ("outwatch.dead-letters/1/107", "cx.interactions/1/7")
    assert (read.key, read.value, read.headers) == (b"acme", SAID, [("trace", b"t-1")])
    assert (read.reason, read.error, read.failed_at_ms, read.cut) == ("bug", "Traceback", AT_MS, False)


def test_a_marker_is_told_from_a_letter_and_a_stranger_from_both() -> None:
    mark = Record("outwatch.dead-letters", 1, 9, 0, b"x", None, [(REPLAYED_FROM, b"outwatch.dead-letters/1/7")])
    assert read_record(mark) == Marker(Coordinates("outwatch.dead-letters", 1, 7))
    assert read_record(Record("outwatch.dead-letters", 1, 9, 0, b"x", b"{}", [("dlq.reason", b"bug")])) is None
    assert read_record(Record("outwatch.dead-letters", 1, 9, 0, b"x", b"{}")) is None


def test_what_was_replayed_and_fails_again_says_where_it_came_from() -> None:
    again = Record("cx.interactions", 1, 8, AT_MS, b"acme", SAID, [(REPLAYED_FROM, b"outwatch.dead-letters/1/7"), ("dlq.reason", b"old")])
    written = dead_letter("outwatch.dead-letters", Origin("cx.interactions", 1), again, RejectReason.BUG, "", AT_MS)
    read = letter(Record(written.topic, 1, 10, AT_MS, written.key, written.value, written.headers))
    assert (read.replayed_from, read.reason) == ("outwatch.dead-letters/1/7", "bug")


def test_a_value_over_900_kb_is_cut_and_known_to_be() -> None:
    read = letter(letter_record(b"x" * 950_000, RejectReason.JSON))
    assert (len(read.value or b""), read.length, read.cut) == (900_000, 950_000, True)


@pytest.mark.parametrize(
    ("selection", "taken"),
    [
        (Selection(), True),
        (Selection(reasons=frozenset({"bug", "future"})), True),
        (Selection(reasons=frozenset({"future"})), False),
        (Selection(source="cx.interactions", partner="acme"), True),
        (Selection(source="cx.surveys"), False),
        (Selection(partner="other"), False),
        (Selection(since_ms=AT_MS, until_ms=AT_MS + 1), True),
        (Selection(since_ms=AT_MS + 1), False),
        (Selection(until_ms=AT_MS), False),
        (Selection(at=Coordinates("outwatch.dead-letters", 1, 107)), True),
        (Selection(at=Coordinates("cx.interactions", 1, 7)), True),
        (Selection(at=Coordinates("cx.interactions", 1, 107)), False),
    ],
)
def test_a_letter_is_meant_if_all_that_is_named_fits(selection: Selection, taken: bool) -> None:
    assert selection.takes(letter(letter_record(SAID))) is taken


@pytest.mark.parametrize(
    ("record", "why"),
    [
        (letter_record(SAID), None),
        (letter_record(SAID, RejectReason.NO_KEY, key=None), None),
        (letter_record(SAID, key=None), NoReplay.NO_PARTNER),
        (letter_record(SAID, key=b"\xff"), NoReplay.NO_PARTNER),
        (letter_record(b'{"type":"clock.advanced","to":1700000000000}', RejectReason.CLOCK, key=None), NoReplay.NO_PARTNER),
        (letter_record(b"[" * 950_000, RejectReason.TOO_LARGE), NoReplay.CUT),
        (letter_record(b"no json", RejectReason.JSON), NoReplay.UNREADABLE),
        (letter_record(None, RejectReason.NULL), NoReplay.UNREADABLE),
        (letter_record(SAID, RejectReason.INVALID, topic="outwatch.policies"), NoReplay.NOT_A_SOURCE),
    ],
)
def test_what_can_not_go_back_says_why(record: Record, why: NoReplay | None) -> None:
    assert hindrance(letter(record), Topics()) is why


@pytest.mark.parametrize("key", [None, b"+4930901820", b"acme"])
@pytest.mark.parametrize("reason", [RejectReason.NO_KEY, RejectReason.MISROUTED])
def test_a_record_with_a_wrong_key_belongs_to_the_partner_in_its_event(key: bytes | None, reason: RejectReason) -> None:
    assert letter(letter_record(value_of("a", "delta"), reason, key=key)).partner == "delta"


def test_what_is_personal_is_masked_in_the_value_at_any_depth_and_in_the_error() -> None:
    read = letter(letter_record(SAID, error=f"ValueError: {SECRET}"))
    text = orjson.dumps(shown(read, replayed=False)).decode()
    assert SECRET not in text
    assert "Ann" not in text
    assert "901820" not in text
    assert "t-1" not in text
    assert '"contact_id":"a"' in text
    assert "ValueError: ***" in text


def test_unmasked_shows_everything() -> None:
    said = shown(letter(letter_record(SAID)), replayed=True, unmasked=True)
    assert said["value"] == orjson.loads(SAID)
    assert said["headers"] == {"trace": "t-1"}
    assert said["replayed"] is True


def test_what_is_no_json_is_shown_only_unmasked() -> None:
    read = letter(letter_record(b'{"customer_key": "secret', RejectReason.JSON))
    assert "secret" not in str(shown(read, replayed=False))
    assert shown(read, replayed=False, unmasked=True)["value"] == '{"customer_key": "secret'


def test_letters_can_be_written_without_what_is_personal_and_still_go_back() -> None:
    record = letter_record(SAID, error=f"at {SECRET}", mask=True)
    read = letter(record)
    assert orjson.loads(read.value or b"") == orjson.loads(SAID) | {"customer_key": None, "comment": None, "crm": {"Customer-Name": None}}
    assert (read.masked.split(","), read.error) == (["customer_key", "comment", "Customer-Name"], "at ***")
    assert hindrance(read, Topics()) is None
    assert SECRET not in str(record)


def test_without_anything_personal_the_bytes_stay_as_they_are() -> None:
    value = b'{ "type": "nothing" }'
    assert letter(letter_record(value, mask=True)).value == value


def test_an_engine_that_masks_keeps_neither_customers_nor_comments_in_letters_and_late_records() -> None:
    rig = Rig(config=replace(CONFIG, mask_letters=True))
    person = {"customer_key": SECRET, "comment": SECRET}
    bad, late = (
        event("contact.answered", AT_MS, "bad", wait_seconds=-1, **person),
        event("contact.queued", AT_MS - 40 * 86_400_000, "l", **person),
    )
    rig.send(bad, late, at_ms=AT_MS)
    kept = [each for each in rig.to(AT_MS + 10_000) if each.topic in {TOPICS.dead_letters, TOPICS.late}]
    assert [each.topic for each in kept] == [TOPICS.dead_letters, TOPICS.late]
    assert SECRET not in str(kept)
    assert [dict(each.headers).get("dlq.masked", dict(each.headers).get("late.masked")) for each in kept] == [b"customer_key,comment"] * 2
