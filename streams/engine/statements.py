"""Statements: the records of reported periods, each written when it is over, and whenever something of it becomes different."""

from models.days import day_name
from models.kpis.finance import Gap, Statement, amounts, statement
from models.money import Period
from models.windows import record_key
from streams.engine.books import before
from streams.engine.output import Output, cloudevent
from streams.engine.partner import Partner
from streams.engine.publish import Moment
from streams.engine.totals import ALL

__all__ = ["Statements"]


class Statements:
    """Of one engine."""

    def __init__(self, topic: str, source: str) -> None:
        self._topic = topic
        self._source = source

    def publish(self, partner: Partner, period: Period, moment: Moment) -> Output:
        """The record of a period that is over, which is owed no longer."""
        # What waits for a grid point holds here at once: after a crash nobody would know that it waited.
        books, policy, zone = partner.books, partner.pending or partner.policy, partner.panes.zone
        books.paid(period)
        handled = books.handled(period, partner.panes)
        first = day_name(period.start_ms, zone)
        baseline = next((each for each in reversed(policy.baselines) if each.since <= first), None)
        of = Statement(period, before(period, zone), books.facts, handled, baseline)
        body = {
            "partner": partner.id,
            "scope": str(ALL),
            "period": f"{first}..{day_name(period.end_ms - 1, zone)}",
            "timezone": zone,
            "configured": policy.configured,
            "policy_revision": policy.revision,
            "kpis": statement(of, policy.base),
            "amounts": amounts(books.facts, period),
            "handled": None if isinstance(handled, Gap) else handled,
            "from": period.start_ms,
            "to": period.end_ms,
            "as_of": moment.now_ms,
            "frontier": moment.frontier_ms,
            "revision": moment.revision,
        }
        key = record_key(partner.id, ALL, f"{period.start_ms}-{period.end_ms}")
        return cloudevent(self._topic, "periods", self._source, partner.id, key, f"{key}@{moment.revision}", body)
