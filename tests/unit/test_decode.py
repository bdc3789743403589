"""Runs of records become events and rejections."""

from typing import Literal

import msgspec
import orjson
import pytest
from pydantic import BaseModel, ConfigDict, Field, field_validator

from models import decode, events
from models.decode import MAX_EVENT_BYTES, Rejection, decode_one, decode_run
from models.reasons import RejectReason
from models.structs import struct_of

QUEUED = {"type": "contact.queued", "event_id": "e1", "partner_id": "acme", "occurred_at": 1_714_552_200_000, "contact_id": "c1"}
ANSWERED = {"type": "contact.answered", "event_id": "e2", "partner_id": "acme", "occurred_at": "2024-05-01T08:30:20Z", "wait_seconds": 20}
GOOD = orjson.dumps(QUEUED)


def queued(**fields: object) -> bytes:
    return orjson.dumps(QUEUED | fields)


def reason(value: bytes | None) -> RejectReason:
    (result,) = decode_run([value])
    assert isinstance(result, Rejection), result
    return result.reason


def error(value: bytes) -> str:
    result = decode_one(value)
    assert isinstance(result, Rejection)
    return result.error


def test_a_run_becomes_its_events_in_order() -> None:
    first, second = decode_run([GOOD, orjson.dumps(ANSWERED)])
    assert type(first) is decode.ContactQueued
    assert type(second) is decode.ContactAnswered
    assert (first.type, first.event_id, first.contact_id, first.queue, first.priority) == ("contact.queued", "e1", "c1", None, None)
    assert (second.occurred_at, second.wait_seconds) == ("2024-05-01T08:30:20Z", 20.0)


def test_no_records_are_no_events() -> None:
    assert decode_run([]) == []


@pytest.mark.parametrize("model", events.EVENT_TYPES, ids=lambda model: model.__name__)
def test_every_model_has_a_struct_of_its_name_fields_and_defaults(model: type[BaseModel]) -> None:
    struct = getattr(decode, model.__name__)
    assert issubclass(struct, msgspec.Struct)
    assert struct.__name__ in decode.__all__
    assert {"type", *struct.__struct_fields__} == set(model.model_fields)
    required = [field.name for field in msgspec.structs.fields(struct) if field.required]
    assert required == [name for name, info in model.model_fields.items() if info.is_required() and name != "type"]


def test_a_bad_record_is_rejected_in_its_place_and_the_others_count() -> None:
    run = [GOOD, b"{", None, GOOD, b"\xff", queued(contact_id=5), GOOD]
    kinds = [result.reason if isinstance(result, Rejection) else result.type for result in decode_run(run)]
    assert kinds == ["contact.queued", "json", "null", "contact.queued", "utf8", "invalid", "contact.queued"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, RejectReason.NULL),
        (b"", RejectReason.JSON),
        (b"not json", RejectReason.JSON),
        (GOOD[:-1], RejectReason.JSON),
        (GOOD + GOOD, RejectReason.JSON),
        (GOOD + b"\n" + GOOD, RejectReason.JSON),
        (b"\xef\xbb\xbf" + GOOD, RejectReason.JSON),
        (GOOD.decode().encode("utf-16"), RejectReason.UTF8),
        (GOOD[:-1] + b',"ignored":"\xff"}', RejectReason.UTF8),
        (GOOD[:-1] + b',"ignored":"\xed\xa0\x80"}', RejectReason.UTF8),
        (GOOD[:-1] + b',"ignored":"a\nb"}', RejectReason.JSON),
        (b"[" * 100_000 + b"]" * 100_000, RejectReason.JSON),
        (b"null", RejectReason.INVALID),
        (b"[]", RejectReason.INVALID),
        (b"{}", RejectReason.TYPE),
        (queued(type="ticket.closed"), RejectReason.TYPE),
        (queued(type=None), RejectReason.TYPE),
        (queued(event_id=""), RejectReason.INVALID),
        (queued(event_id="e" * 129), RejectReason.INVALID),
        (queued(occurred_at=1.5), RejectReason.INVALID),
        (queued(occurred_at=None), RejectReason.INVALID),
        (queued(priority=True), RejectReason.INVALID),
        (GOOD[:-1] + b',"priority":1e400}', RejectReason.INVALID),
        (orjson.dumps(ANSWERED | {"wait_seconds": -0.001}), RejectReason.INVALID),
        (orjson.dumps(ANSWERED | {"wait_seconds": "20"}), RejectReason.INVALID),
    ],
)
def test_each_kind_of_poison_has_its_reason(value: bytes | None, expected: RejectReason) -> None:
    assert reason(value) is expected
    assert isinstance(decode_run([GOOD, value])[0], decode.ContactQueued)


def test_a_run_with_letters_beyond_ascii_is_read() -> None:
    first, second, third = decode_run([queued(queue="facturación"), GOOD, queued(queue="請求")[:-1] + b',"ignored":"\xff"}'])
    assert isinstance(first, decode.ContactQueued)
    assert isinstance(second, decode.ContactQueued)
    assert isinstance(third, Rejection)
    assert (first.queue, third.reason) == ("facturación", RejectReason.UTF8)


def test_unknown_fields_are_ignored() -> None:
    assert decode_run([queued(vendor={"deep": [1, None, {"a": "b"}]})]) == decode_run([GOOD])


def test_nesting_beyond_the_stack_is_rejected_not_raised() -> None:
    assert reason(GOOD[:-1] + b',"ignored":' + b"[" * 50_000 + b"]" * 50_000 + b"}") is RejectReason.JSON


def test_the_longest_value_counts_and_one_byte_more_is_too_large() -> None:
    longest = GOOD[:-1] + b" " * (MAX_EVENT_BYTES - len(GOOD)) + b"}"
    assert isinstance(decode_run([longest, longest])[1], decode.ContactQueued)
    assert decode_run([GOOD, b" " + longest])[1] == Rejection(RejectReason.TOO_LARGE, "1000001 bytes, of at most 1000000")


def test_five_megabytes_are_rejected_unread() -> None:
    assert reason(GOOD[:-1] + b',"note":"' + b"x" * 5_000_000 + b'"}') is RejectReason.TOO_LARGE


@pytest.mark.parametrize(
    "run",
    [
        [b'{"a":[{}', b"{}]}"],
        [b'{"x":[{},', b"{}]}"],
        [GOOD[:-1] + b',"a":[{}', b"]}" + GOOD],
        [GOOD[:-1] + b',"a":"}', b'{"}'],
        [GOOD + GOOD, b" "],
    ],
)
def test_fragments_that_join_to_events_are_not_events(run: list[bytes]) -> None:
    assert [result.reason for result in decode_run(run) if isinstance(result, Rejection)] == [RejectReason.JSON] * len(run)


def test_halves_of_one_character_are_not_joined() -> None:
    e_acute = "é".encode()
    halves = [GOOD[:-1] + b',"x":"' + e_acute[:1], e_acute[1:] + b'"}']
    assert [reason(half) for half in halves] == [RejectReason.UTF8] * 2
    assert [type(result) for result in decode_run(halves)] == [Rejection] * 2


def test_the_error_names_every_field_that_is_wrong_and_no_value() -> None:
    secret = "+15550100"
    told = error(orjson.dumps(ANSWERED | {"event_id": 7, "customer_key": secret * 20, "wait_seconds": None}))
    assert told == (
        "event_id: Input should be a valid string; "
        "customer_key: String should have at most 128 characters; "
        "wait_seconds: Input should be a valid number"
    )


def test_the_error_of_an_unknown_type_is_bounded() -> None:
    assert len(error(queued(type="x" * 10_000))) == 500


def test_what_pydantic_alone_accepts_is_accepted() -> None:
    """Its parser lets NaN pass where nobody reads it, and looks only at the last of equal keys."""
    for value in (GOOD[:-1] + b',"ignored":NaN}', b'{"event_id":5,' + GOOD[1:], b'{"type":"contact.left",' + GOOD[1:]):
        assert decode_run([value]) == decode_run([GOOD])


def envelope(**attributes: object) -> bytes:
    return orjson.dumps({"specversion": "1.0", "id": "e1", "source": "/acd", "type": "contact.queued", "subject": "acme"} | attributes)


def test_a_structured_cloudevent_is_read_by_its_data_filled_from_its_attributes() -> None:
    value = envelope(time="2024-05-01T08:30:00Z", data={"contact_id": "c1", "queue": "billing"})
    (event,) = decode_run([value])
    assert isinstance(event, decode.ContactQueued)
    assert (event.event_id, event.partner_id, event.occurred_at) == ("e1", "acme", "2024-05-01T08:30:00Z")
    assert (event.contact_id, event.queue) == ("c1", "billing")


def test_the_data_of_a_cloudevent_wins_over_its_attributes() -> None:
    event = decode_one(envelope(id="other", subject="other", data=QUEUED))
    assert [event] == decode_run([GOOD])


@pytest.mark.parametrize("value", [envelope(), envelope(data="text"), envelope(data=QUEUED, specversion="0.3")])
def test_an_envelope_of_another_version_or_without_an_object_is_rejected(value: bytes) -> None:
    assert reason(value) is RejectReason.INVALID


def test_the_error_of_a_cloudevent_is_about_its_data() -> None:
    assert error(envelope(time=1.5, data={"contact_id": "c1"})) == (
        "occurred_at: Input should be a valid integer; occurred_at: Input should be a valid string"
    )


BINARY = [("ce_specversion", b"1.0"), ("ce_id", b"e1"), ("ce_type", b"contact.queued"), ("ce_subject", b"acme")]
TIME = ("ce_time", b"2024-05-01T08:30:00Z")


def test_a_binary_cloudevent_is_filled_from_its_headers() -> None:
    value = orjson.dumps({"contact_id": "c1"})
    first, second = decode_run([GOOD, value], [[], [*BINARY, TIME]])
    assert isinstance(first, decode.ContactQueued)
    assert isinstance(second, decode.ContactQueued)
    assert (second.event_id, second.partner_id, second.occurred_at) == ("e1", "acme", "2024-05-01T08:30:00Z")
    assert decode_run([None, value], [[], [*BINARY, TIME]])[1] == second


def test_headers_without_a_specversion_fill_nothing() -> None:
    result = decode_one(orjson.dumps({"contact_id": "c1"}), [*BINARY[1:], TIME])
    assert isinstance(result, Rejection)
    assert result.reason is RejectReason.TYPE


def test_headers_that_are_not_text_are_rejected_not_raised() -> None:
    empty: tuple[str, bytes] = ("ce_time", None)  # type: ignore[assignment]  # clients hand over headers without a value
    result = decode_one(orjson.dumps({"contact_id": "c1"}), [*BINARY, ("ce_type", b"\xff"), empty])
    assert isinstance(result, Rejection)
    assert result.reason is RejectReason.TYPE


def test_a_part_of_an_event_is_a_struct_whichever_way_the_event_is_read() -> None:
    item = {"criterion": "greeting", "points": 1, "possible": 2, "unknown": 3}
    evaluated = {"type": "quality.evaluated", "event_id": "e", "partner_id": "acme", "occurred_at": 1, "points": 1, "points_possible": 2}
    plain = decode_one(orjson.dumps(evaluated | {"items": [item]}))
    assert isinstance(plain, decode.QualityEvaluated)
    assert plain.items is not None
    assert isinstance(plain.items[0], msgspec.Struct)
    assert (plain.items[0].criterion, plain.items[0].points, plain.items[0].critical) == ("greeting", 1.0, False)
    envelope = {"specversion": "1.0", "id": "1", "source": "s", "type": "t", "data": evaluated | {"items": [item]}}
    assert decode_one(orjson.dumps(envelope)) == plain


class Checked(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")
    type: str


def test_a_model_that_a_struct_cannot_follow_is_refused() -> None:
    class Multiple(Checked):
        type: Literal["x"]
        n: int = Field(multiple_of=5)

    class Validated(Checked):
        type: Literal["x"]
        n: int

        @field_validator("n")
        @classmethod
        def _n(cls, n: int) -> int:
            return n

    class Other(Checked):
        type: Literal["x"]
        n: bytes

    class Lax(BaseModel):
        type: Literal["x"]

    class Part(BaseModel):
        n: int

    class Holder(Checked):
        type: Literal["x"]
        parts: list[Part]

    for model in (Multiple, Validated, Other, Lax, Holder):
        with pytest.raises(TypeError):
            struct_of(model, __name__)
