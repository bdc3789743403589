"""Customer keys: one a customer, nothing of the customer in them."""

import hashlib
import hmac
from base64 import b32encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.customers import CustomerError, customer_key, normalised

SECRET = "0123456789abcdef"


def test_a_key_is_the_published_construction() -> None:
    digest = hmac.new(SECRET.encode(), b"phone:+4930901820", hashlib.sha256).digest()
    assert customer_key("+49 30 901820", SECRET) == b32encode(digest).decode().lower()[:32]


@pytest.mark.parametrize(
    ("identifier", "one"),
    [
        ("+49 (30) 901-820", "phone:+4930901820"),
        ("0049 30/901.820", "phone:+4930901820"),
        ("+49 (0)30 901820", "phone:+4930901820"),
        (" Ann@Example.COM ", "email:ann@example.com"),
        ("030 901820", "id:030 901820"),
        ("C-17", "id:C-17"),
        ("+49 30 extension 5", "id:+49 30 extension 5"),
        ("+1234567890123456", "id:+1234567890123456"),
    ],
)
def test_spellings_of_one_identifier_are_one(identifier: str, one: str) -> None:
    assert normalised(identifier) == one


@given(st.text(min_size=1, max_size=40).filter(str.strip))
def test_a_key_has_32_letters_and_digits_and_depends_on_the_secret(identifier: str) -> None:
    try:
        key = customer_key(identifier, SECRET)
    except CustomerError:
        return
    assert len(key) == 32
    assert key.isalnum()
    assert key != customer_key(identifier, SECRET + "x")


@pytest.mark.parametrize(("identifier", "secret"), [("", SECRET), (" \t", SECRET), ("+49 30 901820", "short")])
def test_what_makes_no_key_is_refused_without_repeating_it(identifier: str, secret: str) -> None:
    with pytest.raises(CustomerError) as refused:
        customer_key(identifier, secret)
    assert "901820" not in str(refused.value)
    assert "short" not in str(refused.value).replace("too short", "")
