"""Aims: how often a partner's targets were met, day by day."""

from collections.abc import Sequence

from models.figures import Status
from models.kpis import Better
from models.kpis.kpi import judged
from models.policy import PartnerPolicy
from streams.trial.outcome import Days

__all__ = ["Aims"]


class Aims:
    """Of one partner: those of its targets that a day's measures tell."""

    def __init__(self, policy: PartnerPolicy) -> None:
        catalogue = policy.customs.catalogue
        kept = [catalogue[name] for name in policy.base.targets if name in catalogue]
        self.kpis = [kpi for kpi in kept if not (kpi.live or kpi.of_period or kpi.quantile or kpi.matures)]
        self.days: dict[str, Days] = {kpi.id: Days() for kpi in self.kpis}
        """By KPI, how often its target was met in days that are over."""
        self._definition = policy.base

    def day(self, measures: Sequence[int]) -> None:
        """Hold a day's flat vector against them."""
        for kpi in self.kpis:
            value, target = kpi.estimate(measures, None, self._definition).value, self._definition.targets[kpi.id]
            if value is not None:
                days = self.days[kpi.id]
                days.days += 1
                days.met += judged(value, target.target, None, higher=kpi.better is Better.HIGHER) == Status.OK
