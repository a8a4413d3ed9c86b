"""Structured logs on stderr, the standard library's included: text on a terminal, otherwise one JSON object a line."""

import logging
import sys
import warnings
from collections.abc import Sequence
from typing import Literal

import structlog


def configure(
    log_format: Literal["text", "json"] | None,
    *,
    level: str = "INFO",
    processors: Sequence[structlog.typing.Processor] = (),
) -> None:
    """Configure logging. None chooses text on a terminal, json otherwise. `processors` add to every line."""
    is_text = log_format == "text" or (log_format is None and sys.stderr.isatty())
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        *processors,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    last: list[structlog.typing.Processor] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta
    ]
    if is_text:
        # Plain tracebacks: rich ones print local variables, which hold texts of users.
        last.append(
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
            )
        )
    else:
        last += [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=last)
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    # Its warnings about bad forms quote the request, and Python keeps every distinct warning.
    warnings.filterwarnings("ignore", module=r"aiohttp\.multipart")
    # Only their warnings help an operator.
    for noisy in ("aiohttp.access", "pymongo", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
