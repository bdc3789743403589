"""A backtest as a picture: a line for each partner and rule that alerted, a bar for each episode. SVG, drawn by hand."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from html import escape
from typing import Final

from models.windows import DAY_MS, HOUR_MS
from streams.trial.outcome import Episode, Outcome

__all__ = ["picture"]

_WIDTH: Final = 1_000
_LEFT: Final = 300
_TOP: Final = 40
_LINE: Final = 18
_COLOURS: Final = {"warning": "#e69f00", "critical": "#c0392b"}
_OLD: Final = "#8a8a8a"
_STEPS_MS: Final = (HOUR_MS, 6 * HOUR_MS, DAY_MS, 7 * DAY_MS, 30 * DAY_MS, 90 * DAY_MS)
_TICKS_MAX: Final = 12


def picture(new: Outcome, old: Outcome | None = None) -> str:
    """The whole SVG; episodes of an `old` policy stand below those of the new one, in grey."""
    rows: dict[tuple[str, str, str], tuple[list[Episode], list[Episode]]] = {}
    for at, outcome in enumerate((new, old)):
        for each in () if outcome is None else outcome.episodes:
            rows.setdefault((each.partner, each.rule, each.scope), ([], []))[at].append(each)
    height = _TOP + _LINE * max(1, len(rows)) + 10
    begin, end = new.from_ms, max(new.to_ms, new.from_ms + 1)

    def x(at_ms: int) -> float:
        return round(_LEFT + (_WIDTH - _LEFT - 10) * (at_ms - begin) / (end - begin), 1)

    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" font-family="sans-serif" font-size="11">']
    lines.append('<rect width="100%" height="100%" fill="white"/>')
    for at_ms, text in _ticks(begin, end):
        lines.append(f'<path d="M{x(at_ms)} {_TOP - 8}V{height - 10}" stroke="#dddddd"/>')
        lines.append(f'<text x="{x(at_ms)}" y="{_TOP - 14}" text-anchor="middle">{text}</text>')
    if not rows:
        lines.append(f'<text x="10" y="{_TOP + 12}">no alert</text>')
    for number, (key, (mine, its)) in enumerate(sorted(rows.items())):
        top = _TOP + _LINE * number
        lines.append(f'<text x="10" y="{top + 12}">{escape(_name(*key))}</text>')
        lines += [_bar(x, each, (top + 2, 8 if old else 12), _COLOURS.get(each.severity, "#000000"), end) for each in mine]
        lines += [_bar(x, each, (top + 11, 4), _OLD, end) for each in its]
    return "\n".join([*lines, "</svg>", ""])


def _name(partner: str, rule: str, scope: str) -> str:
    return f"{partner}  {rule}" + ("" if scope == "all" else f"  {scope}")


def _bar(x: Callable[[int], float], episode: Episode, place: tuple[int, int], colour: str, end_ms: int) -> str:
    left, right = x(episode.fired_ms), x(end_ms if episode.ended_ms is None else episode.ended_ms)
    top, height = place
    said = f"{_time(episode.fired_ms)} {episode.severity}, {episode.minutes(end_ms):,.0f} min"
    bar = f'<rect x="{left}" y="{top}" width="{max(1.0, right - left):.1f}" height="{height}" fill="{colour}">'
    return f"{bar}<title>{escape(said)}</title></rect>"


def _ticks(begin_ms: int, end_ms: int) -> Iterator[tuple[int, str]]:
    step = next((each for each in _STEPS_MS if (end_ms - begin_ms) / each <= _TICKS_MAX), 365 * DAY_MS)
    for at_ms in range(begin_ms - begin_ms % step + step, end_ms, step):
        moment = datetime.fromtimestamp(at_ms / 1000, UTC)
        yield at_ms, f"{moment:%H:%M}" if step < DAY_MS else f"{moment:%Y-%m-%d}"


def _time(at_ms: int) -> str:
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d %H:%M} UTC"
