"""The catalogue as data, for who wants to read it rather than compute with it."""

from collections.abc import Mapping
from typing import Any

from models.kpis.kpi import Kpi
from models.windows import HOUR_MS, WINDOWS

__all__ = ["entry"]


def entry(kpi: Kpi) -> Mapping[str, Any]:
    """What is to be known of a KPI, in the order in which a person reads it; `windows` are those of its records."""
    widest_ms = HOUR_MS if kpi.live else WINDOWS[-1].width_ms
    windows = [window.name for window in WINDOWS if kpi.narrowest_ms <= window.width_ms <= widest_ms]
    return {
        "id": kpi.id,
        "title": kpi.title,
        "unit": kpi.unit.value,
        "better": kpi.better.value,
        "perspective": kpi.perspective.value,
        "leading": kpi.leading,
        "formula": kpi.formula,
        "attributed_to": kpi.attributed_to,
        "windows": ["period"] if kpi.of_period else windows if kpi.published else [],
        "traps": kpi.traps,
    }
