"""Redis on this machine: the `redis-server` on the path, or fakeredis where there is none. Nothing is kept on disk."""

import shutil
import sys
from collections.abc import Sequence

from streams.local.service import HOST, LocalService, exchange


class LocalRedis(LocalService):
    """A Redis on loopback, empty at every start.

    with LocalRedis(tmp_path) as local:
        client = redis.Redis.from_url(local.url)
    """

    name = "redis"

    @property
    def url(self) -> str:
        """Where clients connect: `redis://host:port/0`."""
        return f"redis://{HOST}:{self.port}/0"

    def _prepare(self) -> Sequence[str]:
        server = shutil.which("redis-server")
        if server is None:
            self._on_progress("no redis-server on the path: starting fakeredis in its place")
            return [sys.executable, "-m", "streams.local.fake_redis", str(self.port)]
        self._on_progress("starting redis-server")
        return [server, "--bind", HOST, "--port", str(self.port), "--save", "", "--appendonly", "no", "--dir", str(self.data_dir)]

    def _answers(self) -> bool:
        # The longer form of the protocol: fakeredis does not know PING on a line by itself.
        return exchange(self.port, b"*1\r\n$4\r\nPING\r\n") == b"+PONG\r\n"
