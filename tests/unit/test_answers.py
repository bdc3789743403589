"""Large answers come whole, whatever pieces they arrive in, and what ends a connection is told to who waits."""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.conn import AIOKafkaConnection, create_conn
from aiokafka.consumer.fetcher import READ_COMMITTED
from aiokafka.protocol.fetch import FetchRequest, FetchResponse_v11

from streams.answers import Answers, receive_in_place

_VERSIONS = struct.pack(">hihhh", 0, 1, 1, 0, 11)
"""No error, and of fetches (1) the versions up to 11."""
_ASK_VERSIONS = 18


def fetched(*sizes: int) -> bytes:
    """An answer with a message set of each size, as the broker encodes it."""
    parts: list[tuple[Any, ...]] = [(number, 0, 9, 9, 0, [], -1, bytes([number % 256]) * size) for number, size in enumerate(sizes)]
    return bytes(FetchResponse_v11(0, 0, 0, [("changelog", parts)]).encode())


def fetch() -> FetchRequest:
    return FetchRequest(20, 1, 8 << 20, READ_COMMITTED, [("changelog", [(0, 0, 1 << 20)])], "")


def sets_of(answer: Any) -> list[bytes]:
    """The message sets of an answer."""
    return [part[-1] for _, parts in answer.topics for part in parts]


@asynccontextmanager
async def broker(answers: list[bytes], piece: int, shift: int = 0) -> AsyncIterator[AIOKafkaConnection]:
    """A connection to what answers with these, in pieces of that size, and then hangs up; its numbers may be off by `shift`."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        left = list(answers)
        while True:
            (size,) = struct.unpack(">i", await reader.readexactly(4))
            api, _, number = struct.unpack(">hhi", (await reader.readexactly(size))[:8])
            if api != _ASK_VERSIONS and not left:
                break
            body = _VERSIONS if api == _ASK_VERSIONS else left.pop(0)
            off = 0 if api == _ASK_VERSIONS else shift
            text = struct.pack(">ii", 4 + len(body), number + off) + body
            for at in range(0, len(text), piece):
                writer.write(text[at : at + piece])
                await writer.drain()
                await asyncio.sleep(0)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        connection = await create_conn("127.0.0.1", port)
        try:
            yield connection
        finally:
            await connection.close()


def client_of(connection: AIOKafkaConnection) -> Any:
    """That of a consumer that receives in place, whose only connection this is."""

    async def get_conn(_: int) -> AIOKafkaConnection:
        return connection

    client = SimpleNamespace(_get_conn=get_conn)
    receive_in_place(SimpleNamespace(_client=client))
    return client


async def in_place(connection: AIOKafkaConnection) -> AIOKafkaConnection:
    """The connection as such a client gets it."""
    assert await client_of(connection)._get_conn(1) is connection
    assert isinstance(connection._protocol, Answers)
    return connection


@pytest.mark.parametrize("piece", [3, 65_537, 1 << 20])
async def test_answers_of_all_sizes_hold_what_the_broker_sent_whatever_pieces_they_come_in(piece: int) -> None:
    scale = 1 if piece > 3 else 0
    sizes = [(1, 2), (70_000, 0, 200_000 * scale), (5,), (300_000 * scale, 66_000), (66_000,)]
    async with broker([fetched(*each) for each in sizes], piece) as plain:
        connection = await in_place(plain)
        # An answer stays as it is when the next takes its place.
        answers = [await connection.send(fetch()) for _ in sizes]
    expected = [[bytes([number]) * size for number, size in enumerate(each)] for each in sizes]
    assert [sets_of(answer) for answer in answers] == expected


async def test_several_may_be_waited_for_and_who_gave_up_takes_none_from_another() -> None:
    sizes = [(70_000,), (80_000,), (90_000,)]
    async with broker([fetched(*each) for each in sizes], 1 << 20) as plain:
        connection = await in_place(plain)
        first, given_up, last = (asyncio.ensure_future(connection.send(fetch())) for _ in sizes)
        await asyncio.sleep(0)
        given_up.cancel()
        assert [len(*sets_of(await each)) for each in (first, last)] == [70_000, 90_000]


@pytest.mark.parametrize(
    ("answers", "shift", "asked"),
    [([], 0, 1), ([fetched(70_000)], 1, 1), ([fetched(70_000)[:-1]], 0, 1), ([fetched(70_000)], 0, 2)],
    ids=["none", "of another question", "cut short", "one too few"],
)
async def test_what_ends_a_connection_is_told_to_who_waits(answers: list[bytes], shift: int, asked: int) -> None:
    async with broker(answers, 1 << 20, shift) as plain:
        connection = await in_place(plain)
        waiting = [asyncio.ensure_future(connection.send(fetch())) for _ in range(asked)]
        async with asyncio.timeout(10):
            results = await asyncio.gather(*waiting, return_exceptions=True)
        assert isinstance(results[-1], Exception)
        assert not connection.connected()


async def test_a_connection_on_which_an_answer_is_awaited_is_left_as_it_is() -> None:
    async with broker([fetched(70_000)], 1 << 20) as plain:
        waiting = asyncio.ensure_future(plain.send(fetch()))
        await asyncio.sleep(0)
        client = client_of(plain)
        assert await client._get_conn(1) is plain
        assert not isinstance(plain._protocol, Answers)
        assert len(*sets_of(await waiting)) == 70_000
        assert isinstance((await client._get_conn(1))._protocol, Answers)
