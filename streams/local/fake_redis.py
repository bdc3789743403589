"""A Redis for a machine without one: `python -m streams.local.fake_redis PORT` serves fakeredis over TCP until it is ended."""

import sys

from fakeredis import TcpFakeServer

from streams.local.service import HOST


def main(port: int) -> None:
    """Serve on the loopback address."""
    TcpFakeServer((HOST, port), server_type="redis").serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]))
