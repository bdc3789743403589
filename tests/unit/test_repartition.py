"""Where the records of an installation go in one of another number of partitions."""

import pytest

from models.settings import Settings
from models.topics import partition_of
from streams.repartition import homes
from tests.engines import Record

NEW = Settings(partitions=5)
ALIVE = b'{"type": "source.alive", "source": "eu"}'


def test_an_event_goes_where_its_partner_belongs_now() -> None:
    assert list(homes(2, Record("cx.interactions", 2, 0, 1, b"acme", b"{}"), NEW)) == [partition_of("acme", 5)]


@pytest.mark.parametrize(("partition", "expected"), [(0, [0, 1, 2, 3, 4]), (1, []), (2, [])])
def test_that_a_source_lives_is_told_to_every_partition_once(partition: int, expected: list[int]) -> None:
    assert list(homes(partition, Record("cx.interactions", partition, 0, 1, None, ALIVE), NEW)) == expected


@pytest.mark.parametrize("value", [None, b"", b"no json", b'{"type": "clock.advanced", "to": 1}'])
def test_what_has_no_key_is_copied_once_all_the_same(value: bytes | None) -> None:
    assert len(list(homes(1, Record("cx.interactions", 1, 0, 1, None, value), NEW))) == 1


def test_a_key_that_is_no_name_stays_in_its_partition_as_far_as_there_is_one() -> None:
    assert list(homes(7, Record("cx.interactions", 7, 0, 1, b"\xff", b"{}"), NEW)) == [2]
