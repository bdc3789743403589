"""Sending letters back: what is told when a transaction cannot be."""

import asyncio
from typing import Any, cast

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import InvalidTxnState, KafkaError, TopicAuthorizationFailedError

from models.settings import Settings
from streams.letters.letter import Letter, read_record
from streams.letters.replay import _send
from tests.letters import AT_MS, letter_record, value_of


class Refusing:
    """A producer whose records are refused, topic by topic."""

    def __init__(self, refusals: dict[str, KafkaError]) -> None:
        self._refusals = refusals

    async def send(self, topic: str, *_: Any) -> asyncio.Future[Any]:
        future = asyncio.get_running_loop().create_future()
        future.set_exception(self._refusals[topic])
        return future


@pytest.mark.parametrize("first", [True, False])
async def test_a_missing_right_is_told_rather_than_what_follows_from_it(*, first: bool) -> None:
    letter = read_record(letter_record(value_of("a")))
    assert isinstance(letter, Letter)
    missing, follows = TopicAuthorizationFailedError(), InvalidTxnState()
    topics = (letter.at.topic, letter.source.topic)
    refusals = dict(zip(topics, (missing, follows) if first else (follows, missing), strict=True))
    with pytest.raises(KafkaError) as caught:
        await _send(cast("AIOKafkaProducer", Refusing(refusals)), Settings(), [letter], AT_MS)
    assert caught.value is missing
