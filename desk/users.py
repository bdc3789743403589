"""Who may use the desk: a file of people, their roles, and the hashes of their tokens.

```yaml
users:
  - {name: ana, role: operator, token_sha256: 5e884898da28...}
  - {name: bia, role: partner, partner: acme, token_sha256: 8d969eef6eca...}
  - {name: cy, role: viewer}           # known by a proxy's header alone
```

A token is 256 random bits (`outwatch desk token`), so that one round of SHA-256 keeps it: there is nothing to guess.
"""

from collections.abc import Callable
from enum import StrEnum
from hashlib import sha256
from hmac import compare_digest
from pathlib import Path
from typing import Annotated, Final, Self

import structlog
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from models.errors import FileError
from models.policy_types import Name
from models.yaml_file import read_yaml

__all__ = ["Role", "User", "Users", "UsersFile", "hashed", "load_users"]

_LOOK_SECONDS: Final = 5.0
_log = structlog.stdlib.get_logger("outwatch.desk")


class Role(StrEnum):
    """What somebody may do."""

    VIEWER = "viewer"
    """See everything."""
    OPERATOR = "operator"
    """Acknowledge, snooze, silence, comment, annotate and dispute as well."""
    ADMIN = "admin"
    """The same, for now."""
    PARTNER = "partner"
    """See what is of one partner; acknowledge what is addressed to it, comment, and dispute a figure."""


class _Spec(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class User(_Spec):
    """Somebody who may use the desk."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.@-]{0,99}$")]
    """Stands in the commands and in the log."""
    role: Role
    partner: Name | None = None
    """Whose figures a `partner` sees."""
    token_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None

    @model_validator(mode="after")
    def _has_a_partner(self) -> Self:
        if (self.role is Role.PARTNER) != (self.partner is not None):
            msg = "the role partner, and no other, has a partner (add or remove partner:)"
            raise ValueError(msg)
        return self

    def sees(self, partner: str | None) -> bool:
        """Whether something of this partner may be shown; None: of no single one."""
        return self.role is not Role.PARTNER or partner == self.partner


class Users(_Spec):
    """All of them."""

    users: Annotated[tuple[User, ...], Field(max_length=10_000)] = ()

    @model_validator(mode="after")
    def _are_different(self) -> Self:
        names = [each.name for each in self.users]
        tokens = [each.token_sha256 for each in self.users if each.token_sha256 is not None]
        if len({*names}) < len(names) or len({*tokens}) < len(tokens):
            msg = "a name or a token stands there twice (give each user its own)"
            raise ValueError(msg)
        return self

    def named(self, name: str) -> User | None:
        """The user of that name."""
        return next((each for each in self.users if each.name == name), None)

    def of_token(self, token: str) -> User | None:
        """The user of that token; every one is compared with, whichever fits."""
        presented, found = hashed(token), None
        for each in self.users:
            if each.token_sha256 is not None and compare_digest(each.token_sha256, presented):
                found = each
        return found


def hashed(token: str) -> str:
    """What a file says of a token."""
    # A header may carry bytes that are no text; aiohttp hands them on as surrogates.
    return sha256(token.encode(errors="surrogatepass")).hexdigest()


def load_users(path: Path) -> Users:
    """Read a file.

    Raises:
        FileError: if it does not hold; nothing of it is used.
        OSError: if it cannot be read.
    """
    document = read_yaml(path.read_text(encoding="utf-8"), str(path))
    try:
        return Users.model_validate(document.data or {})
    except ValidationError as error:
        raise FileError(document.problems(error)) from None


class UsersFile:
    """The file as it is now: it is read again when it changes, and one that does not hold changes nothing.

    Args:
        path: None where only a proxy's header would tell, and nobody is known.
        monotonic: seconds that only go on.
    """

    def __init__(self, path: Path | None, monotonic: Callable[[], float]) -> None:
        self._path = path
        self._monotonic = monotonic
        self._stamp = _stamp(path)
        self._looked_at = monotonic()
        self._users = Users() if path is None else load_users(path)

    def now(self) -> Users:
        """Who may use the desk; at most 5 s behind the file."""
        if self._path is None or self._monotonic() - self._looked_at < _LOOK_SECONDS:
            return self._users
        self._looked_at = self._monotonic()
        stamp = _stamp(self._path)
        if stamp != self._stamp:
            try:
                self._users = load_users(self._path)
                _log.info("users read again", users=len(self._users.users))
            except (FileError, OSError, UnicodeDecodeError) as error:
                _log.error("the file of users does not hold: it stays as it was", error=str(error))
            self._stamp = stamp
        return self._users


def _stamp(path: Path | None) -> tuple[int, int] | None:
    try:
        found = None if path is None else path.stat()
    except OSError:
        return None
    return None if found is None else (found.st_mtime_ns, found.st_size)
