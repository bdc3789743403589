"""No notification, whatever its texts, breaks a limit for which a receiver would refuse it."""

import re
from datetime import datetime
from email import message_from_bytes
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from alerts.notify import slack, teams
from alerts.notify.mail import SUBJECT_MAX
from alerts.notify.render import render
from alerts.notify.request import Letter, Request
from alerts.notify.text import cut, units
from models.notifications import Notification
from tests.pages import AT_MS, CIRCUMSTANCES, KINDS, RECEIVERS, SECRETS, notification

RUNBOOKS = st.one_of(st.none(), st.text(max_size=1500), st.text(max_size=1200).map("https://runbooks.example/{}".format))
TEXTS = st.one_of(st.text(max_size=200), st.text("ab &<>é😀\n", max_size=100), st.just("&" * 200))
LONG = st.one_of(st.text(max_size=50), st.builds(lambda text, times: text * times, st.text("a &<>😀\n", max_size=40), st.integers(1, 200)))


@st.composite
def notifications(draw: st.DrawFn, receiver: str) -> Notification:
    said: dict[str, Any] = KINDS[draw(st.sampled_from(sorted(KINDS)))]
    return notification(
        receiver,
        **said,
        partner=draw(LONG.map(lambda text: text[:128] or "p")),
        text=draw(TEXTS),
        facts=[{"name": name, "value": value} for name, value in draw(st.lists(st.tuples(LONG, LONG), max_size=60))],
        labels=draw(st.dictionaries(LONG, LONG, max_size=10)),
        runbook=draw(RUNBOOKS),
        suggested_action=draw(st.none() | LONG),
        late=draw(st.booleans()),
    )


def body(made: Request | Letter) -> Any:
    assert isinstance(made, Request)
    return orjson.loads(made.body)


@given(notifications("slack"), st.none() | st.just("1795435000.000100"))
def test_slack_takes_the_blocks(page: Notification, receipt: str | None) -> None:
    said = body(render(page, CIRCUMSTANCES._replace(receipt=receipt)))
    assert said.get("thread_ts") == receipt
    assert 0 < units(said["text"]) <= 4_000
    assert 0 < len(said["blocks"]) <= slack.BLOCKS_MAX
    for block in said["blocks"]:
        match block["type"]:
            case "header":
                assert 0 < units(block["text"]["text"]) <= slack.HEADER_MAX
            case "section":
                assert len(block.get("fields", ())) <= slack.FIELDS_MAX
                assert all(0 < units(field["text"]) <= slack.FIELD_MAX for field in block.get("fields", ()))
                assert "text" not in block or (block["text"]["text"].strip() and units(block["text"]["text"]) <= slack.SECTION_MAX)
            case "actions":
                assert all(units(button.get("value", "x")) <= 2000 for button in block["elements"])
    marked = [block["text"]["text"] for block in said["blocks"] if block["type"] == "section" and "text" in block]
    assert not re.search(r"&(?!amp;|lt;|gt;)|[<>]", "".join(marked)), "what was escaped was cut in two"


@given(notifications("pagerduty"))
def test_pagerduty_takes_the_event(page: Notification) -> None:
    said = body(render(page, CIRCUMSTANCES))
    assert said["dedup_key"] == page.incident
    assert units(said["dedup_key"]) <= 255
    payload = said.get("payload")
    assert (payload is None) is (page.kind in {"acknowledge", "resolve"})
    if payload is not None:
        assert units(payload["summary"]) <= 1024
        assert payload["severity"] in {"critical", "error", "warning", "info"}
        assert len(orjson.dumps(said)) <= 512_000


@given(notifications("alertmanager"))
def test_alertmanager_takes_the_alert(page: Notification) -> None:
    (alert,) = body(render(page, CIRCUMSTANCES))
    assert alert["labels"]["incident"] == page.incident
    for name, value in {**alert["labels"], **alert["annotations"]}.items():
        assert re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]*", name)
        assert value
    begins, ends = datetime.fromisoformat(alert["startsAt"]), datetime.fromisoformat(alert["endsAt"])
    assert begins <= ends
    assert (ends.timestamp() * 1000 > AT_MS) is (page.kind != "resolve")


@given(notifications("teams"))
def test_teams_takes_the_card(page: Notification) -> None:
    made = render(page, CIRCUMSTANCES)
    assert isinstance(made, Request)
    assert len(made.body) <= teams.BODY_BYTES_MAX
    (attachment,) = orjson.loads(made.body)["attachments"]
    assert attachment["content"]["version"] == "1.2"
    assert attachment["content"]["body"][1]["facts"]


@given(notifications("mail"))
def test_mail_can_be_read_and_keeps_to_a_thread(page: Notification) -> None:
    made = render(page, CIRCUMSTANCES)
    assert isinstance(made, Letter)
    read = message_from_bytes(made.message.as_bytes())
    assert len(str(made.message["Subject"])) <= SUBJECT_MAX
    assert read["In-Reply-To"] == f"<{page.incident}@client.example>"
    assert read["Message-ID"] == f"<{page.id}@client.example>"
    assert [part.get_content_type() for part in read.walk()] == ["multipart/alternative", "text/plain", "text/html"]
    assert max(len(line) for line in made.message.as_bytes().split(b"\r\n")) <= 998


@given(st.data(), st.sampled_from(sorted(RECEIVERS)))
def test_a_body_holds_no_secret_but_the_routing_key_of_its_own(data: st.DataObject, receiver: str) -> None:
    made = render(data.draw(notifications(receiver)), CIRCUMSTANCES)
    text = made.message.as_bytes() if isinstance(made, Letter) else made.body
    for name, secret in SECRETS.items():
        assert secret.encode() not in text or (receiver, name) == ("pagerduty", "pagerduty-ops")
        assert receiver == "pagerduty" or f'"{name}"'.encode() not in text


@given(st.text(), st.integers(1, 50))
def test_a_cut_text_fits_and_begins_as_the_whole(text: str, limit: int) -> None:
    short = cut(text, limit)
    assert units(short) <= limit
    assert short == text or (short.endswith("…") and text.startswith(short[:-1]))
