"""Kafka's jars: pinned by coordinates and sha256 in `deploy/kafka-local.lock`, fetched once, kept in the user's cache.

A cache folder is named for the content of the lock and appears by one rename, after every jar in it was verified: a
folder that is there is whole. Two processes that fill it at once each fetch, and the second drops its copy.
`python -m streams.local.jars` resolves the roots anew and writes the lock.
"""

import hashlib
import os
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from streams.local.errors import JarError
from streams.local.service import say_nothing

KAFKA_VERSION = "4.3.0"
# slf4j-simple, because Kafka's own dependencies bring no logger: its log would be empty when it fails to start.
ROOTS = (f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}", "org.slf4j:slf4j-simple:1.7.36")
LOCK_PATH = Path(__file__).parents[2] / "deploy" / "kafka-local.lock"
_FETCHES_AT_ONCE = 8
_FETCH_TRIES_MAX = 3


class Jar(NamedTuple):
    """One line of the lock: Maven coordinates `group:artifact:version`, and the sha256 of the jar in hex."""

    coordinates: str
    sha256: str


def cache_root() -> Path:
    """Give the folder for what can be fetched again."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "outwatch"


def read_lock(path: Path = LOCK_PATH) -> list[Jar]:
    """Read the lock; JarError when it is absent, as in an installed wheel."""
    if not path.exists():
        msg = f"{path} is missing: the local Kafka runs from a checkout of outwatch"
        raise JarError(msg)
    lines = (line for line in path.read_text().splitlines() if line and not line.startswith("#"))
    return [Jar(*line.split(" sha256:")) for line in lines]


def fetch_jar(coordinates: str, scratch: Path) -> Path:
    """Fetch one jar from Maven Central to a path under `scratch`; JarError after three tries."""
    # jgo comes with the extra `local` only, and costs 0.2 s to import: not before there is something to fetch.
    from jgo.maven import MavenContext  # noqa: PLC0415

    group, artifact, version = coordinates.split(":")
    failure: Exception | None = None
    for attempt in range(_FETCH_TRIES_MAX):
        # A folder a try: jgo takes the partial file that a broken connection leaves for the jar.
        context = MavenContext(repo_cache=scratch / f"try-{attempt}", timeout=10)
        try:
            return Path(context.project(group, artifact).at_version(version).artifact().resolve())
        except (OSError, RuntimeError) as error:  # requests' errors are OSErrors.
            failure = error
    msg = f"{coordinates} cannot be fetched from Maven Central: {failure}"
    raise JarError(msg)


def ensure_jars(
    on_progress: Callable[[str], None] = say_nothing,
    lock_path: Path = LOCK_PATH,
    cache: Path | None = None,
    fetch: Callable[[str, Path], Path] = fetch_jar,
) -> Path:
    """Return the folder with every jar of the lock, fetching what is not cached; JarError when that fails."""
    jars = read_lock(lock_path)
    digest = hashlib.sha256(lock_path.read_bytes()).hexdigest()[:12]
    folder = (cache or cache_root()) / f"kafka-{KAFKA_VERSION}-{digest}"
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    on_progress(f"fetching Apache Kafka {KAFKA_VERSION}: {len(jars)} jars, once")

    def fetch_verified(jar: Jar) -> Path:
        path = fetch(jar.coordinates, scratch)
        if (sha256 := _sha256(path)) != jar.sha256:
            msg = f"{jar.coordinates} has sha256 {sha256}, and {lock_path.name} says {jar.sha256}"
            raise JarError(msg)
        return path

    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".filling-") as scratch_name:
        scratch = Path(scratch_name)
        filled = scratch / "jars"
        filled.mkdir()
        with ThreadPoolExecutor(_FETCHES_AT_ONCE) as pool:
            for done, path in enumerate(pool.map(fetch_verified, jars), start=1):
                path.rename(filled / path.name)
                if done % 15 == 0 or done == len(jars):
                    on_progress(f"fetched {done} of {len(jars)} jars")
        try:
            filled.rename(folder)
        except OSError:
            if not folder.is_dir():  # Otherwise another process was first with the same jars.
                raise
    return folder


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_lock(path: Path = LOCK_PATH) -> None:
    """Resolve the roots with what they depend on, fetch every jar, and write the lock."""
    import jgo  # noqa: PLC0415

    resolved = {f"{jar.groupId}:{jar.artifactId}:{jar.version}" for root in ROOTS for jar in jgo.resolve(root)}
    with tempfile.TemporaryDirectory() as scratch:
        lines = [f"{coordinates} sha256:{_sha256(fetch_jar(coordinates, Path(scratch)))}" for coordinates in sorted(resolved)]
    header = f"# Written by `make lock` from {' and '.join(ROOTS)}."
    path.write_text("\n".join([header, *lines, ""]))


if __name__ == "__main__":
    write_lock()
