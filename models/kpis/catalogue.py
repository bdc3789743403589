"""Every KPI by id, in the order in which records and tables show them."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from models.kpis import (
    finance,
    forecast,
    handling,
    history,
    quality,
    quantiles,
    queueing,
    service_level,
    surveys,
    tickets,
    volumes,
    waiting,
    workforce,
)
from models.kpis.kpi import Kpi

__all__ = ["CATALOGUE"]

_GROUPS: Final = (
    *(service_level, queueing, volumes, waiting, handling, surveys, quality, tickets),
    *(workforce, forecast, history, quantiles, finance),
)

CATALOGUE: Final[Mapping[str, Kpi]] = MappingProxyType({kpi.id: kpi for group in _GROUPS for kpi in group.KPIS})
"""Every KPI by id."""
