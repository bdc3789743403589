"""Which partitioner the producers use is told from where their keys lie."""

from models.topics import Partitioner, partition_of
from streams.partitioner_check import fitting

PARTNERS = [f"partner-{number}" for number in range(30)]


def test_keys_laid_by_one_partitioner_fit_that_one_only() -> None:
    for used in Partitioner:
        keys = [(partner.encode(), partition_of(partner, 24, used)) for partner in PARTNERS]
        assert fitting(keys, 24) == {used}


def test_keys_laid_by_neither_fit_none() -> None:
    keys = [(partner.encode(), number % 24) for number, partner in enumerate(PARTNERS)]
    assert fitting(keys, 24) == set()


def test_a_key_that_is_not_text_is_no_reason_to_fail() -> None:
    assert fitting([(b"\xff\xfe", 0)], 1) == set(Partitioner)
