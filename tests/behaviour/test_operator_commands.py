"""What an operator asks for on the command line, on a real broker: the workers do it, and answer."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner, Result

from models import clock
from models.settings import Settings
from streams.cli import app
from streams.present import read_present
from tests.topics import install
from tests.waiting import until
from tests.workers import Worker, following, heartbeats, send

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(300)]

PARTITIONS = 3
POLICY = """
version: 1
partners:
  - {id: acme, name: Acme}
rules:
  - id: lost
    kpi: abandon_rate
    window: 5m
    direction: above
    levels:
      - {severity: warning, enter: 0.1, exit: 0.05, for: 0}
    recover_for: 0
    min_samples: 1
    escalation: ops
escalations:
  - {id: ops, group_wait: 0, steps: [{tell: [{rotation: ops}]}]}
people:
  - {id: ana, name: Ana, reach: {mail: [ana@example.com]}}
  - {id: bo, name: Bo, reach: {mail: [bo@example.com]}}
rotations:
  - {id: ops, timezone: UTC, layers: [{starts: 2026-01-05T09:00, rrule: FREQ=DAILY, members: [ana]}]}
"""
WAIT_SECONDS = 120.0


@pytest.fixture
async def settings(kafka: str, app_id: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    made = Settings(brokers=kafka, app_id=app_id, topic_prefix=f"{app_id}.", partitions=PARTITIONS)
    await install(made, POLICY, monkeypatch)
    return made


async def outwatch(*words: str) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, app, words)


async def on_call() -> list[str]:
    """Who is on call now, of the one rotation."""
    (told,) = orjson.loads((await outwatch("oncall", "who", "--json")).stdout)
    people: list[str] = told["people"]
    return people


def stamp(at_ms: int) -> str:
    """A time as iCalendar writes it."""
    return datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y%m%dT%H%M00Z")


async def somebody_takes_a_shift(now: int, folder: Path) -> None:
    assert await on_call() == ["ana"]
    span = ("--from", "2026-01-01", "--to", datetime.fromtimestamp(now / 1000 + 3600, UTC).isoformat())
    taken = await outwatch("oncall", "take", "ops", "--as", "bo", *span, "--json")
    assert taken.exit_code == 0, taken.output
    assert await on_call() == ["bo"]
    over = orjson.loads((await outwatch("oncall", "report", "ops", "--json")).stdout)
    assert (over["people"], over["following"]) == (["ana"], ["bo"])
    assert [(each["partner"], [one["by"] for one in each["taken"]]) for each in over["incidents"]] == [("acme", ["ana"])]
    assert (await outwatch("oncall", "lint")).output == "somebody is always on call\n"
    assert (await outwatch("oncall", "cancel", orjson.loads(taken.stdout)["id"])).exit_code == 0
    assert await on_call() == ["ana"]
    calendar = folder / "swap.ics"
    lines = ["BEGIN:VEVENT", f"DTSTART:{stamp(now - 60_000)}", f"DTEND:{stamp(now + 3_600_000)}", "SUMMARY:Bo", "END:VEVENT"]
    calendar.write_text("\n".join(["BEGIN:VCALENDAR", *lines, "END:VCALENDAR"]))
    assert (await outwatch("oncall", "import", str(calendar), "--rotation", "ops", "--send")).exit_code == 0
    assert await on_call() == ["bo"]
    for words in (("cancel", "nothing"), ("take", "ops", "--as", "zoe", *span), ("take", "opps", "--as", "bo", *span)):
        assert (await outwatch("oncall", *words)).exit_code == 1


async def somebody_looks_after_the_incident(settings: Settings) -> None:
    """The alert was acknowledged, and so is its incident; it is told on from there."""
    (incident,) = orjson.loads((await outwatch("incident", "list", "--json")).stdout)
    assert (incident["attention"], incident["held"]["by"], incident["unseen"]) == ("acked", "ana", False)
    assert [each["target"]["person"] for each in incident["told"]] == ["ana"]
    name = incident["id"][:8]
    for words in (("comment", name, "called them"), ("reassign", name, "--person", "bo"), ("snooze", name, "--for", "1h")):
        done = await outwatch("incident", *words, "--actor", "ana")
        assert done.exit_code == 0, done.output
    assert (await outwatch("incident", "reassign", name, "--person", "zoe")).exit_code == 1
    shown = (await outwatch("incident", "show", name)).output
    assert "commented by ana: called them" in shown
    assert "snoozed by ana until" in shown
    assert (await outwatch("incident", "resolve", name, "--comment", "done")).exit_code == 0
    assert (await outwatch("incident", "ack", name)).exit_code == 1
    sent = [orjson.loads(value) for value in await intents(settings)]
    assert [(each["kind"], each["receiver"]["id"]) for each in sent] == [
        *(("trigger", "ana"), ("acknowledge", "ana"), ("trigger", "bo")),
        *(("acknowledge", "ana"), ("acknowledge", "bo"), ("resolve", "ana"), ("resolve", "bo")),
    ]
    assert {each["incident"] for each in sent} == {incident["id"]}


async def intents(settings: Settings) -> list[bytes]:
    """All that was to be sent, in order: every record, where a reader of what is present would see the newest alone."""
    async with following(settings, settings.topics.notifications) as seen:

        async def ended() -> bool:
            return [orjson.loads(each.value or b"null")["kind"] for each in seen].count("resolve") == len(("ana", "bo"))

        await until(ended, WAIT_SECONDS)
        return [each.value or b"" for each in seen]


async def states(settings: Settings) -> dict[str, Any]:
    """What stands on the topic of states, by key."""
    stored = await read_present(settings, settings.topics.alerts_state)
    return {key.decode(): orjson.loads(value) for (_, key), value in stored.items()}


async def test_an_operator_silences_acknowledges_annotates_and_takes_a_shift(settings: Settings, tmp_path: Path) -> None:
    topics = settings.topics
    async with following(settings, topics.heartbeats) as seen:
        with Worker(settings, tmp_path / "worker.log") as worker:

            async def ready() -> bool:
                return len(heartbeats(seen, settings)) == PARTITIONS

            async def fires() -> bool:
                return any(state.get("state") == "firing" for state in (await states(settings)).values())

            try:
                await until(ready, WAIT_SECONDS)
                now = clock.now_ms()
                lost = {"type": "contact.abandoned", "partner_id": "acme", "occurred_at": now, "wait_seconds": 60}
                await send(settings, topics.interactions, *(lost | {"event_id": f"e{number}"} for number in range(50)))
                await until(fires, WAIT_SECONDS)
            except TimeoutError:
                raise AssertionError(worker.tail()) from None

            (fingerprint,) = await states(settings)
            acked = await outwatch("ack", fingerprint[:8], "--comment", "on it", "--actor", "ana")
            assert (acked.exit_code, acked.output.split("  ")[1]) == (0, "applied: acknowledged by ana\n"), acked.output
            ack = (await states(settings))[fingerprint]["ack"]
            assert (ack["actor"], ack["comment"]) == ("ana", "on it")
            await somebody_looks_after_the_incident(settings)
            noted = await outwatch("annotate", "release 7", "--kind", "release")
            assert noted.exit_code == 0, noted.output
            said = await outwatch("comment", fingerprint[:8], "the dialler was restarted", "--actor", "ben")
            assert said.exit_code == 0, said.output
            then = [datetime.fromtimestamp(now / 1000 - 60 * minutes, UTC).isoformat() for minutes in (5, 4)]
            early = await outwatch("annotate", "new script", "--from", then[0], "--to", then[1], "--partner", "acme", "--json")
            compared = await outwatch("annotation", "show", orjson.loads(early.stdout)["id"], "--json")
            assert compared.exit_code == 0, compared.output
            assert orjson.loads(compared.stdout)["annotation"]["text"] == "new script"
            assert (await outwatch("annotation", "list")).output.count("other") == 1
            added = await outwatch("silence", "add", "--partner", "*", "--rule", "lo*", "--for", "1h", "--comment", "known", "--json")
            assert added.exit_code == 0, added.output
            identity = orjson.loads(added.stdout)["id"]

            present = await states(settings)
            assert present[fingerprint]["ack"] is None, "its incident was handed to somebody else since"
            assert [each["text"] for each in present[fingerprint]["comments"]] == ["the dialler was restarted"]
            notes = {body["text"] for key, body in present.items() if key.startswith("annotation/")}
            assert notes == {"release 7", "new script"}
            listed = await outwatch("silence", "list")
            assert identity in listed.output
            assert "partner=* rule=lo*" in listed.output

            async def waits() -> bool:
                return bool((await states(settings))[fingerprint]["suppressed_by"])

            await until(waits, WAIT_SECONDS)
            assert (await outwatch("silence", "expire", identity)).exit_code == 0

            async def pages() -> bool:
                found = await states(settings)
                return not found[fingerprint]["suppressed_by"] and f"silence/{identity}" not in found

            await until(pages, WAIT_SECONDS)
            assert (await outwatch("silence", "list")).output == "nothing is silenced\n"
            for words in (("silence", "expire", identity), ("ack", "0" * 8)):
                assert (await outwatch(*words)).exit_code == 1

            await somebody_takes_a_shift(now, tmp_path)
            await worker.terminate()
