"""Customers by a keyed hash: who called can be recognised again, and nobody without the secret learns who it was.

    customer_key("+49 (30) 901820", secret) == customer_key("0049 30 901820", secret)

Guarantee: one customer has one key as long as the secret stays; another secret gives other keys. A plain hash would not do: there are
so few telephone numbers that all of them can be hashed in minutes. The key is HMAC-SHA-256 (RFC 2104) over the kind of identifier
and the identifier, its first 160 bits in base32 (RFC 4648) in lower case: 32 characters, and two customers in 10^12 share one with
odds below 10^-24.
"""

import hmac
import re
import unicodedata
from base64 import b32encode
from typing import Final

from xxhash import xxh3_64_intdigest

from models.errors import OutwatchError

__all__ = ["ERASE", "SECRET_BYTES_MIN", "CustomerError", "customer_hash", "customer_key", "normalised"]

ERASE: Final = "customer.erase"
"""The command that has the workers forget a customer; its payload is `{customer: the hash in 16 hex digits}`."""

SECRET_BYTES_MIN: Final = 16
"""A shorter secret can be guessed; `openssl rand -hex 32` makes a good one."""

_KEY_BYTES: Final = 20
_PUNCTUATION: Final = re.compile(r"[\s().\-/]")
_INTERNATIONAL: Final = re.compile(r"(?:\+|00)([1-9][0-9]{6,14})", re.ASCII)
"""E.164: at most 15 digits, the country's first."""


class CustomerError(OutwatchError):
    """Raised when an identifier or the secret cannot make a key; the text repeats neither."""


def normalised(identifier: str) -> str:
    """The kind and the one spelling of an identifier, such as `phone:+4930901820`.

    An address with `@` is e-mail, in lower case. A number that begins with `+` or `00` is a telephone number: its digits. Anything
    else is a name of the source's own, taken as it is but for blanks around it: also a national number, since it does not say
    its country. Write numbers in their international form, or one caller has two keys.

    Raises:
        CustomerError: if it is empty.
    """
    text = unicodedata.normalize("NFKC", identifier).strip()
    if not text:
        msg = "an empty identifier names no customer"
        raise CustomerError(msg)
    if "@" in text:
        return f"email:{text.lower()}"
    number = _INTERNATIONAL.fullmatch(_PUNCTUATION.sub("", text.replace("(0)", "")))
    return f"id:{text}" if number is None else f"phone:+{number[1]}"


def customer_key(identifier: str, secret: str) -> str:
    """The `customer_key` of an event: 32 letters and digits.

    Args:
        identifier: a telephone number in international form, an e-mail address, or the source's own name of a customer.
        secret: of the installation, at least `SECRET_BYTES_MIN` bytes; the same for ever.

    Raises:
        CustomerError: if the identifier is empty or the secret too short.
    """
    key = secret.encode()
    if len(key) < SECRET_BYTES_MIN:
        msg = f"the secret has {len(key)} bytes, of at least {SECRET_BYTES_MIN}: openssl rand -hex 32"
        raise CustomerError(msg)
    digest = hmac.digest(key, normalised(identifier).encode("utf-8", "surrogatepass"), "sha256")
    return b32encode(digest[:_KEY_BYTES]).decode().lower()


def customer_hash(key: str) -> int:
    """What the state keeps of a `customer_key`: 64 bits, by which it cannot be found but by trying keys."""
    return xxh3_64_intdigest(key.encode())
