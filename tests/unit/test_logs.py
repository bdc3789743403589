"""The log off a terminal: one JSON object a line, of ours and of the libraries."""

import json
import logging
import subprocess
import sys
from typing import Any

from streams.logs import formatter

SCRIPT = """
import logging, structlog
from streams.logs import configure_logging
log = structlog.stdlib.get_logger("outwatch.worker")
configure_logging()
log.info("transition", partner="acme", scope="queue:billing", rule="sl", reason="PENDING => FIRING", **{"from": "pending", "to": "firing"})
logging.getLogger("redis").warning("away: %s", "refused")
logging.getLogger("aiokafka.consumer").info("too much to say")
logging.getLogger("aiokafka.consumer").warning("heard")
log.debug("not said")
"""


def line_of(record: logging.LogRecord) -> dict[str, Any]:
    text = formatter(terminal=False).format(record)
    assert "\n" not in text
    line = dict(json.loads(text))
    assert line.pop("at").endswith("Z")
    return line


def test_a_line_says_when_how_bad_who_and_what() -> None:
    record = logging.makeLogRecord({"name": "outwatch", "levelname": "WARNING", "levelno": 30, "msg": "%s of %s", "args": (1, 2)})
    assert line_of(record) == {"level": "warning", "logger": "outwatch", "message": "1 of 2"}


def test_fields_of_extra_stand_beside_the_message() -> None:
    line = line_of(logging.makeLogRecord({"msg": "late", "partner": "acme", "reason": {1}}))
    assert (line["message"], line["partner"], line["reason"]) == ("late", "acme", "{1}")


def test_a_traceback_is_a_field_of_the_line() -> None:
    try:
        int("acme")
    except ValueError:
        record = logging.makeLogRecord({"msg": "bug", "exc_info": sys.exc_info()})
    assert "invalid literal" in str(line_of(record)["exception"])


def test_a_traceback_at_a_terminal_shows_no_variables() -> None:
    """There may be a token among them, or what a customer wrote."""
    said = "hunter2"
    try:
        int("acme" if said else "boreal")
    except ValueError:
        record = logging.makeLogRecord({"msg": "bug", "exc_info": sys.exc_info()})
    text = formatter(terminal=True).format(record)
    assert "invalid literal" in text
    assert "hunter2" not in text


def test_ours_and_the_libraries_lines_have_one_form_and_what_is_chatter_is_left_out() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=30, check=True)
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert done.stdout == ""
    assert [(line["level"], line["logger"], line["message"]) for line in lines] == [
        ("info", "outwatch.worker", "transition"),
        ("warning", "redis", "away: refused"),
        ("warning", "aiokafka.consumer", "heard"),
    ]
    assert {name: lines[0][name] for name in ("partner", "scope", "rule", "from", "to", "reason")} == {
        "partner": "acme",
        "scope": "queue:billing",
        "rule": "sl",
        "from": "pending",
        "to": "firing",
        "reason": "PENDING => FIRING",
    }


def test_a_person_at_a_terminal_reads_words() -> None:
    text = formatter(terminal=True).format(logging.makeLogRecord({"msg": "starts", "name": "outwatch", "levelno": 20, "levelname": "INFO"}))
    assert "starts" in text
    assert not text.startswith("{")
