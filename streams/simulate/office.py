"""The back office of a simulated partner: tickets that contacts leave behind, evaluations of contacts, forecasts, and money."""

import math
from typing import Any, Final

from models.days import day_end, day_start
from models.windows import HOUR_MS, MINUTE_MS
from streams.simulate.config import Partner
from streams.simulate.outbox import Outbox

__all__ = ["Office"]

_FORECAST_MS: Final = 30 * MINUTE_MS
_AHEAD_MS: Final = 2 * HOUR_MS
"""How long before its interval a forecast is made."""
_DUE_MS: Final = 8 * HOUR_MS
_REOPENED: Final = 0.06
"""Share of tickets that are not solved at the first attempt."""
_ITEMS: Final = (("greeting", 10, False), ("empathy", 30, False), ("solution", 40, False), ("data protection", 20, True))
"""The form: criterion, points to be had, and whether to miss it is critical."""
_DAYS_BEFORE: Final = 2
"""Days whose money is reported when the world begins."""


class Office:
    """Of one partner, from `begin_ms` on."""

    def __init__(self, outbox: Outbox, partner: Partner, begin_ms: int) -> None:
        self._outbox = outbox
        self._partner = partner
        self._tickets = 0
        self._interval_ms = begin_ms - begin_ms % _FORECAST_MS
        """Of the next forecast to be made."""
        self._day_ms = day_start(begin_ms, partner.zone)
        """When the first day began whose money is not reported yet."""
        for _ in range(_DAYS_BEFORE):
            self._day_ms = day_start(self._day_ms - 1, partner.zone)

    def plan(self, at_ms: int) -> None:
        """Tell what is due by `at_ms`: forecasts of the next hours, the money of days that are over."""
        while self._interval_ms < at_ms + _AHEAD_MS:
            self._forecast(at_ms)
            self._interval_ms += _FORECAST_MS
        while (end_ms := day_end(self._day_ms, self._partner.zone)) <= at_ms:
            self._money(at_ms, self._day_ms, end_ms)
            self._day_ms = end_ms

    def _forecast(self, at_ms: int) -> None:
        config, start_ms = self._outbox.config, self._interval_ms
        offered_share = max(0.0, 1 - config.left - config.unclosed)
        contacts = config.contacts_per_minute(start_ms + _FORECAST_MS // 2) * _FORECAST_MS / MINUTE_MS * offered_share
        for line in self._partner.lines:
            offered = contacts * line.share * self._outbox.random.lognormvariate(0, 0.1)
            fields = {"queue": line.queue, "channel": line.channel, "offered": round(offered, 1)}
            fields |= {"interval_start": start_ms, "interval_end": start_ms + _FORECAST_MS}
            self._outbox.event(at_ms, "volume.forecast", fields, "workforce")

    def _money(self, at_ms: int, start_ms: int, end_ms: int) -> None:
        random, contacts = self._outbox.random, self._outbox.config.contacts_per_minute(start_ms) * (end_ms - start_ms) / MINUTE_MS
        period: dict[str, Any] = {"period_start": start_ms, "period_end": end_ms, "currency": "EUR"}
        cost, revenue = (f"{contacts * random.gauss(mean, mean / 20):.2f}" for mean in (4.0, 9.0))
        self._outbox.event(at_ms, "cost.reported", period | {"amount": cost}, "finance")
        customers = 20_000
        stayed = {"customers": customers, "customers_kept": customers - round(random.uniform(2, 20))}
        self._outbox.event(at_ms, "revenue.reported", period | stayed | {"amount": revenue}, "finance")

    def follow_up(self, done_ms: int, about: dict[str, Any], satisfied: float) -> None:
        """What comes of a contact that was completed at `done_ms`; `satisfied` is the share of customers who are."""
        config, random = self._outbox.config, self._outbox.random
        if random.random() < config.ticketed:
            self._ticket(done_ms, about, satisfied)
        if random.random() < config.evaluated:
            self._evaluate(done_ms + round(random.uniform(5, 60) * MINUTE_MS), about, satisfied)

    def _ticket(self, at_ms: int, contact: dict[str, Any], satisfied: float) -> None:
        random, tell = self._outbox.random, self._outbox.event
        self._tickets += 1
        about = {name: contact[name] for name in ("queue", "channel", "agent_id")}
        about |= {"contact_id": f"{self._outbox.name}t{self._tickets}", "root_contact_id": contact["contact_id"]}
        tell(at_ms, "ticket.opened", about | {"due_at": at_ms + _DUE_MS})
        replied_ms = at_ms + round(random.expovariate(1 / 20) * MINUTE_MS) + 1
        tell(replied_ms, "ticket.replied", about)
        solved_ms = replied_ms + round(random.lognormvariate(math.log(1.5 / satisfied), 0.8) * HOUR_MS) + 1
        tell(solved_ms, "ticket.solved", about)
        if random.random() < _REOPENED:
            again_ms = solved_ms + round(random.uniform(0.2, 3) * HOUR_MS)
            tell(again_ms, "ticket.reopened", about | {"due_at": again_ms + _DUE_MS})
            tell(again_ms + round(random.uniform(0.2, 6) * HOUR_MS), "ticket.solved", about)

    def _evaluate(self, at_ms: int, contact: dict[str, Any], satisfied: float) -> None:
        random = self._outbox.random
        reached = [round(possible * (1 - random.uniform(0, 0.4) * (random.random() > satisfied))) for _, possible, _ in _ITEMS]
        if random.random() > satisfied ** (1 / 8):
            reached[-1] = 0
        items = [
            {"criterion": criterion, "points": points, "possible": possible, "critical": critical}
            for (criterion, possible, critical), points in zip(_ITEMS, reached, strict=True)
        ]
        whole = {"points": sum(reached), "points_possible": sum(possible for _, possible, _ in _ITEMS), "items": items}
        whole |= {"script_done": sum(random.random() < 0.5 + satisfied / 2 for _ in range(6)), "script_required": 6}
        self._outbox.event(at_ms, "quality.evaluated", contact | whole, "quality")
