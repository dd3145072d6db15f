"""The log: a line an event, for people or as JSON, on standard error. It never tells a token or who a member is.

What Laurel logs itself is names and numbers. The messages of exceptions are others', so that whatever looks like a
token, an e-mail address or a database's quotation of a row is struck out of every line.
"""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, Final

import structlog

_STRUCK: Final = "[struck out]"
_SECRETS: Final = re.compile(
    r"eyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)?"  # a JWT
    r"|laurel_[\w-]{16,}"  # an API key
    r"|(?i:bearer)\s+[^\s'\"]+"
    r"|[\w.+-]+@[\w-]+\.[\w.-]+"  # an e-mail address
    r"|(?<=\)=\()[^)]*(?=\))"  # PostgreSQL: Key (external_id)=(…) already exists
    r"|(?<=Duplicate entry )'.*?'(?= for key)"  # MariaDB
    r"|(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"  # the password in an address
)


def struck_out(text: str) -> str:
    """The text without what nobody may read in a log.

    >>> struck_out("Key (external_id)=(anna) exists; asked with Bearer eyJhbGciOiJIUzI1.eyJzdWIi.c2ln")
    'Key (external_id)=([struck out]) exists; asked with [struck out]'
    """
    return _SECRETS.sub(_STRUCK, text)


def _strike_out(logger: Any, name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key, value in event.items():
        if isinstance(value, str):
            event[key] = struck_out(value)
    return event


_SHARED: Final[tuple[Any, ...]] = (
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
    _strike_out,
)


def logger_named(name: str) -> structlog.stdlib.BoundLogger:
    """A logger of events with facts. It says nothing that ``logging`` of that name would not."""
    logger: structlog.stdlib.BoundLogger = structlog.wrap_logger(
        logging.getLogger(name),
        processors=[structlog.stdlib.filter_by_level, *_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    return logger


def configure(kind: str, level: str) -> None:
    """Let everything that is logged in this process be written in one way, ``console`` or ``json``."""
    last: Any = structlog.processors.JSONRenderer()
    if kind == "console":
        # Its own exceptions would show the values of variables.
        last = structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_SHARED, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last]
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # At its finest the ORM logs the values of statements.
    logging.getLogger("tortoise").setLevel(logging.WARNING)
