"""A catalogue of metrics: makes them, keeps them in one registry, and knows what they are for `docs/metrics.md`."""

import platform
from collections.abc import Sequence
from importlib.metadata import version
from typing import NamedTuple

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, ProcessCollector, disable_created_metrics, generate_latest

__all__ = ["Catalogue", "Described"]


class Described(NamedTuple):
    """A metric as a reader of the documentation sees it."""

    name: str
    kind: str
    labels: tuple[str, ...]
    what: str


class Catalogue:
    """Of one process; memory, CPU and the build come with it."""

    def __init__(self, role: str) -> None:
        # A second series for each counter, with the time it began at, which the process's start tells as well.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._registry = CollectorRegistry()
        self.described: list[Described] = []
        ProcessCollector(registry=self._registry)
        what = "The release and the Python that run."
        build = {"version": version("outwatch"), "python": platform.python_version(), "role": role}
        Info("outwatch_build", what, registry=self._registry).info(build)
        self._describe("outwatch_build_info", "gauge", tuple(build), what)
        self._describe(
            "process_resident_memory_bytes", "gauge", (), "Memory of the process; with the usual others that begin with process_."
        )

    def _describe(self, name: str, kind: str, labels: Sequence[str], what: str) -> None:
        self.described.append(Described(name, kind, tuple(labels), what))

    def counter(self, name: str, what: str, *labels: str) -> Counter:
        """What only grows while the process lives; `name` without `_total`."""
        self._describe(f"{name}_total", "counter", labels, what)
        return Counter(name, what, labels, registry=self._registry)

    def gauge(self, name: str, what: str, *labels: str) -> Gauge:
        """What is so now."""
        self._describe(name, "gauge", labels, what)
        return Gauge(name, what, labels, registry=self._registry)

    def histogram(self, name: str, what: str, buckets: Sequence[float]) -> Histogram:
        """How values are spread; `buckets` are upper bounds."""
        self._describe(name, "histogram", (), what)
        return Histogram(name, what, registry=self._registry, buckets=buckets)

    def text(self) -> bytes:
        """All of them now, in Prometheus' text format."""
        return generate_latest(self._registry)
