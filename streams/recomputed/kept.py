"""The closed stretches that the topics still hold of one scope, and the figures that they come to. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from alerts import Sample
from models.explain import estimate_of, tiles
from models.figures import Estimate
from models.kpis import Kpi
from models.policy import PartnerPolicy
from models.windows import DAY_MS, MINUTE_MS, QUARTER_MS, Calendar, Scope, Window

__all__ = ["Kept"]

Json = Mapping[str, Any]
_WHOLE: Final = {MINUTE_MS: "minutes", QUARTER_MS: "quarter hours", DAY_MS: "days"}


@dataclass(frozen=True, slots=True)
class Kept:
    """Of one scope of one partner."""

    policy: PartnerPolicy
    """As it is now."""
    scope: Scope
    days: Sequence[Json] = ()
    """Records of closed days, as `outwatch.rollups.1d` has them; so are those of shorter stretches."""
    quarters: Sequence[Json] = ()
    minutes: Sequence[Json] = ()
    minutes_from_ms: int = 0
    """Since when minutes are kept; before that there are quarter hours."""
    quarters_from_ms: int = 0
    """Since when these are; before that there are days."""

    @property
    def calendar(self) -> Calendar:
        """By which windows begin."""
        return Calendar(self.policy.timezone, self.policy.month_starts_on)

    def between(self, begin_ms: int, end_ms: int) -> list[Json]:
        """The stretches that tile this time."""
        by_length = {"days": self.days, "quarters": self.quarters, "minutes": self.minutes}
        return [stretch for _, stretch in tiles(begin_ms, end_ms, by_length)]

    def estimate(self, kpi: Kpi, found: Sequence[Json]) -> Estimate:
        """What a KPI is of stretches together: without samples where some of it was counted under other limits, as a rule saw it."""
        estimate = estimate_of(kpi, found, self.policy.scope_definition(self.scope), self.policy.customs)
        return estimate._replace(n=0) if self.mixed(kpi, found) else estimate

    def mixed(self, kpi: Kpi, found: Sequence[Json]) -> bool:
        """Whether something of a KPI was counted under other limits than those of the policy."""
        return kpi.needs_basis(self.policy.scope_definition(self.scope)) and any(each.get("mixed_basis") for each in found)

    def sample(self, kpi: Kpi, name: str, begin_ms: int, end_ms: int) -> Sample:
        """What a KPI was from one time to another, the window called `name`; without an estimate where no stretch tells of it."""
        estimate = None if kpi.live else self.estimate(kpi, self.between(begin_ms, end_ms))
        return Sample(estimate, kpi.describe(self.policy.scope_definition(self.scope)), kpi.unit.value, begin_ms, end_ms, name)

    def narrowest(self, kpi: Kpi, among: Sequence[Window], least: int, end_ms: int) -> Sample:
        """In the first of the windows that has the samples that it takes, else in the last."""
        for each in among:
            sample = self.sample(kpi, each.name, each.start(end_ms, self.calendar), end_ms)
            if kpi.live or (sample.estimate is not None and sample.estimate.n >= least):
                break
        return sample

    def cut(self, *edges_ms: int) -> str:
        """What of the ends of a window no stretch tells, in words: nothing where all of them are ends of what is kept."""
        finest = [
            MINUTE_MS if edge_ms >= self.minutes_from_ms else QUARTER_MS if edge_ms >= self.quarters_from_ms else DAY_MS
            for edge_ms in edges_ms
        ]
        # Days begin when the partner's do, and windows that reach that far back begin with one.
        coarse = [whole for whole, edge_ms in zip(finest, edges_ms, strict=True) if whole != DAY_MS and edge_ms % whole]
        return f"; at its ends only whole {_WHOLE[max(coarse)]} are known" if coarse else ""
