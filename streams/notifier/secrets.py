"""The folder of secrets: a file a name, read when it is needed, so that one that is replaced holds at once."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from models.errors import OutwatchError
from models.settings import PREFIX

__all__ = ["MissingSecretError", "SecretsFolder", "redact"]

_BYTES_MAX: Final = 10_000


class MissingSecretError(OutwatchError):
    """Raised when a secret that a page needs cannot be read; the text names it."""


class SecretsFolder:
    """Reads secrets by name; `missing` says which could not be read when they were needed last, and why."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self.missing: dict[str, str] = {}

    def read(self, names: Iterable[str]) -> dict[str, str]:
        """All of these.

        Raises:
            MissingSecretError: if one is not there.
        """
        return {name: self._read(name) for name in names}

    def _read(self, name: str) -> str:
        try:
            value = self._text(name)
        except MissingSecretError as error:
            self.missing[name] = str(error)
            raise
        self.missing.pop(name, None)
        return value

    def _text(self, name: str) -> str:
        if self._folder is None:
            msg = f"secret {name} is missing: {PREFIX}SECRETS_DIR is not set"
            raise MissingSecretError(msg)
        try:
            # Names are those of a policy, which have no slash: nothing outside of the folder can be meant.
            with (self._folder / name).open("rb") as file:
                value = file.read(_BYTES_MAX).decode().strip()
        except OSError as error:
            msg = f"secret {name} is missing in {PREFIX}SECRETS_DIR: {error.strerror}"
            raise MissingSecretError(msg) from None
        except UnicodeDecodeError:
            msg = f"secret {name} is not UTF-8"
            raise MissingSecretError(msg) from None
        if not value:
            msg = f"secret {name} is empty"
            raise MissingSecretError(msg)
        return value


def redact(text: str, secrets: Iterable[str]) -> str:
    """`text` without any of these, which an answer may repeat."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "[secret]")
    return text
