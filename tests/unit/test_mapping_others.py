"""Exports of tickets and surveys, and logs of agents, evaluations and forecasts, into events."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from models.errors import FileError
from models.mapping import Mapping
from models.mapping_file import check_columns, example_mapping, load_mapping
from models.mapping_row import Dropped, EventDict, Place, map_events
from streams.cli import app
from streams.replay import LogFile, Shift, Tally, Timing, dated, in_order
from streams.replay.run import Deliveries

TICKETS = load_mapping(example_mapping("tickets"), "tickets.yaml")
SURVEYS = load_mapping(example_mapping("surveys"), "surveys.yaml")
TICKET = {
    "id": "T-7",
    "status": "closed",
    "group": "Boreal",
    "form": "Refund",
    "channel": "mail",
    "created_at": "2031-01-04 09:00:00",
    "first_reply_at": "2031-01-04T10:00:00Z",
    "solved_at": "2031-01-06 09:30:00",
    "due_at": "2031-01-05 09:00:00",
}
ANSWER = {
    "response_id": "r1",
    "status": "",
    "vendor": "acme",
    "answered_at": "2031-01-04T09:00:00Z",
    "kind": "Satisfaction",
    "score": "satisfied",
    "out_of": "5",
    "call": "c1",
    "queue": "-",
    "channel": "voice",
}


def at(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def made(mapping: Mapping, row: dict[str, Any]) -> tuple[EventDict, ...]:
    found = map_events(mapping, row, Place("log.csv", 2), None)
    assert not isinstance(found, Dropped), found
    return found


def written(path: Path, rows: Iterable[dict[str, Any]]) -> Path:
    rows = list(rows)
    path.write_text("\n".join([",".join(rows[0]), *(",".join(map(str, row.values())) for row in rows)]) + "\n")
    return path


def test_a_row_of_a_ticket_makes_an_event_for_each_step_that_was_taken() -> None:
    opened, replied, solved = made(TICKETS, TICKET)
    about = {"partner_id": "boreal", "contact_id": "T-7", "queue": "Refund", "channel": "mail"}
    due = {"due_at": at("2031-01-05 09:00")}
    assert opened == {"event_id": "T-7/opened", "type": "ticket.opened", "occurred_at": at("2031-01-04 09:00"), **about, **due}
    assert replied == {"event_id": "T-7/replied", "type": "ticket.replied", "occurred_at": at("2031-01-04 10:00"), **about}
    assert solved == {"event_id": "T-7/solved", "type": "ticket.solved", "occurred_at": at("2031-01-06 09:30"), **about, **due}
    assert [each["type"] for each in made(TICKETS, TICKET | {"first_reply_at": "", "solved_at": None})] == ["ticket.opened"]


def test_an_activity_follows_from_the_queue_only_where_the_mapping_says_so() -> None:
    assert "activity" not in made(TICKETS, TICKET)[0]
    saying = load_mapping(example_mapping("tickets").replace("# activity:", "activity:"), "tickets.yaml")
    assert {each["activity"] for each in made(saying, TICKET)} == {"refunds"}


@pytest.mark.parametrize(
    ("changes", "reason", "detail"),
    [
        ({"status": "spam"}, "merged", "status: spam"),
        ({"solved_at": "yesterday"}, "unreadable", "solved_at: no date and time: 'yesterday'"),
        ({"created_at": "", "first_reply_at": "", "solved_at": ""}, "unreadable", "no time of the ticket is given"),
        ({"group": ""}, "invalid", "partner_id: Field required"),
    ],
)
def test_a_ticket_that_does_not_hold_is_left_out_whole_and_says_which_field(changes: dict[str, str], reason: str, detail: str) -> None:
    assert map_events(TICKETS, TICKET | changes, Place("log.csv", 2), None) == Dropped(reason, detail)


def test_tickets_are_told_step_by_step_in_the_order_of_time(tmp_path: Path) -> None:
    later = TICKET | {"id": "T-8", "created_at": "2031-01-05 09:00:00", "first_reply_at": "", "solved_at": "2031-01-05 10:00:00"}
    path, tally = written(tmp_path / "tickets.csv", [TICKET, later]), Tally(TICKETS.zone)
    found = list(in_order(dated([LogFile(path, None)], TICKETS, tally), TICKETS.zone))
    assert [each["event_id"] for each in found] == ["T-7/opened", "T-7/replied", "T-8/opened", "T-8/solved", "T-7/solved"]
    assert (tally.rows, tally.events, tally.partners, tally.certain) == (2, 5, {"boreal"}, set())


def test_words_of_a_survey_become_scores_and_numbers_are_read() -> None:
    (rated,) = made(SURVEYS, ANSWER)
    assert (rated["survey"], rated["score"], rated["scale_max"], "queue" in rated) == ("csat", 4, 5, False)
    (number,) = made(SURVEYS, ANSWER | {"score": "9", "kind": "Recommend", "out_of": ""})
    assert (number["survey"], number["score"]) == ("nps", 9.0)
    wrong = map_events(SURVEYS, ANSWER | {"kind": "Mood"}, Place("log.csv", 2), None)
    assert isinstance(wrong, Dropped)
    assert wrong.detail.startswith("survey: Input should be 'csat'")


def test_an_export_without_a_column_is_refused_with_the_place_that_names_it() -> None:
    with pytest.raises(FileError, match=r"tickets\.csv:1: error: solved_at: no such column, which ticket\.solved of the mapping names"):
        check_columns(TICKETS, [column for column in TICKET if column != "solved_at"], "tickets.csv")


def mapping_of(kind: str, **columns: str) -> Mapping:
    fields = "".join(f"  {name}: {{column: {column}}}\n" for name, column in columns.items())
    text = f"version: 1\ntype: {kind}\nevent_id: [id]\nfields:\n  partner_id: {{constant: acme}}\n  occurred_at: {{column: at}}\n{fields}"
    return load_mapping(text, "mapping.yaml")


def test_schedules_evaluations_forecasts_and_money_are_made_field_by_field() -> None:
    row = {"id": "1", "at": "2031-01-04T09:00:00Z", "who": "ann", "what": "contacts", "end": "2031-01-04T17:00:00Z", "number": "12.5"}
    (shift,) = made(mapping_of("agent.scheduled", agent_id="who", **{"from": "at", "to": "end", "activity": "what"}), row)
    assert (shift["from"], shift["to"], shift["activity"]) == (at("2031-01-04 09:00"), at("2031-01-04 17:00"), "contacts")
    items = [{"criterion": "tone", "points": 3.0, "possible": 5.0}]
    evaluations = mapping_of("quality.evaluated", points="number", points_possible="number", items="items")
    assert made(evaluations, row | {"items": items})[0]["items"] == items
    flat = map_events(evaluations, row | {"items": "tone 3/5"}, Place("log.csv", 2), None)
    assert flat == Dropped("unreadable", "items: no list, which only JSON Lines can hold: 'tone 3/5'")
    (forecast,) = made(mapping_of("volume.forecast", offered="number", aht_seconds="number", interval_start="at", interval_end="end"), row)
    assert (forecast["offered"], forecast["aht_seconds"]) == (12.5, 12.5)
    (cost,) = made(mapping_of("cost.reported", amount="number", currency="what", period_start="at", period_end="end"), row)
    assert (cost["amount"], cost["period_end"]) == ("12.5", at("2031-01-04 17:00"))


@pytest.mark.parametrize(
    ("mapping", "source"),
    [
        (TICKETS, "interactions"),
        (SURVEYS, "surveys"),
        (mapping_of("quality.evaluated", points="p", points_possible="q"), "quality"),
        (mapping_of("agent.state", agent_id="who", state="state"), "workforce"),
        (mapping_of("training.done", agent_id="who", course="what"), "workforce"),
        (mapping_of("volume.forecast", offered="o", interval_start="s", interval_end="e"), "workforce"),
        (mapping_of("revenue.reported", amount="a", currency="c", period_start="s", period_end="e"), "finance"),
    ],
    ids=lambda each: each if isinstance(each, str) else each.type,
)
def test_each_kind_of_event_goes_to_its_topic(mapping: Mapping, source: str) -> None:
    assert Deliveries([], mapping, Timing(Shift.KEEP, None, 0)).source == source


def test_forecasts_and_money_are_not_moved_to_now(tmp_path: Path) -> None:
    log, mapping = tmp_path / "log.csv", tmp_path / "mapping.yaml"
    log.write_text("")
    mapping.write_text(
        "version: 1\ntype: cost.reported\nevent_id: [id]\nfields:\n"
        + "".join(
            f"  {name}: {{column: c}}\n" for name in ("partner_id", "occurred_at", "amount", "currency", "period_start", "period_end")
        )
    )
    done = CliRunner().invoke(app, ["replay", str(log), "--mapping", str(mapping), "--shift", "now"], env={"COLUMNS": "200"})
    assert done.exit_code == 2
    assert "replay it with --shift keep" in done.stderr
