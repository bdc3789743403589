"""What a terminal shows."""

import io
import json
from typing import Any

from rich.console import Console, RenderableType

from models.definitions import Definition, Target
from models.figures import Live
from models.overview import View, overview
from streams.screen import kpi_line, overview_screen, transition_line
from tests.view_records import AT_MS, alert_event, alert_state, heartbeat, kpi_record

AIMED = Definition(targets={"service_level": Target(target=0.8)})
MEASURES = {"answered": 90, "answered_within": 60, "answered_wait_ms": 900_000, "abandoned": 10}


def printed(what: RenderableType, width: int = 140) -> str:
    console = Console(file=io.StringIO(), width=width)
    console.print(what)
    return str(console.file.getvalue())  # type: ignore[attr-defined]


def loaded(record: tuple[bytes, bytes]) -> dict[str, Any]:
    return dict(json.loads(record[1]))


def screen(
    live: Live | None, *alerts: tuple[bytes, bytes], projected_ms: int | None = AT_MS, lag_records: int = 0, width: int = 140
) -> str:
    view = View(
        window="15m",
        figures=(loaded(kpi_record("acme", MEASURES, definition=AIMED, live=live)),),
        total={"partners": 1, "missing": 2, "kpis": {}},
        alerts=tuple(map(loaded, alerts)),
        heartbeats={0: loaded(heartbeat(0))},
        policies={},
        health=None if projected_ms is None else {"as_of": projected_ms, "lag_records": lag_records},
    )
    return printed(overview_screen(overview(view, AT_MS, "wall", lambda _: 0)), width)


def test_a_partner_stands_with_its_figures_against_its_target() -> None:
    line = next(line for line in screen(Live(3, 12_400, 0)).splitlines() if line.startswith("acme"))
    assert " ".join(line.split()) == "acme (unconfigured) 60 % / 80 % 10 s 10 % – – 3 12 s ok"


def test_where_nobody_waits_the_oldest_is_a_dash() -> None:
    line = next(line for line in screen(Live(0, None, 0)).splitlines() if line.startswith("acme"))
    assert line.split()[-3:] == ["0", "–", "ok"]


def test_the_total_says_how_many_partners_it_misses() -> None:
    assert "\nall (1, 2 missing) " in screen(None)


def test_the_table_fits_into_80_columns() -> None:
    lines = screen(Live(1_000, 12_400, 0), width=80).splitlines()
    assert "acme" in "".join(lines)
    assert max(map(len, lines)) <= 80
    assert "…" not in "".join(lines)


def test_what_fires_stands_under_the_table_with_its_sentence() -> None:
    text = screen(None, alert_state("acme", "firing", "critical"))
    assert "critical   since 08:00:00  acme: service level 40 % in the last 15 min, under 80 % (24 of 60)" in text
    assert "nothing fires" in screen(None)


def test_an_alert_whose_page_waits_or_that_somebody_looks_after_says_so() -> None:
    key, value = alert_state("acme", "firing", "critical")
    body = json.loads(value) | {"suppressed_by": ["silenced", "out_of_hours"], "ack": {"actor": "ana"}, "fingerprint": "0123456789abcdef"}
    text = " ".join(screen(None, (key, json.dumps(body).encode())).split())
    assert "[silenced, out of hours; ana looks after it] 01234567" in text


def test_a_view_that_nobody_keeps_says_so() -> None:
    assert "no projector has run here" in screen(None, projected_ms=None)
    assert "the projector stopped at 07:59:20 UTC" in screen(None, projected_ms=AT_MS - 40_000)


def test_a_view_that_falls_behind_the_topics_says_by_how_much() -> None:
    assert "behind" not in screen(None, lag_records=5_000)
    assert "the view is 12,345 records behind" in screen(None, lag_records=12_345)


def test_a_transition_is_one_line_with_its_reason() -> None:
    text = printed(transition_line(loaded(alert_event("acme", 1))))
    assert text == "08:00:00 acme service_level_low PENDING => FIRING: below 0.8 for 1m\n"


def test_figures_are_one_line_without_those_that_have_no_value() -> None:
    line = kpi_line(loaded(kpi_record("acme", MEASURES, scope="queue=billing")))
    assert line.startswith("08:00:00 acme queue=billing 15m: Service level 60 %, ")
    assert "–" not in line
