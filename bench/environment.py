"""Where a benchmark ran."""

import os
import platform
from importlib.metadata import version
from pathlib import Path

from streams.local.jars import KAFKA_VERSION

_PACKAGES = ("faust-streaming", "aiokafka", "msgspec", "orjson")


def environment() -> dict[str, str]:
    """By name, what moves the figures."""
    return {
        "processor": f"{_processor()}, {os.cpu_count()} cores, which broker and client share",
        "load average at the start": f"{os.getloadavg()[0]:.1f}",
        "system": f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
        "broker": f"Apache Kafka {KAFKA_VERSION}, one, on this machine",
        "packages": ", ".join(f"{name} {version(name)}" for name in _PACKAGES),
    }


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
