"""What a long-running process says: lines for a person at a terminal, JSON lines for everything else.

Our lines carry fields (structlog); those of the libraries below us go through the same end, so that a log has one form. One line an
alert transition, never one an event.
"""

import logging
import sys
from typing import Final

import orjson
import structlog
from structlog.types import EventDict, Processor

__all__ = ["configure_logging", "formatter"]

_SHARED: Final[tuple[Processor, ...]] = (
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
)


def _to_json(line: EventDict, **_: object) -> str:
    return orjson.dumps(line, default=str).decode()


def formatter(*, terminal: bool) -> logging.Formatter:
    """Formats every record, of structlog and of the libraries: as JSON with at (RFC 3339), level, logger, message and fields."""
    ends: tuple[Processor, ...] = (
        # The renderer of its own would show the variables of every frame: a token, or what a customer wrote.
        (structlog.dev.ConsoleRenderer(timestamp_key="at", exception_formatter=structlog.dev.plain_traceback),)
        if terminal
        else (
            structlog.processors.format_exc_info,
            structlog.processors.EventRenamer("message"),
            structlog.processors.JSONRenderer(serializer=_to_json),
        )
    )
    remove = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    return structlog.stdlib.ProcessorFormatter(foreign_pre_chain=(*_SHARED, structlog.stdlib.ExtraAdder()), processors=(remove, *ends))


def configure_logging() -> None:
    """Log to standard error from INFO on; the libraries below us only from WARNING."""
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter(terminal=sys.stderr.isatty()))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    # Faust's services log under the module of their subclass.
    for name in ("aiokafka", "faust", "mode", "asyncio", "streams"):
        logging.getLogger(name).setLevel(logging.WARNING)
    # A transaction that follows another closely is retried by the client: known and harmless, several times a second.
    logging.getLogger("aiokafka.producer.sender").setLevel(logging.ERROR)
