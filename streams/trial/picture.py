"""A backtest as a picture: a line for each partner and rule that alerted, a bar for each episode. SVG, drawn by hand."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from html import escape
from typing import Final

from models.windows import DAY_MS, HOUR_MS
from streams.trial.outcome import Episode, Outcome

__all__ = ["picture"]

_WIDTH: Final = 1_000
_LEFT: Final = 330
_RIGHT: Final = 20
_TOP: Final = 56
_LINE: Final = 20
_LETTERS_MAX: Final = 52
"""Of a name: as many as stand left of the bars."""
_STYLE: Final = """\
:root { color-scheme: light dark }
svg { background: #ffffff }
text { fill: #1f2328; font: 11px system-ui, sans-serif }
.axis { fill: #59636e }
.grid { stroke: #e4e7eb }
.stripe { fill: #f6f8fa }
.warning { fill: #c77700 }
.critical { fill: #c0392b }
.other { fill: #8a929b }
@media (prefers-color-scheme: dark) {
  svg { background: #14181d }
  text { fill: #e6e9ec }
  .axis { fill: #9aa4ae }
  .grid { stroke: #2b323a }
  .stripe { fill: #1b2027 }
  .warning { fill: #f0a030 }
  .critical { fill: #f0655a }
  .other { fill: #7d8791 }
}"""
_STEPS_MS: Final = (HOUR_MS, 6 * HOUR_MS, 12 * HOUR_MS, DAY_MS, 7 * DAY_MS, 30 * DAY_MS, 60 * DAY_MS, 120 * DAY_MS)
_TICKS_MAX: Final = 9
Rows = dict[tuple[str, str, str], tuple[list[Episode], list[Episode]]]


def picture(new: Outcome, old: Outcome | None = None) -> str:
    """The whole SVG, for a light and a dark page; episodes of an `old` policy stand below those of the new one, in grey."""
    rows: Rows = {}
    for at, outcome in enumerate((new, old)):
        for each in () if outcome is None else outcome.episodes:
            rows.setdefault((each.partner, each.rule, each.scope), ([], []))[at].append(each)
    height = _TOP + _LINE * max(1, len(rows)) + 12
    begin, end = new.from_ms, max(new.to_ms, new.from_ms + 1)

    def x(at_ms: int) -> float:
        return round(_LEFT + (_WIDTH - _LEFT - _RIGHT) * (at_ms - begin) / (end - begin), 1)

    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" viewBox="0 0 {_WIDTH} {height}">']
    lines += [f"<style>{_STYLE}</style>", *_legend(both=old is not None)]
    lines += [
        f'<rect class="stripe" x="0" y="{_TOP + _LINE * number}" width="{_WIDTH}" height="{_LINE}"/>' for number in range(1, len(rows), 2)
    ]
    for at_ms, text in _ticks(begin, end):
        lines.append(f'<path class="grid" d="M{x(at_ms)} {_TOP - 8}V{height - 12}"/>')
        lines.append(f'<text class="axis" x="{x(at_ms)}" y="{_TOP - 14}" text-anchor="middle">{text}</text>')
    if not rows:
        lines.append(f'<text x="10" y="{_TOP + 14}">no alert</text>')
    for number, (key, (mine, its)) in enumerate(sorted(rows.items())):
        top = _TOP + _LINE * number
        lines.append(_name(*key, top + 14))
        lines += [_bar(x, each, (top + 3, 9 if old else 14), each.severity, end) for each in mine]
        lines += [_bar(x, each, (top + 13, 5), "other", end) for each in its]
    return "\n".join([*lines, "</svg>", ""])


def _legend(*, both: bool) -> Iterator[str]:
    at = 10
    for kind, text in (("warning", "warning"), ("critical", "critical"), *([("other", "the other policy")] if both else [])):
        yield f'<path class="{kind}" d="M{at} 12h14v10h-14z"/><text x="{at + 20}" y="21">{text}</text>'
        at += 80
    yield f'<text class="axis" x="{_WIDTH - _RIGHT}" y="21" text-anchor="end">times are UTC</text>'


def _name(partner: str, rule: str, scope: str, y: int) -> str:
    """Shortened where it would stand in the way of bars; then a pointer shows it whole."""
    whole = f"{partner}  {rule}" + ("" if scope == "all" else f"  {scope}")
    if len(whole) <= _LETTERS_MAX:
        return f'<text x="10" y="{y}">{escape(whole)}</text>'
    shown = f"{whole[: _LETTERS_MAX // 3]}…{whole[-_LETTERS_MAX * 2 // 3 + 1 :]}"
    return f'<text x="10" y="{y}">{escape(shown)}<title>{escape(whole)}</title></text>'


def _bar(x: Callable[[int], float], episode: Episode, place: tuple[int, int], kind: str, end_ms: int) -> str:
    left, right = x(episode.fired_ms), x(end_ms if episode.ended_ms is None else episode.ended_ms)
    top, height = place
    said = f"{_time(episode.fired_ms)} {episode.severity}, {episode.minutes(end_ms):,.0f} min"
    bar = f'<rect class="{kind}" x="{left}" y="{top}" width="{max(1.0, right - left):.1f}" height="{height}">'
    return f"{bar}<title>{escape(said)}</title></rect>"


def _ticks(begin_ms: int, end_ms: int) -> Iterator[tuple[int, str]]:
    step = next((each for each in _STEPS_MS if (end_ms - begin_ms) / each <= _TICKS_MAX), 365 * DAY_MS)
    for at_ms in range(begin_ms - begin_ms % step + step, end_ms, step):
        moment = datetime.fromtimestamp(at_ms / 1000, UTC)
        yield at_ms, f"{moment:%m-%d %H:%M}" if step < DAY_MS else f"{moment:%Y-%m-%d}"


def _time(at_ms: int) -> str:
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d %H:%M} UTC"
