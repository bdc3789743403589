"""The cache of Kafka's jars is whole or absent."""

import hashlib
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from streams.local.errors import JarError
from streams.local.jars import KAFKA_VERSION, LOCK_PATH, ensure_jars, read_lock

COORDINATES = ["org.one:first:1.0", "org.two:second:2.0"]


def content_of(coordinates: str) -> bytes:
    return coordinates.encode() * 1000


def make_jar(coordinates: str, scratch: Path) -> Path:
    _, artifact, version = coordinates.split(":")
    path = scratch / f"{artifact}-{version}.jar"
    path.write_bytes(content_of(coordinates))
    return path


def refuse(coordinates: str, _scratch: Path) -> Path:
    msg = f"no network for {coordinates}"
    raise JarError(msg)


@pytest.fixture
def lock_path(tmp_path: Path) -> Path:
    path = tmp_path / "kafka.lock"
    lines = [f"{coordinates} sha256:{hashlib.sha256(content_of(coordinates)).hexdigest()}" for coordinates in COORDINATES]
    path.write_text("\n".join(["# a comment", *lines, ""]))
    return path


def test_a_second_use_needs_no_download(tmp_path: Path, lock_path: Path) -> None:
    first = ensure_jars(lock_path=lock_path, cache=tmp_path / "cache", fetch=make_jar)
    second = ensure_jars(lock_path=lock_path, cache=tmp_path / "cache", fetch=refuse)
    assert first == second
    assert sorted(path.name for path in first.iterdir()) == ["first-1.0.jar", "second-2.0.jar"]


def test_another_lock_has_another_folder(tmp_path: Path, lock_path: Path) -> None:
    before = ensure_jars(lock_path=lock_path, cache=tmp_path / "cache", fetch=make_jar)
    lock_path.write_text(lock_path.read_text().splitlines()[1] + "\n")
    after = ensure_jars(lock_path=lock_path, cache=tmp_path / "cache", fetch=make_jar)
    assert before != after
    assert [path.name for path in after.iterdir()] == ["first-1.0.jar"]


def test_a_jar_that_is_not_the_locked_one_leaves_no_cache(tmp_path: Path, lock_path: Path) -> None:
    def tampered(coordinates: str, scratch: Path) -> Path:
        path = make_jar(coordinates, scratch)
        path.write_bytes(b"something else")
        return path

    with pytest.raises(JarError, match=r"org\.one:first:1\.0 has sha256 .* and kafka\.lock says"):
        ensure_jars(lock_path=lock_path, cache=tmp_path / "cache", fetch=tampered)
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_failed_fetch_leaves_no_cache(tmp_path: Path, lock_path: Path) -> None:
    with pytest.raises(JarError, match="no network"):
        ensure_jars(lock_path=lock_path, cache=tmp_path / "cache", fetch=refuse)
    assert list((tmp_path / "cache").iterdir()) == []


def test_two_processes_that_fill_it_at_once_both_find_it_whole(tmp_path: Path, lock_path: Path) -> None:
    cache = tmp_path / "cache"
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        filling = [
            pool.submit(fill_beside_another, lock_path, cache, tmp_path / f"fetching-{n}", tmp_path / f"fetching-{1 - n}") for n in (0, 1)
        ]
        folders = {future.result(timeout=30) for future in filling}
    assert len(folders) == 1
    assert list(cache.iterdir()) == list(folders)
    assert len(list(folders.pop().iterdir())) == len(COORDINATES)


def fill_beside_another(lock_path: Path, cache: Path, mine: Path, others: Path) -> Path:
    """Fill the cache, fetching only when the other process fetches as well."""
    import time

    def together(coordinates: str, scratch: Path) -> Path:
        mine.touch()
        deadline = time.monotonic() + 20
        while not others.exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        assert others.exists()
        return make_jar(coordinates, scratch)

    return ensure_jars(lock_path=lock_path, cache=cache, fetch=together)


def test_a_wheel_without_the_lock_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(JarError, match="runs from a checkout"):
        read_lock(tmp_path / "absent.lock")


def test_the_committed_lock_pins_kafka_and_a_logger_by_sha256() -> None:
    jars = read_lock(LOCK_PATH)
    named = {jar.coordinates for jar in jars}
    assert {f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}", "org.slf4j:slf4j-simple:1.7.36"} <= named
    assert len(named) == len(jars)
    assert all(len(jar.coordinates.split(":")) == 3 for jar in jars)
    assert all(len(bytes.fromhex(jar.sha256)) == 32 for jar in jars)
