"""What stands at an Alertmanager, and the end of what should not. Source: Alertmanager's api/v2/openapi.yaml (`gettableAlert`)."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

from pydantic import AwareDatetime, BaseModel, TypeAdapter

from alerts.notify.alertmanager import AHEAD_MS
from alerts.notify.text import moment

__all__ = ["QUERY", "Labels", "Standing", "ended", "overdue", "read"]

QUERY: Final = "filter=incident%3D~%22.%2B%22"
"""Alerts that name an incident, silenced and inhibited ones too; of whose incident they are is told by its id."""
_AGE_MS: Final = 90_000
"""What was posted since may be newer than what we know: what is open is posted each minute."""

Labels = dict[str, str]


class Standing(BaseModel):
    """An alert, as far as it matters here."""

    labels: Labels
    annotations: Labels
    startsAt: AwareDatetime  # noqa: N815 - as the API spells it
    endsAt: AwareDatetime  # noqa: N815
    generatorURL: str | None = None  # noqa: N815

    @property
    def ends_ms(self) -> int:
        """When it resolves by itself: so far ahead of when it was posted last."""
        return round(self.endsAt.timestamp() * 1000)


_LIST: Final = TypeAdapter(list[Standing])


def read(body: bytes) -> list[Standing]:
    """The alerts of an answer.

    Raises:
        ValueError: if it is no such list.
    """
    return _LIST.validate_json(body)


def overdue(standing: Iterable[Standing], should: Callable[[Labels], bool], now_ms: int) -> Iterator[Standing]:
    """Those that go on although they should not, and that nobody posted of late."""
    for each in standing:
        if now_ms < each.ends_ms < now_ms + AHEAD_MS - _AGE_MS and not should(each.labels):
            yield each


def ended(alerts: Sequence[Standing], now_ms: int) -> list[dict[str, Any]]:
    """What is posted to end them."""
    return [
        {
            "labels": each.labels,
            "annotations": each.annotations,
            "startsAt": moment(min(round(each.startsAt.timestamp() * 1000), now_ms)),
            "endsAt": moment(now_ms),
            **({"generatorURL": each.generatorURL} if each.generatorURL else {}),
        }
        for each in alerts
    ]
