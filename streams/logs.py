"""What a long-running process says: lines for a person at a terminal, JSON lines for everything else."""

import logging
import sys
from datetime import UTC, datetime
from typing import Final

import orjson

__all__ = ["JsonLines", "configure_logging"]

_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonLines(logging.Formatter):
    """One JSON object a line: at (RFC 3339), level, logger, message, whatever `extra` named, and a traceback if there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """Encode one record; a value that JSON does not know is written as its text."""
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **{key: value for key, value in vars(record).items() if key not in _STANDARD},
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return orjson.dumps(line, default=str).decode()


def configure_logging() -> None:
    """Log to standard error from INFO on; the libraries below us only from WARNING."""
    handler = logging.StreamHandler(sys.stderr)
    terminal = sys.stderr.isatty()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(message)s", "%H:%M:%S") if terminal else JsonLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    # Faust's services log under the module of their subclass.
    for name in ("aiokafka", "faust", "mode", "asyncio", "streams"):
        logging.getLogger(name).setLevel(logging.WARNING)
    # A transaction that follows another closely is retried by the client: known and harmless, several times a second.
    logging.getLogger("aiokafka.producer.sender").setLevel(logging.ERROR)
