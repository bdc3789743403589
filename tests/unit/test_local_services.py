"""The local Redis and what every local service does; no broker needed."""

import socket
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
import redis

from streams.local.errors import LocalServiceError
from streams.local.redis import LocalRedis
from streams.local.service import HOST, LocalService, free_port, port_is_free
from tests.services import running


class Broken(LocalService):
    """A service that says why it cannot run, and ends."""

    name = "broken"

    def _prepare(self) -> Sequence[str]:
        return [sys.executable, "-I", "-S", "-c", "raise SystemExit('the disk is full')"]

    def _answers(self) -> bool:
        return False


@pytest.mark.redis
def test_redis_answers_and_keeps_its_port_over_a_restart(tmp_path: Path) -> None:
    with running(LocalRedis(tmp_path)) as local, redis.Redis.from_url(local.url) as client:
        url = local.url
        client.set("key", "value")
        local.restart()
        assert local.url == url
        assert client.get("key") is None


@pytest.mark.redis
def test_fakeredis_serves_where_no_redis_server_is_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    lines: list[str] = []
    with LocalRedis(tmp_path / "data", on_progress=lines.append) as local, redis.Redis.from_url(local.url) as client:
        client.hset("hash", "field", "1")
        assert client.hgetall("hash") == {b"field": b"1"}
    assert lines[0] == "no redis-server on the path: starting fakeredis in its place"


def test_a_service_that_ends_at_once_is_an_error_with_the_tail_of_its_log(tmp_path: Path) -> None:
    with pytest.raises(LocalServiceError, match=r"(?s)broken ended before it was ready:.*the disk is full"):
        Broken(tmp_path).start()


@pytest.mark.parametrize(("ci", "outcome"), [("true", pytest.fail.Exception), ("", pytest.skip.Exception)])
def test_an_absent_service_fails_in_ci_and_skips_on_a_laptop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ci: str, outcome: type[BaseException]
) -> None:
    monkeypatch.setenv("CI", ci)
    with pytest.raises(outcome, match="broken does not start"), running(Broken(tmp_path)):
        pass


def test_a_taken_port_is_not_free() -> None:
    with socket.create_server((HOST, free_port())) as server:
        assert not port_is_free(server.getsockname()[1])


def test_ports_lie_below_those_of_outgoing_connections() -> None:
    lowest_outgoing = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    assert free_port() < lowest_outgoing
