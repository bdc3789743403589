"""Masking JSON of any shape, also of one that was made to hurt."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.events import EVENT_TYPES
from models.masking import PERSONAL, mask_json

TEXT = "very personal"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "Customer_Key", "comment", "phone-number"]), inner),
    max_leaves=12,
)


def personal(data: object) -> list[object]:
    """What stands in personal fields, found recursively."""
    if isinstance(data, list):
        return [each for inner in data for each in personal(inner)]
    if isinstance(data, dict):
        own = [inner for name, inner in data.items() if name != "a"]
        return own + [each for inner in data.values() for each in personal(inner)]
    return []


@given(JSON)
def test_nothing_personal_is_left_and_all_else_stays(data: object) -> None:
    masked = mask_json(orjson.dumps(data))
    assert masked is not None
    assert set(map(str, personal(orjson.loads(masked.value)))) <= {"None"}
    if not masked.names:
        assert masked.value == orjson.dumps(data)


@pytest.mark.parametrize("value", [b"", b"{", b"\xff", b'{"comment": "cut', b'{"comment":1}' + b"x", b"[" * 5_000])
def test_what_is_no_json_is_said_to_be_none(value: bytes) -> None:
    assert mask_json(value) is None


@pytest.mark.parametrize("depth", [200, 500, 1_000])
def test_deep_nesting_ends_nothing(depth: int) -> None:
    value = b'{"comment":"x","a":' + b"[" * depth + b"]" * depth + b"}"
    masked = mask_json(value)
    assert masked is None or b"x" not in masked.value


def test_short_values_are_masked_but_not_looked_for_in_texts() -> None:
    masked = mask_json(b'{"comment":"bad","phone":4930901820}')
    assert masked is not None
    assert masked.redact("a bad time for 4930901820") == "a bad time for ***"


def test_every_event_allows_null_where_it_may_be_masked() -> None:
    for model in EVENT_TYPES:
        for name, field in model.model_fields.items():
            if name.replace("_", "") in PERSONAL:
                assert not field.is_required(), f"{model.__name__}.{name}"
                assert field.default is None
