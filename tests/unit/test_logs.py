"""The log off a terminal: one JSON object a line."""

import json
import logging
import sys

from streams.logs import JsonLines


def line_of(record: logging.LogRecord) -> dict[str, object]:
    text = JsonLines().format(record)
    assert "\n" not in text
    return dict(json.loads(text))


def test_a_line_says_when_how_bad_who_and_what() -> None:
    record = logging.makeLogRecord(
        {"name": "outwatch", "levelname": "WARNING", "msg": "%s of %s", "args": (1, 2), "created": 1_700_000_000.25}
    )
    assert line_of(record) == {"at": "2023-11-14T22:13:20.250+00:00", "level": "warning", "logger": "outwatch", "message": "1 of 2"}


def test_fields_of_extra_stand_beside_the_message() -> None:
    assert line_of(logging.makeLogRecord({"msg": "late", "partner": "acme", "reason": {1, 2}}))["partner"] == "acme"


def test_a_traceback_is_a_field_of_the_line() -> None:
    try:
        int("acme")
    except ValueError:
        record = logging.makeLogRecord({"msg": "bug", "exc_info": sys.exc_info()})
    assert "invalid literal" in str(line_of(record)["traceback"])
