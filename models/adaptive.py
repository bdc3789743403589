"""Adaptive windows: as narrow as the volume allows, so that a busy queue is judged on minutes and a quiet one on hours."""

from collections.abc import Collection

from models.kpis import Kpi
from models.statistics import ADAPTIVE_WIDTHS_MS
from models.windows import HOUR_MS, WINDOWS, Window

__all__ = ["adaptive_windows"]


def adaptive_windows(kpi: Kpi, kept: Collection[str]) -> tuple[Window, ...]:
    """Those of the windows called `kept` that a rule on `kpi` may choose from, narrowest first; empty where none will do."""
    widest_ms = HOUR_MS if kpi.live else ADAPTIVE_WIDTHS_MS[-1]
    return tuple(
        each
        for each in WINDOWS
        if each.name in kept and each.width_ms in ADAPTIVE_WIDTHS_MS and kpi.narrowest_ms <= each.width_ms <= widest_ms
    )
