"""Redis on this machine: the `redis-server` on the path, or fakeredis where there is none. Nothing is kept on disk."""

import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from streams.local.errors import LocalServiceError
from streams.local.secured import Secured
from streams.local.service import HOST, LocalService, exchange, free_port, say_nothing


class LocalRedis(LocalService):
    """A Redis on loopback, empty at every start.

    with LocalRedis(tmp_path) as local:
        client = redis.Redis.from_url(local.url)

    Args:
        secured: adds TLS at `tls_url`, and wants a user; only a real redis-server does that.
    """

    name = "redis"

    def __init__(
        self, data_dir: Path, port: int | None = None, on_progress: Callable[[str], None] = say_nothing, secured: Secured | None = None
    ) -> None:
        super().__init__(data_dir, port, on_progress)
        self._secured = secured
        self._tls_port = None if secured is None else free_port()

    @property
    def url(self) -> str:
        """Where clients connect: `redis://host:port/0`."""
        return f"redis://{HOST}:{self.port}/0"

    @property
    def tls_url(self) -> str:
        """Where clients connect by TLS, if it is secured."""
        return f"rediss://{HOST}:{self._tls_port}/0"

    def _prepare(self) -> Sequence[str]:
        server = shutil.which("redis-server")
        if server is None and self._secured is not None:
            msg = "a secured Redis needs a redis-server on the path"
            raise LocalServiceError(msg)
        if server is None:
            self._on_progress("no redis-server on the path: starting fakeredis in its place")
            return [sys.executable, "-m", "streams.local.fake_redis", str(self.port)]
        self._on_progress("starting redis-server")
        command = [server, "--bind", HOST, "--port", str(self.port), "--save", "", "--appendonly", "no", "--dir", str(self.data_dir)]
        if self._secured is not None and self._tls_port is not None:
            command += self._secured.redis_arguments(self._tls_port)
        return command

    def _answers(self) -> bool:
        # The longer form of the protocol: fakeredis does not know PING on a line by itself.
        answer = exchange(self.port, b"*1\r\n$4\r\nPING\r\n")
        return answer == b"+PONG\r\n" or (self._secured is not None and answer.startswith(b"-NOAUTH"))
