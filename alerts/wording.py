"""Words of sentences: figures, windows and times as a person writes them."""

from datetime import UTC, datetime
from typing import Final

from models.kpis import CATALOGUE, Unit
from models.windows import MINUTE_MS, window

__all__ = ["clock", "last", "number", "span", "title"]

_DECIMAL_BELOW: Final = 10.0


def title(kpi_id: str) -> str:
    """What a KPI is called within a sentence: one of the policy's own by its id; it may be gone while it is still told of."""
    kpi = CATALOGUE.get(kpi_id)
    return kpi_id.replace("_", " ") if kpi is None else kpi.title[0].lower() + kpi.title[1:]


def number(value: float, unit: str, *, avoid: float | None = None) -> str:
    """A value as a person writes it: with a decimal where it is small, or where it would otherwise read like `avoid`, which it is not."""
    if unit in {Unit.RATIO, Unit.CHANGE}:
        value, avoid = 100 * value, None if avoid is None else 100 * avoid
    close = avoid is not None and value != avoid and round(value) == round(avoid)
    text = f"{value:.1f}" if abs(value) < _DECIMAL_BELOW or close else f"{value:.0f}"
    text = text.removesuffix(".0")
    percent = f"{text} %"
    by_unit: dict[str, str] = {Unit.RATIO: percent, Unit.CHANGE: percent, Unit.SECONDS: f"{text} s", Unit.POINTS: f"{text} points"}
    return by_unit.get(unit, text)


def span(seconds: float) -> str:
    """`14 min`, `3 h 20 min`."""
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def last(name: str) -> str:
    """`in the last 15 min`, of the window called `name`."""
    minutes = window(name).width_ms // MINUTE_MS
    return f"in the last {minutes // 60} h" if minutes % 60 == 0 else f"in the last {minutes} min"


def clock(ms: int | None, at_ms: int) -> str:
    """The clock in UTC, with the day where it is not that of `at_ms`."""
    assert ms is not None, "an explained condition has begun"
    moment, now = (datetime.fromtimestamp(each / 1000, UTC) for each in (ms, at_ms))
    return f"{moment:%H:%M}" if moment.date() == now.date() else f"{moment.day} {moment:%b %H:%M}"
