"""`outwatch policy backtest`: which histories it reads, and what it says of them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import duckdb
import orjson
import pytest
from typer import Typer
from typer.testing import CliRunner

from alerts.reducer import evaluate
from bench.backtest import year
from models.decode import Rejection, decode_run
from models.errors import FileError
from models.policy import compile_partner
from models.policy_file import load, parts
from models.windows import HOUR_MS, MINUTE_MS
from streams.cli import policy, policy_backtest
from streams.cli.exits import Exit
from streams.engine import judge
from streams.trial import past, watch
from streams.trial.histories import Read, mapped_events, read_events
from streams.trial.outcome import Episode, Outcome, differences
from streams.trial.picture import picture
from streams.trial.rest import can_rest
from tests.engines import event

ROOT = Path(__file__).parents[2]
START_MS = 1_772_442_000_000
"""2026-03-02 09:00 UTC."""

POLICY = """\
version: 1
defaults: {timezone: Europe/Lisbon, definition: {targets: {service_level: {target: 0.8}, csat: {target: 0.9}}}}
partners: [{id: acme, name: Acme}, {id: delta, name: Delta}]
rules:
  - id: low
    kpi: service_level
    window: 15m
    direction: below
    runbook: r
    levels: [{severity: warning, enter: 0.8, exit: 0.9, for: 1m}, {severity: critical, enter: 0.5, exit: 0.6, for: 1m}]
    recover_for: 2m
    min_samples: MIN
  - {id: never, kpi: csat, window: 1h, direction: below, runbook: r, levels: [{severity: warning, enter: 0.1, exit: 0.2, for: 1m}]}
"""

app = Typer()
app.command("lint")(policy.lint)
app.command("backtest")(policy_backtest.backtest)
cli = CliRunner()


def history() -> Iterator[dict[str, Any]]:
    """Two hours of a contact in ten seconds, all of them too late in the second quarter of an hour; then one more a day later."""
    for number in range(720):
        late = 90 <= number < 180
        yield event("contact.answered", START_MS + 10_000 * number, f"{number}", wait_seconds=60.0 if late else 5.0)
    yield event("contact.answered", START_MS + 30 * HOUR_MS, "last")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "policy.yaml").write_text(POLICY.replace("MIN", "20"))
    (tmp_path / "strict.yaml").write_text(POLICY.replace("MIN", "600"))
    (tmp_path / "history.jsonl").write_bytes(b"".join(orjson.dumps(each) + b"\n" for each in history()))
    return tmp_path


def run(folder: Path, *more: str, events: str = "history.jsonl") -> Any:
    done = cli.invoke(app, ["backtest", "--json", "--events", str(folder / events), *more, str(folder / "policy.yaml")])
    assert done.exit_code == Exit.OK, done.output
    return orjson.loads(done.output)


def test_an_episode_is_told_with_its_times_hour_and_worst_severity(folder: Path) -> None:
    found = run(folder)
    (episode,) = found["policy"]["episodes"]
    assert (found["events"], found["left_out"]) == (721, {})
    assert (episode["partner"], episode["rule"], episode["scope"], episode["severity"], episode["hour"]) == (
        "acme",
        "low",
        "all",
        "critical",
        9,
    )
    assert START_MS + 15 * 60_000 < episode["fired_ms"] < START_MS + 25 * 60_000
    assert START_MS + 30 * 60_000 < episode["ended_ms"] < START_MS + 50 * 60_000
    low, never = found["policy"]["rules"]
    assert (low["alerts"], low["minutes"]) == (1, (episode["ended_ms"] - episode["fired_ms"]) / 60_000)
    assert (low["alerts_by_hour"][9], sum(low["alerts_by_hour"])) == (1, 1)
    assert (never["alerts"], never["minutes"]) == (0, 0)


@pytest.mark.parametrize(("hours", "why"), [("mon: '00:00-24:00'", []), ("sun: '00:00-24:00'", ["inhibited", "out_of_hours"])])
def test_an_episode_is_quiet_where_its_page_waited_to_the_end_and_not_where_it_waited_for_a_cause(
    folder: Path, hours: str, why: list[str]
) -> None:
    text = (folder / "policy.yaml").read_text().replace("{id: acme,", f"{{id: acme, hours: {{{hours}}},")
    inhibit = "inhibit: [{source: {rule: never}, target: {rule: low}}]\n"
    (folder / "policy.yaml").write_text(f"{text}{inhibit}")
    (episode,) = run(folder)["policy"]["episodes"]
    assert episode["suppressed_by"] == why


def test_a_picture_that_cannot_be_written_is_refused_before_anything_is_read(folder: Path) -> None:
    arguments = ["--picture", str(folder / "nowhere" / "p.svg"), "--events", str(folder / "history.jsonl"), str(folder / "policy.yaml")]
    done = cli.invoke(app, ["backtest", *arguments])
    assert (done.exit_code, "cannot be" in done.output) == (Exit.USAGE, True)


def test_targets_are_held_against_days_that_are_over(folder: Path) -> None:
    assert run(folder)["policy"]["targets"] == {"acme": {"csat": {"days": 0, "met": 0}, "service_level": {"days": 1, "met": 1}}}


def test_what_differs_from_another_policy_is_told_by_rule(folder: Path) -> None:
    (changed,) = run(folder, "--against", str(folder / "strict.yaml"))["differences"]
    assert (changed["rule"], changed["episodes"], changed["episodes_against"]) == ("low", 1, 0)
    assert (len(changed["only"]), changed["only_against"]) == (1, [])
    assert run(folder, "--against", str(folder / "policy.yaml"))["differences"] == []


def test_the_table_fits_into_80_columns(folder: Path) -> None:
    done = cli.invoke(
        app, ["backtest", "--events", str(folder / "history.jsonl"), "--against", str(folder / "strict.yaml"), str(folder / "policy.yaml")]
    )
    lines = [line.rstrip() for line in done.output.splitlines()]
    assert max(map(len, lines)) <= 80
    assert lines[0] == "2026-03-02 09:00 to 2026-03-03 15:00 UTC: 721 events"
    assert lines[2].split()[:2] == ["low", "1"]
    assert lines[2].endswith("·········█··············")


def test_parquet_and_json_lines_of_the_same_events_come_to_the_same(folder: Path) -> None:
    source, target = folder / "history.jsonl", folder / "history.parquet"
    duckdb.sql(f"COPY (SELECT * FROM read_json('{source}')) TO '{target}' (FORMAT parquet)")
    assert run(folder, events="history.parquet") == run(folder)


def test_times_of_a_parquet_file_are_read_as_utc(folder: Path) -> None:
    path = folder / "times.parquet"
    columns = (
        "'a' AS event_id, 'contact.queued' AS type, 'acme' AS partner_id, 'a' AS contact_id, TIMESTAMP '2026-03-02 09:00:00' AS occurred_at"
    )
    duckdb.sql(f"COPY (SELECT {columns}, NULL AS queue) TO '{path}' (FORMAT parquet)")
    assert [each.at_ms for each in read_events([path], Read(), lambda _: None)] == [START_MS]


def test_a_file_that_is_no_parquet_says_so(folder: Path) -> None:
    path = folder / "broken.parquet"
    path.write_text("no")
    with pytest.raises(FileError, match=r"broken.parquet:1: error: \(file\): cannot be read"):
        list(read_events([path], Read(), lambda _: None))


def test_a_mapped_log_is_read_as_replay_reads_it(folder: Path) -> None:
    from models.mapping_file import load_mapping

    text = """\
version: 1
type: survey.response
event_id: [id]
fields:
  partner_id: {constant: acme}
  occurred_at: {column: at}
  survey: {constant: csat}
  score: {column: score}
"""
    log = folder / "answers.csv"
    log.write_text("id,at,score\n1,2026-03-02T09:00:00Z,5\n2,2026-03-02T09:01:00Z,x\n3,2026-03-02T08:59:00Z,1\n")
    read, sizes = Read(), list[int]()
    found = list(mapped_events([log], load_mapping(text, "m.yaml"), None, None, read, sizes.append))
    assert [each.at_ms - START_MS for each in found] == [-60_000, 0]
    assert (read.events, read.left_out, sum(sizes)) == (2, {"unreadable": 1}, log.stat().st_size)


def test_files_are_put_together_by_time_and_what_is_no_event_is_counted(folder: Path) -> None:
    one, two = folder / "one.jsonl", folder / "two.jsonl"
    lines = [orjson.dumps(event("contact.queued", START_MS + at, f"{at}")) for at in (0, 1, 2, 3)]
    one.write_bytes(b"\n".join((lines[0], b"{}", b"", lines[3])))
    two.write_bytes(b"\n".join((lines[1], b'{"type":"clock.advanced","to":5}', lines[2])))
    read = Read()
    assert [each.at_ms - START_MS for each in read_events([one, two], read, lambda _: None)] == [0, 1, 2, 3]
    assert read.left_out == {"type": 1, "clock.advanced": 1}


def test_csv_without_a_mapping_is_refused(folder: Path) -> None:
    (folder / "log.csv").write_text("a\n")
    with pytest.raises(FileError, match="say with --mapping"):
        read_events([folder / "log.csv"], Read(), lambda _: None)


def test_partners_that_no_policy_names_are_left_out_and_nothing_read_ends_with_1(folder: Path) -> None:
    other = folder / "other.jsonl"
    other.write_bytes(orjson.dumps(event("contact.queued", START_MS, "a", partner="nobody")))
    done = cli.invoke(app, ["backtest", "--events", str(other), str(folder / "policy.yaml")])
    assert (done.exit_code, done.output) == (Exit.PROBLEMS, "0 events, left out 1 no_policy\n")


def test_either_files_or_a_range_of_kafka_is_asked_for(folder: Path) -> None:
    done = cli.invoke(app, ["backtest", str(folder / "policy.yaml")])
    assert (done.exit_code, "--from and --to" in done.output) == (Exit.USAGE, True)


def test_the_picture_has_a_line_for_each_condition_and_a_bar_for_each_episode(folder: Path) -> None:
    file = folder / "timeline.svg"
    run(folder, "--picture", str(file), "--against", str(folder / "strict.yaml"))
    root = ET.fromstring(file.read_text())
    bars = [each for each in root if each.tag.endswith("rect") and len(each)]
    texts = [each.text for each in root if each.tag.endswith("text")]
    assert (len(bars), "acme  low" in texts) == (1, True)


def test_a_long_name_does_not_stand_in_the_way_of_bars() -> None:
    long = Episode("a-partner-with-a-name", "a_rule_of_a_long_name_low", "queue=complaints-and-returns", "warning", START_MS, None, 9)
    root = ET.fromstring(picture(Outcome(START_MS, START_MS + HOUR_MS, (), (long,))))
    (name,) = [each for each in root if each.tag.endswith("text") and (each.text or "").startswith("a-partner")]
    assert len(name.text or "") <= 52
    assert name[0].text == "a-partner-with-a-name  a_rule_of_a_long_name_low  queue=complaints-and-returns"


def test_the_picture_has_colours_for_a_light_and_a_dark_page() -> None:
    drawn = picture(Outcome(START_MS, START_MS + HOUR_MS, (), ()))
    assert "color-scheme: light dark" in drawn
    assert "prefers-color-scheme: dark" in drawn


def test_the_picture_of_no_alert_says_so() -> None:
    assert "no alert" in picture(Outcome(START_MS, START_MS + HOUR_MS, (), ()))


def test_episodes_that_overlap_are_alike_and_others_are_new_or_gone() -> None:
    def episode(fired: int, ended: int | None) -> Episode:
        return Episode("acme", "low", "all", "warning", fired, ended, 0)

    new = Outcome(0, 100, ("low",), (episode(10, 20), episode(50, None)))
    old = Outcome(0, 100, ("low",), (episode(15, 30), episode(32, 40)))
    (found,) = differences(new, old)
    assert (found.only, found.only_against) == ((episode(50, None),), (episode(32, 40),))


def test_rules_that_silence_or_a_count_can_fire_are_never_slept_through() -> None:
    def policy_of(**changes: Any) -> Any:
        rule = {"id": "a", "kpi": "asa", "window": "1h", "direction": "above", "levels": [], "runbook": "r"} | changes
        rule["levels"] = [{"severity": "warning", "enter": 9, "exit": 8, "for": 0}]
        text = orjson.dumps({"version": 1, "partners": [{"id": "acme", "name": "A"}], "rules": [rule]}).decode()
        shared, own = parts(load(text, "p"))
        return compile_partner(shared, own["acme"], "acme")

    assert can_rest(policy_of())
    assert not can_rest(policy_of(on_missing="zero"))
    assert not can_rest(policy_of(on_missing="breaching"))
    assert not can_rest(policy_of(kpi="in_queue"))


def test_the_year_of_the_benchmark_is_readable_and_in_order() -> None:
    events = list(year(2_000))
    assert len(events) == 2_000
    assert [each["occurred_at"] for each in events] == sorted(each["occurred_at"] for each in events)
    assert not any(isinstance(each, Rejection) for each in decode_run([orjson.dumps(each) for each in events]))


def test_a_rule_that_raises_is_told_of_is_looked_at_again_and_stops_no_other(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = (
        POLICY[POLICY.index("  - id: low") :].split("  - {id: never", maxsplit=1)[0].replace("id: low", "id: other").replace("MIN", "20")
    )
    (folder / "policy.yaml").write_text((folder / "policy.yaml").read_text() + other)
    alone = [each for each in run(folder)["policy"]["episodes"] if each["rule"] == "other"]

    def raising(until_ms: int) -> None:
        def broken(of: Any, condition: Any, sample: Any, at_ms: int) -> Any:
            if of.id == "low" and at_ms < until_ms:
                msg = "too few"
                raise ArithmeticError(msg)
            return evaluate(of, condition, sample, at_ms)

        for module in (judge, watch):
            monkeypatch.setattr(module, "evaluate", broken)

    raising(START_MS + 100 * HOUR_MS)
    found = run(folder)["policy"]
    assert found["episodes"] == alone != []
    assert found["failures"]["rule low"].keys() == {"times", "error"}
    assert (found["failures"]["rule low"]["times"] > 10, found["failures"]["rule low"]["error"]) == (True, "ArithmeticError('too few')")
    shown = cli.invoke(app, ["backtest", "--events", str(folder / "history.jsonl"), str(folder / "policy.yaml")]).output
    assert "rule low failed" in shown
    assert "ArithmeticError" in shown
    raising(START_MS + 25 * MINUTE_MS)
    tallied = run(folder)["policy"]
    assert [each["rule"] for each in tallied["episodes"]] == ["other", "low"]
    monkeypatch.setattr(past, "can_rest", lambda _: False)
    engine = run(folder)["policy"]
    assert engine["episodes"] == tallied["episodes"]
    assert engine["failures"]["rule low"]["times"] > 10
