"""The files of the page. Each has a route of its own, so that no path of a request ever becomes a path of a file system.

A browser keeps them and asks each time whether they still hold: a new release is seen at the next load, and costs an unchanged file
nothing but an answer without a body.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final
from urllib.parse import quote

from aiohttp import web

from desk.errors import TooManyError, UnauthenticatedError
from desk.identity import Identity

__all__ = ["FOLDER", "VIEWS", "PageFile", "add_page", "page_files"]

FOLDER: Final = Path(__file__).with_name("page")
VIEWS: Final = ("/", "/login", "/oncall", "/partner/{partner}", "/report", "/wall")
"""Every address that a person may have before them: all are the same document, which looks at its address."""

_LOGIN: Final = "/login"
_SHELL: Final = "index.html"
_ICON: Final = "favicon.ico"
_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
"""What is served; anything else in the folder, such as a licence, is not."""


@dataclass(frozen=True, slots=True)
class PageFile:
    """A file as it was when the desk began."""

    name: str
    """Below the folder, such as `vendor/uPlot.js`."""
    body: bytes
    media: str

    @property
    def etag(self) -> str:
        """Differs whenever the body does."""
        return f'"{sha256(self.body).hexdigest()[:32]}"'


def page_files() -> Iterator[PageFile]:
    """Every file that is served, by name."""
    for path in sorted(FOLDER.rglob("*")):
        if path.suffix in _TYPES:
            yield PageFile(path.relative_to(FOLDER).as_posix(), path.read_bytes(), _TYPES[path.suffix])


def add_page(app: web.Application, identity: Identity) -> None:
    """Give every file, and every view, a route; of the views only those who are known see more than where to log in.

    Raises:
        RuntimeError: if the page was not installed.
    """
    named = {each.name: _Answer(each) for each in page_files()}
    if _SHELL not in named:
        msg = f"{FOLDER} has no {_SHELL}: the installation is not whole"
        raise RuntimeError(msg)
    shell = named.pop(_SHELL)

    async def view(request: web.Request) -> web.StreamResponse:
        is_login = request.path == _LOGIN
        try:
            identity.of(request)
        except (UnauthenticatedError, TooManyError):
            return await shell.give(request) if is_login else _elsewhere(f"{_LOGIN}?next={quote(request.path_qs, safe='')}")
        return _elsewhere("/") if is_login else await shell.give(request)

    for path in VIEWS:
        app.router.add_route("GET", path, view)
    for path, answer in {**{f"/page/{name}": answer for name, answer in named.items()}, f"/{_ICON}": named[_ICON]}.items():
        app.router.add_route("GET", path, answer.give)


class _Answer:
    """Answers with a file, or that it has not changed."""

    def __init__(self, file: PageFile) -> None:
        self._body = file.body
        self._etag = file.etag
        self._headers = {"Content-Type": file.media, "ETag": file.etag, "Cache-Control": "no-cache"}

    async def give(self, request: web.Request) -> web.StreamResponse:
        known = request.headers.get("If-None-Match", "")
        if self._etag in known:
            return web.Response(status=304, headers={"ETag": self._etag, "Cache-Control": "no-cache"})
        return web.Response(body=self._body, headers=self._headers)


def _elsewhere(path: str) -> web.Response:
    return web.Response(status=303, headers={"Location": path})
