"""Customer keys: one a customer, nothing of the customer in them."""

import asyncio
import hashlib
import hmac
from base64 import b32encode
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from models.customers import CustomerError, customer_key, normalised
from models.mapping_file import example_mapping, load_mapping
from models.settings import Settings
from streams.replay import Shift, Timing, replay

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


async def test_a_log_that_names_customers_is_not_replayed_without_the_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OUTWATCH_CUSTOMER_SECRET", raising=False)
    mapping = load_mapping(example_mapping().replace("# customer_key:", "customer_key:"), "mapping.yaml")
    timing = Timing(Shift.KEEP, None, 0)
    with pytest.raises(CustomerError, match="set OUTWATCH_CUSTOMER_SECRET, or OUTWATCH_CUSTOMER_SECRET_FILE"):
        await replay(Settings(), [], mapping, timing=timing, report=False, stop=asyncio.Event())


def test_the_secret_may_stand_in_a_file_and_is_not_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "secret"
    path.write_text(f"{SECRET}\n")
    monkeypatch.setenv("OUTWATCH_CUSTOMER_SECRET_FILE", str(path))
    settings = Settings()
    assert settings.customer_secret is not None
    assert settings.customer_secret.get_secret_value() == SECRET
    assert SECRET not in f"{settings!r} {settings.model_dump_json()}"


def test_a_short_secret_is_refused_at_the_start_without_repeating_it() -> None:
    with pytest.raises(ValidationError) as refused:
        Settings(customer_secret="hunter2")
    assert "hunter2" not in str(refused.value)
