"""Every KPI by id, in the order in which records and tables show them."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from models.kpis import handling, quality, queueing, service_level, surveys, tickets, waiting
from models.kpis.kpi import Kpi

__all__ = ["CATALOGUE"]

CATALOGUE: Final[Mapping[str, Kpi]] = MappingProxyType(
    {
        kpi.id: kpi
        for kpi in (*service_level.KPIS, *queueing.KPIS, *waiting.KPIS, *handling.KPIS, *surveys.KPIS, *quality.KPIS, *tickets.KPIS)
    }
)
"""Every KPI by id."""
