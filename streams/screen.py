"""What a terminal shows of figures and alerts."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from rich.console import Group
from rich.table import Table
from rich.text import Text

from models.kpis import CATALOGUE
from models.overview import Overview, PartnerRow, PartnerState
from models.quantity import DASH, quantity
from models.view import STALE_AFTER_MS

__all__ = ["alert_line", "clock_time", "kpi_line", "overview_screen", "transition_line"]

Json = Mapping[str, Any]

_COLUMNS: Final = {
    "service_level": "SL / target",
    "asa": "ASA",
    "abandon_rate": "Abandon",
    "aht": "AHT",
    "csat": "CSAT",
    "in_queue": "Waiting",
    "longest_wait": "Oldest",
}
"""KPIs of the table, in order."""

_LAG_RECORDS: Final = 5_000
"""More than some seconds of a worker's figures: Redis is slow, or the view is made anew."""

_STATUS_STYLES: Final = {"ok": "green", "warning": "yellow", "critical": "bold red", "insufficient": "dim"}
_STATE_STYLES: Final = {
    PartnerState.OK: "green",
    PartnerState.NO_DATA: "dim",
    PartnerState.PENDING: "cyan",
    PartnerState.RECOVERING: "cyan",
    PartnerState.WARNING: "yellow",
    PartnerState.CRITICAL: "bold red",
    PartnerState.STALE: "bold magenta",
}


def clock_time(at_ms: int) -> str:
    """Hours, minutes and seconds in UTC."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%H:%M:%S")


def overview_screen(seen: Overview) -> Group:
    """The table of all partners, and under it what fires."""
    table = Table(title=_title(seen), title_justify="left", header_style="bold underline", box=None, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("Partner")
    for header in _COLUMNS.values():
        table.add_column(header, justify="right", no_wrap=True)
    table.add_column("State", no_wrap=True)
    for row in seen.partners:
        table.add_row(_name(row), *_cells(row.kpis), Text(row.state.replace("_", " "), _STATE_STYLES[row.state]))
    if seen.total is not None:
        missing = f", {seen.total['missing']} missing" if seen.total["missing"] else ""
        table.add_row(Text(f"all ({seen.total['partners']}{missing})", "bold"), *_cells(seen.total["kpis"]), "")
    alerts = [_alert_text(alert) for alert in seen.alerts]
    return Group(table, *(alerts or [Text("nothing fires", "dim")]))


def _title(seen: Overview) -> Text:
    frontiers = [row.frontier for row in seen.partners if row.frontier is not None]
    title = Text(f"last {seen.window}", "bold")
    if frontiers:
        title.append(f" to {clock_time(max(frontiers))} UTC", "not bold")
    if seen.projector is None:
        title.append(" · no projector has run here: outwatch project", "bold magenta")
    elif seen.at - seen.projector["as_of"] > STALE_AFTER_MS:
        title.append(f" · the projector stopped at {clock_time(seen.projector['as_of'])} UTC", "bold magenta")
    elif seen.projector["lag_records"] > _LAG_RECORDS:
        title.append(f" · the view is {seen.projector['lag_records']:,} records behind", "bold magenta")
    return title


def _name(row: PartnerRow) -> Text:
    return Text(row.name) if row.configured else Text.assemble(row.name, (" (unconfigured)", "dim"))


def _cells(kpis: Json) -> list[Text]:
    return [_cell(kpi, kpis[kpi]) if kpi in kpis else Text(DASH, "dim") for kpi in _COLUMNS]


def _cell(kpi: str, figure: Json) -> Text:
    text = Text(quantity(figure["value"], figure["unit"]), _STATUS_STYLES.get(figure["status"], ""))
    if kpi == "service_level":
        text.append(f" / {quantity(figure['target'], figure['unit'])}", "dim not bold")
    return text


def _alert_text(alert: Json) -> Text:
    since = clock_time(alert["fired_at"] or alert["since"])
    state = alert["state"] if alert["state"] == "recovering" else alert["severity"]
    # What a worker of a release before wrote names neither.
    waits, ack = alert.get("suppressed_by"), alert.get("ack")
    beside = [*((", ".join(waits).replace("_", " "),) if waits else ()), *((f"{ack['actor']} looks after it",) if ack else ())]
    return Text.assemble(
        (f"{state:<10} ", _STATE_STYLES[PartnerState(state)]),
        f"since {since}  {alert['explanation']}",
        (f"  [{'; '.join(beside)}]" if beside else "", "dim"),
        (f"  {alert['fingerprint'][:8]}", "dim"),
    )


def transition_line(event: Json) -> Text:
    """A transition: when (stream time), of what, from what to what, and why."""
    firing = event["transition"]["to"] == "firing"
    style = _STATE_STYLES[PartnerState(event["severity"])] if firing else "green" if event["transition"]["kind"] == "resolved" else "dim"
    where = event["partner"] if event["scope"] == "all" else f"{event['partner']} {event['scope']}"
    return Text.assemble(f"{clock_time(event['evaluated_at'])} {where} {event['rule']['id']} ", (event["transition"]["reason"], style))


def alert_line(record: Json) -> Text:
    """A record of `outwatch.alerts`: a transition with its explanation, or what came of a command."""
    if "outcome" in record:
        return Text(f"{record['partner']} command {record['id']} {record['command']}: {record['outcome']}, {record['reason']}")
    return transition_line(record).append(f"  {record['explanation']}")


def kpi_line(record: Json) -> str:
    """A record of figures: when, of what, and every KPI that has a value."""
    figures = record["kpis"].items()
    values = [
        f"{CATALOGUE[kpi].title if kpi in CATALOGUE else kpi} {quantity(each['value'], each['unit'])}"
        for kpi, each in figures
        if each["value"] is not None
    ]
    where = f"{record['partner']} {record['scope']} {record['window']}"
    return f"{clock_time(record['frontier'])} {where}: {', '.join(values) or 'nothing yet'}"
