"""The fast decoder and the pydantic models read every text alike."""

import json
from typing import cast

import msgspec
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from models import events
from models.decode import Rejection, decode_run
from tests.property.event_texts import FIELDS, ODD, event_texts, letters, mutated, runs


def told_by_pydantic(value: bytes) -> str:
    """The type and every field with its value, floats told from integers; `rejected` where the model refuses."""
    try:
        model = events.event_adapter.validate_json(value)
    except ValidationError:
        return "rejected"
    return repr(sorted(vars(model).items()))


def told_by_us(value: bytes) -> str:
    (event,) = decode_run([value])
    if isinstance(event, Rejection):
        assert event.error
        return "rejected"
    return repr(sorted({"type": event.type, **msgspec.structs.asdict(cast("msgspec.Struct", event))}.items()))


@settings(max_examples=400)
@given(value=event_texts())
def test_events_with_anything_wrong_are_read_as_their_models_read_them(value: bytes) -> None:
    assert told_by_us(value) == told_by_pydantic(value)


@settings(max_examples=400)
@given(value=mutated())
def test_damaged_texts_are_read_as_the_models_read_them(value: bytes) -> None:
    assert told_by_us(value) == told_by_pydantic(value)


@given(value=st.binary(max_size=40) | letters.map(lambda text: text.encode(errors="surrogatepass")))
def test_bytes_of_any_kind_are_read_as_the_models_read_them(value: bytes) -> None:
    assert told_by_us(value) == told_by_pydantic(value)


def test_every_field_with_every_odd_value_is_read_as_the_models_read_it() -> None:
    good = {"event_id": "e", "partner_id": "p", "occurred_at": 1_714_552_200_000, "contact_id": "c", "outcome": "left"}
    good |= {"wait_seconds": 1, "talk_seconds": 2.0, "survey": "csat", "score": 1, "to": 1_714_552_200_000}
    good |= {"points": 1, "points_possible": 2}
    accepted = 0
    for kind in (
        "contact.queued",
        "contact.completed",
        "contact.record",
        "survey.response",
        "quality.evaluated",
        "clock.advanced",
        "source.alive",
    ):
        for field in [*FIELDS, "unknown"]:
            others = "".join(f',"{name}":{json.dumps(value)}' for name, value in good.items() if name != field)
            for odd in ODD:
                value = f'{{"type":"{kind}","{field}":{odd}{others}}}'.encode(errors="surrogatepass")
                told = told_by_us(value)
                assert told == told_by_pydantic(value), value
                accepted += told != "rejected"
    assert accepted > 1000


@settings(max_examples=300)
@given(run=runs())
@example(run=[b'{"a":[{}', b"]}"])
@example(run=[b"\xc3", b"\xa9", None])
def test_a_run_is_read_as_its_records_one_by_one(run: list[bytes | None]) -> None:
    assert decode_run(run) == [event for value in run for event in decode_run([value])]
    assert decode_run(run, [()] * len(run)) == decode_run(run)
