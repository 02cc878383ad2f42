"""The log: lines for a person at a terminal, JSON for a machine, always on standard error."""

import logging
import sys

import structlog


def begin(level: str = "info", *, as_json: bool | None = None) -> None:
    """Set the log up for this process.

    Args:
        level: the least level that is written: debug, info, warning or error.
        as_json: None decides by whether standard error is a terminal.
    """
    if as_json is None:
        as_json = not sys.stderr.isatty()
    # Plain traces: the pretty ones print local variables, whole frames among them, and take 0.3 s.
    plain = structlog.dev.plain_traceback
    renderer = (
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.dev.ConsoleRenderer(exception_formatter=plain)
    )
    processors: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if as_json:
        processors.append(structlog.processors.format_exc_info)
    structlog.configure(
        processors=[*processors, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[level.upper()]
        ),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )
