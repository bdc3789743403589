"""Secrets: each from its variable, or from the file that the variable with `_FILE` behind it names; never shown.

The file is how Docker, Kubernetes and Vault hand a secret to a process without putting it into its environment.
"""

import os
from pathlib import Path
from typing import Annotated, Any, Final, NamedTuple

from pydantic import BeforeValidator, SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

__all__ = ["FILE", "Secret", "SecretFiles", "is_secret"]

FILE: Final = "_FILE"
"""What a variable ends with that names the file of a secret."""


class _Source(NamedTuple):
    """Where a secret is to be read; `doubled` if it stands in its variable as well."""

    variable: str
    path: str
    doubled: bool


def _read(value: object) -> object:
    if value == "":
        msg = "it is empty"
        raise ValueError(msg)
    if not isinstance(value, _Source):
        return value
    if value.doubled:
        msg = f"{value.variable}{FILE} is set as well: keep one of the two"
        raise ValueError(msg)
    try:
        # Editors and `echo` end a file with a line break, which is no part of the secret.
        text = Path(value.path).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        msg = f"{value.variable}{FILE} names {value.path}, which cannot be read: {why}"
        raise ValueError(msg) from None
    if not text:
        msg = f"{value.variable}{FILE} names {value.path}, which is empty"
        raise ValueError(msg)
    return text


Secret = Annotated[SecretStr | None, BeforeValidator(_read)]
"""The type of a setting that is a secret; None if there is none."""


def is_secret(field: FieldInfo) -> bool:
    """Whether a setting is a secret."""
    return field.annotation == SecretStr | None


class SecretFiles(PydanticBaseSettingsSource):
    """Finds the `_FILE` variables of all secrets; they are read when the settings are validated, so that errors name the setting."""

    def __init__(self, settings_cls: type[BaseSettings]) -> None:
        super().__init__(settings_cls)
        self._prefix = str(self.config.get("env_prefix", ""))

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Where the secret of a field is to be read, if a variable names a file."""
        variable = f"{self._prefix}{field_name.upper()}"
        path = os.environ.get(variable + FILE) if is_secret(field) else None
        return (None if path is None else _Source(variable, path, variable in os.environ)), field_name, False

    def __call__(self) -> dict[str, Any]:
        """Every secret for which a file is named."""
        found = {name: self.get_field_value(field, name)[0] for name, field in self.settings_cls.model_fields.items()}
        return {name: source for name, source in found.items() if source is not None}
