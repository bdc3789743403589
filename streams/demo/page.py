"""Where the demo's page is, and the link that logs in there by a click."""

from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_urlsafe

from models.settings import Settings
from streams.desk_process import found
from streams.local.service import HOST, free_port, port_is_free

__all__ = ["Page", "page"]


@dataclass(frozen=True, slots=True)
class Page:
    """The page of one demo."""

    port: int
    token: str = field(repr=False)
    """Of its one user; it dies with the demo."""

    def __str__(self) -> str:
        """One line for a person: what follows # never leaves the browser."""
        return f"the page: http://{HOST}:{self.port}/login#token={self.token}"

    def users(self, folder: Path) -> Path:
        """The file of who may use it, made in a folder."""
        path = folder / "users.yaml"
        path.touch(0o600)
        path.write_text(f"users:\n  - {{name: demo, role: admin, token_sha256: {found('hashed')(self.token)}}}\n")
        return path


def page() -> Page:
    """Draw a token, and a port: the usual one if it is free."""
    usual = int(Settings.model_fields["desk_port"].default)
    return Page(usual if port_is_free(usual) else free_port(), token_urlsafe(32))
