"""The desk on a real Redis: what it shows, to whom, and what it lets be asked."""

import asyncio
import json
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson
import pytest
from jsonschema import Draft202012Validator
from multidict import CIMultiDict
from redis.exceptions import ConnectionError as RedisConnectionError

from desk.board import delta
from desk.files import VIEWS, page_files
from desk.openapi import document
from desk.routes import ROUTES
from desk.server import BODY_BYTES_MAX
from desk.sessions import COOKIE
from desk.shapes import Now
from models.commands import PAYLOADS
from models.kpis import CATALOGUE
from models.view import Keys
from models.windows import DAY_MS
from streams.local.redis import LocalRedis
from streams.projector.projection import Record
from tests.desks import (
    ACME_ALERT,
    ACME_INCIDENT,
    BOREAL_ALERT,
    BOREAL_INCIDENT,
    ROLES,
    TOKENS,
    UNTOLD_INCIDENT,
    Served,
    alert,
    fill,
    incident,
    override,
    serving,
)
from tests.view_records import AT_MS, alert_event, kpi_record
from tests.waiting import until

pytestmark = pytest.mark.redis

EVERYBODY = set(ROLES)
MAY: dict[str, set[str]] = {
    "openapi": {*ROLES, "nobody"},
    "login": {*ROLES, "nobody"},
    "session": EVERYBODY,
    "logout": EVERYBODY,
    "snapshot": EVERYBODY,
    "stream": EVERYBODY,
    "partners": EVERYBODY,
    "partner": EVERYBODY,
    "figures": EVERYBODY,
    "kpi": EVERYBODY,
    "sparks": EVERYBODY,
    "catalogue": EVERYBODY,
    "timeline": EVERYBODY,
    "alerts": EVERYBODY,
    "incidents": EVERYBODY,
    "oncall": EVERYBODY,
    "schedule": EVERYBODY,
    "reports": EVERYBODY,
    "acknowledge": {"operator", "admin", "partner"},
    "snooze": {"operator", "admin"},
    "silence": {"operator", "admin"},
    "expire": {"operator", "admin"},
    "resolve": {"operator", "admin"},
    "reassign": {"operator", "admin"},
    "override": {"operator", "admin"},
    "cancel": {"operator", "admin"},
    "comment": {"operator", "admin", "partner"},
    "annotate": {"operator", "admin"},
    "dispute": {"operator", "admin", "partner"},
}
"""Written out here as well, so that a route that is opened to somebody is opened twice."""

STARTS_MS = 1_767_603_600_000
"""2026-01-05T09:00Z: when the rotations of the policy begin."""
SPAN = {"from": AT_MS - 60_000, "to": AT_MS}
BODIES: dict[str, Any] = {
    "login": {"token": TOKENS["viewer"]},
    "acknowledge": {"alert": ACME_ALERT, "comment": "on it"},
    "snooze": {"incident": ACME_INCIDENT, "until": AT_MS + 1},
    "silence": {"partner": "acme", "rule": "sl*", "until": AT_MS + 1, "comment": "known"},
    "expire": {"silence": "s-acme"},
    "resolve": {"incident": ACME_INCIDENT, "comment": "over"},
    "reassign": {"incident": ACME_INCIDENT, "to": {"person": "bia"}},
    "override": {"rotation": "ops", "person": "ana", "from": AT_MS, "to": AT_MS + 1},
    "cancel": {"override": "o-acme"},
    "comment": {"incident": ACME_INCIDENT, "comment": "looking"},
    "annotate": {"partner": "acme", "kind": "release", "text": "new menu", **SPAN},
    "dispute": {"partner": "acme", "kpi": "service_level", "text": "we count 85 %", **SPAN},
}


@pytest.fixture
async def served(redis_url: str, app_id: str, tmp_path: Path) -> AsyncIterator[Served]:
    async with serving(redis_url, app_id, tmp_path) as made:
        yield made


class Events:
    """A stream as a page reads it."""

    def __init__(self, lines: Any) -> None:
        self._lines = lines

    async def next(self) -> tuple[str, Any]:
        async with asyncio.timeout(10):
            event = (await self._lines.readuntil(b"\n\n")).decode().strip()
        if not event:
            msg = "the desk ended the stream"
            raise EOFError(msg)
        kind, _, data = event.partition("\n")
        return kind.removeprefix("event: "), json.loads(data.removeprefix("data: "))

    async def next_of(self, kind: str) -> Any:
        while True:
            found, data = await self.next()
            if found == kind:
                return data


@asynccontextmanager
async def streaming(served: Served, role: str = "viewer", window: str = "15m", encoding: str = "gzip") -> AsyncIterator[Events]:
    headers = {"Authorization": f"Bearer {TOKENS[role]}", "Accept-Encoding": encoding}
    async with served.session.get(f"{served.url}/api/v1/stream?window={window}", headers=headers, read_bufsize=1 << 20) as response:
        assert response.status == 200, await response.text()
        assert response.content_type == "text/event-stream"
        assert response.headers.get("Content-Encoding", "identity") == encoding
        yield Events(response.content)


async def test_every_route_lets_in_whom_it_names_and_nobody_else(served: Served) -> None:
    assert {route.name for route in ROUTES} == set(MAY), "every route says here who may"
    paths = {(route.method, getattr(route.resource, "canonical", "")) for route in served.desk._app.router.routes()}
    page = {
        ("GET", path) for path in (*VIEWS, "/favicon.ico", *(f"/page/{each.name}" for each in page_files() if each.name != "index.html"))
    }
    assert paths == {(route.method, route.path) for route in ROUTES} | page, "there is no other way in"
    for route in ROUTES:
        path = route.path.replace("{partner}", "acme").replace("{kpi}", "service_level")
        for role in (*ROLES, "nobody"):
            if route.name == "stream" and role != "nobody":
                async with streaming(served, role) as events:
                    assert (await events.next())[0] == "snapshot"
                continue
            answer = await served.ask(path, None if role == "nobody" else role, route.method, json=BODIES.get(route.name))
            expected = route.status if role in MAY[route.name] else 401 if role == "nobody" else 403
            assert answer.status == expected, (route.name, role, await answer.text())


def holds(name: str, body: Any) -> None:
    """That an answer is what the OpenAPI document says."""
    schema = {"$ref": f"#/components/schemas/{name}", "components": document()["components"]}
    Draft202012Validator(schema).validate(body)


@pytest.mark.parametrize("role", ["operator", "partner"])
async def test_every_answer_and_frame_is_what_the_document_says(served: Served, role: str) -> None:
    for route in ROUTES:
        if route.method == "GET" and route.answer is not None:
            path = route.path.replace("{partner}", "acme").replace("{kpi}", "service_level")
            holds(route.answer.__name__, await served.get(path, role))
    async with streaming(served, role) as events:
        holds("Snapshot", (await events.next())[1])
        changed = [Record(served.settings.topics.kpis, 0, *kpi_record("acme", {"answered": 50}, revision=2))]
        await fill(served.client, served.settings, [*changed, Record(served.settings.topics.incidents, 0, ACME_INCIDENT.encode(), None)])
        holds("Delta", await events.next_of("delta"))
    holds("Problem", await (await served.ask("/api/v1/nothing")).json(content_type=None))
    holds("Accepted", await (await served.post("acknowledge", {"incident": UNTOLD_INCIDENT})).json())


async def test_a_partner_sees_nothing_of_another_on_any_route_nor_in_the_stream(served: Served) -> None:
    for route in ROUTES:
        if route.method != "GET" or route.name in {"stream", "openapi"}:
            continue
        for partner in ("acme", "boreal"):
            path = route.path.replace("{partner}", partner).replace("{kpi}", "service_level")
            answer = await served.ask(path, "partner")
            if "{partner}" in route.path and partner == "boreal":
                assert answer.status == 404
            text = (await answer.text()).replace("there is no partner 'boreal'", "")
            assert "boreal" not in text.lower(), route.name
            assert '"*"' not in text, route.name
            assert "duty@example.com" not in text, "nor who else was told"
    async with streaming(served, "partner") as events:
        _, told = await events.next()
        assert "boreal" not in json.dumps(told).lower()
        changed = [Record(served.settings.topics.kpis, 0, *kpi_record(name, {"answered": 50}, revision=2)) for name in ("boreal", "acme")]
        await fill(served.client, served.settings, changed)
        delta = await events.next_of("delta")
        assert [each["partner"] for each in delta["changed"]["partners"]] == ["acme"]
        assert set(delta["changed"]) == {"partners"}


async def test_a_partner_is_told_neither_what_others_said_nor_what_they_are_to_do(served: Served) -> None:
    """On no route and in no frame; whoever works for the client is told all of it."""
    key, value = alert("acme", ACME_ALERT)
    said = {"actor": "ana", "at": AT_MS, "until": None, "comment": "SECRET of an ack"}
    body = {**orjson.loads(value), "ack": said, "comments": [{"actor": "ana", "at": AT_MS, "text": "SECRET of an alert"}]}
    body["rule"] |= {"runbook": "https://SECRET", "suggested_action": "SECRET action"}
    number, state = incident(ACME_INCIDENT, "acme", ACME_ALERT)
    case = orjson.loads(state)
    case["members"][0] |= {"runbook": "https://SECRET", "suggested_action": "SECRET action"}
    case["timeline"] = [
        {"at": AT_MS, "what": what, "by": "ana", "text": f"SECRET {what}"} for what in ("told", "commented", "acknowledged")
    ]
    silence = {"record": "silence", "id": "s-acme", "partner": "acme", "actor": "ana", "at": AT_MS, "from": AT_MS, "until": AT_MS + 1}
    silence |= {"matchers": {"rule": "x"}, "comment": "SECRET of a silence"}
    topics = served.settings.topics
    taken, swap = override("o-acme", "acme_duty", "bo", AT_MS + DAY_MS, AT_MS + 2 * DAY_MS)
    beside = [(b"silence/s-acme", silence), (taken, {**orjson.loads(swap), "comment": "SECRET of an override"}), (key, body)]
    some = [Record(topics.alerts_state, 0, each, orjson.dumps(value)) for each, value in beside]
    some.append(Record(topics.incidents, 0, number, orjson.dumps(case)))
    async with streaming(served, "partner") as theirs, streaming(served, "viewer") as whole:
        frames = [json.dumps((await events.next())[1]) for events in (theirs, whole)]
        await fill(served.client, served.settings, some)
        frames = [frame + json.dumps(await events.next_of("delta")) for frame, events in zip(frames, (theirs, whole), strict=True)]
    assert ["SECRET" in frame for frame in frames] == [False, True]
    told = {"partner": "", "operator": ""}
    for route in ROUTES:
        if route.method == "GET" and route.name != "stream":
            path = route.path.replace("{partner}", "acme").replace("{kpi}", "service_level")
            for role in told:
                told[role] += await (await served.ask(path, role)).text()
    assert "SECRET" not in told["partner"]
    told["operator"] += frames[1]
    kinds = ("of an ack", "of an alert", "action", "told", "commented", "acknowledged", "of a silence", "of an override")
    assert all(f"SECRET {each}" in told["operator"] for each in kinds)


async def test_who_sends_slowly_holds_no_connection(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("desk.server._BODY_SECONDS", 0.2)
    monkeypatch.setattr("desk.desk.KEEPALIVE_SECONDS", 0.5)
    asked = f"POST /api/v1/comment HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKENS['operator']}\r\nContent-Type: application/json\r\n"
    async with serving(served.settings.redis_url, served.settings.app_id, served.folder) as strict:
        for sent, status in (("", b""), (asked, b""), (asked + "Content-Length: 9\r\n\r\n{", b"HTTP/1.1 408 ")):
            reader, writer = await asyncio.open_connection("127.0.0.1", strict.desk.port)
            writer.write(sent.encode())
            async with asyncio.timeout(20):
                answer = await reader.read()
            assert answer.startswith(status), answer
            assert bool(answer) == bool(status)
            writer.close()


STRANGE: list[tuple[bytes, dict[str, bytes], bytes, int]] = [
    (b"GET /api/v1/session", {"Authorization": b"Bearer \xff\xfe"}, b"", 401),
    (b"GET /api/v1/session", {"Cookie": b"outwatch_session=\xff.\xff"}, b"", 401),
    (b"GET /api/v1/session", {"Cookie": b'outwatch_session="%s.\xff"' % b64encode(b'["operator",9999999999]')}, b"", 401),
    (b"GET /api/v1/partners/%00", {}, b"", 404),
    (b"GET /api/v1/partners/%2A", {}, b"", 404),
    (b"GET /api/v1/partners/acme%2f..%2fboreal", {}, b"", 404),
    (b"GET /api/v1/partners/%ff%fe", {}, b"", 404),
    (b"GET /page/../api.py", {}, b"", 404),
    (b"GET /page/%2e%2e/api.py", {}, b"", 404),
    (b"GET /page/..%2f..%2fpyproject.toml", {}, b"", 404),
    (b"POST /api/v1/session", {"Content-Encoding": b"gzip", "Content-Type": b"application/json"}, b"abcde", 422),
    (b"POST /api/v1/comment", {"Content-Type": b"application/json"}, b"[" * 60_000, 422),
]


async def test_what_is_no_text_no_path_and_no_json_is_refused_like_anything_else(served: Served) -> None:
    """No such request is a bug of ours, which would write a traceback for everybody who likes to."""
    for line, headers, body, status in STRANGE:
        named = {"Host": b"x", "Connection": b"close", "Authorization": f"Bearer {TOKENS['operator']}".encode(), **headers}
        if "Cookie" in headers:
            del named["Authorization"]
        if body:
            named["Content-Length"] = b"%d" % len(body)
        reader, writer = await asyncio.open_connection("127.0.0.1", served.desk.port)
        writer.write(line + b" HTTP/1.1\r\n" + b"".join(b"%s: %s\r\n" % (name.encode(), value) for name, value in named.items()))
        writer.write(b"\r\n" + body)
        async with asyncio.timeout(20):
            answer = await reader.read()
        writer.close()
        assert answer.startswith(b"HTTP/1.1 %d " % status), (line, answer[:300])
        assert b"frame-ancestors 'none'" in answer
    assert b'outwatch_desk_refused_total{reason="bug"}' not in served.metrics.catalogue.text()


async def test_what_is_no_http_leaves_a_line_in_the_log_and_no_traceback(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", served.desk.port)
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
    async with asyncio.timeout(20):
        assert b" 400 " in await reader.readline()
    writer.close()
    assert [(each.name, each.exc_info) for each in caplog.records if "Error handling" in each.message] == [("outwatch.desk.http", None)]


async def test_a_partner_asks_nothing_of_another_s(served: Served) -> None:
    asked: list[tuple[str, Any]] = [
        ("acknowledge", {"alert": BOREAL_ALERT}),
        ("acknowledge", {"incident": BOREAL_INCIDENT}),
        ("comment", {"alert": BOREAL_ALERT, "comment": "x"}),
        ("comment", {"incident": BOREAL_INCIDENT, "comment": "x"}),
        ("dispute", {**BODIES["dispute"], "partner": "boreal"}),
        ("dispute", {**BODIES["dispute"], "partner": "*"}),
    ]
    for name, body in asked:
        assert (await served.post(name, body, "partner")).status == 404, body
    assert served.commands == []


async def test_a_partner_acknowledges_what_its_own_people_were_told_of_and_nothing_else(served: Served) -> None:
    assert (await served.post("acknowledge", {"incident": UNTOLD_INCIDENT}, "partner")).status == 403
    assert (await served.post("acknowledge", {"incident": UNTOLD_INCIDENT})).status == 202
    for body in ({"incident": ACME_INCIDENT}, {"alert": ACME_ALERT}):
        assert (await served.post("acknowledge", body, "partner")).status == 202
    assert [(each.type, each.actor, each.partner) for each in served.commands[1:]] == [
        ("incident.ack", "partner", "acme"),
        ("alert.ack", "partner", "acme"),
    ]


async def test_what_was_over_before_an_alert_fired_anew_lets_no_partner_acknowledge_it(served: Served) -> None:
    """Else it would stop the client's own escalation, of which it was not told."""
    key, value = incident(ACME_INCIDENT, "acme", ACME_ALERT)
    over = orjson.dumps({**orjson.loads(value), "ended_at": AT_MS})
    await fill(served.client, served.settings, [Record(served.settings.topics.incidents, 0, key, over)])

    async def seen() -> bool:
        found = (await served.get("/api/v1/incidents", "partner"))["incidents"]
        return any(each["id"] == ACME_INCIDENT and each["ended_at"] == AT_MS for each in found)

    await until(seen)
    assert (await served.post("acknowledge", {"alert": ACME_ALERT}, "partner")).status == 403
    assert (await served.post("acknowledge", {"alert": ACME_ALERT})).status == 202


async def test_a_command_is_what_the_workers_read_and_its_id_is_told(served: Served) -> None:
    sent = []
    for name in ("acknowledge", "snooze", "silence", "comment", "annotate", "dispute", "expire", "resolve", "reassign"):
        answer = await served.post(name, BODIES[name])
        sent.append(await answer.json())
    assert [each["id"] for each in sent] == [each.id for each in served.commands]
    assert len({each.id for each in served.commands}) == 9
    for command in served.commands:
        PAYLOADS[command.type].model_validate_json(json.dumps(command.payload))
        assert (command.actor, command.partner, command.at) == ("operator", "acme", AT_MS)
    assert served.commands[5].payload == {"kind": "dispute", "kpi": "service_level", "text": "we count 85 %", **SPAN}
    assert served.commands[8].payload == BODIES["reassign"]
    await served.post("silence", {**BODIES["silence"], "partner": "*"})
    assert (served.commands[9].partner, served.commands[9].payload["matchers"]) == ("*", {"partner": "*", "rule": "sl*"})
    for name, payload in (("override", BODIES["override"]), ("cancel", BODIES["cancel"]), ("expire", {"silence": "s-*"})):
        assert (await served.post(name, payload)).status == 202
        assert (served.commands[-1].partner, served.commands[-1].payload) == ("*", payload)


async def test_without_kafka_a_command_is_refused_and_everything_is_shown(served: Served) -> None:
    served.refuses = True
    answer = await served.post("comment", BODIES["comment"])
    assert answer.status == 503
    assert (await answer.json())["type"] == "urn:outwatch:no_kafka"
    assert (await served.get("/api/v1/partners"))["partners"][0]["partner"] == "acme"


SENSELESS: list[tuple[str, str, dict[str, Any], int, str]] = [
    ("GET", "/api/v1/nothing", {}, 404, "unknown"),
    ("PUT", "/api/v1/snapshot", {}, 405, "method"),
    ("GET", "/api/v1/partners/nobody", {}, 404, "unknown"),
    ("GET", "/api/v1/partners/acme/figures?scope=planet=mars", {}, 422, "invalid"),
    ("GET", "/api/v1/kpis/acme/nothing", {}, 404, "unknown"),
    ("GET", "/api/v1/kpis/acme/in_queue", {}, 404, "unknown"),
    ("GET", "/api/v1/kpis/acme/asa?window=2m", {}, 422, "invalid"),
    ("GET", "/api/v1/kpis/acme/asa?window=1m&from=1799900000000", {}, 422, "invalid"),
    ("GET", "/api/v1/kpis/acme/asa?scope=planet=mars", {}, 422, "invalid"),
    ("GET", "/api/v1/sparks?kpi=in_queue", {}, 404, "unknown"),
    ("GET", "/api/v1/sparks?points=61", {}, 422, "invalid"),
    ("GET", "/api/v1/snapshot?window=1h&window=5m", {}, 422, "invalid"),
    ("GET", "/api/v1/oncall?at=9007199254740992", {}, 422, "invalid"),
    ("GET", "/api/v1/oncall/schedule?from=0&to=3024000001", {}, 422, "invalid"),
    ("GET", "/api/v1/oncall/schedule?from=5&to=5", {}, 422, "invalid"),
    ("POST", "/api/v1/expire", {"json": {"silence": "nothing"}}, 404, "unknown"),
    ("POST", "/api/v1/cancel", {"json": {"override": "nothing"}}, 404, "unknown"),
    ("POST", "/api/v1/override", {"json": {**BODIES["override"], "rotation": "nothing"}}, 422, "invalid"),
    ("POST", "/api/v1/override", {"json": {**BODIES["override"], "person": "bia"}}, 422, "invalid"),
    ("POST", "/api/v1/override", {"json": {**BODIES["override"], "to": 0}}, 422, "invalid"),
    *(
        ("POST", "/api/v1/reassign", {"json": {"incident": ACME_INCIDENT, "to": to}}, 422, "invalid")
        for to in (
            {"person": "cy"},
            {"rotation": "boreal_duty"},
            {"receiver": "x"},
            {"partner": "boss"},
            {},
            {"person": "ana", "rotation": "ops"},
        )
    ),
    ("POST", "/api/v1/comment", {"data": "{"}, 415, "media_type"),
    ("POST", "/api/v1/comment", {"data": b"{", "headers": {"Content-Type": "application/json"}}, 422, "invalid"),
    ("POST", "/api/v1/comment", {"json": {"comment": "x" * BODY_BYTES_MAX}}, 413, "too_large"),
    ("POST", "/api/v1/annotate", {"json": {**BODIES["annotate"], "to": 0}}, 422, "invalid"),
]


async def test_what_makes_no_sense_is_a_problem_detail(served: Served) -> None:
    for method, path, more, status, reason in SENSELESS:
        answer = await served.ask(path, "operator", method, **more)
        body = await answer.json(content_type="application/problem+json")
        assert (answer.status, body["status"], body["type"]) == (status, status, f"urn:outwatch:{reason}"), (path, body)
    assert served.commands == []


async def test_a_session_is_a_cookie_that_no_script_reads_and_what_changes_something_says_more(served: Served) -> None:
    login = await served.ask("/api/v1/session", None, "POST", json={"token": TOKENS["operator"]})
    cookie = login.headers["Set-Cookie"]
    assert all(part in cookie for part in ("HttpOnly", "SameSite=Strict", "Path=/"))
    assert "Secure" not in cookie, "on loopback there is no TLS"
    elsewhere = await served.ask("/api/v1/session", None, "POST", json={"token": TOKENS["operator"]}, headers={"Host": "desk.example"})
    assert "Secure" in elsewhere.headers["Set-Cookie"]
    own = {"Cookie": f"{COOKIE}={login.cookies[COOKIE].value}"}
    who = await (await served.ask("/api/v1/session", None, headers=own)).json()
    assert (who["name"], who["role"]) == ("operator", "operator")
    for csrf, status in ((None, 403), ("wrong", 403), (who["csrf"], 202)):
        headers = own | ({} if csrf is None else {"X-CSRF-Token": csrf})
        assert (await served.ask("/api/v1/comment", None, "POST", json=BODIES["comment"], headers=headers)).status == status
    gone = await served.ask("/api/v1/session", None, "DELETE", headers=own | {"X-CSRF-Token": who["csrf"]})
    assert 'outwatch_session=""' in gone.headers["Set-Cookie"]


async def test_the_session_of_a_viewer_is_renewed_while_its_page_stands_and_no_other_s(served: Served) -> None:
    """A wall has nobody to log in again."""
    for role, renewed in (("viewer", True), ("operator", False), ("partner", False)):
        served.now_ms = AT_MS
        login = await served.ask("/api/v1/session", None, "POST", json={"token": TOKENS[role]})
        cookie = login.cookies[COOKIE].value
        for hours, anew in ((5, False), (7, renewed)):
            served.now_ms = AT_MS + hours * 3_600_000
            answer = await served.ask("/api/v1/session", None, headers={"Cookie": f"{COOKIE}={cookie}"})
            assert (COOKIE in answer.cookies) == anew, (role, hours)
        served.now_ms = AT_MS + 13 * 3_600_000
        newest = answer.cookies[COOKIE].value if renewed else cookie
        answer = await served.ask("/api/v1/session", None, headers={"Cookie": f"{COOKIE}={newest}"})
        assert answer.status == (200 if renewed else 401), role


async def test_wrong_tokens_are_slowed_down_and_right_ones_are_not(served: Served) -> None:
    statuses = [(await served.ask("/api/v1/session", None, "POST", json={"token": f"guess {number}"})).status for number in range(12)]
    assert statuses == [401] * 10 + [429] * 2
    assert (await served.ask("/api/v1/session", None, "POST", json=BODIES["login"])).status == 200
    assert (await served.ask("/api/v1/partners", None, headers={"Authorization": "Bearer guess"})).status == 429


async def test_commands_of_one_user_are_limited_and_those_of_another_are_not(served: Served) -> None:
    statuses = [(await served.post("comment", BODIES["comment"])).status for _ in range(40)]
    assert statuses[:30] == [202] * 30
    assert 429 in statuses[30:]
    assert (await served.post("comment", BODIES["comment"], "admin")).status == 202


async def test_looks_of_one_user_are_limited_and_those_of_another_are_not(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    statuses = {(await served.ask("/api/v1/session")).status for _ in range(40)}
    assert statuses == {200}, "a page that asks for much at once is not kept waiting"
    monkeypatch.setattr("desk.server._READS_BURST", 3)
    monkeypatch.setattr("desk.server._READS_PER_SECOND", 0.001)
    async with serving(served.settings.redis_url, served.settings.app_id, served.folder) as strict:
        answers = [await strict.ask("/api/v1/session") for _ in range(4)]
        assert [each.status for each in answers] == [200, 200, 200, 429]
        assert int(answers[3].headers["Retry-After"]) > 900
        assert (await strict.ask("/api/v1/session", "admin")).status == 200
        assert (await strict.post("comment", BODIES["comment"], "operator")).status == 202


async def test_alerts_stand_in_the_order_of_what_matters_most(served: Served) -> None:
    """The highest order first, and of these the one that fires for longest."""
    some = []
    for fingerprint, order, fired_ms in (("c" * 32, 9, AT_MS), ("d" * 32, 9, AT_MS - 1), ("e" * 32, 1, AT_MS)):
        key, value = alert("acme", fingerprint)
        some.append(
            Record(served.settings.topics.alerts_state, 0, key, orjson.dumps({**orjson.loads(value), "order": order, "fired_at": fired_ms}))
        )
    await fill(served.client, served.settings, some)

    async def ordered() -> bool:
        told = (await served.get("/api/v1/alerts"))["alerts"]
        return [each["fingerprint"][0] for each in told] == ["d", "c", "e", "a", "b"]

    await until(ordered)


async def test_a_proxy_s_header_is_believed_from_where_it_may_come_and_from_nowhere_else(
    redis_url: str, app_id: str, tmp_path: Path
) -> None:
    header = {"X-Forwarded-User": "operator"}
    for networks, status in (("127.0.0.0/8", 200), ("10.0.0.0/8", 401)):
        more = {"desk_identity_header": "X-Forwarded-User", "desk_trusted_proxies": networks}
        async with serving(redis_url, app_id, tmp_path, **more) as served:
            assert (await served.ask("/api/v1/session", None, headers=header)).status == status
            if status == 200:
                assert (await served.ask("/api/v1/session", None, headers={"X-Forwarded-User": "mallory"})).status == 401
                twice = CIMultiDict([("X-Forwarded-User", "admin"), ("X-Forwarded-User", "operator")])
                async with served.session.get(f"{served.url}/api/v1/session", headers=twice) as answer:
                    assert answer.status == 401, "one of them was brought along"
                post = await served.ask("/api/v1/silence", None, "POST", json={**BODIES["silence"], "partner": "*"}, headers=header)
                assert post.status == 403, "a browser is logged in at a proxy on every page"
                csrf = (await (await served.ask("/api/v1/session", None, headers=header)).json())["csrf"]
                both = header | {"X-CSRF-Token": csrf}
                post = await served.ask("/api/v1/silence", None, "POST", json={**BODIES["silence"], "partner": "*"}, headers=both)
                assert post.status == 202
    async with serving(redis_url, app_id, tmp_path) as served:
        assert (await served.ask("/api/v1/session", None, headers=header)).status == 401


async def test_behind_a_trusted_proxy_who_guesses_is_told_apart_by_what_the_proxy_says(redis_url: str, app_id: str, tmp_path: Path) -> None:
    async def guess(served: Served, forwarded: str) -> int:
        headers = {"X-Forwarded-For": forwarded}
        return (await served.ask("/api/v1/session", None, "POST", json={"token": "guess"}, headers=headers)).status

    async with serving(redis_url, app_id, tmp_path, desk_trusted_proxies="127.0.0.0/8") as served:
        assert [await guess(served, "203.0.113.7, 198.51.100.1") for _ in range(11)] == [401] * 10 + [429]
        assert await guess(served, "198.51.100.1, 203.0.113.7") == 401, "what came before the proxy is only claimed"
        assert await guess(served, "198.51.100.1, nonsense") == 401
        one_customer = [await guess(served, f"2001:db8:0:1::{number:x}") for number in range(11)]
        assert one_customer == [401] * 10 + [429], "of IPv6 a customer has more addresses than it needs tries"
        assert await guess(served, "2001:db8:0:2::1") == 401
        assert [await guess(served, f"::ffff:192.0.2.{number}") for number in range(11)] == [401] * 11, "these are of IPv4, each another's"
    async with serving(redis_url, app_id, tmp_path) as served:
        assert [await guess(served, f"198.51.100.{number}") for number in range(11)] == [401] * 10 + [429]


async def test_every_answer_tells_the_browser_to_be_careful(served: Served) -> None:
    answers = (("/", None), ("/page/main.js", None), ("/api/v1/snapshot", "viewer"), ("/api/v1/nothing", None), ("/api/v1/snapshot", None))
    for path, role in answers:
        headers = (await served.ask(path, role)).headers
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "unsafe" not in headers["Content-Security-Policy"]
        kept = "no-store" if path.startswith("/api") else "no-cache"
        assert (headers["X-Content-Type-Options"], headers["Cache-Control"]) == ("nosniff", kept)
        assert "Server" not in headers


async def test_every_file_of_the_page_is_served_and_asked_for_again_only_if_it_changed(served: Served) -> None:
    for each in page_files():
        if each.name == "index.html":
            continue
        async with served.session.get(f"{served.url}/page/{each.name}") as answer:
            assert (answer.status, await answer.read(), answer.headers["Content-Type"]) == (200, each.body, each.media)
            assert "no-cache" in answer.headers["Cache-Control"], "a new release is seen at the next load"
        async with served.session.get(answer.url, headers={"If-None-Match": answer.headers["ETag"]}) as again:
            assert (again.status, await again.read()) == (304, b"")
    for path in ("/page/", "/page/../api.py", "/page/%2e%2e/api.py", "/page/vendor/../../api.py", "/page/index.html", "/desk.py"):
        assert (await served.ask(path, None)).status == 404, path


async def test_a_view_is_the_page_for_whoever_is_known_and_the_way_to_log_in_for_others(served: Served) -> None:
    for path in ("/", "/partner/acme", "/oncall", "/report", "/wall"):
        answer = await served.ask(path)
        assert (answer.status, answer.content_type) == (200, "text/html")
        away = await served.ask(f"{path}?window=1h", None, allow_redirects=False)
        assert (away.status, away.headers["Location"]) == (303, f"/login?next={quote(path + '?window=1h', safe='')}")
    assert (await served.ask("/login", None)).status == 200
    known = await served.ask("/login?next=/wall", allow_redirects=False)
    assert (known.status, known.headers["Location"]) == (303, "/"), "no link makes somebody of somebody else"


async def test_a_stream_begins_with_all_there_is_and_goes_on_with_what_differs(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("desk.streams.NOW_SECONDS", 0.5)
    async with streaming(served) as events:
        kind, told = await events.next()
        assert kind == "snapshot"
        assert [each["partner"] for each in told["partners"]] == ["acme", "boreal"]
        acme = Record(served.settings.topics.kpis, 0, *kpi_record("acme", {"answered": 50}, revision=2))
        await fill(served.client, served.settings, [acme, Record(served.settings.topics.alerts_state, 0, ACME_ALERT.encode(), None)])
        delta = await events.next_of("delta")
        assert delta["changed"]["partners"][0]["kpis"]["asa"]["n"] == 50
        assert delta["gone"] == {"alerts": [ACME_ALERT]}
        served.now_ms = AT_MS + 9_000
        now = await events.next_of("now")
        assert (now["at"], now["as_of"], now["version"]) == (AT_MS + 9_000, AT_MS, version("outwatch"))
        Now.model_validate(now)


async def test_what_several_see_alike_is_made_once(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    def counted(old: Any, new: Any, user: Any) -> bytes | None:
        told = delta(old, new, user)
        made.extend([user.name] * (told is not None))
        return told

    monkeypatch.setattr("desk.streams.delta", counted)
    async with streaming(served) as one, streaming(served, "admin") as two, streaming(served, "partner") as theirs:
        for events in (one, two, theirs):
            await events.next()
        acme = Record(served.settings.topics.kpis, 0, *kpi_record("acme", {"answered": 50}, revision=2))
        await fill(served.client, served.settings, [acme])
        frames = [await events.next_of("delta") for events in (one, two, theirs)]
    assert frames[0] == frames[1]
    assert [each["partner"] for each in frames[2]["changed"]["partners"]] == ["acme"]
    assert len(made) == 2
    assert "partner" in made


async def test_who_takes_no_packed_stream_is_told_the_same(served: Served) -> None:
    async with streaming(served) as packed, streaming(served, encoding="identity") as plain:
        assert (await packed.next())[1]["partners"] == (await plain.next())[1]["partners"]
        await fill(
            served.client, served.settings, [Record(served.settings.topics.kpis, 0, *kpi_record("acme", {"answered": 50}, revision=2))]
        )
        assert await packed.next_of("delta") == await plain.next_of("delta")


async def test_a_stream_ends_with_the_right_to_look(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("desk.streams.NOW_SECONDS", 0.5)
    monkeypatch.setattr("desk.users._LOOK_SECONDS", 0.5)
    async with streaming(served, "partner") as events:
        await events.next()
        path = served.settings.desk_users
        assert path is not None
        path.write_text(path.read_text().replace("partner: acme", "partner: boreal"))
        with pytest.raises(EOFError):
            await events.next_of("nothing more")


async def test_a_flushed_view_shows_nothing_and_not_what_there_was(served: Served) -> None:
    keys = Keys(served.settings.app_id)
    async with streaming(served) as events:
        await events.next()
        await served.client.delete(*[key async for key in served.client.scan_iter(match=f"{keys.view}*")], keys.projector)
        gone = (await events.next_of("delta"))["gone"]
        assert {*gone["partners"]} == {"acme", "boreal"}
        assert gone["projector"] == [""]
    told = await served.get("/api/v1/snapshot")
    assert (told["partners"], told["as_of"]) == ([], None)


async def test_a_kpi_over_time_comes_from_the_stretches_of_the_view(served: Served) -> None:
    end_ms = AT_MS - AT_MS % 900_000
    told = await served.get(f"/api/v1/kpis/acme/service_level?window=5m&from={end_ms - 1_200_000}&to={end_ms}")
    assert [each["from"] for each in told["points"]] == [end_ms - ago for ago in (1_200_000, 900_000, 600_000, 300_000)]
    for point in told["points"]:
        assert (point["value"], point["numerator"], point["denominator"], point["n"]) == (0.8, 40, 50, 50)
        assert 0.6 < point["ci_low"] < 0.8 < point["ci_high"] < 0.9
        assert (point["final"], point["target"], point["critical"]) == (True, 0.8, 0.65)
        assert "20 s" in point["definition"]
    assert (told["as_of"], told["complete"], told["horizon"]["1m"]) == (AT_MS, True, AT_MS - 48 * 3_600_000)
    part = await served.get("/api/v1/kpis/acme/service_level?window=1d&scope=queue=billing")
    assert part["points"] == []


async def test_the_schedule_says_who_is_on_call_and_when_nobody_is(served: Served) -> None:
    told = await served.get(f"/api/v1/oncall/schedule?from={AT_MS}&to={AT_MS + 3 * DAY_MS}")
    ops, acme, _ = told["rotations"]
    assert [(each["from"], each["to"], each["people"], each["override"]) for each in acme["shifts"]] == [
        (AT_MS, AT_MS + DAY_MS, ["Bia"], None),
        (AT_MS + DAY_MS, AT_MS + 2 * DAY_MS, ["Bo"], "o-acme"),
        (AT_MS + 2 * DAY_MS, AT_MS + 3 * DAY_MS, ["Bia"], None),
    ]
    assert (acme["gaps"], [each["id"] for each in acme["takers"]]) == ([], ["bia", "bo"])
    assert [(each["id"], each["person"], each["by"]) for each in acme["overrides"]] == [("o-acme", "Bo", "ana")]
    assert ops["gaps"] == []
    early = (await served.get(f"/api/v1/oncall/schedule?from={STARTS_MS - DAY_MS}&to={STARTS_MS + DAY_MS}"))["rotations"][0]
    assert early["gaps"] == [{"from": STARTS_MS - DAY_MS, "to": STARTS_MS, "reason": "uncovered"}]
    assert [each["people"] for each in early["shifts"]] == [[], ["Ana Silva"]]
    mine = await served.get("/api/v1/oncall/schedule", "partner")
    assert [each["rotation"] for each in mine["rotations"]] == ["acme_duty"]


async def test_small_lines_of_all_partners_are_made_once_for_everybody(served: Served) -> None:
    told = await served.get("/api/v1/sparks?points=3")
    assert (told["kpi"], told["window"], told["step_ms"], told["complete"]) == ("service_level", "1m", 60_000, True)
    assert told["from"] == AT_MS - 3 * 60_000
    assert told["partners"] == {"acme": [0.8] * 3, "boreal": [0.8] * 3}
    wide = "/api/v1/sparks?points=7&window=5m"
    told = await served.get(wide)
    assert told["partners"]["acme"] == [None, *[0.8] * 6], "half an hour was counted"
    await served.client.delete(*[key async for key in served.client.scan_iter(match=f"{Keys(served.settings.app_id).view}history:*")])
    assert await served.get(wide, "operator") == told
    assert (await served.get(wide, "partner"))["partners"] == {"acme": told["partners"]["acme"]}


async def test_what_happened_to_a_partner_is_told_with_what_people_said_of_it(served: Served) -> None:
    told = await served.get("/api/v1/partners/acme/timeline")
    assert {(each["kind"], each["what"]) for each in told["entries"]} == {
        ("alert", "fired"),
        ("annotation", "outage"),
        ("silence", "silenced"),
    }
    assert not told["more"]
    (fired,) = (each for each in told["entries"] if each["kind"] == "alert")
    assert (fired["at"], fired["rule"], fired["severity"], fired["kpi"]) == (AT_MS, "service_level_low", "warning", "service_level")
    again = [Record(served.settings.topics.alerts, 0, *alert_event("acme", 1))]
    await fill(served.client, served.settings, again)
    assert await served.get("/api/v1/partners/acme/timeline") | {"at": 0} == told | {"at": 0}
    assert (await served.get(f"/api/v1/partners/acme/timeline?before={AT_MS}"))["entries"] == []


async def test_the_catalogue_tells_all_that_a_page_must_know_of_a_kpi(served: Served) -> None:
    kpis = {each["id"]: each for each in (await served.get("/api/v1/catalogue"))["kpis"]}
    assert kpis.keys() == CATALOGUE.keys()
    asa, waiting = kpis["asa"], kpis["in_queue"]
    assert (asa["unit"], asa["better"], asa["live"], asa["history"], asa["own"]) == ("s", "lower", False, True, False)
    assert (waiting["live"], waiting["history"]) == (True, False)
    for each in kpis.values():
        status = (await served.ask(f"/api/v1/kpis/acme/{each['id']}")).status
        assert status == (200 if each["history"] else 404), each["id"]


async def test_a_partner_is_shown_with_its_parts_targets_and_thresholds(served: Served) -> None:
    told = await served.get("/api/v1/partners/acme")
    assert told["partner"]["name"] == "Acme"
    assert [each["scope"] for each in told["scopes"]] == ["queue=a*b"], "and of no partner beside it"
    assert told["targets"] == {"service_level": {"target": 0.8, "critical": 0.65}}
    (rule,) = told["thresholds"]
    assert (rule["rule"], rule["levels"]) == ("sl", [{"severity": "warning", "enter": 0.8, "exit": 0.83}])


async def test_a_partner_s_figures_are_told_in_every_window_that_is_kept(served: Served) -> None:
    day = kpi_record("acme", {"answered": 900, "answered_within": 800, "abandoned": 100}, window_name="24h")
    minutes = kpi_record("acme", {"answered": 9}, window_name="5m")
    await fill(served.client, served.settings, [Record(served.settings.topics.kpis, 0, *each) for each in (day, minutes)])
    told = await served.get("/api/v1/partners/acme/figures")
    assert [each["window"] for each in told["figures"]] == ["5m", "15m", "24h"]
    assert [each["kpis"]["service_level"]["denominator"] for each in told["figures"]] == [9, 100, 1000]
    assert (told["partner"], told["scope"], told["min_samples"]) == ("acme", "all", 20)
    queue = await served.get("/api/v1/partners/acme/figures?scope=queue=a*b")
    assert [(each["window"], each["scope"]) for each in queue["figures"]] == [("15m", "queue=a*b")]
    assert (await served.get("/api/v1/partners/acme/figures?scope=queue=other"))["figures"] == []


async def test_a_policy_of_a_newer_release_is_said_to_be_one(served: Served) -> None:
    value = json.dumps({"partner": "acme", "revision": "r", "applied_at": 1, "part": {"id": "acme", "name": "Acme", "mood": "good"}})
    await served.client.hset(Keys(served.settings.app_id).policies, "acme", value)

    async def refused() -> bool:
        answer = await served.ask("/api/v1/partners/acme")
        return answer.status == 503 and "another release" in await answer.text()

    await until(refused)
    assert (await served.ask("/api/v1/partners/boreal")).status == 200
    assert list((await served.get("/api/v1/sparks?points=3"))["partners"]) == ["boreal"], "it takes the line of no other"


@pytest.mark.parametrize(
    "path", ["/api/v1/partners/acme", "/api/v1/partners/acme/figures", "/api/v1/kpis/acme/asa", "/api/v1/sparks?points=4"]
)
async def test_a_redis_that_goes_between_two_looks_is_said_to_be_away(served: Served, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    async def gone(*_: object) -> None:
        raise RedisConnectionError

    for name in ("scopes", "windows", "history", "packed"):
        monkeypatch.setattr(f"desk.view.ViewReader.{name}", gone)
    answer = await served.ask(path)
    assert (answer.status, (await answer.json())["type"]) == (503, "urn:outwatch:no_view")


async def test_so_many_watch_and_further_ones_are_told_to_come_later(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("desk.streams.VIEWERS_OF_ONE_MAX", 2)
    monkeypatch.setattr("desk.streams.VIEWERS_MAX", 3)
    async with streaming(served), streaming(served):
        assert (await served.ask("/api/v1/stream")).status == 503
        async with streaming(served, "operator"):
            answer = await served.ask("/api/v1/stream", "admin")
            assert (answer.status, answer.headers["Retry-After"]) == (503, "30")

    async def room() -> bool:
        async with served.session.get(f"{served.url}/api/v1/stream", headers={"Authorization": f"Bearer {TOKENS['viewer']}"}) as again:
            return again.status == 200

    await until(room)


async def test_who_went_is_missed_with_the_next_board_also_where_nothing_is_told(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("desk.streams.NOW_SECONDS", 1_000.0)
    async with streaming(served) as events:
        await events.next()
        assert b"outwatch_desk_viewers 1.0" in served.metrics.catalogue.text()

    async def missed() -> bool:
        return b"outwatch_desk_viewers 0.0" in served.metrics.catalogue.text()

    await until(missed)


async def test_a_viewer_that_takes_nothing_is_let_go(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """It reads the first bytes and then no more, while what it is told changes and is large."""
    monkeypatch.setattr("desk.streams._SLOW_SECONDS", 0.3)
    reader, writer = await asyncio.open_connection("127.0.0.1", served.desk.port, limit=1024)
    writer.write(f"GET /api/v1/stream HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKENS['viewer']}\r\n\r\n".encode())
    assert b"200" in await reader.readline()
    key, value = alert("acme", "d" * 32)
    large = json.dumps({**json.loads(value), "explanation": "x" * 16_000_000}).encode()
    await fill(served.client, served.settings, [Record(served.settings.topics.alerts_state, 0, key, large)])

    async def dropped() -> bool:
        return b"outwatch_desk_viewers_dropped_total 1.0" in served.metrics.catalogue.text()

    await until(dropped)
    writer.close()


async def test_without_redis_the_age_grows_and_then_nothing_is_shown_as_if_it_were_now(
    private_redis: LocalRedis, app_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("desk.watch.FRESH_SECONDS", 1.5)
    monkeypatch.setattr("desk.streams.NOW_SECONDS", 0.5)
    async with serving(private_redis.url, app_id, tmp_path) as served, streaming(served) as events:
        private_redis.kill()
        served.now_ms = AT_MS + 7_000
        now = await events.next_of("now")
        assert now["at"] - now["as_of"] == now["at"] - now["seen_at"] == 7_000

        async def unavailable() -> bool:
            answer = await served.ask("/api/v1/snapshot")
            return answer.status == 503 and (await answer.json(content_type=None))["type"] == "urn:outwatch:no_view"

        await until(unavailable)
        assert not served.desk.sees
        private_redis.start()

        async def again() -> bool:
            return served.desk.sees

        await until(again)
        assert (await served.get("/api/v1/snapshot"))["partners"] == []
