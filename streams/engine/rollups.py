"""Rollups: the records of closed days, each written when it closes, when it becomes final, and whenever something late corrects it."""

from typing import Any

from models.windows import Scope, record_key
from streams.engine.output import Output, cloudevent
from streams.engine.panes import day_end, day_name
from streams.engine.partner import Partner
from streams.engine.publish import Moment, body_of
from streams.engine.totals import flats

__all__ = ["Rollups"]


class Rollups:
    """Of one engine."""

    def __init__(self, topic: str, source: str) -> None:
        self._topic = topic
        self._source = source

    def publish(self, partner: Partner, moment: Moment) -> list[Output]:
        """The records of closed days that closed, or were corrected, since the last call."""
        days, partner.days_changed, partner.row_changed = partner.days_changed, set(), True
        emptied, partner.emptied = partner.emptied, set()
        outputs: list[Output] = []
        panes = partner.panes
        for start in sorted(days):
            end = day_end(start, panes.zone)
            if end > panes.closed_ms:
                partner.days_changed.add(start)
                partner.emptied |= {each for each in emptied if each[0] == start}
                continue
            parts = list(panes.cells_between(start, end))
            rebased, date = partner.rebased(parts), day_name(start, panes.zone)
            summed = flats(parts)
            for _, scope in sorted(each for each in emptied if each[0] == start and each[1] not in summed):
                outputs.append(self._record(partner, scope, date, moment, None))
            for scope, packed in sorted(summed.items()):
                body = body_of(partner, scope, packed, None, moment, mixed=scope in rebased)
                body |= {"date": date, "timezone": panes.zone, "final": start < panes.final_before_ms, "from": start, "to": end}
                outputs.append(self._record(partner, scope, date, moment, body))
        return outputs

    def _record(self, partner: Partner, scope: Scope, date: str, moment: Moment, body: dict[str, Any] | None) -> Output:
        key = record_key(partner.id, scope, date)
        return cloudevent(self._topic, "rollups.1d", self._source, partner.id, key, f"{key}@{moment.revision}", body)
